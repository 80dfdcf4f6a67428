/* plot.h - pictures by gnuplot, of one result or of several.
 *
 * A picture x.svg (.png, .pdf) has beside it x.dat, its data, and x.gp, the script of plots/ that
 * draws it: change either by hand and run `gnuplot x.gp` in that folder.
 *
 * Results are what docs/results.md says, in an array; more than one may be of different machines
 * and traces.
 */
#ifndef SIM_PLOT_H
#define SIM_PLOT_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "traces/diag.h"

#define PLOT_RESULTS 8          /* on one picture: as many colours can be told apart */

/* A field that a picture needs, by its path: `*` is every member of an array or an object. */
struct plot_need {
    const char *path;
    bool        is_text;        /* else a number */
};

struct plot {
    const char *name;           /* of the script: plots/NAME.gp */
    const char *what;           /* it shows */
    const char *script;         /* its text */
    const char *made_by;        /* the command whose JSON it draws */
    size_t      most;           /* results, up to PLOT_RESULTS */
    const struct plot_need *needs;          /* up to one without a path */
    bool      (*drawable)(const json_t *result);    /* whether there is anything to draw: */
    const char *wanted;                             /* what there must be */
    void      (*data)(const json_t *results, FILE *out);
};

/* Every kind of picture; loss against time and energy, of a training run's result (train.h). */
extern const struct plot plot_energy, plot_stalls, plot_power, plot_roofline, plot_utilization,
                         plot_over_time, plot_heat, plot_training, plot_sweep,
                         plot_crossover, plot_compare;

/* Whether `result` is what `p` draws. */
bool plot_takes(const struct plot *p, json_t *result, struct diag *d);

/* Whether a path says what kind of picture is wanted; checked before a long run. */
bool plot_check(const char *path, struct diag *d);

/* The file beside a picture that ends so; false if there is no room for its path. */
bool plot_beside(const char *path, const char *ending, char beside[PATH_MAX], struct diag *d);

/* Results that `p` takes.  False with the reason in `d`: no gnuplot, a file that cannot be
 * written.  The picture is then as it was before. */
bool plot_draw(const struct plot *p, const json_t *results, const char *path, struct diag *d);

/* The same as characters on stdout, without files. */
bool plot_dumb(const struct plot *p, const json_t *results, struct diag *d);

#endif
