/* sm_cycles.h - one SM of a chip in every cycle of a window: what its schedulers did, and what
 * each warp waited for.
 *
 * The chip runs as always, in a plain loop; only this SM is stopped after every cycle and looked
 * at, which changes nothing (models/gpu/sm_look.h).  Operations that issued and the cause of
 * each scheduler's cycle come from its recorder (models/record.h): they are those that its
 * counts are made of.
 *
 * A warp that waits does so until its operands are there, then until its pipe is, then because
 * another warp was chosen.  A scheduler's cycle has the cause that the warp which issued next
 * waited for last.  What is not known in a cycle, as when HBM will answer, is known here: it is
 * in a later one.
 */
#ifndef SIM_SM_CYCLES_H
#define SIM_SM_CYCLES_H

#include "models/gpu/sm_look.h"
#include "sim/gpu_chip.h"

#define SM_CYCLES_MOST 100000       /* of a window */

enum sm_warp_does { SM_WARP_ISSUES, SM_WARP_WAITS, SM_WARP_READY };     /* ready: not chosen */

struct sm_warp_cycle {
    struct gpu_warp_look warp;      /* of one that issues: the operation that it issues */
    enum sm_warp_does does;
    enum gpu_cause    cause;        /* waits: for what */
    cycle_t           until;        /* waits: so long; CYCLE_NEVER: beyond what is recorded */
};

struct sm_cycles;

/* Runs the chip through the cycles before `to`; those from `from` on are kept.  NULL with the
 * reason in `d`: a fault of the kernel, work left that cannot go on. */
struct sm_cycles *sm_cycles_new(struct gpu_chip *chip, uint32_t sm, cycle_t from, cycle_t to,
                                struct diag *d);
void              sm_cycles_free(struct sm_cycles *x);

/* The cycles that there are: the window, or less if the run ended in it. */
cycle_t sm_cycles_first(const struct sm_cycles *x);
cycle_t sm_cycles_last(const struct sm_cycles *x);

/* Of a cycle that there is. */
const struct gpu_sm_look *sm_cycles_look(const struct sm_cycles *x, cycle_t cycle);
enum gpu_cause sm_cycles_cause(const struct sm_cycles *x, cycle_t cycle, uint32_t subcore);

/* Warp `i` of those there in the cycle, in the order of their places; false: there are less. */
bool sm_cycles_warp(const struct sm_cycles *x, cycle_t cycle, uint32_t i,
                    struct sm_warp_cycle *w);

#endif
