/* validate_measured.c - the model beside what `make gpu-measure` saw on a real card.
 *
 * Files of `gpu_measured` in the folder of the reference, in the order of their names, or the
 * one of --measured.  Without any there is nothing to compare, which is said.
 */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/measured.h"
#include "sim/validate_gpu.h"

#define ABOUT "Our own kernels on a real card (make gpu-measure), beside the model at the clock " \
              "of the card."

static const struct validate_set sets[MEASURED_KINDS_COUNT] = {
    [MEASURED_PRODUCT] = {
        .title = "Measured here: products", .unit = "us", .mean_bar = 10,
        .about = ABOUT " Back to back, operands cold in L2.",
    },
    [MEASURED_MICRO] = {
        .title = "Measured here: single units", .unit = "as said", .each_bar = 5, .about = ABOUT,
    },
    [MEASURED_STATE] = {
        .title = "Measured here: power of states", .unit = "W", .mean_bar = 12, .about = ABOUT,
    },
};

static bool add_product(struct validate_set *s, const struct measured_row *r, double clock_mhz,
                        const struct machine *m, struct diag *d)
{
    struct validate_gpu_product p = { .machine = m, .m = r->m, .n = r->n, .k = r->k,
                                      .clock_mhz = clock_mhz, .measured_us = r->value };
    for (size_t t = 0; t < measured_type_count; t++)
        if (strcmp(r->name, trace_type_names[measured_types[t]]) == 0) {
            p.type = measured_types[t];
            if (r->m == 0 || r->n == 0 || r->k == 0)
                break;
            validate_gpu_product_row(s, &p);
            return true;
        }
    return diag_set(d, 0, 0, "product %s of %u x %u x %u; expected bf16, f16 or f32, and sizes",
                    r->name, r->m, r->k, r->n);
}

static bool add_row(struct validation *v, size_t first, const struct measured_row *r,
                    struct diag *d)
{
    struct validate_set *s = &v->sets[first + r->kind];
    const struct machine *m = validate_machine(v, r->machine, d);
    const struct micro_quantity *q = micro_find(r->name);
    const struct gpu_state *state = gpu_state_find(r->name);
    if (!m)
        return false;
    const struct figures *f = machine_figures(m);
    double highest = f->gpu.gpu.clock_mhz;
    double mhz = r->clock_mhz > 0 ? fmin(r->clock_mhz, highest) : highest;
    switch (r->kind) {
    case MEASURED_PRODUCT:
        return add_product(s, r, mhz, m, d);
    case MEASURED_MICRO:
        if (!q)
            return diag_set(d, 0, 0, "micro %s: there is no such quantity", r->name);
        validate_micro_row(s, m, q, mhz, r->value);
        return true;
    case MEASURED_STATE:
        if (!state)
            return diag_set(d, 0, 0, "state %s: there is no such state", r->name);
        validate_state_row(s, m, state, mhz, r->value);
        return true;
    case MEASURED_KINDS_COUNT:
        break;
    }
    abort();
}

/* What is long is left to the larger sizes, as the rows of others are. */
static bool wanted(const struct measured_row *r, enum validate_size size)
{
    static const double most[VALIDATE_SIZES] = { 2e9, 2e11, INFINITY };
    return r->kind != MEASURED_PRODUCT
        || (double)r->m * (double)r->n * (double)r->k <= most[size];
}

static bool add_file(struct validation *v, size_t first, const char *folder, const char *name,
                     struct diag *d)
{
    struct csv c;
    struct measured_row r;
    if (!csv_read(&c, folder, name, d))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < c.rows; i++)
        ok = measured_read(&c, i, &r, d)
          && (!wanted(&r, v->size) || add_row(v, first, &r, d));
    if (!ok)
        snprintf(d->file, sizeof d->file, "%.120s/%.120s", folder, name);
    csv_clear(&c);
    return ok;
}

static int is_csv(const struct dirent *e)
{
    size_t size = strlen(e->d_name);
    return size > 4 && strcmp(e->d_name + size - 4, ".csv") == 0;
}

static bool add_folder(struct validation *v, size_t first, const char *folder, struct diag *d)
{
    struct dirent **files = NULL;
    int count = scandir(folder, &files, is_csv, alphasort);
    bool ok = true;
    if (count <= 0)
        fprintf(stderr, "simaccel: no file of make gpu-measure in %s: nothing to compare\n",
                folder);
    for (int i = 0; i < count; i++) {
        ok = ok && add_file(v, first, folder, files[i]->d_name, d);
        free(files[i]);
    }
    free(files);
    return ok;
}

bool validate_measured(struct validation *v, struct diag *d)
{
    char folder[256];
    size_t first = v->count;
    for (int kind = 0; kind < MEASURED_KINDS_COUNT; kind++)
        validate_add_set(v, &sets[kind]);
    if (v->measured) {
        const char *name = strrchr(v->measured, '/');
        name = name ? name + 1 : v->measured;
        size_t size = (size_t)(name - v->measured);
        if (size >= sizeof folder)
            return diag_set(d, 0, 0, "--measured: the path is too long");
        snprintf(folder, sizeof folder, "%.*s", (int)size, size ? v->measured : "");
        return add_file(v, first, size ? folder : ".", name, d);
    }
    snprintf(folder, sizeof folder, "%.200s/gpu_measured", v->folder);
    return add_folder(v, first, folder, d);
}
