/* l2_slice.c - what a slice does.
 *
 * A look-up takes a cycle; data read or written take bytes / bytes_per_cycle cycles, a
 * look-up among them.  What misses is answered when its fill has come: the fill is written,
 * the first request that it completes gets it on the way, each other one is a read of its
 * own.  `hit_cycles` is the way from a slice's data to its SMs: each answer has it once.
 *
 * Values are moved when a request is served, in that order: what a later store changes while
 * an earlier load waits for its fill does not reach that load.
 */
#include <assert.h>

#include "models/gpu/l2_inside.h"

static uint32_t cycles_of(const struct gpu_l2 *l, uint32_t bytes)
{
    uint32_t cycles = (bytes + l->config.bytes_per_cycle - 1) / l->config.bytes_per_cycle;
    return cycles ? cycles : 1;
}

static struct gpu_l2_stats *stats_of(struct gpu_l2 *l, uint16_t group)
{
    assert(group < l->run.groups);
    return &l->stats[group];
}

/* The slice is taken for `cycles`, as soon as it is free; `bytes` of its data are moved. */
static cycle_t begin(struct gpu_l2 *l, uint32_t slice, uint16_t group, cycle_t now,
                     uint32_t cycles, uint32_t bytes)
{
    struct l2_slice *s = &l->slices[slice];
    cycle_t start = cycle_max(now, s->free);
    s->free = start + cycles;
    stats_of(l, group)->busy_cycles += cycles;
    gpu_l2_tally(l, group)->bytes += bytes;
    return start;
}

static cycle_t look_up(struct gpu_l2 *l, uint32_t slice, uint16_t group, cycle_t now,
                       uint32_t cycles, uint32_t bytes)
{
    gpu_l2_tally(l, group)->lines++;
    return begin(l, slice, group, now, cycles, bytes);
}

/* Sectors of its line that a request touches. */
static uint32_t touched(const struct gpu_l2 *l, const struct message *m)
{
    return GPU_TOUCHED(m->bytes) << l2_shift(l, m->address);
}

static uint32_t bytes_of(const struct message *m)
{
    return l2_bits(GPU_TOUCHED(m->bytes)) * GPU_SECTOR;
}

/* Cycles of a slice for an atomic operation: of 4 bytes a lane, or a sector at least. */
static uint32_t atomic_cycles(const struct gpu_l2 *l, const struct message *m)
{
    uint32_t sectors = l2_bits(GPU_TOUCHED(m->bytes));
    uint32_t by_lanes = (GPU_ATOMICS(m->bytes) * 4 + GPU_SECTOR - 1) / GPU_SECTOR;
    return l->config.atomic_cycles * (by_lanes > sectors ? by_lanes : sectors);
}

/* ---- what leaves */

/* The item's answer, whose data the slice moves for `cycles` from `start`. */
static void answer(struct gpu_l2 *l, uint32_t slice, uint32_t item, cycle_t start,
                   uint32_t cycles)
{
    struct l2_item *i = &l->items[item];
    i->m.port = i->from;
    if (i->sm == L2_FAR) {
        i->m.kind = L2_FAR_ANSWER;
        gpu_l2_post(l, &l->to_other, slice, item, start + cycles);
    } else {
        gpu_l2_post(l, &l->to_sms, slice, item, start + l->config.hit_cycles + cycles - 1);
    }
}

static void post_new(struct gpu_l2 *l, struct l2_outbox *o, uint32_t slice,
                     const struct message *m, cycle_t at)
{
    uint32_t item = gpu_l2_item_new(l);
    l->items[item].m = *m;
    gpu_l2_post(l, o, slice, item, at);
}

/* Runs of neighbours among `sectors` of a line, to be read or written; how many. */
static uint32_t post_runs(struct gpu_l2 *l, uint32_t slice, struct message m, uint32_t sectors,
                          cycle_t at)
{
    uint64_t line = m.address;
    uint32_t runs = 0;
    while (sectors) {
        uint32_t low = (uint32_t)__builtin_ctz(sectors);
        uint32_t beyond = ~(sectors >> low);        /* the first bit set is where the run ends */
        uint32_t count = beyond ? (uint32_t)__builtin_ctz(beyond) : 32;
        m.address = line + (uint64_t)low * GPU_SECTOR;
        m.bytes = count * GPU_SECTOR;
        post_new(l, &l->to_memory, slice, &m, at);
        sectors &= ~(uint32_t)(((UINT64_C(1) << count) - 1) << low);
        runs++;
    }
    return runs;
}

/* ---- lines come and go */

static bool can_evict(const struct gpu_l2 *l, uint32_t slice, uint32_t line)
{
    const struct l2_slice *s = &l->slices[slice];
    return (!l->lines[line].dirty || s->write_backs < l->write_back_most)
        && (!l->lines[line].shared || s->forgets < l->write_back_most);
}

static void evict(struct gpu_l2 *l, uint32_t slice, uint32_t line, cycle_t at)
{
    struct l2_line *t = &l->lines[line];
    uint64_t address = gpu_l2_address(l, line);
    if (t->dirty) {
        uint32_t bytes = l2_bits(t->dirty) * GPU_SECTOR;
        struct message m = { .address = address, .id = slice, .group = t->group,
                             .kind = HBM_WRITE_RUN };
        l->slices[slice].write_backs += post_runs(l, slice, m, t->dirty, at);
        stats_of(l, t->group)->write_backs += l2_bits(t->dirty);
        gpu_l2_tally(l, t->group)->bytes += bytes;
    }
    if (t->shared) {
        l->slices[slice].forgets++;
        post_new(l, &l->to_other, slice, &(struct message){
            .address = address, .id = L2_NONE, .group = t->group, .kind = L2_FORGET }, at);
    }
    gpu_l2_remove(l, line);
}

/* Whether a line for this place could be had now; `*line` is the one that is there, or the
 * one that must go. */
static bool can_place(struct gpu_l2 *l, const struct gpu_l2_place *p, uint64_t address,
                      uint32_t *line, bool *there)
{
    *line = gpu_l2_find(l, p->slice, address, p->round);
    *there = *line != L2_NONE;
    if (*there)
        return true;
    *line = gpu_l2_victim(l, p->slice, p->round);
    return *line != L2_NONE && (!l->tags[*line] || can_evict(l, p->slice, *line));
}

static struct l2_line *place_line(struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t line,
                                  bool there, uint64_t address, cycle_t start)
{
    if (!there && l->tags[line])
        evict(l, p->slice, line, start + 1);
    if (!there)
        gpu_l2_place_line(l, line, address, p->partition != l->run.partition);
    l->lines[line].used = ++l->slices[p->slice].clock;
    return &l->lines[line];
}

static uint32_t take_mshr(struct gpu_l2 *l, uint32_t slice, enum l2_way way, uint32_t line)
{
    uint32_t number = l->slices[slice].mshr_free[way];
    assert(number != L2_NONE);
    struct l2_mshr *m = &l->mshrs[number];
    l->slices[slice].mshr_free[way] = m->next_free;
    m->line = line;
    m->pending = 0;
    m->waiting = (struct l2_list){ L2_NONE, L2_NONE };
    return number;
}

static uint32_t slice_of_mshr(const struct gpu_l2 *l, uint32_t number)
{
    return number / l->config.mshrs / L2_WAYS;
}

static void free_mshr(struct gpu_l2 *l, uint32_t number)
{
    struct l2_mshr *m = &l->mshrs[number];
    uint32_t *free = &l->slices[slice_of_mshr(l, number)]
                          .mshr_free[number / l->config.mshrs % L2_WAYS];
    assert(!m->pending && m->waiting.first == L2_NONE);
    if (m->line != L2_NONE)
        l->lines[m->line].mshr = 0;
    m->next_free = *free;
    *free = number;
}

/* No copy of the line is kept here, nor of what of it is under way. */
static void drop_copy(struct gpu_l2 *l, const struct gpu_l2_place *p, uint64_t address)
{
    uint32_t line = gpu_l2_find(l, p->slice, address, p->round);
    if (line == L2_NONE)
        return;
    if (l->lines[line].mshr)
        l->mshrs[l->lines[line].mshr - 1].line = L2_NONE;
    assert(!l->lines[line].dirty);
    gpu_l2_remove(l, line);
}

/* ---- requests */

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
        stats_of(l, m.group)->far_reads += moved / GPU_SECTOR;
    else
        stats_of(l, m.group)->far_writes += moved / GPU_SECTOR;
    post_new(l, &l->to_other, slice, &m, at);
}

/* A request that the other partition must do.  Those behind it for the same line follow it
 * there, in order. */
static bool pass(struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t item, cycle_t now)
{
    if (l->slices[p->slice].mshr_free[L2_WAY_FAR] == L2_NONE)
        return false;
    struct l2_item i = l->items[item];
    if (l->near_copies && i.m.kind != GPU_READ)
        drop_copy(l, p, i.m.address);
    uint32_t bytes = i.m.kind == GPU_READ ? 0 : bytes_of(&i.m), cycles = cycles_of(l, bytes);
    cycle_t start = look_up(l, p->slice, i.m.group, now, cycles, 0);
    uint32_t number = take_mshr(l, p->slice, L2_WAY_FAR, L2_NONE);
    l->mshrs[number].pending = l->items[item].need = touched(l, &i.m);
    gpu_l2_append(l, &l->mshrs[number].waiting, item);
    ask_other(l, p->slice, &i, number, i.m.bytes, start + cycles);
    if (i.m.kind == GPU_WRITE)
        stats_of(l, i.m.group)->writes += l2_bits(GPU_TOUCHED(i.m.bytes));
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
    stats_of(l, m->group)->fills += l2_bits(ask);
    struct message run = { .address = gpu_l2_address(l, h->line), .id = number,
                           .group = m->group, .kind = HBM_READ_RUN };
    post_runs(l, slice, run, ask, at);
}

/* The item waits at the line's MSHR for what is not there; `line` has been placed. */
static void wait_for(struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t item,
                     uint32_t line, cycle_t start)
{
    struct l2_item *i = &l->items[item];
    struct l2_line *t = &l->lines[line];
    enum l2_way way = t->copy ? L2_WAY_FAR : L2_WAY_HOME;
    if (!t->mshr)
        t->mshr = 1 + take_mshr(l, p->slice, way, line);
    struct l2_mshr *h = &l->mshrs[t->mshr - 1];
    uint32_t want = touched(l, &i->m), missing = want & ~t->valid & ~h->pending;
    if (i->m.kind == GPU_READ)
        stats_of(l, i->m.group)->read_merges += l2_bits(want & ~t->valid & h->pending);
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
    if (!can_place(l, p, i->m.address, &line, &there))
        return false;
    bool has_mshr = there && l->lines[line].mshr;
    if (!has_mshr && l->slices[p->slice].mshr_free[way] == L2_NONE)
        return false;
    cycle_t start = look_up(l, p->slice, i->m.group, now, 1, 0);
    place_line(l, p, line, there, i->m.address, start);
    wait_for(l, p, item, line, start);
    return true;
}

/* Whether there is a copy, or could be.  One is made only if that holds up no line at home:
 * else each partition's could wait for the other's for ever. */
static bool can_copy(struct gpu_l2 *l, const struct gpu_l2_place *p, uint64_t address)
{
    uint32_t line;
    bool there;
    return l->near_copies && can_place(l, p, address, &line, &there)
        && ((there && (l->lines[line].mshr || l->lines[line].valid))
            || gpu_l2_leaves_way(l, p->slice, p->round, line));
}

static void count_read(struct gpu_l2 *l, const struct l2_item *i, bool home, uint32_t hits)
{
    struct gpu_l2_stats *s = stats_of(l, i->m.group);
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
    uint32_t want = touched(l, &i->m), line = gpu_l2_find(l, p->slice, i->m.address, p->round);
    uint32_t have = line == L2_NONE ? 0 : want & l->lines[line].valid;
    if (!home && !can_copy(l, p, i->m.address)) {
        have = 0;
        if (!pass(l, p, item, now))
            return false;
    } else if (have == want) {
        uint32_t bytes = bytes_of(&i->m), cycles = cycles_of(l, bytes);
        cycle_t start = look_up(l, p->slice, i->m.group, now, cycles, bytes);
        l->lines[line].used = ++l->slices[p->slice].clock;
        answer(l, p->slice, item, start, cycles);
    } else if (!miss(l, p, item, now)) {
        return false;
    }
    count_read(l, i, home, l2_bits(have));
    if (home)
        gpu_l2_values_read(l, i);
    else if (have)
        gpu_l2_values_copy(l, i, line, have);
    if (i->sm == L2_FAR && l->near_copies)
        l->lines[gpu_l2_find(l, p->slice, i->m.address, p->round)].shared = true;
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
    post_new(l, &l->to_other, slice, &(struct message){
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
    uint32_t line, bytes = bytes_of(&i->m), cycles = cycles_of(l, bytes);
    bool there;
    if (!can_place(l, p, i->m.address, &line, &there))
        return false;
    cycle_t start = look_up(l, p->slice, i->m.group, now, cycles, bytes);
    struct l2_line *t = place_line(l, p, line, there, i->m.address, start);
    struct gpu_l2_stats *s = stats_of(l, i->m.group);
    if (i->sm != L2_FAR)
        s->writes += bytes / GPU_SECTOR;
    s->write_hits += there ? bytes / GPU_SECTOR : 0;
    t->valid |= GPU_WRITTEN(i->m.bytes) << l2_shift(l, i->m.address);
    mark_dirty(l, t, touched(l, &i->m), i->m.group);
    gpu_l2_values_write(l, i);
    tell_other(l, p->slice, t, there, item, start + cycles);
    if (!l->items[item].forgetting)
        answer(l, p->slice, item, start, cycles);
    return true;
}

static bool reduce_line(struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t item,
                        cycle_t now)
{
    struct l2_item *i = &l->items[item];
    uint32_t want = touched(l, &i->m), line = gpu_l2_find(l, p->slice, i->m.address, p->round);
    bool there = line != L2_NONE, hit = there && (l->lines[line].valid & want) == want;
    uint32_t cycles = hit ? atomic_cycles(l, &i->m) : 1;
    cycle_t start = cycle_max(now, l->slices[p->slice].free);
    if (hit) {
        look_up(l, p->slice, i->m.group, now, cycles, 2 * bytes_of(&i->m));
        l->lines[line].used = ++l->slices[p->slice].clock;
    } else if (!miss(l, p, item, now)) {
        return false;
    }
    if (!there)
        line = gpu_l2_find(l, p->slice, i->m.address, p->round);
    stats_of(l, i->m.group)->atomics += GPU_ATOMICS(i->m.bytes);
    mark_dirty(l, &l->lines[line], want, i->m.group);
    gpu_l2_values_reduce(l, i);
    tell_other(l, p->slice, &l->lines[line], there, item, start + cycles);
    if (hit && !l->items[item].forgetting)
        answer(l, p->slice, item, start, cycles);
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

void gpu_l2_request(struct gpu_l2 *l, uint32_t item, cycle_t now)
{
    struct gpu_l2_place p = gpu_l2_map_place(l->run.map, l->items[item].m.address);
    enum l2_way way = p.partition == l->run.partition ? L2_WAY_HOME : L2_WAY_FAR;
    struct l2_list *stalled = &l->slices[p.slice].stalled[way];
    if (stalled->first != L2_NONE || !serve(l, &p, item, now))
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

/* Something that requests wait for is free again. */
static void retry(struct gpu_l2 *l, uint32_t slice, cycle_t now)
{
    for (int way = 0; way < L2_WAYS; way++)
        retry_way(l, &l->slices[slice].stalled[way], now);
}

/* ---- what comes back */

/* An item has all its sectors: it is answered with data that the slice reads for it. */
static void complete(struct gpu_l2 *l, uint32_t slice, uint32_t item, cycle_t now)
{
    struct l2_item *i = &l->items[item];
    bool atomic = i->m.kind == GPU_REDUCE;
    uint32_t bytes = bytes_of(&i->m), cycles = atomic ? atomic_cycles(l, &i->m)
                                                      : cycles_of(l, bytes);
    cycle_t start = begin(l, slice, i->m.group, now, cycles, atomic ? 2 * bytes : bytes);
    if (!i->forgetting)
        answer(l, slice, item, start, cycles);
}

/* The item no longer waits for `sectors`. */
static void satisfy(struct gpu_l2 *l, struct l2_item *i, uint32_t sectors,
                    const struct message *m, enum gpu_from from)
{
    if (!(i->need & sectors))
        return;
    if (i->from < from)
        i->from = (uint8_t)from;
    if (m->kind == L2_FAR_ANSWER)
        gpu_l2_values_pass(l, m, i, i->need & sectors);
    i->need &= ~sectors;
}

/* Sectors of the line that MSHR `number` waits for are here.  They take the slice for
 * `cycles`; the first item that they complete gets them on the way, if it can. */
static void deliver(struct gpu_l2 *l, uint32_t number, uint32_t sectors, uint32_t cycles,
                    const struct message *m, enum gpu_from from, cycle_t now)
{
    struct l2_mshr *h = &l->mshrs[number];
    uint32_t slice = slice_of_mshr(l, number), bytes = l2_bits(sectors) * GPU_SECTOR;
    bool far = m->kind == L2_FAR_ANSWER, first = true;
    cycle_t start = begin(l, slice, m->group, now, cycles, h->line == L2_NONE ? 0 : bytes);
    assert((h->pending & sectors) == sectors);
    h->pending &= ~sectors;
    if (h->line != L2_NONE)
        l->lines[h->line].valid |= sectors;
    if (far && h->line != L2_NONE)
        gpu_l2_values_keep(l, m, h->line, sectors);

    struct l2_list waiting = h->waiting;
    h->waiting = (struct l2_list){ L2_NONE, L2_NONE };
    while (waiting.first != L2_NONE) {
        uint32_t item = gpu_l2_pop(l, &waiting);
        struct l2_item *i = &l->items[item];
        satisfy(l, i, sectors, m, from);
        if (i->need) {
            gpu_l2_append(l, &h->waiting, item);
            continue;
        }
        if (first && (far || i->m.kind == GPU_READ) && bytes_of(&i->m) <= bytes)
            answer(l, slice, item, start, cycles);
        else
            complete(l, slice, item, start);
        first = false;
    }
    if (!h->pending)
        free_mshr(l, number);
    retry(l, slice, now);
}

void gpu_l2_filled(struct gpu_l2 *l, const struct message *m, cycle_t now)
{
    uint32_t count = m->bytes / GPU_SECTOR;
    uint32_t sectors = (uint32_t)(((UINT64_C(1) << count) - 1) << l2_shift(l, m->address));
    deliver(l, (uint32_t)m->id, sectors, cycles_of(l, m->bytes), m, GPU_FROM_HBM, now);
}

void gpu_l2_far_answer(struct gpu_l2 *l, const struct message *m, cycle_t now)
{
    uint32_t number = l2_far_mshr(m->id);
    enum gpu_from from = m->port == GPU_FROM_HBM ? GPU_FROM_HBM : GPU_FROM_FAR;
    const struct l2_item *first = &l->items[l->mshrs[number].waiting.first];
    uint32_t bytes = first->m.kind == GPU_WRITE ? 0 : bytes_of(m);
    deliver(l, number, touched(l, m), cycles_of(l, bytes), m, from, now);
}

void gpu_l2_written_back(struct gpu_l2 *l, const struct message *m, cycle_t now)
{
    uint32_t slice = (uint32_t)m->id;
    assert(l->slices[slice].write_backs > 0);
    l->slices[slice].write_backs--;
    retry(l, slice, now);
}

/* ---- copies that are no longer good */

void gpu_l2_forget(struct gpu_l2 *l, const struct message *m, cycle_t now)
{
    struct gpu_l2_place p = gpu_l2_map_place(l->run.map, m->address);
    cycle_t start = look_up(l, p.slice, m->group, now, 1, 0);
    drop_copy(l, &p, m->address);
    struct message back = *m;
    back.kind = L2_FORGOTTEN;
    post_new(l, &l->to_other, p.slice, &back, start + 1);
    retry(l, p.slice, now);
}

void gpu_l2_forgotten(struct gpu_l2 *l, const struct message *m, cycle_t now)
{
    struct gpu_l2_place p = gpu_l2_map_place(l->run.map, m->address);
    if (m->id == L2_NONE) {
        assert(l->slices[p.slice].forgets > 0);
        l->slices[p.slice].forgets--;
        retry(l, p.slice, now);
        return;
    }
    struct l2_item *i = &l->items[m->id];
    assert(i->forgetting);
    i->forgetting = false;
    if (!i->need) {
        cycle_t start = look_up(l, p.slice, m->group, now, 1, 0);
        answer(l, p.slice, (uint32_t)m->id, start, 1);
    }
}
