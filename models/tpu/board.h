/* board.h - a core's semaphores, and the queues of units that wait for them.
 *
 * An operation that ends raises its semaphore at once.  When the last of a group ends, the
 * group's own semaphore follows op_cycles later (and, in a program with peers, when every
 * peer has said that it ended the group too).
 *
 * A queue hands its unit one operation after the other, and accounts for every cycle of
 * the unit: busy, or waiting for whom.
 *
 * Not modelled: what raising and reading a semaphore takes (it is in step_cycles).
 */
#ifndef MODELS_TPU_BOARD_H
#define MODELS_TPU_BOARD_H

#include "models/record.h"
#include "models/tpu/program.h"

/* Every cycle of a unit is spent in exactly one of these; the waits are in the order of
 * enum tpu_unit, so that a semaphore's owner gives the state. */
#define TPU_STATES(X) \
    X(LOAD,      "wait_load",      "waiting for a load") \
    X(STORE,     "wait_store",     "waiting for a store") \
    X(MATRIX,    "wait_matrix",    "waiting for the matrix units") \
    X(VECTOR,    "wait_vector",    "waiting for the vector unit") \
    X(TRANSPOSE, "wait_transpose", "waiting for the transpose units") \
    X(LINK,      "wait_link",      "waiting for another core") \
    X(OP,        "wait_op",        "waiting for the op before to end, or for this one to begin") \
    X(IDLE,      "idle",           "no operation left") \
    X(BUSY,      "busy",           "working")

enum tpu_state {
#define STATE(id, name, what) TPU_STATE_##id,
    TPU_STATES(STATE)
#undef STATE
    TPU_STATES_COUNT
};

extern const char *const tpu_state_names[TPU_STATES_COUNT];

struct tpu_board;

struct tpu_board *tpu_board_new(const struct tpu_program *program, uint32_t op_cycles);
void              tpu_board_free(struct tpu_board *b);

/* Before the first cycle: operations of each unit and the states of its queue are told to `r`
 * (borrowed). */
void tpu_board_record(struct tpu_board *b, struct record *r);

/* Raises what is due at `now`; returns when the next raise is due, or CYCLE_NEVER. */
cycle_t tpu_board_step(struct tpu_board *b, cycle_t now);
/* Whether anything was raised since this was last asked. */
bool    tpu_board_changed(struct tpu_board *b);

void tpu_board_raise(struct tpu_board *b, uint32_t semaphore);
/* The operation, begun at `start`, ends at `now`. */
void tpu_board_finish(struct tpu_board *b, const struct tpu_uop *u, cycle_t start, cycle_t now);
/* Groups that have ended here since this was last asked, one at a time; false: none. */
bool tpu_board_ended(struct tpu_board *b, uint32_t *group);
/* A peer has ended `group`. */
void tpu_board_peer_ended(struct tpu_board *b, uint32_t group, cycle_t now);

bool    tpu_board_done(const struct tpu_board *b);                  /* all groups ended */
cycle_t tpu_board_group_end(const struct tpu_board *b, uint32_t group);   /* here */
/* Cycles in which a unit had an operation of the group under way. */
cycle_t tpu_board_busy(const struct tpu_board *b, uint32_t group, enum tpu_unit unit);
cycle_t tpu_board_group_start(const struct tpu_board *b, uint32_t group); /* first began */

struct tpu_queue {
    const struct tpu_program *program;
    struct tpu_board *board;
    enum tpu_unit     unit;
    uint32_t          head;             /* index in the program; its count if none */
    struct record    *record;           /* NULL: none */
    uint32_t          track;            /* its states */
    enum tpu_state    state;
    cycle_t           since;
    uint64_t          cycles[TPU_STATES_COUNT];
    uint32_t          group;            /* the oldest that had not ended here at `since` */
};

void tpu_queue_init(struct tpu_queue *q, struct tpu_board *b, enum tpu_unit unit);
void tpu_queue_record(struct tpu_queue *q, struct record *r);

/* The operation at the head, if all that it waits for has happened; else NULL. */
const struct tpu_uop *tpu_queue_ready(const struct tpu_queue *q);
/* Takes it: it has begun. */
void tpu_queue_take(struct tpu_queue *q, cycle_t now);

/* Enters the state that `busy` and the head tell of. */
void tpu_queue_account(struct tpu_queue *q, bool busy, cycle_t now);
/* Those of a group's own time alone: each cycle belongs to the oldest group that has not ended
 * here, so those of all groups add up to the unit's.  `now` is the run's end. */
void tpu_queue_group_cycles(struct tpu_queue *q, uint32_t group, cycle_t now,
                            uint64_t cycles[TPU_STATES_COUNT]);
/* Cycles in each state up to `now`. */
void tpu_queue_cycles(const struct tpu_queue *q, cycle_t now, uint64_t cycles[TPU_STATES_COUNT]);

/* "load: operation 12 (group 3) waits for s17 >= 2, now 1" */
void tpu_queue_describe(const struct tpu_queue *q, char *text, size_t size);

#endif
