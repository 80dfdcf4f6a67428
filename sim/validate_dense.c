/* validate_dense.c - matmul ops of dense networks in training, on one core of TPU v2. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/validate_csv.h"
#include "sim/validate_product.h"
#include "traces/net.h"

#define F32_BYTES    4
#define CORES        8          /* of a board: the batch is split over them */
#define INPUT     2000
#define OUTPUT    1000
#define PEAK   22.5e12          /* of a core, as the profiler's percent mean it */

/* 276 GB/s: the best row reaches 92 % of the 300 that a core's share is taken to be.  No
 * small op was published: the fixed cost is v5e's, which does well here (without it the
 * mean error of all rows is 10.7 points). */
static const struct roofline v2_core = { 22.5e12, 276e9, 1.9e-6 };

static const struct validate_set v2_set = {
    .title = "TPU v2, one core: matmul ops of training", .unit = "% of peak", .points = true,
    .mean_bar = 20, .points_bar = 6,
    .about = "What the hardware profiler of a TPU v2-8 board says of the ops that hold the "
             "matmuls of one training step (ParaDnn 60a25ff2, `matmul_flops_pct`): percent of "
             "22.5 TFLOP/s a core while they run. Input 2000, output 1000, RMSProp, stored f32, "
             "multiplied bf16, and each core has an eighth of the batch. Here: the same network "
             "with that eighth on one core; FLOPs of its matmul groups over their time. The "
             "roofline: 22.5 TFLOP/s, 276 GB/s a core (92 % of 300, the best row), each operand "
             "and result moved once as f32, and 1.9 us an op.",
};

enum { LAYERS, NODES, ROWS };

static struct trace *network(const double *arg, struct diag *d)
{
    char text[512];
    int size = snprintf(text, sizeof text, "simaccel-net 1\nname paradnn\ninput %d\nbatch %.0f\n"
                        "dense %.0f relu repeat=%.0f\ndense %d softmax\nloss cross_entropy\n"
                        "optimizer rmsprop lr=0.001 decay=0.9 epsilon=1e-10\n",
                        INPUT, arg[ROWS], arg[NODES], arg[LAYERS], OUTPUT);
    struct net_options as_it_is = { .batch = 0 };
    return net_expand_memory(text, (size_t)size, &as_it_is, d);
}

static double run_network(const struct validate_row *row, struct diag *d)
{
    json_t *result = validate_result(network(row->arg, d), row->machine, 1, false, d), *op;
    double macs = 0, seconds = 0;
    size_t i;
    json_array_foreach(json_object_get(result, "ops"), i, op) {
        if (strcmp(json_string_value(json_object_get(op, "kind")), "matmul") != 0)
            continue;
        macs += validate_field(op, "macs");
        seconds += validate_field(op, "time_s");
    }
    json_decref(result);
    return result ? 100 * 2 * macs / seconds / PEAK : NAN;
}

/* Forward, gradient of weights, gradient of inputs: the same three sizes each time. */
static void add_layer(double in, double out, double rows, int products, double *flops,
                      double *bytes, double *seconds)
{
    double f = 2 * rows * in * out, b = F32_BYTES * (rows * in + in * out + rows * out);
    *flops += products * f;
    *bytes += products * b;
    *seconds += products * validate_roofline(&v2_core, f, b);
}

static struct validate_row make_row(const struct csv *c, size_t i, const struct machine *m)
{
    double layers = csv_number(c, i, "layers"), nodes = csv_number(c, i, "nodes");
    double rows = csv_number(c, i, "batch") / CORES, flops = 0, bytes = 0, seconds = 0;
    add_layer(INPUT, nodes, rows, 2, &flops, &bytes, &seconds);
    for (double l = 1; l < layers; l++)
        add_layer(nodes, nodes, rows, 3, &flops, &bytes, &seconds);
    add_layer(nodes, OUTPUT, rows, 3, &flops, &bytes, &seconds);
    struct validate_row row = { .run = run_network, .machine = m, .judged = true,
                                .measured = csv_number(c, i, "matmul_flops_pct"),
                                .arg = { layers, nodes, rows } };
    snprintf(row.what, sizeof row.what, "%.0f layers of %.0f, %.0f rows", layers, nodes, rows);
    snprintf(row.group, sizeof row.group, "width %.0f", nodes);
    row.roofline = 100 * flops / seconds / PEAK;
    row.class = validate_class_of(&v2_core, flops, bytes, 1);
    return row;
}

bool validate_v2(struct validation *v, struct diag *d)
{
    struct csv c;
    const struct machine *m = validate_machine(v, "tpu-v2", d);
    if (!m || !csv_read(&c, v->folder, "fc_tpu_v2_trace_paradnn.csv", d))
        return false;
    struct validate_set *s = validate_add_set(v, &v2_set);
    for (size_t i = 0; i < c.rows; i++) {
        if (!csv_wanted(&c, i, v->size))
            continue;
        struct validate_row row = make_row(&c, i, m);
        validate_add_row(s, &row);
    }
    csv_clear(&c);
    return true;
}
