/* file.c - whole files, gzipped or not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
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
static bool read_all(gzFile in, size_t most, char **text, size_t *size, struct diag *d)
{
    size_t room = 0;
    int got = 1, error;
    for (*size = 0; got > 0; *size += (size_t)got) {
        if (*size > most)
            return diag_set(d, 0, 0, "there is more than %zu MiB of text; expected less",
                            most >> 20);
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

size_t text_mark(const char *text, size_t size)
{
    return size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static char *past_mark(char *text, size_t *size)
{
    size_t mark = text_mark(text, *size);
    *size -= mark;
    return memmove(text, text + mark, *size);
}

char *text_load_most(const char *path, size_t most, size_t *size, struct diag *d)
{
    char *text = NULL;
    snprintf(d->file, sizeof d->file, "%s", is_stdio(path) ? "<stdin>" : path);
    gzFile in = open_in(path);
    if (!in) {
        diag_set(d, 0, 0, "cannot open (%s); expected a file to read", strerror(errno));
        return NULL;
    }
    bool good = read_all(in, most, &text, size, d);
    gzclose_r(in);
    if (good)
        return past_mark(text, size);
    free(text);
    return NULL;
}

char *text_load(const char *path, size_t *size, struct diag *d)
{
    return text_load_most(path, TEXT_FILE, size, d);
}
