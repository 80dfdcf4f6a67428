/* measured.c - see measured.h. */
#include "sim/measured.h"

#include <math.h>
#include <string.h>

/* Squares, deep, skinny, few rows, and shapes of training; awkward ones at the end. */
const uint32_t measured_shapes[][3] = {
    { 512, 512, 512 },     { 1024, 1024, 1024 },  { 2048, 2048, 2048 },  { 4096, 4096, 4096 },
    { 8192, 8192, 8192 },  { 256, 256, 16384 },   { 1024, 1024, 16384 }, { 2048, 2048, 8192 },
    { 512, 3072, 5120 },   { 2048, 10240, 3072 }, { 16, 5120, 5120 },    { 64, 12288, 3072 },
    { 64, 10240, 10240 },  { 128, 8192, 8192 },   { 256, 1024, 784 },    { 784, 1024, 256 },
    { 1536, 1536, 1536 },  { 3072, 3072, 3072 },  { 129, 1000, 777 },    { 1000, 1003, 511 },
};
const size_t measured_shape_count = sizeof measured_shapes / sizeof measured_shapes[0];

const enum trace_type measured_types[] = { TRACE_BF16, TRACE_F16, TRACE_F32 };
const size_t measured_type_count = sizeof measured_types / sizeof measured_types[0];

static const char *const kind_names[MEASURED_KINDS_COUNT] = {
#define KIND(id, name) name,
    MEASURED_KINDS(KIND)
#undef KIND
};

void measured_write_head(FILE *out, const char *card, unsigned capability)
{
    fprintf(out,
        "# The project's own kernels on a %s (sm_%u), by make gpu-measure.\n"
        "# product: mean of back-to-back launches, operands cold in L2, the best of some trials.\n"
        "# micro: sim/micro.h, caches cold, the best of some launches.  state: sim/gpu_states.h,\n"
        "# the mean power while it lasts.  clock_mhz: of the SMs.  Empty: not told.\n"
        "# error: of values, as sim/measured.h says.\n"
        "machine,what,name,m,n,k,value,unit,tflops,power_w,clock_mhz,error\n",
        card, capability);
}

/* A cell and its comma; an empty one where the card does not tell. */
static void put(FILE *out, double value, int digits)
{
    if (value >= 0)
        fprintf(out, "%.*g", digits, value);
    fputc(',', out);
}

void measured_write(FILE *out, const struct measured_row *r)
{
    fprintf(out, "%s,%s,\"%s\",", r->machine, kind_names[r->kind], r->name);
    if (r->kind == MEASURED_PRODUCT)
        fprintf(out, "%u,%u,%u,", r->m, r->n, r->k);
    else
        fputs(",,,", out);
    put(out, r->value, 6);
    fprintf(out, "%s,", r->unit);
    put(out, r->kind == MEASURED_PRODUCT
             ? 2e-6 * (double)r->m * (double)r->n * (double)r->k / r->value : -1, 4);
    put(out, r->power_w, 4);
    put(out, r->clock_mhz, 6);
    fprintf(out, "%.3g\n", r->error);
}

static double told(const struct csv *c, size_t i, const char *column)
{
    return csv_text(c, i, column)[0] ? csv_number(c, i, column) : -1;
}

bool measured_read(const struct csv *c, size_t i, struct measured_row *r, struct diag *d)
{
    const char *what = csv_text(c, i, "what");
    *r = (struct measured_row){ .value = told(c, i, "value"), .power_w = told(c, i, "power_w"),
                                .clock_mhz = told(c, i, "clock_mhz"),
                                .error = csv_number(c, i, "error") };
    snprintf(r->machine, sizeof r->machine, "%.31s", csv_text(c, i, "machine"));
    snprintf(r->name, sizeof r->name, "%.63s", csv_text(c, i, "name"));
    snprintf(r->unit, sizeof r->unit, "%.47s", csv_text(c, i, "unit"));
    r->m = (uint32_t)csv_number(c, i, "m");
    r->n = (uint32_t)csv_number(c, i, "n");
    r->k = (uint32_t)csv_number(c, i, "k");
    if (!(r->value > 0) || isinf(r->value))
        return diag_set(d, 0, 0, "row %zu: value %.20s; expected a number above 0", i + 1,
                        csv_text(c, i, "value"));
    while (r->kind < MEASURED_KINDS_COUNT && strcmp(what, kind_names[r->kind]) != 0)
        r->kind++;
    return r->kind < MEASURED_KINDS_COUNT
        || diag_set(d, 0, 0, "row %zu: what %.20s; expected product, micro or state", i + 1, what);
}
