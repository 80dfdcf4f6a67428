/* tile.h - which lane holds which elements of a wmma fragment (m16n16k16; of tf32 m16n16k8).
 *
 * A line is what lies together in memory: a row where the text says .row, else a column.
 * Fragments a and b of f16 hold each element twice, as on Volta: octets of lanes (bits 2 and
 * 3 of the lane) own a quarter of the product, bits 0, 1 and 4 count in it:
 *
 *     a: rows    8 * bit 2 + 4 * bit 4 + bits 0-1       (M. Raihan et al., "Modeling deep
 *     b: columns 8 * bit 3 + 4 * bit 4 + bits 0-1        learning accelerator enabled GPUs")
 *
 *     a in rows, b in columns   a line a lane, in two pieces of 16 bytes
 *     a in columns, b in rows   the four lines k = bits 0-1 + 4 i: 8 bytes of each
 *     a, b of bf16              half a line, 16 bytes
 *     a, b of tf32 (m16n16k8)   16 bytes: half a line of 8, or a quarter of one of 16
 *     32 x 8 and 8 x 32         a lane has one of the 32 lines, or rows of sums; of the 8 each
 *                               is held four times (f16), or a quarter of one (bf16)
 *     c, d of f16               eight columns of a row: 16 bytes, if in rows
 *     c, d of f32               as the PTX ISA has it for m8n8k4: pairs of columns
 *
 * Not modelled: the places on chips after Volta, which nobody has published; values do not
 * depend on them, only how the pieces of wmma.load and wmma.store meet in memory.
 */
#ifndef MODELS_GPU_TILE_H
#define MODELS_GPU_TILE_H

#include <stdbool.h>

struct gpu_place { unsigned line, at; };

enum gpu_fragment_kind {
    GPU_NO_FRAGMENT, GPU_WHOLE_LINE, GPU_FOUR_LINES, GPU_HALF_LINE, GPU_HALF_OF_8, GPU_QUARTER_LINE,
    GPU_SUM_F16, GPU_SUM_F32, GPU_LONG, GPU_LONG_ACROSS, GPU_SHORT, GPU_SHORT_ACROSS,
    GPU_SHORT_QUARTER, GPU_SHORT_QUARTER_ACROSS
};

struct gpu_fragment {
    enum gpu_fragment_kind kind;
    unsigned bytes, words;          /* of an element; registers of a lane */
    unsigned run;                   /* elements that lie together in memory: a piece */
    bool     is_b, rows;            /* lines are rows */
};

/* Where an element of a lane is.  Inline: the loops over all of them know the kind. */
static inline struct gpu_place gpu_fragment_place(enum gpu_fragment_kind kind, bool is_b,
                                                  bool rows, unsigned lane, unsigned element)
{
    unsigned low = lane & 3, a = 8 * (lane >> 2 & 1), b = 8 * (lane >> 3 & 1);
    unsigned four = 4 * (lane >> 4 & 1), line = (is_b ? b : a) + four;
    unsigned row = a + four + low, column = b + element;
    switch (kind) {
    case GPU_WHOLE_LINE: return (struct gpu_place){ line + low, element };
    case GPU_FOUR_LINES: return (struct gpu_place){ low + 4 * (element / 4), line + element % 4 };
    case GPU_HALF_LINE:  return (struct gpu_place){ lane / 2, lane % 2 * 8 + element };
    case GPU_HALF_OF_8:  return (struct gpu_place){ lane / 2, lane % 2 * 4 + element };
    case GPU_QUARTER_LINE: return (struct gpu_place){ lane / 4, lane % 4 * 4 + element };
    case GPU_LONG:           return (struct gpu_place){ lane, element };
    case GPU_LONG_ACROSS:    return (struct gpu_place){ element, lane };
    case GPU_SHORT:          return (struct gpu_place){ lane % 8, element };
    case GPU_SHORT_ACROSS:   return (struct gpu_place){ element, lane % 8 };
    case GPU_SHORT_QUARTER:  return (struct gpu_place){ lane % 8, lane / 8 * 4 + element };
    case GPU_SHORT_QUARTER_ACROSS:
        return (struct gpu_place){ lane / 8 * 4 + element, lane % 8 };
    case GPU_SUM_F32:
        row = a + four + (lane & 1) + (element & 2);
        column = b + (element & 4) + (lane & 2) + (element & 1);
        break;
    case GPU_SUM_F16: case GPU_NO_FRAGMENT: break;
    }
    return rows ? (struct gpu_place){ row, column } : (struct gpu_place){ column, row };
}

/* `which` is 'a' to 'd'; c and d of a product are asked for in rows.  words 0: none such. */
struct gpu_fragment gpu_fragment(int which, unsigned ptx_type, bool rows);

#endif
