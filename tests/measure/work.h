/* work.h - launches of the model, put on a real card.
 *
 *     kernels, parameters, memory of the model --> modules, arenas on the card --> times
 *
 * An arena is a copy of the whole of the model's memory, from GPU_MEMORY_BASE on; addresses
 * in parameters are moved to it.  Several arenas let repetitions find their operands cold.
 */
#ifndef TESTS_MEASURE_WORK_H
#define TESTS_MEASURE_WORK_H

#include "models/gpu/launch.h"
#include "tests/measure/driver.h"

#define WORK_COPIES 64

struct work_loaded { void *module, *function; };

struct work {
    struct driver           *driver;
    const struct gpu_launch *launches;          /* borrowed */
    uint32_t                 launch_count;
    uint32_t                 address_params;    /* so many of the first parameters may be */
                                                /* addresses; all, until the caller says less */
    struct work_loaded      *loaded;            /* [launch_count] */
    device_address           arena[WORK_COPIES];
    uint32_t                 copies;
    uint64_t                 bytes;             /* of an arena */
};

struct work_time { double seconds, power_w, clock_mhz; };      /* negative: not told */

/* Loads the kernels and takes arenas, zeroed: as many as hold `spread` bytes together, at most
 * half of what the card has, at least one.  `memory` gets a last buffer, to know its end. */
void work_open(struct work *w, struct driver *driver, const struct gpu_launch *launches,
               uint32_t launch_count, struct gpu_memory *memory, uint64_t spread);
void work_close(struct work *w);

/* Where an address of the model lies in arena `copy`. */
device_address work_address(const struct work *w, uint64_t address, uint32_t copy);

void   work_launch(const struct work *w, uint32_t copy);            /* all of them, in order */
double work_seconds(const struct work *w, uint32_t repetitions);    /* of one */

/* Launches for about `seconds`, while the card is asked for power and clock. */
struct work_time work_watch(const struct work *w, double seconds);

#endif
