/* validate_kernel.h - programs written by hand, as microbenchmarks are, and their times.
 *
 *     struct kernel *k = kernel_new(1, 1);
 *     uint32_t in  = kernel_load(k, 0, 0, address, bytes, KERNEL_NONE);
 *     uint32_t sum = kernel_vector(k, 0, 0, &work, in);
 *     kernel_store(k, 0, 0, address, bytes, sum);
 *     kernel_run(k, figures, times, d);            times[group] of each core, in cycles
 *
 * An operation may wait for others of its core, or for a send of another core; of a unit,
 * they begin in the order in which they were added.
 */
#ifndef SIM_VALIDATE_KERNEL_H
#define SIM_VALIDATE_KERNEL_H

#include "models/tpu/program.h"
#include "sim/figures.h"

#define KERNEL_NONE  UINT32_MAX
#define KERNEL_CORES 2

struct kernel;

struct kernel *kernel_new(uint32_t cores, uint32_t groups);

/* Each returns the operation's number, for others to wait for. */
uint32_t kernel_load(struct kernel *k, uint32_t core, uint32_t group, uint64_t address,
                     uint64_t bytes, uint32_t after);
uint32_t kernel_store(struct kernel *k, uint32_t core, uint32_t group, uint64_t address,
                      uint64_t bytes, uint32_t after);
uint32_t kernel_vector(struct kernel *k, uint32_t core, uint32_t group,
                       const struct tpu_arithmetic *work, uint32_t after);
uint32_t kernel_matrix(struct kernel *k, uint32_t core, uint32_t group,
                       const struct tpu_product *product, uint32_t after);
uint32_t kernel_turn(struct kernel *k, uint32_t core, uint32_t group,
                     const struct tpu_turn *turn, uint32_t after);
/* To the other core, whose operations can wait for the number that is returned. */
uint32_t kernel_send(struct kernel *k, uint32_t core, uint32_t group, uint64_t bytes,
                     uint32_t after);
/* The operation added last to `core` waits for one more. */
void kernel_also_after(struct kernel *k, uint32_t core, uint32_t after);

/* In cycles: when the first operation of a group began, when the last ended. */
struct kernel_time { uint64_t start, end; };

/* Runs and frees it.  `times` is [cores][groups]; `vector_ops`, of core 0, may be NULL. */
bool kernel_run(struct kernel *k, const struct figures *f, struct kernel_time *times,
                uint64_t *vector_ops, struct diag *d);

#endif
