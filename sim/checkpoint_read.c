/* checkpoint_read.c - reading a checkpoint, of which nothing is believed before it is there. */
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "sim/checkpoint_inside.h"

#define CHUNK (1u << 16)
#define EXPECTED "a checkpoint as simaccel train wrote it"

/* The file, unpacked piece by piece. */
struct source {
    FILE        *file;
    struct diag *diag;
    z_stream     z;
    bool         ended;             /* and its sum was right */
    size_t       at, have;          /* of `out` */
    unsigned char in[CHUNK], out[CHUNK];
};

static bool feed(struct source *s)
{
    errno = 0;
    s->z.next_in  = s->in;
    s->z.avail_in = (unsigned)fread(s->in, 1, sizeof s->in, s->file);
    if (s->z.avail_in > 0)
        return true;
    if (ferror(s->file))
        return diag_set(s->diag, 0, 0, "cannot read (%s); expected " EXPECTED,
                        strerror(errno));
    return diag_set(s->diag, 0, 0, "the file is cut short; expected all of " EXPECTED);
}

/* The next piece in `out`; false at the end, and after an error, which is then in the diag. */
static bool refill(struct source *s)
{
    s->at = s->have = 0;
    s->z.next_out  = s->out;
    s->z.avail_out = sizeof s->out;
    while (!s->ended && s->z.avail_out == sizeof s->out) {
        if (s->z.avail_in == 0 && !feed(s))
            return false;
        int status = inflate(&s->z, Z_NO_FLUSH);
        s->ended = status == Z_STREAM_END;
        if (status != Z_OK && status != Z_STREAM_END)
            return diag_set(s->diag, 0, 0, "damaged, or no checkpoint (%s); expected " EXPECTED,
                            s->z.msg != NULL ? s->z.msg : "no memory");
    }
    s->have = sizeof s->out - s->z.avail_out;
    return s->have > 0;
}

/* At least one byte is there to be taken. */
static bool more(struct source *s)
{
    return s->at < s->have || refill(s);
}

static bool expect_more(struct source *s, const char *what)
{
    return more(s) || diag_set(s->diag, 0, 0, "it ends within %s; expected all of " EXPECTED,
                               what);
}

/* Up to a newline, which is taken too and replaced by an end; the caller frees it.  NULL: the
 * reason is in the diag. */
static char *take_line(struct source *s, size_t most, size_t *size)
{
    char *line = NULL;
    *size = 0;
    for (bool whole = false; !whole;) {
        if (!expect_more(s, "its first lines"))
            break;
        const unsigned char *from = s->out + s->at, *newline = memchr(from, '\n', s->have - s->at);
        size_t n = newline != NULL ? (size_t)(newline - from) : s->have - s->at;
        if (*size + n > most) {
            diag_set(s->diag, 0, 0, "its first lines are too long; expected " EXPECTED);
            break;
        }
        line = realloc(line, *size + n + 1);
        if (line == NULL)
            abort();
        memcpy(line + *size, from, n);
        *size += n;
        line[*size] = '\0';
        whole = newline != NULL;
        s->at += n + whole;
    }
    if (s->diag->text[0] == '\0')
        return line;
    free(line);
    return NULL;
}

/* "simaccel-checkpoint 1" */
static bool read_format(struct source *s)
{
    static const char format[] = "simaccel-checkpoint ";
    size_t size, n = strlen(format);
    char *line = take_line(s, CHUNK, &size);
    if (line == NULL)
        return false;
    if (strncmp(line, format, n) != 0)
        diag_set(s->diag, 1, 1, "no checkpoint; expected " EXPECTED);
    else if (size != n + 1 || line[n] != '1')
        diag_set(s->diag, 1, (unsigned)n + 1, "version %.40s is not known; expected 1", line + n);
    free(line);
    return s->diag->text[0] == '\0';
}

static bool refuse_line(const struct source *s, const char *what)
{
    return diag_set(s->diag, 2, 0, "%s; expected " EXPECTED, what);
}

/* {"head":{...},"arrays":[...]}; NULL: the reason is in the diag.  The caller frees it. */
static json_t *read_line(struct source *s)
{
    size_t size;
    json_error_t error;
    char *line = take_line(s, CHECKPOINT_LINE_MAX, &size);
    if (line == NULL)
        return NULL;
    json_t *json = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error);
    free(line);
    if (json == NULL)
        diag_set(s->diag, 2, error.column > 0 ? (unsigned)error.column : 0,
                 "no JSON (%.80s); expected " EXPECTED, error.text);
    else if (!json_is_object(json_object_get(json, "head")))
        refuse_line(s, "there is no head");
    else if (!json_is_array(json_object_get(json, "arrays")))
        refuse_line(s, "there are no arrays");
    if (s->diag->text[0] == '\0')
        return json;
    json_decref(json);
    return NULL;
}

static void *resize(void *bytes, uint64_t size)
{
    bytes = realloc(bytes, size);
    if (bytes == NULL)
        abort();
    return bytes;
}

/* From the file's order of bytes to this computer's. */
static void turn_bytes(double *values, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        bits = le64toh(bits);
        memcpy(&values[i], &bits, sizeof bits);
    }
}

/* Room grows with what is there: a count alone takes none.  NULL: the reason is in the diag. */
static double *read_values(struct source *s, uint64_t count)
{
    uint64_t room = sizeof(double), size = count * sizeof(double), got = 0;
    unsigned char *bytes = resize(NULL, room);
    while (got < size) {
        if (!expect_more(s, "its arrays")) {
            free(bytes);
            return NULL;
        }
        uint64_t n = s->have - s->at < size - got ? s->have - s->at : size - got;
        if (got + n > room) {
            room  = 2 * (got + n) < size ? 2 * (got + n) : size;
            bytes = resize(bytes, room);
        }
        memcpy(bytes + got, s->out + s->at, n);
        got += n;
        s->at += n;
    }
    turn_bytes((double *)(void *)bytes, count);
    return (double *)(void *)bytes;
}

/* {"name":"tpu-v3/l1.w","count":8192} */
static bool read_array(struct source *s, struct checkpoint *c, const json_t *a, uint64_t *left)
{
    const char *name = json_string_value(json_object_get(a, "name"));
    const json_t *count = json_object_get(a, "count");
    json_int_t n = json_integer_value(count);
    if (name == NULL || name[0] == '\0' || !json_is_integer(count) || n < 0)
        return refuse_line(s, "an array without a name or a count");
    if (json_object_get(c->index, name) != NULL)
        return refuse_line(s, "two arrays of one name");
    if ((uint64_t)n > *left)
        return refuse_line(s, "more values than a checkpoint may hold");
    double *values = read_values(s, (uint64_t)n);
    if (values == NULL)
        return false;
    *left -= (uint64_t)n;
    checkpoint_own(c, name, values, (uint64_t)n);
    return true;
}

static bool read_arrays(struct source *s, struct checkpoint *c, const json_t *arrays)
{
    uint64_t left = CHECKPOINT_VALUES_MAX;
    for (size_t i = 0; i < json_array_size(arrays); i++)
        if (!read_array(s, c, json_array_get(arrays, i), &left))
            return false;
    return true;
}

/* Nothing comes after the arrays, and gzip's sum is right, which is known only then. */
static bool read_end(struct source *s)
{
    if (more(s) || (s->ended && (s->z.avail_in > 0 || fgetc(s->file) != EOF)))
        diag_set(s->diag, 0, 0, "there is more after its end; expected " EXPECTED);
    return s->diag->text[0] == '\0';
}

static struct checkpoint *read_all(struct source *s)
{
    json_t *line = read_format(s) ? read_line(s) : NULL;
    if (line == NULL)
        return NULL;
    struct checkpoint *c = checkpoint_new();
    json_decref(c->head);
    c->head = json_incref(json_object_get(line, "head"));
    bool good = read_arrays(s, c, json_object_get(line, "arrays")) && read_end(s);
    json_decref(line);
    if (good)
        return c;
    checkpoint_free(c);
    return NULL;
}

struct checkpoint *checkpoint_read(const char *path, struct diag *d)
{
    bool is_stdin = strcmp(path, "-") == 0;
    snprintf(d->file, sizeof d->file, "%s", is_stdin ? "<stdin>" : path);
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    if (file == NULL) {
        diag_set(d, 0, 0, "cannot open (%s); expected " EXPECTED, strerror(errno));
        return NULL;
    }
    struct source *s = calloc(1, sizeof *s);
    if (s == NULL)
        abort();
    s->file = file;
    s->diag = d;
    int status = inflateInit2(&s->z, 15 + 16);      /* any window, and gzip alone */
    assert(status == Z_OK);
    (void)status;
    struct checkpoint *c = read_all(s);
    inflateEnd(&s->z);
    free(s);
    if (!is_stdin)
        fclose(file);
    return c;
}
