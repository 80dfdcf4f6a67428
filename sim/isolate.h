/* isolate.h - runs a function in a process of its own.
 *
 * SystemC cannot start a second simulation in a process, so one run is one process; and
 * what a run breaks, or eats, ends with it:
 *
 *     parent   fork ---------- read until the end -------------- wait ---> result
 *     child      \--- fn(arg, out) ---> _exit(what fn returned)
 *
 * The child starts as a copy of the caller, so `arg` needs no packing; what it finds out
 * comes back only as the bytes it writes to `out`.  It dies with its parent.
 *
 * Several may run at once: isolate_start each, isolate_wait for any, isolate_finish that one.
 *
 * Not modelled: a limit of time.
 */
#ifndef SIM_ISOLATE_H
#define SIM_ISOLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ISOLATE_CRASHED (-1)

struct isolate_result {
    int    status;      /* what fn returned or exited with, 0 to 255; ISOLATE_CRASHED */
    char  *bytes;       /* what it wrote, and a 0 after; partial if it crashed */
    size_t size;        /* without that 0 */
    bool   no_memory;   /* it crashed because it was refused memory */
    char   text[256];   /* why it crashed, in words; else "" */
};

/* False under the sanitizers, which reserve more memory than any limit. */
bool isolate_can_limit_memory(void);

/* `memory_bytes` is the most that the child may have in use; 0: no limit, and there is
 * none where it cannot be had.  True if fn returned 0. */
bool isolate_run(int (*fn)(void *arg, FILE *out), void *arg, uint64_t memory_bytes,
                 struct isolate_result *result);

/* The same in two steps, with others between.  NULL: it could not be started, as the result
 * says.  A run that is started must be finished. */
struct isolate;
struct isolate *isolate_start(int (*fn)(void *arg, FILE *out), void *arg, uint64_t memory_bytes,
                              struct isolate_result *result);
bool isolate_finish(struct isolate *run, struct isolate_result *result);

/* Reads from all `runs` until one of them has ended, and returns its number. */
size_t isolate_wait(struct isolate *const *runs, size_t count);

void isolate_free(struct isolate_result *result);

#endif
