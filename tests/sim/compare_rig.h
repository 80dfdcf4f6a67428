/* compare_rig.h - a small network on small and real machines, for tests of comparisons. */
#ifndef TESTS_SIM_COMPARE_RIG_H
#define TESTS_SIM_COMPARE_RIG_H

#include "sim/together.h"

#define MACHINES 4

extern const char *const compare_names[MACHINES];

struct rig { struct trace *trace; struct together runs[MACHINES]; json_t *results[MACHINES]; };

void open_rig(struct rig *r);               /* machines and trace */
void run_rig(struct rig *r, unsigned jobs);
void close_rig(struct rig *r);

double      number(const json_t *o, const char *key);
const char *text_of(const json_t *o, const char *key);      /* "": none */

#endif
