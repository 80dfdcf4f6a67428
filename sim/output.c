/* output.c - write beside, rename. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "sim/output.h"

struct output {
    FILE *stream;
    char *path;         /* as the user wrote it */
    char *place;        /* NULL: written directly */
    char *beside;
};

static bool fail(struct diag *d, const char *path, const char *expected)
{
    int error = errno;
    snprintf(d->file, sizeof d->file, "%s", path);
    return diag_set(d, 0, 0, "%s; expected %s", strerror(error), expected);
}

static ssize_t gz_write(void *gz, const char *bytes, size_t size)
{
    errno = 0;
    int n = gzwrite(gz, bytes, (unsigned)size);
    if (n == 0 && errno == 0)
        errno = EIO;
    return n;       /* 0: an error, which stdio remembers */
}

static int gz_close(void *gz)
{
    errno = 0;
    if (gzclose(gz) == Z_OK)
        return 0;
    errno = errno == 0 ? EIO : errno;
    return -1;
}

static bool is_packed(const char *path)
{
    size_t n = strlen(path);
    return n >= 4 && strcmp(path + n - 3, ".gz") == 0;
}

static FILE *open_packed(int fd, const char *mode)
{
    gzFile gz = gzdopen(fd, mode);
    if (gz == NULL)
        return NULL;
    return fopencookie(gz, "w", (cookie_io_functions_t){ .write = gz_write,
                                                         .close = gz_close });
}

/* The mode that a new file would have got, or that of the one it replaces. */
static mode_t mode_of(const char *place)
{
    struct stat s;
    if (lstat(place, &s) == 0 && S_ISREG(s.st_mode))
        return s.st_mode & 07777;
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static bool written_directly(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && !S_ISREG(s.st_mode);
}

/* ---- files beside their places, for who is ended by a signal ---- */

#define BESIDE_MOST 32

static char *volatile besides[BESIDE_MOST];     /* paths; NULL: free */
static pid_t owner;                             /* children have a copy of the list */

static void note_beside(char *path)
{
    for (int i = 0; i < BESIDE_MOST; i++)
        if (!besides[i]) {
            besides[i] = path;
            return;
        }
}

static void forget_beside(const char *path)
{
    for (int i = 0; i < BESIDE_MOST; i++)
        if (besides[i] == path)
            besides[i] = NULL;
}

static void end_by(int number)
{
    for (int i = 0; i < BESIDE_MOST && getpid() == owner; i++)
        if (besides[i])
            unlink(besides[i]);
    signal(number, SIG_DFL);
    raise(number);
}

/* One that whoever started us has switched off stays so (nohup). */
static void take_signal(int number)
{
    struct sigaction was, mine = { .sa_handler = end_by };
    if (sigaction(number, NULL, &was) == 0 && was.sa_handler == SIG_DFL)
        sigaction(number, &mine, NULL);
}

/* `place` is taken. */
static int open_beside(struct output *o, char *place)
{
    o->place = place != NULL ? place : strdup(o->path);
    int n = asprintf(&o->beside, "%s.XXXXXX", o->place);
    assert(o->place != NULL && n > 0);
    (void)n;
    int fd = mkstemp(o->beside);
    if (fd >= 0 && fchmod(fd, mode_of(o->place)) != 0) {
        close(fd);
        unlink(o->beside);
        return -1;
    }
    if (fd >= 0)
        note_beside(o->beside);
    return fd;
}

static void release(struct output *o)
{
    if (o->beside)
        forget_beside(o->beside);
    free(o->path);
    free(o->place);
    free(o->beside);
    free(o);
}

static int open_place(struct output *o)
{
    if (output_is_stdout(o->path))
        return dup(STDOUT_FILENO);
    if (written_directly(o->path))
        return open(o->path, O_WRONLY | O_CLOEXEC);
    return open_beside(o, realpath(o->path, NULL));         /* a link stays a link */
}

static bool open_stream(struct output *o, int fd, const char *packing)
{
    if (fd >= 0)
        o->stream = packing != NULL ? open_packed(fd, packing) : fdopen(fd, "w");
    return o->stream != NULL;
}

/* `packing`: how zlib opens it; NULL: as it is. */
static struct output *open_output(const char *path, const char *packing, bool replaces,
                                  struct diag *d)
{
    struct output *o = calloc(1, sizeof *o);
    assert(o != NULL);
    o->path = strdup(path);
    assert(o->path != NULL);
    if (output_is_stdout(path) && packing == NULL) {
        o->stream = stdout;
        return o;
    }
    if (open_stream(o, replaces ? open_beside(o, NULL) : open_place(o), packing))
        return o;
    fail(d, path, "a file that can be written");
    release(o);
    return NULL;
}

struct output *output_open(const char *path, struct diag *d)
{
    return open_output(path, is_packed(path) ? "wb" : NULL, false, d);
}

struct output *output_open_instead(const char *path, struct diag *d)
{
    return open_output(path, is_packed(path) ? "wb" : NULL, true, d);
}

/* Numbers with all their digits hardly pack any better when it takes ten times as long. */
struct output *output_open_packed(const char *path, struct diag *d)
{
    return open_output(path, "wb1", false, d);
}

FILE *output_stream(struct output *o)
{
    return o->stream;
}

/* Closes the stream; false, with errno, if a write failed now or before. */
static bool close_stream(struct output *o)
{
    errno = 0;
    bool ok = fflush(o->stream) == 0 && !ferror(o->stream);
    int  error = errno != 0 ? errno : EIO;
    if (o->stream != stdout && fclose(o->stream) != 0 && ok) {
        ok    = false;
        error = errno;
    }
    errno = error;
    return ok;
}

bool output_commit(struct output *o, struct diag *d)
{
    bool ok = close_stream(o);
    if (ok && o->place != NULL)
        ok = rename(o->beside, o->place) == 0;
    if (!ok) {
        fail(d, o->path, "to write all of it");
        if (o->place != NULL)
            unlink(o->beside);
    }
    release(o);
    return ok;
}

void output_discard(struct output *o)
{
    if (o == NULL)
        return;
    if (o->stream != stdout)
        fclose(o->stream);
    if (o->place != NULL)
        unlink(o->beside);
    release(o);
}

/* A file opened later must not land on the number of a closed stdout. */
static void hold(int fd, int flags)
{
    if (fcntl(fd, F_GETFD) != -1 || errno != EBADF)
        return;
    int got = open("/dev/null", flags);         /* the other way: its use still fails */
    if (got >= 0 && got != fd) {
        dup2(got, fd);
        close(got);
    }
}

void output_start(void)
{
    hold(STDIN_FILENO, O_WRONLY);
    hold(STDOUT_FILENO, O_RDONLY);
    hold(STDERR_FILENO, O_WRONLY);
    signal(SIGPIPE, SIG_IGN);
    owner = getpid();
    take_signal(SIGINT);
    take_signal(SIGTERM);
    take_signal(SIGHUP);
}

int output_finish(int status)
{
    errno = 0;
    bool whole = fflush(stdout) == 0 && !ferror(stdout);
    if (whole || status != 0)
        return status;      /* what went wrong first has been said */
    fprintf(stderr, "stdout: %s; expected to write all of the result\n",
            strerror(errno != 0 ? errno : EIO));
    return 1;
}

/* ---- before a command begins ---- */

bool output_is_stdout(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* Where a path leads, also if nothing is there yet; the caller frees it.  NULL: nowhere. */
static char *place_of(const char *path)
{
    char *real = realpath(path, NULL), *joined = NULL;
    if (real != NULL || errno != ENOENT)
        return real;
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    char *folder = slash != NULL ? strndup(path, (size_t)(name - path)) : strdup(".");
    assert(folder != NULL);
    real = realpath(folder, NULL);
    if (real != NULL && asprintf(&joined, "%s/%s", real, name) < 0)
        abort();
    free(folder);
    free(real);
    return joined;
}

static bool same_place(const char *a, const char *b)
{
    char *x = place_of(a), *y = place_of(b);
    bool same = x != NULL && y != NULL && strcmp(x, y) == 0;
    free(x);
    free(y);
    return same;
}

/* `a` is a result; the other is given before it, or read. */
static bool check_two(const struct output_use *a, const struct output_use *b, struct diag *d)
{
    if (output_is_stdout(a->path) || output_is_stdout(b->path))
        return b->is_read || !output_is_stdout(a->path) || !output_is_stdout(b->path)
            || diag_set(d, 0, 0, "two results for stdout; expected one -");
    if (written_directly(a->path) || !same_place(a->path, b->path))
        return true;
    return diag_set(d, 0, 0, b->is_read ? "%s %.80s: %s is read from there; expected another file"
                    : "%s %.80s: %s goes there too; expected another file", a->option, a->path,
                    b->option);
}

/* Made and taken away again, so that no long run is in vain. */
static bool check_place(const char *path, struct diag *d)
{
    struct stat s;
    if (path[0] == '\0')
        return diag_set(d, 0, 0, "a result without a name; expected a file, or - for stdout");
    if (!output_is_stdout(path) && stat(path, &s) == 0 && S_ISDIR(s.st_mode)) {
        errno = EISDIR;
        return fail(d, path, "a file that can be written");
    }
    if (output_is_stdout(path) || written_directly(path))
        return true;
    struct output *o = output_open(path, d);
    output_discard(o);
    return o != NULL;
}

bool output_check(const struct output_use *uses, size_t count, struct diag *d)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            if (uses[i].path != NULL && uses[j].path != NULL && !uses[i].is_read
                && (j < i || uses[j].is_read) && !check_two(&uses[i], &uses[j], d))
                return false;
    for (size_t i = 0; i < count; i++)
        if (uses[i].path != NULL && !uses[i].is_read && !check_place(uses[i].path, d))
            return false;
    return true;
}

/* ---- whole files ---- */

void output_json(const json_t *json, FILE *out)
{
    json_dumpf(json, out, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    fputc('\n', out);
}

int output_write(const char *path, const json_t *json, void (*write)(const json_t *, FILE *))
{
    struct diag    d = { .text = "" };
    struct output *o = output_open(path, &d);
    int            status = 2;
    if (o != NULL) {
        write(json, output_stream(o));
        status = output_commit(o, &d) ? 0 : 1;
    }
    if (status != 0)
        diag_print(&d, stderr);
    return status;
}
