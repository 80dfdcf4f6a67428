/* sm_shared.c - how often shared memory must be read or written for the lanes of a warp.
 *
 * A bank gives one word of 4 bytes a pass; lanes that want the same word share it.  Lanes of
 * 8 or 16 bytes go in phases of as many as fill the banks once: half-warps, quarter-warps.
 *
 * Counting takes long, and mostly gives what it gave the last time: the lanes of an operation
 * in a loop differ from its first lane by what they did before.  Then the count is the same,
 * for moving all of them by whole words only gives the banks other numbers.
 */
#include <inttypes.h>

#include "models/gpu/sm_inside.h"

/* ---- counting */

struct bank_words {
    uint32_t count, word[GPU_LANES * 4];
    uint8_t  next[GPU_LANES * 4], first[128], words[128];   /* of each bank; from 1 */
};

/* How many words its bank has now. */
static uint32_t add_word(struct bank_words *b, uint32_t word, uint32_t banks)
{
    uint32_t bank = word % banks;
    for (uint32_t i = b->first[bank]; i > 0; i = b->next[i - 1])
        if (b->word[i - 1] == word)
            return b->words[bank];
    b->word[b->count] = word;
    b->next[b->count] = b->first[bank];
    b->first[bank] = (uint8_t)++b->count;
    return ++b->words[bank];
}

static uint32_t passes_of_phase(const uint32_t *address, uint32_t lanes, uint32_t mask,
                                uint32_t bytes, uint32_t banks)
{
    struct bank_words b;
    uint32_t most = 0;
    b.count = 0;
    for (uint32_t i = 0; i < banks; i++)
        b.first[i] = b.words[i] = 0;
    for (uint32_t lane = 0; lane < lanes; lane++)
        for (uint32_t at = 0; at < bytes && mask >> lane & 1; at += 4) {
            uint32_t words = add_word(&b, (address[lane] + at) / 4, banks);
            most = words > most ? words : most;
        }
    return most;
}

uint32_t sm_bank_passes(const struct gpu_sm *sm, const uint32_t address[GPU_LANES],
                        uint32_t mask, uint32_t bytes, uint32_t *ideal)
{
    uint32_t banks = sm->c->shared.banks, words = (bytes + 3) / 4, passes = 0;
    uint32_t lanes = banks / words < 1 ? 1 : banks / words;
    if (lanes > GPU_LANES)
        lanes = GPU_LANES;
    *ideal = 0;
    for (uint32_t first = 0; first < GPU_LANES; first += lanes) {
        uint32_t here = first + lanes <= GPU_LANES ? lanes : GPU_LANES - first;
        uint32_t n = passes_of_phase(address + first, here, mask >> first, bytes, banks);
        passes += n;
        *ideal += n > 0;
    }
    return passes;
}

/* Lanes with one address do their atomic one after the other. */
static uint32_t same_address(const uint32_t address[GPU_LANES], uint32_t mask)
{
    uint32_t most = 1;
    for (unsigned a = 0; a < GPU_LANES; a++) {
        uint32_t same = 1;
        for (unsigned b = 0; b < a; b++)
            same += mask >> a & mask >> b & 1 && address[a] == address[b];
        most = same > most ? same : most;
    }
    return most;
}

/* ---- what has been counted before */

/* Operations that take their addresses from one register share a place. */
static struct sm_pattern *pattern_of(struct gpu_sm *sm, const struct sm_request *r,
                                     uint32_t bytes)
{
    const struct gpu_op *op = r->op;
    uint32_t source = op->kind == GPU_COPY ? op->access.data_at : op->access.address_at;
    uint32_t number = r->warp->w.kernel->operands[op->operands + op->dsts + source];
    return &sm->patterns[(number + 5 * bytes) % SM_PATTERNS];
}

static bool same_pattern(const struct sm_pattern *p, const uint32_t address[GPU_LANES])
{
    uint32_t differ = 0, first = address[0];
    for (unsigned lane = 0; lane < GPU_LANES; lane++)
        differ |= (address[lane] - first) ^ p->delta[lane];
    return differ == 0;
}

static void keep_pattern(struct sm_pattern *p, const uint32_t address[GPU_LANES])
{
    int64_t low = 0, high = 0;
    for (unsigned lane = 0; lane < GPU_LANES; lane++) {
        int64_t delta = (int64_t)address[lane] - address[0];
        p->delta[lane] = (uint32_t)delta;
        low = delta < low ? delta : low;
        high = delta > high ? delta : high;
    }
    p->low = (uint32_t)-low;
    p->high = (uint32_t)high;
}

/* ---- an operation */

static uint32_t bytes_of(const struct gpu_op *op)
{
    return op->kind == GPU_MATRIX ? 16 : op->access.bytes;
}

static bool legal(struct gpu_sm *sm, const struct sm_request *r, uint32_t mask,
                  const uint32_t address[GPU_LANES])
{
    uint32_t bytes = bytes_of(r->op), has = r->warp->w.block->shared_bytes;
    for (unsigned lane = 0; lane < GPU_LANES; lane++) {
        if (!(mask >> lane & 1))
            continue;
        bool aligned = (address[lane] & (bytes - 1)) == 0;
        if (aligned && address[lane] < has && bytes <= has - address[lane])
            continue;
        if (aligned)
            sm_fault(sm, r->warp, r->op, "lane %u: %u bytes at 0x%" PRIx32 " of shared memory, "
                     "which has %" PRIu32, lane, bytes, address[lane], has);
        else
            sm_fault(sm, r->warp, r->op, "lane %u: %u bytes at 0x%" PRIx32 " of shared memory, "
                     "not aligned", lane, bytes, address[lane]);
        return false;
    }
    return true;
}

bool sm_shared_passes(struct gpu_sm *sm, const struct sm_request *r, uint32_t mask,
                      const uint64_t address[GPU_LANES], uint32_t *passes, uint32_t *ideal)
{
    const struct gpu_op *op = r->op;
    uint32_t at[GPU_LANES], bytes = bytes_of(op), has = r->warp->w.block->shared_bytes;
    for (unsigned lane = 0; lane < GPU_LANES; lane++)
        at[lane] = (uint32_t)address[lane];     /* the window's upper bits fall away */
    if (op->kind == GPU_MATRIX)
        mask &= op->number < 4 ? (UINT32_C(1) << op->number * 8) - 1 : UINT32_MAX;
    struct sm_pattern *p = pattern_of(sm, r, bytes);
    uint32_t residue = at[0] % (bytes > 4 ? bytes : 4);
    bool keep = mask & 1 && op->kind != GPU_ATOMIC;
    if (keep && p->mask == mask && p->bytes == bytes && p->residue == residue &&
        at[0] >= p->low && (uint64_t)at[0] + p->high + bytes <= has && same_pattern(p, at)) {
        *passes = p->passes;
        *ideal = p->ideal;
        return true;
    }
    if (!legal(sm, r, mask, at))
        return false;
    *passes = sm_bank_passes(sm, at, mask, bytes, ideal);
    if (op->kind == GPU_ATOMIC)
        *passes += (same_address(at, mask) - 1) * sm->c->shared.atomic_cycles;
    if (keep) {
        keep_pattern(p, at);
        p->mask = mask;
        p->bytes = bytes;
        p->residue = residue;
        p->passes = *passes;
        p->ideal = *ideal;
    }
    return true;
}
