/* summary.h - a trace in figures: work, bytes and memory, by phase.
 *
 * Bytes moved are those of each op by itself, inputs read once and outputs written once;
 * a machine that fuses ops or keeps results on chip moves fewer.  The footprint is that
 * of live tensors: what is given and what is a result is held throughout (a result from
 * when it is written), the rest from the op that writes it to the last that uses it.
 *
 * Not modelled: padding, alignment, fragments, copies that a machine makes for itself.
 */
#ifndef TRACES_SUMMARY_H
#define TRACES_SUMMARY_H

#include "traces/trace.h"

struct trace_footprint {
    uint64_t total;                         /* bytes */
    uint64_t role[TRACE_ROLES_COUNT];       /* bytes, at the same moment */
    uint32_t op;                            /* that moment: while this op runs */
};

struct trace_work { uint64_t ops, flops, matmul_flops, bytes; };

struct trace_summary {
    uint64_t parameters;                    /* elements of the weights */
    struct trace_work      phase[TRACE_PHASES_COUNT], all;
    struct trace_footprint phase_peak[TRACE_PHASES_COUNT], peak;
};

struct trace_summary trace_summarize(const struct trace *t);
void trace_print_summary(const struct trace *t, FILE *out);

/* A line for each dead tensor; returns how many there are. */
uint32_t trace_print_warnings(const struct trace *t, const char *file, FILE *out);

#endif
