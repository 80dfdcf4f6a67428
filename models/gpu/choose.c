/* choose.c - see choose.h for the formula that each function is a line of. */
#include "models/gpu/choose.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SPLITS_MOST 32
#define ORDER_MOST   5
/* Registers of a thread beside its sums: operands, what is on its way, addresses. */
#define OTHER_REGISTERS 56
/* Operations of a lane before its first load, and for each result that it stores. */
#define FIRST_OPERATIONS  300
#define RESULT_OPERATIONS  15
#define L2_WANTED         0.8   /* of what it gives, on average of a product */
#define SLICE            16.0   /* of k: what tensor cores multiply at a time */
#define EMPTY_LEAST 16          /* tiles for each empty one of a stripe */
/* What lanes of the sum of a cut product have under way at a time; their operations for the
 * four results of each. */
#define SUMMANDS_AHEAD      4
#define SUM_OPERATIONS    150

static const uint32_t element_bytes[] = {
    [GPU_ELEMENT_F32] = 4, [GPU_ELEMENT_F16] = 2, [GPU_ELEMENT_BF16] = 2, [GPU_ELEMENT_I32] = 4,
};

struct estimate {
    const struct gpu_config      *config;
    const struct gpu_product     *product;
    const struct gpu_gemm_kernel *kernel;
    double   memory_bytes_per_s, memory_ns, ports;
    uint64_t tiles_m, tiles_n, blocks;
    uint64_t steps;                     /* of a block */
    uint32_t splits, resident;          /* blocks of an SM at a time */
    uint32_t order;
};

double gpu_macs_per_cycle(const struct gpu_config *c, enum gpu_element in)
{
    const struct gpu_tensor_config *t = &c->tensor;
    if (in == GPU_ELEMENT_F32)
        return c->sm.subcores * 32 / c->pipes.fp32_interval;
    if (c->gpu.generation == GPU_SM_70)
        return in == GPU_ELEMENT_F16 && t->wmma_f16_interval > 0
             ? c->sm.subcores * 16 * 16 * 16 / t->wmma_f16_interval : 0;
    return t->mma_k16_interval > 0 ? c->sm.subcores * 16 * 8 * 16 / t->mma_k16_interval : 0;
}

/* ---- how many blocks fit ---- */

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

static uint32_t reckoned_blocks(const struct gpu_config *c, const struct gpu_gemm_kernel *k)
{
    uint32_t warps = k->threads / 32u, tile = (uint32_t)k->m * k->n;
    uint32_t registers = least(tile / k->threads + OTHER_REGISTERS, c->sm.max_registers);
    uint32_t granule = c->sm.register_granule, shared = k->shared_bytes + c->shared.reserved_bytes;
    uint32_t warp_registers = (registers * 32 + granule - 1) / granule * granule;
    uint32_t fit = least(c->sm.blocks, c->sm.warps / warps);
    fit = least(fit, c->sm.registers / (warp_registers * warps));
    if (shared > 0)
        fit = least(fit, (uint32_t)(c->shared.bytes / shared));
    return fit;
}

static uint32_t resident_blocks(const struct gpu_chooser *x, const struct gpu_gemm_kernel *k)
{
    if (k->shared_bytes > x->config->shared.block_bytes)
        return 0;
    return x->resident ? x->resident(x->self, k) : reckoned_blocks(x->config, k);
}

/* ---- traffic, in bytes ---- */

static double operand_bytes(const struct estimate *e)
{
    const struct gpu_product *p = e->product;
    return (double)p->batch * ((double)p->m + (double)p->n) * (double)p->k
         * element_bytes[p->in];
}

/* Both partitions have a copy of what SMs of both read. */
static double l2_holds(const struct estimate *e)
{
    const struct gpu_l2_config *l2 = &e->config->l2;
    return (double)l2->bytes / (l2->copies == GPU_L2_NEAR ? l2->partitions : 1);
}

/* What comes from memory: a once for each stripe of tiles, b once for each row of stripes that
 * are under way at a time; both once if L2 holds them. */
static double read_bytes(const struct estimate *e, uint32_t order)
{
    const struct gpu_product *p = e->product;
    double size = element_bytes[p->in] * (double)p->batch;
    double m = (double)p->m, n = (double)p->n, k = (double)p->k;
    if (operand_bytes(e) <= l2_holds(e))
        return operand_bytes(e);
    double columns = fmin(1u << order, (double)e->tiles_n);
    double rows = fmax((double)e->config->sm.count * e->resident / columns, 1);
    return size * k * (m * fmax((double)e->tiles_n / columns, 1)
                       + n * fmax((double)e->tiles_m / rows, 1));
}

/* Blocks of tiles past the last column take the places of others for a moment. */
static bool fits(const struct estimate *e, uint32_t order)
{
    uint64_t columns = 1u << order, stripes = (e->tiles_n + columns - 1) / columns;
    return (stripes * columns - e->tiles_n) * EMPTY_LEAST <= e->tiles_n;
}

static uint32_t best_order(const struct estimate *e)
{
    uint32_t best = 0;
    for (uint32_t o = 1; o <= ORDER_MOST; o++)
        if (fits(e, o) && read_bytes(e, o) < read_bytes(e, best))
            best = o;
    return best;
}

/* ---- one step of one block, in cycles ---- */

static double multiplying(const struct estimate *e)
{
    const struct gpu_gemm_kernel *k = e->kernel;
    return (double)k->m * k->n * k->k / gpu_macs_per_cycle(e->config, e->product->in);
}

static double tile_bytes(const struct estimate *e)
{
    const struct gpu_gemm_kernel *k = e->kernel;
    return (double)(k->m + k->n) * k->k * element_bytes[e->product->in];
}

/* For tensor cores a warp reads the sides of its part of the tile, which is as square as can
 * be; before sm_80 two of its lanes want each element. */
static double warps_read_bytes(const struct gpu_gemm_kernel *k, bool twice)
{
    uint32_t warps = k->threads / 32u;
    double sides = INFINITY;
    for (uint32_t across = 1; across <= warps; across++)
        if (warps % across == 0)
            sides = fmin(sides, (double)k->n / across + (double)k->m / (warps / across));
    return warps * sides * k->k * 2 * (twice ? 2 : 1);
}

/* Before sm_80, where both lie along k, the left one's rows share banks in pairs (gemm70.cu):
 * half of what is read takes twice as long. */
static double reading(const struct estimate *e)
{
    bool twice = e->config->gpu.generation == GPU_SM_70;
    bool in_pairs = twice && !e->kernel->transpose_a && e->kernel->transpose_b;
    return warps_read_bytes(e->kernel, twice) * (in_pairs ? 1.5 : 1)
         / (e->config->shared.banks * 4);
}

static double filling(const struct estimate *e)
{
    return tile_bytes(e) / (e->config->shared.banks * 4);
}

/* Tiles that go past the registers (sm_80): several are under way, and what is multiplied next
 * is read from shared memory in time. */
static bool copies(const struct gpu_gemm_kernel *k) { return k->stages > 2; }

/* The load-store units: a load and a store for each 16 bytes, or each element that is not
 * aligned, of a lane; or a copy. */
static double moving(const struct estimate *e)
{
    const struct gpu_gemm_kernel *k = e->kernel;
    double operations = (copies(k) ? 1.0 : 2.0) * (k->m + k->n) * k->k / (32 * k->align);
    return operations * e->config->lsu.interval / e->config->sm.subcores;
}

/* What L2 gives in one of its cycles. */
static double l2_bytes(const struct estimate *e)
{
    double slices = (double)e->config->l2.slices * e->config->l2.bytes_per_cycle;
    return e->ports > 0 ? fmin(slices, e->ports) : slices;
}

/* Of the SM with the most. */
static uint64_t most_blocks(const struct estimate *e)
{
    return (e->blocks + e->config->sm.count - 1) / e->config->sm.count;
}

/* An SM's share of L2, whose slices are not all wanted alike at each moment. */
static double share(const struct estimate *e)
{
    const struct gpu_config *c = e->config;
    double sms = (double)e->blocks / (double)most_blocks(e);
    return l2_bytes(e) * c->l2.clock_mhz / c->gpu.clock_mhz * L2_WANTED / sms;
}

static double arriving(const struct estimate *e)
{
    return tile_bytes(e) / fmin(share(e), e->config->crossbar.answer_bytes);
}

static double memory_latency(const struct estimate *e)
{
    const struct gpu_config *c = e->config;
    double ns = 2 * (c->crossbar.latency_ns + c->l2.memory_ns)
              + c->l2.hit_cycles * 1e3 / c->l2.clock_mhz + e->memory_ns;
    return ns * c->gpu.clock_mhz / 1e3 + c->l1.miss_cycles + c->l1.return_cycles;
}

/* ---- an SM, in cycles ---- */

static double beginning(const struct estimate *e)
{
    return e->config->launch.block_cycles + memory_latency(e)
         + FIRST_OPERATIONS * e->config->pipes.int_latency;
}

/* Warps of a scheduler that take turns. */
static double turns(const struct estimate *e, double blocks)
{
    return fmax(blocks * e->kernel->threads / (32.0 * e->config->sm.subcores), 1);
}

/* One after the other if a scheduler has but one warp; else each waits for the other now and
 * then, most where both are as busy: this is what the model of the chip does (V100, tiles of
 * 64x64 to 256x128, within 6 %). */
static double overlapped(double multiply, double shared, double turns)
{
    return turns < 2 ? multiply + shared : sqrt(multiply * multiply + shared * shared);
}

/* For each block of `blocks`.  With fewer warps than schedulers the others' cores idle. */
static double busy(const struct estimate *e, double blocks)
{
    double warps = blocks * e->kernel->threads / 32.0;
    double multiply = multiplying(e) * fmax(e->config->sm.subcores / warps, 1);
    double shared = reading(e) + filling(e) + moving(e);
    double both = e->kernel->speed ? multiply * 100 / e->kernel->speed
                : copies(e->kernel) ? fmax(multiply, shared)
                                    : overlapped(multiply, shared, turns(e, blocks));
    return fmax(both, arriving(e));
}

/* What of a step's beginning other warps do not fill: of copies, reading the first fragments
 * and multiplying them. */
static double unfilled(const struct estimate *e, double blocks)
{
    const struct gpu_config *c = e->config;
    return e->kernel->speed ? memory_latency(e) / (2 * turns(e, blocks))
         : copies(e->kernel) ? c->lsu.matrix_latency + c->tensor.mma_k16_latency : 0;
}

/* All blocks want their tiles at a time: a tile waits for half of the others, on average. */
static double queueing(const struct estimate *e)
{
    double under_way = fmin((double)e->config->sm.count * e->resident / (double)e->blocks, 1);
    double bytes = read_bytes(e, e->order) * under_way / (double)e->steps;
    double from_memory = bytes / e->memory_bytes_per_s * e->config->gpu.clock_mhz * 1e6;
    return fmax(from_memory, arriving(e)) / 2;
}

/* A step of a block that is alone, whose tiles go through registers: the next one arrives while
 * all but the last slice of this one is multiplied, and is stored before that is. */
static double relayed(const struct estimate *e)
{
    double slices = e->kernel->k / SLICE, slice = multiplying(e) / slices;
    double by_itself = tile_bytes(e) / e->config->crossbar.answer_bytes;
    double arrives = memory_latency(e) + fmax(by_itself, queueing(e));
    return fmax(arrives, slice * (slices - 1)) + filling(e) + slice;
}

static double alone(const struct estimate *e)
{
    const struct gpu_gemm_kernel *k = e->kernel;
    double ahead = k->stages > 1 ? k->stages - 1 : 1;
    return copies(k) || k->speed ? memory_latency(e) / ahead : relayed(e);
}

static double step(const struct estimate *e, double blocks)
{
    return fmax(alone(e), blocks * busy(e, blocks) + unfilled(e, blocks));
}

static double result_operations(const struct estimate *e)
{
    return (double)e->kernel->m * e->kernel->n / e->kernel->threads * RESULT_OPERATIONS;
}

static double result_bytes(const struct estimate *e)
{
    return (double)e->kernel->m * e->kernel->n
         * element_bytes[e->splits > 1 ? GPU_ELEMENT_F32 : e->product->out];
}

/* Two operations in a row of a lane are under way together. */
static double results(const struct estimate *e, double blocks)
{
    const struct gpu_gemm_kernel *k = e->kernel;
    double operations = result_operations(e), bytes = result_bytes(e);
    double issued = operations * (k->threads / 32.0) / e->config->sm.subcores;
    return fmax(operations * e->config->pipes.int_latency / 2,
                blocks * fmax(issued, bytes / e->config->crossbar.request_bytes));
}

/* `blocks` at a time, from the dispatch of the first to the last result. */
static double together(const struct estimate *e, double blocks)
{
    return blocks == 0 ? 0
         : beginning(e) + (double)e->steps * step(e, blocks) + results(e, blocks);
}

static double busiest_sm(const struct estimate *e)
{
    uint64_t most = most_blocks(e);
    return (double)(most / e->resident) * together(e, e->resident)
         + together(e, (double)(most % e->resident));
}

/* ---- the product ---- */

static double result_count(const struct estimate *e)
{
    const struct gpu_product *p = e->product;
    return (double)p->batch * (double)p->m * (double)p->n;
}

static double l2_seconds(const struct estimate *e, double bytes)
{
    return bytes / (l2_bytes(e) * e->config->l2.clock_mhz * 1e6);
}

/* The sums of a cut product: another launch, whose lanes read all summands. */
static double sum_seconds(const struct estimate *e)
{
    double summands = result_count(e) * e->splits * 4;
    double far = summands + operand_bytes(e) > l2_holds(e)
               ? 2 * summands / e->memory_bytes_per_s : 0;
    double cycles = beginning(e) + result_count(e) / (4 * 32) * SUM_OPERATIONS
                                       / (e->config->sm.count * e->config->sm.subcores)
                  + memory_latency(e) * (1 + ceil((double)e->splits / SUMMANDS_AHEAD));
    return e->config->launch.next_us * 1e-6 + cycles / (e->config->gpu.clock_mhz * 1e6)
         + fmax(l2_seconds(e, summands), far);
}

/* Pieces of the larger operand's rows that are shorter than a line of L2 open more of HBM's
 * rows: for FP32 lanes, whose tiles are short along k.  So many bytes' time a byte takes. */
static double in_pieces(const struct estimate *e)
{
    const struct gpu_gemm_kernel *k = e->kernel;
    bool b = e->product->n > e->product->m;
    bool by_k = b ? k->transpose_b : !k->transpose_a;
    double piece = (by_k ? k->k : b ? k->n : k->m) * element_bytes[e->product->in];
    double lines = k->speed ? piece / e->config->l2.line_bytes : 1;
    return 1 / sqrt(fmin(lines, 1));
}

static double total_seconds(const struct estimate *e)
{
    double results = result_count(e) * element_bytes[e->product->out];
    double through_l2 = (double)e->blocks * (double)e->steps * tile_bytes(e)
                      + result_count(e) * (e->splits > 1 ? 4 * e->splits
                                                         : element_bytes[e->product->out]);
    double seconds = busiest_sm(e) / (e->config->gpu.clock_mhz * 1e6);
    seconds = fmax(seconds, l2_seconds(e, through_l2));
    seconds = fmax(seconds, (read_bytes(e, e->order) * in_pieces(e) + results)
                            / e->memory_bytes_per_s);
    return seconds + (e->splits > 1 ? sum_seconds(e) : 0);
}

/* ---- what may be, and what is best ---- */

static bool aligned(const struct gpu_product *p, const struct gpu_gemm_kernel *k)
{
    uint64_t lda = p->transpose_a ? p->m : p->k, ldb = p->transpose_b ? p->k : p->n;
    return lda % k->align == 0 && ldb % k->align == 0;
}

static bool may(const struct gpu_config *c, const struct gpu_product *p,
                const struct gpu_gemm_kernel *k)
{
    return k->element == p->in && k->transpose_a == p->transpose_a
        && k->transpose_b == p->transpose_b && aligned(p, k)
        && gpu_macs_per_cycle(c, p->in) > 0;
}

/* Of a kernel that may be taken, `resident` of whose blocks an SM holds. */
static bool prepare(const struct gpu_chooser *x, const struct gpu_product *p,
                    const struct gpu_gemm_kernel *kernel, uint32_t resident, uint32_t splits,
                    struct estimate *e)
{
    uint64_t part = (p->k + splits - 1) / splits, steps = (part + kernel->k - 1) / kernel->k;
    if (resident == 0 || (splits - 1) * steps * kernel->k >= p->k)
        return false;
    *e = (struct estimate){
        .config = x->config, .product = p, .kernel = kernel,
        .memory_bytes_per_s = x->memory_bytes_per_s, .memory_ns = x->memory_ns,
        .ports = x->port_bytes,
        .tiles_m = (p->m + kernel->m - 1) / kernel->m,
        .tiles_n = (p->n + kernel->n - 1) / kernel->n,
        .steps = steps, .splits = splits, .resident = resident,
    };
    e->blocks = e->tiles_m * e->tiles_n * p->batch * splits;
    e->order = best_order(e);
    return true;
}

static bool estimate(const struct gpu_chooser *x, const struct gpu_product *p,
                     const struct gpu_gemm_kernel *kernel, uint32_t resident, uint32_t splits,
                     struct gpu_choice *choice)
{
    struct estimate e;
    if (!prepare(x, p, kernel, resident, splits, &e))
        return false;
    *choice = (struct gpu_choice){ .kernel = kernel, .splits = splits, .order = e.order };
    choice->split_k = (uint32_t)(splits > 1 ? e.steps * kernel->k : p->k);
    choice->seconds = total_seconds(&e);
    return true;
}

bool gpu_estimate(const struct gpu_chooser *x, const struct gpu_product *p,
                  const struct gpu_gemm_kernel *kernel, uint32_t splits,
                  struct gpu_choice *choice)
{
    assert(splits > 0 && p->m > 0 && p->n > 0 && p->k > 0 && p->batch > 0);
    return may(x->config, p, kernel)
        && estimate(x, p, kernel, resident_blocks(x, kernel), splits, choice);
}

bool gpu_estimate_parts(const struct gpu_chooser *x, const struct gpu_product *p,
                        const struct gpu_gemm_kernel *kernel, uint32_t splits,
                        struct gpu_estimate_parts *parts)
{
    struct estimate e;
    if (!may(x->config, p, kernel)
        || !prepare(x, p, kernel, resident_blocks(x, kernel), splits, &e))
        return false;
    uint64_t most = most_blocks(&e);
    double b = most < e.resident ? (double)most : e.resident;
    *parts = (struct gpu_estimate_parts){
        .blocks = e.blocks, .most = most, .steps = e.steps, .resident = e.resident,
        .together = (uint32_t)b, .latency = memory_latency(&e), .multiply = multiplying(&e),
        .read = reading(&e), .fill = filling(&e), .move = moving(&e), .arrive = arriving(&e),
        .tile_bytes = tile_bytes(&e), .share = share(&e), .queue = queueing(&e),
        .slices = kernel->k / SLICE, .first_operations = FIRST_OPERATIONS,
        .result_operations = result_operations(&e), .result_bytes = result_bytes(&e),
        .busy = busy(&e, b), .unfilled = unfilled(&e, b), .alone = alone(&e), .step = step(&e, b),
        .beginning = beginning(&e), .results = results(&e, b), .busiest = busiest_sm(&e),
    };
    return true;
}

/* A cut is for products that leave SMs without a tile; on FP32 lanes for those that leave
 * room, if their k is long enough. */
static uint32_t most_splits(const struct gpu_config *c, const struct gpu_product *p,
                            const struct gpu_gemm_kernel *k, uint32_t resident)
{
    uint64_t tiles = (p->m + k->m - 1) / k->m * ((p->n + k->n - 1) / k->n) * p->batch;
    bool lanes = p->in == GPU_ELEMENT_F32;
    uint64_t places = lanes ? (uint64_t)c->sm.count * resident : c->sm.count;
    bool may_cut = c->kernels.split_k && (!lanes || p->k >= c->kernels.split_f32_k);
    return may_cut && tiles < places ? SPLITS_MOST : 1;
}

static void choose_splits(const struct gpu_chooser *x, const struct gpu_product *p,
                          const struct gpu_gemm_kernel *k, struct gpu_choice *choice)
{
    uint32_t resident = resident_blocks(x, k);
    for (uint32_t s = 1; s <= most_splits(x->config, p, k, resident); s++) {
        struct gpu_choice one;
        if (estimate(x, p, k, resident, s, &one)
            && (!choice->kernel || one.seconds < choice->seconds))
            *choice = one;
    }
}

static bool has_tile(const struct gpu_gemm_kernel *k, const char *tile)
{
    char own[32];
    snprintf(own, sizeof own, "%ux%ux%u", k->m, k->n, k->k);
    return strcmp(tile, own) == 0;
}

bool gpu_choose(const struct gpu_chooser *x, const struct gpu_product *p,
                struct gpu_choice *choice)
{
    size_t count;
    const struct gpu_gemm_kernel *k = gpu_gemm_kernels(x->config->gpu.generation, &count);
    const char *tile = x->config->kernels.tile;
    choice->kernel = NULL;
    for (int any = tile[0] == '\0'; any <= 1 && !choice->kernel; any++)
        for (size_t i = 0; i < count; i++)
            if (may(x->config, p, &k[i]) && (any || has_tile(&k[i], tile)))
                choose_splits(x, p, &k[i], choice);
    return choice->kernel != NULL;
}

bool gpu_tile_known(const struct gpu_config *c)
{
    size_t count;
    const struct gpu_gemm_kernel *k = gpu_gemm_kernels(c->gpu.generation, &count);
    for (size_t i = 0; i < count; i++)
        if (has_tile(&k[i], c->kernels.tile))
            return true;
    return c->kernels.tile[0] == '\0';
}
