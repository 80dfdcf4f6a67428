/* measured.h - what `make gpu-measure` measures on a real card, and the file that it writes.
 *
 *     machine,what,name,m,n,k,value,unit,tflops,power_w,clock_mhz,error
 *     h200,product,bf16,512,512,512,9.81,us,27.4,231,1980,0.0004
 *     h200,micro,l1_latency,,,,33,cycles,,,1980,0
 *     h200,state,"HBM read stream (B/s)",,,,402,W,,402,1980,0
 *
 * A product is the project's own kernels, launched as the lowering does, back to back, its
 * operands cold in L2: microseconds.  A micro is a quantity of micro.h, a state one of
 * gpu_states.h.  `error` is of values: a product's largest, over the sum of the sizes of its
 * terms; of others the share of words that are not those of the interpreter.
 */
#ifndef SIM_MEASURED_H
#define SIM_MEASURED_H

#include <stdio.h>

#include "sim/validate_csv.h"
#include "traces/trace.h"

#define MEASURED_KINDS(X) X(PRODUCT, "product") X(MICRO, "micro") X(STATE, "state")
enum measured_kind {
#define KIND(id, name) MEASURED_##id,
    MEASURED_KINDS(KIND)
#undef KIND
    MEASURED_KINDS_COUNT
};

struct measured_row {
    char     machine[32];
    enum measured_kind kind;
    char     name[64];              /* a product's type */
    char     unit[48];
    uint32_t m, n, k;               /* of a product */
    double   value;
    double   power_w, clock_mhz;    /* negative: not told */
    double   error;
};

/* The products, each in every type. */
extern const uint32_t measured_shapes[][3];         /* m, n, k */
extern const size_t measured_shape_count;
extern const enum trace_type measured_types[];
extern const size_t measured_type_count;

void measured_write_head(FILE *out, const char *card, unsigned capability);
void measured_write(FILE *out, const struct measured_row *r);

/* Row `i` of such a file; false with the reason in `d`. */
bool measured_read(const struct csv *c, size_t i, struct measured_row *r, struct diag *d);

#endif
