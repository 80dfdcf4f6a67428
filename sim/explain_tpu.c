/* explain_tpu.c - an op on a TPU by hand: what each operation of a unit takes, what a unit does
 * before, in and after its work, and the longest of these.
 *
 * The formulas are those of docs/tpu.md and docs/mxu.md. */
#include <stdlib.h>
#include <string.h>

#include "models/hbm/hbm.h"
#include "models/tpu/mxu_form.h"
#include "models/zeroed.h"
#include "sim/explain_tpu.h"

static const char *const unit_words[TPU_UNITS_COUNT] = {
    [TPU_LOAD] = "load", [TPU_STORE] = "store", [TPU_MATRIX] = "matrix units",
    [TPU_VECTOR] = "vector unit", [TPU_TRANSPOSE] = "transpose units", [TPU_LINK] = "core links",
};

/* ---- the memory ---- */

/* What a core gets of HBM: in cycles of the core, and bytes a cycle. */
static void find_rates(struct explain_tpu *y)
{
    struct explain *x = y->x;
    const struct hbm_config *h = &x->f->hbm;
    const struct tpu_dma_config *dma = &y->t->dma;
    double ghz = x->hz / 1e9, fabric = y->t->chip.fabric_ns;
    double peak = explain_at(x->result, "hbm", "peak_bytes_per_s") / x->cores / x->hz;
    double on = h->refresh == HBM_REFRESH_NONE ? 1 : 1 - h->rfc_ns / h->refi_ns;
    explain_section(x, "The way to HBM");
    explain_line(x, "a core's peak", peak, "bytes/cycle", "peak bytes/s / cores / clock",
                 "%s / %u / %s", D(peak * x->cores * x->hz), x->cores, D(x->hz));
    y->hbm_rate = explain_line(x, "refresh time taken off", peak * on, "bytes/cycle",
                               "peak x (1 - tRFC / tREFI)", "%s x (1 - %s / %s)", D(peak),
                               D(h->rfc_ns), D(h->refi_ns));
    y->load_rate = fmin(y->hbm_rate, dma->load_bytes);
    y->store_rate = fmin(y->hbm_rate, dma->store_bytes);
    y->load_latency = explain_line(x, "latency of a load",
        dma->load_setup_cycles + (2 * fabric + h->front_ns + h->rcd_rd_ns + h->cl_ns) * ghz
        + dma->done_cycles, "cycles", "setup + (2 fabric + front + tRCD + tCL) x clock + done",
        "%u + (2 x %s + %s + %s + %s) x %s + %u", dma->load_setup_cycles, D(fabric),
        D(h->front_ns), D(h->rcd_rd_ns), D(h->cl_ns), D(ghz), dma->done_cycles);
    y->store_latency = explain_line(x, "latency of a store",
        dma->store_setup_cycles + (2 * fabric + h->front_ns) * ghz + dma->done_cycles, "cycles",
        "setup + (2 fabric + front) x clock + done", "%u + (2 x %s + %s) x %s + %u",
        dma->store_setup_cycles, D(fabric), D(h->front_ns), D(ghz), dma->done_cycles);
    explain_note(x, "Loads of an op follow each other without a gap, so the first one's latency "
                 "is the only one; so of stores.");
}

/* ---- the operations ---- */

static double of_kind(const struct explain_tpu *y, size_t kind, const char *key)
{
    return report_number(json_array_get(y->operations, kind), key);
}

static double ceil_ratio(double a, double b) { return ceil(a / b); }

static void product_tiles(struct explain_tpu *y, size_t kind, double passes)
{
    struct explain *x = y->x;
    const struct tpu_mxu_config *m = &y->t->mxu;
    double depth = of_kind(y, kind, "depth"), cols = of_kind(y, kind, "cols");
    bool outputs = m->dataflow == TPU_MXU_OUTPUT_STATIONARY;
    double height = outputs ? m->rows : y->t->lower.weight_rows, rows = of_kind(y, kind, "rows");
    y->folds_k = outputs ? passes : ceil_ratio(depth, m->rows) * passes;
    y->folds_n = ceil_ratio(cols, m->cols);
    y->blocks = ceil_ratio(rows, height);
    if (outputs)
        explain_line(x, "    tiles", y->blocks * y->folds_n * y->folds_k, "",
                     "ceil(m / rows) x ceil(n / cols) x passes",
                     "ceil(%s / %u) x ceil(%s / %u) x %s",
                     D(rows), m->rows, D(cols), m->cols, D(passes));
    else
        explain_line(x, "    folds over the array", y->blocks * y->folds_n * y->folds_k, "tiles",
                     "ceil(k / rows) x passes x ceil(n / cols) x ceil(m / weight_rows)",
                     "ceil(%s / %u) x %s x ceil(%s / %u) x ceil(%s / %s)", D(depth), m->rows,
                     D(passes), D(cols), m->cols, D(rows), D(height));
    y->last_rows = rows - (y->blocks - 1) * height;
}

/* Rows enter in whole pushes. */
static double stream_cycles(const struct tpu_mxu_config *m, double rows)
{
    return ceil_ratio(rows, m->push_rows) * m->push_rows * m->row_cycles;
}

/* Of the unit with the most tiles: tiles of whole blocks of rows, then those of the last one. */
static double stationary_weights(struct explain_tpu *y, double most)
{
    struct explain *x = y->x;
    const struct tpu_mxu_config *m = &y->t->mxu;
    double step = y->t->core.step_cycles, height = y->t->lower.weight_rows;
    double push = explain_line(x, "    P, push of a tile's weights",
        ceil_ratio(m->rows, m->weight_rows_per_cycle), "cycles",
        "ceil(rows / weight_rows_per_cycle)",
        "ceil(%u / %u)", m->rows, m->weight_rows_per_cycle);
    double last = explain_line(x, "    T, stream of its rows", stream_cycles(m, y->last_rows),
                               "cycles",
        "ceil(m / push_rows) x push_rows x row_cycles", "ceil(%s / %u) x %u x %u", D(y->last_rows),
        m->push_rows, m->push_rows, m->row_cycles);
    double whole = ceil_ratio((y->blocks - 1) * y->folds_n * y->folds_k, y->t->core.mxus);
    double first = stream_cycles(m, height), apart = fmax(last, push) + m->swap_cycles;
    if (m->weight_buffers == 1)
        apart = push + last + y->drain;
    if (whole == 0)
        return explain_line(x, "    the product", step + push + m->swap_cycles + (most - 1) * apart
            + last, "cycles", m->weight_buffers == 1 ? "step + P + (F - 1) (P + T + drain) + T"
            : "step + P + swap + (F - 1) (max(T, P) + swap) + T", "%s + %s + %u + %s x %s + %s",
            D(step), D(push), m->swap_cycles, D(most - 1), D(apart), D(last));
    double before = m->weight_buffers == 1 ? push + first + y->drain
                                           : fmax(first, push) + m->swap_cycles;
    return explain_line(x, "    the product", step + push + m->swap_cycles + whole * before
        + (most - whole - 1) * apart + last, "cycles",
        "step + P + swap + whole blocks' tiles x apart + others x apart + T",
        "%s + %s + %u + %s x %s + %s x %s + %s", D(step), D(push), m->swap_cycles, D(whole),
        D(before),
        D(most - whole - 1), D(apart), D(last));
}

static double stationary_outputs(struct explain_tpu *y, size_t kind, double most)
{
    const struct tpu_mxu_config *m = &y->t->mxu;
    double step = y->t->core.step_cycles, depth = of_kind(y, kind, "depth");
    double cross = tpu_mxu_figures(m).latency, enter = depth * m->row_cycles;
    double apart = m->weight_buffers == 1 ? enter - m->row_cycles + cross + m->rows
                                          : fmax(enter, cross + m->rows - 1);
    return explain_line(y->x, "    the product", step + (most - 1) * apart + enter, "cycles",
                        "step + (F - 1) x apart + k x row_cycles", "%s + %s x %s + %s x %u",
                        D(step),
                        D(most - 1), D(apart), D(depth), m->row_cycles);
}

/* Of a product of f32 in parts of bf16; 1: in one. */
static double passes_of(const struct explain_tpu *y)
{
    const json_t *cut = json_object_get(json_object_get(y->x->op, "plan"), "cut");
    return fmax(report_number(cut, "passes"), 1);
}

static double product_cycles(struct explain_tpu *y, size_t kind)
{
    product_tiles(y, kind, passes_of(y));
    double tiles = y->blocks * y->folds_n * y->folds_k;
    double most = explain_line(y->x, "    F, tiles of the unit with the most",
                               ceil_ratio(tiles, y->t->core.mxus), "", "ceil(tiles / mxus)",
                               "ceil(%s / %u)", D(tiles), y->t->core.mxus);
    return y->t->mxu.dataflow == TPU_MXU_OUTPUT_STATIONARY ? stationary_outputs(y, kind, most)
                                                           : stationary_weights(y, most);
}

static double vector_cycles(struct explain_tpu *y, size_t kind)
{
    const struct tpu_vpu_config *v = &y->t->vpu;
    const struct tpu_xlu_config *xlu = &y->t->xlu;
    double step = y->t->core.step_cycles, loads = of_kind(y, kind, "loads");
    double stores = of_kind(y, kind, "stores"), alu = of_kind(y, kind, "instructions");
    double eup = of_kind(y, kind, "transcendentals"), reductions = of_kind(y, kind, "reductions");
    double issue = fmax(fmax(ceil_ratio(loads, v->load_slots), ceil_ratio(stores, v->store_slots)),
                        fmax(ceil_ratio(alu, v->alu_slots), eup * v->eup_interval_cycles));
    double plain = explain_line(y->x, "    its arithmetic", step + issue + v->latency_cycles,
                                "cycles",
        "step + max(ceil(loads / slots), ceil(stores / slots), ceil(instructions / slots), "
        "transcendentals x interval) + latency",
        "%s + max(ceil(%s / %u), ceil(%s / %u), ceil(%s / %u), %s x %u) + %u", D(step),
        D(loads), v->load_slots, D(stores), v->store_slots, D(alu), v->alu_slots, D(eup),
        v->eup_interval_cycles, v->latency_cycles);
    if (reductions == 0)
        return plain;
    double lanes = explain_line(y->x, "    its reductions over lanes",
        step + (ceil_ratio(reductions, xlu->units) - 1) * xlu->reduce_cycles
        + xlu->reduce_latency_cycles, "cycles",
        "step + (ceil(reductions / units) - 1) x interval + "
        "latency", "%s + (ceil(%s / %u) - 1) x %u + %u", D(step), D(reductions), xlu->units,
        xlu->reduce_cycles, xlu->reduce_latency_cycles);
    return fmax(plain, lanes);
}

static double turn_cycles(struct explain_tpu *y, size_t kind)
{
    const struct tpu_xlu_config *xlu = &y->t->xlu;
    double side = y->t->vpu.lanes, pushes = ceil_ratio(side, 8) * xlu->push_cycles;
    double pops = ceil_ratio(side, 8) * xlu->pop_cycles, step = y->t->core.step_cycles;
    double rows = of_kind(y, kind, "rows"), cols = of_kind(y, kind, "cols");
    double tiles = ceil_ratio(rows, side) * ceil_ratio(cols, side);
    double rounds = ceil_ratio(tiles, xlu->units), each = fmax(pushes, pops);
    double last = pushes - xlu->push_cycles + xlu->latency_cycles + pops - xlu->pop_cycles + 1;
    return explain_line(y->x, "    the transpose", step + (rounds - 1) * each + last, "cycles",
        "step + (ceil(tiles / units) - 1) max(push, pop) + push + latency + pop",
        "%s + (ceil(%s / %u) - 1) x %s + %s", D(step), D(tiles), xlu->units, D(each), D(last));
}

/* ---- lists of operations ---- */

static enum tpu_unit unit_of(const struct explain_tpu *y, size_t kind)
{
    const char *name = report_string(json_array_get(y->operations, kind), "unit");
    for (int u = 0; u < TPU_UNITS_COUNT; u++)
        if (strcmp(name, tpu_unit_names[u]) == 0)
            return u;
    return TPU_UNITS_COUNT;
}

static void transfer_line(struct explain_tpu *y, size_t kind, double rate)
{
    double bytes = of_kind(y, kind, "bytes");
    y->cycles[kind] = explain_line(y->x, "    its bytes", bytes / rate, "cycles", "bytes / rate",
                                   "%s / %s", D(bytes), D(rate));
}

/* Cycles of an operation, without what several in a row pay once. */
static void kind_cycles(struct explain_tpu *y, size_t kind)
{
    struct explain *x = y->x;
    const json_t *o = json_array_get(y->operations, kind);
    switch (unit_of(y, kind)) {
    case TPU_LOAD: case TPU_STORE:
        explain_note(x, "%s: a %s of %s bytes in %s piece%s", explain_tpu_letter(kind),
                     report_string(o, "unit"), D(of_kind(y, kind, "bytes")),
                     D(of_kind(y, kind, "pieces")), of_kind(y, kind, "pieces") == 1 ? "" : "s");
        transfer_line(y, kind, unit_of(y, kind) == TPU_LOAD ? y->load_rate : y->store_rate);
        break;
    case TPU_MATRIX:
        explain_note(x, "%s: a product m = %s, k = %s, n = %s", explain_tpu_letter(kind),
                     D(of_kind(y, kind, "rows")), D(of_kind(y, kind, "depth")),
                     D(of_kind(y, kind, "cols")));
        y->cycles[kind] = product_cycles(y, kind);
        break;
    case TPU_VECTOR:
        explain_note(x, "%s: an operation of the vector unit", explain_tpu_letter(kind));
        y->cycles[kind] = vector_cycles(y, kind);
        break;
    case TPU_TRANSPOSE:
        explain_note(x, "%s: a transpose of %s x %s", explain_tpu_letter(kind),
                     D(of_kind(y, kind, "rows")), D(of_kind(y, kind, "cols")));
        y->cycles[kind] = turn_cycles(y, kind);
        break;
    case TPU_LINK:
        explain_note(x, "%s: %s bytes to another core", explain_tpu_letter(kind),
                     D(of_kind(y, kind, "bytes")));
        transfer_line(y, kind, y->link_rate);
        break;
    case TPU_UNITS_COUNT: break;
    }
}

/* What several in a row pay once. */
static double once(const struct explain_tpu *y, enum tpu_unit unit)
{
    return unit == TPU_LOAD ? y->load_latency : unit == TPU_STORE ? y->store_latency
         : unit == TPU_MATRIX ? y->drain : unit == TPU_LINK ? y->link_latency : 0;
}

bool explain_tpu_part(const json_t *list, size_t i, struct explain_tpu_part *part)
{
    if (2 * i + 1 >= json_array_size(list))
        return false;
    part->kind = (size_t)json_integer_value(json_array_get(list, 2 * i));
    part->count = (double)json_integer_value(json_array_get(list, 2 * i + 1));
    return true;
}

double explain_tpu_list(const struct explain_tpu *y, const json_t *list, enum tpu_unit unit,
                        double *one)
{
    struct explain_tpu_part p;
    double sum = 0;
    *one = 0;
    for (size_t i = 0; explain_tpu_part(list, i, &p); i++) {
        if (p.kind >= json_array_size(y->operations) || unit_of(y, p.kind) != unit)
            continue;
        sum += y->cycles[p.kind] * p.count;
        *one = y->cycles[p.kind] + once(y, unit);
    }
    return *one > 0 ? sum + once(y, unit) : 0;
}

double explain_tpu_chain(const struct explain_tpu *y, const json_t *list)
{
    double ones = 0, most = 0;
    for (int u = 0; u < TPU_UNITS_COUNT; u++) {
        double one, all = explain_tpu_list(y, list, u, &one);
        ones += one;
        most = fmax(most, all - one);
    }
    return ones + most;
}

/* ---- the op ---- */

static void say_cut(struct explain_tpu *y)
{
    struct explain *x = y->x;
    const json_t *cut = json_object_get(json_object_get(x->op, "plan"), "cut");
    const char *stays = report_string(cut, "stays");
    double rows = report_number(cut, "rows"), cols = report_number(cut, "cols");
    double depth = report_number(cut, "depth"), batch = report_number(cut, "batch");
    double high = report_number(cut, "tile_rows"), wide = report_number(cut, "tile_cols");
    if (!cut)
        return;
    if (x->cores > 1)
        explain_note(x, "%u cores share it; what follows is the first core's part, the largest.",
                     x->cores);
    if (depth == 0) {
        explain_note(x, "It goes over a matrix of %s x %s, in tiles of %s x %s.", D(rows), D(cols),
                     D(high), D(wide));
        return;
    }
    explain_note(x, "A product m x k by k x n, m = %s, k = %s, n = %s; %s streams, %s is the "
                 "weights.", D(rows), D(depth), D(cols), report_string(cut, "streamed"),
                 report_string(cut, "weights"));
    explain_line(x, "multiply-accumulates of a core", batch * rows * depth * cols
                 * report_number(cut, "passes"), "", "batch x m x k x n x passes",
                 "%s x %s x %s x %s x %s", D(batch), D(rows), D(depth), D(cols),
                 D(report_number(cut, "passes")));
    explain_note(x, "In vector memory %s.", strcmp(stays, "nothing") == 0
                 ? "neither operand fits: blocks are summed up over chunks of k"
                 : strcmp(stays, "weights") == 0 ? "the weights stay, and rows stream past"
                 : "what streams stays, and panels of weights stream past");
    explain_line(x, "panels of the result", ceil_ratio(rows, high) * ceil_ratio(cols, wide)
                 * batch, "", "batch x ceil(m / tile rows) x ceil(n / tile cols)",
                 "%s x ceil(%s / %s) x ceil(%s / %s)", D(batch), D(rows), D(high), D(cols),
                 D(wide));
    explain_line(x, "chunks of k", ceil_ratio(depth, report_number(cut, "tile_depth")), "",
                 "ceil(k / tile depth)", "ceil(%s / %s)", D(depth),
                 D(report_number(cut, "tile_depth")));
}

static void say_link(struct explain_tpu *y)
{
    const struct tpu_ici_config *ici = &y->t->ici;
    double ghz = y->x->hz / 1e9;
    y->link_rate = explain_line(y->x, "rate of a core's link", ici->gb_per_s / ghz, "bytes/cycle",
                                "bytes/s / clock", "%s / %s", D(ici->gb_per_s * 1e9), D(y->x->hz));
    y->link_latency = explain_line(y->x, "latency of a core's link",
                                   ici->setup_cycles + ici->latency_ns * ghz, "cycles",
                                   "setup + latency x clock", "%u + %s x %s", ici->setup_cycles,
                                   D(ici->latency_ns), D(ghz));
}

static void say_operations(struct explain_tpu *y)
{
    struct explain *x = y->x;
    const struct tpu_mxu_config *m = &y->t->mxu;
    const struct tpu_mxu_figures f = tpu_mxu_figures(m);
    bool products = json_object_get(y->units, "matrix") != NULL;
    explain_section(x, "The operations, each by itself");
    if (json_object_get(y->units, "link"))
        say_link(y);
    if (products && m->dataflow == TPU_MXU_OUTPUT_STATIONARY)
        y->drain = explain_line(x, "drain of the last tile", (double)f.latency + m->rows, "cycles",
                                "latency + rows", "%s + %u", D((double)f.latency), m->rows);
    else if (products)
        y->drain = explain_line(x, "drain: the last rows' way through the array",
                                (double)f.latency - (double)f.group + 1, "cycles",
                                "latency - push_rows x row_cycles + 1", "%s - %s + 1",
                                D((double)f.latency), D((double)f.group));
    for (size_t k = 0; k < json_array_size(y->operations); k++)
        kind_cycles(y, k);
}

/* Under the peak of the units that do the op's arithmetic. */
static void say_roofline(const struct explain_tpu *y)
{
    struct explain *x = y->x;
    const struct tpu_vpu_config *v = &y->t->vpu;
    double passes = passes_of(y), peak = report_number(x->result, "peak_flops_per_s") / passes;
    char units[48] = "the matrix units";
    if (passes > 1)
        snprintf(units, sizeof units, "the matrix units in %s passes", D(passes));
    if (report_number(x->op, "macs") > 0)
        explain_bound(x, units, peak);
    else
        explain_bound(x, "the vector units",
                      (double)v->lanes * v->sublanes * v->alu_slots * x->cores * x->hz);
}

void explain_tpu(struct explain *x)
{
    const json_t *plan = json_object_get(x->op, "plan");
    struct explain_tpu y = { .x = x, .t = &x->f->tpu,
                             .operations = json_object_get(plan, "operations"),
                             .units = json_object_get(plan, "units") };
    double arrays = (double)y.t->mxu.rows * y.t->mxu.cols * y.t->core.mxus * x->cores;
    double macs = report_number(x->op, "macs");
    y.cycles = zeroed(json_array_size(y.operations), sizeof *y.cycles);
    say_cut(&y);
    find_rates(&y);
    say_operations(&y);
    explain_tpu_units(&y, unit_words);
    say_roofline(&y);
    x->least_compute = explain_line(x, "multiply-accumulates, at least",
        macs / arrays * y.t->mxu.row_cycles, "cycles", "macs / (rows x cols x mxus x cores) x "
        "row_cycles", "%s / (%u x %u x %u x %u) x %u", D(macs), y.t->mxu.rows, y.t->mxu.cols,
        y.t->core.mxus, x->cores, y.t->mxu.row_cycles);
    explain_tpu_difference(&y);
    free(y.cycles);
}
