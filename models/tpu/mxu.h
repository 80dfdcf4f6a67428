/* mxu.h - the matrix unit: a systolic array of rows x cols multiply-accumulators.
 *
 * Weight-stationary, a tile is rows x cols weights and `depth` rows of activations that
 * are multiplied by them.  Weights are pushed into a second set of registers while the
 * tile before is streaming; activation rows then enter one after the other:
 *
 *     weights      [ tile 0 ][ tile 1 ]           [ tile 2 ]
 *     activations            [   tile 0   ][   tile 1   ][   tile 2   ]
 *     results                      |  [   tile 0   ][   tile 1   ] ...
 *                  |<- push ->|<- latency ->|
 *
 * push    = ceil(rows / weight_rows_per_cycle) cycles.
 * A tile streams for ceil(depth / push_rows) pushes of push_rows x row_cycles cycles each;
 * the results of a push can be popped latency_cycles after it began to enter, and are
 * popped then.  The array itself is free for the next push.
 *
 * The caller decides when each piece starts (it has ports to reserve): a tile waits
 * before, never within.  All forms take the same calls, and agree in every cycle and bit:
 *
 *     fast    a tile at a time: the closed form, O(1) a tile
 *     exact   every register of every PE in every cycle
 *     rtl     Verilog, for tests only (tests/rtl/)
 *
 * Output-stationary (for teaching), a tile is rows x cols results; `depth` is the length
 * of the sum, and nothing is loaded: columns of activations and rows of weights stream in
 * from two sides, each k by itself (no push_rows, no limit in flight, no swap).  latency_cycles
 * after the last k the results shift out, a row a cycle, the last row first.
 *
 * A result is the sum over k = 0 .. rows-1 (output-stationary: 0 .. depth-1), in that
 * order, from +0; each product and each sum is rounded to f32, to nearest even, with
 * subnormals.  (A product of two bf16 is exact unless it is subnormal.)  NaN is 0x7fc00000.
 *
 * Not modelled: zero skipping, faulty PEs, accumulators inside the unit, flushing of
 * subnormals to zero.
 */
#ifndef MODELS_TPU_MXU_H
#define MODELS_TPU_MXU_H

#include "models/block.h"
#include "models/param.h"
#include "models/record.h"

#define TPU_MXU_PARAMS(X) \
    /*      name                  min  max    what                                     */ \
    X(COUNT, rows,                  1,  1024, "PEs along the sum (inputs of a tile)")          \
    X(COUNT, cols,                  1,  1024, "PEs across (outputs of a tile)")                \
    X(COUNT, weight_buffers,        1,     2, "1: weights change when the array is empty; 2: the next are pushed while these stream (output-stationary: sets of accumulators)") \
    X(COUNT, weight_rows_per_cycle, 1,  1024, "rows of weights pushed in a cycle")             \
    X(COUNT, swap_cycles,           0,  1024, "to put pushed weights in place, no row entering; 0: rides on a row") \
    X(COUNT, push_rows,             1,   256, "activation rows that are pushed, and popped, as one") \
    X(COUNT, row_cycles,            1,    64, "cycles from an activation row to the next")     \
    X(COUNT, latency_cycles,        0, 65536, "push to its results; 0: rows + cols - 1 after its last row (textbook)") \
    X(COUNT, in_flight_rows,        0, 65536, "rows in the unit before one must be popped; 0: no limit") \
    X(CHOICE, dataflow, "weight-stationary|output-stationary", 0, "what stays in the PEs")

struct tpu_mxu_config { TPU_MXU_PARAMS(PARAM_FIELD) };

enum tpu_mxu_dataflow { TPU_MXU_WEIGHT_STATIONARY, TPU_MXU_OUTPUT_STATIONARY };

#define TPU_MXU_PARAM_COUNT 10
extern const struct param tpu_mxu_params[TPU_MXU_PARAM_COUNT];

/* Whether the figures go together; if not, `expected` says what would.  (Each by itself
 * is checked by param_set.) */
bool tpu_mxu_config_check(const struct tpu_mxu_config *c, char *expected, size_t size);

/* Every cycle is spent in exactly one of these. */
#define TPU_MXU_STATES(X)                                                   \
    X(IDLE,    "nothing to do")                                             \
    X(WEIGHTS, "waiting for weights to be pushed")                          \
    X(SWAP,    "putting pushed weights in place")                           \
    X(WAIT,    "weights in place, no activations given")                    \
    X(STREAM,  "activation rows enter")                                     \
    X(FULL,    "as many rows inside as may be; the next waits for a pop")   \
    X(DRAIN,   "rows or results inside must leave first")

enum tpu_mxu_state {
#define STATE(name, what) TPU_MXU_##name,
    TPU_MXU_STATES(STATE)
#undef STATE
    TPU_MXU_STATES_COUNT
};

extern const char *const tpu_mxu_state_names[TPU_MXU_STATES_COUNT];     /* "idle" */

#define TPU_MXU_STATS(X)                                                          \
    X(tiles_loaded,  "tiles",  "weight tiles pushed")                             \
    X(weight_rows,   "rows",   "weight rows pushed")                              \
    X(weight_cycles, "cycles", "pushing weights, hidden or not")                  \
    X(streams,       "tiles",  "tiles streamed")                                  \
    X(rows_streamed, "rows",   "activation rows asked for")                       \
    X(rows_padded,   "rows",   "empty rows that filled up a push")                \
    X(macs_useful,   "macs",   "multiply-accumulates asked for")                  \
    X(macs_padded,   "macs",   "multiply-accumulates of padding")

/* A tile counts when it starts; cycles count as they pass. */
struct tpu_mxu_stats {
#define FIELD(name, unit, what) uint64_t name;
    TPU_MXU_STATS(FIELD)
#undef FIELD
    uint64_t cycles[TPU_MXU_STATES_COUNT];
};

/* What to stream.  Values (bf16 as uint16_t, f32) are given all together or not at all,
 * are borrowed until the last result is out, and padding in them is zero. */
struct tpu_mxu_tile {
    uint32_t depth;                 /* rows to enter (output-stationary: k), > 0 */
    uint32_t used_rows, used_cols;  /* of the array; the rest is padding; > 0 */
    bool     reuse;                 /* the weights in place again, not the pushed ones */
    const uint16_t *activations;    /* [depth][rows] */
    const uint16_t *weights;        /* [depth][cols], output-stationary only */
    float   *results;               /* [depth][cols]; output-stationary [rows][cols] */
};

enum tpu_mxu_form { TPU_MXU_FAST, TPU_MXU_EXACT };

struct tpu_mxu;

struct tpu_mxu *tpu_mxu_new(const struct tpu_mxu_config *c, enum tpu_mxu_form form);
void            tpu_mxu_free(struct tpu_mxu *m);

/* Before the first cycle: its states are told to `r` (borrowed), as the track of this name. */
void            tpu_mxu_record(struct tpu_mxu *m, struct record *r, const char *name);

/* In every call `now` is never before that of an earlier call. */

/* The first cycle, from `now` on, in which weights could begin to be pushed, or the tile
 * to stream; CYCLE_NEVER if another load or stream must come first. */
cycle_t tpu_mxu_load_at(const struct tpu_mxu *m, cycle_t now);
cycle_t tpu_mxu_stream_at(const struct tpu_mxu *m, cycle_t now, const struct tpu_mxu_tile *t);

static inline bool tpu_mxu_can_load(const struct tpu_mxu *m, cycle_t now)
{
    return tpu_mxu_load_at(m, now) == now;
}

static inline bool tpu_mxu_can_stream(const struct tpu_mxu *m, cycle_t now,
                                      const struct tpu_mxu_tile *t)
{
    return tpu_mxu_stream_at(m, now, t) == now;
}

/* The next tile's weights ([rows][cols], copied; NULL without values) begin to be pushed.
 * Requires tpu_mxu_can_load.  In the cycle of a swap, stream first and then load. */
void tpu_mxu_load(struct tpu_mxu *m, cycle_t now, const uint16_t *weights);

/* The tile's first row enters; unless it reuses the weights in place, those pushed last
 * take their place.  Requires tpu_mxu_can_stream. */
void tpu_mxu_stream(struct tpu_mxu *m, cycle_t now, const struct tpu_mxu_tile *t);

/* Does what is due at `now`; returns the next cycle in which something ends (a push of
 * weights, a swap, a stream, the results of a tile), or CYCLE_NEVER.  The exact form asks
 * for every cycle in which anything moves. */
cycle_t tpu_mxu_step(struct tpu_mxu *m, cycle_t now);

/* Of the latest load: the first cycle in which its weights are all there.
 * Of the latest stream: the first cycle after its last row has entered (the array is free
 * for the next); the first and the last cycle in which results of it can be popped.
 * Known when it starts.  0 before the first. */
cycle_t tpu_mxu_loaded_at(const struct tpu_mxu *m);
cycle_t tpu_mxu_stream_end(const struct tpu_mxu *m);
cycle_t tpu_mxu_first_result_at(const struct tpu_mxu *m);
cycle_t tpu_mxu_last_result_at(const struct tpu_mxu *m);

/* The counts up to `now`: cycles[] adds up to exactly that. */
struct tpu_mxu_stats tpu_mxu_stats(struct tpu_mxu *m, cycle_t now);

#endif
