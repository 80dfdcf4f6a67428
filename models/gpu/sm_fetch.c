/* sm_fetch.c - a sub-core's instruction cache and the SM's behind it, as directories of lines.
 *
 * The kernels of a run lie one behind the other in one code space, so a launch finds what an
 * earlier one of the same kernel left, as far as no other took its place.
 *
 * A line has one place in each; what was there before it is gone.  A line says from when on it
 * can be used, so one that is being fetched is found and waited for.
 *
 * Not modelled: requests for instructions among those for data in L2, whose time is
 * fetch.l1_miss_cycles; the width of the path into a cache.
 */
#include <stdlib.h>
#include <string.h>

#include "models/gpu/sm_inside.h"

static uint32_t lines(uint64_t bytes, const struct gpu_config *c)
{
    uint64_t n = bytes / c->fetch.line_bytes;
    return n > 0 ? (uint32_t)n : 1;
}

/* The first line of a kernel, in the order of their first launches; the next free one. */
struct sm_code { const struct gpu_kernel *kernel; uint32_t line; };

static uint32_t lines_of(const struct gpu_sm *sm, const struct gpu_kernel *k)
{
    return (k->count + sm->line_ops - 1) / sm->line_ops;
}

static struct sm_code *find(const struct gpu_sm *sm, const struct gpu_kernel *k)
{
    struct sm_code *c = sm->code;
    while (c->kernel && c->kernel != k)
        c++;
    return c;
}

static void place_kernels(struct gpu_sm *sm)
{
    sm->code = zeroed((size_t)sm->run.launch_count + 1, sizeof *sm->code);
    for (uint32_t i = 0; i < sm->run.launch_count; i++) {
        const struct gpu_kernel *k = sm->run.launches[i].kernel;
        struct sm_code *c = find(sm, k);
        if (c->kernel)
            continue;
        c->kernel = k;
        c[1].line = c->line + lines_of(sm, k);
    }
}

void sm_fetch_make(struct gpu_sm *sm)
{
    uint32_t l0 = sm->l0_lines = lines(sm->c->fetch.l0_bytes, sm->c);
    uint32_t l1 = sm->l1i_lines = lines(sm->c->fetch.l1_bytes, sm->c);
    uint32_t ops = sm->c->fetch.line_bytes / sm->c->fetch.instruction_bytes;
    sm->line_ops = ops > 0 ? ops : 1;
    place_kernels(sm);
    sm->l1i = zeroed(l1, sizeof *sm->l1i);
    for (uint32_t i = 0; i < sm->c->sm.subcores; i++)
        sm->subcores[i].l0 = zeroed(l0, sizeof *sm->subcores[i].l0);
}

void sm_fetch_set_kernel(struct gpu_sm *sm)
{
    sm->code_line = find(sm, sm->launch->kernel)->line;
}

/* From when on the SM's cache has it. */
static cycle_t from_l1(struct gpu_sm *sm, uint32_t line, cycle_t now)
{
    struct sm_code_line *at = &sm->l1i[line % sm->l1i_lines];
    if (at->name != line + 1)
        *at = (struct sm_code_line){ now + sm->c->fetch.l1_miss_cycles, line + 1 };
    return cycle_max(at->ready, now);
}

static cycle_t from_l0(struct gpu_sm *sm, struct sm_subcore *s, uint32_t line, cycle_t now,
                       bool *missed)
{
    struct sm_code_line *at = &s->l0[line % sm->l0_lines];
    *missed = at->name != line + 1;
    if (*missed) {
        cycle_t ready = from_l1(sm, line, now) + sm->c->fetch.l0_miss_cycles;
        *at = (struct sm_code_line){ ready, line + 1 };
        sm->energy[GPU_EVENT_FETCH]++;
    }
    return cycle_max(at->ready, now);
}

/* Behind a line that missed come those that follow; each that is entered brings one more. */
cycle_t sm_fetch(struct gpu_sm *sm, struct sm_subcore *s, uint32_t line, cycle_t now)
{
    bool missed, ahead;
    uint32_t end = sm->code_line + lines_of(sm, sm->launch->kernel);
    uint32_t last = sm->c->fetch.prefetch_lines;
    line += sm->code_line;
    cycle_t at = from_l0(sm, s, line, now, &missed);
    sm->stats->fetch_misses += missed;
    for (uint32_t i = missed ? 1 : last; i > 0 && i <= last && line + i < end; i++)
        from_l0(sm, s, line + i, now + i, &ahead);
    return at;
}
