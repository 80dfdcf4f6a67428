/* timeline_gpu.c - a GPU's threads: the launches, and of the SMs chosen their warps' places.
 *
 *     ops            [      l1.product = matmul + bias + relu       ]
 *                     [ gemm_f16_nn_64x64x32_a8     ][ split_sum ]
 *     sm0 warp 0     [      l1.product ..                   ]
 *                     [ block 3          ][ block 83     ]
 *                      [lsu][int]  [tensor]...                     with a window
 *     sm0 sub-core 0  [issued][hbm][issued][dependency]...         with a window
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "models/zeroed.h"
#include "sim/timeline_inside.h"

/* What a slice is of: `of` points at one of these. */
enum what { OP, LAUNCH, BLOCK, MACHINE_OP, CAUSE, WHATS };
static const enum what whats[WHATS] = { OP, LAUNCH, BLOCK, MACHINE_OP, CAUSE };

static enum what what_of(const struct timeline_slice *s) { return *(const enum what *)s->of; }

static const struct gpu_launch *launch_of(const struct timeline *t, const struct record_entry *e)
{
    return &t->run->gpu->run.launches[e->number];
}

static const struct gpu_op *op_of(const struct timeline *t, const struct record_entry *e)
{
    return &launch_of(t, e)->kernel->ops[e->part];
}

static void print_name(const struct timeline *t, const struct timeline_slice *s)
{
    const struct record_entry *e = s->entry;
    switch (what_of(s)) {
    case OP:         timeline_string(t->out, t->run->gpu_plan->groups[e->group].name); break;
    case LAUNCH:     timeline_string(t->out, launch_of(t, e)->kernel->name); break;
    case BLOCK:      fprintf(t->out, "\"block %" PRIu64 "\"", e->part); break;
    case MACHINE_OP: timeline_string(t->out, gpu_pipe_names[op_of(t, e)->pipe]); break;
    case CAUSE:      timeline_string(t->out, gpu_cause_names[e->part]); break;
    case WHATS:      break;
    }
}

static void print_arguments(const struct timeline *t, const struct timeline_slice *s)
{
    const struct record_entry *e = s->entry;
    switch (what_of(s)) {
    case OP:
        fprintf(t->out, "\"phase\":\"%s\"",
                trace_phase_names[t->run->gpu_plan->groups[e->group].phase]);
        break;
    case LAUNCH:
        fprintf(t->out, "\"launch\":%" PRIu32 ",\"blocks\":%" PRIu64 ",\"threads\":%" PRIu32,
                e->number, gpu_launch_blocks(launch_of(t, e)), gpu_launch_threads(launch_of(t, e)));
        break;
    case BLOCK:
        fprintf(t->out, "\"launch\":%" PRIu32 ",\"kernel\":", e->number);
        timeline_string(t->out, launch_of(t, e)->kernel->name);
        break;
    case MACHINE_OP:
        fprintf(t->out, "\"ptx_line\":%" PRIu32 ",\"machine_op\":%" PRIu64, op_of(t, e)->line,
                e->part);
        break;
    case CAUSE: case WHATS: break;
    }
}

static const struct timeline_words words = { print_name, print_arguments, NULL, NULL };

/* ---- launches ---- */

/* An op above its launches. */
static void op_thread(struct timeline *t)
{
    const struct gpu_chip *c = t->run->gpu;
    const struct recording_ask *a = &t->run->recording->ask;
    struct record_entry *entries = zeroed(c->run.launch_count, sizeof *entries), *last = NULL;
    struct record_entry *first = NULL;
    struct timeline_slices s = { NULL, 0, 0 };
    for (uint32_t l = 0; l < c->run.launch_count; l++) {
        struct gpu_launch_times times = gpu_front_times(c->front, l);
        struct record_entry *e = &entries[l];
        *e = (struct record_entry){ .group = c->run.launches[l].group, .number = l,
                                    .start = tick_max(times.start, a->from),
                                    .end = tick_min(times.end, a->to) };
        if (times.end <= a->from || times.start >= a->to)
            continue;
        timeline_add(&s, e->start, e->end, 1, e, &whats[LAUNCH]);
        if (first && first->group != e->group)
            timeline_add(&s, first->start, last->end, 0, first, &whats[OP]);
        first = first && first->group == e->group ? first : e;
        last = e;
    }
    if (first)
        timeline_add(&s, first->start, last->end, 0, first, &whats[OP]);
    timeline_thread(t, TICKS_PER_S, "ops");
    timeline_slices(t, &s, &words);
    free(entries);
}

/* ---- SMs ---- */

static void add_all(struct timeline_slices *s, const struct record *r, const char *name,
                    const enum what *what)
{
    uint32_t track;
    const struct record_entry *e;
    if (!timeline_find(r, name, &track))
        return;
    for (size_t at = 0; (e = timeline_entry(r, track, &at)) != NULL; )
        if (*what != CAUSE || e->part != GPU_CAUSE_NO_WARP)
            timeline_add(s, e->start, e->end, 3, e, what);
}

static void subcore_thread(struct timeline *t, const struct record *r, uint32_t number)
{
    struct timeline_slices s = { NULL, 0, 0 };
    char name[RECORD_NAME];
    snprintf(name, sizeof name, "sub%" PRIu32, number);
    add_all(&s, r, name, &whats[CAUSE]);
    timeline_thread(t, record_config(r)->clock.hz, "%s sub-core %" PRIu32, record_config(r)->name,
                    number);
    timeline_slices(t, &s, &words);
}

/* A place that no warp has had is not drawn. */
static void warp_thread(struct timeline *t, const struct record *r, uint32_t number)
{
    struct timeline_slices s = { NULL, 0, 0 };
    char name[RECORD_NAME];
    uint32_t track;
    snprintf(name, sizeof name, "warp%" PRIu32, number);
    if (!timeline_find(r, name, &track))
        return;
    timeline_work(&s, r, track, false, &whats[BLOCK], NULL, &whats[OP]);
    if (s.count == 0)
        return;
    snprintf(name, sizeof name, "warp%" PRIu32 ".op", number);
    add_all(&s, r, name, &whats[MACHINE_OP]);
    timeline_thread(t, record_config(r)->clock.hz, "%s warp %" PRIu32, record_config(r)->name,
                    number);
    timeline_slices(t, &s, &words);
}

void timeline_gpu(struct timeline *t)
{
    const struct gpu_chip *c = t->run->gpu;
    op_thread(t);
    for (uint32_t i = 0; i < c->sms; i++) {
        const struct record *r = t->run->recording->record[i];
        for (uint32_t n = 0; record_wants_detail(r) && n < c->run.config->sm.subcores; n++)
            subcore_thread(t, r, n);
        for (uint32_t w = 0; record_config(r)->entries && w < c->run.config->sm.warps; w++)
            warp_thread(t, r, w);
    }
}
