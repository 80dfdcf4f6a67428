/* gpu_result_units.c - how SMs, L2 and HBM spent the run, and what each launch was like. */
#include <stdio.h>
#include <string.h>

#include "sim/gpu_result_inside.h"

/* ---- units ---- */

/* The mean of an SM's schedulers; launches weigh as much as sampling says. */
static json_t *sm_states(const struct gpu_summed *x, uint32_t sm)
{
    double cycles[GPU_CAUSES_COUNT] = { 0 }, all = 0;
    json_t *states = json_object();
    bool used = gpu_sm_busy(x->chip->sm[sm]) > 0;
    for (uint32_t l = used ? 0 : x->launches; l <= x->launches; l++) {
        bool none = l == x->launches;
        struct gpu_sm_stats s = gpu_sm_stats(x->chip->sm[sm], none ? GPU_NO_LAUNCH : l, x->now);
        for (int i = 0; i < GPU_CAUSES_COUNT; i++)
            cycles[i] += (double)s.cycles[i] * (none ? 1 : x->launch[l].more);
    }
    for (int i = 0; i < GPU_CAUSES_COUNT; i++)
        all += cycles[i];
    for (int i = 0; i < GPU_CAUSES_COUNT; i++)
        if (cycles[i] > 0 || i == GPU_CAUSE_ISSUED)
            json_object_set_new(states, gpu_cause_names[i],
                                json_real(result_ratio(cycles[i], all) * x->seconds));
    return states;
}

/* The mean of a group's slices. */
static json_t *l2_states(const struct gpu_summed *x, uint32_t number)
{
    const struct gpu_l2_config *c = &x->config->l2;
    double busy = 0, slices = (double)c->slices / x->chip->l2s;
    for (uint32_t g = 0; g < x->groups; g++)
        busy += (double)gpu_l2_stats(x->chip->l2[number], g).busy_cycles * x->group[g].more;
    busy /= slices * c->clock_mhz * 1e6;
    busy = busy < x->seconds ? busy : x->seconds;
    return json_pack("{s:f, s:f}", "busy", busy, "idle", x->seconds - busy);
}

json_t *gpu_units_json(const struct gpu_summed *x)
{
    json_t *units = json_array();
    char name[32];
    for (uint32_t i = 0; i < x->chip->sms; i++) {
        snprintf(name, sizeof name, "sm%u", i);
        json_array_append_new(units, result_unit(name, "sm", sm_states(x, i)));
    }
    for (uint32_t i = 0; i < x->chip->l2s; i++) {
        snprintf(name, sizeof name, "l2.%u", i);
        json_array_append_new(units, result_unit(name, "l2", l2_states(x, i)));
    }
    result_add_stacks(units, &x->memory, x->seconds);
    return units;
}

/* ---- launches ---- */

static json_t *shape_json(const uint32_t s[3])
{
    return json_pack("[i, i, i]", (int)s[0], (int)s[1], (int)s[2]);
}

static json_t *causes_json(const struct gpu_work *w)
{
    json_t *o = json_object();
    for (int i = 0; i < GPU_CAUSES_COUNT; i++)
        json_object_set_new(o, gpu_cause_names[i],
                            json_integer((json_int_t)((double)w->sm.cycles[i] * w->more + 0.5)));
    return o;
}

static json_t *resources_json(const struct gpu_summed *x, uint32_t l)
{
    static const char *const limits[] = {
        [GPU_LIMIT_WARPS] = "warps", [GPU_LIMIT_BLOCKS] = "blocks",
        [GPU_LIMIT_REGISTERS] = "registers", [GPU_LIMIT_SHARED] = "shared",
    };
    const struct gpu_launch *launch = &x->chip->run.launches[l];
    const struct gpu_occupancy *o = &x->chip->occupancy[l];
    const struct gpu_work *w = &x->launch[l];
    double cycles = (w->span.end_s - w->span.start_s) / w->more * x->clock_hz;
    double places = (double)x->config->sm.warps * x->chip->sms * cycles;
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:s}",
                     "instructions", (int)launch->kernel->count, "registers", (int)launch->kernel->registers,
                     "shared_bytes", (int)(launch->kernel->shared_bytes + launch->shared_bytes),
                     "blocks_per_sm", (int)o->blocks, "warps_per_sm", (int)(o->blocks * o->warps),
                     "occupancy", (double)o->blocks * o->warps / x->config->sm.warps,
                     "achieved_occupancy", result_ratio((double)w->sm.warp_cycles, places),
                     "limited_by", limits[o->limit]);
}

/* Fractions of what was asked; 1 where nothing was. */
static double part(uint64_t of, uint64_t all)
{
    return all > 0 ? (double)of / (double)all : 1;
}

static json_t *traffic_json(const struct gpu_summed *x, uint32_t l)
{
    const struct gpu_sm_stats *s = &x->launch[l].sm;
    const struct gpu_l2_stats *l2 = &x->group[x->chip->run.launches[l].group].l2;
    return json_pack("{s:f, s:f, s:f, s:f}",
                     "l1_hit_fraction", part(s->l1_hits + s->l1_merges, s->l1_sectors),
                     "l2_hit_fraction", part(l2->read_hits + l2->read_merges, l2->reads),
                     "coalescing", part(s->ideal_sectors, s->sectors),
                     "shared_passes_per_ideal", part(s->shared_passes, s->shared_ideal));
}

static json_t *counts_json(const struct gpu_summed *x, uint32_t l)
{
    const struct gpu_work *w = &x->launch[l];
    double flops = ((double)w->sm.flops + 2 * (double)w->sm.macs) * w->more;
    double time = w->span.end_s - w->span.start_s;
    json_t *o = json_object();
#define STAT(name, unit, what) \
    json_object_set_new(o, #name, json_integer((json_int_t)((double)w->sm.name * w->more + 0.5)));
    GPU_SM_STATS(STAT)
#undef STAT
    json_object_del(o, "flops");        /* of lanes; those of tensor cores are added */
    json_object_set_new(o, "flops", json_real(flops));
    json_object_set_new(o, "flops_per_s", json_real(result_ratio(flops, time)));
    json_object_set_new(o, "peak_fraction",
                        json_real(result_ratio(flops, time * gpu_peak(x, w))));
    return o;
}

/* A launch has of its group's energy what it has of its time. */
static double launch_energy(const struct gpu_summed *x, uint32_t l)
{
    uint32_t group = x->chip->run.launches[l].group;
    const struct gpu_work *g = &x->group[group], *w = &x->launch[l];
    double all = 0;
    for (uint32_t i = 0; i < x->launches; i++)
        if (x->chip->run.launches[i].group == group)
            all += x->launch[i].to_s - x->launch[i].from_s;
    struct gpu_energy e = gpu_bill_group(x->bill, group,
                                         result_ratio(g->to_s - g->from_s, x->seconds));
    return gpu_energy_sum(&e) * result_ratio(w->to_s - w->from_s, all);
}

static json_t *launch_json(const struct gpu_summed *x, uint32_t l)
{
    const struct gpu_launch *launch = &x->chip->run.launches[l];
    const struct gpu_work *w = &x->launch[l];
    struct gpu_launch_times t = gpu_front_times(x->chip->front, l);
    json_t *o = json_pack(
        "{s:s, s:s, s:o, s:o, s:I, s:I, s:f, s:f, s:f}",
        "kernel", launch->kernel->name, "op", x->run->plan->groups[launch->group].name,
        "grid", shape_json(launch->grid), "block", shape_json(launch->block),
        "blocks", (json_int_t)t.blocks, "blocks_simulated", (json_int_t)t.simulated,
        "start_s", w->span.start_s, "time_s", w->span.end_s - w->span.start_s,
        "energy_j", launch_energy(x, l));
    json_object_update_new(o, resources_json(x, l));
    json_object_update_new(o, traffic_json(x, l));
    json_object_set_new(o, "cycles", causes_json(w));
    json_t *counts = counts_json(x, l);
    json_object_update_missing(o, counts);
    json_decref(counts);
    return o;
}

json_t *gpu_launches_json(const struct gpu_summed *x)
{
    json_t *launches = json_array();
    for (uint32_t l = 0; l < x->launches; l++)
        json_array_append_new(launches, launch_json(x, l));
    return launches;
}
