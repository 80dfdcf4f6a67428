/* gpu_summed.c - counts of SMs, L2 and HBM summed by launch and by group. */
#include <stdlib.h>

#include "models/zeroed.h"
#include "sim/gpu_result_inside.h"

static void add_sm(struct gpu_sm_stats *sum, const struct gpu_sm_stats *s)
{
#define STAT(name, unit, what) sum->name += s->name;
    GPU_SM_STATS(STAT)
#undef STAT
    for (int i = 0; i < GPU_CAUSES_COUNT; i++)
        sum->cycles[i] += s->cycles[i];
}

static void add_l2(struct gpu_l2_stats *sum, const struct gpu_l2_stats *s)
{
#define STAT(name, unit, what) sum->name += s->name;
    GPU_L2_STATS(STAT)
#undef STAT
}

/* ---- launches ---- */

static void sum_launches(struct gpu_summed *x)
{
    const struct gpu_chip *c = x->chip;
    for (uint32_t i = 0; i < c->sms; i++) {
        struct gpu_sm_stats s = gpu_sm_stats(c->sm[i], GPU_NO_LAUNCH, x->now);
        add_sm(&x->none, &s);
        for (uint32_t l = 0; l < x->launches && gpu_sm_busy(c->sm[i]) > 0; l++) {
            s = gpu_sm_stats(c->sm[i], l, x->now);
            add_sm(&x->launch[l].sm, &s);
        }
    }
}

/* Sampling shifts all that comes later.  A moment between two launches is the later one's. */
static void place_launches(struct gpu_summed *x)
{
    tick_t added = 0;
    double before = 0;
    for (uint32_t l = 0; l < x->launches; l++) {
        struct gpu_launch_times t = gpu_front_times(x->chip->front, l);
        struct gpu_work *w = &x->launch[l];
        w->span.start_s = result_seconds(t.start + added);
        added += t.added;
        w->span.end_s = result_seconds(t.end + added);
        w->from_s = before;
        w->to_s = before = w->span.end_s;
        w->more = t.simulated > 0 ? (double)t.blocks / (double)t.simulated : 1;
        w->tensor = w->sm.macs > 0;
        x->sampled |= t.simulated < t.blocks;
    }
    x->seconds = result_seconds(gpu_chip_end(x->chip) + added);
}

/* ---- groups ---- */

static void add_launch(struct gpu_work *g, const struct gpu_work *l)
{
    bool first = g->span.end_s <= 0;
    double operations = (double)g->sm.operations + (double)l->sm.operations;
    if (operations > 0)
        g->more = (g->more * (double)g->sm.operations + l->more * (double)l->sm.operations)
                / operations;
    add_sm(&g->sm, &l->sm);
    g->tensor |= l->tensor;
    g->span.start_s = first ? l->span.start_s : g->span.start_s;
    g->span.end_s = l->span.end_s;
}

static void sum_group(struct gpu_summed *x, uint32_t number)
{
    struct gpu_work *g = &x->group[number];
    g->more = 1;
    for (uint32_t l = 0; l < x->launches; l++)
        if (x->chip->run.launches[l].group == number)
            add_launch(g, &x->launch[l]);
    for (uint32_t i = 0; i < x->chip->l2s; i++) {
        struct gpu_l2_stats s = gpu_l2_stats(x->chip->l2[i], number);
        add_l2(&g->l2, &s);
    }
    g->hbm = result_group(&x->memory, number);
    x->more[number] = g->more;
}

/* Each moment belongs to the oldest unfinished group. */
static void place_groups(struct gpu_summed *x)
{
    double from = 0;
    for (uint32_t g = 0; g < x->groups; g++) {
        struct gpu_work *w = &x->group[g];
        double end = g + 1 == x->groups ? x->seconds : w->span.end_s;
        w->from_s = from;
        w->to_s = from = end > from ? end : from;
    }
}

static void find_rates(struct gpu_summed *x)
{
    const struct gpu_config *c = x->config;
    double lanes = (double)c->sm.count * c->sm.subcores * GPU_LANES;
    x->clock_hz = (double)x->chip->clock.hz;
    x->float_flops = 2 * lanes / c->pipes.fp32_interval * x->clock_hz;
    x->tensor_flops = 2 * c->tensor.peak_f16_macs * c->sm.count * x->clock_hz;
    x->hbm_bytes_s = hbm_peak_bytes_per_s(x->chip->run.hbm) * x->chip->stacks;
    x->l2_bytes_s = (double)c->l2.slices * c->l2.bytes_per_cycle * c->l2.clock_mhz * 1e6;
}

void gpu_sum_up(struct gpu_summed *x, const struct gpu_result_run *r)
{
    const struct gpu_chip *c = r->chip;
    const struct figures *f = machine_figures(r->machine);
    *x = (struct gpu_summed){ .run = r, .chip = c, .config = c->run.config,
                              .groups = c->run.groups, .launches = c->run.launch_count,
                              .now = clock_cycle(&c->clock, gpu_chip_end(c)) };
    x->memory = (struct result_memory){ c->run.hbm, c->stack, c->stacks, gpu_chip_end(c) };
    x->group = zeroed(x->groups, sizeof *x->group);
    x->launch = zeroed(x->launches, sizeof *x->launch);
    x->more = zeroed(x->groups, sizeof *x->more);
    find_rates(x);
    sum_launches(x);
    place_launches(x);
    for (uint32_t g = 0; g < x->groups; g++)
        sum_group(x, g);
    place_groups(x);
    x->bill = gpu_bill_new(&(struct gpu_bill_run){ c, &f->gpu_energy, r->volts, x->seconds,
                                                   x->more, r->toggles });
}

void gpu_summed_clear(struct gpu_summed *x)
{
    gpu_bill_free(x->bill);
    free(x->group);
    free(x->launch);
    free(x->more);
}

/* ---- rates ---- */

void gpu_busy(const struct gpu_summed *x, const struct gpu_work *w, double s[GPU_BOUNDS_COUNT])
{
    const struct gpu_config *c = x->config;
    double sms = c->sm.count, hz = x->clock_hz, sector = c->l2.sector_bytes;
    double l2 = (double)(w->l2.reads + w->l2.writes) * sector;
    double hbm = (double)(w->hbm.read_bytes + w->hbm.written_bytes);
    double l1 = (double)w->sm.l1_sectors * c->l1.sector_bytes / c->l1.bytes_per_cycle;
    s[GPU_BOUND_TENSOR] = result_ratio(2.0 * (double)w->sm.macs, x->tensor_flops);
    s[GPU_BOUND_FLOAT] = (double)w->sm.flops / x->float_flops;
    s[GPU_BOUND_ISSUE] = (double)w->sm.operations / (sms * c->sm.subcores * hz);
    s[GPU_BOUND_SHARED] = (double)w->sm.shared_passes / (sms * hz);
    s[GPU_BOUND_L1] = l1 / (sms * hz);
    s[GPU_BOUND_L2] = l2 / x->l2_bytes_s;
    s[GPU_BOUND_HBM] = hbm / x->hbm_bytes_s;
    for (int i = 0; i < GPU_BOUNDS_COUNT; i++)
        s[i] *= w->more;
}

double gpu_peak(const struct gpu_summed *x, const struct gpu_work *w)
{
    return w->tensor ? x->tensor_flops : x->float_flops;
}
