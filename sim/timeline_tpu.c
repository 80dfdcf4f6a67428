/* timeline_tpu.c - a TPU's threads: the ops, and for each core its units and arrays.
 *
 *     ops            [        l1.product = matmul + bias + relu        ][ ...
 *     core0 load     [ l1.product                                ]
 *                     [load l1.w][load x][wait..][load l1.b]
 *                           \_________
 *                                     v
 *     core0 matrix               [product 128 x 784 x 512]
 *     core0 mxu0                 [l1.product > product 7 > tile 0][tile 2]...
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "models/zeroed.h"
#include "sim/timeline_inside.h"

/* What a slice is of: `of` points at one of these. */
enum what { OP, PRODUCT, TILE, WEIGHTS, UNIT, WAIT, STAGE, WHATS };
static const enum what whats[WHATS] = { OP, PRODUCT, TILE, WEIGHTS, UNIT, WAIT, STAGE };

static enum what what_of(const struct timeline_slice *s) { return *(const enum what *)s->of; }

#define NONE UINT32_MAX

/* A core, and which product waited for which load: operations of its program by index. */
struct core {
    const struct tpu_program *program;
    const struct record *record;
    uint32_t *product;          /* [operations] of a load: the product that used it, or NONE */
    uint32_t *load, *next;      /* the first load of a product; of a load: the next of it */
    bool     *kept;             /* loads and products of which a slice is drawn */
    uint64_t  first;            /* number of its arrows in the file: this + the load's */
};

static const struct core *core_of(const struct timeline *t) { return t->own; }

/* ---- words ---- */

static const struct tpu_uop *uop_of(const struct timeline *t, const struct timeline_slice *s)
{
    return &core_of(t)->program->uops[s->entry->number];
}

static void name_uop(const struct timeline *t, const struct tpu_uop *u)
{
    char text[TRACE_NAME + 64];
    const struct tpu_product *p = &u->product;
    bool moves = u->unit == TPU_LOAD || u->unit == TPU_STORE;
    if (moves && u->work.tensor < t->run->trace->tensor_count)
        snprintf(text, sizeof text, "%s %s", tpu_unit_names[u->unit],
                 t->run->trace->tensors[u->work.tensor].name);
    else if (u->unit == TPU_MATRIX)
        snprintf(text, sizeof text, "product %" PRIu32 " x %" PRIu32 " x %" PRIu32, p->m, p->k,
                 p->n);
    else if (u->unit == TPU_LINK)
        snprintf(text, sizeof text, "send to core%" PRIu32, u->send.peer);
    else
        snprintf(text, sizeof text, "%s", u->unit == TPU_VECTOR ? "arithmetic" : "transpose");
    timeline_string(t->out, text);
}

static void name_state(const struct timeline *t, const char *state)
{
    fputc('"', t->out);
    for (; *state; state++)
        fputc(*state == '_' ? ' ' : tolower((unsigned char)*state), t->out);
    fputc('"', t->out);
}

static void print_name(const struct timeline *t, const struct timeline_slice *s)
{
    switch (what_of(s)) {
    case OP:
        timeline_string(t->out, t->run->tpu->plan->groups[s->entry->group].name);
        break;
    case PRODUCT: case UNIT: name_uop(t, uop_of(t, s)); break;
    case TILE:    fprintf(t->out, "\"tile %" PRIu64 "\"", s->entry->part); break;
    case WEIGHTS: fprintf(t->out, "\"weights %" PRIu64 "\"", s->entry->part); break;
    case WAIT:    name_state(t, tpu_state_names[s->entry->part]); break;
    case STAGE:   name_state(t, tpu_mxu_state_names[s->entry->part]); break;
    case WHATS:   break;
    }
}

static void print_uop(const struct timeline *t, const struct timeline_slice *s)
{
    const struct tpu_uop *u = uop_of(t, s);
    fprintf(t->out, "\"operation\":%" PRIu32, s->entry->number);
    if (u->unit == TPU_LOAD || u->unit == TPU_STORE)
        fprintf(t->out, ",\"bytes\":%" PRIu64, (uint64_t)u->transfer.rows * u->transfer.row_bytes);
    if (u->unit == TPU_LINK)
        fprintf(t->out, ",\"bytes\":%" PRIu64, u->send.bytes);
    if (what_of(s) == UNIT && s->entry->begun < s->entry->start) {
        fputs(",\"begun_us\":", t->out);
        timeline_us(t, clock_tick(&t->clock, s->entry->begun));
    }
}

static void print_arguments(const struct timeline *t, const struct timeline_slice *s)
{
    enum what what = what_of(s);
    if (what == OP)
        fprintf(t->out, "\"phase\":\"%s\"",
                trace_phase_names[t->run->tpu->plan->groups[s->entry->group].phase]);
    else if (what == PRODUCT || what == UNIT)
        print_uop(t, s);
}

/* ---- arrows ---- */

/* Who raises each semaphore, in the order of the program, which is that of the raises: `by` of
 * semaphore s begins at first[s]. */
struct raises { uint32_t *first, *by; };

static struct raises find_raises(const struct tpu_program *p)
{
    struct raises r = { zeroed(p->semaphores + 1, sizeof *r.first),
                        zeroed(p->count, sizeof *r.by) };
    uint32_t *at = zeroed(p->semaphores, sizeof *at);
    for (uint32_t i = 0; i < p->count; i++)
        if (p->uops[i].signal != TPU_NO_SEMAPHORE)
            r.first[p->uops[i].signal + 1]++;
    for (uint32_t s = 0; s < p->semaphores; s++)
        r.first[s + 1] += r.first[s];
    for (uint32_t i = 0; i < p->count; i++) {
        uint32_t s = p->uops[i].signal;
        if (s != TPU_NO_SEMAPHORE)
            r.by[r.first[s] + at[s]++] = i;
    }
    free(at);
    return r;
}

static void add_arrow(struct core *c, uint32_t load, uint32_t product)
{
    if (c->program->uops[load].unit != TPU_LOAD || c->program->uops[product].unit != TPU_MATRIX)
        return;
    c->product[load] = product;
    c->next[load] = c->load[product];
    c->load[product] = load;
}

/* A load is used by the first operation, in the program's order, that waits until it is done:
 * what others have waited for before is theirs. */
static void find_arrows(struct core *c)
{
    const struct tpu_program *p = c->program;
    struct raises r = find_raises(p);
    uint32_t *used = zeroed(p->semaphores, sizeof *used);
    for (uint32_t i = 0; i < p->count; i++)
        c->product[i] = c->load[i] = c->next[i] = NONE;
    for (uint32_t i = 0; i < p->count; i++)
        for (uint32_t w = 0; w < p->uops[i].waits; w++) {
            uint32_t s = p->uops[i].wait[w].semaphore, raised = r.first[s + 1] - r.first[s];
            uint32_t value = p->uops[i].wait[w].value;
            for (; used[s] < value && used[s] < raised; used[s]++)
                add_arrow(c, r.by[r.first[s] + used[s]], i);
        }
    free(used);
    free(r.first);
    free(r.by);
}

/* An arrow is drawn if both its ends are. */
static void find_kept(struct core *c)
{
    uint32_t tracks[2];
    if (!timeline_find(c->record, tpu_unit_names[TPU_LOAD], &tracks[0])
        || !timeline_find(c->record, tpu_unit_names[TPU_MATRIX], &tracks[1]))
        return;
    for (int i = 0; i < 2; i++) {
        const struct record_entry *e;
        for (size_t at = 0; (e = timeline_entry(c->record, tracks[i], &at)) != NULL; )
            c->kept[e->number] = true;
    }
}

static void put_arrow(struct timeline *t, char ph, tick_t at, uint32_t load)
{
    timeline_open(t, ph, at);
    fprintf(t->out, ",\"cat\":\"load\",\"name\":\"load\",\"id\":%" PRIu64 "%s}",
            core_of(t)->first + load, ph == 'f' ? ",\"bp\":\"e\"" : "");
}

/* Within the load's slice, as it ends. */
static void leave(struct timeline *t, const struct timeline_slice *s)
{
    const struct core *c = core_of(t);
    if (what_of(s) != UNIT || uop_of(t, s)->unit != TPU_LOAD)
        return;
    uint32_t product = c->product[s->entry->number];
    if (product != NONE && c->kept[product])
        put_arrow(t, 's', clock_tick(&t->clock, s->end), s->entry->number);
}

/* Within the product's, as it begins. */
static void arrive(struct timeline *t, const struct timeline_slice *s)
{
    const struct core *c = core_of(t);
    if (what_of(s) != UNIT || uop_of(t, s)->unit != TPU_MATRIX)
        return;
    for (uint32_t l = c->load[s->entry->number]; l != NONE; l = c->next[l])
        if (c->kept[l])
            put_arrow(t, 'f', clock_tick(&t->clock, s->start), l);
}

static const struct timeline_words words = { print_name, print_arguments, arrive, leave };

/* ---- threads ---- */

/* Entries of a track of states, but for those that are not drawn. */
static void add_states(struct timeline_slices *s, const struct record *r, const char *name,
                       uint64_t not_drawn, const enum what *what)
{
    uint32_t track;
    const struct record_entry *e;
    if (!timeline_find(r, name, &track))
        return;
    for (size_t at = 0; (e = timeline_entry(r, track, &at)) != NULL; )
        if (!(not_drawn >> e->part & 1))
            timeline_add(s, e->start, e->end, 2, e, what);
}

#define BIT(state) (UINT64_C(1) << (state))

static void unit_thread(struct timeline *t, enum tpu_unit unit)
{
    const struct record *r = core_of(t)->record;
    struct timeline_slices s = { NULL, 0, 0 };
    char state[RECORD_NAME];
    uint32_t track;
    if (!timeline_find(r, tpu_unit_names[unit], &track))
        return;
    snprintf(state, sizeof state, "%s.state", tpu_unit_names[unit]);
    timeline_work(&s, r, track, false, &whats[UNIT], NULL, &whats[OP]);
    add_states(&s, r, state, BIT(TPU_STATE_BUSY) | BIT(TPU_STATE_IDLE), &whats[WAIT]);
    timeline_thread(t, record_config(r)->clock.hz, "%s %s", record_config(r)->name,
                    tpu_unit_names[unit]);
    timeline_slices(t, &s, &words);
}

/* Tiles, and between them what holds the array up; then the pushes of weights. */
static void array_threads(struct timeline *t, uint32_t number)
{
    const struct record *r = core_of(t)->record;
    struct timeline_slices s = { NULL, 0, 0 };
    char name[RECORD_NAME];
    uint32_t track;
    uint64_t not_drawn = BIT(TPU_MXU_IDLE) | BIT(TPU_MXU_WAIT) | BIT(TPU_MXU_STREAM)
                       | BIT(TPU_MXU_FULL);
    snprintf(name, sizeof name, "mxu%" PRIu32, number);
    if (timeline_find(r, name, &track))
        timeline_work(&s, r, track, true, &whats[TILE], &whats[PRODUCT], &whats[OP]);
    timeline_thread(t, record_config(r)->clock.hz, "%s %s", record_config(r)->name, name);
    snprintf(name, sizeof name, "mxu%" PRIu32 ".state", number);
    add_states(&s, r, name, not_drawn, &whats[STAGE]);
    timeline_slices(t, &s, &words);
    snprintf(name, sizeof name, "mxu%" PRIu32 ".weights", number);
    if (timeline_find(r, name, &track))
        timeline_work(&s, r, track, true, &whats[WEIGHTS], &whats[PRODUCT], &whats[OP]);
    timeline_thread(t, record_config(r)->clock.hz, "%s mxu%" PRIu32 " weights",
                    record_config(r)->name, number);
    timeline_slices(t, &s, &words);
}

static void core_threads(struct timeline *t, uint32_t number)
{
    const struct tpu_chip *chip = t->run->tpu;
    const struct tpu_program *p = chip->plan->programs[number];
    struct core c = { .program = p, .record = t->run->recording->record[number],
                      .product = zeroed(p->count, sizeof *c.product),
                      .load = zeroed(p->count, sizeof *c.load),
                      .next = zeroed(p->count, sizeof *c.next),
                      .kept = zeroed(p->count, sizeof *c.kept),
                      .first = ((uint64_t)t->pid << 40) + ((uint64_t)number << 28) };
    t->own = &c;
    find_arrows(&c);
    find_kept(&c);
    unit_thread(t, TPU_LOAD);
    unit_thread(t, TPU_MATRIX);
    for (uint32_t i = 0; i < chip->figures->tpu.core.mxus; i++)
        array_threads(t, i);
    unit_thread(t, TPU_VECTOR);
    unit_thread(t, TPU_TRANSPOSE);
    unit_thread(t, TPU_STORE);
    unit_thread(t, TPU_LINK);
    void *owned[] = { c.product, c.load, c.next, c.kept };
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        free(owned[i]);
}

/* ---- the ops: each moment belongs to the oldest that has not ended ---- */

static tick_t group_end(const struct tpu_chip *c, uint32_t group)
{
    tick_t end = 0;
    for (uint32_t i = 0; i < c->cores; i++)
        end = tick_max(end, tpu_core_group_end(c->core[i], group));
    return end;
}

static const struct timeline_words op_words = { print_name, print_arguments, NULL, NULL };

static void op_thread(struct timeline *t)
{
    const struct tpu_chip *c = t->run->tpu;
    const struct recording_ask *a = &t->run->recording->ask;
    uint32_t groups = c->plan->group_count;
    struct record_entry *entries = zeroed(groups, sizeof *entries);
    struct timeline_slices s = { NULL, 0, 0 };
    tick_t from = 0;
    for (uint32_t g = 0; g < groups; g++) {
        tick_t to = g + 1 == groups ? t->run->end : tick_max(from, group_end(c, g));
        entries[g].group = g;
        if (to > a->from && from < a->to)
            timeline_add(&s, tick_max(from, a->from), tick_min(to, a->to), 0, &entries[g],
                         &whats[OP]);
        from = to;
    }
    timeline_thread(t, TICKS_PER_S, "ops");
    for (size_t i = 0; i < s.count; i++) {
        const struct tpu_group *g = &c->plan->groups[s.at[i].entry->group];
        timeline_counter(t, "vector memory", "MB of a core", s.at[i].start,
                         (double)(g->vmem_bytes + c->plan->resident_bytes) / 1e6);
    }
    if (s.count > 0)
        timeline_counter(t, "vector memory", "MB of a core", s.at[s.count - 1].end, 0);
    timeline_slices(t, &s, &op_words);
    free(entries);
}

void timeline_tpu(struct timeline *t)
{
    op_thread(t);
    for (uint32_t i = 0; i < t->run->tpu->cores; i++)
        core_threads(t, i);
}
