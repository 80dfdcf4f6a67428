/* compare_options.h - what a comparison was asked for beside its machines: of a header, of JSON, and
 * below the title of a picture.
 *
 *     { "inference": true, "batch": 64, "cores": 1, "precision": "highest", "clock_mhz": 1000,
 *       "exact": true, "sample": true, "ideal": [ "hbm" ], "set": [ "hbm.pin_gbps=3" ] }
 *
 * Only what was given is there, and changes a result.  A machine takes what means something to it
 * (train_machines.h).
 */
#ifndef SIM_COMPARE_OPTIONS_H
#define SIM_COMPARE_OPTIONS_H

#include "sim/run_options.h"
#include "traces/net.h"

/* A new reference; empty: nothing was. */
json_t *compare_options(const struct run_options *run, const struct net_options *net);

/* "--batch 64 --set hbm.pin_gbps=3", which the caller frees; "" of none, or of no object. */
char *compare_options_words(const json_t *options);

/* A line for people, where there are any. */
void compare_options_text(const json_t *options, FILE *out);

#endif
