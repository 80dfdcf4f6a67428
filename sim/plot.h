/* plot.h - pictures by gnuplot.
 *
 * A picture x.svg (.png, .pdf) has beside it x.dat, its data, and x.gp, the script of plots/ that
 * draws it: change either by hand and run `gnuplot x.gp` in that folder.
 */
#ifndef SIM_PLOT_H
#define SIM_PLOT_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "traces/diag.h"

struct plot {
    const char *name;       /* of the script: plots/NAME.gp */
    const char *script;     /* its text */
    void      (*data)(const json_t *result, FILE *out);
    bool      (*drawable)(const json_t *result);        /* whether there is anything to draw: */
    const char *wanted;                                 /* what there must be */
};

/* Loss against simulated time and energy, of a training run's result (train.h). */
extern const struct plot plot_training;

/* Whether a path says what kind of picture is wanted; checked before a long run. */
bool plot_check(const char *path, struct diag *d);

/* The file beside a picture that ends so; false if there is no room for its path. */
bool plot_beside(const char *path, const char *ending, char beside[PATH_MAX], struct diag *d);

/* False with the reason in `d`: no gnuplot, a file that cannot be written.  The picture is then
 * as it was before. */
bool plot_draw(const struct plot *p, const json_t *result, const char *path, struct diag *d);

#endif
