/* front_inside.h - what front.c and front_sample.c share. */
#ifndef MODELS_GPU_FRONT_INSIDE_H
#define MODELS_GPU_FRONT_INSIDE_H

#include "models/gpu/front.h"

/* When whole waves of blocks had ended: so many blocks as the chip holds at a time. */
struct front_waves {
    uint64_t blocks;            /* of a wave; 0: the launch is not sampled */
    uint32_t count, places;     /* ends known; room for them */
    tick_t  *end;               /* [places] end[0] is the launch's start */
};

void front_waves_begin(struct front_waves *w, tick_t start, uint64_t wave_blocks);

/* `done` blocks have ended, the last at `now`; `left` have not been dispatched.  Returns how
 * many of these need not be simulated, whole waves, and in `*added` their time.  Not 0 more
 * than once in a launch. */
uint64_t front_waves_skip(struct front_waves *w, uint64_t done, uint64_t left, tick_t now,
                          tick_t *added);

#endif
