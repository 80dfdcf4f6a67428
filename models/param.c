/* param.c - text to figure and back, by the type that the table gives.
 *
 * Numbers are decimal and nothing else: strtod alone would also take "nan", "inf", hex
 * and a trailing unit, each of which is a slip of the pen in a machine file.
 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/param.h"

/* The words that may end a name, and their unit's symbol. */
static const struct { const char *word, *symbol; } units[] = {
    { "fs",     "fs"    }, { "ps",      "ps"    }, { "ns",        "ns"   },
    { "us",     "us"    }, { "ms",      "ms"    }, { "s",         "s"    },
    { "hz",     "Hz"    }, { "mhz",     "MHz"   }, { "ghz",       "GHz"  },
    { "bits",   "bit"   }, { "bit",     "bit"   }, { "bytes",     "byte" },
    { "byte",   "byte"  }, { "kib",     "KiB"   }, { "mib",       "MiB"  },
    { "gib",    "GiB"   }, { "cycles",  "cycle" }, { "cycle",     "cycle" },
    { "pj",     "pJ"    }, { "nj",      "nJ"    }, { "j",         "J"    },
    { "w",      "W"     }, { "mw",      "mW"    }, { "v",         "V"    },
    { "flops",  "FLOP"  }, { "flop",    "FLOP"  }, { "macs",      "MAC"  },
    { "mac",    "MAC"   }, { "percent", "%"     }, { "celsius",   "degC" },
    { "gbps",   "Gbit/s" }, { "gb",     "GB"    }, { "mm2",       "mm2"  },
    { "gflops", "GFLOP/s" },
};
#define UNITS (sizeof units / sizeof units[0])

/* The unit that the first `length` characters of `name` end in, or -1. */
static int ending(const char *name, size_t length)
{
    for (size_t i = 0; i < UNITS; i++) {
        size_t n = strlen(units[i].word);
        if (n > length || memcmp(name + length - n, units[i].word, n) != 0)
            continue;
        if (n == length || name[length - n - 1] == '_')
            return (int)i;
    }
    return -1;
}

/* Every "byte/cycle" there can be, made once: param_unit returns strings that stay. */
static const char *ratio(int over, int under)
{
    static char text[UNITS + 1][UNITS][16];
    char *t = text[over + 1][under];
    if (t[0] == '\0')
        snprintf(t, sizeof text[0][0], "%s/%s", over < 0 ? "1" : units[over].symbol,
                 units[under].symbol);
    return t;
}

const char *param_unit(const char *name)
{
    int unit = ending(name, strlen(name));
    if (unit < 0)
        return "1";
    const char *last = strrchr(name, '_');
    size_t      before = last == NULL ? 0 : (size_t)(last - name);
    if (before < 4 || memcmp(name + before - 4, "_per", 4) != 0)
        return units[unit].symbol;
    return ratio(ending(name, before - 4), unit);
}

/* Digits, or digits and a whole exponent (16e9), as a whole number. */
static bool whole(const char *text, uint64_t *value)
{
    char    *end;
    uint64_t v = 0;
    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    v = strtoull(text, &end, 10);
    if (errno != 0)
        return false;
    if (*end == 'e' && isdigit((unsigned char)end[1])) {
        unsigned long tens = strtoul(end + 1, &end, 10);
        for (; tens > 0 && v != 0; tens--)
            if (__builtin_mul_overflow(v, UINT64_C(10), &v))
                return false;
    }
    *value = v;
    return *end == '\0';
}

static size_t digits(const char **s)
{
    const char *from = *s;
    while (isdigit((unsigned char)**s))
        (*s)++;
    return (size_t)(*s - from);
}

/* [-+]digits[.digits][e[-+]digits] */
static bool decimal(const char *text, double *value)
{
    const char *s = text;
    if (*s == '-' || *s == '+')
        s++;
    size_t n = digits(&s);
    if (*s == '.') {
        s++;
        n += digits(&s);
    }
    if (n == 0)
        return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        if (*s == '-' || *s == '+')
            s++;
        if (digits(&s) == 0)
            return false;
    }
    *value = strtod(text, NULL);
    return *s == '\0';
}

/* The index of `value` among "open|closed". */
static bool chosen(const char *choices, const char *value, uint32_t *index)
{
    size_t   n = strlen(value);
    uint32_t i = 0;
    for (const char *c = choices; ; i++) {
        size_t length = strcspn(c, "|");
        if (length == n && n > 0 && memcmp(c, value, n) == 0) {
            *index = i;
            return true;
        }
        if (c[length] == '\0')
            return false;
        c += length + 1;
    }
}

static bool printable(const char *value)
{
    for (const char *c = value; *c != '\0'; c++)
        if (iscntrl((unsigned char)*c))
            return false;
    return strlen(value) < PARAM_TEXT;
}

/* Doubles hold every bound exactly; 15 digits show it as the table wrote it. */
static void expect(const struct param *p, char *expected, size_t size)
{
    switch (p->type) {
    case PARAM_COUNT:
    case PARAM_SIZE:
        snprintf(expected, size, "a whole number, %.0f to %.15g", p->min, p->max);
        break;
    case PARAM_REAL:
        snprintf(expected, size, "a number, %.15g to %.15g", p->min, p->max);
        break;
    case PARAM_CHOICE:
        snprintf(expected, size, "one of %s", p->choices);
        break;
    case PARAM_STRING:
        snprintf(expected, size, "a text of at most %d plain characters", PARAM_TEXT - 1);
        break;
    }
}

static bool set_count(const struct param *p, void *field, const char *value)
{
    uint64_t v;
    if (!whole(value, &v) || (double)v < p->min || (double)v > p->max)
        return false;
    if (p->type == PARAM_SIZE) {
        memcpy(field, &v, sizeof v);
        return true;
    }
    uint32_t narrow = (uint32_t)v;
    assert(narrow == v);    /* the table's maximum fits the type */
    memcpy(field, &narrow, sizeof narrow);
    return true;
}

static bool set_real(const struct param *p, void *field, const char *value)
{
    double v;
    if (!decimal(value, &v) || !(v >= p->min && v <= p->max))
        return false;
    memcpy(field, &v, sizeof v);
    return true;
}

static bool set_choice(const struct param *p, void *field, const char *value)
{
    uint32_t index;
    if (!chosen(p->choices, value, &index))
        return false;
    memcpy(field, &index, sizeof index);
    return true;
}

static bool set_text(void *field, const char *value)
{
    if (!printable(value))
        return false;
    memset(field, 0, PARAM_TEXT);
    memcpy(field, value, strlen(value));
    return true;
}

bool param_set(const struct param *p, void *config, const char *value,
               char *expected, size_t size)
{
    void *field = (char *)config + p->offset;
    bool  ok = false;
    switch (p->type) {
    case PARAM_COUNT:
    case PARAM_SIZE:   ok = set_count(p, field, value);  break;
    case PARAM_REAL:   ok = set_real(p, field, value);   break;
    case PARAM_CHOICE: ok = set_choice(p, field, value); break;
    case PARAM_STRING: ok = set_text(field, value);      break;
    }
    if (!ok)
        expect(p, expected, size);
    return ok;
}

static uint64_t count_of(const struct param *p, const void *config)
{
    const char *field = (const char *)config + p->offset;
    uint64_t    wide;
    uint32_t    narrow;
    if (p->type == PARAM_SIZE) {
        memcpy(&wide, field, sizeof wide);
        return wide;
    }
    memcpy(&narrow, field, sizeof narrow);
    return narrow;
}

static double real_of(const struct param *p, const void *config)
{
    double v;
    memcpy(&v, (const char *)config + p->offset, sizeof v);
    return v;
}

/* The fewest digits that read back to the same double; 17 always do. */
static void print_real(double v, char *text, size_t size)
{
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, size, "%.*g", precision, v);
        if (strtod(text, NULL) == v)
            return;
    }
}

static void print_choice(const struct param *p, uint64_t index, char *text, size_t size)
{
    const char *c = p->choices;
    for (; index > 0; index--)
        c += strcspn(c, "|") + 1;
    snprintf(text, size, "%.*s", (int)strcspn(c, "|"), c);
}

void param_print(const struct param *p, const void *config, char *text, size_t size)
{
    assert(size > 0);
    switch (p->type) {
    case PARAM_COUNT:
    case PARAM_SIZE:
        snprintf(text, size, "%llu", (unsigned long long)count_of(p, config));
        return;
    case PARAM_REAL:
        print_real(real_of(p, config), text, size);
        return;
    case PARAM_CHOICE:
        print_choice(p, count_of(p, config), text, size);
        return;
    case PARAM_STRING:
        snprintf(text, size, "%s", (const char *)config + p->offset);
        return;
    }
}

double param_number(const struct param *p, const void *config)
{
    switch (p->type) {
    case PARAM_COUNT:
    case PARAM_SIZE:
    case PARAM_CHOICE: return (double)count_of(p, config);
    case PARAM_REAL:   return real_of(p, config);
    case PARAM_STRING: return 0;
    }
    abort();
}

const struct param *param_find(const struct param *table, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}
