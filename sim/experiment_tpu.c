/* experiment_tpu.c - a trace on a TPU. */
#include <stdlib.h>

#include "sim/experiment_inside.h"
#include "sim/tpu_result.h"

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
static double done_fraction(const void *chip)
{
    const struct tpu_chip *c = chip;
    const struct tpu_program *p = c->plan->programs[0];
    double done = 0, all = 1;
    for (uint32_t i = 0; i < p->count; i++) {
        all += weight(&p->uops[i]);
        done += tpu_core_group_end(c->core[0], p->uops[i].group) > 0 ? weight(&p->uops[i]) : 0;
    }
    return done < 0.99 * all ? done / all : 0.99;
}

static int write_result(struct tpu_chip *c, const struct experiment *e, struct recording *x,
                        FILE *out)
{
    const char *fault = tpu_result_fault(c);
    if (fault)
        return experiment_say(out, EXPERIMENT_FAILED, fault);
    json_t *result = tpu_result(c, e->machine, e->trace, &e->lower, e->toggles);
    struct recorded r = { .tpu = c, .trace = e->trace, .recording = x, .end = tpu_chip_end(c) };
    return experiment_write_recorded(e, &r, result, out);
}

static int run_chip(struct tpu_chip *c, const struct experiment *e, FILE *out)
{
    struct engine_result result;
    struct recording *x = e->record ? recording_tpu(c, e->record) : NULL;
    int status;
    if (!experiment_engine(e, &c->engine, done_fraction, c, &result)) {
        fputs("the run went quiet with work left: ", out);
        status = experiment_say(out, EXPERIMENT_FAILED, result.stuck);
    } else {
        status = write_result(c, e, x, out);
    }
    recording_free(x);
    return status;
}

static int child(void *arg, FILE *out)
{
    const struct experiment *e = arg;
    const struct figures *f = machine_figures(e->machine);
    struct diag d = { .text = "" };
    struct tpu_plan *plan = tpu_lower(&f->tpu, &f->hbm, e->trace, &e->lower, &d);
    struct tpu_chip *chip = plan ? tpu_chip_new(f, plan, e->exact ? TPU_MXU_EXACT : TPU_MXU_FAST,
                                                &d) : NULL;
    int status = chip ? run_chip(chip, e, out) : experiment_wrong(out, &d);
    tpu_chip_free(chip);
    tpu_plan_free(plan);
    return status;
}

json_t *experiment_run_tpu(const struct experiment *e, struct experiment_rest *rest,
                           struct diag *d, int *status)
{
    struct experiment copy = *e;
    return experiment_apart(child, &copy, rest, d, status);
}

bool experiment_disassemble_tpu(const struct experiment *e, FILE *out, struct diag *d)
{
    const struct figures *f = machine_figures(e->machine);
    struct tpu_plan *plan = tpu_lower(&f->tpu, &f->hbm, e->trace, &e->lower, d);
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
