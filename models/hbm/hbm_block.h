/* hbm_block.h - a stack of HBM as a block: runs come in on a link, answers go out on links.
 *
 *     core 0 --\                        /--> answers to core 0
 *     core 1 ---+-- requests --> stack +---> answers to core 1
 *
 * A request is a `struct message` of kind HBM_READ_RUN or HBM_WRITE_RUN: address, bytes (up
 * to 4 KiB, within one such aligned block, in this stack), id, group.  The sender's number
 * on the request link says on which answer link its answer goes; the answer is the same
 * message.  A request is taken when the stack has a place for it; a sender that lacks
 * credits waits.  A sender must have reserved a place for the answer: an answer that finds
 * its link full waits here and holds up those behind it.
 */
#ifndef MODELS_HBM_BLOCK_H
#define MODELS_HBM_BLOCK_H

#include "models/hbm/hbm.h"
#include "models/link.h"

enum hbm_kind { HBM_READ_RUN, HBM_WRITE_RUN };

struct hbm_block;

/* Everything is borrowed but `config`; answers[s] is for sender s of `requests`, this block
 * being sender 0 of each. */
struct hbm_block *hbm_block_new(const char *name, const struct hbm_config *config,
                                const struct hbm_map *map, uint32_t groups,
                                struct link *requests, struct link *const *answers);
void              hbm_block_free(struct hbm_block *b);

struct block hbm_block_block(struct hbm_block *b);      /* for the engine */
struct hbm  *hbm_block_hbm(struct hbm_block *b);        /* for its counts, or its recorder */

#endif
