/* tile.h - which lane holds which elements of a wmma fragment (m16n16k16).
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
 *     c, d of f16               eight columns of a row: 16 bytes, if in rows
 *     c, d of f32               as the PTX ISA has it for m8n8k4: pairs of columns
 */
#ifndef MODELS_GPU_TILE_H
#define MODELS_GPU_TILE_H

#include "models/gpu/ptx/ptx.h"

struct gpu_place { unsigned line, at; };

struct gpu_fragment {
    unsigned bytes, words;          /* of an element; registers of a lane */
    unsigned run;                   /* elements that lie together in memory: a piece */
    bool     is_b, rows;            /* lines are rows */
    struct gpu_place (*place)(const struct gpu_fragment *f, unsigned lane, unsigned element);
};

/* `which` is 'a' to 'd'; c and d in matrices are asked for in rows.  words 0: none such. */
struct gpu_fragment gpu_fragment(int which, unsigned ptx_type, bool rows);

#endif
