/* explain_gpu_product.c - the blocks of a product step by step, the bounds of an op, and where
 * the schedulers' cycles went. */
#include <string.h>

#include "models/gpu/choose.h"
#include "sim/explain_gpu.h"

static enum gpu_element element_of(const char *name)
{
    return strcmp(name, "f32") == 0 ? GPU_ELEMENT_F32
         : strcmp(name, "f16") == 0 ? GPU_ELEMENT_F16 : GPU_ELEMENT_BF16;
}

/* A size as the lowering allows them; 0: none. */
static uint64_t size_of(const json_t *plan, const char *key)
{
    double size = report_number(plan, key);
    return size >= 1 && size <= UINT32_MAX ? (uint64_t)size : 0;
}

static struct gpu_product product_of(const json_t *plan)
{
    return (struct gpu_product){
        .m = size_of(plan, "m"), .n = size_of(plan, "n"), .k = size_of(plan, "k"),
        .batch = size_of(plan, "batch"),
        .transpose_a = json_is_true(json_object_get(plan, "transpose_a")),
        .transpose_b = json_is_true(json_object_get(plan, "transpose_b")),
        .in = element_of(report_string(plan, "type")),
        .out = element_of(report_string(plan, "result_type")),
    };
}

static const json_t *plan_of(const struct explain_gpu *y)
{
    return json_object_get(y->x->op, "plan");
}

static bool is_product(const json_t *plan)
{
    struct gpu_product p = product_of(plan);
    return p.m > 0 && p.n > 0 && p.k > 0 && p.batch > 0;
}

void explain_gpu_shape(struct explain_gpu *y)
{
    const json_t *plan = plan_of(y), *tile = json_object_get(plan, "tile");
    struct gpu_product p = product_of(plan);
    if (!is_product(plan))
        return;
    double splits = report_number(plan, "splits");
    double t[3];
    for (size_t i = 0; i < 3; i++)
        t[i] = fmax((double)json_integer_value(json_array_get(tile, i)), 1);
    y->macs = gpu_macs_per_cycle(y->g, p.in);
    explain_note(y->x, "A product m x k by k x n, m = %s, k = %s, n = %s, of %s; the kernel has a "
                 "tile of %s x %s by %s of k.", D((double)p.m), D((double)p.k), D((double)p.n),
                 report_string(plan, "type"), D(t[0]), D(t[1]), D(t[2]));
    explain_line(y->x, "multiply-accumulates", (double)p.batch * (double)p.m * (double)p.k
                 * (double)p.n, "", "batch x m x k x n", "%s x %s x %s x %s", D((double)p.batch),
                 D((double)p.m), D((double)p.k), D((double)p.n));
    explain_line(y->x, "tiles, and cuts of k", ceil((double)p.m / t[0]) * ceil((double)p.n / t[1])
                 * (double)p.batch * splits, "", "batch x ceil(m / M) x ceil(n / N) x splits",
                 "%s x ceil(%s / %s) x ceil(%s / %s) x %s", D((double)p.batch), D((double)p.m),
                 D(t[0]),
                 D((double)p.n), D(t[1]), D(splits));
}

/* As many blocks as the launch says: it has been compiled. */
static uint32_t resident(void *self, const struct gpu_gemm_kernel *kernel)
{
    const struct explain_gpu *y = self;
    (void)kernel;
    return (uint32_t)y->fit;
}

static const struct gpu_gemm_kernel *kernel_of(const struct explain_gpu *y)
{
    size_t count;
    const struct gpu_gemm_kernel *k = gpu_gemm_kernels(y->g->gpu.generation, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(k[i].name, report_string(y->launch, "kernel")) == 0)
            return &k[i];
    return NULL;
}

/* What keeps an SM busy in a step, by kind of kernel. */
static void say_busy(struct explain_gpu *y, const struct gpu_gemm_kernel *k,
                     const struct gpu_estimate_parts *p)
{
    double shared = p->read + p->fill + p->move;
    double idle = fmax(y->g->sm.subcores / (p->together * y->warps), 1);
    double turns = p->together * y->warps / y->g->sm.subcores;
    explain_note(y->x, "    Schedulers without a warp idle: multiplying takes %s times that.",
                 D(idle));
    if (k->speed)
        explain_line(y->x, "    busy", p->busy, "cycles",
                     "max(multiplying x 100 / the kernel's speed, arriving)",
                     "max(%s x 100 / %u, %s)",
                     D(p->multiply * idle), k->speed, D(p->arrive));
    else if (k->stages > 2)
        explain_line(y->x, "    busy", p->busy, "cycles",
                     "max(multiplying, shared memory, arriving)",
                     "max(%s, %s, %s)", D(p->multiply * idle), D(shared), D(p->arrive));
    else if (turns < 2)
        explain_line(y->x, "    busy, a scheduler has one warp", p->busy, "cycles",
                     "max(multiplying + shared memory, arriving)", "max(%s + %s, %s)",
                     D(p->multiply * idle), D(shared), D(p->arrive));
    else
        explain_line(y->x, "    busy", p->busy, "cycles",
                     "max(sqrt(multiplying^2 + shared memory^2), arriving)",
                     "max(sqrt(%s^2 + %s^2), %s)", D(p->multiply * idle), D(shared), D(p->arrive));
}

/* What a step takes however few blocks there are. */
static void say_alone(struct explain_gpu *y, const struct gpu_gemm_kernel *k,
                      const struct gpu_estimate_parts *p)
{
    double slice = p->multiply / p->slices, port = p->tile_bytes / y->g->crossbar.answer_bytes;
    if (k->stages > 2 || k->speed)
        explain_line(y->x, "    alone", p->alone, "cycles", "latency / tiles under way", "%s / %d",
                     D(p->latency), k->stages > 1 ? k->stages - 1 : 1);
    else
        explain_line(y->x, "    alone, tiles go through registers", p->alone, "cycles",
                     "max(latency + max(port, other blocks' tiles), all slices but one) + filling "
                     "+ a slice", "max(%s + max(%s, %s), %s) + %s + %s", D(p->latency), D(port),
                     D(p->queue), D(slice * (p->slices - 1)), D(p->fill), D(slice));
}

static void say_step(struct explain_gpu *y, const struct gpu_gemm_kernel *k,
                     const struct gpu_estimate_parts *p)
{
    struct explain *x = y->x;
    explain_note(x, "A step, of %u of k, as the lowering reckons it (models/gpu/choose.h); %u "
                 "block%s on an SM at a time:", k->k, p->together, p->together == 1 ? "" : "s");
    explain_line(x, "    multiplying", p->multiply, "cycles", "M x N x K / macs a cycle",
                 "%u x %u x %u / %s", k->m, k->n, k->k, D(y->macs));
    explain_line(x, "    shared memory and load-store units", p->read + p->fill + p->move, "cycles",
                 "reading fragments + filling + moving", "%s + %s + %s", D(p->read), D(p->fill),
                 D(p->move));
    explain_line(x, "    arriving, of a and b", p->arrive, "cycles",
                 "bytes / min(an SM's share of L2, answer_bytes)", "%s / min(%s, %u)",
                 D(p->tile_bytes), D(p->share), y->g->crossbar.answer_bytes);
    say_busy(y, k, p);
    say_alone(y, k, p);
    explain_line(x, "    the step", p->step, "cycles", "max(alone, blocks x busy + unfilled)",
                 "max(%s, %u x %s + %s)", D(p->alone), p->together, D(p->busy), D(p->unfilled));
}

static void say_ends(struct explain_gpu *y, const struct gpu_estimate_parts *p)
{
    double latency = y->g->pipes.int_latency, issued = p->result_operations * y->warps
                                                     / y->g->sm.subcores;
    explain_line(y->x, "before the first step", p->beginning, "cycles",
                 "block_cycles + latency + operations x their latency", "%u + %s + %s x %s",
                 y->g->launch.block_cycles, D(p->latency), D(p->first_operations), D(latency));
    explain_line(y->x, "storing results", p->results, "cycles",
                 "max(operations x latency / 2, blocks x max(issued, bytes / request_bytes))",
                 "max(%s x %s / 2, %u x max(%s, %s / %u))", D(p->result_operations), D(latency),
                 p->together, D(issued), D(p->result_bytes), y->g->crossbar.request_bytes);
}

static void say_all_blocks(struct explain_gpu *y, const struct gpu_estimate_parts *p)
{
    double together = explain_line(y->x, "blocks that are there together",
        p->beginning + (double)p->steps * p->step + p->results, "cycles",
        "before + steps x step + results", "%s + %s x %s + %s", D(p->beginning),
        D((double)p->steps),
        D(p->step), D(p->results));
    double rounds = (double)(p->most / p->resident), left = p->busiest - rounds * together;
    if (p->most <= p->resident)
        y->longest = p->busiest;
    else
        y->longest = explain_line(y->x, "all blocks of an SM", p->busiest, "cycles",
                                  "whole rounds x that + those left, reckoned alike",
                                  "%s x %s + %s", D(rounds), D(together), D(left));
}

bool explain_gpu_product(struct explain_gpu *y)
{
    const struct gpu_gemm_kernel *k = kernel_of(y);
    const struct hbm_config *h = &y->x->f->hbm;
    struct gpu_config config = *y->g;
    struct gpu_estimate_parts p;
    config.gpu.clock_mhz = y->mhz;      /* of the run: a power limit may have lowered it */
    const struct gpu_chooser chooser = {
        .config = &config, .memory_bytes_per_s = hbm_peak_bytes_per_s(h) * h->stacks,
        .memory_ns = h->front_ns + h->rcd_rd_ns + h->cl_ns,
        .port_bytes = y->g->l2.port_bytes * y->g->l2.partitions * h->stacks,
        .resident = resident, .self = y,
    };
    const struct gpu_product product = product_of(plan_of(y));
    uint32_t splits = (uint32_t)size_of(plan_of(y), "splits");
    if (!k || !is_product(plan_of(y)) || splits == 0
        || !gpu_estimate_parts(&chooser, &product, k, splits, &p))
        return false;
    say_step(y, k, &p);
    explain_line(y->x, "steps of a block", (double)p.steps, "", "ceil(ceil(k / splits) / K)",
                 "ceil(ceil(%s / %u) / %u)", D((double)product.k), splits, k->k);
    say_ends(y, &p);
    say_all_blocks(y, &p);
    y->limit = p.step > p.together * p.busy + p.unfilled ? "latency of a product's steps"
                                                         : "work of a product's steps";
    return true;
}

void explain_gpu_least(struct explain_gpu *y)
{
    struct explain *x = y->x;
    double macs = report_number(x->op, "macs"), flops = report_number(x->op, "flops");
    double read = report_number(x->op, "hbm_read_bytes");
    double rate = explain_at(x->result, "hbm", "peak_bytes_per_s");
    double lanes = explain_gpu_lanes(y);
    x->least_bytes = explain_line(x, "bytes read, at least", read / rate * x->hz, "cycles",
                                  "hbm_read_bytes / peak bytes/s x clock", "%s / %s x %s", D(read),
                                  D(rate), D(x->hz));
    explain_note(x, "Bytes written leave L2 when their place is needed: after the op, if ever.");
    if (macs > 0 && y->macs > 0)
        x->least_compute = explain_line(x, "multiply-accumulates, at least",
            macs / (y->macs * y->g->sm.count), "cycles", "macs / (macs a cycle x SMs)",
            "%s / (%s x %u)", D(macs), D(y->macs), y->g->sm.count);
    else if (flops > 0)
        explain_line(x, "arithmetic on all lanes", flops / (2 * lanes * y->g->sm.count), "cycles",
                     "flops / (2 x lanes x SMs)", "%s / (2 x %s x %u)", D(flops), D(lanes),
                     y->g->sm.count);
}

/* ---- where the cycles went ---- */

static const struct { const char *cause, *what; } causes[] = {
    { "issued",     "an operation was issued" },
    { "dependency", "waited for a pipe's result" },
    { "pipe_busy",  "the pipe was taken" },
    { "lsu_busy",   "the load-store unit was full" },
    { "shared",     "waited for shared memory" },
    { "l1",         "waited for L1" },
    { "l2",         "waited for L2" },
    { "hbm",        "waited for HBM" },
    { "barrier",    "waited at a barrier" },
    { "branch",     "after a branch" },
    { "fetch",      "the instruction was not there" },
    { "no_warp",    "no warp was there, or all had ended and the block waited" },
};

static void say_causes(struct explain_gpu *y, const json_t *launch)
{
    const json_t *cycles = json_object_get(launch, "cycles");
    double schedulers = (double)y->g->sm.count * y->g->sm.subcores;
    double used = fmin(report_number(launch, "blocks"), y->g->sm.count) * y->g->sm.subcores;
    explain_note(y->x, "The schedulers' cycles in %s, the mean of those of SMs with a block (%s of "
                 "%s):", report_string(launch, "kernel"), D(used), D(schedulers));
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        double all = report_number(cycles, causes[i].cause);
        char name[96];
        snprintf(name, sizeof name, "    %s: %s", causes[i].cause, causes[i].what);
        if (all > 0 && used > 0)
            explain_line(y->x, name, all / used, "cycles", "cycles / schedulers", "%s / %s", D(all),
                         D(used));
    }
}

void explain_gpu_difference(struct explain_gpu *y)
{
    struct explain *x = y->x;
    const json_t *launches = json_object_get(x->result, "launches");
    const struct hbm_config *h = &x->f->hbm;
    explain_difference(x);
    for (size_t i = 0; i < json_array_size(launches); i++) {
        const json_t *l = json_array_get(launches, i);
        if (strcmp(report_string(l, "op"), report_string(x->op, "name")) == 0)
            say_causes(y, l);
    }
    explain_note(x,
                 "Left out by hand: loads that wait for each other, conflicts in shared memory's "
                 "banks, barriers, branches, instructions that are fetched again; in HBM rows that must be closed first, turns between "
                 "reads and writes, and when refreshes fall (each stops it for %s cycles).",
                 D(h->refresh == HBM_REFRESH_NONE ? 0 : h->rfc_ns * y->mhz / 1e3));
    if (json_is_true(json_object_get(x->result, "sampled")))
        explain_note(x, "The run was sampled: counts are reckoned from the blocks simulated.");
}
