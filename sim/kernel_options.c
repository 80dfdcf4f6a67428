/* kernel_options.c - see kernel_options.h. */
#include "sim/kernel_options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

static const struct option_row rows[] = { KERNEL_OPTIONS };
enum { ENTRY, GRID, BLOCK, ARGS, SHARED };

static int refuse(const struct options *o, int row, const char *expected)
{
    options_wrong(o, "--%s %.60s: expected %s", rows[row].name, o->value, expected);
    return -1;
}

/* "32", "16x16", "4x4x2". */
static bool shape(const char *text, uint32_t size[3])
{
    char *end = NULL;
    uint32_t n = 0;
    for (; n < 3 && isdigit((unsigned char)*text); text = end + 1) {
        errno = 0;
        unsigned long v = strtoul(text, &end, 10);
        if (errno || v == 0 || v > UINT32_MAX)
            return false;
        size[n++] = (uint32_t)v;
        if (*end != 'x')
            break;
    }
    while (n > 0 && n < 3)
        size[n++] = 1;
    return n == 3 && *end == '\0';
}

static int take_args(struct kernel_call *c, const struct options *o)
{
    struct diag d = { .text = "" };
    return kernel_args_parse(&c->args, o->value, &d) ? 1 : (diag_print(&d, stderr), -1);
}

static int take_shared(struct kernel_call *c, const struct options *o)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(o->value, &end, 10);
    if (!isdigit((unsigned char)o->value[0]) || errno || *end != '\0' || n > UINT32_MAX)
        return refuse(o, SHARED, "a whole number");
    c->shared_bytes = (uint32_t)n;
    return 1;
}

int kernel_options_take(struct kernel_call *c, const struct options *o, int i)
{
    switch (i) {
    case ENTRY:  c->entry = o->value; return 1;
    case GRID:   return shape(o->value, c->grid) ? 1 : refuse(o, i, "as 32 or 16x16");
    case BLOCK:  return shape(o->value, c->block) ? 1 : refuse(o, i, "as 256 or 16x16");
    case ARGS:   return take_args(c, o);
    case SHARED: return take_shared(c, o);
    default:     return 0;
    }
}

int kernel_options_check(const struct kernel_call *c, const struct options *o)
{
    if (c->grid[0] == 0)
        return options_wrong(o, "no --grid; expected it, as 32 or 16x16");
    if (c->block[0] == 0)
        return options_wrong(o, "no --block; expected it, as 256 or 16x16");
    return 0;
}
