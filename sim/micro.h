/* micro.h - latencies, rates and bandwidths of a GPU's single units, by micro-kernels.
 *
 * A quantity is one or two launches of models/gpu/kernels/micro.cu and what is made of their
 * times.  Where they run is the caller's: on the model (validate_micro.c), or on a real card
 * (tests/measure), which then does exactly the same.
 *
 * A latency is of a chain of dependent operations, over their number, by the clock that the
 * first thread read; a rate is of all warps of an SM, a bandwidth of the whole chip, each by
 * the difference of two launches, so that how a launch begins and ends drops out.
 */
#ifndef SIM_MICRO_H
#define SIM_MICRO_H

#include "models/gpu/launch.h"
#include "sim/figures.h"

/* One launch.  Its memory is as a kernel shall find it, caches cold. */
struct micro_launch {
    struct gpu_launch  launch;
    struct gpu_memory *memory;
    uint64_t sink, cycles;          /* addresses: a word a thread; 8 bytes a block */
    uint32_t address_params;        /* so many of the first parameters are addresses */
    uint64_t ring, places, apart;   /* `places` addresses in memory itself, so far apart */
};

struct micro_time { double cycles, seconds; };      /* of block 0; of the launch */

/* Where launches run. */
struct micro_place {
    const struct figures *figures;  /* clock_mhz: the one that it really has */
    uint32_t longer;                /* 1, or so many times the loops and bytes: a card's events */
                                    /* are coarser than cycles, and it is never quite alone */
    bool   (*run)(const struct micro_place *p, const struct micro_launch *l,
                  struct micro_time *t, struct diag *d);
    void    *self;                  /* of `run` */
};

struct micro_quantity {
    const char *name, *unit, *note;
    double    (*run)(const struct micro_place *p, struct diag *d);      /* NAN: it failed */
    enum gpu_generation since;      /* that has the operation */
    bool        model_only;         /* it changes the machine */
};

extern const struct micro_quantity micro_quantities[];
extern const size_t micro_quantity_count;

/* NULL: there is none of that name. */
const struct micro_quantity *micro_find(const char *name);

/* A place on the model of `f`. */
struct micro_place micro_on_model(const struct figures *f);

#endif
