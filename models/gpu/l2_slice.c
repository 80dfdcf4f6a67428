/* l2_slice.c - a slice's time, its lines and its MSHRs, for requests and answers alike. */
#include "models/gpu/l2_inside.h"

cycle_t gpu_l2_begin(struct gpu_l2 *l, uint32_t slice, uint16_t group, cycle_t now,
                     uint32_t cycles, uint32_t bytes)
{
    struct l2_slice *s = &l->slices[slice];
    cycle_t start = cycle_max(now, s->free);
    s->free = start + cycles;
    l2_stats_of(l, group)->busy_cycles += cycles;
    record_amount(l->record, l->record_track, start, start + cycles, cycles);
    gpu_l2_tally(l, group)->bytes += bytes;
    return start;
}

cycle_t gpu_l2_look_up(struct gpu_l2 *l, uint32_t slice, uint16_t group, cycle_t now,
                       uint32_t cycles, uint32_t bytes)
{
    gpu_l2_tally(l, group)->lines++;
    return gpu_l2_begin(l, slice, group, now, cycles, bytes);
}

/* ---- what leaves */

void gpu_l2_answer(struct gpu_l2 *l, uint32_t slice, uint32_t item, cycle_t start,
                   uint32_t cycles)
{
    struct l2_item *i = &l->items[item];
    i->m.port = i->from;
    if (i->sm == L2_FAR) {
        i->m.kind = L2_FAR_ANSWER;
        gpu_l2_post(l, &l->to_other, slice, item, start + cycles);
    } else {
        link_prefetch(l->run.answers[i->sm], l->number);
        gpu_l2_post(l, &l->to_sms, slice, item, start + l->config.hit_cycles + cycles - 1);
    }
}

void gpu_l2_post_new(struct gpu_l2 *l, struct l2_outbox *o, uint32_t slice,
                     const struct message *m, cycle_t at)
{
    uint32_t item = gpu_l2_item_new(l);
    l->items[item].m = *m;
    gpu_l2_post(l, o, slice, item, at);
}

uint32_t gpu_l2_post_runs(struct gpu_l2 *l, uint32_t slice, struct message m, uint32_t sectors,
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
        gpu_l2_post_new(l, &l->to_memory, slice, &m, at);
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
    uint64_t address = l->lines[line].address;
    if (t->dirty) {
        uint32_t bytes = l2_bits(t->dirty) * GPU_SECTOR;
        struct message m = { .address = address, .id = slice, .group = t->group,
                             .kind = HBM_WRITE_RUN };
        l->slices[slice].write_backs += gpu_l2_post_runs(l, slice, m, t->dirty, at);
        l2_stats_of(l, t->group)->write_backs += l2_bits(t->dirty);
        gpu_l2_tally(l, t->group)->bytes += bytes;
    }
    if (t->shared) {
        l->slices[slice].forgets++;
        gpu_l2_post_new(l, &l->to_other, slice, &(struct message){
            .address = address, .id = L2_NONE, .group = t->group, .kind = L2_FORGET }, at);
    }
    gpu_l2_remove(l, line);
}

bool gpu_l2_can_place(struct gpu_l2 *l, const struct gpu_l2_place *p, uint64_t address,
                      uint32_t *line, bool *there)
{
    *line = gpu_l2_find(l, p, address);
    *there = *line != L2_NONE;
    if (*there)
        return true;
    *line = gpu_l2_victim(l, p);
    return *line != L2_NONE && (!l->tags[*line].part || can_evict(l, p->slice, *line));
}

void gpu_l2_touch(struct gpu_l2 *l, uint32_t slice, uint32_t line)
{
    l->tags[line].used = ++l->slices[slice].clock;
}

struct l2_line *gpu_l2_place_line(struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t line,
                                  bool there, uint64_t address, cycle_t start)
{
    if (!there && l->tags[line].part)
        evict(l, p->slice, line, start + 1);
    if (!there)
        gpu_l2_set_line(l, p, line, address, p->partition != l->run.partition);
    gpu_l2_touch(l, p->slice, line);
    return &l->lines[line];
}

uint32_t gpu_l2_take_mshr(struct gpu_l2 *l, uint32_t slice, enum l2_way way, uint32_t line)
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

uint32_t gpu_l2_slice_of_mshr(const struct gpu_l2 *l, uint32_t number)
{
    return number / l->config.mshrs / L2_WAYS;
}

void gpu_l2_free_mshr(struct gpu_l2 *l, uint32_t number)
{
    struct l2_mshr *m = &l->mshrs[number];
    uint32_t *free = &l->slices[gpu_l2_slice_of_mshr(l, number)]
                          .mshr_free[number / l->config.mshrs % L2_WAYS];
    assert(!m->pending && m->waiting.first == L2_NONE);
    if (m->line != L2_NONE)
        l->lines[m->line].mshr = 0;
    m->next_free = *free;
    *free = number;
}

void gpu_l2_drop_copy(struct gpu_l2 *l, const struct gpu_l2_place *p, uint64_t address)
{
    uint32_t line = gpu_l2_find(l, p, address);
    if (line == L2_NONE)
        return;
    if (l->lines[line].mshr)
        l->mshrs[l->lines[line].mshr - 1].line = L2_NONE;
    assert(!l->lines[line].dirty);
    gpu_l2_remove(l, line);
}

