/* experiment.c - see experiment.h. */
#include "sim/experiment.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim/isolate.h"
#include "sim/tpu_result.h"

#define FAILED 1
#define WRONG  2

/* ---- what --ideal takes away ---- */

static const char *const ideal_hbm[] = {
    "hbm.pin_gbps=64", "hbm.refresh=none", "hbm.faw_ns=0", "hbm.rrd_s_ns=0", "hbm.rrd_l_ns=0",
    "hbm.ccd_s_ns=0", "hbm.ccd_l_ns=0", "hbm.turn_ns=0", "hbm.wtr_s_ns=0", "hbm.wtr_l_ns=0",
    "hbm.front_ns=0", "hbm.cl_ns=0", "hbm.cwl_ns=0", "hbm.rcd_rd_ns=0", "hbm.rcd_wr_ns=0",
    "hbm.rp_ns=0", "hbm.ras_ns=0", "hbm.rc_ns=0", "hbm.wr_ns=0", "hbm.rtp_ns=0",
    "chip.fabric_ns=5", "dma.load_bytes=1048576", "dma.store_bytes=1048576",
    "dma.in_flight_bytes=1073741824", "vmem.read_bytes=1048576", "vmem.write_bytes=1048576",
    NULL
};
static const char *const ideal_launch[] = {
    "host.launch_us=0", "host.dispatch_us=0", "core.op_cycles=0", "core.step_cycles=0",
    "dma.load_setup_cycles=0", "dma.store_setup_cycles=0", "dma.done_cycles=0",
    "ici.setup_cycles=0", NULL
};
/* A push that takes all of a port at once would wait for the tile that streams. */
static const char *const ideal_weights[] = {
    "mxu.weight_rows_per_cycle=1024", "mxu.weight_buffers=2", "mxu.swap_cycles=0",
    "vmem.read_bytes=1048576", "core.push_slots=64", "vpu.cast_ops=0", NULL
};
static const char *const ideal_overlap[] = { NULL };

static const struct ideal { const char *name; const char *const *sets; } ideals[] = {
    { "hbm", ideal_hbm }, { "launch", ideal_launch }, { "weights", ideal_weights },
    { "overlap", ideal_overlap },
};
#define IDEALS (sizeof ideals / sizeof ideals[0])

bool experiment_idealize(struct machine *m, struct tpu_lower_options *o, const char *limit,
                         struct diag *d)
{
    const char *names[IDEALS];
    for (size_t i = 0; i < IDEALS; i++) {
        names[i] = ideals[i].name;
        if (strcmp(limit, ideals[i].name) != 0)
            continue;
        char where[32];
        snprintf(where, sizeof where, "--ideal %s", limit);
        for (const char *const *set = ideals[i].sets; *set; set++)
            if (!machine_set(m, *set, where, d))
                return false;
        o->overlap |= ideals[i].sets == ideal_overlap;
        return true;
    }
    const char *near = diag_nearest(limit, names, IDEALS);
    d->file[0] = '\0';
    return diag_set(d, 0, 0, "--ideal %.40s: no such limit%s%s; expected hbm, launch, weights "
                    "or overlap", limit, near ? "; did you mean " : "", near ? near : "");
}

/* ---- progress ---- */

struct watching {
    const struct tpu_chip *chip;
    time_t begun;
    bool   shown;
};

/* What an operation may take: bytes, and multiply-accumulates at some hundred a byte's time. */
static double weight(const struct tpu_uop *u)
{
    if (u->unit == TPU_LOAD || u->unit == TPU_STORE)
        return (double)u->transfer.rows * u->transfer.row_bytes;
    if (u->unit == TPU_MATRIX)
        return (double)u->product.m * u->product.k * u->product.n * u->product.passes / 100;
    return 0;
}

/* Of the first core, whose groups that ended are done; the rest is not known to be. */
static double done_fraction(const struct tpu_chip *c)
{
    const struct tpu_program *p = c->plan->programs[0];
    double done = 0, all = 1;
    for (uint32_t i = 0; i < p->count; i++) {
        all += weight(&p->uops[i]);
        done += tpu_core_group_end(c->core[0], p->uops[i].group) > 0 ? weight(&p->uops[i]) : 0;
    }
    return done < 0.99 * all ? done / all : 0.99;
}

static void show(void *arg, tick_t now)
{
    struct watching *w = arg;
    double fraction = done_fraction(w->chip), elapsed = difftime(time(NULL), w->begun);
    if (elapsed < 2)
        return;
    w->shown = true;
    fprintf(stderr, "\r%.3f ms simulated, %.0f %%", (double)now / 1e12, 100 * fraction);
    if (fraction > 0.01)
        fprintf(stderr, ", about %.0f s left ", elapsed * (1 - fraction) / fraction);
    fflush(stderr);
}

/* ---- the run ---- */

static int say(FILE *out, int status, const char *text)
{
    fputs(text, out);
    return status;
}

static int write_result(const struct tpu_chip *c, const struct experiment *e, FILE *out)
{
    const char *fault = tpu_result_fault(c);
    if (fault)
        return say(out, FAILED, fault);
    json_t *o = tpu_result(c, e->machine, e->trace, &e->lower);
    int failed = json_dumpf(o, out, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(o);
    return failed ? say(out, FAILED, "the result could not be written") : 0;
}

static int run_chip(struct tpu_chip *c, const struct experiment *e, FILE *out)
{
    struct watching w = { .chip = c, .begun = time(NULL) };
    struct engine_result result;
    c->engine.threads = e->threads;
    if (e->window_divisor > 1)
        c->engine.window = engine_window(&c->engine) / e->window_divisor;
    if (e->progress && isatty(STDERR_FILENO)) {
        c->engine.progress = show;
        c->engine.progress_arg = &w;
    }
    bool done = engine_run(&c->engine, &result);
    if (w.shown)
        fputs("\r\033[K", stderr);
    if (!done) {
        fputs("the run went quiet with work left: ", out);
        return say(out, FAILED, result.stuck);
    }
    return write_result(c, e, out);
}

static int child(void *arg, FILE *out)
{
    const struct experiment *e = arg;
    const struct figures *f = machine_figures(e->machine);
    struct diag d = { .text = "" };
    struct tpu_plan *plan = tpu_lower(&f->tpu, &f->hbm, e->trace, &e->lower, &d);
    struct tpu_chip *chip = plan ? tpu_chip_new(f, plan, e->exact ? TPU_MXU_EXACT : TPU_MXU_FAST,
                                                &d) : NULL;
    int status = chip ? run_chip(chip, e, out) : WRONG;
    if (!chip) {
        fprintf(out, "%u %u ", d.line, d.column);
        fputs(d.text, out);
    }
    tpu_chip_free(chip);
    tpu_plan_free(plan);
    return status;
}

static bool explain(const struct isolate_result *r, struct diag *d, int *status)
{
    *status = r->status == WRONG ? WRONG : FAILED;
    if (r->status == ISOLATE_CRASHED)
        return diag_set(d, 0, 0, "the run failed: %s", r->text);
    unsigned line = 0, column = 0;
    int used = 0;
    if (r->status == WRONG)
        sscanf(r->bytes, "%u %u %n", &line, &column, &used);
    return diag_set(d, line, column, "%s", r->bytes + used);
}

/* The figures of GPUs are there before the model that uses them. */
static bool has_model(const struct experiment *e, struct diag *d)
{
    return machine_kind(e->machine) == MACHINE_TPU
        || diag_set(d, 0, 0, "this version runs no gpu; expected a tpu");
}

json_t *experiment_run(const struct experiment *e, struct diag *d, int *status)
{
    struct isolate_result r;
    struct experiment copy = *e;
    json_t *o = NULL;
    json_error_t wrong;
    *status = WRONG;
    if (!has_model(e, d))
        return NULL;
    *status = 0;
    if (!isolate_run(child, &copy, 0, &r))
        explain(&r, d, status);
    else if ((o = json_loadb(r.bytes, r.size, 0, &wrong)) == NULL) {
        *status = FAILED;
        diag_set(d, 0, 0, "the run failed: its result cannot be read: %s", wrong.text);
    }
    isolate_free(&r);
    return o;
}

bool experiment_disassemble(const struct experiment *e, FILE *out, struct diag *d)
{
    const struct figures *f = machine_figures(e->machine);
    struct tpu_plan *plan = has_model(e, d)
                          ? tpu_lower(&f->tpu, &f->hbm, e->trace, &e->lower, d) : NULL;
    if (!plan)
        return false;
    const char **names = malloc((plan->group_count + 1) * sizeof *names);
    if (!names)
        abort();
    for (uint32_t g = 0; g < plan->group_count; g++)
        names[g] = plan->groups[g].name;
    for (uint32_t c = 0; c < plan->cores; c++) {
        fprintf(out, "## core %u: %u operations, %llu bytes of vector memory\n", c,
                plan->programs[c]->count, (unsigned long long)plan->programs[c]->vmem_bytes);
        tpu_program_print(plan->programs[c], names, out);
    }
    free(names);
    tpu_plan_free(plan);
    return true;
}
