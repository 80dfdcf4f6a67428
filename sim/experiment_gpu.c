/* experiment_gpu.c - a trace or a user's kernel on a GPU, at the clock that its power allows. */
#include <stdlib.h>
#include <string.h>

#include "sim/experiment_inside.h"
#include "sim/gpu_curve.h"
#include "sim/gpu_result.h"

/* One run at one clock. */
struct job {
    const struct experiment *e;
    struct machine *machine;            /* at that clock */
    double volts;
};

/* ---- the child ---- */

/* Blocks that have ended. */
static double done_fraction(const void *chip)
{
    const struct gpu_chip *c = chip;
    double done = 0, all = 1;
    for (uint32_t l = 0; l < c->run.launch_count; l++)
        all += (double)gpu_launch_blocks(&c->run.launches[l]);
    for (uint32_t i = 0; i < c->sms; i++)
        for (uint32_t l = 0; l < c->run.launch_count; l++)
            done += (double)gpu_sm_stats(c->sm[i], l, 0).blocks;
    return done < 0.99 * all ? done / all : 0.99;
}

/* The first SM's word for what a run that does not end is about. */
static bool sm_where(const struct gpu_chip *c, char *where, size_t size)
{
    for (uint32_t i = 0; i < c->sms; i++)
        if (gpu_sm_where(c->sm[i], where, size))
            return true;
    return false;
}

static void front_where(const struct gpu_chip *c, char *where, size_t size)
{
    struct block front = gpu_front_block(c->front);
    if (front.idle(front.self))
        snprintf(where, size, "all blocks have ended, what they wrote is on its way");
    else
        front.describe(front.self, where, size);
}

static int past_limit(const struct gpu_chip *c, double limit_ms, FILE *out)
{
    char where[512];
    unsigned long long left_out = 0;
    for (uint32_t l = 0; l < c->run.launch_count; l++) {
        struct gpu_launch_times t = gpu_front_times(c->front, l);
        left_out += t.blocks - t.simulated;
    }
    if (!sm_where(c, where, sizeof where))
        front_where(c, where, sizeof where);
    fprintf(out, "no end after %g ms of simulated time (--limit-ms allows more", limit_ms);
    if (left_out > 0)
        fprintf(out, "; --sample left %llu blocks out, for which others may wait", left_out);
    fprintf(out, "): %s", where);
    return EXPERIMENT_FAILED;
}

static int gone_quiet(const struct gpu_chip *c, const char *stuck, FILE *out)
{
    char where[512];
    bool is_known = sm_where(c, where, sizeof where);
    fprintf(out, "the run went quiet with work left: %s", is_known ? where : stuck);
    return EXPERIMENT_FAILED;
}

/* At least a tick: none is no limit. */
static tick_t limit(const struct experiment *e)
{
    return e->limit_ms > 0 ? tick_max(ticks_ns(e->limit_ms * 1e6), 1) : 0;
}

static int write_result(const struct job *j, struct gpu_chip *c, const struct gpu_plan *plan,
                        struct recording *x, FILE *out)
{
    const struct experiment *e = j->e;
    struct gpu_result_run r = { .chip = c, .machine = j->machine, .plan = plan, .trace = e->trace,
                                .name = e->trace ? e->trace->name : plan->groups[0].name,
                                .volts = j->volts, .exact_f32 = e->lower.highest,
                                .toggles = e->toggles,
                                .clock_from_values = e->clock_from_values };
    struct recorded recorded = { .gpu = c, .gpu_plan = plan, .trace = e->trace, .recording = x,
                                 .end = gpu_chip_end(c) };
    const char *fault = gpu_result_fault(&r);
    int status = fault ? experiment_say(out, EXPERIMENT_FAILED, fault)
                       : experiment_write_recorded(e, &recorded, gpu_result(&r), out);
    if (status == 0 && e->after)
        e->after(plan, e->after_arg, out);
    return status;
}

static int run_chip(const struct job *j, struct gpu_chip *c, const struct gpu_plan *plan,
                    FILE *out)
{
    const struct experiment *e = j->e;
    struct engine_result result;
    struct recording *x = e->record ? recording_gpu(c, e->record) : NULL;
    c->engine.limit = limit(e);
    bool done = experiment_engine(e, &c->engine, done_fraction, c, &result);
    int status = gpu_chip_fault(c) ? experiment_say(out, EXPERIMENT_FAILED, gpu_chip_fault(c))
               : result.limited    ? past_limit(c, e->limit_ms, out)
               : !done             ? gone_quiet(c, result.stuck, out)
                                   : write_result(j, c, plan, x, out);
    recording_free(x);
    return status;
}

/* What the first launch costs before its first block is told, not simulated. */
static struct gpu_config without_start(const struct gpu_config *c)
{
    struct gpu_config copy = *c;
    copy.launch.first_us = 0;
    return copy;
}

/* Which kernels are launched does not depend on the clock that the power allows. */
static int child(void *arg, FILE *out)
{
    const struct job *j = arg;
    const struct figures *f = machine_figures(j->machine);
    const struct figures *file = machine_figures(j->e->machine);
    struct diag d = { .text = "" };
    struct gpu_config config = without_start(&f->gpu);
    struct gpu_lower_options options = { .exact_f32 = j->e->lower.highest };
    struct gpu_plan *made = j->e->plan ? NULL
                          : gpu_lower(&file->gpu, &file->hbm, j->e->trace, &options, false, &d);
    const struct gpu_plan *plan = j->e->plan ? j->e->plan : made;
    struct gpu_chip *chip = !plan ? NULL : gpu_chip_new(&(struct gpu_chip_config_run){
        .config = &config, .hbm = &f->hbm, .launches = plan->launches,
        .launch_count = plan->launch_count, .groups = plan->group_count, .memory = plan->memory,
        .values = gpu_memory_values(plan->memory), .sample = j->e->sample }, &d);
    int status = chip ? run_chip(j, chip, plan, out) : experiment_wrong(out, &d);
    gpu_chip_free(chip);
    gpu_plan_free(made);
    return status;
}

/* ---- the parent ---- */

static json_t *run_at(const struct experiment *e, const struct gpu_curve *curve, double mhz,
                      const char *why, struct experiment_rest *rest, struct diag *d, int *status)
{
    struct job j = { .e = e, .machine = machine_copy(e->machine),
                     .volts = gpu_curve_volts(curve, mhz) };
    char set[64];
    json_t *o = NULL;
    *status = EXPERIMENT_WRONG;
    snprintf(set, sizeof set, "gpu.clock_mhz=%.15g", mhz);
    if (!why || machine_set(j.machine, set, why, d))
        o = experiment_apart(child, &j, rest, d, status);
    machine_free(j.machine);
    return o;
}

static double number(const json_t *o, const char *object, const char *key)
{
    return json_number_value(json_object_get(object ? json_object_get(o, object) : o, key));
}

static struct gpu_run_power power_of(const json_t *o)
{
    return (struct gpu_run_power){
        .mhz = number(o, NULL, "clock_hz") / 1e6, .seconds = number(o, NULL, "time_s"),
        .chip_j = number(o, "energy_split", "chip_j"),
        .chip_w = number(o, "energy_split", "chip_w"),
        .other_j = number(o, "energy_split", "other_j"),
        .other_w = number(o, "energy_split", "other_w"),
    };
}

static void say_clock(json_t *o, const char *by, double limit_w, unsigned runs)
{
    json_object_set_new(o, "clock_by", json_string(by));
    json_object_set_new(o, "power_limit_w", json_real(limit_w));
    json_object_set_new(o, "power_runs", json_integer(runs));
}

/* Again and again, each time at the clock that the last run leads to. */
static json_t *run_limited(const struct experiment *e, const struct gpu_curve *curve,
                           struct experiment_rest *rest, struct diag *d, int *status)
{
    const struct figures *f = machine_figures(e->machine);
    struct gpu_run_power runs[GPU_CURVE_RUNS];
    double mhz = f->gpu.gpu.clock_mhz, limit = f->gpu.power.limit_w;
    for (unsigned count = 0; ; ) {
        json_t *o = run_at(e, curve, mhz, count > 0 ? "power limit" : NULL, rest, d, status);
        if (!o)
            return NULL;
        runs[count++] = power_of(o);
        mhz = gpu_curve_next(curve, limit, runs, count);
        if (mhz <= 0) {
            say_clock(o, count > 1 ? "power limit" : "machine", limit, count);
            return o;
        }
        free(rest->bytes);
        rest->bytes = NULL;
        json_decref(o);
    }
}

/* Beyond its curve a chip would need a voltage that no figure holds. */
static void note_volts(json_t *o, const struct gpu_curve *c)
{
    double mhz = number(o, NULL, "clock_hz") / 1e6;
    if (c->count == 0 || mhz <= c->mhz[c->count - 1])
        return;
    json_array_append_new(json_object_get(o, "notes"), json_sprintf(
        "%g MHz is above the curve of voltages (power.voltages), which ends at %g MHz: its %g V "
        "are kept, so power and energy are too low", mhz, c->mhz[c->count - 1],
        c->volts[c->count - 1]));
}

json_t *experiment_run_gpu(const struct experiment *e, struct experiment_rest *rest,
                           struct diag *d, int *status)
{
    const struct figures *f = machine_figures(e->machine);
    struct gpu_curve curve;
    *status = EXPERIMENT_WRONG;
    if (!gpu_curve_parse(&curve, f->gpu.power.voltages, d))
        return NULL;
    bool fixed = e->clock_mhz > 0;
    json_t *o = fixed ? run_at(e, &curve, e->clock_mhz, "--clock", rest, d, status)
                      : run_limited(e, &curve, rest, d, status);
    if (o && fixed)
        say_clock(o, "--clock", f->gpu.power.limit_w, 1);
    if (o)
        note_volts(o, &curve);
    return o;
}

bool experiment_disassemble_gpu(const struct experiment *e, FILE *out, struct diag *d)
{
    const struct figures *f = machine_figures(e->machine);
    struct gpu_lower_options options = { .exact_f32 = e->lower.highest };
    struct gpu_plan *p = gpu_lower(&f->gpu, &f->hbm, e->trace, &options, false, d);
    if (!p)
        return false;
    gpu_plan_print(p, &f->gpu, out);
    gpu_plan_free(p);
    return true;
}
