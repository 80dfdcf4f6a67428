/* hbm_column.h - the column commands of a channel: RD and WR.
 *
 * Not modelled here: the row commands that open what they need (hbm_channel.c).
 */
#ifndef MODELS_HBM_COLUMN_H
#define MODELS_HBM_COLUMN_H

#include "models/hbm/hbm_queue.h"

/* Works out the lane's next column command; CYCLE_NEVER if there is none. */
void hbm_column_find(const struct hbm_channel *c, struct hbm_lane *lane);

/* Does the column command of `first`, which is the earliest of the channel, and those of
 * all lanes that follow before `limit` as far as nothing has to be decided between them. */
void hbm_column_commands(struct hbm_channel *c, struct hbm_lane *first, cycle_t limit);

#endif
