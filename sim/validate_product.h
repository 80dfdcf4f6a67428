/* validate_product.h - one trace run for one figure, and its roofline: what the sets of
 * matrix products have in common. */
#ifndef SIM_VALIDATE_PRODUCT_H
#define SIM_VALIDATE_PRODUCT_H

#include <jansson.h>

#include "sim/validate.h"
#include "traces/trace.h"

/* What a roofline knows of a core: all from data sheets, and the best that was measured. */
struct roofline { double flops_per_s, bytes_per_s, fixed_s; };

/* The longer of the two, and the fixed cost. */
double validate_roofline(const struct roofline *r, double flops, double bytes);

/* Of a row that took `seconds` when it was measured. */
enum validate_class validate_class_of(const struct roofline *r, double flops, double bytes,
                                      double seconds);

/* The result of a trace, which it frees; NULL with the reason in `d`. */
json_t *validate_result(struct trace *t, const struct machine *m, uint32_t cores, bool highest,
                        struct diag *d);
double  validate_field(const json_t *result, const char *name);

#endif
