/* l2_map.c - which slice is home to a line.
 *
 * Lines of a stack, in the order of their addresses in it, are dealt out to all slices in
 * front of the stack, of both partitions: `n` lines in a row go to n slices, in an order
 * that is a hash of the round's number, so that strides of many rounds spread too.
 */
#include <assert.h>

#include "models/gpu/l2_inside.h"

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)     /* 2^64 over the golden ratio: spreads anything */

void gpu_l2_map_init(struct gpu_l2_map *m, const struct gpu_config *c, const struct hbm_map *hbm)
{
    *m = (struct gpu_l2_map){
        .hbm = hbm, .partitions = c->l2.partitions, .stacks = hbm->stacks,
        .slices = c->l2.slices / (c->l2.partitions * hbm->stacks), .line_bytes = c->l2.line_bytes,
    };
    assert(m->slices > 0);
    assert(m->slices * m->partitions * m->stacks == c->l2.slices);
    assert(hbm_map_run_bytes(hbm) >= c->l2.line_bytes);
}

uint32_t gpu_l2_spread(uint64_t round, uint64_t place, uint32_t count)
{
    uint64_t first = ((round * GOLDEN ^ round * GOLDEN >> 32) & UINT32_MAX) * count >> 32;
    place += first;
    return (uint32_t)(place < count ? place : place - count);
}

/* Digits of `round`, base `count`, one upon the other.  While one of them takes all its values
 * so does the sum: rows of a matrix, an odd multiple of a power of two apart, go to different
 * slices, as a hash by chance would not put them. */
static uint64_t folded(uint64_t round, uint32_t count)
{
    uint64_t sum = 0;
    for (; round > 0; round /= count)
        sum ^= round % count;
    return sum;
}

static bool is_power_of_2(uint32_t count) { return count > 1 && (count & (count - 1)) == 0; }

/* hbm_map_local wraps addresses round at the stack's capacity; tags must not. */
static uint64_t line_of_stack(const struct gpu_l2_map *m, uint64_t address)
{
    if (m->stacks == 1)
        return address / m->line_bytes;
    unsigned low = m->hbm->stack_low;
    uint64_t local = (address >> low) / m->stacks << low | (address & ((UINT64_C(1) << low) - 1));
    return local / m->line_bytes;
}

static uint32_t place(const struct gpu_l2_map *m, uint64_t address, uint64_t *round)
{
    uint32_t count = m->partitions * m->slices;
    uint64_t line = line_of_stack(m, address);
    *round = line / count;
    return is_power_of_2(count) ? (uint32_t)(line % count ^ folded(*round, count))
                                : gpu_l2_spread(*round, line % count, count);
}

uint32_t gpu_l2_map_partition(const struct gpu_l2_map *m, uint64_t address)
{
    uint64_t round;
    return m->partitions == 1 ? 0 : place(m, address, &round) / m->slices;
}

uint32_t gpu_l2_map_slice(const struct gpu_l2_map *m, uint64_t address)
{
    uint64_t round;
    return place(m, address, &round) % m->slices;
}

uint32_t gpu_l2_map_group(const struct gpu_l2_map *m, uint32_t partition, uint64_t address)
{
    return partition * m->stacks + hbm_map_stack(m->hbm, address);
}

struct gpu_l2_place gpu_l2_map_place(const struct gpu_l2_map *m, uint64_t address)
{
    uint64_t round;
    uint32_t at = place(m, address, &round), partition = at / m->slices;
    return (struct gpu_l2_place){ .round = round, .partition = partition,
                                  .slice = at - partition * m->slices };
}
