/* gpu_chip.h - a GPU chip put together for one run: SMs, L2, stacks, block scheduler.
 *
 *                       block scheduler
 *              /--------/      |      \--------\
 *     partition 0            ...            partition 1
 *     SM  SM  SM  SM                        SM  SM  SM  SM
 *       \   crossbar  /                       \  crossbar  /
 *     L2 group   L2 group  <==  far ==>  L2 group   L2 group      one a stack
 *          \        \                        /        /
 *        stack 0  stack 1                stack 0   stack 1        the same stacks
 *
 * SMs belong to the partitions by turns: even numbers to 0, odd ones to 1.  An SM without a
 * block costs its links.
 */
#ifndef SIM_GPU_CHIP_H
#define SIM_GPU_CHIP_H

#include "models/gpu/config.h"
#include "models/gpu/front.h"
#include "models/gpu/l2.h"
#include "models/gpu/sm.h"
#include "models/hbm/hbm_block.h"
#include "sim/engine.h"

/* What is run, and on what.  All is borrowed until gpu_chip_free. */
struct gpu_chip_config_run {
    const struct gpu_config *config;
    const struct hbm_config *hbm;
    const struct gpu_launch *launches;
    uint32_t launch_count;
    uint32_t groups;                    /* trace groups: launches have numbers below */
    struct gpu_memory *memory;
    bool     values;                    /* memory has bytes */
    bool     sample;
};

struct gpu_chip {
    struct gpu_chip_config_run run;
    struct clock  clock;                /* of the SMs */
    struct hbm_map    map;
    struct gpu_l2_map l2_map;
    struct gpu_occupancy *occupancy;    /* of each launch */
    uint32_t sms, l2s, stacks;
    uint64_t local_base, local_bytes;   /* local memory of SM 0, and of each; 0: none needed */
    struct gpu_sm    **sm;
    struct gpu_l2    **l2;              /* partition x stacks + stack */
    struct hbm_block **stack;
    struct gpu_front  *front;

    struct block        *blocks;        /* for the engine: SMs, L2, stacks, scheduler */
    struct engine_link  *links;
    uint32_t             block_count, link_count;
    struct engine_config engine;
    void                *parts;         /* gpu_chip.c's own */
};

/* Whether the figures make a chip. */
bool gpu_chip_check(const struct gpu_config *c, const struct hbm_config *hbm, struct diag *d);

/* NULL with the reason in `d`, if the figures do not make a chip or a launch does not fit. */
struct gpu_chip *gpu_chip_new(const struct gpu_chip_config_run *run, struct diag *d);
void             gpu_chip_free(struct gpu_chip *c);

tick_t      gpu_chip_end(const struct gpu_chip *c);     /* when the last launch ended */
const char *gpu_chip_fault(const struct gpu_chip *c);   /* of the first SM with one, or NULL */

#endif
