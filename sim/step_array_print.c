/* step_array_print.c - a cycle of an array as text. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "models/numerics/bf16.h"
#include "sim/step_array_inside.h"

#define NAME_WIDTH  9               /* "r15 next " */
#define FEW_COLUMNS 10              /* so many have room for 8 characters each */

/* ---- numbers in few characters ---- */

/* "-3", "0.25", "-.52": whole numbers whole, others with as many digits as fit. */
static void short_number(float value, int width, char *text, size_t size)
{
    char full[64];
    if (!isfinite(value)) {
        snprintf(text, size, "%s", isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
        return;
    }
    bool is_whole = fabsf(value) < 1e6f && value == floorf(value);
    for (int digits = is_whole ? 0 : width - 2; digits >= 0; digits--) {
        int n = snprintf(full, sizeof full, "%.*f", digits, (double)value);
        const char *zero = strstr(full, "0.");
        bool leading = zero && (zero == full || (zero == full + 1 && full[0] == '-'));
        if (leading && n == width + 1)
            memmove(full + (zero - full), zero + 1, strlen(zero));
        if ((int)strlen(full) <= width && !(value != 0 && strspn(full, "-0.") == strlen(full))) {
            snprintf(text, size, "%s", full);
            return;
        }
    }
    snprintf(text, size, "%s", fabsf(value) < 1 ? "~0" : "big");
}

/* ---- what of a PE is shown ---- */

static bool number_of(const struct tpu_mxu_pe *pe, float *value)
{
    *value = (float)pe->number;
    return pe->passing;
}

static bool weight_of(const struct tpu_mxu_pe *pe, float *value)
{
    *value = bf16_to_f32(pe->weight);
    return true;
}

static bool passing_weight_of(const struct tpu_mxu_pe *pe, float *value)
{
    *value = bf16_to_f32(pe->weight);
    return pe->passing;
}

static bool next_of(const struct tpu_mxu_pe *pe, float *value)
{
    *value = bf16_to_f32(pe->next);
    return true;
}

static bool activation_of(const struct tpu_mxu_pe *pe, float *value)
{
    *value = bf16_to_f32(pe->activation);
    return pe->passing;
}

static bool sum_of(const struct tpu_mxu_pe *pe, float *value)
{
    *value = pe->sum;
    return pe->has_sum;
}

static bool out_of(const struct tpu_mxu_pe *pe, float *value)
{
    *value = pe->out;
    return pe->leaving;
}

struct field {
    const char *name;
    bool (*of)(const struct tpu_mxu_pe *pe, float *value);      /* false: nothing is there */
    bool weights_stay, outputs_stay, two_sets;                  /* where it is */
    bool alone;                                                 /* a view of its own */
};

static const struct field fields[] = {
    { "row",  number_of,         true,  false, false, false },
    { "k",    number_of,         false, true,  false, false },
    { "w",    weight_of,         true,  false, false, true },
    { "w",    passing_weight_of, false, true,  false, true },
    { "next", next_of,           true,  false, true,  true },
    { "a",    activation_of,     true,  true,  false, true },
    { "sum",  sum_of,            true,  true,  false, true },
    { "out",  out_of,            false, true,  false, true },
};
#define FIELDS (sizeof fields / sizeof fields[0])

static bool has(const struct step_array *s, const struct field *f)
{
    const struct tpu_mxu_config *c = &s->product.mxu;
    return (c->dataflow == TPU_MXU_OUTPUT_STATIONARY ? f->outputs_stay : f->weights_stay)
        && (!f->two_sets || c->weight_buffers == 2);
}

/* All together, then one by one. */
unsigned step_array_views(const struct step_array *s)
{
    unsigned views = 1;
    for (size_t i = 0; i < FIELDS; i++)
        views += fields[i].alone && has(s, &fields[i]);
    return views;
}

static bool is_shown(const struct step_array *s, size_t field, unsigned view)
{
    if (!has(s, &fields[field]))
        return false;
    for (size_t i = 0; i <= field && view > 0; i++)
        if (fields[i].alone && has(s, &fields[i]) && --view == 0)
            return i == field;
    return view == 0;
}

static void print_line(const struct step_array *s, const struct step_state *x, uint32_t row,
                       const struct field *f, bool first, FILE *out)
{
    const struct tpu_mxu_config *c = &s->product.mxu;
    int width = c->cols <= FEW_COLUMNS ? 7 : 4;
    char name[16] = "", text[32];
    if (first)
        snprintf(name, sizeof name, "r%u", row);
    fprintf(out, "%-4s%-5s", name, f->name);
    for (uint32_t col = 0; col < c->cols; col++) {
        float value;
        snprintf(text, sizeof text, ".");
        if (f->of(&x->pes[row * c->cols + col], &value))
            short_number(value, width, text, sizeof text);
        fprintf(out, "%*s", width + 1, text);
    }
    fputc('\n', out);
}

static void print_pes(const struct step_array *s, const struct step_state *x, unsigned view,
                      FILE *out)
{
    const struct tpu_mxu_config *c = &s->product.mxu;
    fprintf(out, "%*s", NAME_WIDTH, "");
    for (uint32_t col = 0; col < c->cols; col++) {
        char name[16];
        snprintf(name, sizeof name, "c%u", col);
        fprintf(out, "%*s", c->cols <= FEW_COLUMNS ? 8 : 5, name);
    }
    fputc('\n', out);
    for (uint32_t row = 0; row < c->rows; row++) {
        bool first = true;
        for (size_t i = 0; i < FIELDS; i++)
            if (is_shown(s, i, view)) {
                print_line(s, x, row, &fields[i], first, out);
                first = false;
            }
    }
}

/* ---- what the unit does ---- */

static const char *const state_meanings[] = {
#define MEANING(name, what) what,
    TPU_MXU_STATES(MEANING)
#undef MEANING
};

static bool within(cycle_t cycle, cycle_t from, cycle_t to)
{
    return from != CYCLE_NEVER && cycle >= from && cycle < to;
}

/* "rows enter", "" if the tile is not here. */
static const char *stage_of(const struct step_array *s, const struct array_tile *t, cycle_t now)
{
    bool os = s->product.mxu.dataflow == TPU_MXU_OUTPUT_STATIONARY;
    if (within(now, t->load_at, t->loaded_at))
        return "its weights are pushed";
    if (within(now, t->loaded_at, t->stream_at))
        return "its weights wait for their turn";
    if (within(now, t->stream_at, t->stream_end))
        return os ? "columns of a and rows of b enter" : "rows of a enter";
    if (within(now, t->stream_end, t->last_result_at))
        return "its results leave";
    return "";
}

static void print_tiles(struct step_array *s, cycle_t now, FILE *out)
{
    uint32_t count;
    const struct array_tile *t = array_run_tiles(s->run, &count);
    for (uint32_t i = 0; i < count; i++, t++) {
        const char *stage = stage_of(s, t, now);
        if (stage[0] != '\0')
            fprintf(out, "tile %u of %u (a[%u..%u][%u..%u], b[..][%u..%u]): %s\n", i, count, t->row,
                    t->row + t->rows - 1, t->k, t->k + t->deep - 1, t->col, t->col + t->cols - 1,
                    stage);
    }
}

/* The unit is idle once it has nothing more to start; rows inside it go on. */
static void print_meaning(const struct step_array *s, const struct step_state *x, FILE *out)
{
    const struct tpu_mxu_config *c = &s->product.mxu;
    uint32_t working = 0;
    for (uint32_t i = 0; i < c->rows * c->cols; i++)
        working += x->pes[i].passing;
    if (x->state == TPU_MXU_IDLE && working > 0)
        fprintf(out, " for the next tile; %u PE%s still work%s, results leave\n", working,
                working == 1 ? "" : "s", working == 1 ? "s" : "");
    else
        fprintf(out, ", %s\n", state_meanings[x->state]);
}

static void print_head(const struct step_array *s, const struct step_state *x, FILE *out)
{
    const struct array_run_config *p = &s->product;
    bool os = p->mxu.dataflow == TPU_MXU_OUTPUT_STATIONARY;
    fprintf(out, "cycle %" PRIu64 " of 0..%" PRIu64 "   %ux%u, %s: y[%u][%u] = a[%u][%u] "
            "b[%u][%u]\n", x->cycle, s->cycles - 1, p->mxu.rows, p->mxu.cols,
            os ? "output-stationary" : "weight-stationary", p->m, p->n, p->m, p->k, p->k, p->n);
    fputs("state: ", out);
    for (const char *c = tpu_mxu_state_names[x->state]; *c != '\0'; c++)
        fputc(tolower((unsigned char)*c), out);
    print_meaning(s, x, out);
}

void step_array_print(struct step_array *s, cycle_t cycle, unsigned view, FILE *out)
{
    const struct step_state *x = step_array_state(s, cycle);
    print_head(s, x, out);
    print_tiles(s, cycle, out);
    fputc('\n', out);
    print_pes(s, x, view, out);
}
