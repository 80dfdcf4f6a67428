/* explain_inside.h - an explanation while it is written, for the files sim/explain*.c. */
#ifndef SIM_EXPLAIN_INSIDE_H
#define SIM_EXPLAIN_INSIDE_H

#include <math.h>

#include "sim/explain.h"
#include "sim/figures.h"
#include "sim/report_field.h"

struct explain {
    const json_t *result, *op;
    size_t   number;                /* of the op */
    const struct figures *f;        /* as they were in the run */
    double   hz;                    /* of the cores or SMs */
    uint32_t cores;                 /* that were used */
    json_t  *sections, *lines;      /* all; of the last one */
    double   cycles;                /* by hand, of what the op's time_s is */
    double   least_compute, least_bytes;    /* cycles that it takes at least */
    const char *limit;              /* which part is the longest */
    double   joules;
};

void explain_section(struct explain *x, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A line of the last section; returns `value`.  `numbers` is a format: the formula again with
 * numbers for names, or " " where the formula says it all. */
double explain_line(struct explain *x, const char *name, double value, const char *unit,
                    const char *formula, const char *numbers, ...)
    __attribute__((format(printf, 6, 7)));

void explain_note(struct explain *x, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A field of an object in the result, as a number; 0 where there is none. */
static inline double explain_at(const json_t *o, const char *object, const char *key)
{
    return report_number(json_object_get(o, object), key);
}

/* Six digits, never an exponent, whole numbers whole: for `numbers`, printed with %s.  The text
 * lives until sixteen calls later. */
const char *explain_digits(double value);
#define D explain_digits

/* Whether the op can be explained at all; false with the reason in `d`. */
bool explain_check(const json_t *result, const json_t *op, struct diag *d);
/* The machine as it was run; NULL with the reason in `d`. */
struct machine *explain_machine(const json_t *result, struct diag *d);

/* The parts, each for its kind of machine; the plan is known to be there. */
void explain_tpu(struct explain *x);
void explain_gpu(struct explain *x);
/* Time by hand beside the simulated, once x->cycles is known. */
void explain_difference(struct explain *x);
/* The roofline, under the peak of `units`, which are the op's own. */
void explain_bound(struct explain *x, const char *units, double flops_per_s);
void explain_energy(struct explain *x);

#endif
