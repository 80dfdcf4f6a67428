/* result_parts.h - the parts of a result (docs/results.md) that every kind of machine has. */
#ifndef SIM_RESULT_PARTS_H
#define SIM_RESULT_PARTS_H

#include <jansson.h>

#include "models/hbm/hbm_block.h"
#include "models/toggles.h"
#include "traces/trace.h"

#define RESULT_SCHEMA 1

double result_seconds(tick_t t);
double result_ratio(double a, double b);                    /* 0 where it is no number */

/* The memory of a run that ended at `end`. */
struct result_memory {
    const struct hbm_config  *config;
    struct hbm_block *const  *stack;
    uint32_t stacks;
    tick_t   end;
};
struct hbm_stats       result_stack(const struct result_memory *m, uint32_t stack);
struct hbm_group_stats result_group(const struct result_memory *m, uint32_t group);
json_t *result_hbm(const struct result_memory *m, double seconds);

/* "hbm0", ...: units of kind hbm. */
void    result_add_stacks(json_t *units, const struct result_memory *m, double seconds);
json_t *result_unit(const char *name, const char *kind, json_t *states);

/* "matmul h1" for each of these ops of the trace. */
json_t *result_op_names(const struct trace *t, const uint32_t *ops, uint32_t count);

/* {"mac": 12, ..., "hbm_activate": 3}: what there is of these events, names in lower case. */
json_t *result_counts(const char *const *names, const uint64_t *counts, size_t events,
                      uint64_t activates);

/* Of all groups: {"matrix": {"bits", "changed"}, "lanes": ..., "hbm": ...}. */
json_t *result_toggles(const struct toggles *t, uint32_t groups);

/* The sums of ops by phase. */
json_t *result_phases(const json_t *ops);

/* "what: a, but b", in words that live until the next call. */
const char *result_fault(const char *what, uint64_t a, uint64_t b);

#endif
