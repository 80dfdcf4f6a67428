/* validate_gpu.c - matrix products of V100 and A100 beside a vendor's library. */
#include <math.h>
#include <string.h>

#include "sim/experiment.h"
#include "sim/validate_csv.h"
#include "sim/validate_gpu.h"
#include "sim/validate_product.h"

#define US 1e6

/* Rows shorter than this are run twice, for a run begins with cold caches and theirs did not. */
#define TWICE_US 100

enum { M, N, K, TRANSPOSES, TYPE, FLOOR_US, COLD, CLOCK_MHZ };

static uint32_t add_matrix(struct trace *t, char what, size_t number, enum trace_type type,
                           const double shape[2], bool transposed, struct diag *d)
{
    struct trace_tensor x = { .role = what == 'y' ? ROLE_OUTPUT : ROLE_INPUT, .type = type,
                              .rank = 2, .shape = { (uint64_t)shape[transposed],
                                                    (uint64_t)shape[!transposed] } };
    snprintf(x.name, sizeof x.name, "%c%zu", what, number);
    return trace_add_tensor(t, &x, NULL, d);
}

/* The product `times` over: each of its own inputs, if they are to be cold in L2. */
static struct trace *products(const struct validate_row *row, size_t times, struct diag *d)
{
    const double *x = row->arg;
    bool ta = (int)x[TRANSPOSES] & 1, tb = (int)x[TRANSPOSES] & 2;
    enum trace_type type = (enum trace_type)x[TYPE];
    struct trace *t = trace_new("products");
    struct trace_op op = { .kind = TRACE_MATMUL, .phase = PHASE_FORWARD, .outs = 1, .ins = 2,
                           .transpose_a = ta, .transpose_b = tb, .compute = type };
    t->batch = (uint64_t)x[ta ? K : M];
    for (size_t i = 0; i < times; i++) {
        if (i == 0 || x[COLD] > 0) {
            op.in[0] = add_matrix(t, 'a', i, type, (double[]){ x[M], x[K] }, ta, d);
            op.in[1] = add_matrix(t, 'b', i, type, (double[]){ x[K], x[N] }, tb, d);
        }
        op.out[0] = add_matrix(t, 'y', i, type, (double[]){ x[M], x[N] }, false, d);
        if (op.in[0] == TRACE_NONE || op.in[1] == TRACE_NONE || op.out[0] == TRACE_NONE
            || !trace_add_op(t, &op, NULL, d)) {
            trace_free(t);
            return NULL;
        }
    }
    return t;
}

/* Back to back, a kernel's time is from its first block to its last one's end, and the gap to
 * the next; of `times` products the last one's counts. */
static double time_of(const json_t *result, size_t times, const struct figures *f)
{
    const json_t *launches = json_object_get(result, "launches");
    size_t count = json_array_size(launches);
    double seconds = 0;
    for (size_t i = count - count / times; i < count; i++)
        seconds += validate_field(json_array_get(launches, i), "time_s")
                 + f->gpu.launch.next_us / US;
    return seconds;
}

static double run_product(const struct validate_row *row, struct diag *d)
{
    size_t times = row->measured < TWICE_US ? 2 : 1;
    struct trace *t = products(row, times, d);
    struct experiment e = { .machine = row->machine, .trace = t, .sample = true,
                            .clock_mhz = row->arg[CLOCK_MHZ],
                            .lower = { .highest = row->arg[TYPE] == TRACE_F32 } };
    int status;
    json_t *result = t ? experiment_run(&e, d, &status) : NULL;
    double seconds = result ? time_of(result, times, machine_figures(row->machine)) : NAN;
    json_decref(result);
    trace_free(t);
    return seconds * US + row->arg[FLOOR_US];
}

struct source {
    const struct machine *machine;
    struct roofline       roofline;
    enum trace_type       type;
    double                floor_us;     /* of every row, which a device model does not have */
    bool                  cold;         /* operands are not in L2 */
};

static void add_row(struct validate_set *s, const struct source *from, const double mnk[3],
                    bool ta, bool tb, double measured_us)
{
    double m = mnk[M], n = mnk[N], k = mnk[K], flops = 2 * m * n * k;
    double bytes = trace_type_bytes(from->type) * (m * k + k * n + m * n);
    struct validate_row row = {
        .run = run_product, .machine = from->machine, .judged = true, .measured = measured_us,
        .arg = { m, n, k, ta + 2 * tb, from->type, from->floor_us, from->cold },
        .roofline = validate_roofline(&from->roofline, flops, bytes) * US + from->floor_us,
        .class = validate_class_of(&from->roofline, flops, bytes, measured_us / US),
    };
    snprintf(row.what, sizeof row.what, "%.0f x %.0f x %.0f %c%c", m, k, n, ta ? 't' : 'n',
             tb ? 't' : 'n');
    validate_add_row(s, &row);
}

void validate_gpu_product_row(struct validate_set *s, const struct validate_gpu_product *p)
{
    struct validate_row row = {
        .run = run_product, .machine = p->machine, .judged = true, .measured = p->measured_us,
        .arg = { [M] = p->m, [N] = p->n, [K] = p->k, [TYPE] = p->type, [COLD] = true,
                 [CLOCK_MHZ] = p->clock_mhz },
        .class = p->measured_us / US < VALIDATE_SMALL_S ? VALIDATE_SMALL : VALIDATE_NONE,
    };
    snprintf(row.what, sizeof row.what, "%s, %s, %u x %u x %u", machine_name(p->machine),
             trace_type_names[p->type], p->m, p->k, p->n);
    validate_add_row(s, &row);
}

static void read_mnk(const struct csv *c, size_t i, double mnk[3])
{
    mnk[M] = csv_number(c, i, "m");
    mnk[N] = csv_number(c, i, "n");
    mnk[K] = csv_number(c, i, "k");
}

/* ---- V100 SXM2: DeepBench ---- */

/* The host's share: the smallest of the measured times, 8 us (512 x 16 x 512 on tensor cores),
 * less the model's. */
#define DEEPBENCH_HOST_US 3.1

#define DEEPBENCH "DeepBench's training products on a DGX-1 (CUDA 10.1; @da81ba78), mean of " \
    "calls from a loop on the host, so operands that fit are warm in L2: rows below 100 us run " \
    "twice here, with the same operands, and the second counts. The host's share of a call, " \
    "what the smallest of the measured times (8 us) has beyond the model's, is added to the " \
    "model: 3.1 us. Its matrices lie by column: m x n by " \
    "column is n x m by row, so both are exchanged here. " \
    "v100, 1530 MHz at most, 300 W. Long launches are sampled. "

static const struct validate_set v100_f32 = {
    .title = "V100: products in FP32", .unit = "us", .mean_bar = 12,
    .about = DEEPBENCH "Roofline: 15.7 TFLOP/s, 867 GB/s and 10 us, the 3.1 among them.",
};
static const struct validate_set v100_tensor = {
    .title = "V100: products on tensor cores", .unit = "us", .mean_bar = 12,
    .about = DEEPBENCH "f16 with sums in f32, and padded to multiples of 8 as the benchmark does. "
             "Roofline: 125 TFLOP/s, 867 GB/s and 10 us, the 3.1 among them.",
};

static const struct roofline v100_f32_roof    = { 15.7e12, 867e9, 6.9e-6 };
static const struct roofline v100_tensor_roof = { 125e12, 867e9, 6.9e-6 };

/* Before CUDA 11 tensor cores want rows that are multiples of 8 long (cuBLAS's manual; from memory,
 * unverified), yet 5481 long ones reach 108 TFLOP/s: the benchmark pads. */
static double padded(double x) { return ceil(x / 8) * 8; }

static void deepbench_row(struct validation *v, const struct csv *c, size_t i,
                          const struct machine *m)
{
    bool tensor = strcmp(csv_text(c, i, "math"), "fp32") != 0;
    struct source from = { .machine = m, .type = tensor ? TRACE_F16 : TRACE_F32,
                           .floor_us = DEEPBENCH_HOST_US,
                           .roofline = tensor ? v100_tensor_roof : v100_f32_roof };
    double mnk[3];
    read_mnk(c, i, mnk);
    double by_row[3] = { mnk[N], mnk[M], mnk[K] };
    struct validate_set *s = &v->sets[v->count - 2 + tensor];
    add_row(s, &from, by_row,
            strcasecmp(csv_text(c, i, "trans_b"), "t") == 0,
            strcasecmp(csv_text(c, i, "trans_a"), "t") == 0, csv_number(c, i, "latency_us"));
    for (int x = M; tensor && x <= K; x++)
        s->rows[s->count - 1].arg[x] = padded(s->rows[s->count - 1].arg[x]);
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
    "L2), bf16, 400 W cap hit by the big ones (kiln 7eace146). a100, 1410 MHz at most. Rows " \
    "below 100 us run twice, with other operands, and the second counts. Long launches are " \
    "sampled. "

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
    struct source from = { .machine = m, .type = TRACE_BF16, .roofline = a100_roof,
                           .cold = true };
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
        struct source from = { .machine = m, .roofline = linear[device].roofline,
                               .type = TRACE_F32, .floor_us = linear[device].floor_us };
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
