/* board.c - see board.h. */
#include "models/tpu/board.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "models/zeroed.h"

const char *const tpu_state_names[TPU_STATES_COUNT] = {
#define NAME(id, name, what) name,
    TPU_STATES(NAME)
#undef NAME
};

struct group {
    uint32_t left;              /* operations that have not ended */
    uint32_t peers_left;
    bool     ended;             /* here */
    cycle_t  start, end;
    cycle_t  busy[TPU_UNITS_COUNT];
    uint64_t own[TPU_UNITS_COUNT][TPU_STATES_COUNT];    /* cycles of its own time */
};

struct tpu_board {
    const struct tpu_program *program;
    uint32_t      op_cycles;
    uint32_t     *values;       /* of semaphores */
    struct group *groups;
    uint32_t      groups_left;
    bool          changed;
    cycle_t       worked_to[TPU_UNITS_COUNT];       /* counted as busy so far */
    /* Groups whose semaphore is due, in order of time: the delay is the same for all. */
    struct due { uint32_t group; cycle_t at; } *due;
    uint32_t      due_first, due_count;
    uint32_t     *ended;        /* to be told to peers */
    uint32_t      ended_first, ended_count;
    struct record *record;      /* NULL: none */
    uint32_t      tracks[TPU_UNITS_COUNT];
};

static void all_ended(struct tpu_board *b, uint32_t group, cycle_t now)
{
    b->due[b->due_count++] = (struct due){ group, now + b->op_cycles };
}

static void group_ended(struct tpu_board *b, uint32_t group, cycle_t now)
{
    struct group *g = &b->groups[group];
    g->end = now;
    g->ended = true;
    b->groups_left--;
    b->ended[b->ended_count++] = group;
    if (g->peers_left == 0)
        all_ended(b, group, now);
}

struct tpu_board *tpu_board_new(const struct tpu_program *program, uint32_t op_cycles)
{
    struct tpu_board *b = zeroed(1, sizeof *b);
    b->program = program;
    b->op_cycles = op_cycles;
    b->values = zeroed(program->semaphores, sizeof *b->values);
    b->groups = zeroed(program->groups, sizeof *b->groups);
    b->due = zeroed(program->groups + 1, sizeof *b->due);
    b->ended = zeroed(program->groups, sizeof *b->ended);
    b->groups_left = program->groups;
    for (uint32_t i = 0; i < program->count; i++)
        b->groups[program->uops[i].group].left++;
    for (uint32_t g = 0; g < program->groups; g++) {
        b->groups[g].start = CYCLE_NEVER;
        b->groups[g].peers_left = program->peers;
    }
    b->due[b->due_count++] = (struct due){ program->groups, op_cycles };
    return b;
}

void tpu_board_free(struct tpu_board *b)
{
    if (!b)
        return;
    free(b->values);
    free(b->groups);
    free(b->due);
    free(b->ended);
    free(b);
}

void tpu_board_record(struct tpu_board *b, struct record *r)
{
    b->record = r;
    for (int u = 0; u < TPU_UNITS_COUNT; u++)
        b->tracks[u] = record_work_track(r, tpu_unit_names[u]);
}

/* A group without operations of this core ends when its turn comes: with the one before. */
static void end_empty_after(struct tpu_board *b, uint32_t group, cycle_t now)
{
    uint32_t next = group == b->program->groups ? 0 : group + 1;
    if (next < b->program->groups && b->groups[next].left == 0 && !b->groups[next].ended)
        group_ended(b, next, now);
}

cycle_t tpu_board_step(struct tpu_board *b, cycle_t now)
{
    while (b->due_first < b->due_count && b->due[b->due_first].at <= now) {
        struct due d = b->due[b->due_first++];
        tpu_board_raise(b, d.group);
        end_empty_after(b, d.group, now);
    }
    return b->due_first < b->due_count ? b->due[b->due_first].at : CYCLE_NEVER;
}

bool tpu_board_changed(struct tpu_board *b)
{
    bool changed = b->changed;
    b->changed = false;
    return changed;
}

void tpu_board_raise(struct tpu_board *b, uint32_t semaphore)
{
    assert(semaphore < b->program->semaphores);
    b->values[semaphore]++;
    b->changed = true;
}

/* Operations of a unit overlap, and end in order: each counts from the end of the last. */
static void count_busy(struct tpu_board *b, const struct tpu_uop *u, cycle_t start, cycle_t now)
{
    cycle_t from = cycle_max(start, b->worked_to[u->unit]);
    b->groups[u->group].busy[u->unit] += now - from;
    b->worked_to[u->unit] = now;
    record_work(b->record, b->tracks[u->unit], from, now, &(struct record_work){
        .group = u->group, .number = (uint32_t)(u - b->program->uops), .begun = start });
}

void tpu_board_finish(struct tpu_board *b, const struct tpu_uop *u, cycle_t start, cycle_t now)
{
    count_busy(b, u, start, now);
    if (u->signal != TPU_NO_SEMAPHORE)
        tpu_board_raise(b, u->signal);
    assert(b->groups[u->group].left > 0);
    if (--b->groups[u->group].left == 0)
        group_ended(b, u->group, now);
}

bool tpu_board_ended(struct tpu_board *b, uint32_t *group)
{
    if (b->ended_first == b->ended_count)
        return false;
    *group = b->ended[b->ended_first++];
    return true;
}

void tpu_board_peer_ended(struct tpu_board *b, uint32_t group, cycle_t now)
{
    struct group *g = &b->groups[group];
    assert(g->peers_left > 0);
    if (--g->peers_left == 0 && g->ended)
        all_ended(b, group, now);
}

bool tpu_board_done(const struct tpu_board *b)
{
    return b->groups_left == 0;
}

cycle_t tpu_board_group_end(const struct tpu_board *b, uint32_t group)
{
    return b->groups[group].end;
}

cycle_t tpu_board_busy(const struct tpu_board *b, uint32_t group, enum tpu_unit unit)
{
    return b->groups[group].busy[unit];
}

cycle_t tpu_board_group_start(const struct tpu_board *b, uint32_t group)
{
    return b->groups[group].start == CYCLE_NEVER ? b->groups[group].end
                                                 : b->groups[group].start;
}

static uint32_t next_of(const struct tpu_queue *q, uint32_t from)
{
    while (from < q->program->count && q->program->uops[from].unit != q->unit)
        from++;
    return from;
}

void tpu_queue_init(struct tpu_queue *q, struct tpu_board *b, enum tpu_unit unit)
{
    *q = (struct tpu_queue){ .program = b->program, .board = b, .unit = unit };
    q->head = next_of(q, 0);
    tpu_queue_account(q, false, 0);
}

void tpu_queue_record(struct tpu_queue *q, struct record *r)
{
    char name[RECORD_NAME];
    snprintf(name, sizeof name, "%s.state", tpu_unit_names[q->unit]);
    q->record = r;
    q->track = record_state_track(r, name, tpu_state_names, TPU_STATES_COUNT, TPU_STATE_BUSY,
                                  q->state);
}

/* The first wait that is not met; NULL if all are. */
static const struct tpu_wait *unmet(const struct tpu_queue *q, const struct tpu_uop *u)
{
    for (uint32_t i = 0; i < u->waits; i++)
        if (q->board->values[u->wait[i].semaphore] < u->wait[i].value)
            return &u->wait[i];
    return NULL;
}

const struct tpu_uop *tpu_queue_ready(const struct tpu_queue *q)
{
    if (q->head == q->program->count)
        return NULL;
    const struct tpu_uop *u = &q->program->uops[q->head];
    return unmet(q, u) ? NULL : u;
}

void tpu_queue_take(struct tpu_queue *q, cycle_t now)
{
    struct group *g = &q->board->groups[q->program->uops[q->head].group];
    g->start = cycle_min(g->start, now);
    q->head = next_of(q, q->head + 1);
}

static enum tpu_state state_of(const struct tpu_queue *q, bool busy)
{
    if (busy)
        return TPU_STATE_BUSY;
    if (q->head == q->program->count)
        return TPU_STATE_IDLE;
    const struct tpu_wait *w = unmet(q, &q->program->uops[q->head]);
    if (!w)
        return TPU_STATE_BUSY;
    enum tpu_unit owner = q->program->owners[w->semaphore];
    return owner == TPU_UNITS_COUNT ? TPU_STATE_OP : (enum tpu_state)owner;
}

/* The cycles since the last change, to the run and to the groups whose own time they were:
 *
 *     since        end of 3    end of 5 (4 ended before 3)      now
 *       |--- 3 --------|--- 5 ------|------------- 6 ------------|
 */
static void charge(struct tpu_queue *q, cycle_t now)
{
    struct group *groups = q->board->groups;
    q->cycles[q->state] += now - q->since;
    while (q->group + 1 < q->program->groups && groups[q->group].ended) {
        cycle_t end = cycle_max(groups[q->group].end, q->since);
        groups[q->group++].own[q->unit][q->state] += end - q->since;
        q->since = end;
    }
    if (q->group < q->program->groups)
        groups[q->group].own[q->unit][q->state] += now - q->since;
    q->since = now;
}

void tpu_queue_account(struct tpu_queue *q, bool busy, cycle_t now)
{
    enum tpu_state state = state_of(q, busy);
    if (state == q->state && now > 0)
        return;
    charge(q, now);
    q->state = state;
    record_state(q->record, q->track, now, state);
}

void tpu_queue_group_cycles(struct tpu_queue *q, uint32_t group, cycle_t now,
                            uint64_t cycles[TPU_STATES_COUNT])
{
    charge(q, now);
    for (int s = 0; s < TPU_STATES_COUNT; s++)
        cycles[s] = q->board->groups[group].own[q->unit][s];
}

void tpu_queue_cycles(const struct tpu_queue *q, cycle_t now, uint64_t cycles[TPU_STATES_COUNT])
{
    for (int s = 0; s < TPU_STATES_COUNT; s++)
        cycles[s] = q->cycles[s];
    cycles[q->state] += now - q->since;
}

void tpu_queue_describe(const struct tpu_queue *q, char *text, size_t size)
{
    text[0] = '\0';
    if (q->head == q->program->count)
        return;
    const struct tpu_uop *u = &q->program->uops[q->head];
    const struct tpu_wait *w = unmet(q, u);
    if (!w)
        snprintf(text, size, "%s: operation %" PRIu32 " (group %" PRIu32 ") is ready",
                 tpu_unit_names[q->unit], q->head, u->group);
    else
        snprintf(text, size, "%s: operation %" PRIu32 " (group %" PRIu32 ") waits for s%" PRIu32
                 " >= %" PRIu32 ", now %" PRIu32, tpu_unit_names[q->unit], q->head, u->group,
                 w->semaphore, w->value, q->board->values[w->semaphore]);
}
