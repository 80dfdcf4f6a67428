/* pool.h - runs the jobs of one window on a few threads and waits for all of them. */
#ifndef SIM_POOL_H
#define SIM_POOL_H

#include <stdint.h>

struct pool;

/* `threads` includes the caller's; 0 and 1 start none. */
struct pool *pool_new(unsigned threads);
void         pool_free(struct pool *p);

/* Calls job(arg, i) once for every i < count, in any order; returns when all are done.
 * What a job wrote is visible to the caller after it, and to all jobs of the next run. */
void pool_run(struct pool *p, uint32_t count, void (*job)(void *arg, uint32_t i),
              void *arg);

#endif
