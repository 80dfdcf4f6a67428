/* explain_tpu.h - what the two files of a TPU's explanation share; nobody else includes it. */
#ifndef SIM_EXPLAIN_TPU_H
#define SIM_EXPLAIN_TPU_H

#include "models/tpu/program.h"
#include "sim/explain_inside.h"

struct explain_tpu {
    struct explain *x;
    const struct tpu_config *t;
    const json_t *operations, *units;   /* of the op's plan */
    double hbm_rate, load_rate, store_rate, link_rate;      /* bytes a cycle, of a core */
    double load_latency, store_latency, link_latency;       /* cycles; paid once in a row */
    double drain;                       /* of the matrix units, the same */
    double *cycles;                     /* [operations] without these */
    double folds_k, folds_n, blocks, last_rows;     /* of the product in hand */
    const char *longest;                /* unit; NULL: HBM, or the way through cores */
    double work;                        /* of it, by hand */
};

/* Part `i` of a list of kinds and how many of each; false: there are no more. */
struct explain_tpu_part { size_t kind; double count; };
bool explain_tpu_part(const json_t *list, size_t i, struct explain_tpu_part *part);

/* "A", "B", ... of the operations. */
const char *explain_tpu_letter(size_t kind);

/* Of those in a list that are `unit`'s, one after the other; `one`: of the last
 * of them alone. */
double explain_tpu_list(const struct explain_tpu *y, const json_t *list, enum tpu_unit unit,
                        double *one);
/* Of all of the list: what is most of one unit, and one operation of each other. */
double explain_tpu_chain(const struct explain_tpu *y, const json_t *list);

/* What each unit does with what comes before and after, and the longest: fills x->cycles. */
void explain_tpu_units(struct explain_tpu *y, const char *const words[TPU_UNITS_COUNT]);
void explain_tpu_difference(struct explain_tpu *y);

#endif
