/* execute_lanes.c - what lanes of a warp, and warps at a barrier, tell each other.
 *
 * The lanes that take part are those that execute the operation: a mask that names others
 * (which the hardware would wait for) makes no difference.  A shuffle from a lane that does
 * not take part, which PTX leaves undefined, gives what that lane's register holds.
 */
#include "models/gpu/execute_inside.h"

/* The lane that `lane` reads from; itself, and not valid, if that is out of its segment. */
static inline int shuffle_from(uint8_t how, int lane, uint32_t b, uint32_t c, bool *valid)
{
    int segment = (int)(c >> 8 & 31), clamp = (int)(c & 31), by = (int)(b & 31);
    int most = (lane & segment) | (clamp & ~segment), from = lane;
    switch (how) {
    case PTX_F_UP:   from = lane - by; break;
    case PTX_F_DOWN: from = lane + by; break;
    case PTX_F_BFLY: from = lane ^ by; break;
    default:         from = (lane & segment) | (by & ~segment); break;
    }
    *valid = how == PTX_F_UP ? from >= most : from <= most;
    return *valid ? from : lane;
}

static void shfl(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    const uint32_t *a = gpu_source(w, op, 0), *b = gpu_source(w, op, 1);
    const uint32_t *c = gpu_source(w, op, 2);
    uint32_t result[GPU_LANES], bits = 0;
    for (int l = 0; l < GPU_LANES; l++) {
        bool valid;
        result[l] = a[shuffle_from(op->mode[0], l, b[l], c[l], &valid)];
        bits |= (uint32_t)valid << l;
    }
    gpu_put(w, op, 0, mask, result);
    gpu_put_predicate(w, op->pdst[0], mask, bits);
}

static void put_same(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask, uint32_t x)
{
    uint32_t result[GPU_LANES];
    GPU_EACH_LANE(l)
        result[l] = x;
    gpu_put(w, op, 0, mask, result);
}

static void vote(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    uint32_t bits = gpu_predicate(w, op, 0) & mask;
    bool yes = false;
    switch (op->mode[0]) {
    case PTX_F_BALLOT: put_same(w, op, mask, bits); return;
    case PTX_F_ALL:    yes = bits == mask; break;
    case PTX_F_ANY:    yes = bits != 0; break;
    default:           yes = bits == mask || !bits; break;      /* UNI */
    }
    gpu_put_predicate(w, op->pdst[0], mask, yes ? UINT32_MAX : 0);
}

/* The lanes of the mask that have the same value; .all: all of them, or none. */
static void match(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    const uint32_t *low = gpu_source(w, op, 0);
    const uint32_t *high = op->mode[1] ? gpu_source(w, op, 1) : low;
    uint32_t result[GPU_LANES] = { 0 }, all = 0;
    GPU_EACH_LANE(l) {
        for (unsigned o = 0; o < GPU_LANES; o++)
            if (low[o] == low[l] && high[o] == high[l])
                result[l] |= mask & UINT32_C(1) << o;
        if (mask >> l & 1 && result[l] == mask)
            all = UINT32_MAX;
    }
    if (op->mode[0] == PTX_F_ALL)
        GPU_EACH_LANE(l)
            result[l] = all & mask;
    gpu_put(w, op, 0, mask, result);
    gpu_put_predicate(w, op->pdst[0], mask, all);
}

static void active_mask(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    put_same(w, op, mask, mask);
}

static uint32_t reduced(uint8_t how, bool is_signed, uint32_t x, uint32_t y)
{
    bool below = is_signed ? (int32_t)x < (int32_t)y : x < y;
    switch (how) {
    case PTX_F_ADD: return x + y;
    case PTX_F_MIN: return below ? x : y;
    case PTX_F_MAX: return below ? y : x;
    case PTX_F_AND: return x & y;
    case PTX_F_OR:  return x | y;
    default:        return x ^ y;
    }
}

static void redux(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    const uint32_t *a = gpu_source(w, op, 0);
    unsigned first = (unsigned)__builtin_ctz(mask);
    uint32_t sum = a[first];
    for (unsigned l = first + 1; l < GPU_LANES; l++)
        if (mask >> l & 1)
            sum = reduced(op->mode[0], op->mode[1], sum, a[l]);
    put_same(w, op, mask, sum);
}

static void elect(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    unsigned leader = (unsigned)__builtin_ctz(mask);
    if (op->dsts)
        put_same(w, op, mask, leader);
    gpu_put_predicate(w, op->pdst[0], mask, UINT32_C(1) << leader);
}

/* An 8 x 8 matrix of halves, a row in four lanes, transposed. */
static void move_matrix(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    uint16_t x[8][8];
    uint32_t result[GPU_LANES];
    memcpy(x, gpu_source(w, op, 0), sizeof x);
    GPU_EACH_LANE(l)
        result[l] = x[l % 4 * 2][l / 4] | (uint32_t)x[l % 4 * 2 + 1][l / 4] << 16;
    gpu_put(w, op, 0, mask, result);
}

uint32_t gpu_warp_barrier_threads(const struct gpu_warp *w, const struct gpu_op *op)
{
    return op->srcs ? gpu_source(w, op, 0)[__builtin_ctz(w->active | UINT32_C(1) << 31)] : 0;
}

uint32_t gpu_warp_barrier_true(const struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    return op->psrc[0] == GPU_NO_PREDICATE
               ? 0 : (uint32_t)__builtin_popcount(gpu_predicate(w, op, 0) & mask);
}

void gpu_warp_barrier_result(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask,
                             uint32_t said_true, uint32_t came)
{
    switch (op->mode[0]) {
    case PTX_F_POPC: put_same(w, op, mask, said_true); break;
    case PTX_F_AND:
        gpu_put_predicate(w, op->pdst[0], mask, said_true == came ? UINT32_MAX : 0);
        break;
    case PTX_F_OR:
        gpu_put_predicate(w, op->pdst[0], mask, said_true ? UINT32_MAX : 0);
        break;
    default: break;                         /* no bar.red */
    }
}

static bool find_redux(const struct ptx_instruction *i, struct gpu_op *op)
{
    op->mode[1] = i->type[0] == PTX_S32;
    op->execute = redux;
    return i->type[0] == PTX_S32 || i->type[0] == PTX_U32 || i->type[0] == PTX_B32;
}

bool gpu_execute_lanes(const struct ptx_instruction *i, struct gpu_op *op)
{
    op->mode[0] = i->function;
    switch (i->op) {
    case PTX_SHFL:       op->execute = shfl; break;
    case PTX_VOTE:       op->execute = vote; break;
    case PTX_MATCH:
        op->mode[1] = i->type[0] == PTX_B64;
        op->execute = match;
        break;
    case PTX_ACTIVEMASK: op->execute = active_mask; break;
    case PTX_REDUX:      return find_redux(i, op);
    case PTX_ELECT:      op->execute = elect; break;
    case PTX_MOVMATRIX:  op->execute = move_matrix; break;
    default:             break;             /* BAR: the SM calls gpu_warp_barrier_... */
    }
    return true;
}
