/* place.c - where every tensor is: an address in HBM, or a stay in vector memory.
 *
 * What holds a value when the step begins stays where it is; the rest takes the first gap
 * that is free from the group that makes it to the last that reads it. */
#include <inttypes.h>
#include <stdlib.h>

#include "models/tpu/lower_parts.h"

#define ALIGN 4096              /* of a tensor: a run of HBM traffic */

uint64_t lower_round(uint64_t n, uint64_t multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

uint64_t lower_pad_cols(const struct lower *l, uint64_t cols)
{
    return lower_round(cols, l->config->vpu.lanes);
}

bool lower_is_vector(const struct lower *l, uint32_t tensor)
{
    return l->tensors[tensor].rows == 1;
}

uint64_t lower_padded_bytes(const struct lower *l, uint32_t tensor, uint64_t rows)
{
    const struct lower_tensor *t = &l->tensors[tensor];
    unsigned size = trace_type_bytes(l->trace->tensors[tensor].type);
    uint64_t padded = t->rows == 1 || t->cols == 1 ? 1 : TPU_TILE_ROWS;
    if (t->cols == 1)                   /* a column lies along the lanes */
        return lower_pad_cols(l, rows) * size;
    return lower_round(rows, padded) * lower_pad_cols(l, t->cols) * size;
}

uint64_t lower_share_rows(const struct lower *l, uint64_t rows, uint32_t core)
{
    uint64_t share = (rows + l->options.cores - 1) / l->options.cores, before = core * share;
    if (before >= rows)
        return 0;
    return rows - before < share ? rows - before : share;
}

/* The batch is shared, and with it whatever is stacked under each of its rows. */
static uint64_t stacked(const struct lower *l, uint32_t tensor)
{
    return l->tensors[tensor].rows / l->trace->tensors[tensor].shape[0];
}

uint64_t lower_rows(const struct lower *l, uint32_t tensor, uint32_t core)
{
    const struct lower_tensor *t = &l->tensors[tensor];
    if (t->share != SHARE_ROWS)
        return t->rows;
    return lower_share_rows(l, l->trace->tensors[tensor].shape[0], core) * stacked(l, tensor);
}

static bool permanent(const struct lower *l, uint32_t tensor)
{
    return trace_role_given(l->trace->tensors[tensor].role);
}

/* Results that are read again may wait in vector memory, as far as it reaches: those of
 * which no other core needs a part. */
static void keep_on_chip(struct lower *l)
{
    uint32_t groups = l->plan->group_count;
    uint64_t capacity = l->config->vmem.capacity_bytes;
    uint64_t room = capacity > l->config->lower.tile_bytes
                  ? capacity - l->config->lower.tile_bytes : 0;
    uint64_t *taken = calloc(groups + 1, sizeof *taken);
    if (!taken)
        abort();
    for (uint32_t i = 0; i < l->trace->tensor_count; i++) {
        struct lower_tensor *t = &l->tensors[i];
        uint64_t bytes = lower_padded_bytes(l, i, lower_rows(l, i, 0));
        bool fits = !permanent(l, i) && l->trace->tensors[i].role != ROLE_OUTPUT && t->used
                 && l->trace->tensors[i].reads > 0 && !t->summed
                 && (!l->shared || t->share == SHARE_ROWS);
        for (uint32_t g = t->first; fits && g <= t->last; g++)
            fits = taken[g] + bytes <= room;
        if (!fits)
            continue;
        t->on_chip = true;
        for (uint32_t g = t->first; g <= t->last; g++) {
            taken[g] += bytes;
            if (taken[g] > l->plan->resident_bytes)
                l->plan->resident_bytes = taken[g];
        }
    }
    free(taken);
}

struct stay { uint64_t from, to; uint32_t last; };

/* The lowest gap of `bytes` between the stays that are still needed. */
static uint64_t find_gap(const struct stay *stays, uint32_t count, uint64_t floor, uint64_t bytes)
{
    uint64_t at = floor;
    for (uint32_t i = 0; i < count; i++) {
        if (stays[i].from >= at + bytes)
            break;
        at = stays[i].to > at ? stays[i].to : at;
    }
    return at;
}

static uint32_t forget(struct stay *stays, uint32_t count, uint32_t group)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++)
        if (stays[i].last >= group)
            stays[kept++] = stays[i];
    return kept;
}

static uint32_t insert(struct stay *stays, uint32_t count, struct stay s)
{
    uint32_t i = count;
    for (; i > 0 && stays[i - 1].from > s.from; i--)
        stays[i] = stays[i - 1];
    stays[i] = s;
    return count + 1;
}

static uint64_t bytes_of(const struct lower *l, uint32_t tensor)
{
    const struct lower_tensor *t = &l->tensors[tensor];
    bool apart = l->shared && (t->summed || t->share == SHARE_ROWS);
    uint64_t bytes = lower_padded_bytes(l, tensor, lower_rows(l, tensor, 0));
    return lower_round(bytes, ALIGN) * (apart ? l->options.cores : 1);
}

static uint64_t place_permanent(struct lower *l)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < l->trace->tensor_count; i++) {
        l->tensors[i].bytes = bytes_of(l, i);
        if (!permanent(l, i))
            continue;
        l->tensors[i].address = at;
        at += l->tensors[i].bytes;
    }
    return at;
}

/* Of one group, at `made` and after it: tensors that it is the first to make. */
static uint64_t place_group(struct lower *l, uint32_t group, uint64_t floor, struct stay *stays,
                            uint32_t *count, const uint32_t **made)
{
    uint64_t top = floor;
    *count = forget(stays, *count, group);
    for (; **made != TRACE_NONE && l->tensors[**made].first == group; ++*made) {
        struct lower_tensor *t = &l->tensors[**made];
        if (t->on_chip || !t->used)
            continue;
        t->address = find_gap(stays, *count, floor, t->bytes);
        struct stay s = { t->address, t->address + t->bytes, t->last };
        *count = insert(stays, *count, s);
        top = s.to > top ? s.to : top;
    }
    return top;
}

/* The tensors that groups make, by the first of these; TRACE_NONE ends the list. */
static uint32_t *by_group(const struct lower *l)
{
    uint32_t groups = l->plan->group_count, tensors = l->trace->tensor_count;
    uint32_t *order = malloc((tensors + 1) * sizeof *order);
    uint32_t *at = calloc(groups + 1, sizeof *at);
    if (!order || !at)
        abort();
    for (uint32_t i = 0; i < tensors; i++)
        if (!permanent(l, i) && l->tensors[i].first < groups)
            at[l->tensors[i].first + 1]++;
    for (uint32_t g = 0; g < groups; g++)
        at[g + 1] += at[g];
    order[at[groups]] = TRACE_NONE;
    for (uint32_t i = 0; i < tensors; i++)
        if (!permanent(l, i) && l->tensors[i].first < groups)
            order[at[l->tensors[i].first]++] = i;
    free(at);
    return order;
}

bool lower_place(struct lower *l)
{
    if (l->config->lower.residence == TPU_RESIDENCE_VMEM)
        keep_on_chip(l);
    uint64_t floor = place_permanent(l), top = floor;
    struct stay *stays = malloc((l->trace->tensor_count + 1) * sizeof *stays);
    if (!stays)
        abort();
    uint32_t count = 0, *order = by_group(l);
    const uint32_t *made = order;
    for (uint32_t g = 0; g < l->plan->group_count; g++) {
        uint64_t t = place_group(l, g, floor, stays, &count, &made);
        top = t > top ? t : top;
    }
    free(order);
    free(stays);
    l->plan->hbm_bytes = top;
    double capacity = l->hbm->capacity_gib * 1073741824.0 * l->hbm->stacks;
    if (!l->shared)
        capacity /= l->config->chip.cores;
    if ((double)top > capacity)
        return diag_set(l->diag, 0, 0, "the trace needs %" PRIu64 " bytes of HBM on a core; "
                        "expected at most %.0f", top, capacity);
    return true;
}
