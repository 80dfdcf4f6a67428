/* l2_tags.c - sets of lines, the one not used for longest leaves first (LRU, exactly). */
#include <assert.h>

#include "models/gpu/l2_inside.h"

/* The first place of the set.  As lines over slices, so rounds over sets. */
static uint32_t set_of(const struct gpu_l2 *l, uint32_t slice, uint64_t round)
{
    uint32_t set = gpu_l2_spread(round / l->sets, round % l->sets, l->sets);
    return (slice * l->sets + set) * l->config.ways;
}

static uint64_t tag_of(const struct gpu_l2 *l, uint64_t address)
{
    return (address >> l->line_shift) + 1;
}

uint32_t gpu_l2_find(struct gpu_l2 *l, uint32_t slice, uint64_t address, uint64_t round)
{
    uint32_t first = set_of(l, slice, round);
    uint64_t tag = tag_of(l, address);
    for (uint32_t line = first; line < first + l->config.ways; line++)
        if (l->tags[line] == tag)
            return line;
    return L2_NONE;
}

uint32_t gpu_l2_victim(struct gpu_l2 *l, uint32_t slice, uint64_t round)
{
    uint32_t first = set_of(l, slice, round), best = L2_NONE;
    uint64_t oldest = UINT64_MAX;
    for (uint32_t line = first; line < first + l->config.ways; line++) {
        if (!l->tags[line])
            return line;
        if (!l->lines[line].mshr && l->lines[line].used < oldest) {
            oldest = l->lines[line].used;
            best = line;
        }
    }
    return best;
}

bool gpu_l2_leaves_way(const struct gpu_l2 *l, uint32_t slice, uint64_t round, uint32_t line)
{
    uint32_t first = set_of(l, slice, round);
    for (uint32_t i = first; i < first + l->config.ways; i++)
        if (i != line && (!l->tags[i] || !l->lines[i].copy || !l->lines[i].mshr))
            return true;
    return false;
}

void gpu_l2_place_line(struct gpu_l2 *l, uint32_t line, uint64_t address, bool copy)
{
    assert(!l->tags[line]);
    l->tags[line] = tag_of(l, address);
    l->lines[line] = (struct l2_line){ .copy = copy };
}

void gpu_l2_remove(struct gpu_l2 *l, uint32_t line)
{
    l->dirty_sectors -= l2_bits(l->lines[line].dirty);
    l->tags[line] = 0;
}

uint64_t gpu_l2_address(const struct gpu_l2 *l, uint32_t line)
{
    assert(l->tags[line]);
    return (l->tags[line] - 1) << l->line_shift;
}
