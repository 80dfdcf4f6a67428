/* step_sm.c - see step_sm.h. */
#include "sim/step_sm.h"

#include <inttypes.h>
#include <string.h>

#include "models/zeroed.h"
#include "sim/figures.h"
#include "sim/ptx_lines.h"
#include "sim/sm_cycles.h"

struct step_sm {
    struct step_sm_config config;
    struct gpu_config  gpu;
    struct gpu_chip   *chip;
    struct sm_cycles  *cycles;
    struct ptx_lines **text;        /* [kernel_count] of the plan */
};

/* ---- the text of an operation ---- */

static const struct gpu_kernel *kernel_of(const struct step_sm *s, uint32_t launch)
{
    return s->config.plan->launches[launch].kernel;
}

static const char *text_of(const struct step_sm *s, const struct gpu_kernel *k, uint32_t pc)
{
    const struct gpu_plan *p = s->config.plan;
    for (uint32_t i = 0; i < p->kernel_count; i++)
        if (p->kernels[i] == k)
            return ptx_line(s->text[i], k->ops[pc].line);
    return "";
}

/* ---- a frame ---- */

static const char *const meanings[] = {
#define MEANING(id, name, what) what,
    GPU_CAUSES(MEANING)
#undef MEANING
};

static void print_head(const struct step_sm *s, cycle_t cycle, FILE *out)
{
    const struct gpu_sm_look *l = sm_cycles_look(s->cycles, cycle);
    const struct gpu_plan *p = s->config.plan;
    fprintf(out, "cycle %" PRIu64 " of %" PRIu64 "..%" PRIu64 "   %s, SM %u of %u, %.0f MHz: "
            "%.1f ns\n", cycle, sm_cycles_first(s->cycles), sm_cycles_last(s->cycles),
            machine_name(s->config.machine), s->config.sm, s->gpu.sm.count, s->gpu.gpu.clock_mhz,
            (double)clock_tick(&s->chip->clock, cycle) / TICKS_PER_NS);
    if (l->launch == GPU_NO_LAUNCH) {
        fputs("no block has come yet\n", out);
        return;
    }
    fprintf(out, "launch %u of %u: %.30s for %.34s: %u block%s here\n", l->launch,
            p->launch_count, kernel_of(s, l->launch)->name,
            p->groups[p->launches[l->launch].group].name, l->blocks, l->blocks == 1 ? "" : "s");
}

static bool has_subcore(unsigned view, uint32_t subcore)
{
    return view == 0 || view == subcore + 1;
}

static void name_warp(const struct gpu_warp_look *w, char *text, size_t size)
{
    snprintf(text, size, "%" PRIu64 ".%u", w->block, w->number);
}

static bool rewrites(const struct sm_warp_cycle *w)
{
    return w->does == SM_WARP_WAITS && w->warp.rewrites;
}

/* Whether all of a sub-core's warps that wait so, and there are some, wait for what they write. */
static bool all_rewrite(const struct step_sm *s, cycle_t cycle, uint32_t subcore,
                        enum gpu_cause cause)
{
    struct sm_warp_cycle w;
    uint32_t others = 0, rewriting = 0;
    for (uint32_t i = 0; sm_cycles_warp(s->cycles, cycle, i, &w); i++)
        if (w.warp.subcore == subcore && w.does == SM_WARP_WAITS && w.cause == cause) {
            rewriting += w.warp.rewrites;
            others += !w.warp.rewrites;
        }
    return rewriting > 0 && others == 0;
}

static void print_cause(enum gpu_cause cause, bool rewriting, FILE *out)
{
    static const char reads[] = "an operand comes from ";
    const char *what = meanings[cause];
    fprintf(out, "%s, ", gpu_cause_names[cause]);
    if (rewriting && strncmp(what, reads, strlen(reads)) == 0)
        fprintf(out, "the register that it writes is still awaited from %s\n",
                what + strlen(reads));
    else
        fprintf(out, "%s\n", what);
}

static void print_subcore(const struct step_sm *s, cycle_t cycle, uint32_t subcore, FILE *out)
{
    struct sm_warp_cycle w;
    enum gpu_cause cause = sm_cycles_cause(s->cycles, cycle, subcore);
    char name[32] = "a warp";
    fprintf(out, "sub-core %u: ", subcore);
    if (cause != GPU_CAUSE_ISSUED) {
        print_cause(cause, all_rewrite(s, cycle, subcore, cause), out);
        return;
    }
    for (uint32_t i = 0; sm_cycles_warp(s->cycles, cycle, i, &w); i++)
        if (w.does == SM_WARP_ISSUES && w.warp.subcore == subcore)
            name_warp(&w.warp, name, sizeof name);
    fprintf(out, "issues for %s\n", name);
}

static void print_warp(const struct step_sm *s, const struct gpu_kernel *k,
                       const struct sm_warp_cycle *w, FILE *out)
{
    static const char *const doing[] = {
        [SM_WARP_ISSUES] = "issues", [SM_WARP_READY] = "not chosen",
    };
    char name[32], until[24] = "", what[24], line[STEP_COLUMNS + 1];
    const struct gpu_op *op = &k->ops[w->warp.pc];
    snprintf(what, sizeof what, "%s%s",
             w->does == SM_WARP_WAITS ? gpu_cause_names[w->cause] : doing[w->does],
             rewrites(w) ? "*" : "");
    if (w->does == SM_WARP_WAITS && w->until == CYCLE_NEVER)
        snprintf(until, sizeof until, "?");
    else if (w->does == SM_WARP_WAITS)
        snprintf(until, sizeof until, "%" PRIu64, w->until);
    name_warp(&w->warp, name, sizeof name);
    snprintf(line, sizeof line, "%-8s %3u %5u  %-11s%7s %5u %-7s %5u %s", name, w->warp.subcore,
             w->warp.lanes, what, until, w->warp.pc, gpu_pipe_names[op->pipe], op->line,
             text_of(s, k, w->warp.pc));
    fprintf(out, "%s\n", line);
}

static void frame(void *self, cycle_t cycle, unsigned view, FILE *out)
{
    const struct step_sm *s = self;
    struct sm_warp_cycle w;
    uint32_t launch = sm_cycles_look(s->cycles, cycle)->launch;
    print_head(s, cycle, out);
    for (uint32_t i = 0; i < s->gpu.sm.subcores; i++)
        if (has_subcore(view, i))
            print_subcore(s, cycle, i, out);
    fprintf(out, "\n%-8s %3s %5s  %-10s %7s %5s %-7s %5s %s\n", "warp", "sub", "lanes", "does, or",
            "until", "op", "pipe", "line", "PTX");
    fprintf(out, "%-8s %3s %5s  %-10s\n", "", "", "", "waits for");
    bool marked = false;
    for (uint32_t i = 0; sm_cycles_warp(s->cycles, cycle, i, &w); i++)
        if (has_subcore(view, w.warp.subcore)) {
            print_warp(s, kernel_of(s, launch), &w, out);
            marked |= rewrites(&w);
        }
    if (marked)
        fputs("* not for what it reads: an older result for the register that it writes\n", out);
}

/* ---- life ---- */

static bool make_chip(struct step_sm *s, struct diag *d)
{
    const struct gpu_plan *p = s->config.plan;
    const struct figures *f = machine_figures(s->config.machine);
    s->gpu = f->gpu;
    s->gpu.launch.first_us = 0;
    if (s->config.sm >= s->gpu.sm.count)
        return diag_set(d, 0, 0, "--sm %u: %s has %u of them; expected 0 to %u", s->config.sm,
                        machine_name(s->config.machine), s->gpu.sm.count, s->gpu.sm.count - 1);
    s->chip = gpu_chip_new(&(struct gpu_chip_config_run){
        .config = &s->gpu, .hbm = &f->hbm, .launches = p->launches,
        .launch_count = p->launch_count, .groups = p->group_count, .memory = p->memory,
        .values = gpu_memory_values(p->memory) }, d);
    return s->chip != NULL;
}

static bool read_texts(struct step_sm *s, struct diag *d)
{
    const struct gpu_plan *p = s->config.plan;
    s->text = zeroed(p->kernel_count, sizeof *s->text);
    for (uint32_t i = 0; i < p->kernel_count; i++)
        if (!(s->text[i] = ptx_lines_new(p->kernels[i], s->config.path, d)))
            return false;
    return true;
}

struct step_sm *step_sm_new(const struct step_sm_config *c, struct diag *d)
{
    struct step_sm *s = zeroed(1, sizeof *s);
    s->config = *c;
    if (make_chip(s, d) && read_texts(s, d))
        s->cycles = sm_cycles_new(s->chip, c->sm, c->from, c->to, d);
    if (s->cycles)
        return s;
    step_sm_free(s);
    return NULL;
}

void step_sm_free(struct step_sm *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; s->text && i < s->config.plan->kernel_count; i++)
        ptx_lines_free(s->text[i]);
    free(s->text);
    sm_cycles_free(s->cycles);
    gpu_chip_free(s->chip);
    free(s);
}

/* Where its first warp is, if there is one. */
static cycle_t first_with_warps(const struct sm_cycles *x)
{
    for (cycle_t c = sm_cycles_first(x); c <= sm_cycles_last(x); c++)
        if (sm_cycles_look(x, c)->warps > 0)
            return c;
    return sm_cycles_first(x);
}

struct step_subject step_sm_subject(struct step_sm *s)
{
    return (struct step_subject){ .self = s, .first = sm_cycles_first(s->cycles),
                                  .last = sm_cycles_last(s->cycles),
                                  .start = first_with_warps(s->cycles),
                                  .views = 1 + s->gpu.sm.subcores, .frame = frame };
}
