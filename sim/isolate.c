/* isolate.c - fork, a pipe for the bytes, a shared page for the last words. */
#include "sim/isolate.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) \
    || __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CAN_LIMIT_MEMORY false
#else
#define CAN_LIMIT_MEMORY true
#endif

/* Written by the dying child, read by its parent: errno when the signal came.  Whoever
 * aborts or follows a null pointer because malloc failed leaves ENOMEM there. */
struct last_words { volatile sig_atomic_t error; };

static struct last_words *last_words;       /* of the run that is this process */

struct isolate {
    pid_t  child;
    int    pipe_end;
    bool   ended;                           /* all that it wrote has been read */
    size_t room;
    uint64_t memory_bytes;
    struct last_words *last_words;
    struct isolate_result result;
};

static void note_error(int signal)
{
    last_words->error = errno;
    raise(signal);          /* the handler is off: this one ends the process */
}

bool isolate_can_limit_memory(void)
{
    return CAN_LIMIT_MEMORY;
}

static void limit_memory(uint64_t bytes)
{
    static const int signals[] = { SIGABRT, SIGSEGV, SIGBUS };
    if (!isolate_can_limit_memory() || bytes == 0)
        return;
    struct sigaction action = { .sa_handler = note_error, .sa_flags = (int)SA_RESETHAND };
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &action, NULL);
    struct rlimit limit = { bytes, bytes };
    int failed = setrlimit(RLIMIT_DATA, &limit);
    assert(!failed);
}

/* ---- the child */

static _Noreturn void run_child(int (*fn)(void *, FILE *), void *arg, int pipe_end,
                                pid_t parent, uint64_t memory_bytes)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)        /* it was gone before we asked */
        _exit(EXIT_FAILURE);
    FILE *out = fdopen(pipe_end, "w");
    assert(out);
    limit_memory(memory_bytes);
    errno = 0;
    int status = fn(arg, out);
    if (fflush(NULL) != 0)
        abort();
    _exit(status);                  /* not exit: what atexit holds is the parent's */
}

/* ---- the parent */

static void grow(struct isolate *run)
{
    struct isolate_result *r = &run->result;
    if (r->size + 1 < run->room)
        return;
    run->room = run->room ? 2 * run->room : 4096;
    r->bytes = realloc(r->bytes, run->room);
    assert(r->bytes);
}

/* What is there; waits if that is nothing yet. */
static void read_some(struct isolate *run)
{
    struct isolate_result *r = &run->result;
    grow(run);
    ssize_t got = read(run->pipe_end, r->bytes + r->size, run->room - r->size - 1);
    if (got < 0 && errno == EINTR)
        return;
    run->ended = got <= 0;
    r->size += got > 0 ? (size_t)got : 0;
    r->bytes[r->size] = '\0';
}

static void conclude(struct isolate *run, int status, const struct rusage *used)
{
    struct isolate_result *r = &run->result;
    if (WIFEXITED(status)) {
        r->status = WEXITSTATUS(status);
        return;
    }
    const double mib = 1024 * 1024;
    r->status    = ISOLATE_CRASHED;
    r->no_memory = run->last_words->error == ENOMEM;
    int length = snprintf(r->text, sizeof r->text,
                          "the run was ended by signal %d (%s), having used %.0f MiB",
                          WTERMSIG(status), strsignal(WTERMSIG(status)),
                          (double)used->ru_maxrss * 1024 / mib);
    if (r->no_memory)
        snprintf(r->text + length, sizeof r->text - (size_t)length,
                 ": more than the %.0f MiB it was allowed", (double)run->memory_bytes / mib);
}

static bool start_failed(struct isolate_result *r, const char *what)
{
    *r = (struct isolate_result){ .status = ISOLATE_CRASHED };
    snprintf(r->text, sizeof r->text, "cannot start the run: %s: %s", what,
             strerror(errno));
    return false;
}

static bool fork_child(struct isolate *run, int (*fn)(void *, FILE *), void *arg,
                       struct isolate_result *r)
{
    int ends[2];
    if (pipe(ends) != 0)
        return start_failed(r, "pipe");
    fflush(NULL);                   /* or both would write what is buffered */
    pid_t parent = getpid();
    run->child = fork();
    if (run->child == 0) {
        close(ends[0]);
        last_words = run->last_words;
        run_child(fn, arg, ends[1], parent, run->memory_bytes);
    }
    close(ends[1]);
    run->pipe_end = ends[0];
    if (run->child > 0)
        return true;
    start_failed(r, "fork");
    close(ends[0]);
    return false;
}

static void release(struct isolate *run)
{
    munmap(run->last_words, sizeof *run->last_words);
    free(run);
}

struct isolate *isolate_start(int (*fn)(void *arg, FILE *out), void *arg, uint64_t memory_bytes,
                              struct isolate_result *r)
{
    struct isolate *run = calloc(1, sizeof *run);
    assert(run);
    run->memory_bytes = memory_bytes;
    run->last_words = mmap(NULL, sizeof *run->last_words, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (run->last_words == MAP_FAILED) {
        start_failed(r, "mmap");
        free(run);
        return NULL;
    }
    if (fork_child(run, fn, arg, r))
        return run;
    release(run);
    return NULL;
}

size_t isolate_wait(struct isolate *const *runs, size_t count)
{
    assert(count > 0);
    struct pollfd *ends = calloc(count, sizeof *ends);
    assert(ends);
    for (size_t i = 0; i < count; i++)
        ends[i] = (struct pollfd){ .fd = runs[i]->pipe_end, .events = POLLIN };
    for (;;) {
        for (size_t i = 0; i < count; i++) {
            if (ends[i].revents != 0 && !runs[i]->ended)
                read_some(runs[i]);
            if (runs[i]->ended) {
                free(ends);
                return i;
            }
        }
        if (poll(ends, count, -1) < 0)
            assert(errno == EINTR);
    }
}

bool isolate_finish(struct isolate *run, struct isolate_result *r)
{
    while (!run->ended)
        read_some(run);
    close(run->pipe_end);
    int status;
    struct rusage used;
    while (wait4(run->child, &status, 0, &used) < 0)
        assert(errno == EINTR);
    conclude(run, status, &used);
    *r = run->result;
    release(run);
    return r->status == 0;
}

bool isolate_run(int (*fn)(void *arg, FILE *out), void *arg, uint64_t memory_bytes,
                 struct isolate_result *r)
{
    struct isolate *run = isolate_start(fn, arg, memory_bytes, r);
    return run && isolate_finish(run, r);
}

void isolate_free(struct isolate_result *r)
{
    free(r->bytes);
    r->bytes = NULL;
    r->size  = 0;
}
