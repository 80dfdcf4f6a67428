/* execute_tensor.c - mma and wmma.mma: fragments to matrices, the product, and back.
 *
 * In an mma's fragments lane l = 4 g + t holds, in each register, some neighbours of row g
 * (of a and d) or column g (of b): taken over all lanes a register of a is a block of 8 rows,
 * one after the other, and that of b one of 8 columns.
 *
 * wmma leaves its fragments to the machine: see execute_tile.c.
 */
#include "models/gpu/execute_inside.h"

#include "models/gpu/tensor.h"
#include "models/gpu/tile.h"
#include "models/numerics/half.h"

/* mode: the type of a and b; k; what c and d are; of wmma the layouts of a and b. */
enum { TYPE, K, SUMS, LAYOUT };
enum { C_HALF = 1, D_HALF = 2 };
enum { A_ROW = 1, B_ROW = 2, ROWS_32 = 4 };

/* A register of all lanes as f32: two halves of a lane, or one tf32.  The low 13 bits of a
 * tf32 do not reach the multiplier. */
GPU_WIDE static void widen_f16(float to[64], const uint32_t *from)
{
    uint16_t half[64];
    memcpy(half, from, sizeof half);
    for (unsigned i = 0; i < 64; i++)
        to[i] = half_to_f32(half[i]);
}

GPU_WIDE static void widen_bf16(float to[64], const uint32_t *from)
{
    uint16_t half[64];
    memcpy(half, from, sizeof half);
    for (unsigned i = 0; i < 64; i++)
        to[i] = half_bf16_to_f32(half[i]);
}

GPU_WIDE static void widen_tf32(float to[32], const uint32_t *from)
{
    for (unsigned i = 0; i < 32; i++)
        to[i] = f32_from_bits(from[i] & 0xffffe000);
}

/* Returns how many neighbours of a row are in a register of four lanes: 8 or 4. */
static unsigned widen(float to[64], const uint32_t *from, uint8_t type)
{
    if (type == PTX_TF32) {
        widen_tf32(to, from);
        return 4;
    }
    if (type == PTX_BF16)
        widen_bf16(to, from);
    else
        widen_f16(to, from);
    return 8;
}

static unsigned take_a(struct gpu_tile *t, const struct gpu_warp *w, const struct gpu_op *op)
{
    unsigned k = op->mode[K], in_register = op->mode[TYPE] == PTX_TF32 ? 4 : 8;
    unsigned registers = 2 * k / in_register;
    for (unsigned r = 0; r < registers; r++) {
        float x[64];
        widen(x, gpu_source(w, op, r), op->mode[TYPE]);
        for (unsigned i = 0; i < 8; i++)
            memcpy(&t->a[i + 8 * (r & 1)][r / 2 * in_register], &x[i * in_register],
                   in_register * sizeof *x);
    }
    return registers;
}

static unsigned take_b(struct gpu_tile *t, const struct gpu_warp *w, const struct gpu_op *op,
                       unsigned at)
{
    unsigned k = op->mode[K], in_register = op->mode[TYPE] == PTX_TF32 ? 4 : 8;
    for (unsigned r = 0; r < k / in_register; r++) {
        float x[64];
        widen(x, gpu_source(w, op, at + r), op->mode[TYPE]);
        for (unsigned n = 0; n < 8; n++)
            for (unsigned i = 0; i < in_register; i++)
                t->b[r * in_register + i][n] = x[n * in_register + i];
    }
    return at + k / in_register;
}

/* c and d: f32 in four registers, or halves in two; rows g and g + 8, columns 2 t and next. */
static void take_c(struct gpu_tile *t, const struct gpu_warp *w, const struct gpu_op *op,
                   unsigned at)
{
    for (unsigned half = 0; half < 2; half++) {
        if (op->mode[SUMS] & C_HALF) {
            float x[64];
            widen_f16(x, gpu_source(w, op, at + half));
            for (unsigned g = 0; g < 8; g++)
                memcpy(t->d[g + 8 * half], &x[8 * g], 8 * sizeof *x);
            continue;
        }
        const uint32_t *even = gpu_source(w, op, at + 2 * half);
        const uint32_t *odd = gpu_source(w, op, at + 2 * half + 1);
        GPU_EACH_LANE(l) {
            t->d[l / 4 + 8 * half][l % 4 * 2] = f32_from_bits(even[l]);
            t->d[l / 4 + 8 * half][l % 4 * 2 + 1] = f32_from_bits(odd[l]);
        }
    }
}

static void put_d(const struct gpu_tile *t, const struct gpu_warp *w, const struct gpu_op *op,
                  uint32_t mask)
{
    for (unsigned half = 0; half < 2; half++) {
        uint32_t even[GPU_LANES], odd[GPU_LANES];
        GPU_EACH_LANE(l) {
            even[l] = f32_bits(t->d[l / 4 + 8 * half][l % 4 * 2]);
            odd[l] = f32_bits(t->d[l / 4 + 8 * half][l % 4 * 2 + 1]);
        }
        if (op->mode[SUMS] & D_HALF) {
            GPU_EACH_LANE(l)
                even[l] = half_from_f32(f32_from_bits(even[l]), GPU_F16_NAN) |
                          half_from_f32(f32_from_bits(odd[l]), GPU_F16_NAN) << 16;
            gpu_put(w, op, half, mask, even);
        } else {
            gpu_put(w, op, 2 * half, mask, even);
            gpu_put(w, op, 2 * half + 1, mask, odd);
        }
    }
}

static void mma(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    struct gpu_tile t;
    unsigned at = take_a(&t, w, op);
    at = take_b(&t, w, op, at);
    take_c(&t, w, op, at);
    struct gpu_tensor_form f =
        gpu_tensor_form(w->kernel->generation, 8, op->mode[K], op->mode[TYPE] == PTX_TF32,
                        op->mode[SUMS] & D_HALF);
    gpu_tensor_multiply(&t, &f);
    put_d(&t, w, op, mask);
}

/* Eight-bit integers: four in a register of a lane.  mode[SUMS]: what is signed; saturate. */
enum { A_SIGNED = 1, B_SIGNED = 2, SATURATE = 4 };

static int32_t element(const struct gpu_warp *w, const struct gpu_op *op, unsigned source,
                       unsigned lane, unsigned i, bool is_signed)
{
    uint32_t byte = gpu_source(w, op, source)[lane] >> 8 * i & 0xff;
    return is_signed ? (int8_t)byte : (int32_t)byte;
}

static void mma_integer(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    unsigned k = op->mode[K], a_words = k / 8, b_words = k / 16;
    uint32_t result[4][GPU_LANES];
    for (unsigned i = 0; i < 4; i++)
        GPU_EACH_LANE(l) {
            unsigned row = l / 4 + 8 * (i / 2), column = l % 4 * 2 + i % 2;
            int64_t sum = (int32_t)gpu_source(w, op, a_words + b_words + i)[l];
            for (unsigned x = 0; x < k; x++) {
                unsigned from = x % 16 / 4, block = x / 16;
                sum += element(w, op, 2 * block + row / 8, row % 8 * 4 + from, x % 4,
                               op->mode[SUMS] & A_SIGNED) *
                       element(w, op, a_words + block, column * 4 + from, x % 4,
                               op->mode[SUMS] & B_SIGNED);
            }
            if (op->mode[SUMS] & SATURATE)
                sum = sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum;
            result[i][l] = (uint32_t)sum;
        }
    for (unsigned i = 0; i < 4; i++)
        gpu_put(w, op, i, mask, result[i]);
}

/* wmma: any fragment by the place of each of its elements, a whole register of all lanes at
 * a time; the kind is known where these are inlined.  Of elements that two lanes have, one
 * is taken. */
GPU_INLINE void scatter(float to[GPU_TILE][GPU_TILE], const float *x, unsigned element,
                        unsigned step, const struct gpu_fragment *f, enum gpu_fragment_kind kind,
                        bool across)
{
    bool twice = kind == GPU_WHOLE_LINE || kind == GPU_FOUR_LINES;
    unsigned copy = !twice ? 0 : f->is_b ? 4 : 8;
    for (unsigned lane = 0; lane < GPU_LANES; lane++) {
        if (lane & copy)
            continue;
        for (unsigned i = 0; i < step; i++) {
            struct gpu_place p = gpu_fragment_place(kind, f->is_b, f->rows, lane, element + i);
            float *at = across ? &to[p.at][p.line] : &to[p.line][p.at];
            *at = x[lane * step + i];
        }
    }
}

static void take_fragment(float to[GPU_TILE][GPU_TILE], bool across, const struct gpu_warp *w,
                          const struct gpu_op *op, unsigned at, const struct gpu_fragment *f)
{
    for (unsigned r = 0; r < f->words; r++) {
        const uint32_t *word = gpu_source(w, op, at + r);
        float x[64];
        if (f->bytes == 2)
            widen(x, word, op->mode[TYPE]);
        else if (f->kind != GPU_SUM_F32)
            widen_tf32(x, word);
        else
            memcpy(x, word, GPU_LANES * sizeof *x);
        switch (f->kind) {
        case GPU_WHOLE_LINE: scatter(to, x, 2 * r, 2, f, GPU_WHOLE_LINE, across); break;
        case GPU_FOUR_LINES: scatter(to, x, 2 * r, 2, f, GPU_FOUR_LINES, across); break;
        case GPU_HALF_LINE:  scatter(to, x, 2 * r, 2, f, GPU_HALF_LINE, across); break;
        case GPU_HALF_OF_8:  scatter(to, x, r, 1, f, GPU_HALF_OF_8, across); break;
        case GPU_QUARTER_LINE: scatter(to, x, r, 1, f, GPU_QUARTER_LINE, across); break;
        case GPU_SUM_F16:    scatter(to, x, 2 * r, 2, f, GPU_SUM_F16, across); break;
        case GPU_SUM_F32:    scatter(to, x, r, 1, f, GPU_SUM_F32, across); break;
        default: break;             /* none of 16 x 16 */
        }
    }
}

GPU_INLINE void gather(float *x, const float from[GPU_TILE][GPU_TILE], unsigned element,
                       unsigned step, enum gpu_fragment_kind kind)
{
    GPU_EACH_LANE(l)
        for (unsigned i = 0; i < step; i++) {
            struct gpu_place p = gpu_fragment_place(kind, false, true, l, element + i);
            x[l * step + i] = from[p.line][p.at];
        }
}

static void put_fragment(const struct gpu_tile *t, const struct gpu_warp *w,
                         const struct gpu_op *op, uint32_t mask, const struct gpu_fragment *f)
{
    for (unsigned r = 0; r < f->words; r++) {
        uint32_t result[GPU_LANES];
        float x[64];
        if (f->kind == GPU_SUM_F32) {
            gather(x, t->d, r, 1, GPU_SUM_F32);
            memcpy(result, x, sizeof result);
        } else {
            gather(x, t->d, 2 * r, 2, GPU_SUM_F16);
            GPU_EACH_LANE(l)
                result[l] = half_from_f32(x[2 * l], GPU_F16_NAN) |
                            half_from_f32(x[2 * l + 1], GPU_F16_NAN) << 16;
        }
        gpu_put(w, op, r, mask, result);
    }
}

static void wmma(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    bool a_row = op->mode[LAYOUT] & A_ROW, b_row = op->mode[LAYOUT] & B_ROW;
    struct gpu_fragment a = gpu_fragment('a', op->mode[TYPE], a_row);
    struct gpu_fragment b = gpu_fragment('b', op->mode[TYPE], b_row);
    struct gpu_fragment c = gpu_fragment('c', op->mode[SUMS] & C_HALF ? PTX_F16 : PTX_F32, true);
    struct gpu_fragment d = gpu_fragment('d', op->mode[SUMS] & D_HALF ? PTX_F16 : PTX_F32, true);
    struct gpu_tile t;
    /* A line of memory is a row of the matrix where the layout says row. */
    take_fragment(t.a, !a_row, w, op, 0, &a);
    take_fragment(t.b, !b_row, w, op, a.words, &b);
    take_fragment(t.d, false, w, op, a.words + b.words, &c);
    struct gpu_tensor_form f =
        gpu_tensor_form(w->kernel->generation, GPU_TILE, op->mode[K], op->mode[TYPE] == PTX_TF32,
                        op->mode[SUMS] & D_HALF);
    gpu_tensor_multiply(&t, &f);
    put_fragment(&t, w, op, mask, &d);
}

/* 32 x 8, and 8 x 32 turned over: products are the same either way, and so is the order of k.
 * A lane has a row of the long operand and of the sums; see tile.h. */
struct long_tile { float a[32][GPU_TILE], b[GPU_TILE][8], d[32][8]; };

static void take_long(struct long_tile *t, const struct gpu_warp *w, const struct gpu_op *op,
                      unsigned long_at, unsigned short_at, unsigned short_words)
{
    float x[64];
    for (unsigned r = 0; r < 8; r++) {
        widen(x, gpu_source(w, op, long_at + r), op->mode[TYPE]);
        GPU_EACH_LANE(l)
            memcpy(&t->a[l][2 * r], &x[2 * l], 2 * sizeof *x);
    }
    for (unsigned r = 0; r < short_words; r++) {
        widen(x, gpu_source(w, op, short_at + r), op->mode[TYPE]);
        GPU_EACH_LANE(l)
            for (unsigned i = 0; i < 2; i++)
                t->b[(short_words == 2 ? l / 8 * 4 : 0) + 2 * r + i][l % 8] = x[2 * l + i];
    }
}

static void take_long_sums(struct long_tile *t, const struct gpu_warp *w, const struct gpu_op *op,
                           unsigned at)
{
    float x[64];
    for (unsigned j = 0; j < 8; j++) {
        if (op->mode[SUMS] & C_HALF) {
            widen_f16(x, gpu_source(w, op, at + j / 2));
            GPU_EACH_LANE(l)
                t->d[l][j] = x[2 * l + j % 2];
        } else {
            const uint32_t *word = gpu_source(w, op, at + j);
            GPU_EACH_LANE(l)
                t->d[l][j] = f32_from_bits(word[l]);
        }
    }
}

static void put_long_sums(const struct long_tile *t, const struct gpu_warp *w,
                          const struct gpu_op *op, uint32_t mask)
{
    bool half = op->mode[SUMS] & D_HALF;
    for (unsigned j = 0; j < 8; j += 1 + half) {
        uint32_t result[GPU_LANES];
        GPU_EACH_LANE(l)
            result[l] = !half ? f32_bits(t->d[l][j])
                              : half_from_f32(t->d[l][j], GPU_F16_NAN) |
                                half_from_f32(t->d[l][j + 1], GPU_F16_NAN) << 16;
        gpu_put(w, op, half ? j / 2 : j, mask, result);
    }
}

static void wmma_long(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    struct long_tile t;
    bool rows_32 = op->mode[LAYOUT] & ROWS_32;
    unsigned short_words = op->mode[TYPE] == PTX_BF16 ? 2 : 8;
    take_long(&t, w, op, rows_32 ? 0 : short_words, rows_32 ? 8 : 0, short_words);
    take_long_sums(&t, w, op, 8 + short_words);
    struct gpu_tensor_form f = gpu_tensor_form(w->kernel->generation, 8, GPU_TILE, false,
                                               op->mode[SUMS] & D_HALF);
    for (unsigned first = 0; first < 32; first += GPU_TILE) {
        struct gpu_tile part;
        memcpy(part.a, t.a[first], sizeof part.a);
        for (unsigned i = 0; i < GPU_TILE; i++) {
            memcpy(part.b[i], t.b[i], sizeof t.b[i]);
            memcpy(part.d[i], t.d[first + i], sizeof t.d[0]);
        }
        gpu_tensor_multiply(&part, &f);
        for (unsigned i = 0; i < GPU_TILE; i++)
            memcpy(t.d[first + i], part.d[i], sizeof t.d[0]);
    }
    put_long_sums(&t, w, op, mask);
}

unsigned gpu_tensor_words(const struct gpu_op *op)
{
    unsigned k = op->mode[K];
    if (op->execute == wmma)
        return gpu_fragment('a', op->mode[TYPE], op->mode[LAYOUT] & A_ROW).words
             + gpu_fragment('b', op->mode[TYPE], op->mode[LAYOUT] & B_ROW).words;
    if (op->execute == wmma_long)
        return 8 + (op->mode[TYPE] == PTX_BF16 ? 2 : 8);
    if (op->execute == mma_integer)
        return k / 8 + k / 16;
    return op->mode[TYPE] == PTX_TF32 ? k / 2 + k / 4 : k / 4 + k / 8;
}

static bool find_integer(const struct ptx_instruction *i, struct gpu_op *op)
{
    bool a = i->type[1] == PTX_S8, b = i->type[2] == PTX_S8;
    op->mode[SUMS] = (uint8_t)((a ? A_SIGNED : 0) | (b ? B_SIGNED : 0) |
                               (PTX_HAS(i, SATFINITE) ? SATURATE : 0));
    op->execute = mma_integer;
    return i->type[0] == PTX_S32 && i->type[3] == PTX_S32 && (a || i->type[1] == PTX_U8) &&
           (b || i->type[2] == PTX_U8) && (i->k == 16 || i->k == 32);
}

static bool find_mma(const struct ptx_instruction *i, struct gpu_op *op)
{
    enum ptx_type d = i->type[0], a = i->type[1], b = i->type[2], c = i->type[3];
    if (i->m != 16 || i->n != 8 || !i->row_a || i->row_b)
        return false;
    op->mode[TYPE] = (uint8_t)a;
    op->mode[K] = i->k;
    if (d == PTX_S32)
        return find_integer(i, op);
    bool halves = c == PTX_F16 || d == PTX_F16;
    op->mode[SUMS] = (uint8_t)((c == PTX_F16 ? C_HALF : 0) | (d == PTX_F16 ? D_HALF : 0));
    op->execute = mma;
    if (a != b || (c != PTX_F32 && c != PTX_F16) || (d != PTX_F32 && d != PTX_F16))
        return false;
    switch (a) {
    case PTX_F16:  return i->k == 8 || i->k == 16;
    case PTX_BF16: return (i->k == 8 || i->k == 16) && !halves;
    case PTX_TF32: return (i->k == 4 || i->k == 8) && !halves;
    default:       return false;
    }
}

/* The types of the text: d and c of f16 products, d, a, b, c of others. */
static bool find_wmma(const struct ptx_instruction *i, struct gpu_op *op)
{
    bool two = i->type[2] == PTX_NONE;
    enum ptx_type d = i->type[0], c = two ? i->type[1] : i->type[3];
    enum ptx_type a = two ? PTX_F16 : i->type[1];
    op->mode[TYPE] = (uint8_t)a;
    op->mode[K] = i->k;
    op->mode[SUMS] = (uint8_t)((c == PTX_F16 ? C_HALF : 0) | (d == PTX_F16 ? D_HALF : 0));
    op->mode[LAYOUT] = (uint8_t)((i->row_a ? A_ROW : 0) | (i->row_b ? B_ROW : 0));
    bool is_long = i->m != i->n;
    op->mode[LAYOUT] |= i->m == 32 ? ROWS_32 : 0;
    op->execute = is_long ? wmma_long : wmma;
    bool sums = (c == PTX_F32 || c == PTX_F16) && (d == PTX_F32 || d == PTX_F16);
    bool types = a == PTX_F16 || ((a == PTX_BF16 || a == PTX_TF32) && c == PTX_F32 && d == PTX_F32);
    bool shape = is_long ? i->k == 16 && a != PTX_TF32
                         : i->m == 16 && i->k == (a == PTX_TF32 ? 8 : 16);
    return shape && sums && types && !PTX_HAS(i, SATFINITE);
}

bool gpu_execute_tensor(const struct ptx_instruction *i, struct gpu_op *op)
{
    return i->op == PTX_WMMA_MMA ? find_wmma(i, op) : find_mma(i, op);
}
