/* tpu_chip.h - a TPU chip put together for one run: cores, stacks, and links between them.
 *
 *     core 0 <==> stacks of core 0            core 0 <==\      /==> stack 0
 *       ||                          split,              +====+      ...         shared
 *     core 1 <==> stacks of core 1            core 1 <==/      \==> stack 3
 *
 * Only the cores that a plan uses are built, and the stacks that they reach.
 */
#ifndef SIM_TPU_CHIP_H
#define SIM_TPU_CHIP_H

#include "models/hbm/hbm_block.h"
#include "models/tpu/core.h"
#include "models/tpu/lower.h"
#include "sim/engine.h"
#include "sim/figures.h"

struct tpu_chip {
    const struct figures  *figures;     /* borrowed, as the plan */
    const struct tpu_plan *plan;
    struct clock           clock;       /* of the cores */
    struct hbm_map         map;         /* of the stacks that a core reaches */
    uint32_t               cores, stacks, reached;  /* built; reached by each core */
    struct tpu_core      **core;
    struct hbm_block     **stack;

    struct block          *blocks;      /* for the engine: cores, then stacks */
    struct engine_link    *links;
    uint32_t               link_count;
    struct engine_config   engine;
    void                  *parts;       /* tpu_chip.c's own */
};

/* Whether the figures make a chip. */
bool tpu_chip_check(const struct figures *f, struct diag *d);

/* NULL with the reason in `d`, if the figures do not make a chip. */
struct tpu_chip *tpu_chip_new(const struct figures *f, const struct tpu_plan *plan,
                              enum tpu_mxu_form form, struct diag *d);
void             tpu_chip_free(struct tpu_chip *c);

/* When the last core ended. */
tick_t tpu_chip_end(const struct tpu_chip *c);

#endif
