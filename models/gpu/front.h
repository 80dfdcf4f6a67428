/* front.h - the chip's front end: takes launches in order, gives their blocks to SMs.
 *
 * Launches are one stream: each begins `next_us` after the last block of the one before has
 * ended.  Blocks go in order of their index to the SM with the fewest of this launch, as
 * many as fit (occupancy), one every `dispatch_cycles`; so that an SM whose block ends need
 * not wait for the way here and back, it keeps one dispatched block waiting.  But the last
 * blocks, as many as fit the chip, go only where there is a place.
 *
 * With sampling, a launch of many identical blocks is cut short when the time of a wave is
 * steady: the rest is reckoned, and said so (struct gpu_launch_times).
 *
 * Not modelled: concurrent kernels, priorities, preemption.
 */
#ifndef MODELS_GPU_FRONT_H
#define MODELS_GPU_FRONT_H

#include "models/gpu/launch.h"
#include "models/gpu/messages.h"

struct gpu_launch_times {
    tick_t   asked, start, end;     /* taken up; first block dispatched; last block done */
    uint64_t blocks, simulated;     /* fewer if sampled */
    tick_t   added;                 /* time of the blocks that were reckoned */
};

/* Everything is borrowed until gpu_front_free. */
struct gpu_front_config_run {
    const struct gpu_config *config;
    const struct gpu_launch *launches;
    const struct gpu_occupancy *occupancy;
    uint32_t     launch_count, sms;
    struct link *const *to_sm;      /* [sms] */
    struct link *from_sms;          /* senders: all SMs */
    bool         sample;
};

struct gpu_front;

struct gpu_front *gpu_front_new(const struct gpu_front_config_run *c);
void              gpu_front_free(struct gpu_front *f);
struct block      gpu_front_block(struct gpu_front *f);
struct gpu_launch_times gpu_front_times(const struct gpu_front *f, uint32_t launch);

#endif
