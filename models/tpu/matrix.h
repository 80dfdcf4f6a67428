/* matrix.h - the matrix units of a core, and what deals tiles out to them.
 *
 * A product [m][k] x [k][n] is cut into tiles of the array's size.  Rows go in blocks of
 * weight_rows; in each block, tiles are dealt to the units in turn, along k first:
 *
 *     for each block of rows, for each n tile, for each k tile:   unit = next, round
 *         push the weights (hidden under the tile before), stream the rows
 *
 * A tile's reads, partial sums and writes are reserved in the calendar for its whole
 * duration before it starts.  Partial sums over k go through the result queue to the
 * vector unit, which adds them (TPU v2 and later), or stay in accumulators (v1).
 * The next operation may begin to stream while the last results of this one come out.
 *
 * Output-stationary: a tile is rows x cols results, the whole of k streams through it.
 *
 * Ports are reserved for the rows, from the first on: results, which come later by the
 * latency, are reckoned to take theirs as their rows enter.
 *
 * Not modelled: what rows that wait for a pop (in_flight_rows) take beyond that; weights kept
 * from one block of rows to the next; skipping of padding; a swap that must wait for the other units.
 */
#ifndef MODELS_TPU_MATRIX_H
#define MODELS_TPU_MATRIX_H

#include "models/energy/ledger.h"
#include "models/tpu/board.h"
#include "models/tpu/config.h"
#include "models/tpu/ports.h"

/* How each cycle of one matrix unit was spent: its own states while it works, and while
 * it has nothing, what the whole unit waits for (the states of board.h). */
#define TPU_ARRAY_STATES(X) \
    X(STREAM,  "stream",  "activation rows enter") \
    X(WEIGHTS, "weights", "waiting for weights to be pushed") \
    X(SWAP,    "swap",    "putting pushed weights in place") \
    X(PORTS,   "ports",   "weights in place; waiting for ports or its turn") \
    X(FULL,    "full",    "as many rows inside as may be") \
    X(DRAIN,   "drain",   "rows inside must leave first") \
    X(TAIL,    "tail",    "others of this operation still work")

enum tpu_array_state {
#define STATE(id, name, what) TPU_ARRAY_##id,
    TPU_ARRAY_STATES(STATE)
#undef STATE
    TPU_ARRAY_STATES_COUNT
};

struct tpu_array_stats {
    uint64_t cycles[TPU_ARRAY_STATES_COUNT];
    uint64_t without[TPU_STATES_COUNT];     /* work: waiting for whom, or idle */
    uint64_t macs_useful, macs_padded;
};

struct tpu_matrix;

struct tpu_matrix *tpu_matrix_new(const struct tpu_config *config, const struct clock *clock,
                                  struct tpu_board *board, struct tpu_ports *ports,
                                  struct ledger *ledger, enum tpu_mxu_form form);
void               tpu_matrix_free(struct tpu_matrix *m);

/* Before the first cycle: tiles, pushes of weights and states of each unit are told to `r`
 * (borrowed). */
void               tpu_matrix_record(struct tpu_matrix *m, struct record *r);

cycle_t           tpu_matrix_step(struct tpu_matrix *m, cycle_t now);
struct tpu_queue *tpu_matrix_queue(struct tpu_matrix *m);
bool              tpu_matrix_busy(const struct tpu_matrix *m);

/* Of unit `i` up to `now`; all its cycles add up to that. */
struct tpu_array_stats tpu_matrix_array_stats(struct tpu_matrix *m, uint32_t i, cycle_t now);

#endif
