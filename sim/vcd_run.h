/* vcd_run.h - what a run's recorders kept, as waves (vcd.h).
 *
 *     scope     chip > core or SM > unit: load, mxu0, sub2, warp5
 *     state     of a STATE track: its name as text
 *     depth     of a LEVEL track, under the track's own name
 *     op, ...   of a WORK track: the trace op that it works for, and two numbers (record.h), by the
 *               names below; z where nothing is under way
 *
 *         load store matrix vector transpose link     operation (of the program)
 *         mxu0                                         operation, tile
 *         mxu0.weights                                 weights_operation, weights_tile
 *         warp5                                        launch, block
 *         warp5.op                                     ptx_line, operation (of the kernel)
 *
 * A STATE or LEVEL that the recording's limit has cut off is x from there on.
 *
 * Not drawn: amounts (L2, HBM, pipes), of which recorders keep sums only.
 */
#ifndef SIM_VCD_RUN_H
#define SIM_VCD_RUN_H

#include "sim/recording.h"

/* Sides of an experiment: the waves, and the save file, whose `arg` is the waves' file name. */
void vcd_run_write(const struct recorded *r, void *arg, FILE *out);
void vcd_run_write_save(const struct recorded *r, void *waves, FILE *out);

#endif
