/* sweep_shard.h - which part of a sweep: "2/4", or "array/4", what a job array's task says.
 *
 * A task's number, from 1, is in the environment, under a name of each scheduler.
 */
#ifndef SIM_SWEEP_SHARD_H
#define SIM_SWEEP_SHARD_H

enum sweep_shard {
    SWEEP_SHARD_READ,
    SWEEP_SHARD_WRONG,      /* neither I/N nor array/N */
    SWEEP_SHARD_NO_TASK,    /* of array/N: no task's number, or none of 1 to N */
};

/* `shard` from 0, of `shards`.  `task`: what the scheduler says, or NULL; only of array/N. */
enum sweep_shard sweep_shard_read(const char *text, unsigned *shard, unsigned *shards,
                                  const char **task);

#endif
