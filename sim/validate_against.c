/* validate_against.c - a user's own measurements: products, networks and traces, a row each.
 *
 *     machine,m,k,n,type,transpose,cores,measured_us
 *     a100,4096,4096,4096,bf16,nn,,560
 *
 *     machine,workload,batch,measured_ms
 *     tpu-v3,workloads/mlp.net,256,0.42
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/op.h"
#include "sim/gemm.h"
#include "sim/validate_csv.h"
#include "sim/validate_product.h"
#include "traces/net.h"

#define US 1e6
#define MOST_CORES 64

struct validate_own {
    struct gemm gemm;           /* of a product */
    char     workload[256];     /* of another row: its file */
    uint64_t batch;             /* of a network, instead of its own; 0: that */
    uint32_t cores;             /* of a TPU; 0: all */
};

static const struct { const char *column; double us; } units[] = {
    { "measured_us", 1 }, { "measured_ms", 1e3 }, { "measured_s", 1e6 },
};

/* ---- running ---- */

static struct trace *trace_of(const struct validate_own *own, struct diag *d)
{
    struct net_options options = { .batch = own->batch };
    return own->workload[0] ? trace_load(own->workload, own->batch ? &options : NULL, d)
                            : gemm_trace(&own->gemm, d);
}

static double run(const struct validate_row *row, struct diag *d)
{
    const struct validate_own *own = row->detail;
    json_t *result = validate_result(trace_of(own, d), row->machine, own->cores, false, d);
    double seconds = result ? validate_field(result, "time_s") : NAN;
    json_decref(result);
    return seconds * US;
}

/* ---- a roofline of data-sheet figures ---- */

static bool multiplies_f32_only(const struct trace *t)
{
    for (uint32_t i = 0; i < t->op_count; i++)
        if (t->ops[i].kind == TRACE_MATMUL && t->ops[i].compute != TRACE_F32)
            return false;
    return true;
}

static double peak_of(const struct machine *m, const struct trace *t, uint32_t cores)
{
    const struct figures *f = machine_figures(m);
    const struct tpu_config *tpu = &f->tpu;
    const struct gpu_config *gpu = &f->gpu;
    double lanes = (double)gpu->sm.subcores * GPU_LANES;
    if (machine_kind(m) == MACHINE_TPU)
        return 2.0 * (cores ? cores : tpu->chip.cores) * tpu->core.mxus * tpu->mxu.rows
             * tpu->mxu.cols * tpu->chip.clock_mhz * 1e6;
    return 2 * (multiplies_f32_only(t) ? lanes / gpu->pipes.fp32_interval
                                       : gpu->tensor.peak_f16_macs)
         * gpu->sm.count * gpu->gpu.clock_mhz * 1e6;
}

static struct roofline roof_of(const struct machine *m, const struct trace *t, uint32_t cores)
{
    const struct figures *f = machine_figures(m);
    double bytes = hbm_peak_bytes_per_s(&f->hbm) * f->hbm.stacks;
    bool split = machine_kind(m) == MACHINE_TPU && cores > 0
              && f->tpu.chip.hbm_sharing == TPU_HBM_SPLIT;
    if (split)
        bytes *= (double)cores / f->tpu.chip.cores;
    return (struct roofline){ peak_of(m, t, cores), bytes, 0 };
}

/* ---- rows ---- */

static bool refuse(const struct csv *c, size_t i, const char *column, const char *expected,
                   struct diag *d)
{
    return diag_set(d, c->lines[i], 0, "%s: '%.40s' cannot be; expected %s", column,
                    csv_text(c, i, column), expected);
}

/* A whole number of 1 or more; what is empty is 0 where it `may_lack`. */
static bool read_whole(const struct csv *c, size_t i, const char *column, double most,
                       bool may_lack, uint64_t *value, struct diag *d)
{
    const char *text = csv_text(c, i, column);
    double x = csv_number(c, i, column);
    char expected[64];
    *value = 0;
    if (may_lack && text[0] == '\0')
        return true;
    snprintf(expected, sizeof expected, "a whole number, 1 to %.0f", most);
    if (text[strspn(text, "0123456789")] != '\0' || !(x >= 1 && x <= most))
        return refuse(c, i, column, expected, d);
    *value = (uint64_t)x;
    return true;
}

static bool read_product(const struct csv *c, size_t i, struct gemm *g, struct diag *d)
{
    const char *type = csv_text(c, i, "type"), *transpose = csv_text(c, i, "transpose");
    g->type = TRACE_BF16;
    if (type[0] && !gemm_type(g, type))
        return refuse(c, i, "type", "bf16, f16 or f32", d);
    if (transpose[0] && !gemm_transpose(g, transpose))
        return refuse(c, i, "transpose", "nn, nt or tn", d);
    return read_whole(c, i, "m", GEMM_MOST, false, &g->m, d)
        && read_whole(c, i, "k", GEMM_MOST, false, &g->k, d)
        && read_whole(c, i, "n", GEMM_MOST, false, &g->n, d);
}

static const char *const of_product[] = { "m", "k", "n", "type", "transpose" };

static bool read_own(const struct csv *c, size_t i, const struct machine *m,
                     struct validate_own *own, struct diag *d)
{
    uint64_t cores;
    bool tpu = machine_kind(m) == MACHINE_TPU;
    snprintf(own->workload, sizeof own->workload, "%s", csv_text(c, i, "workload"));
    if (!read_whole(c, i, "batch", 1u << 24, true, &own->batch, d)
        || !read_whole(c, i, "cores", MOST_CORES, true, &cores, d))
        return false;
    if (cores > 0 && !tpu)
        return refuse(c, i, "cores", "none on a gpu", d);
    for (size_t p = 0; own->workload[0] && p < sizeof of_product / sizeof of_product[0]; p++)
        if (csv_text(c, i, of_product[p])[0])
            return refuse(c, i, of_product[p], "none beside a workload", d);
    own->cores = cores > 0 ? (uint32_t)cores : tpu && !own->workload[0];
    return own->workload[0] || read_product(c, i, &own->gemm, d);
}

static bool read_measured(const struct csv *c, size_t i, double *us, struct diag *d)
{
    const char *given = NULL;
    for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
        if (csv_text(c, i, units[u].column)[0] == '\0')
            continue;
        if (given)
            return diag_set(d, c->lines[i], 0, "%s and %s are both given; expected one of them",
                            given, units[u].column);
        given = units[u].column;
        *us = csv_number(c, i, given) * units[u].us;
        if (!(*us > 0 && *us < 1e12))
            return refuse(c, i, given, "a time above 0", d);
    }
    return given || diag_set(d, c->lines[i], 0, "nothing was measured; expected a time in column "
                    "measured_us, measured_ms or measured_s");
}

static void name_row(struct validate_row *row, const struct validate_own *own)
{
    const struct gemm *g = &own->gemm;
    const char *slash = strrchr(own->workload, '/'), *machine = machine_name(row->machine);
    if (own->workload[0] && own->batch)
        snprintf(row->what, sizeof row->what, "%.20s: %.60s, batch %llu", machine,
                 slash ? slash + 1 : own->workload, (unsigned long long)own->batch);
    else if (own->workload[0])
        snprintf(row->what, sizeof row->what, "%.20s: %.80s", machine,
                 slash ? slash + 1 : own->workload);
    else
        snprintf(row->what, sizeof row->what, "%.20s: %u x %u x %u %s %s", machine,
                 (unsigned)g->m, (unsigned)g->k, (unsigned)g->n, trace_type_names[g->type],
                 gemm_transpose_name(g));
    snprintf(row->group, sizeof row->group, "%.31s", machine);
}

/* The trace is made twice, here to be refused before anything runs. */
static bool add_row(struct validation *v, struct validate_set *s, const struct csv *c, size_t i,
                    struct diag *d)
{
    struct validate_own *own = &v->own[i];
    struct validate_row row = { .run = run, .judged = true, .detail = own };
    struct diag found = { .text = "" };
    const char *name = csv_text(c, i, "machine");
    row.machine = name[0] ? validate_machine(v, name, &found) : NULL;
    if (!row.machine)
        return diag_set(d, c->lines[i], 0, "%s", name[0] ? found.text
                        : "no machine; expected a name in column machine");
    if (!read_own(c, i, row.machine, own, d) || !read_measured(c, i, &row.measured, d))
        return false;
    struct trace *t = trace_of(own, &found);
    if (!t)
        return diag_set(d, c->lines[i], 0, "%.200s: %.280s",
                        own->workload[0] ? own->workload : "the product", found.text);
    struct roofline roof = roof_of(row.machine, t, own->cores);
    double flops = (double)t->flops, bytes = (double)t->bytes;
    row.roofline = validate_roofline(&roof, flops, bytes) * US;
    row.class = validate_class_of(&roof, flops, bytes, row.measured / US);
    trace_free(t);
    name_row(&row, own);
    validate_add_row(s, &row);
    return true;
}

bool validate_against(struct validation *v, const char *path, struct diag *d)
{
    static const struct validate_set own = {
        .title = "Your measurements", .unit = "us",
        .about = "The device's time of one run from cold caches and closed rows, without launch "
                 "and host. The roofline: the machine's peak and its memory's, each input and "
                 "result of an op moved once.",
    };
    struct csv c;
    const char *slash = strrchr(path, '/');
    char folder[160];
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    if (!csv_read(&c, folder, slash ? slash + 1 : path, d))
        return false;
    snprintf(d->file, sizeof d->file, "%s", path);
    struct validate_set *s = validate_add_set(v, &own);
    v->own = calloc(c.rows + 1, sizeof *v->own);
    if (!v->own)
        abort();
    bool ok = true;
    for (size_t i = 0; ok && i < c.rows; i++)
        ok = add_row(v, s, &c, i, d);
    csv_clear(&c);
    return ok;
}
