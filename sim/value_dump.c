/* value_dump.c - see value_dump.h. */
#include "sim/value_dump.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "models/zeroed.h"

#define HEADER 128              /* bytes before the numbers: a multiple of 64 */

static bool failed(struct diag *d, const char *path)
{
    int error = errno;
    snprintf(d->file, sizeof d->file, "%s", path);
    return diag_set(d, 0, 0, "%s; expected a new folder that can be written", strerror(error));
}

/* ---- one file ---- */

/* "{'descr': '<f4', 'fortran_order': False, 'shape': (256, 784), }" padded with blanks. */
static void write_header(const struct trace_tensor *x, FILE *out)
{
    char text[HEADER - 10 + 1], shape[80] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < x->rank && used < sizeof shape; i++)
        used += (size_t)snprintf(shape + used, sizeof shape - used, "%" PRIu64 ",%s", x->shape[i],
                                 i + 1 < x->rank ? " " : "");
    snprintf(text, sizeof text, "{'descr': '<%s', 'fortran_order': False, 'shape': (%s), }",
             x->type == TRACE_I32 ? "i4" : "f4", shape);
    fwrite("\x93NUMPY\x01\x00", 1, 8, out);
    fputc(HEADER - 10, out);
    fputc(0, out);
    fprintf(out, "%-*s\n", HEADER - 11, text);
}

static void write_number(double value, enum trace_type type, FILE *out)
{
    uint32_t bits;
    float f = (float)value;
    if (type == TRACE_I32)
        bits = (uint32_t)(int32_t)value;
    else
        memcpy(&bits, &f, sizeof bits);
    for (int byte = 0; byte < 4; byte++)
        fputc((int)(bits >> 8 * byte & 0xff), out);
}

static bool write_file(const char *path, const struct trace_tensor *x, const double *values)
{
    FILE *out = fopen(path, "wb");
    if (!out)
        return false;
    write_header(x, out);
    for (uint64_t i = 0; i < trace_elements(x); i++)
        write_number(values[i], x->type, out);
    bool ok = !ferror(out);
    return fclose(out) == 0 && ok;
}

static bool write_tensor(const char *folder, const struct values *v, uint32_t tensor)
{
    const struct trace_tensor *x = &values_trace(v)->tensors[tensor];
    double *values = zeroed(trace_elements(x), sizeof *values);
    char path[PATH_MAX];
    bool ok = true;
    if (values_get(v, tensor, values)) {
        int n = snprintf(path, sizeof path, "%s/%s.npy", folder, x->name);
        ok = n > 0 && (size_t)n < sizeof path && write_file(path, x, values);
    }
    free(values);
    return ok;
}

/* ---- folders ---- */

static bool sub_folder(const struct value_dump *w, const char *name, char *path, size_t size)
{
    int n = snprintf(path, size, "%s/%s", w->beside, name);
    return n > 0 && (size_t)n < size;
}

static void remove_sub_folder(const struct value_dump *w, const char *name)
{
    char path[PATH_MAX], file[PATH_MAX];
    if (!sub_folder(w, name, path, sizeof path))
        return;
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL; ) {
        int n = snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        if (e->d_name[0] != '.' && n > 0 && (size_t)n < sizeof file)
            unlink(file);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

static void take_away(const struct value_dump *w)
{
    remove_sub_folder(w, "before");
    remove_sub_folder(w, "after");
    rmdir(w->beside);
}

static bool write_all(const struct value_dump *w, const char *name, const struct values *v,
                      bool given)
{
    const struct trace *t = values_trace(v);
    char path[PATH_MAX];
    bool ok = sub_folder(w, name, path, sizeof path) && mkdir(path, 0777) == 0;
    for (uint32_t i = 0; ok && i < t->tensor_count; i++)
        if (!given || trace_role_given(t->tensors[i].role))
            ok = write_tensor(path, v, i);
    return ok;
}

bool value_dump_begin(struct value_dump *w, const struct values *v, struct diag *d)
{
    int n = snprintf(w->beside, sizeof w->beside, "%s.XXXXXX", w->folder);
    errno = EEXIST;
    if (access(w->folder, F_OK) == 0)
        return failed(d, w->folder);
    errno = ENAMETOOLONG;
    if (n < 0 || (size_t)n >= sizeof w->beside || !mkdtemp(w->beside))
        return failed(d, w->folder);
    if (chmod(w->beside, 0755) == 0 && write_all(w, "before", v, true))
        return true;
    failed(d, w->folder);
    take_away(w);
    return false;
}

bool value_dump_end(struct value_dump *w, const struct values *v, bool good, struct diag *d)
{
    if (good && write_all(w, "after", v, false) && rename(w->beside, w->folder) == 0)
        return true;
    if (good)
        failed(d, w->folder);
    take_away(w);
    return false;
}
