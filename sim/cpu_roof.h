/* cpu_roof.h - what a CPU takes for a trace by its roofline: a bound on each op, no simulation.
 *
 *     time of an op  =  the longer of   operations / peak FLOP/s   and   bytes / bytes/s of memory
 *
 * Each op alone, its operands read once and its results written once, one op after the other, as
 * if nothing were left in caches from op to op.  Energy is the thermal design power for that time.
 *
 * Not modelled: caches, with which a network that fits them is faster where memory bounds it; and
 * all that makes a CPU slower: vectors that are not full, threads, the clock under AVX, NUMA.
 */
#ifndef SIM_CPU_ROOF_H
#define SIM_CPU_ROOF_H

#include "sim/machine.h"
#include "traces/trace.h"

#define CPU_ROOF_PARAMS(X) \
    X(COUNT, cores,           1,  1024, "cores of the socket") \
    X(REAL,  peak_gflops,     1,   1e6, "of all cores, in f32") \
    X(REAL,  memory_gb_per_s, 0.1, 1e5, "of all channels of memory") \
    X(REAL,  tdp_w,           1,  1e4,  "thermal design power of the socket")

struct cpu_roof { CPU_ROOF_PARAMS(PARAM_FIELD) };

/* Of machine files of `kind: cpu`; struct cpu_roof is their figures. */
extern const struct schema cpu_schema;

/* "cpu" of a comparison, a new reference: "machine", "time_s", "energy_j", "flops_per_s", and
 * "phases" with "time_s" and "memory_s", the part of it in ops that memory bounds. */
json_t *cpu_roof_json(const struct machine *m, const struct trace *t);

/* Beside the fastest of the comparison's cells. */
void cpu_roof_text(const json_t *cpu, double fastest_s, const char *fastest, FILE *out);

#endif
