/* messages.h - what SMs, L2 and the block scheduler say to each other in a struct message.
 *
 * SM to L2: one message a line (128 bytes).
 *     address  of the line                       id    the SM's slot: comes back
 *     bytes    sectors touched (bits 0-3), and for a write those fully written (bits 4-7),
 *              and for atomics the count of lanes (bits 8-13)
 *     group    the launch's                      kind  enum gpu_message, port: the SM's partition
 * L2 to SM: the same message back, when its data leave the slice; `port` now says where the
 * farthest of its sectors came from (enum gpu_from).
 *
 * With values, the data of slot `id` lie in the SM's own `struct gpu_payload`s: the SM writes
 * one before it sends, leaves it alone until the answer, and reads it after; in between it
 * is the slice's.  So no block touches what another may touch in the same window.
 *
 * Block scheduler to SM: FRONT_BLOCK, address: launch, id: block; back: SM_BLOCK_DONE.
 *
 * Not modelled: flits and the way through a network (a link has one latency and one rate);
 * requests for instructions, constants and page tables; several lines in one request.
 */
#ifndef MODELS_GPU_MESSAGES_H
#define MODELS_GPU_MESSAGES_H

#include "models/gpu/warp.h"
#include "models/link.h"

#define GPU_LINE 128            /* bytes of a message's line, whatever a cache's line is */
#define GPU_SECTOR 32

enum gpu_message {
    GPU_READ,                   /* sectors of a line */
    GPU_WRITE,
    GPU_REDUCE,                 /* atomics; the answer brings the old values */
    GPU_FRONT_BLOCK,            /* run this block */
    GPU_FRONT_LAUNCH,           /* a kernel begins: the L1 forgets */
    GPU_SM_BLOCK_DONE
};

enum gpu_from { GPU_FROM_L2, GPU_FROM_FAR, GPU_FROM_HBM };

#define GPU_TOUCHED(bytes) ((bytes) & 0xf)
#define GPU_WRITTEN(bytes) ((bytes) >> 4 & 0xf)
#define GPU_ATOMICS(bytes) ((bytes) >> 8 & 0x3f)

struct gpu_payload {
    uint8_t  data[GPU_LINE];            /* read, or to be written where `mask` says */
    uint64_t mask[GPU_LINE / 64];       /* a bit a byte */
    uint32_t atomics;                   /* of atomics: so many, in order of lanes */
    uint8_t  at[GPU_LANES];             /* where in the line each is */
    struct gpu_atomic atomic[GPU_LANES];
    uint8_t  old[GPU_LANES][8];
};

#endif
