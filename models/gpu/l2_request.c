/* l2_request.c - what a slice does with a request.
 *
 * A look-up takes a cycle; data read or written take bytes / bytes_per_cycle cycles, the
 * look-up among them.  Values are moved when a request is served, in that order: what a later
 * store changes while an earlier load waits for its fill does not reach that load.
 */
#include "models/gpu/l2_inside.h"

/* To the other partition: for the payload of `item`, answered to `mshr`. */
static void ask_other(struct gpu_l2 *l, uint32_t slice, const struct l2_item *i, uint32_t mshr,
                      uint32_t bytes_field, cycle_t at)
{
    struct message m = i->m;
    m.id = l2_far_id(mshr, i->sm, i->m.id);
    m.bytes = bytes_field;
    uint32_t moved = l2_bits(GPU_TOUCHED(bytes_field)) * GPU_SECTOR;
    gpu_l2_tally(l, m.group)->far += moved;
    if (m.kind == GPU_READ)
        l2_stats_of(l, m.group)->far_reads += moved / GPU_SECTOR;
    else
        l2_stats_of(l, m.group)->far_writes += moved / GPU_SECTOR;
    gpu_l2_post_new(l, &l->to_other, slice, &m, at);
}

/* A request that the other partition must do.  Those behind it for the same line follow it
 * there, in order. */
static bool pass(struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t item, cycle_t now)
{
    if (l->slices[p->slice].mshr_free[L2_WAY_FAR] == L2_NONE)
        return false;
    struct l2_item i = l->items[item];
    if (l->near_copies && i.m.kind != GPU_READ)
        gpu_l2_drop_copy(l, p, i.m.address);
    uint32_t bytes = i.m.kind == GPU_READ ? 0 : l2_bytes(&i.m), cycles = l2_cycles(l, bytes);
    cycle_t start = gpu_l2_look_up(l, p->slice, i.m.group, now, cycles, 0);
    uint32_t number = gpu_l2_take_mshr(l, p->slice, L2_WAY_FAR, L2_NONE);
    l->mshrs[number].pending = l->items[item].need = l2_touched(l, &i.m);
    gpu_l2_append(l, &l->mshrs[number].waiting, item);
    ask_other(l, p->slice, &i, number, i.m.bytes, start + cycles);
    if (i.m.kind == GPU_WRITE)
        l2_stats_of(l, i.m.group)->writes += l2_bits(GPU_TOUCHED(i.m.bytes));
    return true;
}

/* From memory, in units of fill_sectors; what is there or under way is not read again. */
static void fetch(struct gpu_l2 *l, uint32_t slice, const struct message *m, uint32_t number,
                  uint32_t missing, cycle_t at)
{
    struct l2_mshr *h = &l->mshrs[number];
    uint32_t unit = (1u << l->config.fill_sectors) - 1, ask = 0;
    for (uint32_t s = 0; s < l->sectors; s += l->config.fill_sectors)
        if (missing & unit << s)
            ask |= unit << s;
    ask &= ~(l->lines[h->line].valid | h->pending);
    h->pending |= ask;
    l2_stats_of(l, m->group)->fills += l2_bits(ask);
    struct message run = { .address = l->lines[h->line].address, .id = number,
                           .group = m->group, .kind = HBM_READ_RUN };
    gpu_l2_post_runs(l, slice, run, ask, at);
}

/* The item waits at the line's MSHR for what is not there; `line` has been placed. */
static void wait_for(struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t item,
                     uint32_t line, cycle_t start)
{
    struct l2_item *i = &l->items[item];
    struct l2_line *t = &l->lines[line];
    enum l2_way way = t->copy ? L2_WAY_FAR : L2_WAY_HOME;
    if (!t->mshr)
        t->mshr = 1 + gpu_l2_take_mshr(l, p->slice, way, line);
    struct l2_mshr *h = &l->mshrs[t->mshr - 1];
    uint32_t want = l2_touched(l, &i->m), missing = want & ~t->valid & ~h->pending;
    if (i->m.kind == GPU_READ)
        l2_stats_of(l, i->m.group)->read_merges += l2_bits(want & ~t->valid & h->pending);
    i->need = want & ~t->valid;
    gpu_l2_append(l, &h->waiting, item);
    if (missing && !t->copy) {
        fetch(l, p->slice, &i->m, t->mshr - 1, missing, start + 1);
    } else if (missing) {
        h->pending |= missing;
        ask_other(l, p->slice, i, t->mshr - 1, missing >> l2_shift(l, i->m.address), start + 1);
    }
}

/* Part of what is wanted is not there. */
static bool miss(struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t item, cycle_t now)
{
    struct l2_item *i = &l->items[item];
    enum l2_way way = p->partition == l->run.partition ? L2_WAY_HOME : L2_WAY_FAR;
    uint32_t line;
    bool there;
    if (!gpu_l2_can_place(l, p, i->m.address, &line, &there))
        return false;
    bool has_mshr = there && l->lines[line].mshr;
    if (!has_mshr && l->slices[p->slice].mshr_free[way] == L2_NONE)
        return false;
    cycle_t start = gpu_l2_look_up(l, p->slice, i->m.group, now, 1, 0);
    gpu_l2_place_line(l, p, line, there, i->m.address, start);
    wait_for(l, p, item, line, start);
    return true;
}

/* Whether there is a copy, or could be.  One is made only if that holds up no line at home:
 * else each partition's could wait for the other's for ever. */
static bool can_copy(struct gpu_l2 *l, const struct gpu_l2_place *p, uint64_t address)
{
    uint32_t line;
    bool there;
    return l->near_copies && gpu_l2_can_place(l, p, address, &line, &there)
        && ((there && (l->lines[line].mshr || l->lines[line].valid))
            || gpu_l2_leaves_way(l, p, line));
}

static void count_read(struct gpu_l2 *l, const struct l2_item *i, bool home, uint32_t hits)
{
    struct gpu_l2_stats *s = l2_stats_of(l, i->m.group);
    if (i->sm != L2_FAR)
        s->reads += l2_bits(GPU_TOUCHED(i->m.bytes));
    s->read_hits += hits;
    s->copies_hit += home ? 0 : hits;
}

static bool read_line(struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t item,
                      cycle_t now)
{
    struct l2_item *i = &l->items[item];
    bool home = p->partition == l->run.partition;
    uint32_t want = l2_touched(l, &i->m), line = gpu_l2_find(l, p, i->m.address);
    uint32_t have = line == L2_NONE ? 0 : want & l->lines[line].valid;
    if (!home && !can_copy(l, p, i->m.address)) {
        have = 0;
        if (!pass(l, p, item, now))
            return false;
    } else if (have == want) {
        uint32_t bytes = l2_bytes(&i->m), cycles = l2_cycles(l, bytes);
        cycle_t start = gpu_l2_look_up(l, p->slice, i->m.group, now, cycles, bytes);
        gpu_l2_touch(l, p->slice, line);
        gpu_l2_answer(l, p->slice, item, start, cycles);
    } else if (!miss(l, p, item, now)) {
        return false;
    }
    count_read(l, i, home, l2_bits(have));
    if (home)
        gpu_l2_values_read(l, i);
    else if (have)
        gpu_l2_values_copy(l, i, line, have);
    if (i->sm == L2_FAR && l->near_copies)
        l->lines[gpu_l2_find(l, p, i->m.address)].shared = true;
    return true;
}

/* A line at home changes: whether the other partition must be told, and the item's answer
 * wait until it has been.  A line that is not there may have been evicted a moment ago, with
 * the message to forget it still under way. */
static void tell_other(struct gpu_l2 *l, uint32_t slice, struct l2_line *t, bool was_there,
                       uint32_t item, cycle_t at)
{
    struct l2_item *i = &l->items[item];
    bool tell = t->shared || (!was_there && l->slices[slice].forgets > 0);
    t->shared = false;
    if (!tell || i->sm == L2_FAR)       /* a request of the other side took its copy away */
        return;
    i->forgetting = true;
    gpu_l2_post_new(l, &l->to_other, slice, &(struct message){
        .address = i->m.address, .id = item, .group = i->m.group, .kind = L2_FORGET }, at);
}

static void mark_dirty(struct gpu_l2 *l, struct l2_line *t, uint32_t sectors, uint16_t group)
{
    l->dirty_sectors += l2_bits(sectors & ~t->dirty);
    t->dirty |= sectors;
    t->group = group;
}

static bool write_line(struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t item,
                       cycle_t now)
{
    struct l2_item *i = &l->items[item];
    uint32_t line, bytes = l2_bytes(&i->m), cycles = l2_cycles(l, bytes);
    bool there;
    if (!gpu_l2_can_place(l, p, i->m.address, &line, &there))
        return false;
    cycle_t start = gpu_l2_look_up(l, p->slice, i->m.group, now, cycles, bytes);
    struct l2_line *t = gpu_l2_place_line(l, p, line, there, i->m.address, start);
    struct gpu_l2_stats *s = l2_stats_of(l, i->m.group);
    if (i->sm != L2_FAR)
        s->writes += bytes / GPU_SECTOR;
    s->write_hits += there ? bytes / GPU_SECTOR : 0;
    t->valid |= GPU_WRITTEN(i->m.bytes) << l2_shift(l, i->m.address);
    mark_dirty(l, t, l2_touched(l, &i->m), i->m.group);
    gpu_l2_values_write(l, i);
    tell_other(l, p->slice, t, there, item, start + cycles);
    if (!l->items[item].forgetting)
        gpu_l2_answer(l, p->slice, item, start, cycles);
    return true;
}

static bool reduce_line(struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t item,
                        cycle_t now)
{
    struct l2_item *i = &l->items[item];
    uint32_t want = l2_touched(l, &i->m), line = gpu_l2_find(l, p, i->m.address);
    bool there = line != L2_NONE, hit = there && (l->lines[line].valid & want) == want;
    uint32_t cycles = hit ? l2_atomic_cycles(l, &i->m) : 1;
    cycle_t start = cycle_max(now, l->slices[p->slice].free);
    if (hit) {
        gpu_l2_look_up(l, p->slice, i->m.group, now, cycles, 2 * l2_bytes(&i->m));
        gpu_l2_touch(l, p->slice, line);
    } else if (!miss(l, p, item, now)) {
        return false;
    }
    if (!there)
        line = gpu_l2_find(l, p, i->m.address);
    l2_stats_of(l, i->m.group)->atomics += GPU_ATOMICS(i->m.bytes);
    mark_dirty(l, &l->lines[line], want, i->m.group);
    gpu_l2_values_reduce(l, i);
    tell_other(l, p->slice, &l->lines[line], there, item, start + cycles);
    if (hit && !l->items[item].forgetting)
        gpu_l2_answer(l, p->slice, item, start, cycles);
    return true;
}

/* False, and nothing has happened, if something that it needs is taken. */
static bool serve(struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t item, cycle_t now)
{
    bool home = p->partition == l->run.partition;
    switch ((enum gpu_message)l->items[item].m.kind) {
    case GPU_READ:   return read_line(l, p, item, now);
    case GPU_WRITE:  return home ? write_line(l, p, item, now) : pass(l, p, item, now);
    case GPU_REDUCE: return home ? reduce_line(l, p, item, now) : pass(l, p, item, now);
    case GPU_FRONT_BLOCK: case GPU_FRONT_LAUNCH: case GPU_SM_BLOCK_DONE:
        break;
    }
    assert(!"a message for L2");
    return false;
}

void gpu_l2_request(struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t item, cycle_t now)
{
    enum l2_way way = p->partition == l->run.partition ? L2_WAY_HOME : L2_WAY_FAR;
    struct l2_list *stalled = &l->slices[p->slice].stalled[way];
    if (stalled->first != L2_NONE || !serve(l, p, item, now))
        gpu_l2_append(l, stalled, item);
}

static void retry_way(struct gpu_l2 *l, struct l2_list *stalled, cycle_t now)
{
    while (stalled->first != L2_NONE) {
        struct l2_list rest = *stalled;
        uint32_t item = gpu_l2_pop(l, &rest), next = l->items[item].next;
        struct gpu_l2_place p = gpu_l2_map_place(l->run.map, l->items[item].m.address);
        if (!serve(l, &p, item, now)) {
            l->items[item].next = next;
            return;
        }
        *stalled = rest;
    }
}

void gpu_l2_retry(struct gpu_l2 *l, uint32_t slice, cycle_t now)
{
    for (int way = 0; way < L2_WAYS; way++)
        retry_way(l, &l->slices[slice].stalled[way], now);
}

