/* validate_gpu.c - matrix products of V100 and A100 beside a vendor's library. */
#include <math.h>
#include <string.h>

#include "sim/experiment.h"
#include "sim/gemm.h"
#include "sim/validate_csv.h"
#include "sim/validate_product.h"

#define US 1e6

enum { M, N, K, TRANSPOSE_A, TRANSPOSE_B, TYPE, FLOOR_US };

/* Back to back, a product's time is that from block to block: a run's, which is without its
 * own start, and the gap to the next kernel. */
static double time_of(const json_t *result, const struct figures *f)
{
    return validate_field(result, "time_s") + f->gpu.launch.next_us / US;
}

static double run_product(const struct validate_row *row, struct diag *d)
{
    struct gemm g = { .m = (uint64_t)row->arg[M], .k = (uint64_t)row->arg[K],
                      .n = (uint64_t)row->arg[N], .type = (enum trace_type)row->arg[TYPE],
                      .transpose_a = row->arg[TRANSPOSE_A] > 0,
                      .transpose_b = row->arg[TRANSPOSE_B] > 0 };
    struct trace *t = gemm_trace(&g, d);
    struct experiment e = { .machine = row->machine, .trace = t, .sample = true,
                            .lower = { .highest = g.type == TRACE_F32 } };
    int status;
    json_t *result = t ? experiment_run(&e, d, &status) : NULL;
    double seconds = result ? time_of(result, machine_figures(row->machine)) : NAN;
    json_decref(result);
    trace_free(t);
    return seconds * US + row->arg[FLOOR_US];
}

struct source {
    const struct machine *machine;
    struct roofline       roofline;
    enum trace_type       type;
    double                floor_us;     /* of every row, which a device model does not have */
};

static void add_row(struct validate_set *s, const struct source *from, const double mnk[3],
                    bool ta, bool tb, double measured_us)
{
    double m = mnk[M], n = mnk[N], k = mnk[K], flops = 2 * m * n * k;
    double bytes = trace_type_bytes(from->type) * (m * k + k * n + m * n);
    struct validate_row row = {
        .run = run_product, .machine = from->machine, .judged = true, .measured = measured_us,
        .arg = { m, n, k, ta, tb, from->type, from->floor_us },
        .roofline = validate_roofline(&from->roofline, flops, bytes) * US + from->floor_us,
        .class = validate_class_of(&from->roofline, flops, bytes, measured_us / US),
    };
    snprintf(row.what, sizeof row.what, "%.0f x %.0f x %.0f %c%c", m, k, n, ta ? 't' : 'n',
             tb ? 't' : 'n');
    validate_add_row(s, &row);
}

static void read_mnk(const struct csv *c, size_t i, double mnk[3])
{
    mnk[M] = csv_number(c, i, "m");
    mnk[N] = csv_number(c, i, "n");
    mnk[K] = csv_number(c, i, "k");
}

/* ---- V100 SXM2: DeepBench ---- */

#define DEEPBENCH "DeepBench's training products on a DGX-1 (CUDA 10.1; @da81ba78), mean of " \
    "repeated calls, so operands that fit are warm in L2, while here a run starts cold. Its " \
    "matrices lie by column: m x n by column is n x m by row, so both are exchanged here. " \
    "v100, 1530 MHz at most, 300 W. Long launches are sampled. "

static const struct validate_set v100_f32 = {
    .title = "V100: products in FP32", .unit = "us", .mean_bar = 12,
    .about = DEEPBENCH "Roofline: 15.7 TFLOP/s, 867 GB/s and 10 us.",
};
static const struct validate_set v100_tensor = {
    .title = "V100: products on tensor cores", .unit = "us", .mean_bar = 12,
    .about = DEEPBENCH "f16 with sums in f32. Roofline: 125 TFLOP/s, 867 GB/s and 10 us.",
};

static const struct roofline v100_f32_roof    = { 15.7e12, 867e9, 10e-6 };
static const struct roofline v100_tensor_roof = { 125e12, 867e9, 10e-6 };

static void deepbench_row(struct validation *v, const struct csv *c, size_t i,
                          const struct machine *m)
{
    bool tensor = strcmp(csv_text(c, i, "math"), "fp32") != 0;
    struct source from = { .machine = m, .type = tensor ? TRACE_F16 : TRACE_F32,
                           .roofline = tensor ? v100_tensor_roof : v100_f32_roof };
    double mnk[3];
    read_mnk(c, i, mnk);
    double by_row[3] = { mnk[N], mnk[M], mnk[K] };
    add_row(&v->sets[v->count - 2 + tensor], &from, by_row,
            strcasecmp(csv_text(c, i, "trans_b"), "t") == 0,
            strcasecmp(csv_text(c, i, "trans_a"), "t") == 0, csv_number(c, i, "latency_us"));
}

bool validate_v100(struct validation *v, struct diag *d)
{
    struct csv c;
    const struct machine *m = validate_machine(v, "v100", d);
    if (!m || !csv_read(&c, v->folder, "gemm_deepbench_train.csv", d))
        return false;
    validate_add_set(v, &v100_f32);
    validate_add_set(v, &v100_tensor);
    for (size_t i = 0; i < c.rows; i++)
        if (csv_wanted(&c, i, v->size))
            deepbench_row(v, &c, i, m);
    csv_clear(&c);
    return true;
}

/* ---- A100 SXM4 40 GB: kiln ---- */

#define KILN "CUDA graphs of back-to-back products, operands rotated through 512 MiB (cold in " \
    "L2), bf16, 400 W cap hit by the big ones (kiln 7eace146). a100, 1410 MHz at most. Long " \
    "launches are sampled. "

static const struct validate_set a100_large = {
    .title = "A100: products of 256 rows or more", .unit = "us", .mean_bar = 9,
    .about = KILN "Roofline: 312 TFLOP/s, 1491 GB/s (the best read measured) and 1.7 us (the "
             "smallest kernel measured).",
};
static const struct validate_set a100_skinny = {
    .title = "A100: products of fewer rows", .unit = "us", .mean_bar = 10,
    .about = KILN "Roofline as above.",
};
static const struct validate_set a100_sweep = {
    .title = "A100: an earlier sweep (not judged)", .unit = "us",
    .about = "The same source's earlier run, `sweep`: operands may be warm in L2.",
};
static const struct roofline a100_roof = { 312e12, 1491e9, 1.7e-6 };

static void kiln_row(struct validation *v, const struct csv *c, size_t i, const struct machine *m)
{
    struct source from = { .machine = m, .type = TRACE_BF16, .roofline = a100_roof };
    bool sweep = strcmp(csv_text(c, i, "run"), "sweep") == 0;
    double mnk[3];
    read_mnk(c, i, mnk);
    struct validate_set *s = &v->sets[v->count - 3] + (sweep ? 2 : mnk[M] < 256);
    add_row(s, &from, mnk, false, false, csv_number(c, i, "latency_us"));
    s->rows[s->count - 1].judged = !sweep;
}

bool validate_a100(struct validation *v, struct diag *d)
{
    struct csv c;
    const struct machine *m = validate_machine(v, "a100", d);
    if (!m || !csv_read(&c, v->folder, "gemm_kiln_a100_tpuv5e.csv", d))
        return false;
    validate_add_set(v, &a100_large);
    validate_add_set(v, &a100_skinny);
    validate_add_set(v, &a100_sweep);
    for (size_t i = 0; i < c.rows; i++)
        if (strcmp(csv_text(&c, i, "device"), "a100_sxm4_40gb") == 0
            && csv_wanted(&c, i, v->size))
            kiln_row(v, &c, i, m);
    csv_clear(&c);
    return true;
}

/* ---- V100 PCIe and A100 PCIe: torch.nn.Linear in FP32 ---- */

#define NEUSIGHT "torch.nn.Linear forward in FP32 without TF32 (NeuSight, ASPLOS 2025, " \
    "@6945927d), events around one call, mean of the 5 fastest of 25; rows of 400 us or more. "

static const struct validate_set v100_linear = {
    .title = "V100 PCIe: linear layers in FP32", .unit = "us", .mean_bar = 12,
    .about = NEUSIGHT "v100-pcie. The host's share, the smallest of 5205 measured times (63.3 "
             "us), is added to model and roofline (14.0 TFLOP/s, 867 GB/s).",
};
static const struct validate_set a100_linear = {
    .title = "A100 PCIe: linear layers in FP32", .unit = "us", .mean_bar = 12,
    .about = NEUSIGHT "a100-pcie-40. The host's share, the smallest of 5205 measured times "
             "(52.2 us), is added to model and roofline (19.5 TFLOP/s, 1491 GB/s).",
};

static const struct {
    const char *device, *machine;
    const struct validate_set *set;
    struct roofline roofline;
    double floor_us;
} linear[] = {
    { "v100_pcie_32gb", "v100-pcie", &v100_linear, { 14.0e12, 867e9, 0 }, 63.3 },
    { "a100_pcie_40gb", "a100-pcie-40", &a100_linear, { 19.5e12, 1491e9, 0 }, 52.2 },
};

bool validate_linear(struct validation *v, struct diag *d)
{
    struct csv c;
    if (!csv_read(&c, v->folder, "gemm_fp32_neusight.csv", d))
        return false;
    for (size_t device = 0; device < sizeof linear / sizeof linear[0]; device++) {
        const struct machine *m = validate_machine(v, linear[device].machine, d);
        if (!m)
            return false;
        struct validate_set *s = validate_add_set(v, linear[device].set);
        struct source from = { m, linear[device].roofline, TRACE_F32, linear[device].floor_us };
        for (size_t i = 0; i < c.rows; i++) {
            double mnk[3];
            read_mnk(&c, i, mnk);
            if (strcmp(csv_text(&c, i, "device"), linear[device].device) == 0
                && csv_wanted(&c, i, v->size)) {
                add_row(s, &from, mnk, false, true, csv_number(&c, i, "latency_us"));
                snprintf(s->rows[s->count - 1].note, sizeof s->rows[0].note, "%.40s",
                         csv_text(&c, i, "kernel"));
            }
        }
    }
    csv_clear(&c);
    return true;
}
