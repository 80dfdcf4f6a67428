/* execute_move.c - moving, packing and unpacking; special registers; generic addresses. */
#include "models/gpu/execute_inside.h"

GPU_OP1(move16, 32, 32, (uint16_t)a)

/* All words as they are, pairs of 32-bit elements included. */
static void move_words(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    uint32_t copy[8][GPU_LANES];
    unsigned words = op->dsts < 8 ? op->dsts : 8;
    for (unsigned i = 0; i < words; i++)
        memcpy(copy[i], gpu_source(w, op, i), sizeof copy[i]);
    for (unsigned i = 0; i < words; i++)
        gpu_put(w, op, i, mask, copy[i]);
}

static void move_word(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    uint32_t copy[GPU_LANES];
    memcpy(copy, gpu_source(w, op, 0), sizeof copy);
    gpu_put(w, op, 0, mask, copy);
}

static void move_predicate(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    uint32_t bits = op->psrc[0] != GPU_NO_PREDICATE ? gpu_predicate(w, op, 0)
                    : gpu_source(w, op, 0)[0]       ? UINT32_MAX : 0;
    gpu_put_predicate(w, op->pdst[0], mask, bits);
}

/* Elements of mode[0] bits into whole words, and back. */
static void pack(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    unsigned bits = op->mode[0], in_word = 32 / bits;
    uint32_t result[2][GPU_LANES] = { { 0 } };
    for (unsigned i = 0; i < op->srcs; i++) {
        const uint32_t *a = gpu_source(w, op, i);
        GPU_EACH_LANE(l)
            result[i / in_word][l] |= (a[l] & ((1u << bits) - 1)) << i % in_word * bits;
    }
    for (unsigned i = 0; i < op->dsts; i++)
        gpu_put(w, op, i, mask, result[i]);
}

static void unpack(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    unsigned bits = op->mode[0], in_word = 32 / bits;
    uint32_t copy[2][GPU_LANES], result[GPU_LANES];
    for (unsigned i = 0; i < op->srcs && i < 2; i++)
        memcpy(copy[i], gpu_source(w, op, i), sizeof copy[i]);
    for (unsigned i = 0; i < op->dsts; i++) {
        GPU_EACH_LANE(l)
            result[l] = copy[i / in_word][l] >> i % in_word * bits & ((1u << bits) - 1);
        gpu_put(w, op, i, mask, result);
    }
}

/* Special registers that differ by lane. */
static void thread_numbers(const struct gpu_warp *w, unsigned dimension, uint64_t out[GPU_LANES])
{
    const uint32_t *block = w->block->launch->block;
    uint32_t t = w->number * GPU_LANES;
    uint32_t at[3] = { t % block[0], t / block[0] % block[1], t / block[0] / block[1] };
    GPU_EACH_LANE(l) {
        out[l] = at[dimension];
        if (++at[0] == block[0]) {
            at[0] = 0;
            if (++at[1] == block[1]) {
                at[1] = 0;
                at[2]++;
            }
        }
    }
}

static uint64_t lane_special(enum ptx_special s, unsigned lane)
{
    uint32_t own = UINT32_C(1) << lane, below = own - 1;
    switch (s) {
    case PTX_S_LANEID:      return lane;
    case PTX_S_LANEMASK_EQ: return own;
    case PTX_S_LANEMASK_LE: return own | below;
    case PTX_S_LANEMASK_LT: return below;
    case PTX_S_LANEMASK_GE: return ~below;
    default:                return ~(own | below);      /* LANEMASK_GT */
    }
}

/* Those of the whole warp. */
static uint64_t warp_special(const struct gpu_warp *w, enum ptx_special s)
{
    const struct gpu_block *b = w->block;
    const struct gpu_launch *launch = b->launch;
    uint32_t threads = gpu_launch_threads(launch);
    switch (s) {
    case PTX_S_NTID_X: case PTX_S_NTID_Y: case PTX_S_NTID_Z:
        return launch->block[s - PTX_S_NTID_X];
    case PTX_S_CTAID_X: case PTX_S_CTAID_Y: case PTX_S_CTAID_Z:
        return b->at[s - PTX_S_CTAID_X];
    case PTX_S_NCTAID_X: case PTX_S_NCTAID_Y: case PTX_S_NCTAID_Z:
        return launch->grid[s - PTX_S_NCTAID_X];
    case PTX_S_WARPID:       return w->number;
    case PTX_S_NWARPID:      return (threads + GPU_LANES - 1) / GPU_LANES;
    case PTX_S_SMID:         return b->sm;
    case PTX_S_NSMID:        return b->sm_count;
    case PTX_S_CLOCK:        return (uint32_t)b->clock;
    case PTX_S_CLOCK_HI:     return b->clock >> 32;
    case PTX_S_CLOCK64:      return b->clock;
    case PTX_S_GLOBALTIMER:  return b->ns;
    case PTX_S_GLOBALTIMER_LO: return (uint32_t)b->ns;
    case PTX_S_GLOBALTIMER_HI: return b->ns >> 32;
    case PTX_S_DYNAMIC_SMEM: return launch->shared_bytes;
    case PTX_S_TOTAL_SMEM: case PTX_S_AGGREGATE_SMEM:
        return (uint64_t)launch->shared_bytes + w->kernel->shared_bytes;
    case PTX_S_WARP_SIZE:    return GPU_LANES;
    default:                 return 0;              /* GRIDID: all launches are of one; */
                                                    /* nothing is reserved, no graph runs */
    }
}

static void special(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    enum ptx_special s = (enum ptx_special)gpu_source(w, op, 0)[0];
    uint64_t value[GPU_LANES];
    if (s <= PTX_S_TID_Z) {
        thread_numbers(w, s - PTX_S_TID_X, value);
    } else if (s == PTX_S_LANEID || (s >= PTX_S_LANEMASK_EQ && s <= PTX_S_LANEMASK_GT)) {
        GPU_EACH_LANE(l)
            value[l] = lane_special(s, l);
    } else {
        uint64_t same = warp_special(w, s);
        GPU_EACH_LANE(l)
            value[l] = same;
    }
    if (op->dsts == 2) {
        gpu_put_wide(w, op, 0, mask, value);
        return;
    }
    uint32_t low[GPU_LANES];
    GPU_EACH_LANE(l)
        low[l] = (uint32_t)value[l];
    gpu_put(w, op, 0, mask, low);
}

static bool find_mov(const struct ptx_instruction *i, struct gpu_op *op)
{
    const struct ptx_operand *to = &i->operand[0], *from = &i->operand[1];
    unsigned bytes = gpu_type_bytes[i->type[0]];
    if (i->type[0] == PTX_PRED) {
        op->execute = move_predicate;
        return true;
    }
    if (from->kind == PTX_SPECIAL) {
        op->execute = special;
        return true;
    }
    if (to->kind == PTX_VECTOR_OF || from->kind == PTX_VECTOR_OF) {
        bool packs = from->kind == PTX_VECTOR_OF;
        uint32_t count = packs ? from->count : to->count;
        if (packs && to->kind == PTX_VECTOR_OF)
            return false;
        unsigned bits = count ? bytes * 8 / count : 0;
        op->mode[0] = (uint8_t)bits;
        op->execute = bits >= 32 ? move_words : packs ? pack : unpack;
        return bits == 8 || bits == 16 || bits == 32 || bits == 64;
    }
    op->execute = bytes > 4 ? move_words : bytes == 4 ? move_word : move16;
    return bytes >= 2;
}

/* Generic addresses: windows of the other spaces; global addresses are the same. */
GPU_OP1(from_shared, 64, 64, a + GPU_SHARED_WINDOW)
GPU_OP1(from_local, 64, 64, a + GPU_LOCAL_WINDOW)
GPU_OP1(from_const, 64, 64, a + GPU_CONST_WINDOW)
GPU_OP1(from_param, 64, 64, a + GPU_PARAM_WINDOW)
GPU_OP1(to_shared, 64, 64, a - GPU_SHARED_WINDOW)
GPU_OP1(to_local, 64, 64, a - GPU_LOCAL_WINDOW)
GPU_OP1(to_const, 64, 64, a - GPU_CONST_WINDOW)
GPU_OP1(to_param, 64, 64, a - GPU_PARAM_WINDOW)

static bool find_cvta(const struct ptx_instruction *i, struct gpu_op *op)
{
    uint8_t space = i->space != PTX_GENERIC ? i->space : i->to_space;
    bool to = PTX_HAS(i, TO);
    switch (space) {
    case PTX_GLOBAL: op->execute = move_words; break;
    case PTX_SHARED: op->execute = to ? to_shared : from_shared; break;
    case PTX_LOCAL:  op->execute = to ? to_local : from_local; break;
    case PTX_CONST:  op->execute = to ? to_const : from_const; break;
    case PTX_PARAM:  op->execute = to ? to_param : from_param; break;
    default:         return false;
    }
    return gpu_type_bytes[i->type[0]] == 8;
}

static void isspacep(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    GPU_TAKE_64(a, 0);
    uint32_t bits = 0;
    GPU_EACH_LANE(l)
        bits |= (uint32_t)(gpu_address_space(a[l]) == (enum gpu_space)op->mode[0]) << l;
    gpu_put_predicate(w, op->pdst[0], mask, bits);
}

bool gpu_execute_move(const struct ptx_instruction *i, struct gpu_op *op)
{
    switch (i->op) {
    case PTX_CVTA: return find_cvta(i, op);
    case PTX_MOV:  return find_mov(i, op);
    default:
        op->mode[0] = i->space;
        op->execute = isspacep;
        return true;
    }
}
