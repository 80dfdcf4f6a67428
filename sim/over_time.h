/* over_time.h - how busy the parts of a chip were over the time of a run: `over_time` of a
 * result (docs/results.md).
 *
 * Bins are equal but for the last, which ends with the run; there are at most as many as were
 * asked for.  What a recorder summed after the run's end (writes that were on their way) is in
 * the last bin, so that bins add up to what the recorders counted.
 */
#ifndef SIM_OVER_TIME_H
#define SIM_OVER_TIME_H

#include "sim/recording.h"

/* {"bin_s", "bins", "end_s", "classes": [...], "units": [...]}, each with its share of each bin;
 * at most so many bins. */
json_t *over_time_json(const struct recorded *r, unsigned bins);

#endif
