/* recording.h - the recorders of a chip: made for its blocks, closed at the end of the run, and
 * handed to whoever draws what they hold (models/record.h).
 *
 * In the child process, for recorders are large: what is drawn is text by the time that it comes
 * to the parent (experiment.h, sides).
 */
#ifndef SIM_RECORDING_H
#define SIM_RECORDING_H

#include <jansson.h>

#include "models/gpu/lower.h"
#include "models/record.h"
#include "sim/gpu_chip.h"
#include "sim/tpu_chip.h"
#include "traces/trace.h"

/* What to keep. */
struct recording_ask {
    unsigned bins;              /* result: over_time, of at most so many; 0: not wanted */
    bool     entries, detail, no_levels;        /* as in record_config */
    tick_t   from, to;
    size_t   most;              /* entries of the chip, shared out evenly */
    unsigned every;             /* of each so many SMs one, from the first on, keeps entries; */
                                /* 0: as many as leave at most RECORDING_SMS */
};
#define RECORDING_SMS  8
#define RECORDING_BINS 200
#define RECORDING_MOST 400000
#define RECORDING_ASK { .to = TICK_NEVER, .most = RECORDING_MOST }

struct recording {
    struct recording_ask ask;
    uint32_t count;             /* blocks, in the order of the engine's */
    struct record **record;     /* of each; NULL: it has none */
};

/* After the chip was made, before it runs. */
struct recording *recording_tpu(struct tpu_chip *c, const struct recording_ask *a);
struct recording *recording_gpu(struct gpu_chip *c, const struct recording_ask *a);
/* Once, at the end of the run and after its result was made: then units have told all. */
void              recording_close(struct recording *x, tick_t end);
void              recording_free(struct recording *x);

/* A run that is over.  One of the chips is NULL. */
struct recorded {
    const struct tpu_chip  *tpu;
    const struct gpu_chip  *gpu;
    const struct gpu_plan  *gpu_plan;
    const struct trace     *trace;      /* NULL: a kernel */
    struct recording       *recording;  /* closed */
    const json_t           *result;
    tick_t                  end;
};

/* Entries that the limit left out, of all blocks, and when the first of them ended. */
uint64_t recording_left_out(const struct recording *x, tick_t *until);

#endif
