/* gpu_result.c - see gpu_result.h. */
#include "sim/gpu_result.h"

#include <stdlib.h>
#include <string.h>

#include "sim/gpu_result_inside.h"

#define POWER_INTERVAL_S 100e-9
#define POWER_INTERVALS  1024

static json_int_t whole(double x) { return (json_int_t)(x + 0.5); }

/* ---- ops ---- */

/* What would take more than half of the time that a group was under way, at its full rate. */
static const char *bound_by(const struct gpu_summed *x, const struct gpu_work *w)
{
    static const char *const names[] = {
#define NAME(id, name, what) what,
        GPU_LIMITS(NAME)
#undef NAME
    };
    double busy[GPU_BOUNDS_COUNT], most = 0.5 * (w->span.end_s - w->span.start_s);
    const char *name = "latency";
    gpu_busy(x, w, busy);
    for (int i = 0; i < GPU_BOUNDS_COUNT; i++)
        if (busy[i] > most) {
            most = busy[i];
            name = names[i];
        }
    return name;
}

static json_t *busy_json(const struct gpu_summed *x, const struct gpu_work *w)
{
    static const char *const names[] = {
#define NAME(id, name, what) name,
        GPU_LIMITS(NAME)
#undef NAME
    };
    double busy[GPU_BOUNDS_COUNT];
    json_t *o = json_object();
    gpu_busy(x, w, busy);
    for (int i = 0; i < GPU_BOUNDS_COUNT; i++)
        json_object_set_new(o, names[i], json_real(busy[i]));
    return o;
}

/* What the workload asks; of a user's kernel all that was done. */
static uint64_t flops_of(const struct gpu_summed *x, uint32_t group)
{
    const struct gpu_work *w = &x->group[group];
    double done = ((double)w->sm.flops + 2 * (double)w->sm.macs) * w->more;
    return x->run->trace ? x->run->plan->groups[group].flops : (uint64_t)done;
}

static uint64_t macs_of(const struct gpu_summed *x, uint32_t group)
{
    const struct gpu_work *w = &x->group[group];
    return x->run->trace ? x->run->plan->groups[group].macs
                         : (uint64_t)((double)w->sm.macs * w->more);
}

/* Beyond the workload's, as far as tensor cores count them. */
static double padded(const struct gpu_work *w, uint64_t macs)
{
    double done = (double)w->sm.macs * w->more;
    return done > (double)macs ? done - (double)macs : 0;
}

/* What is multiplied and how that was chosen; of what is no product, nothing. */
static json_t *plan_json(const struct gpu_group *g)
{
    static const char *const types[] = {
        [GPU_ELEMENT_F32] = "f32", [GPU_ELEMENT_F16] = "f16", [GPU_ELEMENT_BF16] = "bf16",
        [GPU_ELEMENT_I32] = "i32",
    };
    const struct gpu_product *p = &g->product;
    const struct gpu_gemm_kernel *k = g->choice.kernel;
    if (!k)
        return json_object();
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:b, s:b, s:s, s:s, s:s, s:[iii], s:i, s:i, s:i}",
        "batch", (json_int_t)p->batch, "m", (json_int_t)p->m, "k", (json_int_t)p->k,
        "n", (json_int_t)p->n, "transpose_a", (int)p->transpose_a,
        "transpose_b", (int)p->transpose_b, "type", types[p->in], "result_type", types[p->out],
        "kernel", k->name, "tile", (int)k->m, (int)k->n, (int)k->k,
        "splits", (int)g->choice.splits, "split_k", (int)g->choice.split_k,
        "order", (int)g->choice.order);
}

/* What has a price and was counted for a group. */
static json_t *counts_json(const struct gpu_summed *x, uint32_t number)
{
    static const char *const names[] = {
#define NAME(id, price, unit, what) [GPU_EVENT_##id] = #id,
        GPU_EVENTS(NAME)
#undef NAME
    };
    const struct gpu_work *w = &x->group[number];
    const double *counted = x->bill->counts + (size_t)number * GPU_EVENTS_COUNT;
    uint64_t counts[GPU_EVENTS_COUNT];
    for (int e = 0; e < GPU_EVENTS_COUNT; e++)
        counts[e] = (uint64_t)whole(counted[e] * w->more);
    return result_counts(names, counts, GPU_EVENTS_COUNT,
                         (uint64_t)whole((double)w->hbm.activates * w->more));
}

static json_t *op_json(const struct gpu_summed *x, uint32_t number)
{
    const struct gpu_group *g = &x->run->plan->groups[number];
    const struct gpu_work *w = &x->group[number];
    uint64_t macs = macs_of(x, number);
    double time = w->to_s - w->from_s, flops = (double)flops_of(x, number);
    double peak = gpu_peak(x, w);
    double bytes = (double)(w->hbm.read_bytes + w->hbm.written_bytes) * w->more;
    double roof = result_ratio(flops, bytes) * x->hbm_bytes_s;
    struct gpu_energy e = gpu_bill_group(x->bill, number, result_ratio(time, x->seconds));
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:f, s:f, s:f, s:o, s:f, s:I, s:I, s:I, s:I, s:I, s:s, s:f, s:f, s:f,"
        " s:o, s:o}", "name", g->name, "phase", trace_phase_names[g->phase],
        "kind", !x->run->trace ? "kernel" : g->is_matmul ? "matmul" : "vector",
        "ops", result_op_names(x->run->trace, g->ops, x->run->trace ? g->op_count : 0),
        "start_s", w->span.start_s, "time_s", time, "span_s", w->span.end_s - w->span.start_s,
        "busy_s", busy_json(x, w), "energy_j", gpu_energy_sum(&e), "flops", whole(flops),
        "macs", (json_int_t)macs, "macs_padded", whole(padded(w, macs)),
        "hbm_bytes", whole(bytes), "hbm_read_bytes", whole((double)w->hbm.read_bytes * w->more),
        "bound_by", bound_by(x, w),
        "mxu_utilization", result_ratio(2.0 * (double)macs, peak * time),
        "flops_per_byte", result_ratio(flops, bytes),
        "roof_flops_per_s", roof < peak ? roof : peak,
        "plan", plan_json(g), "counts", counts_json(x, number));
}

static json_t *ops_json(const struct gpu_summed *x)
{
    json_t *ops = json_array();
    for (uint32_t g = 0; g < x->groups; g++)
        json_array_append_new(ops, op_json(x, g));
    return ops;
}

/* ---- the rest ---- */

static json_t *memory_json(const struct gpu_summed *x)
{
    const struct hbm_config *h = x->chip->run.hbm;
    uint64_t dirty = 0;
    for (uint32_t i = 0; i < x->chip->l2s; i++)
        dirty += gpu_l2_dirty_bytes(x->chip->l2[i]);
    return json_pack("{s:I, s:I, s:I, s:I}",
                     "hbm_bytes", (json_int_t)gpu_memory_bytes(x->run->plan->memory),
                     "hbm_capacity_bytes", whole(h->capacity_gib * 1073741824.0 * h->stacks),
                     "l2_dirty_bytes", (json_int_t)dirty,
                     "l2_capacity_bytes", (json_int_t)x->config->l2.bytes);
}

static json_t *energy_json(const struct gpu_energy *e)
{
    json_t *o = json_object();
    for (int i = 0; i < GPU_COMPONENTS_COUNT; i++)
        json_object_set_new(o, gpu_component_names[i], json_real(e->j[i]));
    return o;
}

static json_t *power_json(const struct gpu_summed *x)
{
    static double watts[POWER_INTERVALS];
    double wanted = x->seconds / POWER_INTERVAL_S;
    uint32_t count = wanted < 1 ? 1 : wanted > POWER_INTERVALS ? POWER_INTERVALS
                                                               : (uint32_t)wanted;
    json_t *list = json_array();
    gpu_bill_power(x->bill, count, watts);
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(list, json_real(watts[i]));
    return json_pack("{s:f, s:o}", "interval_s", x->seconds / count, "power_w", list);
}

/* What was chosen that a reader should know. */
static json_t *notes_json(const struct gpu_plan *p)
{
    json_t *notes = json_array();
    for (uint32_t i = 0; i < p->note_count; i++)
        json_array_append_new(notes, json_string(p->notes[i]));
    return notes;
}

static uint32_t sms_used(const struct gpu_chip *c)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < c->sms; i++)
        used += gpu_sm_busy(c->sm[i]) > 0;
    return used;
}

struct totals { uint64_t flops, macs; double padded; bool tensor; };

static struct totals totals(const struct gpu_summed *x)
{
    struct totals t = { 0 };
    for (uint32_t g = 0; g < x->groups; g++) {
        t.flops += flops_of(x, g);
        t.macs += macs_of(x, g);
        t.padded += padded(&x->group[g], macs_of(x, g));
        t.tensor |= x->group[g].tensor;
    }
    return t;
}

static json_t *head_json(const struct gpu_summed *x, const struct totals *t)
{
    const struct gpu_result_run *r = x->run;
    double joules = gpu_energy_sum(&x->bill->total);
    double peak = t->tensor ? x->tensor_flops : x->float_flops, flops = (double)t->flops;
    json_t *o = json_pack(
        "{s:s, s:i, s:s, s:s, s:s, s:I, s:i, s:f, s:I, s:f, s:f, s:f, s:f, s:f}",
        "simaccel", SIMACCEL_VERSION, "schema", RESULT_SCHEMA, "machine",
        machine_name(r->machine), "kind", "gpu", "trace", r->name,
        "batch", (json_int_t)(r->trace ? r->trace->batch : 0), "cores",
        (int)sms_used(x->chip), "time_s", x->seconds,
        "cycles", whole(x->seconds * x->clock_hz), "clock_hz", x->clock_hz,
        "launch_s", ((const struct figures *)machine_figures(r->machine))->gpu.launch.first_us / 1e6,
        "host_s", 0.0, "energy_j", joules, "average_power_w", result_ratio(joules, x->seconds));
    json_object_update_new(o, json_pack(
        "{s:s, s:b, s:b, s:I, s:f, s:f, s:I, s:I, s:f}",
        "precision", r->exact_f32 ? "highest" : "default", "ideal_overlap", 0,
        "sampled", (int)x->sampled, "flops", (json_int_t)t->flops,
        "flops_per_s", result_ratio(flops, x->seconds), "peak_flops_per_s", peak,
        "macs", (json_int_t)t->macs, "macs_padded", whole(t->padded),
        "mxu_utilization", result_ratio(2.0 * (double)t->macs, peak * x->seconds)));
    return o;
}

/* For the power limit: joules and watts that go with the chip's voltage, and others.  At usual
 * prices, so that values never move a cycle, unless asked otherwise. */
static json_t *split_json(const struct gpu_summed *x)
{
    struct gpu_bill_run run = x->bill->run;
    if (!x->run->clock_from_values)
        run.toggles = NULL;
    struct gpu_bill *b = gpu_bill_new(&run);
    struct gpu_run_power p = gpu_bill_split(b, x->clock_hz / 1e6);
    gpu_bill_free(b);
    return json_pack("{s:f, s:f, s:f, s:f, s:f}", "volts", x->run->volts, "chip_j", p.chip_j,
                     "chip_w", p.chip_w, "other_j", p.other_j, "other_w", p.other_w);
}

json_t *gpu_result(const struct gpu_result_run *r)
{
    struct gpu_summed x;
    gpu_sum_up(&x, r);
    struct totals t = totals(&x);
    json_t *o = head_json(&x, &t), *ops = ops_json(&x);
    json_object_set_new(o, "notes", notes_json(r->plan));
    json_object_set_new(o, "hbm", result_hbm(&x.memory, x.seconds));
    json_object_set_new(o, "memory", memory_json(&x));
    json_object_set_new(o, "phases", result_phases(ops));
    json_object_set_new(o, "ops", ops);
    json_object_set_new(o, "launches", gpu_launches_json(&x));
    json_object_set_new(o, "units", gpu_units_json(&x));
    json_object_set_new(o, "energy", energy_json(&x.bill->total));
    json_object_set_new(o, "energy_split", split_json(&x));
    if (r->toggles)
        json_object_set_new(o, "toggles", result_toggles(r->toggles, x.groups));
    json_object_set_new(o, "power", power_json(&x));
    json_object_set_new(o, "parameters", machine_json(r->machine));
    gpu_summed_clear(&x);
    return o;
}

/* ---- self-checks ---- */

static const char *sm_fault(const struct gpu_summed *x, uint32_t sm)
{
    uint64_t sum = 0, expected = x->now * x->config->sm.subcores;
    bool used = gpu_sm_busy(x->chip->sm[sm]) > 0;
    for (uint32_t l = used ? 0 : x->launches; l <= x->launches; l++) {
        uint32_t launch = l < x->launches ? l : GPU_NO_LAUNCH;
        struct gpu_sm_stats s = gpu_sm_stats(x->chip->sm[sm], launch, x->now);
        for (int i = 0; i < GPU_CAUSES_COUNT; i++)
            sum += s.cycles[i];
    }
    return sum == expected ? NULL
         : result_fault("cycles of an SM's schedulers by cause, and of the run", sum, expected);
}

static const char *bytes_fault(const struct gpu_summed *x)
{
    uint64_t asked = 0, read = 0, fills = 0, backs = 0, hbm_read = 0, hbm_written = 0;
    uint32_t sector = x->config->l2.sector_bytes;
    for (uint32_t g = 0; g < x->groups; g++) {
        asked += x->group[g].sm.read_bytes;
        read += x->group[g].l2.reads * sector;
        fills += x->group[g].l2.fills * sector;
        backs += x->group[g].l2.write_backs * sector;
        hbm_read += x->group[g].hbm.read_bytes;
        hbm_written += x->group[g].hbm.written_bytes;
    }
    if (asked != read)
        return result_fault("bytes that SMs asked of L2, and L2 delivered", asked, read);
    if (fills != hbm_read)
        return result_fault("bytes that L2 asked of HBM, and HBM delivered", fills, hbm_read);
    return backs == hbm_written ? NULL
         : result_fault("bytes that L2 sent to HBM, and HBM took", backs, hbm_written);
}

/* Padding is done too, so there are at least those of the trace. */
static const char *macs_fault(const struct gpu_summed *x)
{
    for (uint32_t g = 0; g < x->groups && !x->sampled; g++) {
        const struct gpu_work *w = &x->group[g];
        uint64_t macs = x->run->plan->groups[g].macs;
        uint64_t done = w->sm.macs + w->sm.flops / 2;
        if (done < macs)
            return result_fault("multiply-accumulates of a group, and done", macs, done);
    }
    return NULL;
}

static const char *blocks_fault(const struct gpu_summed *x)
{
    for (uint32_t l = 0; l < x->launches; l++) {
        struct gpu_launch_times t = gpu_front_times(x->chip->front, l);
        if (x->launch[l].sm.blocks != t.simulated)
            return result_fault("blocks dispatched, and run to their end", t.simulated,
                                x->launch[l].sm.blocks);
    }
    return NULL;
}

const char *gpu_result_fault(const struct gpu_result_run *r)
{
    struct gpu_summed x;
    const char *fault = NULL;
    gpu_sum_up(&x, r);
    for (uint32_t i = 0; i < r->chip->sms && !fault; i++)
        fault = sm_fault(&x, i);
    if (!fault)
        fault = bytes_fault(&x);
    if (!fault)
        fault = macs_fault(&x);
    if (!fault)
        fault = blocks_fault(&x);
    gpu_summed_clear(&x);
    return fault;
}
