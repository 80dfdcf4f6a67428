/* interpret.h - runs a launch for its values only: no time, no caches, block after block.
 *
 * The reference for the timed machine: both must leave the same bytes in memory wherever a
 * kernel is free of races.
 *
 * Not modelled: time (a clock counts operations); caches and the order of memory, so a kernel
 * that lacks a fence is right here; blocks side by side, so one that waits for a later one
 * never ends.
 */
#ifndef MODELS_GPU_INTERPRET_H
#define MODELS_GPU_INTERPRET_H

#include "models/gpu/memory.h"
#include "models/gpu/watch.h"

struct gpu_interpreted { uint64_t operations, macs; };      /* of warps; by tensor operations */

/* False with the reason in `d` (kernel, PTX line, block, warp, address): an access out of
 * bounds or not aligned, a barrier that not all threads reach, a trap, or more than
 * `operations` (0: no limit) executed.  `d->line` is the PTX line, `d->file` the kernel's. */
bool gpu_interpret(const struct gpu_config *c, const struct gpu_launch *l, struct gpu_memory *m,
                   uint64_t operations, struct gpu_interpreted *result, struct diag *d);

/* The same; notes in `watch` (NULL: not) what it says. */
bool gpu_interpret_watched(const struct gpu_config *c, const struct gpu_launch *l,
                           struct gpu_memory *m, uint64_t operations, struct gpu_watch *watch,
                           struct gpu_interpreted *result, struct diag *d);

#endif
