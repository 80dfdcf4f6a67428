/* interpret_together.c - memory operations of all lanes at once, where nothing can go wrong:
 * the lanes are aligned and all within one buffer, or within the block's own memory.  Whatever
 * else there is (a fault above all) interpret_memory.c sees lane by lane. */
#include "models/gpu/interpret_inside.h"

#include "models/gpu/execute_inside.h"

#define REACH_MOST (UINT64_C(1) << 31)

/* From the lowest to the highest address of some lanes. */
struct reach { uint64_t low, high, bits; };

/* Addresses are below 2^63; lanes that are not wanted get one that is. */
GPU_WIDE static struct reach reach_of(uint64_t address[GPU_LANES], uint32_t mask)
{
    uint64_t any = address[__builtin_ctz(mask)], bits = 0;
    int64_t low = INT64_MAX, high = 0;
    GPU_EACH_LANE(l) {
        address[l] = mask >> l & 1 ? address[l] : any;
        int64_t a = (int64_t)address[l];
        low = a < low ? a : low;
        high = a > high ? a : high;
        bits |= address[l];
    }
    return (struct reach){ (uint64_t)low, (uint64_t)high, bits };
}

/* Bytes [low, high) of a memory that begins at address `first`. */
static uint8_t *within(uint8_t *memory, uint64_t size, uint64_t first, uint64_t low,
                       uint64_t bytes)
{
    uint64_t at = low - first;
    return at < size && size - at >= bytes ? memory + at : NULL;
}

static uint8_t *in_buffer(struct gpu_interpreter *in, const struct gpu_op *op, uint64_t low,
                          uint64_t bytes)
{
    uint8_t *at = gpu_memory_at(in->memory, low, bytes, &in->hint);
    if (at && in->watch)
        gpu_watch_bytes(in->watch, in->hint, low, bytes, op->kind == GPU_STORE);
    return at;
}

static uint8_t *find(struct gpu_interpreter *in, const struct gpu_op *op, enum gpu_space space,
                     uint64_t low, uint64_t high)
{
    uint64_t bytes = high - low;
    uint64_t shared = 0;
    if (space == GPU_SPACE_GENERIC) {
        space = gpu_address_space(low);
        shared = GPU_SHARED_WINDOW;
        if (space != gpu_address_space(high - 1))
            return NULL;
    }
    switch (space) {
    case GPU_SPACE_SHARED:
        return within(in->block.shared, in->block.shared_bytes, shared, low, bytes);
    case GPU_SPACE_LOCAL:
        return op->access.space != GPU_SPACE_LOCAL ? NULL
             : within(in->local, in->local_bytes, GPU_INTERPRET_LOCAL, low, bytes);
    case GPU_SPACE_GLOBAL:
        return in_buffer(in, op, low, bytes);
    case GPU_SPACE_GENERIC: case GPU_SPACE_CONST: case GPU_SPACE_PARAM: break;
    }
    return NULL;
}

/* The memory under all lanes of the mask, `bytes` each; where they are in it.  NULL: not so
 * simple. */
static uint8_t *take(struct gpu_interpreter *in, const struct gpu_op *op, enum gpu_space space,
                     uint32_t bytes, uint32_t mask, uint64_t address[GPU_LANES],
                     uint32_t offset[GPU_LANES])
{
    struct reach r = reach_of(address, mask);
    if (r.bits >> 63 || r.bits & (bytes - 1) || r.high - r.low > REACH_MOST)
        return NULL;
    GPU_EACH_LANE(l)
        offset[l] = (uint32_t)(address[l] - r.low);
    return find(in, op, space, r.low, r.high + bytes);
}

/* Neighbours in the order of their lanes. */
static bool in_order(const uint32_t offset[GPU_LANES], uint32_t bytes, uint32_t mask)
{
    uint32_t other = ~mask;
    GPU_EACH_LANE(l)
        other |= offset[l] ^ l * bytes;
    return other == 0;
}

/* ---- loads ---- */

static void load_words(const struct gpu_warp *w, const struct gpu_op *op, uint32_t mask,
                       const uint8_t *from, const uint32_t offset[GPU_LANES])
{
    if (op->dsts == 1 && in_order(offset, 4, mask)) {
        memcpy(gpu_dest(w, op, 0), from, GPU_LANES * sizeof(uint32_t));
        return;
    }
    for (unsigned i = 0; i < op->dsts; i++) {
        uint32_t x[GPU_LANES];
        GPU_EACH_LANE(l)
            memcpy(&x[l], from + offset[l] + 4 * i, 4);
        gpu_put(w, op, i, mask, x);
    }
}

/* Elements of one or two bytes, each to a word. */
static void load_narrow(const struct gpu_warp *w, const struct gpu_op *op, uint32_t mask,
                        const uint8_t *from, const uint32_t offset[GPU_LANES])
{
    const struct gpu_access *a = &op->access;
    unsigned unused = 32 - 8 * a->element_bytes;
    for (unsigned i = 0; i < op->dsts; i++) {
        uint32_t x[GPU_LANES] = { 0 };
        GPU_EACH_LANE(l) {
            const uint8_t *at = from + offset[l] + i * a->element_bytes;
            if (a->element_bytes == 2)
                memcpy(&x[l], at, 2);
            else
                x[l] = *at;
        }
        GPU_EACH_LANE(l)
            x[l] = a->is_signed ? (uint32_t)((int32_t)(x[l] << unused) >> unused) : x[l];
        gpu_put(w, op, i, mask, x);
    }
}

/* One half of a word; the other stays. */
static void load_half(const struct gpu_warp *w, const struct gpu_op *op, uint32_t mask,
                      const uint8_t *from, const uint32_t offset[GPU_LANES])
{
    unsigned up = op->mode[GPU_MODE_HALF] == 2 ? 16 : 0;
    uint32_t x[GPU_LANES];
    memcpy(x, gpu_dest(w, op, 0), sizeof x);
    GPU_EACH_LANE(l) {
        uint16_t half;
        memcpy(&half, from + offset[l], sizeof half);
        x[l] = (x[l] & UINT32_C(0xffff0000) >> up) | (uint32_t)half << up;
    }
    gpu_put(w, op, 0, mask, x);
}

static bool load(struct gpu_interpreter *in, struct gpu_warp *w, const struct gpu_op *op,
                 uint32_t mask, uint64_t address[GPU_LANES])
{
    const struct gpu_access *a = &op->access;
    uint32_t offset[GPU_LANES];
    bool whole = a->bytes == 4 * op->dsts, half = op->mode[GPU_MODE_HALF];
    if (!whole && !half && (a->element_bytes > 2 || a->bytes != op->dsts * a->element_bytes))
        return false;
    const uint8_t *from = take(in, op, (enum gpu_space)a->space, a->bytes, mask, address, offset);
    if (!from)
        return false;
    if (whole)
        load_words(w, op, mask, from, offset);
    else if (half)
        load_half(w, op, mask, from, offset);
    else
        load_narrow(w, op, mask, from, offset);
    return true;
}

/* ---- stores: where lanes meet the last one wins, word by word as lane by lane ---- */

static void store_words(const struct gpu_warp *w, const struct gpu_op *op, unsigned words,
                        uint32_t mask, uint8_t *to, const uint32_t offset[GPU_LANES])
{
    if (words == 1 && in_order(offset, 4, mask)) {
        memcpy(to, gpu_source(w, op, op->access.data_at), GPU_LANES * sizeof(uint32_t));
        return;
    }
    for (unsigned i = 0; i < words; i++) {
        const uint32_t *x = gpu_source(w, op, op->access.data_at + i);
        GPU_EACH_LANE(l)
            if (mask >> l & 1)
                memcpy(to + offset[l] + 4 * i, &x[l], 4);
    }
}

static void store_narrow(const struct gpu_warp *w, const struct gpu_op *op, unsigned words,
                         uint32_t mask, uint8_t *to, const uint32_t offset[GPU_LANES])
{
    unsigned bytes = op->access.element_bytes, down = op->mode[GPU_MODE_HALF] == 2 ? 16 : 0;
    for (unsigned i = 0; i < words; i++) {
        const uint32_t *x = gpu_source(w, op, op->access.data_at + i);
        GPU_EACH_LANE(l) {
            uint16_t half = (uint16_t)(x[l] >> down);
            if (mask >> l & 1)
                memcpy(to + offset[l] + i * bytes, &half, bytes == 2 ? 2 : 1);
        }
    }
}

static bool store(struct gpu_interpreter *in, const struct gpu_warp *w, const struct gpu_op *op,
                  uint32_t mask, uint64_t address[GPU_LANES])
{
    const struct gpu_access *a = &op->access;
    uint32_t offset[GPU_LANES];
    unsigned words = op->srcs - a->data_at;
    bool whole = a->bytes == 4 * words && a->element_bytes >= 4;
    if (!whole && (a->element_bytes > 2 || a->bytes != words * a->element_bytes))
        return false;
    uint8_t *to = take(in, op, (enum gpu_space)a->space, a->bytes, mask, address, offset);
    if (!to)
        return false;
    if (whole)
        store_words(w, op, words, mask, to, offset);
    else
        store_narrow(w, op, words, mask, to, offset);
    return true;
}

/* ---- cp.async, ldmatrix ---- */

/* A lane may read less than it writes: then zeros follow. */
static void copy_lane(uint8_t *to, const uint8_t *from, uint32_t read, uint32_t bytes)
{
    if (read == 16) {
        memcpy(to, from, 16);
        return;
    }
    memset(to, 0, bytes);
    if (read)
        memcpy(to, from, read);
}

static bool copy(struct gpu_interpreter *in, const struct gpu_warp *w, const struct gpu_op *op,
                 uint32_t mask, uint64_t address[GPU_LANES])
{
    uint32_t read[GPU_LANES], from_at[GPU_LANES] = { 0 }, to_at[GPU_LANES], readers = 0;
    uint32_t bytes = op->access.bytes;
    uint64_t shared[GPU_LANES], bits = 0;
    GPU_EACH_LANE(l) {
        shared[l] = gpu_warp_copy_to(w, op, l, &read[l]);
        readers |= (uint32_t)(read[l] > 0) << l;
        bits |= mask >> l & 1 ? address[l] : 0;
    }
    readers &= mask;
    uint8_t *to = bits & (bytes - 1) ? NULL
                : take(in, op, GPU_SPACE_SHARED, bytes, mask, shared, to_at);
    const uint8_t *from = !to || !readers ? to
                        : take(in, op, GPU_SPACE_GLOBAL, bytes, readers, address, from_at);
    for (unsigned l = 0; from && l < GPU_LANES; l++)
        if (mask >> l & 1)
            copy_lane(to + to_at[l], from + from_at[l], read[l], bytes);
    return from != NULL;
}

static bool load_matrix(struct gpu_interpreter *in, struct gpu_warp *w, const struct gpu_op *op,
                        uint32_t mask, uint64_t address[GPU_LANES])
{
    uint8_t rows[4 * 8][16];
    uint32_t offset[GPU_LANES], count = 8u * op->number;
    uint32_t wanted = UINT32_MAX >> (GPU_LANES - count);
    const uint8_t *from = (mask & wanted) != wanted ? NULL
                        : take(in, op, (enum gpu_space)op->access.space, 16, wanted, address, offset);
    for (uint32_t l = 0; from && l < count; l++)
        memcpy(rows[l], from + offset[l], sizeof rows[l]);
    if (from)
        gpu_warp_load_matrix(w, op, rows[0]);
    return from != NULL;
}

bool gpu_interpret_together(struct gpu_interpreter *in, struct gpu_warp *w,
                            const struct gpu_op *op, uint32_t mask, uint64_t address[GPU_LANES])
{
    if (!mask)
        return true;
    switch (op->kind) {
    case GPU_LOAD:   return load(in, w, op, mask, address);
    case GPU_STORE:  return store(in, w, op, mask, address);
    case GPU_COPY:   return copy(in, w, op, mask, address);
    case GPU_MATRIX: return load_matrix(in, w, op, mask, address);
    default:         return false;
    }
}
