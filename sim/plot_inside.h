/* plot_inside.h - what the data files of all pictures have in common. */
#ifndef SIM_PLOT_INSIDE_H
#define SIM_PLOT_INSIDE_H

#include "sim/plot.h"

/* The text of plots/NAME.gp, as plot_NAME_script. */
#define PLOT_SCRIPT(name)                                           \
    extern const char plot_##name##_script[];                       \
    __asm__(".pushsection .rodata\n"                                \
            ".global plot_" #name "_script\n"                       \
            "plot_" #name "_script: .incbin \"plots/" #name ".gp\"\n" \
            ".byte 0\n"                                             \
            ".popsection\n")

/* plots/common.gp: what stands before every script. */
extern const char plot_common_script[];

/* What a result is called on a picture: its machine, its trace if they differ, and which of
 * several that would have the same name. */
#define PLOT_LABEL 160
void plot_label(const json_t *results, size_t which, char label[PLOT_LABEL]);

/* What all results are of: the trace or network; "" if they differ. */
const char *plot_subject(const json_t *results);

/* A field of a data file, in quotes; what gnuplot would take for their end is left out. */
void plot_text(const char *text, FILE *out);

/* The number of a phase of ops, by which scripts colour it; another's is above all. */
size_t plot_phase(const char *name);

/* Two empty lines stand between blocks. */
static inline const char *plot_between(size_t block)
{
    return block > 0 ? "\n\n" : "";
}

/* A block a result: its label, then what `write` has of it. */
void plot_blocks(const json_t *results, void (*write)(const json_t *result, FILE *out), FILE *out);

#endif
