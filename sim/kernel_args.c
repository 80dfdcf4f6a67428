/* kernel_args.c - reading arguments, and comparing them with a kernel's parameters. */
#include "sim/kernel_args.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/numerics/bf16.h"
#include "sim/kernel_args_inside.h"

#define MOST_BYTES (UINT64_C(1) << 40)

const struct kernel_type kernel_types[] = {
    [GPU_B8]  = { "b8", 1, KERNEL_BITS },    [GPU_B16] = { "b16", 2, KERNEL_BITS },
    [GPU_B32] = { "b32", 4, KERNEL_BITS },   [GPU_B64] = { "b64", 8, KERNEL_BITS },
    [GPU_U8]  = { "u8", 1, KERNEL_UNSIGNED }, [GPU_U16] = { "u16", 2, KERNEL_UNSIGNED },
    [GPU_U32] = { "u32", 4, KERNEL_UNSIGNED }, [GPU_U64] = { "u64", 8, KERNEL_UNSIGNED },
    [GPU_S8]  = { "s8", 1, KERNEL_SIGNED },  [GPU_S16] = { "s16", 2, KERNEL_SIGNED },
    [GPU_S32] = { "s32", 4, KERNEL_SIGNED }, [GPU_S64] = { "s64", 8, KERNEL_SIGNED },
    [GPU_F16] = { "f16", 2, KERNEL_FLOAT },  [GPU_BF16] = { "bf16", 2, KERNEL_FLOAT },
    [GPU_F32] = { "f32", 4, KERNEL_FLOAT },  [GPU_F64] = { "f64", 8, KERNEL_FLOAT },
};
#define TYPES (sizeof kernel_types / sizeof kernel_types[0])

/* A piece of the text, up to the next ',' or ':'. */
struct piece { char *text; unsigned column; };

#define BLANKS " \t\r\n"

/* Cuts `*rest` at the first of `ends`; the piece is what was before it, without blanks around. */
static struct piece cut(struct piece *rest, const char *ends)
{
    struct piece p = *rest;
    size_t n = strcspn(p.text, ends), before = strspn(p.text, BLANKS);
    rest->column += (unsigned)n;
    rest->text += n;
    if (*rest->text != '\0') {
        *rest->text++ = '\0';
        rest->column++;
    }
    before = before < n ? before : n;
    while (n > before && strchr(BLANKS, p.text[n - 1]))
        p.text[--n] = '\0';
    return (struct piece){ p.text + before, p.column + (unsigned)before };
}

static bool wrong(struct diag *d, const struct piece *p, const char *expected)
{
    return diag_set(d, 1, p->column, "%.60s: expected %s", p->text[0] ? p->text : "nothing",
                    expected);
}

static bool find_type(const struct piece *p, enum gpu_scalar *type)
{
    for (size_t i = 0; i < TYPES; i++)
        if (strcmp(p->text, kernel_types[i].name) == 0) {
            *type = (enum gpu_scalar)i;
            return true;
        }
    return false;
}

static bool unknown_type(struct diag *d, const struct piece *p, bool argument)
{
    const char *names[TYPES + 2];
    for (size_t i = 0; i < TYPES; i++)
        names[i] = kernel_types[i].name;
    names[TYPES] = "buf";
    names[TYPES + 1] = "bytes";
    const char *near = diag_nearest(p->text, names, argument ? TYPES + 2 : TYPES);
    const char *given = p->text[0] ? p->text : "nothing";
    if (near)
        return diag_set(d, 1, p->column, "%.40s: no such type; did you mean %s?", given, near);
    return diag_set(d, 1, p->column, "%.40s: no such type; expected %su8, s32, f16, f32, ...",
                    given, argument ? "buf:NAME=SIZE, or TYPE:VALUE with " : "");
}

/* ---- numbers ---- */

static bool set_integer(struct kernel_arg *a, const struct piece *p, struct diag *d)
{
    const struct kernel_type *t = &kernel_types[a->type];
    const char *digits = p->text + (p->text[0] == '-');
    bool negative = p->text[0] == '-', hex = digits[0] == '0' && tolower(digits[1]) == 'x';
    char *end;
    errno = 0;
    uint64_t v = isdigit((unsigned char)digits[0]) ? strtoull(digits, &end, hex ? 16 : 10) : 0;
    unsigned bits = 8 * t->bytes;
    uint64_t most = UINT64_MAX >> (64 - bits), half = UINT64_C(1) << (bits - 1);
    if (!isdigit((unsigned char)digits[0]) || *end != '\0')
        return wrong(d, p, "a whole number, as 12, -3 or 0xff");
    if (errno || v > (t->class == KERNEL_SIGNED && !hex && !negative ? half - 1 : most)
        || (negative && (t->class == KERNEL_UNSIGNED ? v > 0 : v > half)))
        return diag_set(d, 1, p->column, "%.40s does not fit %s; expected a number of %u bits",
                        p->text, t->name, bits);
    v = negative ? 0 - v : v;
    memcpy(a->bytes, &v, t->bytes);     /* the low bytes: all machines here are little-endian */
    return true;
}

void kernel_type_put(enum gpu_scalar type, double v, uint8_t *to)
{
    uint16_t half = type == GPU_F16 ? f16_from_f32((float)v) : bf16_from_f32((float)v);
    float single = (float)v;
    const void *from = type == GPU_F64 ? (const void *)&v
                     : type == GPU_F32 ? (const void *)&single : (const void *)&half;
    memcpy(to, from, kernel_types[type].bytes);
}

static bool is_infinite(const struct kernel_arg *a)
{
    static const uint64_t exponent[] = {
        [GPU_F16] = 0x7c00, [GPU_BF16] = 0x7f80, [GPU_F32] = 0x7f800000,
        [GPU_F64] = UINT64_C(0x7ff0000000000000),
    };
    uint64_t bits = 0, sign = UINT64_C(1) << (8 * a->size - 1);
    memcpy(&bits, a->bytes, a->size);
    return (bits & ~sign) == exponent[a->type];
}

static bool set_number(struct kernel_arg *a, const struct piece *p, struct diag *d)
{
    a->kind = KERNEL_ARG_NUMBER;
    a->size = kernel_types[a->type].bytes;
    if (kernel_types[a->type].class != KERNEL_FLOAT)
        return set_integer(a, p, d);
    char *end;
    errno = 0;
    double v = strtod(p->text, &end);
    bool is_large = errno == ERANGE && isinf(v);
    if (end == p->text || *end != '\0' || isspace((unsigned char)p->text[0]))
        return wrong(d, p, "a number, as 2.0, -1e-3, inf or nan");
    kernel_type_put(a->type, v, a->bytes);
    if (is_large || (isfinite(v) && is_infinite(a)))
        return diag_set(d, 1, p->column, "%.40s is too large for %s; expected less, or inf",
                        p->text, kernel_types[a->type].name);
    return true;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

static bool set_bytes(struct kernel_arg *a, const struct piece *p, struct diag *d)
{
    size_t n = strlen(p->text);
    a->kind = KERNEL_ARG_BYTES_GIVEN;
    if (n == 0 || n % 2 != 0 || n / 2 > KERNEL_ARG_BYTES)
        return wrong(d, p, "two hexadecimal digits a byte, of at most 256 bytes");
    for (size_t i = 0; i < n; i += 2) {
        int high = hex_digit(p->text[i]), low = hex_digit(p->text[i + 1]);
        if (high < 0 || low < 0)
            return wrong(d, p, "two hexadecimal digits a byte");
        a->bytes[i / 2] = (uint8_t)(high * 16 + low);
    }
    a->size = (uint32_t)(n / 2);
    return true;
}

/* ---- buffers ---- */

static bool set_size(struct kernel_arg *a, const struct piece *p, struct diag *d)
{
    char *end;
    errno = 0;
    uint64_t n = isdigit((unsigned char)p->text[0]) ? strtoull(p->text, &end, 10) : 0;
    uint32_t of = 1;
    if (n > 0 && *end == 'x') {
        struct piece type = { end + 1, p->column + (unsigned)(end + 1 - p->text) };
        if (!find_type(&type, &a->type))
            return unknown_type(d, &type, false);
        of = kernel_types[a->type].bytes;
    } else if (n == 0 || *end != '\0') {
        return wrong(d, p, "a size: bytes, as 16384, or elements, as 4096xf32");
    }
    if (errno || n > MOST_BYTES / of)
        return wrong(d, p, "a size of at most 2^40 bytes");
    a->buffer_bytes = n * of;
    return true;
}

static bool set_fill(struct kernel_arg *a, const struct piece *p, struct diag *d)
{
    struct piece type = { p->text + 7, p->column + 7 };
    if (strcmp(p->text, "zero") == 0)
        return true;
    a->fill = KERNEL_ARG_RANDOM;
    if (strcmp(p->text, "random") == 0)
        return true;
    if (strncmp(p->text, "random=", 7) == 0)
        return find_type(&type, &a->type) || unknown_type(d, &type, false);
    if (strncmp(p->text, "file=", 5) != 0 || p->text[5] == '\0')
        return wrong(d, p, "zero, random, random=TYPE or file=PATH");
    a->fill = KERNEL_ARG_FILE;
    a->path = strdup(p->text + 5);
    assert(a->path);
    return true;
}

static uint32_t find_buffer(const struct kernel_args *a, const char *name)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (a->arg[i].kind == KERNEL_ARG_BUFFER && strcmp(a->arg[i].name, name) == 0)
            return i;
    return UINT32_MAX;
}

static bool name_ok(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return n > 0 && n < KERNEL_ARG_NAME && name[n] == '\0' && !isdigit((unsigned char)name[0]);
}

/* NAME=SIZE[:FILL]; the argument is not counted yet. */
static bool set_buffer(const struct kernel_args *all, struct kernel_arg *a, struct piece rest,
                       struct diag *d)
{
    struct piece name = cut(&rest, "=");
    bool has_fill = strchr(rest.text, ':') != NULL;
    struct piece size = cut(&rest, ":"), fill = cut(&rest, "");
    a->kind = KERNEL_ARG_BUFFER;
    a->type = GPU_F32;
    a->same_as = all->count;
    if (!name_ok(name.text))
        return wrong(d, &name, "a buffer's name, up to 31 letters, digits and _");
    if (find_buffer(all, name.text) != UINT32_MAX)
        return wrong(d, &name, "another name: there is such a buffer");
    memcpy(a->name, name.text, strlen(name.text) + 1);
    uint32_t other = find_buffer(all, size.text);
    if (other == UINT32_MAX)
        return set_size(a, &size, d) && (!has_fill || set_fill(a, &fill, d));
    if (has_fill)
        return wrong(d, &fill, "nothing: the memory is another buffer's");
    a->same_as = all->arg[other].same_as;
    a->buffer_bytes = all->arg[other].buffer_bytes;
    return true;
}

static bool add(struct kernel_args *all, struct piece p, struct diag *d)
{
    struct piece what = cut(&p, ":"), value = cut(&p, "");
    if (all->count == KERNEL_ARGS_MOST)
        return wrong(d, &what, "at most 128 arguments");
    struct kernel_arg *a = &all->arg[all->count];
    *a = (struct kernel_arg){ .column = what.column, .same_as = all->count };
    bool ok;
    if (strcmp(what.text, "buf") == 0)
        ok = set_buffer(all, a, value, d);
    else if (strcmp(what.text, "bytes") == 0)
        ok = set_bytes(a, &value, d);
    else
        ok = find_type(&what, &a->type) ? set_number(a, &value, d) : unknown_type(d, &what, true);
    all->count++;                       /* also a wrong one, whose path is to be freed */
    return ok;
}

bool kernel_args_parse(struct kernel_args *a, const char *text, struct diag *d)
{
    char *copy = strdup(text);
    assert(copy);
    snprintf(d->file, sizeof d->file, "--args");
    struct piece rest = { copy, 1 };
    bool ok = true, more = text[strspn(text, BLANKS)] != '\0';
    while (ok && more) {
        more = strchr(rest.text, ',') != NULL;
        ok = add(a, cut(&rest, ","), d);
    }
    free(copy);
    return ok;
}

void kernel_args_free(struct kernel_args *a)
{
    for (uint32_t i = 0; i < a->count; i++)
        free(a->arg[i].path);
    a->count = 0;
}

uint32_t kernel_args_buffer(const struct kernel_args *a, const char *name, struct diag *d)
{
    uint32_t found = find_buffer(a, name);
    const char *names[KERNEL_ARGS_MOST] = { NULL };
    size_t n = 0;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->arg[i].kind == KERNEL_ARG_BUFFER)
            names[n++] = a->arg[i].name;
    const char *near = diag_nearest(name, names, n);
    if (found == UINT32_MAX && near)
        diag_set(d, 0, 0, "--dump %.40s: no such buffer; did you mean %s?", name, near);
    else if (found == UINT32_MAX)
        diag_set(d, 0, 0, "--dump %.40s: no such buffer; expected one of --args", name);
    return found;
}

/* ---- the kernel's parameters ---- */

/* "f32", or "16 bytes" of a struct. */
static const char *param_what(const struct gpu_param *p, char text[32])
{
    if (p->is_array)
        snprintf(text, 32, "bytes:, %u of them", p->bytes);
    else
        snprintf(text, 32, "%s", kernel_types[p->scalar].name);
    return text;
}

static bool fits(const struct kernel_arg *a, const struct gpu_param *p)
{
    const struct kernel_type *t = &kernel_types[p->is_array ? GPU_B8 : p->scalar];
    if (a->kind == KERNEL_ARG_BUFFER)
        return !p->is_array && p->bytes == 8 && t->class != KERNEL_FLOAT;
    if (a->kind == KERNEL_ARG_BYTES_GIVEN)
        return a->size == p->bytes;
    if (p->is_array || a->size != p->bytes)
        return false;
    enum kernel_class given = kernel_types[a->type].class;
    return t->class == KERNEL_BITS || given == KERNEL_BITS
        || (t->class == KERNEL_FLOAT) == (given == KERNEL_FLOAT);
}

static bool does_not_fit(const struct kernel_args *all, uint32_t i, const struct gpu_kernel *k,
                         struct diag *d)
{
    const struct kernel_arg *a = &all->arg[i];
    const struct gpu_param *p = &k->params[i];
    char what[32], count[32];
    snprintf(count, sizeof count, "%u bytes", a->size);
    const char *given = a->kind == KERNEL_ARG_BUFFER ? "a buffer"
                      : a->kind == KERNEL_ARG_BYTES_GIVEN ? count : kernel_types[a->type].name;
    return diag_set(d, 1, a->column, "argument %u is %s, but parameter %.40s of %.60s is not; "
                    "expected %s%s", i + 1, given, p->name, k->name, param_what(p, what),
                    !p->is_array && p->bytes == 8 && kernel_types[p->scalar].class != KERNEL_FLOAT
                    ? " or a buffer" : "");
}

bool kernel_args_check(const struct kernel_args *a, const struct gpu_kernel *k, struct diag *d)
{
    snprintf(d->file, sizeof d->file, "--args");
    if (a->count != k->param_count) {
        char list[256] = "", what[32];
        for (uint32_t i = 0, n = 0; i < k->param_count && n + 40 < sizeof list; i++)
            n += (uint32_t)snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "",
                                    param_what(&k->params[i], what));
        return diag_set(d, 1, 1, "%u arguments, but %.60s has %u parameters; expected %s",
                        a->count, k->name, k->param_count, list[0] ? list : "none");
    }
    for (uint32_t i = 0; i < a->count; i++)
        if (!fits(&a->arg[i], &k->params[i]))
            return does_not_fit(a, i, k, d);
    return true;
}
