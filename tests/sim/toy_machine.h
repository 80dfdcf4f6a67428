/* toy_machine.h - a schema small enough to know by heart, for tests and fuzzing. */
#ifndef TESTS_SIM_TOY_MACHINE_H
#define TESTS_SIM_TOY_MACHINE_H

#include "sim/machine.h"

#define TOY_CORE_PARAMS(X) \
    X(COUNT,  rows,        1,  1024, "rows of the array")    \
    X(REAL,   clock_mhz,   1, 10000, "clock of the core")    \
    X(CHOICE, sums, "vector|accumulators", 0, "where sums go")
#define TOY_MEMORY_PARAMS(X) \
    X(SIZE,   room_bytes,  0,  1e15, "bytes there are")      \
    X(REAL,   rcd_ns,      0,   100, "ACT to RD")            \
    X(TEXT,   map,        "",     0, "address bits")
#define TOY_SM_PARAMS(X) \
    X(COUNT,  warps,       1,    64, "warps")

struct toy_core_config   { TOY_CORE_PARAMS(PARAM_FIELD) };
struct toy_memory_config { TOY_MEMORY_PARAMS(PARAM_FIELD) };
struct toy_sm_config     { TOY_SM_PARAMS(PARAM_FIELD) };

struct toy_figures {
    struct toy_sm_config     sm;            /* not in the order of the sections */
    struct toy_core_config   core;
    struct toy_memory_config memory;
};

#define TOY_CORE(...)   PARAM_ENTRY(toy_core_config, __VA_ARGS__)
#define TOY_MEMORY(...) PARAM_ENTRY(toy_memory_config, __VA_ARGS__)
#define TOY_SM(...)     PARAM_ENTRY(toy_sm_config, __VA_ARGS__)

static const struct param toy_core[]   = { TOY_CORE_PARAMS(TOY_CORE) };
static const struct param toy_memory[] = { TOY_MEMORY_PARAMS(TOY_MEMORY) };
static const struct param toy_sm[]     = { TOY_SM_PARAMS(TOY_SM) };

static const struct section toy_sections[] = {
    { "core",   "a core",     toy_core,   3, offsetof(struct toy_figures, core),   1 },
    { "sm",     "an SM",      toy_sm,     1, offsetof(struct toy_figures, sm),     2 },
    { "memory", "the memory", toy_memory, 3, offsetof(struct toy_figures, memory), 3 },
};

static const struct schema toy_schema = {
    toy_sections, 3, sizeof(struct toy_figures),
    MACHINE_USES(MACHINE_TPU) | MACHINE_USES(MACHINE_GPU)
};

#endif
