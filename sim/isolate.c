/* isolate.c - fork, a pipe for the bytes, a shared page for the last words. */
#include "sim/isolate.h"

#include <assert.h>
#include <errno.h>
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

static struct last_words *last_words;

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

static void read_all(int pipe_end, struct isolate_result *r)
{
    size_t room = 4096;
    r->bytes = malloc(room);
    assert(r->bytes);
    for (;;) {
        ssize_t got = read(pipe_end, r->bytes + r->size, room - r->size - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        r->size += (size_t)got;
        if (r->size + 1 < room)
            continue;
        room *= 2;
        r->bytes = realloc(r->bytes, room);
        assert(r->bytes);
    }
    r->bytes[r->size] = '\0';
}

static void conclude(int status, const struct rusage *used, uint64_t memory_bytes,
                     struct isolate_result *r)
{
    if (WIFEXITED(status)) {
        r->status = WEXITSTATUS(status);
        return;
    }
    const double mib = 1024 * 1024;
    r->status    = ISOLATE_CRASHED;
    r->no_memory = last_words->error == ENOMEM;
    int length = snprintf(r->text, sizeof r->text,
                          "the run was ended by signal %d (%s), having used %.0f MiB",
                          WTERMSIG(status), strsignal(WTERMSIG(status)),
                          (double)used->ru_maxrss * 1024 / mib);
    if (r->no_memory)
        snprintf(r->text + length, sizeof r->text - (size_t)length,
                 ": more than the %.0f MiB it was allowed", (double)memory_bytes / mib);
}

static bool start_failed(struct isolate_result *r, const char *what)
{
    r->status = ISOLATE_CRASHED;
    snprintf(r->text, sizeof r->text, "cannot start the run: %s: %s", what,
             strerror(errno));
    return false;
}

static bool fork_and_read(int (*fn)(void *, FILE *), void *arg, uint64_t memory_bytes,
                          struct isolate_result *r)
{
    int ends[2];
    if (pipe(ends) != 0)
        return start_failed(r, "pipe");
    fflush(NULL);                   /* or both would write what is buffered */
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        close(ends[0]);
        run_child(fn, arg, ends[1], parent, memory_bytes);
    }
    close(ends[1]);
    if (child > 0)
        read_all(ends[0], r);
    close(ends[0]);
    if (child < 0)
        return start_failed(r, "fork");

    int status;
    struct rusage used;
    while (wait4(child, &status, 0, &used) < 0)
        assert(errno == EINTR);
    conclude(status, &used, memory_bytes, r);
    return r->status == 0;
}

bool isolate_run(int (*fn)(void *arg, FILE *out), void *arg, uint64_t memory_bytes,
                 struct isolate_result *r)
{
    *r = (struct isolate_result){ 0 };
    last_words = mmap(NULL, sizeof *last_words, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (last_words == MAP_FAILED)
        return start_failed(r, "mmap");
    bool ok = fork_and_read(fn, arg, memory_bytes, r);
    munmap(last_words, sizeof *last_words);
    return ok;
}

void isolate_free(struct isolate_result *r)
{
    free(r->bytes);
    r->bytes = NULL;
    r->size  = 0;
}
