/* cmd_step.c - a systolic array or an SM's warps, cycle by cycle. */
#include "sim/cmd_step.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/choice.h"
#include "sim/figures.h"
#include "sim/gemm.h"
#include "sim/kernel_options.h"
#include "sim/output.h"
#include "sim/run_options.h"
#include "sim/sm_cycles.h"
#include "sim/step_array.h"
#include "sim/step_sm.h"
#include "sim/terminal.h"
#include "sim/vcd.h"
#include "traces/net.h"

static const struct option_row rows[] = {
    CHOICE_OPTIONS,
    KERNEL_OPTIONS,
    { "seed",   "N",                 "of what matrices or random buffers hold (default: 1)" },
    { "frames", "FROM..TO",          "print these cycles and stop" },
    { "size",   "RxC",               "array: at most 16x16 (default: 4x4, or the machine's)" },
    { "fill",   "small|random|ones", "array: what matrices hold (default: small, -4 to 4)" },
    { "sm",     "N",                 "sm: which, from 0 (default: 0)" },
    { "window", "FROM..TO",          "cycles to keep of an SM (default: 0..20000), to write with "
                                     "--vcd" },
    { "vcd",    "FILE",              "array: write its registers as waves, and FILE.gtkw, which "
                                     "shows them in GTKWave, and stop" },
    { "type",   "bf16|f16|f32",      "sm: of a product (default: f16)" },
    { "batch",  "N",                 "sm: of a network, instead of its own" },
};
enum { ENTRY = CHOICE_ROWS, SEED = CHOICE_ROWS + KERNEL_ROWS, FRAMES, SIZE, FILL, SM, WINDOW, VCD,
       TYPE, BATCH, ROWS };
_Static_assert(sizeof rows / sizeof rows[0] == ROWS, "a name for each row");

#define ARRAY_MACHINE "tpu-mini"        /* the textbook array of docs/mxu.md */
#define ARRAY_SIZE    "4x4"
#define SM_MACHINE    "gpu"

enum what { NOTHING, ARRAY, AN_SM };

struct stepping {
    struct choice choice;
    enum what     what;
    bool          given[ROWS];
    const char   *size, *frames, *vcd, *subject;
    uint64_t      seed;
    struct gemm   gemm;
    struct step_array_config array;
    struct step_sm_config    sm;
    struct kernel_call       call;
    struct net_options       net;
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
    if (s->what == NOTHING) {
        s->what = strcmp(o->value, "array") == 0 ? ARRAY : strcmp(o->value, "sm") == 0 ? AN_SM
                                                                                       : NOTHING;
        if (s->what != NOTHING)
            return 1;
        options_wrong(o, "%.60s: nothing that can be looked at; expected array or sm", o->value);
        return -1;
    }
    if (s->subject) {
        options_wrong(o, "%.60s: too much; expected one product or file", o->value);
        return -1;
    }
    s->subject = o->value;
    return 1;
}

static bool whole(const char **text, uint64_t *value)
{
    char *end;
    errno = 0;
    if (!isdigit((unsigned char)**text))
        return false;
    *value = strtoull(*text, &end, 10);
    *text = end;
    return errno == 0;
}

static int take_window(struct stepping *s, const struct options *o)
{
    const char *at = o->value;
    uint64_t last = 0;
    bool ok = whole(&at, &s->sm.from) && strncmp(at, "..", 2) == 0;
    at += 2 * ok;
    ok = ok && whole(&at, &last) && *at == '\0' && last < UINT64_MAX && last >= s->sm.from
        && last - s->sm.from < SM_CYCLES_MOST;
    s->sm.to = last + 1;
    return ok ? 1 : refuse(o, WINDOW, "FROM..TO, at most 100000 cycles, as 0..20000");
}

static int take_number(struct stepping *s, const struct options *o, int i)
{
    const char *at = o->value;
    uint64_t n = 0;
    unsigned batch = 0;
    if (i == SEED)
        return run_options_seed(o->value, &s->seed) ? 1
             : refuse(o, i, "a whole number of 0 or more");
    if (i == BATCH) {
        bool ok = run_options_number(o->value, 1u << 30, &batch);
        s->net.batch = batch;
        return ok ? 1 : refuse(o, i, "a whole number, 1 to 1073741824");
    }
    if (!whole(&at, &n) || *at != '\0' || n > UINT32_MAX)
        return refuse(o, i, "a whole number of 0 or more");
    s->sm.sm = (uint32_t)n;
    return 1;
}

static int take(struct stepping *s, const struct options *o, int i)
{
    if (i >= 0)
        s->given[i] = true;
    if (i >= 0 && choice_take(&s->choice, i, o->value))
        return 1;
    int taken = i >= 0 ? kernel_options_take(&s->call, o, i - CHOICE_ROWS) : 0;
    if (taken != 0)
        return taken;
    switch (i) {
    case FRAMES: s->frames = o->value; return 1;
    case SIZE:   s->size = o->value; return 1;
    case VCD:    s->vcd = o->value; return 1;
    case FILL:
        return step_fill_parse(o->value, &s->array.fill) ? 1
             : refuse(o, i, "small, random or ones");
    case WINDOW: return take_window(s, o);
    case TYPE:
        return gemm_type(&s->gemm, o->value) ? 1 : refuse(o, i, "bf16, f16 or f32");
    case OPTIONS_ARGUMENT: return take_argument(s, o);
    default: return take_number(s, o, i);
    }
}

/* An option that means nothing for what is looked at; -1: there is none. */
static int misplaced(const struct stepping *s)
{
    for (int i = 0; i < ROWS; i++) {
        bool of_array = i == SIZE || i == FILL || i == VCD;
        bool of_sm = (i >= ENTRY && i < SEED) || i == SM || i == TYPE || i == BATCH
                  || (i == WINDOW && !s->vcd);
        if (s->given[i] && (s->what == ARRAY ? of_sm : of_array))
            return i;
    }
    return -1;
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
    if (s->what == NOTHING)
        return options_wrong(o, "nothing to look at; expected array or sm");
    if (!s->subject)
        return options_wrong(o, s->what == ARRAY ? "no product; expected one, as 6x8x8"
                             : "nothing that it runs; expected a product, as 256x256x256, a kernel "
                               "or a trace");
    if (misplaced(s) >= 0)
        return options_wrong(o, "--%s means nothing for %s", rows[misplaced(s)].name,
                             s->what == ARRAY ? "array" : "sm");
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

/* The machine asked for, or `usual`, if it is of that kind. */
static struct machine *find_machine(struct stepping *s, const char *usual, enum machine_kind kind,
                                    const char *lacks, struct diag *d)
{
    if (!s->choice.arch && !s->choice.file)
        s->choice.arch = usual;
    struct machine *m = choice_machine(&s->choice, &figures_schema, d);
    if (m && machine_kind(m) == kind) {
        d->file[0] = '\0';              /* what is wrong from here on is not there */
        return m;
    }
    if (!m)
        return NULL;
    diag_set(d, 0, 0, "%s is a %s, which has no %s; expected a %s", machine_name(m),
             machine_kind_name(machine_kind(m)), lacks, machine_kind_name(kind));
    machine_free(m);
    return NULL;
}

/* ---- an array ---- */

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

static bool check_array(const struct tpu_mxu_config *c, struct diag *d)
{
    char expected[128];
    return tpu_mxu_config_check(c, expected, sizeof expected)
        || diag_set(d, 0, 0, "the figures of section mxu do not go together; expected %s",
                    expected);
}

static struct step_array *make_array(struct stepping *s, struct machine *m, struct diag *d)
{
    if (s->size && !set_size(m, s->size, d))
        return NULL;
    s->array.mxu = ((const struct figures *)machine_figures(m))->tpu.mxu;
    s->array.m = (uint32_t)s->gemm.m;
    s->array.k = (uint32_t)s->gemm.k;
    s->array.n = (uint32_t)s->gemm.n;
    s->array.seed = s->seed;
    return check_array(&s->array.mxu, d) ? step_array_new(&s->array, d) : NULL;
}

/* Cycles to write: the window, as far as there are any. */
static bool waves_window(const struct stepping *s, const struct step_subject *subject,
                         struct step_array_waves *w, struct diag *d)
{
    uint64_t pes = (uint64_t)s->array.mxu.rows * s->array.mxu.cols;
    w->from = s->given[WINDOW] ? s->sm.from : 0;
    w->to = s->given[WINDOW] && s->sm.to - 1 < subject->last ? s->sm.to - 1 : subject->last;
    if (w->from > subject->last)
        return diag_set(d, 0, 0, "--window: there is no cycle %" PRIu64 "; expected 0 to %" PRIu64,
                        w->from, subject->last);
    return (w->to - w->from + 1) * pes <= STEP_ARRAY_WAVES
        || diag_set(d, 0, 0, "--vcd of %" PRIu64 " cycles of %" PRIu64 " PEs; expected at most %d "
                    "together: a shorter --window", w->to - w->from + 1, pes, STEP_ARRAY_WAVES);
}

static int commit(struct output *o)
{
    struct diag d = { .text = "" };
    return output_commit(o, &d) ? 0 : fail(&d, 1);
}

static int write_waves(struct stepping *s, struct step_array *array, uint64_t clock_hz)
{
    struct diag d = { .text = "" };
    struct step_subject subject = step_array_subject(array);
    struct step_array_waves w = { .clock_hz = clock_hz, .name = s->vcd };
    if (output_is_stdout(s->vcd))
        diag_set(&d, 0, 0, "--vcd - leaves no place for the save file; expected a file");
    if (d.text[0] != '\0' || !waves_window(s, &subject, &w, &d))
        return fail(&d, 2);
    char *save = vcd_save_name(s->vcd);
    struct output *waves = output_open(s->vcd, &d), *saved = waves ? output_open(save, &d) : NULL;
    free(save);
    if (!saved) {
        if (waves)
            output_discard(waves);
        return fail(&d, 2);
    }
    w.waves = output_stream(waves);
    w.save = output_stream(saved);
    step_array_write_waves(array, &w);
    int status = commit(waves), status_of_save = commit(saved);
    return status ? status : status_of_save;
}

static int step_in_array(struct stepping *s)
{
    struct diag d = { .text = "" };
    if (!s->choice.arch && !s->choice.file && !s->size)
        s->size = ARRAY_SIZE;
    if (!gemm_parse(&s->gemm, s->subject)) {
        diag_set(&d, 0, 0, "%.60s: expected rows x inputs x outputs, as 6x8x8", s->subject);
        return fail(&d, 2);
    }
    struct machine *m = find_machine(s, ARRAY_MACHINE, MACHINE_TPU, "matrix unit", &d);
    struct step_array *array = m ? make_array(s, m, &d) : NULL;
    int status = 2;
    if (array && s->vcd) {
        const struct figures *f = machine_figures(m);
        status = write_waves(s, array, (uint64_t)(f->tpu.chip.clock_mhz * 1e6 + 0.5));
    }
    if (array && (s->frames || !s->vcd) && (!s->vcd || status == 0)) {
        struct step_subject subject = step_array_subject(array);
        status = look(&subject, s->frames);
    }
    if (!array)
        fail(&d, 2);
    step_array_free(array);
    machine_free(m);
    return status;
}

/* ---- an SM ---- */

static bool is_kernel(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcmp(dot, ".ptx") == 0 || strcmp(dot, ".cu") == 0 ||
                   (strcmp(dot, ".gz") == 0 && strstr(path, ".ptx.gz") != NULL));
}

static struct gpu_plan *lower_trace(struct stepping *s, const struct figures *f, struct trace **t,
                                    struct diag *d)
{
    bool is_product = gemm_parse(&s->gemm, s->subject);
    struct gpu_lower_options options = { .exact_f32 = false };
    *t = is_product ? gemm_trace(&s->gemm, d) : trace_load(s->subject, &s->net, d);
    struct gpu_plan *p = *t ? gpu_lower(&f->gpu, &f->hbm, *t, &options, false, d) : NULL;
    if (*t && !p && d->line > 0 && d->file[0] == '\0')
        snprintf(d->file, sizeof d->file, "%s", s->subject);
    return p;
}

static struct gpu_plan *call_kernel(struct stepping *s, const struct figures *f, struct diag *d)
{
    static uint64_t addresses[KERNEL_ARGS_MOST];
    s->call.path = s->sm.path = s->subject;
    s->call.seed = s->seed;
    return kernel_plan(&s->call, &f->gpu, addresses, d);
}

static int look_at_sm(struct stepping *s, const struct machine *m, struct diag *d)
{
    struct trace *t = NULL;
    struct gpu_plan *p = is_kernel(s->subject) ? call_kernel(s, machine_figures(m), d)
                                               : lower_trace(s, machine_figures(m), &t, d);
    s->sm.machine = m;
    s->sm.plan = p;
    struct step_sm *sm = p ? step_sm_new(&s->sm, d) : NULL;
    int status = 2;
    if (sm) {
        struct step_subject subject = step_sm_subject(sm);
        status = look(&subject, s->frames);
    } else {
        fail(d, 2);
    }
    step_sm_free(sm);
    gpu_plan_free(p);
    trace_free(t);
    return status;
}

static int step_in_sm(struct stepping *s, const struct options *o)
{
    struct diag d = { .text = "" };
    if (is_kernel(s->subject) && kernel_options_check(&s->call, o) != 0)
        return 2;
    struct machine *m = find_machine(s, SM_MACHINE, MACHINE_GPU, "SM", &d);
    int status = m ? look_at_sm(s, m, &d) : fail(&d, 2);
    machine_free(m);
    return status;
}

int cmd_step(int argc, char **argv)
{
    struct options o = OPTIONS("step", "array MxKxN | sm MxKxN|FILE", rows, argc, argv);
    struct stepping *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->seed = 1;
    s->sm.to = 20001;
    s->gemm.type = TRACE_F16;
    int status = parse(s, &o);
    if (status < 0)
        status = s->what == ARRAY ? step_in_array(s) : step_in_sm(s, &o);
    kernel_args_free(&s->call.args);
    free(s);
    return status;
}
