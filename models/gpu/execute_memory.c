/* execute_memory.c - what memory operations move, word by word of a lane's registers; loads
 * of parameters and constants, which need no memory. */
#include "models/gpu/execute_inside.h"

/* Bytes that lie in the processor's memory as the GPU has them: least significant first. */
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "simaccel needs a little-endian processor"
#endif

void gpu_copy_set_offset(struct gpu_op *op, int32_t offset)
{
    memcpy(op->mode, &offset, sizeof op->mode);
}

int32_t gpu_copy_offset(const struct gpu_op *op)
{
    int32_t offset;
    memcpy(&offset, op->mode, sizeof offset);
    return offset;
}

uint32_t gpu_warp_copy_to(const struct gpu_warp *w, const struct gpu_op *op, unsigned lane,
                          uint32_t *read_bytes)
{
    unsigned at = op->access.data_at;
    uint32_t bytes = op->access.bytes;
    if (op->srcs > at + 1) {
        uint32_t size = gpu_source(w, op, at + 1)[lane];
        bytes = size < bytes ? size : bytes;
    }
    *read_bytes = bytes;
    return gpu_source(w, op, at)[lane] + (uint32_t)gpu_copy_offset(op);
}

/* Elements of a lane, each in one word or two of the registers. */
static unsigned elements(const struct gpu_access *a) { return a->bytes / a->element_bytes; }

static uint64_t extend(uint64_t x, unsigned bytes, bool is_signed)
{
    unsigned unused = 64 - 8 * bytes;
    return is_signed ? (uint64_t)((int64_t)(x << unused) >> unused) : x;
}

static void load_half(uint32_t *to, unsigned lane, const uint8_t *bytes, uint8_t half)
{
    uint16_t x;
    memcpy(&x, bytes, sizeof x);
    to[lane] = half == 2 ? (to[lane] & 0xffff) | (uint32_t)x << 16
                         : (to[lane] & 0xffff0000) | x;
}

/* Words as they come: what nearly every load is. */
static bool whole_words(const struct gpu_op *op)
{
    return op->access.bytes == 4u * op->dsts;
}

void gpu_warp_load_bytes(struct gpu_warp *w, const struct gpu_op *op, unsigned lane,
                         const uint8_t *bytes)
{
    const struct gpu_access *a = &op->access;
    if (whole_words(op)) {
        for (unsigned i = 0; i < op->dsts; i++)
            memcpy(&gpu_dest(w, op, i)[lane], bytes + 4 * i, 4);
        return;
    }
    if (op->kind == GPU_LOAD && op->mode[GPU_MODE_HALF]) {
        load_half(gpu_dest(w, op, 0), lane, bytes, op->mode[GPU_MODE_HALF]);
        return;
    }
    unsigned words = op->dsts / elements(a);
    for (unsigned e = 0; e < elements(a); e++) {
        uint64_t x = 0;
        memcpy(&x, bytes + e * a->element_bytes, a->element_bytes);
        x = extend(x, a->element_bytes, a->is_signed);
        gpu_dest(w, op, e * words)[lane] = (uint32_t)x;
        if (words == 2)
            gpu_dest(w, op, e * words + 1)[lane] = (uint32_t)(x >> 32);
    }
}

void gpu_warp_store_bytes(const struct gpu_warp *w, const struct gpu_op *op, unsigned lane,
                          uint8_t *bytes)
{
    const struct gpu_access *a = &op->access;
    unsigned count = elements(a), words = (op->srcs - a->data_at) / count;
    for (unsigned e = 0; e < count; e++) {
        uint64_t x = gpu_source(w, op, a->data_at + e * words)[lane];
        if (op->kind == GPU_STORE && op->mode[GPU_MODE_HALF] == 2)
            x >>= 16;
        if (words == 2)
            x |= (uint64_t)gpu_source(w, op, a->data_at + e * words + 1)[lane] << 32;
        memcpy(bytes + e * a->element_bytes, &x, a->element_bytes);
    }
}

/* Lane l gets elements 2 * (l % 4) and the next of row l / 4; transposed, of column l / 4. */
void gpu_warp_load_matrix(struct gpu_warp *w, const struct gpu_op *op, const uint8_t *rows)
{
    for (unsigned m = 0; m < op->number; m++, rows += 8 * 16) {
        uint32_t *to = gpu_dest(w, op, m);
        if (!op->mode[0]) {
            memcpy(to, rows, GPU_LANES * sizeof *to);
            continue;
        }
        uint16_t x[8][8];
        memcpy(x, rows, sizeof x);
        GPU_EACH_LANE(l) {
            unsigned column = l / 4, row = l % 4 * 2;
            to[l] = x[row][column] | (uint32_t)x[row + 1][column] << 16;
        }
    }
}

static bool is_inside(const struct gpu_op *op, uint64_t address, uint64_t size)
{
    return address < size && size - address >= op->access.bytes &&
           !(address & (op->access.bytes - 1u));
}

/* Whole words at an address of the text, the same for all lanes. */
static void load_same(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask,
                      const uint8_t *bytes)
{
    for (unsigned i = 0; i < op->dsts; i++) {
        uint32_t word, x[GPU_LANES];
        memcpy(&word, bytes + 4 * i, sizeof word);
        GPU_EACH_LANE(l)
            x[l] = word;
        gpu_put(w, op, i, mask, x);
    }
}

/* ld.param and ld.const: from the launch's parameters, from the module's constants. */
static void load_from(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask,
                      const uint8_t *bytes, uint64_t size)
{
    uint64_t address[GPU_LANES];
    gpu_warp_addresses(w, op, mask, address);
    if (!op->access.address_words && whole_words(op) && is_inside(op, address[0], size)) {
        load_same(w, op, mask, bytes + address[0]);
        return;
    }
    GPU_EACH_LANE(l) {
        if (!(mask >> l & 1))
            continue;
        if (!is_inside(op, address[l], size)) {
            if (!w->outside) {
                w->outside_lane = (uint8_t)l;
                w->outside_at = address[l];
            }
            w->outside = true;
            continue;
        }
        gpu_warp_load_bytes(w, op, l, bytes + address[l]);
    }
}

static void load_param(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    load_from(w, op, mask, w->block->launch->params, w->kernel->param_bytes);
}

static void load_const(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    load_from(w, op, mask, w->kernel->const_bytes, w->kernel->const_size);
}

static bool find_load(const struct ptx_instruction *i, struct gpu_op *op)
{
    struct gpu_access *a = &op->access;
    unsigned count = i->vector ? i->vector : 1;
    a->space = i->space;                    /* both have them in the same order */
    a->element_bytes = gpu_type_bytes[i->type[0]];
    a->bytes = (uint8_t)(a->element_bytes * count);
    a->is_signed = i->type[0] == PTX_S8 || i->type[0] == PTX_S16 || i->type[0] == PTX_S32;
    switch (i->cache) {
    case PTX_CG:            a->cache = GPU_CACHE_GLOBAL; break;
    case PTX_CS: case PTX_LU: a->cache = GPU_CACHE_STREAM; break;
    case PTX_CV:            a->cache = GPU_CACHE_VOLATILE; break;
    default:                a->cache = GPU_CACHE_ALL; break;
    }
    if (PTX_HAS(i, VOLATILE) || PTX_HAS(i, RELAXED) || PTX_HAS(i, ACQUIRE))
        a->cache = GPU_CACHE_VOLATILE;
    if (i->op != PTX_ST && i->space == PTX_PARAM)
        op->execute = load_param;
    if (i->op != PTX_ST && i->space == PTX_CONST)
        op->execute = load_const;
    return i->space <= PTX_PARAM && a->element_bytes && a->element_bytes <= 8 && a->bytes <= 16;
}

static bool find_matrix(const struct ptx_instruction *i, struct gpu_op *op)
{
    op->access.space = i->space;
    op->access.bytes = 16;                  /* that a lane's address is for */
    op->access.element_bytes = 16;
    op->mode[0] = PTX_HAS(i, TRANS);
    op->number = i->vector ? i->vector : 1;
    return i->space == PTX_SHARED || i->space == PTX_GENERIC;
}

/* The size is the third operand of the text. */
static bool find_copy(const struct ptx_instruction *i, struct gpu_op *op)
{
    uint64_t bytes = i->operand[2].bits;
    if (i->operands < 3 || i->operand[2].kind != PTX_IMMEDIATE ||
        (bytes != 4 && bytes != 8 && bytes != 16))
        return false;
    op->access.space = GPU_SPACE_GLOBAL;
    op->access.cache = i->cache == PTX_CG ? GPU_CACHE_GLOBAL : GPU_CACHE_ALL;
    op->access.bytes = op->access.element_bytes = (uint8_t)bytes;
    return true;
}

bool gpu_execute_memory(const struct ptx_instruction *i, struct gpu_op *op)
{
    memset(&op->access, 0, sizeof op->access);
    switch (i->op) {
    case PTX_LDMATRIX: return find_matrix(i, op);
    case PTX_CP_ASYNC: return find_copy(i, op);
    case PTX_ATOM: case PTX_RED:
        op->access.space = i->space;
        op->access.bytes = op->access.element_bytes = gpu_type_bytes[i->type[0]];
        op->access.cache = GPU_CACHE_VOLATILE;
        return gpu_atomic_find(i, op);
    default:
        return find_load(i, op);
    }
}
