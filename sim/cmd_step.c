/* cmd_step.c - a systolic array, cycle by cycle. */
#include "sim/cmd_step.h"

#include <stdlib.h>
#include <string.h>

#include "sim/choice.h"
#include "sim/figures.h"
#include "sim/gemm.h"
#include "sim/run_options.h"
#include "sim/step_array.h"
#include "sim/terminal.h"

static const struct option_row rows[] = {
    CHOICE_OPTIONS,
    { "size",   "RxC",               "of the array, at most 16x16 (default: 4x4, or the machine's)" },
    { "fill",   "small|random|ones", "what the matrices hold (default: small, -4 to 4)" },
    { "seed",   "N",                 "of what they hold (default: 1)" },
    { "frames", "FROM..TO",          "print these cycles and stop" },
};
enum { SIZE = CHOICE_ROWS, FILL, SEED, FRAMES };

#define ARRAY_MACHINE "tpu-mini"        /* the textbook array of docs/mxu.md */
#define ARRAY_SIZE    "4x4"

struct stepping {
    struct choice choice;
    const char   *what, *size, *frames, *product;
    struct gemm   gemm;
    struct step_array_config array;
};

static int fail(const struct diag *d, int status)
{
    diag_print(d, stderr);
    return status;
}

/* ---- options ---- */

static int refuse(const struct options *o, int row, const char *expected)
{
    options_wrong(o, "--%s %.60s: expected %s", rows[row].name, o->value, expected);
    return -1;
}

static int take_argument(struct stepping *s, const struct options *o)
{
    if (!s->what) {
        s->what = o->value;
        if (strcmp(s->what, "array") == 0)
            return 1;
        options_wrong(o, "%.60s: nothing that can be looked at; expected array", o->value);
        return -1;
    }
    if (s->product) {
        options_wrong(o, "%.60s: a second product; expected one", o->value);
        return -1;
    }
    s->product = o->value;
    if (gemm_parse(&s->gemm, o->value))
        return 1;
    options_wrong(o, "%.60s: expected rows x inputs x outputs, as 6x8x8", o->value);
    return -1;
}

static int take(struct stepping *s, const struct options *o, int i)
{
    if (i >= 0 && choice_take(&s->choice, i, o->value))
        return 1;
    switch (i) {
    case SIZE:   s->size = o->value; return 1;
    case FRAMES: s->frames = o->value; return 1;
    case FILL:
        return step_fill_parse(o->value, &s->array.fill) ? 1
             : refuse(o, i, "small, random or ones");
    case SEED:
        return run_options_seed(o->value, &s->array.seed) ? 1
             : refuse(o, i, "a whole number of 0 or more");
    default: return take_argument(s, o);
    }
}

/* -1: go on; else the exit status. */
static int parse(struct stepping *s, struct options *o)
{
    int i;
    while ((i = options_next(o)) >= 0 || i == OPTIONS_ARGUMENT)
        if (take(s, o, i) < 0)
            return 2;
    if (i == OPTIONS_HELP || i == OPTIONS_WRONG)
        return i == OPTIONS_HELP ? 0 : 2;
    if (!s->what || !s->product)
        return options_wrong(o, s->what ? "no product; expected one, as 6x8x8"
                                        : "nothing to look at; expected array, and a product");
    return -1;
}

/* ---- what is looked at ---- */

static int look(const struct step_subject *subject, const char *frames)
{
    struct diag d = { .text = "" };
    cycle_t from, to;
    if (frames) {
        snprintf(d.file, sizeof d.file, "--frames");
        if (!step_range(subject, frames, &from, &to, &d))
            return fail(&d, 2);
        step_frames(subject, from, to, stdout);
    } else if (terminal_can()) {
        step_terminal(subject);
    } else {
        step_lines(subject, stdin, stdout);
    }
    return 0;
}

/* "16x8" is two figures. */
static bool set_size(struct machine *m, const char *size, struct diag *d)
{
    char rows_set[64], cols_set[64];
    const char *x = strchr(size, 'x');
    snprintf(d->file, sizeof d->file, "--size");
    if (!x || x == size || strlen(size) > 20)
        return diag_set(d, 0, 0, "%.40s: expected rows x columns, as 4x4", size);
    snprintf(rows_set, sizeof rows_set, "mxu.rows=%.*s", (int)(x - size), size);
    snprintf(cols_set, sizeof cols_set, "mxu.cols=%.20s", x + 1);
    bool ok = machine_set(m, rows_set, "--size", d) && machine_set(m, cols_set, "--size", d);
    if (ok)
        d->file[0] = '\0';              /* what is wrong from here on is not there */
    return ok;
}

static struct machine *array_machine(struct stepping *s, struct diag *d)
{
    if (!s->choice.arch && !s->choice.file) {
        s->choice.arch = ARRAY_MACHINE;
        s->size = s->size ? s->size : ARRAY_SIZE;
    }
    struct machine *m = choice_machine(&s->choice, &figures_schema, d);
    if (m && machine_kind(m) != MACHINE_TPU)
        diag_set(d, 0, 0, "%s is a %s, which has no matrix unit; expected a tpu", machine_name(m),
                 machine_kind_name(machine_kind(m)));
    else if (m && (!s->size || set_size(m, s->size, d)))
        return m;
    machine_free(m);
    return NULL;
}

static bool check_array(const struct tpu_mxu_config *c, struct diag *d)
{
    char expected[128];
    return tpu_mxu_config_check(c, expected, sizeof expected)
        || diag_set(d, 0, 0, "the figures of section mxu do not go together; expected %s", expected);
}

static int step_in_array(struct stepping *s)
{
    struct diag d = { .text = "" };
    struct machine *m = array_machine(s, &d);
    int status = 2;
    struct step_array *array = NULL;
    if (m) {
        s->array.mxu = ((const struct figures *)machine_figures(m))->tpu.mxu;
        s->array.m = (uint32_t)s->gemm.m;
        s->array.k = (uint32_t)s->gemm.k;
        s->array.n = (uint32_t)s->gemm.n;
        if (check_array(&s->array.mxu, &d))
            array = step_array_new(&s->array, &d);
    }
    if (array) {
        struct step_subject subject = step_array_subject(array);
        status = look(&subject, s->frames);
    } else {
        fail(&d, 2);
    }
    step_array_free(array);
    machine_free(m);
    return status;
}

int cmd_step(int argc, char **argv)
{
    struct options o = OPTIONS("step", "array MxKxN", rows, argc, argv);
    struct stepping s = { .array.seed = 1 };
    int status = parse(&s, &o);
    return status >= 0 ? status : step_in_array(&s);
}
