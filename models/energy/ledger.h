/* ledger.h - what happened, when, and for whom: counts that become energy later.
 *
 * A block keeps one.  Each kind of event is counted three ways that always agree: in all,
 * for each group (trace op or fused ops), and in equal intervals of time, over which the
 * events of a tile or transfer are spread evenly.  Intervals double in length whenever the
 * run outgrows them, so a ledger's size does not depend on the run's.
 *
 * Counts are whole numbers; prices are not known here.
 *
 * Not modelled: how events bunch within a tile or transfer.
 */
#ifndef MODELS_ENERGY_LEDGER_H
#define MODELS_ENERGY_LEDGER_H

#include "models/block.h"

#define LEDGER_INTERVALS 1024
#define LEDGER_FIRST_INTERVAL (100 * TICKS_PER_NS)      /* doubled as needed */

struct ledger;

struct ledger *ledger_new(uint32_t kinds, uint32_t groups);
void           ledger_free(struct ledger *l);

/* `count` events from `start` up to `end`; start == end puts them at one moment. */
void ledger_add(struct ledger *l, uint32_t kind, uint32_t group, uint64_t count,
                tick_t start, tick_t end);

uint64_t ledger_total(const struct ledger *l, uint32_t kind);
uint64_t ledger_group(const struct ledger *l, uint32_t kind, uint32_t group);

/* Interval i is [i, i + 1) * ledger_interval.  Coarser by merging, never finer. */
tick_t   ledger_interval(const struct ledger *l);
uint32_t ledger_intervals(const struct ledger *l);      /* up to the last event */
void     ledger_coarsen(struct ledger *l, tick_t interval);
uint64_t ledger_at(const struct ledger *l, uint32_t kind, uint32_t interval);

#endif
