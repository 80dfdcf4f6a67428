/* core.h - one TPU core: its units, run as a block.
 *
 *              +-- load ---> vector memory <--- store --+
 *     HBM <--> |                | ^                     | <--> HBM
 *              |   matrix units-+ +-vector unit         |
 *              |   transpose units    link units <------+---> other cores
 *              +----- semaphores: who waits for whom ---+
 *
 * The program is in program.h; what each unit does with an operation is in its own file.
 * Not modelled: the scalar unit and its instructions (op_cycles and step_cycles stand for
 * them), CMEM, interrupts.
 *
 * A core only steps the units that have something due, or that a semaphore may concern.
 */
#ifndef MODELS_TPU_CORE_H
#define MODELS_TPU_CORE_H

#include "models/energy/ledger.h"
#include "models/tpu/config.h"
#include "models/tpu/dma.h"
#include "models/tpu/matrix.h"
#include "models/tpu/peer.h"
#include "models/tpu/program.h"

struct tpu_core;

/* Everything is borrowed but the config. */
struct tpu_core *tpu_core_new(const char *name, const struct tpu_config *config,
                              const struct tpu_program *program,
                              const struct tpu_memory *memory, const struct tpu_peers *peers,
                              enum tpu_mxu_form form);
void             tpu_core_free(struct tpu_core *c);

struct block tpu_core_block(struct tpu_core *c);

/* Before the run: what its units do is told to `r` (borrowed; record.h lists it). */
void tpu_core_record(struct tpu_core *c, struct record *r);

/* After the run.  The tick at which the program ended here: its last group, and op_cycles in
 * which the sequencer goes on. */
tick_t tpu_core_end(const struct tpu_core *c);
tick_t tpu_core_group_start(const struct tpu_core *c, uint32_t group);
tick_t tpu_core_group_end(const struct tpu_core *c, uint32_t group);
/* How long a unit worked for a group. */
tick_t tpu_core_group_busy(const struct tpu_core *c, uint32_t group, enum tpu_unit unit);

/* Cycles of a unit in each state; `now` is the run's end in cycles. */
void tpu_core_unit_cycles(struct tpu_core *c, enum tpu_unit unit, cycle_t now,
                          uint64_t cycles[TPU_STATES_COUNT]);
/* Of these, those of a group's own time (board.h). */
void tpu_core_group_cycles(struct tpu_core *c, uint32_t group, enum tpu_unit unit, cycle_t now,
                           uint64_t cycles[TPU_STATES_COUNT]);
struct tpu_array_stats tpu_core_array_stats(struct tpu_core *c, uint32_t array, cycle_t now);
struct ledger         *tpu_core_ledger(const struct tpu_core *c);
uint64_t tpu_core_bytes_asked(const struct tpu_core *c);
uint64_t tpu_core_bytes_answered(const struct tpu_core *c);

#endif
