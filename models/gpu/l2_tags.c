/* l2_tags.c - sets of lines, the one not used for longest leaves first (LRU, exactly). */
#include "models/gpu/l2_inside.h"

#define MOST_ADDRESS (UINT64_C(1) << 47)

/* The first place of the set.  As lines over slices, so rounds over sets. */
static uint32_t set_of(const struct gpu_l2 *l, const struct gpu_l2_place *p)
{
    uint32_t set = gpu_l2_spread(p->round / l->sets, p->round % l->sets, l->sets);
    return (p->slice * l->sets + set) * l->config.ways;
}

static uint64_t line_of(const struct gpu_l2 *l, uint64_t address)
{
    return address >> l->line_shift << l->line_shift;
}

/* The stack, the slice, the set and this make a line, if it fits; a line at home and a copy
 * may differ in the partition only. */
static uint32_t part_of(const struct gpu_l2 *l, const struct gpu_l2_place *p)
{
    return (uint32_t)(p->round / l->sets) << 2 | p->partition << 1 | 1;
}

bool gpu_l2_tags_exact(const struct gpu_l2 *l)
{
    const struct gpu_l2_map *m = l->run.map;
    uint64_t lines = MOST_ADDRESS >> l->line_shift;
    return lines / m->stacks / (m->partitions * m->slices) / l->sets < UINT64_C(1) << 30;
}

void gpu_l2_prefetch(const struct gpu_l2 *l, const struct gpu_l2_place *p)
{
    const char *tags = (const char *)(l->tags + set_of(l, p));
    for (size_t at = 0; at < l->config.ways * sizeof *l->tags; at += 64)
        __builtin_prefetch(tags + at);
}

uint32_t gpu_l2_find(const struct gpu_l2 *l, const struct gpu_l2_place *p, uint64_t address)
{
    uint32_t first = set_of(l, p), part = part_of(l, p);
    for (uint32_t line = first; line < first + l->config.ways; line++)
        if (l->tags[line].part == part
            && (l->exact || l->lines[line].address == line_of(l, address)))
            return line;
    return L2_NONE;
}

/* Of those that are not under way, if only these may go. */
static uint32_t oldest(const struct gpu_l2 *l, const struct gpu_l2_place *p, bool may_go)
{
    uint32_t first = set_of(l, p), best = L2_NONE, most = 0, now = l->slices[p->slice].clock;
    for (uint32_t line = first; line < first + l->config.ways; line++) {
        if (!l->tags[line].part)
            return line;
        uint32_t age = now - l->tags[line].used;
        if ((best == L2_NONE || age > most) && !(may_go && l->lines[line].mshr)) {
            best = line;
            most = age;
        }
    }
    return best;
}

void gpu_l2_prefetch_line(const struct gpu_l2 *l, const struct gpu_l2_place *p,
                          uint64_t address)
{
    uint32_t line = gpu_l2_find(l, p, address);
    __builtin_prefetch(&l->lines[line == L2_NONE ? oldest(l, p, false) : line]);
}

uint32_t gpu_l2_victim(const struct gpu_l2 *l, const struct gpu_l2_place *p)
{
    uint32_t line = oldest(l, p, false);        /* seldom under way: without looking at all */
    return l->tags[line].part && l->lines[line].mshr ? oldest(l, p, true) : line;
}

bool gpu_l2_leaves_way(const struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t line)
{
    uint32_t first = set_of(l, p);
    for (uint32_t i = first; i < first + l->config.ways; i++)
        if (i != line && (!l->tags[i].part || !l->lines[i].copy || !l->lines[i].mshr))
            return true;
    return false;
}

void gpu_l2_set_line(struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t line,
                     uint64_t address, bool copy)
{
    assert(!l->tags[line].part);
    assert(address < MOST_ADDRESS);
    l->tags[line].part = part_of(l, p);
    l->lines[line] = (struct l2_line){ .address = line_of(l, address), .copy = copy };
}

void gpu_l2_remove(struct gpu_l2 *l, uint32_t line)
{
    l->dirty_sectors -= l2_bits(l->lines[line].dirty);
    l->tags[line].part = 0;
}
