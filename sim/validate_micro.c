/* validate_micro.c - single units, by micro-kernels, beside those of measured chips. */
#include <math.h>
#include <string.h>

#include "sim/micro.h"
#include "sim/validate_csv.h"
#include "sim/validate_gpu.h"

enum { CLOCK_MHZ };

static double run_quantity(const struct validate_row *row, struct diag *d)
{
    const struct micro_quantity *q = row->detail;
    struct machine *m = machine_copy(row->machine);
    char clock[48];
    double value = NAN;
    snprintf(clock, sizeof clock, "gpu.clock_mhz=%g", row->arg[CLOCK_MHZ]);
    if (machine_set(m, clock, "validate", d)) {
        struct micro_place place = micro_on_model(machine_figures(m));
        value = q->run(&place, d);
    }
    machine_free(m);
    return value;
}

void validate_micro_row(struct validate_set *s, const struct machine *m,
                        const struct micro_quantity *q, double clock_mhz, double measured)
{
    struct validate_row row = {
        .run = run_quantity, .machine = m, .judged = true, .class = VALIDATE_NONE,
        .measured = measured, .arg = { [CLOCK_MHZ] = clock_mhz }, .detail = q,
    };
    snprintf(row.what, sizeof row.what, "%s, %s (%s)", machine_name(m), q->name, q->unit);
    snprintf(row.note, sizeof row.note, "%s", q->note);
    validate_add_row(s, &row);
}

static const struct validate_set units = {
    .title = "GPUs: single units", .unit = "as said", .each_bar = 5,
    .about = "Micro-kernels (models/gpu/kernels/micro.cu) on the model, beside gpu-benches "
             "(RRZE-HPC) and an H100's reproduction of NVIDIA-Hopper-Benchmark, at the clock at "
             "which they were measured.",
};

static bool add_quantity(struct validation *v, struct validate_set *s, const struct csv *c,
                         size_t i, struct diag *d)
{
    const char *what = csv_text(c, i, "what");
    const struct micro_quantity *q = micro_find(what);
    if (!q)
        return diag_set(d, 0, 0, "gpu_microbench.csv: no such quantity as %.40s", what);
    const struct machine *m = validate_machine(v, csv_text(c, i, "machine"), d);
    if (m)
        validate_micro_row(s, m, q, csv_number(c, i, "clock_mhz"), csv_number(c, i, "value"));
    return m != NULL;
}

bool validate_micro(struct validation *v, struct diag *d)
{
    struct csv c;
    struct validate_set *s = validate_add_set(v, &units);
    if (!csv_read(&c, v->folder, "gpu_microbench.csv", d))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < c.rows; i++)
        ok = add_quantity(v, s, &c, i, d);
    csv_clear(&c);
    return ok;
}
