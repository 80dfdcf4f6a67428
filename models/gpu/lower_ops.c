/* lower_ops.c - ops that are neither products nor optimizers: a launch each, or a few.
 *
 *     element by element     y, up to three operands, two numbers
 *     rows                   a warp or a block a row
 *     sums                   parts by blocks in the workspace, then one launch to finish them
 *     layout                 copies, casts and transposes
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "models/gpu/lower_parts.h"

#define WARP_COLUMNS  1024u     /* the widest row that a warp takes */
#define SUM_ELEMENTS  1024u     /* total's blocks take multiples of this */
#define SUM_ROWS        32u     /* the fewest rows for a block of a column sum */
#define SUM_THREADS    256u
#define TURN_SIDE       32u     /* of the square that a block of transpose moves */

static const struct trace_tensor *input(const struct lower *l, uint32_t i)
{
    return &l->trace->tensors[l->op->in[i]];
}

static uint64_t in(const struct lower *l, uint32_t i)
{
    return i < l->op->ins ? lower_address(l, l->op->in[i]) : 0;
}

static uint64_t out(const struct lower *l, uint32_t i)
{
    return lower_address(l, l->op->out[i]);
}

static uint64_t columns_of(const struct trace_tensor *x) { return x->shape[x->rank - 1]; }

/* Blocks of 256 threads that the chip holds at a time. */
static uint64_t blocks_of_chip(const struct lower *l)
{
    uint32_t a_sm = l->config->sm.warps / (SUM_THREADS / 32);
    return (uint64_t)l->config->sm.count * (a_sm ? a_sm : 1);
}

static uint64_t at_most(uint64_t n, uint64_t most) { return n < most ? n : most; }

/* Rows and columns go into kernels as words. */
static bool check_words(const struct lower *l, uint64_t rows, uint64_t columns)
{
    if (rows <= UINT32_MAX && columns <= UINT32_MAX)
        return true;
    return lower_refuse(l, "goes over %" PRIu64 " rows of %" PRIu64 " columns; expected less "
                        "than 2^32 of each", rows, columns);
}

/* ---- element by element ---- */

static double first_number(const struct lower *l)
{
    double elements = (double)trace_elements(input(l, 0));
    switch ((int)l->op->kind) {
    case TRACE_SCALE: return l->op->attr[ATTR_FACTOR];
    case TRACE_MEAN_SQUARED_ERROR_GRAD: return 2 / elements;
    case TRACE_SIGMOID_CROSS_ENTROPY_GRAD:
    case TRACE_BINARY_CROSS_ENTROPY_GRAD: return 1 / elements;
    }
    return 0;
}

static bool each_element(struct lower *l)
{
    const uint32_t operands[] = { l->op->out[0], l->op->in[0],
                                  l->op->ins > 1 ? l->op->in[1] : TRACE_NONE };
    const struct gpu_simple_kernel *k =
        lower_simple(l, op_rows[l->op->kind].name, operands, 3);
    uint64_t n = trace_elements(input(l, 0));
    return LAUNCH(l, k->name, ((struct lower_grid){ lower_ceil(n, k->per_block), 1, 1 }),
                  k->threads, 0, ADDRESS(out(l, 0)), ADDRESS(in(l, 0)), ADDRESS(in(l, 1)),
                  ADDRESS(0), LONG(n), REAL(first_number(l)), REAL(l->op->attr[ATTR_EPSILON]),
                  WORD(lower_types(l, operands, 3)));
}

static bool bias(struct lower *l)
{
    const uint32_t operands[] = { l->op->out[0], l->op->in[0], l->op->in[1] };
    const struct gpu_simple_kernel *k = lower_simple(l, "bias", operands, 3);
    uint64_t rows = trace_rows(input(l, 0)), columns = columns_of(input(l, 0));
    uint64_t across = lower_ceil(columns, k->per_block);
    struct lower_grid grid = { across, at_most(rows, lower_ceil(blocks_of_chip(l), across)), 1 };
    return check_words(l, rows, columns)
        && LAUNCH(l, k->name, grid, k->threads, 0, ADDRESS(out(l, 0)), ADDRESS(in(l, 0)),
                  ADDRESS(in(l, 1)), WORD(rows), WORD(columns),
                  WORD(lower_types(l, operands, 3)));
}

/* ---- rows ---- */

struct row_operands { uint32_t y, a, b, c, mean, rstd; double number; };

static struct row_operands row_operands(const struct lower *l)
{
    const struct trace_op *op = l->op;
    struct row_operands r = { op->out[0], op->in[0], TRACE_NONE, TRACE_NONE, TRACE_NONE,
                              TRACE_NONE, 1 / (double)trace_rows(input(l, 0)) };
    if (op->ins > 1)
        r.b = op->in[1];
    if (op->ins > 2)
        r.c = op->in[2];
    if (op->kind == TRACE_LAYERNORM) {
        r.mean = op->out[1];
        r.rstd = op->out[2];
        r.number = op->attr[ATTR_EPSILON];
    } else if (op->kind == TRACE_LAYERNORM_GRAD) {
        r.mean = op->in[3];
        r.rstd = op->in[4];
    } else if (op->kind == TRACE_SOFTMAX_CROSS_ENTROPY) {
        r.y = TRACE_NONE;               /* a loss a row, in the workspace */
    }
    return r;
}

static uint64_t maybe(const struct lower *l, uint32_t tensor)
{
    return tensor == TRACE_NONE ? 0 : lower_address(l, tensor);
}

static bool row_by_row(struct lower *l)
{
    struct row_operands r = row_operands(l);
    const uint32_t operands[] = { r.y, r.a, r.b, r.c, r.mean, r.rstd };
    uint64_t rows = trace_rows(input(l, 0)), columns = columns_of(input(l, 0));
    char base[64];
    snprintf(base, sizeof base, "%s_%s", op_rows[l->op->kind].name,
             columns <= WARP_COLUMNS ? "warp" : "block");
    int first = r.y == TRACE_NONE;
    const struct gpu_simple_kernel *k = lower_simple(l, base, operands + first, 6 - first);
    return check_words(l, rows, columns)
        && LAUNCH(l, k->name, ((struct lower_grid){ lower_ceil(rows, k->per_block), 1, 1 }),
                  k->threads, 0, r.y == TRACE_NONE ? WORKSPACE(0) : ADDRESS(lower_address(l, r.y)),
                  ADDRESS(lower_address(l, r.a)), ADDRESS(maybe(l, r.b)), ADDRESS(maybe(l, r.c)),
                  ADDRESS(maybe(l, r.mean)), ADDRESS(maybe(l, r.rstd)), WORD(rows),
                  WORD(columns), REAL(r.number), WORD(lower_types(l, operands, 6)));
}

/* ---- sums over rows ---- */

/* Rows of a block: as few as fill the chip with blocks, but enough to be worth a block. */
static uint64_t rows_of_block(const struct lower *l, uint64_t rows, uint64_t across)
{
    uint64_t parts = lower_ceil(blocks_of_chip(l), across);
    uint64_t each = lower_ceil(rows, parts);
    return each > SUM_ROWS ? each : at_most(rows, SUM_ROWS);
}

static bool finish_columns(struct lower *l, uint32_t y, uint64_t at, uint64_t parts,
                           uint64_t columns, double scale)
{
    const struct gpu_simple_kernel *k = lower_simple(l, "column_finish", &y, 1);
    return LAUNCH(l, k->name, ((struct lower_grid){ lower_ceil(columns, k->per_block), 1, 1 }),
                  k->threads, 0, ADDRESS(lower_address(l, y)), WORKSPACE(at), WORD(parts),
                  WORD(columns), REAL(scale), WORD(lower_types(l, &y, 1)));
}

static bool sum_columns(struct lower *l)
{
    const uint32_t operands[] = { l->op->out[0], l->op->in[0] };
    const struct gpu_simple_kernel *k = lower_simple(l, "column_sum", operands, 2);
    uint64_t rows = trace_rows(input(l, 0)), columns = columns_of(input(l, 0));
    uint64_t across = lower_ceil(columns, k->per_block), each = rows_of_block(l, rows, across);
    uint64_t parts = lower_ceil(rows, each);
    double scale = l->op->kind == TRACE_MEAN_ROWS ? 1 / (double)rows : 1;
    lower_workspace(l, parts > 1 ? 4 * parts * columns : 0);
    return check_words(l, rows, columns)
        && LAUNCH(l, k->name, ((struct lower_grid){ across, parts, 1 }), k->threads, 0,
                  ADDRESS(out(l, 0)), ADDRESS(in(l, 0)), WORKSPACE(0), WORD(rows),
                  WORD(columns), WORD(each), REAL(scale), WORD(lower_types(l, operands, 2)))
        && (parts == 1 || finish_columns(l, l->op->out[0], 0, parts, columns, scale));
}

static bool norm_weights(struct lower *l)
{
    const struct trace_op *op = l->op;
    const uint32_t operands[] = { op->out[0], op->out[1], op->in[0], op->in[1], op->in[2],
                                  op->in[3] };
    const struct gpu_simple_kernel *k = lower_simple(l, "layernorm_weights", operands, 6);
    uint64_t rows = trace_rows(input(l, 0)), columns = columns_of(input(l, 0));
    uint64_t across = lower_ceil(columns, k->per_block), each = rows_of_block(l, rows, across);
    uint64_t parts = lower_ceil(rows, each);
    lower_workspace(l, parts > 1 ? 8 * parts * columns : 0);
    return check_words(l, rows, columns)
        && LAUNCH(l, k->name, ((struct lower_grid){ across, parts, 1 }), k->threads, 0,
                  ADDRESS(out(l, 0)), ADDRESS(out(l, 1)), ADDRESS(in(l, 0)), ADDRESS(in(l, 1)),
                  ADDRESS(in(l, 2)), ADDRESS(in(l, 3)), WORKSPACE(0), WORD(rows), WORD(columns),
                  WORD(each), WORD(lower_types(l, operands, 6)))
        && (parts == 1 || (finish_columns(l, op->out[0], 0, parts, columns, 1)
                           && finish_columns(l, op->out[1], 4 * parts * columns, parts, columns,
                                             1)));
}

/* ---- sums of everything ---- */

/* What is summed: tensors, or what a launch before has left at the workspace's start. */
struct total { enum gpu_total what; uint64_t elements; double scale; bool from_workspace; };

static struct total total_of(const struct lower *l)
{
    uint64_t n = trace_elements(input(l, 0)), rows = trace_rows(input(l, 0));
    switch ((int)l->op->kind) {
    case TRACE_SIGMOID_CROSS_ENTROPY:
        return (struct total){ GPU_TOTAL_SIGMOID_CROSS_ENTROPY, n, 1 / (double)n, false };
    case TRACE_BINARY_CROSS_ENTROPY:
        return (struct total){ GPU_TOTAL_BINARY_CROSS_ENTROPY, n, 1 / (double)n, false };
    case TRACE_MEAN_SQUARED_ERROR:
        return (struct total){ GPU_TOTAL_SQUARED_ERROR, n, 1 / (double)n, false };
    case TRACE_SOFTMAX_CROSS_ENTROPY:
        return (struct total){ GPU_TOTAL_SUM, rows, 1 / (double)rows, true };
    case TRACE_MEAN:
        return (struct total){ GPU_TOTAL_SUM, n, 1 / (double)n, false };
    }
    return (struct total){ GPU_TOTAL_SUM, n, 1, false };
}

/* The sums of blocks lie behind what they are of, in whole words of 16 bytes. */
static bool sum_all(struct lower *l)
{
    struct total t = total_of(l);
    const uint32_t operands[] = { l->op->in[0], l->op->ins > 1 ? l->op->in[1] : TRACE_NONE };
    const struct gpu_simple_kernel *k = t.from_workspace ? gpu_simple_kernel("total_f32")
                                                         : lower_simple(l, "total", operands, 2);
    const struct gpu_simple_kernel *last = lower_simple(l, "total_finish", l->op->out, 1);
    uint64_t each = lower_ceil(lower_ceil(t.elements, blocks_of_chip(l)), SUM_ELEMENTS)
                  * SUM_ELEMENTS;
    uint64_t parts = lower_ceil(t.elements, each);
    uint64_t at = t.from_workspace ? lower_ceil(t.elements, 4) * 16 : 0;
    lower_workspace(l, at + 4 * parts);
    return LAUNCH(l, k->name, ((struct lower_grid){ parts, 1, 1 }), k->threads, 0,
                  WORKSPACE(at), t.from_workspace ? WORKSPACE(0) : ADDRESS(in(l, 0)),
                  ADDRESS(t.from_workspace ? 0 : in(l, 1)), LONG(t.elements), LONG(each),
                  REAL(l->op->attr[ATTR_EPSILON]), WORD(t.what),
                  WORD(t.from_workspace ? 0 : lower_types(l, operands, 2)))
        && LAUNCH(l, last->name, ((struct lower_grid){ 1, 1, 1 }), last->threads, 0,
                  ADDRESS(out(l, 0)), WORKSPACE(at), WORD(parts), REAL(t.scale),
                  WORD(lower_types(l, l->op->out, 1)));
}

/* ---- layout ---- */

static bool cast(struct lower *l, struct lower_argument y, enum gpu_element y_type, uint64_t a,
                 enum gpu_element a_type, uint64_t elements)
{
    const struct gpu_simple_kernel *k = gpu_simple_kernel("cast_any");
    uint64_t blocks = lower_ceil(elements, k->per_block);
    return LAUNCH(l, k->name, ((struct lower_grid){ blocks, 1, 1 }), k->threads, 0, y,
                  ADDRESS(a), ADDRESS(0), ADDRESS(0), LONG(elements), REAL(0), REAL(0),
                  WORD((uint32_t)y_type | (uint32_t)a_type << 4));
}

bool lower_cast(struct lower *l, uint64_t y, enum gpu_element y_type, uint64_t a,
                enum gpu_element a_type, uint64_t elements)
{
    return cast(l, ADDRESS(y), y_type, a, a_type, elements);
}

/* From `x`, or the workspace's start if `x` is 0. */
static bool turn(struct lower *l, uint64_t x)
{
    const struct trace_tensor *from = input(l, 0);
    const struct gpu_simple_kernel *k = gpu_simple_kernel("transpose");
    uint64_t columns = columns_of(from), rows = from->shape[from->rank - 2];
    struct lower_grid grid = { lower_ceil(columns, TURN_SIDE), lower_ceil(rows, TURN_SIDE),
                               trace_elements(from) / (rows * columns) };
    return check_words(l, rows, columns)
        && LAUNCH(l, k->name, grid, k->threads, 0, ADDRESS(out(l, 0)),
                  x ? ADDRESS(x) : WORKSPACE(0), WORD(rows), WORD(columns),
                  WORD(trace_type_bytes(l->plan->types[l->op->out[0]])));
}

/* One that also changes the type is cast first. */
static bool transpose(struct lower *l)
{
    enum gpu_element from = lower_element(l, l->op->in[0]), to = lower_element(l, l->op->out[0]);
    uint64_t n = trace_elements(input(l, 0));
    if (from == to)
        return turn(l, in(l, 0));
    lower_workspace(l, n * trace_type_bytes(l->plan->types[l->op->out[0]]));
    return cast(l, WORKSPACE(0), to, in(l, 0), from, n) && turn(l, 0);
}

static bool reshape(struct lower *l)
{
    const struct gpu_simple_kernel *k = gpu_simple_kernel("copy");
    uint64_t bytes = trace_elements(input(l, 0))
                   * trace_type_bytes(l->plan->types[l->op->out[0]]);
    if (out(l, 0) == in(l, 0))
        return true;
    return LAUNCH(l, k->name, ((struct lower_grid){ lower_ceil(bytes, k->per_block), 1, 1 }),
                  k->threads, 0, ADDRESS(out(l, 0)), ADDRESS(in(l, 0)), LONG(bytes));
}

static bool layout(struct lower *l)
{
    if (l->op->kind == TRACE_TRANSPOSE)
        return transpose(l);
    if (l->op->kind == TRACE_RESHAPE)
        return reshape(l);
    return lower_cast(l, out(l, 0), lower_element(l, l->op->out[0]), in(l, 0),
                      lower_element(l, l->op->in[0]), trace_elements(input(l, 0)));
}

/* ---- all of them ---- */

static bool reduce(struct lower *l)
{
    switch ((int)l->op->kind) {
    case TRACE_SUM_ROWS:
    case TRACE_MEAN_ROWS: return sum_columns(l);
    case TRACE_SUM:
    case TRACE_MEAN:      return sum_all(l);
    case TRACE_LAYERNORM_GRAD_WEIGHTS: return norm_weights(l);
    }
    return lower_refuse(l, "no kernel sums so; expected another op");
}

bool lower_op(struct lower *l)
{
    switch (op_rows[l->op->kind].class) {
    case OP_ELEMENTWISE: return l->op->kind == TRACE_BIAS ? bias(l) : each_element(l);
    case OP_ROW:         return row_by_row(l);
    case OP_REDUCE:      return reduce(l);
    case OP_LOSS:
        return (l->op->kind != TRACE_SOFTMAX_CROSS_ENTROPY || row_by_row(l)) && sum_all(l);
    case OP_LAYOUT:      return layout(l);
    case OP_COLLECTIVE:  return true;   /* one device: the sum over replicas is itself */
    case OP_MATMUL:
    case OP_OPTIMIZER:
    case OP_CLASSES_COUNT: break;
    }
    abort();
}
