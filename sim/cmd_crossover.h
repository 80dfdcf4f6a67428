/* cmd_crossover.h - simaccel compare FILE --over ...: the crossover map (crossover.h). */
#ifndef SIM_CMD_CROSSOVER_H
#define SIM_CMD_CROSSOVER_H

#include "sim/run_options.h"
#include "sim/sweep_axis.h"
#include "traces/net.h"

/* What was asked for; all is borrowed, and its files have been checked (output_check). */
struct crossover_asked {
    const char              *file, *results, *json, *csv, *plot;
    const struct run_options *run;          /* its --arch is several names */
    struct net_options       net;
    const char              *over[SWEEP_NAMES];
    size_t                   over_count;
    unsigned                 jobs;
    double                   limit;         /* FLOP of a step; 0: none */
    bool                     retry_failed;
};

/* The exit status: 1 if a point failed, or something could not be written. */
int cmd_crossover(const struct crossover_asked *asked);

#endif
