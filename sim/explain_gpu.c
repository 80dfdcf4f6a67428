/* explain_gpu.c - an op on a GPU by hand: of each launch how its blocks lie on the SMs, what its
 * work takes each part of the chip, what one block takes after the other, and the longest.
 *
 * What a block of a product takes is what the lowering reckons with when it chooses a kernel
 * (models/gpu/choose.h).  Counts of operations and bytes are the launch's own. */
#include <stdlib.h>
#include <string.h>

#include "sim/explain_gpu.h"

/* ---- how blocks lie ---- */

static void say_resources(struct explain_gpu *y)
{
    struct explain *x = y->x;
    const struct gpu_sm_config *sm = &y->g->sm;
    double registers = report_number(y->launch, "registers"), warps = y->warps;
    double granule = sm->register_granule, shared = report_number(y->launch, "shared_bytes");
    double warp = explain_line(x, "registers of a warp", ceil(registers * 32 / granule) * granule,
                               "", "32 lanes, rounded up to register_granule",
                               "ceil(%s x 32 / %s) x %s", D(registers), D(granule), D(granule));
    explain_line(x, "blocks that fit an SM by registers", floor(sm->registers / (warp * warps)), "",
                 "floor(registers / (a warp's x warps))", "floor(%u / (%s x %s))", sm->registers,
                 D(warp), D(warps));
    explain_line(x, "by warps", floor(sm->warps / warps), "", "floor(warps / of a block)",
                 "floor(%u / %s)", sm->warps, D(warps));
    if (shared > 0)
        explain_line(x, "by shared memory", floor((double)y->g->shared.bytes
            / (shared + y->g->shared.reserved_bytes)), "", "floor(bytes / (a block's + reserved))",
            "floor(%s / (%s + %u))", D((double)y->g->shared.bytes), D(shared),
            y->g->shared.reserved_bytes);
    explain_note(x, "%s fit, limited by %s (at most %u, and shared memory in whole granules).",
                 D(y->fit), report_string(y->launch, "limited_by"), sm->blocks);
}

static void say_blocks(struct explain_gpu *y)
{
    struct explain *x = y->x;
    const json_t *grid = json_object_get(y->launch, "grid");
    double at_a_time = y->g->sm.count * y->fit, g[3];
    for (size_t i = 0; i < 3; i++)
        g[i] = (double)json_integer_value(json_array_get(grid, i));
    explain_line(x, "blocks", y->blocks, "", "grid x . y . z", "%s x %s x %s", D(g[0]), D(g[1]),
                 D(g[2]));
    explain_line(x, "warps of a block", y->warps, "", "ceil(threads / 32)", "ceil(%s / 32)",
                 D(y->threads));
    say_resources(y);
    y->waves = explain_line(x, "waves", ceil(y->blocks / at_a_time), "",
                            "ceil(blocks / (SMs x blocks of an SM))", "ceil(%s / (%u x %s))",
                            D(y->blocks), y->g->sm.count, D(y->fit));
    explain_line(x, "of the last wave in use",
                 100 * (y->blocks - (y->waves - 1) * at_a_time) / at_a_time, "%",
                 "blocks left / (SMs x blocks of an SM)", "%s / (%u x %s)",
                 D(y->blocks - (y->waves - 1) * at_a_time), y->g->sm.count, D(y->fit));
    y->most = explain_line(x, "blocks of the SM with the most", ceil(y->blocks / y->g->sm.count),
                           "",
                           "ceil(blocks / SMs)", "ceil(%s / %u)", D(y->blocks), y->g->sm.count);
}

/* ---- what the work takes ---- */

static void consider(struct explain_gpu *y, const char *what, double cycles)
{
    if (cycles <= y->longest)
        return;
    y->longest = cycles;
    y->limit = what;
}

/* The SM with the most blocks has `count` of them each, `rate` a cycle. */
static void of_an_sm(struct explain_gpu *y, const char *what, const char *key, double rate,
                     const char *formula)
{
    double count = report_number(y->launch, key);
    if (count == 0)
        return;
    consider(y, what, explain_line(y->x, what, count / y->blocks * y->most / rate, "cycles",
                                   formula, "%s / %s x %s / %s", D(count), D(y->blocks),
                                   D(y->most), D(rate)));
}

static void of_the_chip(struct explain_gpu *y, const char *what, double bytes, double rate)
{
    if (bytes == 0)
        return;
    consider(y, what, explain_line(y->x, what, y->latency + bytes / rate, "cycles",
                                   "latency + bytes / rate", "%s + %s / %s", D(y->latency),
                                   D(bytes),
                                   D(rate)));
}

static double l2_rate(const struct explain_gpu *y)
{
    const struct gpu_l2_config *l2 = &y->g->l2;
    double slices = (double)l2->slices * l2->bytes_per_cycle;
    double ports = l2->port_bytes * l2->partitions * y->x->f->hbm.stacks;
    return (ports > 0 ? fmin(slices, ports) : slices) * l2->clock_mhz / y->mhz;
}

/* Bytes that the launch read: of its op's what it has of what its op asked of L2. */
static double memory_bytes(const struct explain_gpu *y)
{
    double of_op = report_number(y->x->op, "hbm_read_bytes");
    return y->asked > 0 ? of_op * report_number(y->launch, "read_bytes") / y->asked : of_op;
}

/* Where not all tensors fit L2, as much is written back as is written, once L2 is full. */
static void say_written_back(struct explain_gpu *y, double rate)
{
    double written = report_number(y->launch, "written_bytes"), read = memory_bytes(y);
    double tensors = explain_at(y->x->result, "memory", "hbm_bytes"), room = (double)y->g->l2.bytes;
    double all = y->before + read + written;
    if (tensors <= room || all <= room || written == 0)
        return;
    explain_note(y->x, "L2 holds %s of the tensors' %s bytes, and with this launch %s have come: "
                 "as much is written back as is written.", D(room), D(tensors), D(all));
    of_the_chip(y, "HBM, with what is written back", read + written, rate);
}

static void say_work(struct explain_gpu *y)
{
    const struct gpu_config *g = y->g;
    const struct hbm_config *h = &y->x->f->hbm;
    double lanes = explain_gpu_lanes(y);
    double on = h->refresh == HBM_REFRESH_NONE ? 1 : 1 - h->rfc_ns / h->refi_ns;
    double peak = explain_at(y->x->result, "hbm", "peak_bytes_per_s") / y->x->hz;
    bool tensor = report_number(y->launch, "macs") > 0;
    explain_note(y->x, "What the work takes at full rate, on the SM with the most blocks:");
    of_an_sm(y, "issue slots", "operations", g->sm.subcores,
             "operations / blocks x most / schedulers");
    if (tensor)
        of_an_sm(y, "tensor cores", "macs", y->macs, "macs / blocks x most / macs a cycle");
    else
        of_an_sm(y, "float lanes", "flops", 2 * lanes, "flops / blocks x most / FLOP a cycle");
    of_an_sm(y, "shared memory", "shared_passes", 1, "passes / blocks x most / a pass a cycle");
    of_an_sm(y, "L1", "l1_sectors", (double)g->l1.bytes_per_cycle / g->l1.sector_bytes,
             "sectors / blocks x most / sectors a cycle");
    of_an_sm(y, "crossbar", "read_bytes", g->crossbar.answer_bytes,
             "bytes read / blocks x most / answer_bytes");
    explain_note(y->x, "and the chip as a whole:");
    of_the_chip(y, "L2", report_number(y->launch, "read_bytes")
                         + report_number(y->launch, "written_bytes"), l2_rate(y));
    of_the_chip(y, "HBM, refresh time taken off", memory_bytes(y), peak * on);
    say_written_back(y, peak * on);
}

/* ---- what one block takes ---- */

static void say_latency(struct explain_gpu *y)
{
    const struct gpu_config *g = y->g;
    const struct hbm_config *h = &y->x->f->hbm;
    double memory = h->front_ns + h->rcd_rd_ns + h->cl_ns;
    double ns = 2 * (g->crossbar.latency_ns + g->l2.memory_ns) + g->l2.hit_cycles * 1e3
              / g->l2.clock_mhz + memory;
    y->latency = explain_line(y->x, "latency of memory", ns * y->mhz / 1e3 + g->l1.miss_cycles
        + g->l1.return_cycles, "cycles",
        "(2 (crossbar + to memory) + L2 hit + front + tRCD + tCL) x clock + miss + return",
        "(2 x (%s + %s) + %u x 1000 / %s + %s) x %s / 1000 + %u + %u", D(g->crossbar.latency_ns),
        D(g->l2.memory_ns), g->l2.hit_cycles, D(g->l2.clock_mhz), D(memory), D(y->mhz),
        g->l1.miss_cycles, g->l1.return_cycles);
}

/* With two partitions half of the lines are on the far side, and a block waits for its last. */
static void say_ways(struct explain_gpu *y)
{
    const struct gpu_config *g = y->g;
    double hit = g->l2.hit_cycles * 1e3 / g->l2.clock_mhz;
    double far = g->l2.partitions > 1 ? 2 * g->crossbar.far_ns * y->mhz / 1e3 : 0;
    if (far > 0)
        y->far = explain_line(y->x, "to the far partition and back", far, "cycles", "2 far x clock",
                              "2 x %s x %s / 1000", D(g->crossbar.far_ns), D(y->mhz));
    y->store = explain_line(y->x, "a store's way to L2 and its answer's back",
                            (2 * g->crossbar.latency_ns + hit) * y->mhz / 1e3 + far, "cycles",
                            "(2 crossbar + L2 hit) x clock + far", "(2 x %s + %s) x %s / 1000 + %s",
                            D(g->crossbar.latency_ns), D(hit), D(y->mhz), D(far));
}

/* Other kernels may have taken its place, and SMs without a block of it then never had it. */
static void say_fetched_again(struct explain_gpu *y)
{
    double waited = explain_at(y->launch, "cycles", "fetch");
    double schedulers = fmin(y->blocks, y->g->sm.count) * y->g->sm.subcores;
    if (waited == 0)
        explain_note(y->x, "The kernel has run before: its instructions are still there.");
    else
        explain_note(y->x, "The kernel has run before, but not all of its instructions are still "
                     "there: simulated, a scheduler waits %s cycles for them. By hand, none.",
                     D(waited / schedulers));
}

/* A kernel that has not run before is fetched; of one that has nothing is reckoned. */
static double fetching(struct explain_gpu *y)
{
    const struct gpu_fetch_config *f = &y->g->fetch;
    double count = report_number(y->launch, "instructions");
    double lines = ceil(count * f->instruction_bytes / f->line_bytes);
    if (!y->cold) {
        say_fetched_again(y);
        return 0;
    }
    explain_line(y->x, "lines of its code", lines, "", "ceil(instructions x bytes / line)",
                 "ceil(%s x %u / %u)", D(count), f->instruction_bytes, f->line_bytes);
    double misses = ceil(lines / (1 + f->prefetch_lines));
    return explain_line(y->x, "fetching it for the first time",
                        misses * (f->l0_miss_cycles + f->l1_miss_cycles), "cycles",
                        "ceil(lines / (1 + prefetched)) x (L0 miss + L1 miss)",
                        "ceil(%s / (1 + %u)) x (%u + %u)", D(lines), f->prefetch_lines,
                        f->l0_miss_cycles, f->l1_miss_cycles);
}

static void one_after_the_other(struct explain_gpu *y)
{
    struct explain *x = y->x;
    double operations = report_number(y->launch, "operations") / (y->blocks * y->warps);
    double latency = y->g->pipes.int_latency;
    double together = fmin(y->most, y->fit) * y->warps / y->g->sm.subcores;
    double warp = explain_line(x, "a warp's operations, one after the other",
                               operations * fmax(latency, together), "cycles",
                               "operations of a warp x max(latency, warps of a scheduler)",
                               "%s x max(%s, %s)", D(operations), D(latency), D(together));
    double wave = explain_line(x, "a block, with its loads once", y->g->launch.block_cycles + warp
                               + y->latency + y->far, "cycles",
                               "block_cycles + operations + latency + far", "%u + %s + %s + %s",
                               y->g->launch.block_cycles, D(warp), D(y->latency), D(y->far));
    consider(y, "blocks one after the other", explain_line(x, "blocks one after the other",
             y->waves * wave, "cycles", "waves x a block", "%s x %s", D(y->waves), D(wave)));
}

static void say_launch(struct explain_gpu *y, size_t number)
{
    struct explain *x = y->x;
    double link = y->g->launch.link_ns * y->mhz / 1e3;
    explain_section(x, "Launch %zu: %s", number, report_string(y->launch, "kernel"));
    say_blocks(y);
    say_latency(y);
    say_ways(y);
    double fetch = fetching(y);
    if (!explain_gpu_product(y))
        one_after_the_other(y);
    say_work(y);
    explain_note(x, "The longest: %s.", y->limit);
    double gap = y->first ? 0 : y->g->launch.next_us * y->mhz;
    double all = explain_line(x, "the launch", gap + 2 * link + fetch + y->longest + y->store,
        "cycles", "next_us after the one before + from the block scheduler and back + fetching + "
        "the longest + a store's way", "%s + %s + %s + %s + %s", D(gap), D(2 * link), D(fetch),
        D(y->longest), D(y->store));
    if (all > y->most_cycles) {
        y->most_cycles = all;
        x->limit = y->limit;
    }
    x->cycles += all;
}

/* ---- the op ---- */

static void take(struct explain_gpu *y, const json_t *launch)
{
    const json_t *block = json_object_get(launch, "block");
    y->launch = launch;
    y->blocks = fmax(report_number(launch, "blocks"), 1);
    y->fit = fmin(fmax(report_number(launch, "blocks_per_sm"), 1), y->g->sm.blocks);
    y->threads = 1;
    for (size_t i = 0; i < 3; i++)
        y->threads *= (double)json_integer_value(json_array_get(block, i));
    y->warps = fmax(ceil(y->threads / 32), 1);
    y->longest = 0;
    y->limit = "fixed costs";
}

static bool ran_before(const json_t *launches, size_t number)
{
    const char *kernel = report_string(json_array_get(launches, number), "kernel");
    for (size_t i = 0; i < number; i++)
        if (strcmp(report_string(json_array_get(launches, i), "kernel"), kernel) == 0)
            return true;
    return false;
}

/* What ops before have brought to L2: read from HBM, and written. */
static double brought(const struct explain *x, size_t launch)
{
    const json_t *launches = json_object_get(x->result, "launches");
    const json_t *ops = json_object_get(x->result, "ops");
    double bytes = 0;
    for (size_t i = 0; i < launch; i++)
        bytes += report_number(json_array_get(launches, i), "written_bytes");
    for (size_t i = 0; i < x->number; i++)
        bytes += report_number(json_array_get(ops, i), "hbm_read_bytes");
    return bytes;
}

static bool is_of(const struct explain *x, const json_t *launch)
{
    return strcmp(report_string(launch, "op"), report_string(x->op, "name")) == 0;
}

static bool is_tensor(const struct explain *x)
{
    const json_t *launches = json_object_get(x->result, "launches");
    for (size_t i = 0; i < json_array_size(launches); i++)
        if (is_of(x, json_array_get(launches, i))
            && report_number(json_array_get(launches, i), "macs") > 0)
            return true;
    return false;
}

/* A product's rate is its type's; a user's kernel on tensor cores has the chip's best. */
static void say_roofline(const struct explain_gpu *y)
{
    struct explain *x = y->x;
    bool tensor = is_tensor(x);
    double lanes = explain_gpu_lanes(y);
    double macs = y->macs > 0 ? y->macs : lanes;
    explain_bound(x, tensor ? "the tensor cores" : "the FP32 lanes",
                  tensor && y->macs == 0 ? report_number(x->result, "peak_flops_per_s")
                                         : 2 * macs * y->g->sm.count * x->hz);
}

void explain_gpu(struct explain *x)
{
    const json_t *launches = json_object_get(x->result, "launches");
    struct explain_gpu y = { .x = x, .g = &x->f->gpu, .mhz = x->hz / 1e6 };
    size_t count = 0, all = json_array_size(launches);
    explain_gpu_shape(&y);
    x->limit = "nothing";
    for (size_t i = 0; i < all; i++)
        if (is_of(x, json_array_get(launches, i))) {
            y.asked += report_number(json_array_get(launches, i), "read_bytes");
            y.written += report_number(json_array_get(launches, i), "written_bytes");
        }
    if (y.macs == 0)
        explain_note(x, "It does %s FLOP; its kernels read %s bytes from L2 and write %s.",
                     D(report_number(x->op, "flops")), D(y.asked), D(y.written));
    for (size_t i = 0; i < all; i++)
        if (is_of(x, json_array_get(launches, i))) {
            take(&y, json_array_get(launches, i));
            y.first = i == 0;
            y.cold = !ran_before(launches, i);
            y.before = brought(x, i);
            say_launch(&y, ++count);
        }
    if (count == 0)
        explain_note(x, "No kernel is launched for it.");
    say_roofline(&y);
    explain_gpu_least(&y);
    explain_gpu_difference(&y);
}
