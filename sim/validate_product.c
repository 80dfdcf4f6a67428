/* validate_product.c - matrix products of TPU v3 and v5e, and element-wise ops of v5e. */
#include "sim/validate_product.h"

#include <math.h>
#include <string.h>

#include "sim/experiment.h"
#include "sim/gemm.h"
#include "sim/validate_csv.h"

#define BF16_BYTES 2
#define US 1e6

double validate_roofline(const struct roofline *r, double flops, double bytes)
{
    return fmax(flops / r->flops_per_s, bytes / r->bytes_per_s) + r->fixed_s;
}

enum validate_class validate_class_of(const struct roofline *r, double flops, double bytes,
                                      double seconds)
{
    return seconds < VALIDATE_SMALL_S ? VALIDATE_SMALL
         : flops / r->flops_per_s >= bytes / r->bytes_per_s ? VALIDATE_COMPUTE : VALIDATE_MEMORY;
}

json_t *validate_result(struct trace *t, const struct machine *m, uint32_t cores, bool highest,
                        struct diag *d)
{
    struct experiment e = { .machine = m, .trace = t,
                            .lower = { .cores = cores, .highest = highest } };
    int status;
    json_t *result = t ? experiment_run(&e, d, &status) : NULL;
    trace_free(t);
    return result;
}

double validate_field(const json_t *result, const char *name)
{
    return json_number_value(json_object_get(result, name));
}

/* ---- products ---- */

enum { M, K, N, SCALE };

static double run_product(const struct validate_row *row, struct diag *d)
{
    struct gemm g = { .m = (uint64_t)row->arg[M], .k = (uint64_t)row->arg[K],
                      .n = (uint64_t)row->arg[N], .type = TRACE_BF16 };
    json_t *result = validate_result(gemm_trace(&g, d), row->machine, 1, false, d);
    double seconds = result ? validate_field(result, "time_s") : NAN;
    json_decref(result);
    return seconds * row->arg[SCALE];
}

/* A row that multiplies [m][k] by [k][n] in bf16 on one core: seconds times `scale`. */
static void add_product(struct validate_set *s, const struct machine *machine,
                        const struct roofline *r, const double mkn[3], double measured_s,
                        double scale)
{
    double m = mkn[M], k = mkn[K], n = mkn[N];
    double flops = 2 * m * k * n, bytes = BF16_BYTES * (m * k + k * n + m * n);
    struct validate_row row = { .run = run_product, .machine = machine, .judged = true,
                                .measured = measured_s * scale, .arg = { m, k, n, scale } };
    snprintf(row.what, sizeof row.what, "%.0f x %.0f x %.0f", m, k, n);
    row.roofline = validate_roofline(r, flops, bytes) * scale;
    row.class = validate_class_of(r, flops, bytes, measured_s);
    validate_add_row(s, &row);
}

static void read_mkn(const struct csv *c, size_t i, double mkn[3])
{
    mkn[M] = csv_number(c, i, "m");
    mkn[K] = csv_number(c, i, "k");
    mkn[N] = csv_number(c, i, "n");
}

/* ---- TPU v3 ---- */

/* 2 arrays x 128 x 128 x 2 x 940 MHz; the best rate is that of 128 x 12288 x 12288, which
 * moves 308 MB in 866 us.  No small op was published: the fixed cost is v5e's. */
static const struct roofline v3_core = { 61.6e12, 356e9, 1.9e-6 };

static const struct validate_set v3_cycles = {
    .title = "TPU v3, one core: two cubes", .unit = "cycles", .each_bar = 7,
    .about = "Cycles of one core at 940 MHz (PyTorchSim, MICRO 2025, artifact fe04c9ae, its "
             "measured ground truth). Element type not stated; run as bf16. The roofline: 61.6 "
             "TFLOP/s, 356 GB/s (the best row of the next table) and 1.9 us.",
};

static const struct validate_set v3_products = {
    .title = "TPU v3, one core: products above 500 us", .unit = "us", .mean_bar = 5,
    .about = "Wall time less its published overhead (LLMCompass, ISCA 2024, artifact f2bb5f92), "
             "bf16, rows x inputs x outputs. Roofline as above. Rows below 500 us are not judged: "
             "they carry some 70 us more of host cost that nothing documents.",
};

static bool v3_cubes(struct validation *v, const struct machine *m, struct diag *d)
{
    struct csv c;
    struct validate_set *s = validate_add_set(v, &v3_cycles);
    if (!csv_read(&c, v->folder, "tpuv3_cycles_pytorchsim.csv", d))
        return false;
    const struct figures *f = machine_figures(m);
    double hz = f->tpu.chip.clock_mhz * 1e6, mkn[3];
    for (size_t i = 0; i < c.rows; i++) {
        const char *name = csv_text(&c, i, "workload");
        if (sscanf(name, "gemm_%lfx%lfx%lf", &mkn[M], &mkn[N], &mkn[K]) == 3
            && csv_wanted(&c, i, v->size))
            add_product(s, m, &v3_core, mkn, csv_number(&c, i, "measured_cycles") / hz, hz);
    }
    csv_clear(&c);
    return true;
}

bool validate_v3(struct validation *v, struct diag *d)
{
    struct csv c;
    const struct machine *m = validate_machine(v, "tpu-v3", d);
    if (!m || !v3_cubes(v, m, d) || !csv_read(&c, v->folder, "gemm_tpuv3_llmcompass.csv", d))
        return false;
    struct validate_set *s = validate_add_set(v, &v3_products);
    for (size_t i = 0; i < c.rows; i++) {
        double mkn[3], wall = csv_number(&c, i, "latency_us");
        if (!csv_wanted(&c, i, v->size))
            continue;
        read_mkn(&c, i, mkn);
        add_product(s, m, &v3_core, mkn, (wall - csv_number(&c, i, "overhead_us")) / US, US);
        struct validate_row *row = &s->rows[s->count - 1];
        row->judged = wall > 500;
        if (!row->judged)
            snprintf(row->note, sizeof row->note, "below 500 us: not judged");
    }
    csv_clear(&c);
    return true;
}

/* ---- TPU v5e ---- */

/* 4 arrays x 128 x 128 x 2 x 1500 MHz; 753 GB/s is the best of the skinny products; the
 * smallest op that was measured, an add of 4 KiB, takes 1.9 us. */
static const struct roofline v5e_chip = { 196.6e12, 753e9, 1.9e-6 };

#define KILN "Time of one op in a loop on the chip, differences of two loop counts, so no " \
             "dispatch (kiln 7eace146, micro_loop), bf16. "

static const struct validate_set v5e_large = {
    .title = "TPU v5e: products of 256 rows or more", .unit = "us", .mean_bar = 5,
    .about = KILN "The roofline: 196.6 TFLOP/s, 753 GB/s (the best of the skinny products) and "
             "1.9 us (the smallest op measured).",
};
static const struct validate_set v5e_skinny = {
    .title = "TPU v5e: products of fewer rows", .unit = "us", .mean_bar = 4,
    .about = KILN "Roofline as above.",
};
static const struct validate_set v5e_sweep = {
    .title = "TPU v5e: an earlier sweep (not judged)", .unit = "us",
    .about = "The same source's earlier run, `sweep`: operands may have stayed on the chip from "
             "one repetition to the next, while the model reads them from HBM.",
};
static const struct validate_set v5e_elementwise = {
    .title = "TPU v5e: element-wise ops (not judged)", .unit = "us",
    .about = "Add of two tensors, and a tensor times a number, bf16, by bytes of one operand "
             "(kiln 7eace146). Roofline as above.",
};

static void v5e_row(struct validation *v, const struct csv *c, size_t i, const struct machine *m)
{
    struct validate_set *large = &v->sets[v->count - 3];
    double mkn[3];
    read_mkn(c, i, mkn);
    bool sweep = strcmp(csv_text(c, i, "run"), "micro_loop") != 0;
    struct validate_set *s = large + (sweep ? 2 : mkn[M] < 256);
    add_product(s, m, &v5e_chip, mkn, csv_number(c, i, "latency_us") / US, US);
    s->rows[s->count - 1].judged = !sweep;
}

static double run_elementwise(const struct validate_row *row, struct diag *d)
{
    uint64_t rows = (uint64_t)(row->arg[0] / (1024 * BF16_BYTES));
    uint64_t shape[] = { rows, 1024 };
    bool add = row->arg[1] == 2;
    struct trace *t = trace_new("elementwise");
    uint32_t a = trace_tensor(t, "a", ROLE_INPUT, TRACE_BF16, 2, shape);
    uint32_t b = add ? trace_tensor(t, "b", ROLE_INPUT, TRACE_BF16, 2, shape) : TRACE_NONE;
    uint32_t y = trace_tensor(t, "y", ROLE_OUTPUT, TRACE_BF16, 2, shape);
    struct trace_op op = { .kind = add ? TRACE_ADD : TRACE_SCALE, .phase = PHASE_FORWARD,
                           .out = { y }, .outs = 1, .in = { a, b }, .ins = add ? 2 : 1 };
    if (!add) {
        op.given = 1u << ATTR_FACTOR;
        op.attr[ATTR_FACTOR] = 3;
    }
    t->batch = rows;
    if (!trace_add_op(t, &op, NULL, d)) {
        trace_free(t);
        return NAN;
    }
    json_t *result = validate_result(t, row->machine, 1, false, d);
    double seconds = result ? validate_field(result, "time_s") : NAN;
    json_decref(result);
    return seconds * US;
}

static bool elementwise(struct validation *v, const struct machine *m, struct diag *d)
{
    struct csv c;
    struct validate_set *s = validate_add_set(v, &v5e_elementwise);
    if (!csv_read(&c, v->folder, "memory_elementwise_kiln.csv", d))
        return false;
    for (size_t i = 0; i < c.rows; i++) {
        const char *op = csv_text(&c, i, "op");
        double bytes = csv_number(&c, i, "operand_bytes"), ins = strcmp(op, "add") == 0 ? 2 : 1;
        if (strcmp(csv_text(&c, i, "device"), "tpu_v5e") != 0 || !csv_wanted(&c, i, v->size)
            || (ins == 1 && strcmp(op, "scale") != 0))
            continue;
        struct validate_row row = { .run = run_elementwise, .machine = m, .arg = { bytes, ins },
                                    .measured = csv_number(&c, i, "latency_us") };
        snprintf(row.what, sizeof row.what, "%s, %.0f KiB", op, bytes / 1024);
        row.roofline = validate_roofline(&v5e_chip, 0, (ins + 1) * bytes) * US;
        row.class = validate_class_of(&v5e_chip, 0, bytes, row.measured / US);
        validate_add_row(s, &row);
    }
    csv_clear(&c);
    return true;
}

bool validate_v5e(struct validation *v, struct diag *d)
{
    struct csv c;
    const struct machine *m = validate_machine(v, "tpu-v5e", d);
    if (!m || !csv_read(&c, v->folder, "gemm_kiln_a100_tpuv5e.csv", d))
        return false;
    validate_add_set(v, &v5e_large);
    validate_add_set(v, &v5e_skinny);
    validate_add_set(v, &v5e_sweep);
    for (size_t i = 0; i < c.rows; i++)
        if (strcmp(csv_text(&c, i, "device"), "tpu_v5e") == 0 && csv_wanted(&c, i, v->size))
            v5e_row(v, &c, i, m);
    csv_clear(&c);
    return elementwise(v, m, d);
}
