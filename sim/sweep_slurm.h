/* sweep_slurm.h - a sweep as a job array: a script for sbatch.
 *
 * The script holds all that a task needs: folder, program, where machines are, the command with
 * its options.  Task i of N runs shard i of N into the folder of results, so tasks may run at
 * once, be lost and be sent again.
 *
 * Not done: sending it; waiting for it; arrays of other systems (they run the same command, which
 * finds their task's number too).
 */
#ifndef SIM_SWEEP_SLURM_H
#define SIM_SWEEP_SLURM_H

#include <stddef.h>
#include <stdio.h>

#include "traces/diag.h"

struct sweep_slurm {
    const char *results;                /* of sweep_slurm_folder: what tasks say goes there */
    const char *const *words;           /* of the command behind "simaccel sweep", without --shard */
    size_t      count;
    unsigned    tasks, cpus;            /* of the array; of a task */
};

/* The whole path of a folder that need not be there yet; the caller frees it.  NULL, with the
 * reason: sbatch has no way to write it. */
char *sweep_slurm_folder(const char *results, struct diag *d);

void sweep_slurm_write(const struct sweep_slurm *s, FILE *out);

/* The most tasks that an array of this site may have, as `scontrol` says; 1000 without one. */
unsigned sweep_slurm_most(void);

#endif
