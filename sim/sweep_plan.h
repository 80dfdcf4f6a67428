/* sweep_plan.h - the points of a sweep, and what each of them is: a machine, a trace, options.
 *
 *     options, axes --> point i: its value of every axis --> machine, trace, options --> input
 *
 * Axes are a grid, the first changes slowest.  A parameter is a figure of the machine,
 * "mxu.rows", or one of sweep_parameter.h.  A figure is changed as with --set, after those.
 *
 * All points are made once before the first one runs, and of each it is seen whether its figures
 * make a chip, so that a plan with a wrong value runs none.  What only a run finds out (a tensor
 * that does not fit) is that point's result.
 *
 * `input` is all that a result follows from: version, every figure's value, options and trace as
 * text.  Not in it: where figures come from, and what changes no result (threads).
 */
#ifndef SIM_SWEEP_PLAN_H
#define SIM_SWEEP_PLAN_H

#include "sim/run_options.h"
#include "sim/sha256.h"
#include "sim/sweep_axis.h"
#include "traces/net.h"

#define SWEEP_AXES 16

struct sweep_plan {
    const char        *file;            /* the network or trace; borrowed, as all options */
    struct run_options run;
    struct net_options net;
    struct sweep_axis  axes[SWEEP_AXES];
    size_t             axis_count;
    bool               of_some;         /* a figure that a machine has not stays out there */
    char              *text;            /* of the file; NULL: sweep_plan_open loads it */
    size_t             size;
    /* After sweep_plan_open: */
    size_t             points;
    char             (*hashes)[SHA256_TEXT];        /* of each point's input */
    struct machine   **machines;        /* one a value of `arch`; else one */
    size_t             machine_count;
};

struct sweep_point {
    struct run_options run;
    struct net_options net;
    struct net        *network;         /* as changed; NULL: the file is a trace */
    struct machine    *machine;
    struct trace      *trace;
};

/* Takes one --over; false if it is wrong. */
bool sweep_plan_add(struct sweep_plan *p, const char *text, const struct sweep_place *place,
                    struct diag *d);

/* Reads the file's text, whatever it is; false: it cannot be read or is empty. */
bool sweep_plan_load(struct sweep_plan *p, struct diag *d);

/* Reads file (unless it is loaded) and machines and looks at every value.  False: nothing can be
 * run. */
bool sweep_plan_open(struct sweep_plan *p, struct diag *d);
void sweep_plan_close(struct sweep_plan *p);    /* frees axes and what open has made */

/* The text that parameter `n` of axis `a` has in a point. */
const struct sweep_word *sweep_plan_value(const struct sweep_plan *p, size_t point, size_t a,
                                          size_t n);

/* False, with the reason, only before sweep_plan_open has seen the point. */
bool sweep_point_make(const struct sweep_plan *p, size_t point, struct sweep_point *made,
                      struct diag *d);
void sweep_point_free(struct sweep_point *made);

#endif
