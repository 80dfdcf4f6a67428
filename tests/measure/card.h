/* card.h - a real card and the machine file that describes it; rows that it gives.
 *
 *     products.c   products of our kernels, their values and times
 *     micro.c      quantities of sim/micro.h and states of sim/gpu_states.h
 */
#ifndef TESTS_MEASURE_CARD_H
#define TESTS_MEASURE_CARD_H

#include "sim/figures.h"
#include "sim/measured.h"
#include "tests/measure/driver.h"

struct card {
    struct driver        *driver;
    const struct machine *machine;
    FILE                 *out;
    double                most;         /* multiply-accumulates of a product */
    uint32_t              longer;       /* loops and bytes of a micro-kernel, times the model's */
};

/* Each writes its rows; what the card or the lowering refuses is left out, and said. */
void card_products(const struct card *c);
void card_micro(const struct card *c);
void card_states(const struct card *c);

void card_write(const struct card *c, struct measured_row *r);     /* fills in the machine */

#endif
