/* kernel_args_fill.c - what is in the buffers before a kernel runs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/kernel_args_inside.h"
#include "traces/random.h"

static void fill_random(uint8_t *to, uint64_t bytes, enum gpu_scalar type, uint64_t seed)
{
    const struct kernel_type *t = &kernel_types[type];
    struct random_stream s = { seed };
    uint64_t at = 0;
    for (; at + t->bytes <= bytes; at += t->bytes) {
        uint64_t r = random_next(&s);
        if (t->class == KERNEL_FLOAT)
            kernel_type_put(type, (double)(r >> 11) * 0x1p-52 - 1, to + at);
        else
            memcpy(to + at, &r, t->bytes);
    }
    memset(to + at, 0, bytes - at);     /* less than an element */
}

static bool wrong_size(const struct kernel_arg *a, long size, struct diag *d)
{
    return diag_set(d, 1, a->column, "%.120s has %ld bytes; expected the %llu of buffer %s",
                    a->path, size, (unsigned long long)a->buffer_bytes, a->name);
}

static bool is_plain(const struct kernel_arg *a, struct diag *d)
{
    struct stat s;
    return stat(a->path, &s) != 0 || S_ISREG(s.st_mode)
        || diag_set(d, 1, a->column, "%.120s is not a plain file; expected one for buffer %s",
                    a->path, a->name);
}

static bool fill_file(const struct kernel_arg *a, uint8_t *to, struct diag *d)
{
    if (!is_plain(a, d))
        return false;
    FILE *in = fopen(a->path, "rb");
    if (!in)
        return diag_set(d, 1, a->column, "%.120s: %s; expected a file for buffer %s", a->path,
                        strerror(errno), a->name);
    bool ok = true;
    if (fseek(in, 0, SEEK_END) != 0 || ftell(in) < 0)
        ok = diag_set(d, 1, a->column, "%.120s: %s; expected a plain file", a->path,
                      strerror(errno));
    else if ((uint64_t)ftell(in) != a->buffer_bytes)
        ok = wrong_size(a, ftell(in), d);
    rewind(in);
    if (ok && fread(to, 1, a->buffer_bytes, in) != a->buffer_bytes)
        ok = diag_set(d, 1, a->column, "%.120s: %s; expected a file for buffer %s", a->path,
                      ferror(in) ? strerror(errno) : "it became shorter", a->name);
    fclose(in);
    return ok;
}

/* Each buffer has a stream of random numbers of its own. */
static bool make_buffer(const struct kernel_arg *a, uint32_t number, uint64_t seed,
                        struct gpu_memory *m, uint64_t *address, struct diag *d)
{
    *address = gpu_memory_add(m, a->name, a->buffer_bytes);
    if (*address == 0)
        return diag_set(d, 1, a->column, "no memory for %llu bytes of buffer %s; expected less",
                        (unsigned long long)a->buffer_bytes, a->name);
    uint8_t *bytes = gpu_memory_values(m) ? gpu_memory_at(m, *address, a->buffer_bytes, NULL)
                                          : NULL;
    uint64_t own = seed ^ (number + 1) * UINT64_C(0xd1342543de82ef95);
    if (bytes && a->fill == KERNEL_ARG_RANDOM)
        fill_random(bytes, a->buffer_bytes, a->type, own);
    return !bytes || a->fill != KERNEL_ARG_FILE || fill_file(a, bytes, d);
}

bool kernel_args_place(const struct kernel_args *a, const struct gpu_kernel *k, uint64_t seed,
                       struct gpu_memory *m, uint8_t *params, uint64_t *addresses,
                       struct diag *d)
{
    snprintf(d->file, sizeof d->file, "--args");
    for (uint32_t i = 0; i < a->count; i++) {
        const struct kernel_arg *x = &a->arg[i];
        addresses[i] = 0;
        if (x->kind != KERNEL_ARG_BUFFER) {
            memcpy(params + k->params[i].offset, x->bytes, x->size);
            continue;
        }
        if (x->same_as != i)
            addresses[i] = addresses[x->same_as];
        else if (!make_buffer(x, i, seed, m, &addresses[i], d))
            return false;
        memcpy(params + k->params[i].offset, &addresses[i], sizeof addresses[i]);
    }
    return true;
}
