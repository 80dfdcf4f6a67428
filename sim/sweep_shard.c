/* sweep_shard.c - see sweep_shard.h. */
#include "sim/sweep_shard.h"

#include <stdlib.h>
#include <string.h>

#include "sim/run_options.h"
#include "sim/sweep_axis.h"

/* Slurm, PBS Pro, Torque, Grid Engine, LSF.  Grid Engine and LSF set it for other jobs too, to
 * "undefined" and 0; what is empty is not set. */
static const char *array_task(void)
{
    static const char *const names[] = { "SLURM_ARRAY_TASK_ID", "PBS_ARRAY_INDEX", "PBS_ARRAYID",
                                         "SGE_TASK_ID", "LSB_JOBINDEX" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *task = getenv(names[i]);
        if (task && task[0] != '\0' && strcmp(task, "undefined") != 0 && strcmp(task, "0") != 0)
            return task;
    }
    return NULL;
}

enum sweep_shard sweep_shard_read(const char *text, unsigned *shard, unsigned *shards,
                                  const char **task)
{
    char first[16] = "";
    const char *slash = strchr(text, '/');
    if (slash && slash - text < (int)sizeof first)
        memcpy(first, text, (size_t)(slash - text));
    bool by_job = strcmp(first, "array") == 0;
    if (!slash || !run_options_number(slash + 1, SWEEP_POINTS, shards)
        || (!by_job && !run_options_number(first, *shards, shard)))
        return SWEEP_SHARD_WRONG;
    *task = by_job ? array_task() : NULL;
    if (by_job && (!*task || !run_options_number(*task, *shards, shard)))
        return SWEEP_SHARD_NO_TASK;
    --*shard;
    return SWEEP_SHARD_READ;
}
