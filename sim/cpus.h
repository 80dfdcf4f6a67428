/* cpus.h - how many processors this process may keep busy.
 *
 * The least of what the scheduler lets it run on (taskset, cpuset), of what its control group may
 * use (a container's quota, version 1 or 2, that of every group above it too), and of what
 * SLURM_CPUS_PER_TASK says.  A share of a processor counts as one.
 */
#ifndef SIM_CPUS_H
#define SIM_CPUS_H

unsigned cpus_allowed(void);

/* The control groups' part alone, 0: no limit.  `root` stands before /proc and /sys, for tests. */
unsigned cpus_of_groups(const char *root);

#endif
