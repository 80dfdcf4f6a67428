/* execute_tile.c - wmma.load and wmma.store: pieces of a matrix for each lane. */
#include "models/gpu/execute_inside.h"

#include <assert.h>

#include "models/gpu/tile.h"

struct gpu_fragment gpu_fragment(int which, unsigned ptx_type, bool rows)
{
    struct gpu_fragment f = { .rows = rows, .is_b = which == 'b', .bytes = 2 };
    bool is_sum = which == 'c' || which == 'd', along = rows != f.is_b;
    if (is_sum && ptx_type == PTX_F32) {
        f.bytes = 4;
        f.words = 8;
        f.run = rows ? 2 : 1;
        f.kind = GPU_SUM_F32;
    } else if (is_sum && ptx_type == PTX_F16) {
        f.words = 4;
        f.run = rows ? 8 : 1;
        f.kind = GPU_SUM_F16;
    } else if (!is_sum && ptx_type == PTX_F16) {
        f.words = 8;
        f.run = along ? 8 : 4;
        f.kind = along ? GPU_WHOLE_LINE : GPU_FOUR_LINES;
    } else if (!is_sum && ptx_type == PTX_BF16) {
        f.words = 4;
        f.run = 8;
        f.kind = GPU_HALF_LINE;
    } else if (!is_sum && ptx_type == PTX_TF32) {
        f.bytes = 4;
        f.words = 4;
        f.run = 4;
        f.kind = along ? GPU_HALF_OF_8 : GPU_QUARTER_LINE;
    }
    return f;
}

/* Of a product of 32 x 8 (rows_32) or 8 x 32. */
static struct gpu_fragment long_fragment(int which, unsigned ptx_type, bool rows, bool rows_32)
{
    bool is_sum = which == 'c' || which == 'd', is_b = which == 'b', bf16 = ptx_type == PTX_BF16;
    bool is_long = is_sum || is_b != rows_32, along = is_sum ? rows == rows_32 : rows != is_b;
    struct gpu_fragment f = { .rows = rows, .is_b = is_b, .bytes = ptx_type == PTX_F32 ? 4 : 2 };
    if (ptx_type != PTX_F16 && ptx_type != (is_sum ? PTX_F32 : PTX_BF16))
        return f;
    unsigned elements = is_sum ? 8 : is_long || !bf16 ? 16 : 4;
    f.words = elements * f.bytes / 4;
    f.run = !along ? 1 : elements * f.bytes > 16 ? 16 / f.bytes : elements;
    f.kind = is_long ? along ? GPU_LONG : GPU_LONG_ACROSS
           : bf16 ? along ? GPU_SHORT_QUARTER : GPU_SHORT_QUARTER_ACROSS
                  : along ? GPU_SHORT : GPU_SHORT_ACROSS;
    return f;
}

/* As mode[GPU_MODE_TILE]: never 0. */
enum { TILE = 0x80, ROWS = 0x40, WHICH = 0x30, LONG = 0x08, ROWS_32 = 0x04, TYPE = 0x03 };
static const uint8_t types[] = { PTX_F32, PTX_F16, PTX_BF16, PTX_TF32 };

static uint8_t to_mode(const struct ptx_instruction *i)
{
    enum ptx_type type = i->type[0];
    unsigned t = 0;
    while (types[t] != type)
        t++;
    return (uint8_t)(TILE | (i->row_a ? ROWS : 0) | (unsigned)(i->fragment - 'a') << 4
                     | (i->m == i->n ? 0 : LONG) | (i->m == 32 ? ROWS_32 : 0) | t);
}

static struct gpu_fragment from_mode(uint8_t mode)
{
    int which = 'a' + ((mode & WHICH) >> 4);
    return mode & LONG
         ? long_fragment(which, types[mode & TYPE], mode & ROWS, mode & ROWS_32)
         : gpu_fragment(which, types[mode & TYPE], mode & ROWS);
}

static struct gpu_fragment fragment_of(const struct ptx_instruction *i)
{
    bool is_sum = i->fragment == 'c' || i->fragment == 'd';
    bool depth = i->k == (i->type[0] == PTX_TF32 ? 8 : 16) || (is_sum && i->type[0] == PTX_F32);
    if (i->m != i->n && i->k == 16)
        return long_fragment(i->fragment, i->type[0], i->row_a, i->m == 32);
    bool right = i->m == 16 && i->n == 16 && depth &&
                 (i->op == PTX_WMMA_LOAD || i->op == PTX_WMMA_STORE);
    return right ? gpu_fragment(i->fragment, i->type[0], i->row_a) : (struct gpu_fragment){ 0 };
}

static uint32_t elements(const struct gpu_fragment *f) { return f->words * 4 / f->bytes; }

uint32_t gpu_execute_wmma_parts(const struct ptx_instruction *i)
{
    struct gpu_fragment f = fragment_of(i);
    return f.words ? elements(&f) / f.run : 0;
}

struct gpu_wmma_part gpu_execute_wmma_part(const struct ptx_instruction *i, uint32_t part,
                                           struct gpu_op *op)
{
    struct gpu_fragment f = fragment_of(i);
    assert(part < gpu_execute_wmma_parts(i));
    uint32_t element = part * f.run, bytes = f.run * f.bytes;
    op->execute = NULL;
    memset(op->mode, 0, sizeof op->mode);
    op->mode[GPU_MODE_TILE] = to_mode(i);
    op->mode[GPU_MODE_PART] = (uint8_t)part;
    if (bytes < 4)
        op->mode[GPU_MODE_HALF] = (uint8_t)(1 + element % 2);
    op->access = (struct gpu_access){
        .space = i->space, .bytes = (uint8_t)bytes, .element_bytes = bytes < 4 ? 2 : 4,
    };
    return (struct gpu_wmma_part){ element * f.bytes / 4, bytes < 4 ? 1 : bytes / 4 };
}

/* With the kind known, places are a few masks and shifts of all lanes at once. */
GPU_INLINE void add_places(uint64_t address[GPU_LANES], enum gpu_fragment_kind kind,
                           const struct gpu_fragment *f, unsigned element,
                           const uint32_t *stride)
{
    bool is_b = f->is_b, rows = f->rows;
    uint32_t bytes = f->bytes;
    GPU_EACH_LANE(l) {
        struct gpu_place p = gpu_fragment_place(kind, is_b, rows, l, element);
        address[l] += bytes * ((uint64_t)stride[l] * p.line + p.at);
    }
}

GPU_WIDE static void add_kind(uint64_t address[GPU_LANES], const struct gpu_fragment *f,
                              unsigned element, const uint32_t *stride)
{
    switch (f->kind) {
#define ADD(kind) case kind: add_places(address, kind, f, element, stride); break
    ADD(GPU_WHOLE_LINE);
    ADD(GPU_FOUR_LINES);
    ADD(GPU_HALF_LINE);
    ADD(GPU_HALF_OF_8);
    ADD(GPU_QUARTER_LINE);
    ADD(GPU_SUM_F16);
    ADD(GPU_SUM_F32);
    ADD(GPU_LONG);
    ADD(GPU_LONG_ACROSS);
    ADD(GPU_SHORT);
    ADD(GPU_SHORT_ACROSS);
    ADD(GPU_SHORT_QUARTER);
    ADD(GPU_SHORT_QUARTER_ACROSS);
#undef ADD
    case GPU_NO_FRAGMENT: break;
    }
}

void gpu_tile_addresses(const struct gpu_warp *w, const struct gpu_op *op,
                        uint64_t address[GPU_LANES])
{
    struct gpu_fragment f = from_mode(op->mode[GPU_MODE_TILE]);
    add_kind(address, &f, op->mode[GPU_MODE_PART] * f.run,
             gpu_source(w, op, op->access.address_at + op->access.address_words));
}
