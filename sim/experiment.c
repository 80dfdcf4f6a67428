/* experiment.c - what a run of any machine has in common: its process, its progress. */
#include "sim/experiment.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim/experiment_inside.h"
#include "sim/gpu_chip.h"
#include "sim/gpu_curve.h"
#include "sim/isolate.h"
#include "sim/over_time.h"
#include "sim/tpu_chip.h"

/* ---- progress ---- */

struct watching {
    double    (*fraction)(const void *chip);
    const void *chip;
    time_t begun;
    bool   shown;
};

static void show(void *arg, tick_t now)
{
    struct watching *w = arg;
    double fraction = w->fraction(w->chip), elapsed = difftime(time(NULL), w->begun);
    if (elapsed < 2)
        return;
    w->shown = true;
    fprintf(stderr, "\r%.3f ms simulated, %.0f %%", (double)now / 1e12, 100 * fraction);
    if (fraction > 0.01)
        fprintf(stderr, ", about %.0f s left ", elapsed * (1 - fraction) / fraction);
    fflush(stderr);
}

bool experiment_engine(const struct experiment *e, const struct engine_config *engine,
                       double (*fraction)(const void *chip), const void *chip,
                       struct engine_result *result)
{
    struct watching w = { fraction, chip, time(NULL), false };
    struct engine_config config = *engine;
    config.threads = e->threads;
    if (e->window_divisor > 1)
        config.window = engine_window(engine) / e->window_divisor;
    if (e->progress && isatty(STDERR_FILENO)) {
        config.progress = show;
        config.progress_arg = &w;
    }
    bool done = engine_run(&config, result);
    if (w.shown)
        fputs("\r\033[K", stderr);
    return done;
}

/* ---- the child's end ---- */

int experiment_say(FILE *out, int status, const char *text)
{
    fputs(text, out);
    return status;
}

int experiment_wrong(FILE *out, const struct diag *d)
{
    fprintf(out, "%u %u ", d->line, d->column);
    return experiment_say(out, EXPERIMENT_WRONG, d->text);
}

int experiment_write(json_t *result, FILE *out)
{
    int failed = json_dumpf(result, out, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(result);
    return failed ? experiment_say(out, EXPERIMENT_FAILED, "the result could not be written") : 0;
}

/* Its length, so that the parent knows where it ends. */
void experiment_put_side(const char *text, size_t size, FILE *out)
{
    fprintf(out, "%zu\n", size);
    fwrite(text, 1, size, out);
}

static void write_side(const struct experiment_side *s, const struct recorded *r, FILE *out)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        abort();
    s->write(r, s->arg, memory);
    if (fclose(memory) != 0)
        abort();
    experiment_put_side(text, size, out);
    free(text);
}

int experiment_write_recorded(const struct experiment *e, struct recorded *r, json_t *result,
                              FILE *out)
{
    if (!r->recording)
        return experiment_write(result, out);
    recording_close(r->recording, r->end);
    if (e->record->bins > 0)
        json_object_set_new(result, "over_time", over_time_json(r, e->record->bins));
    r->result = json_incref(result);
    int status = experiment_write(result, out);
    for (unsigned i = 0; status == 0 && i < e->side_count; i++)
        write_side(&e->sides[i], r, out);
    json_decref(result);
    return status;
}

/* ---- the parent ---- */

static bool explain(const struct isolate_result *r, struct diag *d, int *status)
{
    *status = r->status == EXPERIMENT_WRONG ? EXPERIMENT_WRONG : EXPERIMENT_FAILED;
    if (r->status == ISOLATE_CRASHED)
        return diag_set(d, 0, 0, "the run failed: %s", r->text);
    unsigned line = 0, column = 0;
    int used = 0;
    if (r->status == EXPERIMENT_WRONG)
        sscanf(r->bytes, "%u %u %n", &line, &column, &used);
    return diag_set(d, line, column, "%s", r->bytes + used);
}

static void keep_rest(struct experiment_rest *rest, const struct isolate_result *r, size_t used)
{
    rest->size = r->size - used;
    rest->bytes = malloc(rest->size + 1);
    if (!rest->bytes)
        abort();
    memcpy(rest->bytes, r->bytes + used, rest->size);
    rest->bytes[rest->size] = '\0';
}

json_t *experiment_apart(int (*child)(void *arg, FILE *out), void *arg,
                         struct experiment_rest *rest, struct diag *d, int *status)
{
    struct isolate_result r;
    json_t *o = NULL;
    json_error_t wrong;
    *status = 0;
    if (!isolate_run(child, arg, 0, &r))
        explain(&r, d, status);
    else if ((o = json_loadb(r.bytes, r.size, JSON_DISABLE_EOF_CHECK, &wrong)) == NULL) {
        *status = EXPERIMENT_FAILED;
        diag_set(d, 0, 0, "the run failed: its result cannot be read: %s", wrong.text);
    } else if (rest) {
        keep_rest(rest, &r, (size_t)wrong.position);
    }
    isolate_free(&r);
    return o;
}

size_t experiment_take_sides(const struct experiment *e, const char *bytes)
{
    size_t at = 0;
    for (unsigned i = 0; i < e->side_count; i++) {
        char *text;
        size_t size = strtoull(bytes + at, &text, 10);
        at = (size_t)(text + 1 - bytes);
        fwrite(bytes + at, 1, size, e->sides[i].to);
        at += size;
    }
    return at;
}

/* Hands out the sides; what is behind them stays. */
static void take_sides(const struct experiment *e, struct experiment_rest *rest)
{
    size_t at = experiment_take_sides(e, rest->bytes);
    memmove(rest->bytes, rest->bytes + at, rest->size - at);
    rest->size -= at;
}

/* ---- either kind ---- */

static bool check_clock(const struct experiment *e, struct diag *d)
{
    char set[64];
    struct machine *m = machine_copy(e->machine);
    snprintf(set, sizeof set, "gpu.clock_mhz=%.15g", e->clock_mhz);
    bool good = e->clock_mhz <= 0 || machine_set(m, set, "--clock", d);
    machine_free(m);
    return good;
}

bool experiment_check(const struct experiment *e, struct diag *d)
{
    const struct figures *f = machine_figures(e->machine);
    struct gpu_curve curve;
    if (machine_kind(e->machine) == MACHINE_TPU)
        return tpu_lower_check(&f->tpu, &e->lower, d) && tpu_chip_check(f, d);
    return gpu_curve_parse(&curve, f->gpu.power.voltages, d) && check_clock(e, d)
        && gpu_chip_check(&f->gpu, &f->hbm, d);
}

json_t *experiment_run_rest(const struct experiment *e, struct experiment_rest *rest,
                            struct diag *d, int *status)
{
    *rest = (struct experiment_rest){ NULL, 0 };
    assert(e->side_count <= EXPERIMENT_SIDES && (e->record || e->side_count == 0));
    json_t *o = machine_kind(e->machine) == MACHINE_GPU ? experiment_run_gpu(e, rest, d, status)
                                                        : experiment_run_tpu(e, rest, d, status);
    if (o)
        take_sides(e, rest);
    return o;
}

json_t *experiment_run(const struct experiment *e, struct diag *d, int *status)
{
    struct experiment_rest rest;
    json_t *o = experiment_run_rest(e, &rest, d, status);
    free(rest.bytes);
    return o;
}

bool experiment_disassemble(const struct experiment *e, FILE *out, struct diag *d)
{
    return machine_kind(e->machine) == MACHINE_GPU ? experiment_disassemble_gpu(e, out, d)
                                                   : experiment_disassemble_tpu(e, out, d);
}
