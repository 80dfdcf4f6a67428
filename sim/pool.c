/* pool.c - each round, every thread takes jobs from one counter until none is left.
 *
 * A window's work may be a few microseconds, less than a sleep and a wake-up, so threads
 * wait actively for a while first; but not where there are more of them than processors,
 * for then the waiting one keeps the working one from running.
 */
#include "sim/pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOKS_BEFORE_SLEEP 20000

struct pool {
    void       (*job)(void *arg, uint32_t i);
    void        *arg;
    uint32_t     count;
    bool         stop;
    atomic_uint  next;          /* job */
    atomic_uint  round;         /* goes up when there are new jobs */
    atomic_uint  busy;          /* helpers that have not finished the round */
    unsigned     looks;
    pthread_mutex_t lock;
    pthread_cond_t  started, finished;
    unsigned     helpers;
    pthread_t    threads[];
};

static void work(struct pool *p)
{
    for (;;) {
        uint32_t i = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
        if (i >= p->count)
            return;
        p->job(p->arg, i);
    }
}

static bool look(const struct pool *p, atomic_uint *what, unsigned until_not)
{
    for (unsigned i = 0; i < p->looks; i++)
        if (atomic_load_explicit(what, memory_order_acquire) != until_not)
            return true;
    return false;
}

static void await_round(struct pool *p, unsigned seen)
{
    if (look(p, &p->round, seen))
        return;
    pthread_mutex_lock(&p->lock);
    while (atomic_load(&p->round) == seen)
        pthread_cond_wait(&p->started, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

static void finish_round(struct pool *p)
{
    if (atomic_fetch_sub(&p->busy, 1) > 1)
        return;
    pthread_mutex_lock(&p->lock);
    pthread_cond_signal(&p->finished);
    pthread_mutex_unlock(&p->lock);
}

static void *help(void *arg)
{
    struct pool *p = arg;
    for (unsigned seen = 0;; seen++) {
        await_round(p, seen);
        if (p->stop)
            return NULL;
        work(p);
        finish_round(p);
    }
}

static void start_round(struct pool *p)
{
    atomic_store(&p->next, 0);
    atomic_store(&p->busy, p->helpers);
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->round, 1);
    pthread_cond_broadcast(&p->started);
    pthread_mutex_unlock(&p->lock);
}

static void await_helpers(struct pool *p)
{
    for (unsigned i = 0; i < p->looks; i++)
        if (atomic_load_explicit(&p->busy, memory_order_acquire) == 0)
            return;
    pthread_mutex_lock(&p->lock);
    while (atomic_load(&p->busy) > 0)
        pthread_cond_wait(&p->finished, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

struct pool *pool_new(unsigned threads)
{
    unsigned helpers = threads > 1 ? threads - 1 : 0;
    struct pool *p = calloc(1, sizeof *p + helpers * sizeof p->threads[0]);
    assert(p);
    p->helpers = helpers;
    p->looks   = sysconf(_SC_NPROCESSORS_ONLN) >= (long)threads ? LOOKS_BEFORE_SLEEP : 0;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->started, NULL);
    pthread_cond_init(&p->finished, NULL);
    for (unsigned i = 0; i < helpers; i++) {
        int failed = pthread_create(&p->threads[i], NULL, help, p);
        assert(!failed);
    }
    return p;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    p->stop = true;
    start_round(p);
    for (unsigned i = 0; i < p->helpers; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->started);
    pthread_cond_destroy(&p->finished);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void pool_run(struct pool *p, uint32_t count, void (*job)(void *arg, uint32_t i),
              void *arg)
{
    if (p->helpers == 0 || count < 2) {
        for (uint32_t i = 0; i < count; i++)
            job(arg, i);
        return;
    }
    p->job   = job;
    p->arg   = arg;
    p->count = count;
    start_round(p);
    work(p);
    await_helpers(p);
}
