/* file.c - whole files in and out: gzipped or not, and never half written. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "traces/text.h"

static bool is_stdio(const char *path) { return strcmp(path, "-") == 0; }

static gzFile open_in(const char *path)
{
    return is_stdio(path) ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rb");
}

/* zlib hands over a file that is not gzipped as it is.  The limit is on what comes out:
 * a small file that unpacks to gigabytes is refused. */
static bool read_all(gzFile in, char **text, size_t *size, struct diag *d)
{
    size_t room = 0;
    int got = 1, error;
    for (*size = 0; got > 0; *size += (size_t)got) {
        if (*size > TEXT_FILE)
            return diag_set(d, 0, 0, "there is more than %u MiB of text; expected less",
                            TEXT_FILE >> 20);
        if (*size == room) {
            room = room ? 2 * room : 1 << 14;
            *text = realloc(*text, room);
            if (!*text)
                abort();
        }
        got = gzread(in, *text + *size, (unsigned)(room - *size));
        if (got < 0)
            break;
    }
    const char *why = gzerror(in, &error);
    if (error != Z_OK && error != Z_STREAM_END)
        return diag_set(d, 0, 0, "cannot read (%s); expected a file of text, plain or gzipped",
                        error == Z_ERRNO ? strerror(errno) : why);
    return true;
}

char *text_load(const char *path, size_t *size, struct diag *d)
{
    char *text = NULL;
    snprintf(d->file, sizeof d->file, "%s", is_stdio(path) ? "<stdin>" : path);
    gzFile in = open_in(path);
    if (!in) {
        diag_set(d, 0, 0, "cannot open (%s); expected a file to read", strerror(errno));
        return NULL;
    }
    bool good = read_all(in, &text, size, d);
    gzclose_r(in);
    if (good)
        return text;
    free(text);
    return NULL;
}

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool write_plain(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);
        if (n < 0 && errno != EINTR)
            return false;
        text += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool write_gzipped(int fd, const char *text, size_t size)
{
    gzFile out = gzdopen(dup(fd), "wb9");
    if (!out)
        return false;
    bool good = size == 0 || gzwrite(out, text, (unsigned)size) == (int)size;
    return gzclose_w(out) == Z_OK && good;
}

/* Where to write: a new file beside a plain one, but a pipe or a device itself. */
static int open_out(const char *path, char *beside, size_t size)
{
    struct stat s;
    beside[0] = '\0';
    if (stat(path, &s) == 0 && !S_ISREG(s.st_mode))
        return open(path, O_WRONLY);
    if ((size_t)snprintf(beside, size, "%s.XXXXXX", path) >= size)
        return errno = ENAMETOOLONG, -1;
    int fd = mkstemp(beside);
    mode_t mask = umask(0);
    umask(mask);
    if (fd >= 0)
        fchmod(fd, 0666 & ~mask);
    return fd;
}

static bool save(const char *path, const char *text, size_t size)
{
    char beside[4096] = "";
    int fd = is_stdio(path) ? dup(STDOUT_FILENO) : open_out(path, beside, sizeof beside);
    if (fd < 0)
        return false;
    bool good = ends_in(path, ".gz") ? write_gzipped(fd, text, size)
                                     : write_plain(fd, text, size);
    good = close(fd) == 0 && good;
    if (beside[0]) {
        good = good && rename(beside, path) == 0;
        if (!good)
            unlink(beside);
    }
    return good;
}

bool text_save(const char *path, void (*write_text)(const void *self, FILE *out),
               const void *self, struct diag *d)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    write_text(self, out);
    if (fclose(out) != 0)
        abort();
    errno = 0;
    bool good = save(path, text, size);
    free(text);
    if (good)
        return true;
    snprintf(d->file, sizeof d->file, "%s", path);
    return diag_set(d, 0, 0, "cannot write (%s); expected a place to write to", strerror(errno));
}
