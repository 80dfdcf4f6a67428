/* step_array_inside.h - what step_array.c knows of a cycle, and step_array_print.c shows. */
#ifndef SIM_STEP_ARRAY_INSIDE_H
#define SIM_STEP_ARRAY_INSIDE_H

#include "sim/step_array.h"

#define STEP_KEPT 256               /* states; going back farther runs again from cycle 0 */

struct step_state {
    bool     filled;
    cycle_t  cycle;
    enum tpu_mxu_state state;
    struct tpu_mxu_pe *pes;         /* [rows][cols] */
};

struct step_array {
    struct array_run_config product;
    uint16_t *a, *b;
    cycle_t   cycles;
    struct array_run *run;          /* it may be ahead of what is shown */
    cycle_t   done;                 /* its cycles */
    struct step_state states[STEP_KEPT];
    struct tpu_mxu_pe *pes;         /* of all of them */
};

/* Valid until the next call. */
const struct step_state *step_array_state(struct step_array *s, cycle_t cycle);

unsigned step_array_views(const struct step_array *s);
void     step_array_print(struct step_array *s, cycle_t cycle, unsigned view, FILE *out);

#endif
