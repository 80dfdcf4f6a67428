/* validate_dma.c - see validate_units.h. */
#include <math.h>
#include <stdlib.h>

#include "sim/validate_kernel.h"
#include "sim/validate_product.h"
#include "sim/validate_units.h"

#define KIB     1024ull
#define MIB     (1024 * KIB)
#define TILE    (256 * KIB)
#define TILES   64              /* of the 16 MiB that streams */
#define REPEATS 24
#define REGISTER 4096           /* bytes */

static const struct figures *figures_of(const struct validate_row *row)
{
    return machine_figures(row->machine);
}

/* ---- fixed + per KiB ---- */

static uint32_t transfer(struct kernel *k, const struct validate_row *row, uint32_t core,
                         uint32_t repeat, uint64_t bytes, uint32_t after)
{
    uint32_t together = (uint32_t)row->arg[UNITS_TOGETHER], last = KERNEL_NONE;
    for (uint32_t i = 0; i < together; i++) {
        uint64_t place = (uint64_t)(row->arg[UNITS_FRESH] > 0 ? repeat : 0) * together + i;
        uint64_t address = core * 512 * MIB + place * bytes;
        last = row->arg[UNITS_STORE] > 0 ? kernel_store(k, core, repeat, address, bytes, after)
                                         : kernel_load(k, core, repeat, address, bytes, after);
    }
    return last;
}

/* Mean cycles of one transfer, or of several together, one after the other. */
static double transfer_cycles(const struct validate_row *row, uint64_t bytes, struct diag *d)
{
    uint32_t cores = (uint32_t)row->arg[UNITS_CORES];
    struct kernel_time times[KERNEL_CORES * REPEATS];
    struct kernel *k = kernel_new(cores, REPEATS);
    for (uint32_t c = 0; c < cores; c++) {
        uint32_t after = KERNEL_NONE;
        for (uint32_t r = 0; r < REPEATS; r++)
            after = transfer(k, row, c, r, bytes, after);
    }
    if (!kernel_run(k, figures_of(row), times, NULL, d))
        return NAN;
    double sum = 0;
    for (uint32_t r = 0; r < REPEATS; r++)
        sum += (double)(times[r].end - times[r].start);
    return sum / REPEATS;
}

/* Least squares over sizes from 4 KiB, each four times the one before. */
static bool fit(const struct validate_row *row, double (*cycles)(const struct validate_row *row,
                uint64_t bytes, struct diag *d), uint64_t most, double line[2], struct diag *d)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (uint64_t bytes = 4 * KIB; bytes <= most; bytes *= 4) {
        double kib = (double)(bytes / KIB), t = cycles(row, bytes, d);
        n++;
        x += kib;
        y += t;
        xx += kib * kib;
        xy += kib * t;
    }
    line[1] = (n * xy - x * y) / (n * xx - x * x);
    line[0] = (y - line[1] * x) / n;
    return !isnan(line[0]);
}

static double fit_transfer(const struct validate_row *row, int which, struct diag *d)
{
    double line[2];
    uint64_t most = row->arg[UNITS_TOGETHER] > 1 ? 256 * KIB : 4 * MIB;
    return fit(row, transfer_cycles, most, line, d) ? line[which] : NAN;
}

double units_dma_fixed(const struct validate_row *row, struct diag *d)
{
    return fit_transfer(row, 0, d);
}

double units_dma_slope(const struct validate_row *row, struct diag *d)
{
    return fit_transfer(row, 1, d);
}

/* GB/s of all cores together, by the slope. */
double units_dma_rate(const struct validate_row *row, struct diag *d)
{
    double ghz = figures_of(row)->tpu.chip.clock_mhz / 1e3;
    return row->arg[UNITS_CORES] * KIB * ghz / fit_transfer(row, 1, d);
}

/* ---- tiles of 256 KiB, one after the other ---- */

double units_tile(const struct validate_row *row, struct diag *d)
{
    int what = (int)row->arg[0];
    struct kernel_time time;
    struct kernel *k = kernel_new(1, 1);
    uint32_t after = KERNEL_NONE, other = KERNEL_NONE;
    for (uint64_t t = 0; t < TILES; t++) {
        uint64_t in = t * TILE, out = 32 * MIB + t * TILE;
        uint32_t first = what == UNITS_WRITE ? kernel_store(k, 0, 0, out, TILE, after)
                                             : kernel_load(k, 0, 0, in, TILE, after);
        kernel_also_after(k, 0, other);
        if (what == UNITS_READ_WRITE)
            first = kernel_store(k, 0, 0, out, TILE, first);
        if (what == UNITS_BOTH || what == UNITS_TWO_READS) {
            uint32_t second = what == UNITS_BOTH ? kernel_store(k, 0, 0, out, TILE, after)
                                                 : kernel_load(k, 0, 0, out, TILE, after);
            kernel_also_after(k, 0, other);
            other = second;
        }
        after = first;
    }
    return kernel_run(k, figures_of(row), &time, NULL, d)
         ? (double)(time.end - time.start) / TILES : NAN;
}

/* 4 KiB in, one multiply, 4 KiB out: the input's or the output's transfer. */
double units_minimal(const struct validate_row *row, struct diag *d)
{
    struct tpu_arithmetic one = { .loads = 1, .stores = 1, .alu = 1 };
    struct kernel_time times[3];
    struct kernel *k = kernel_new(1, 3);
    uint32_t in = kernel_load(k, 0, 0, 0, REGISTER, KERNEL_NONE);
    uint32_t sum = kernel_vector(k, 0, 1, &one, in);
    kernel_store(k, 0, 2, MIB, REGISTER, sum);
    const struct kernel_time *t = &times[row->arg[UNITS_STORE] > 0 ? 2 : 0];
    return kernel_run(k, figures_of(row), times, NULL, d) ? (double)(t->end - t->start) : NAN;
}

/* y = 2x + 1 on 16 MiB; arg[0]: input and output double-buffered, with one transfer of each
 * under way at a time: wait for a tile, start the next, compute, start the output. */
double units_stream(const struct validate_row *row, struct diag *d)
{
    uint64_t registers = TILE / REGISTER;
    struct tpu_arithmetic work = { .loads = registers, .stores = registers, .alu = 2 * registers };
    uint32_t in[TILES] = { 0 }, sum[TILES] = { 0 }, out[TILES] = { 0 };
    uint32_t ahead = row->arg[0] > 0 ? 2 : 1;
    struct kernel_time time;
    struct kernel *k = kernel_new(1, 1);
    for (uint32_t t = 0; t < TILES; t++) {
        uint32_t free_in = t < ahead ? KERNEL_NONE : ahead == 1 ? out[t - 1] : sum[t - ahead];
        in[t] = kernel_load(k, 0, 0, t * TILE, TILE, free_in);
        kernel_also_after(k, 0, t == 0 ? KERNEL_NONE : in[t - 1]);
        sum[t] = kernel_vector(k, 0, 0, &work, in[t]);
        kernel_also_after(k, 0, t < ahead ? KERNEL_NONE : out[t - ahead]);
        out[t] = kernel_store(k, 0, 0, 32 * MIB + t * TILE, TILE, sum[t]);
    }
    return kernel_run(k, figures_of(row), &time, NULL, d) ? (double)(time.end - time.start) : NAN;
}

/* 16 MiB copied by the program that the lowering makes, in microseconds. */
double units_copy(const struct validate_row *row, struct diag *d)
{
    uint64_t shape[] = { 2048, 2048 };
    struct trace *t = trace_new("copy");
    uint32_t x = trace_tensor(t, "x", ROLE_INPUT, TRACE_F32, 2, shape);
    uint32_t y = trace_tensor(t, "y", ROLE_OUTPUT, TRACE_F32, 2, shape);
    struct trace_op op = { .kind = TRACE_CAST, .phase = PHASE_FORWARD, .out = { y }, .outs = 1,
                           .in = { x }, .ins = 1 };
    t->batch = shape[0];
    if (!trace_add_op(t, &op, NULL, d)) {
        trace_free(t);
        return NAN;
    }
    json_t *result = validate_result(t, row->machine, 0, false, d);
    double us = result ? validate_field(result, "time_s") * 1e6 : NAN;
    json_decref(result);
    return us;
}

/* ---- the 2048-cubed product on both cores ---- */

#define SIDE   2048
#define HALF   1024             /* rows of a core */
#define BLOCK   256             /* columns of a block, rows of a part and of a weight block */
#define BLOCKS (SIDE / BLOCK)
#define PARTS  (HALF / BLOCK)

struct cube {
    struct kernel *k;
    uint32_t core, left[PARTS];
    uint32_t done[BLOCKS], out[BLOCKS];     /* the last product and write of each block */
};

/* Block `b` of columns: loaded, multiplied in `parts` of rows, written in as many. */
static void cube_block(struct cube *c, uint32_t b, uint32_t parts, uint32_t stores)
{
    uint64_t right = SIDE * BLOCK * 2, bytes = HALF * BLOCK * 4 / stores;
    uint64_t place = c->core * 256 * MIB + 128 * MIB + b * (uint64_t)(HALF * BLOCK * 4);
    struct tpu_product x = { .m = HALF / parts, .k = SIDE, .n = BLOCK, .weight_rows = BLOCK,
                             .passes = 1, .element_bytes = 2, .weight_bytes = 2 };
    uint32_t in = kernel_load(c->k, c->core, b, 64 * MIB + b * right, right,
                              b < 2 ? KERNEL_NONE : c->done[b - 2]);
    for (uint32_t p = 0; p < parts; p++) {
        c->done[b] = kernel_matrix(c->k, c->core, b, &x, in);
        kernel_also_after(c->k, c->core, c->left[p]);
        kernel_also_after(c->k, c->core, b < 2 ? KERNEL_NONE : c->out[b - 2]);
        if (stores == parts)
            c->out[b] = kernel_store(c->k, c->core, b, place + p * bytes, bytes, c->done[b]);
    }
    if (stores != parts)
        c->out[b] = kernel_store(c->k, c->core, b, place, bytes, c->done[b]);
}

static void cube_core(struct kernel *k, uint32_t core, bool parts)
{
    struct cube c = { .k = k, .core = core };
    uint64_t bytes = HALF * SIDE * 2 / (parts ? PARTS : 1);
    for (uint32_t p = 0; p < PARTS; p++)
        c.left[p] = parts || p == 0 ? kernel_load(k, core, 0, core * 256 * MIB + p * bytes, bytes,
                                                  KERNEL_NONE)
                                    : c.left[0];
    for (uint32_t b = 0; b < BLOCKS; b++)
        cube_block(&c, b, parts && (b == 0 || b == BLOCKS - 1) ? PARTS : 1,
                   parts && b == BLOCKS - 1 ? PARTS : 1);
}

/* arg[0]: the left side in 4 loads, the last block written in 4 parts. */
double units_cube(const struct validate_row *row, struct diag *d)
{
    struct kernel_time times[KERNEL_CORES * BLOCKS];
    struct kernel *k = kernel_new(KERNEL_CORES, BLOCKS);
    for (uint32_t core = 0; core < KERNEL_CORES; core++)
        cube_core(k, core, row->arg[0] > 0);
    return kernel_run(k, figures_of(row), times, NULL, d)
         ? (double)(times[BLOCKS - 1].end - times[0].start) : NAN;
}

/* ---- core to core ---- */

/* Both send at once; core 0 sees what core 1 sent. */
static double peer_cycles(const struct validate_row *row, uint64_t bytes, struct diag *d)
{
    struct tpu_arithmetic look = { .alu = 1 };
    struct kernel_time times[KERNEL_CORES * 2];
    struct kernel *k = kernel_new(KERNEL_CORES, 2);
    uint32_t to_1 = kernel_send(k, 0, 0, bytes, KERNEL_NONE);
    uint32_t to_0 = kernel_send(k, 1, 0, bytes, KERNEL_NONE);
    kernel_vector(k, 0, 1, &look, to_0);
    kernel_vector(k, 1, 1, &look, to_1);
    return kernel_run(k, figures_of(row), times, NULL, d)
         ? (double)(times[1].start - times[0].start) : NAN;
}

double units_peer_fixed(const struct validate_row *row, struct diag *d)
{
    double line[2];
    return fit(row, peer_cycles, 4 * MIB, line, d) ? line[0] : NAN;
}

double units_peer_slope(const struct validate_row *row, struct diag *d)
{
    double line[2];
    return fit(row, peer_cycles, 4 * MIB, line, d) ? line[1] : NAN;
}
