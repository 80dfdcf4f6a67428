/* report_number.c - see report_number.h. */
#include "sim/report_number.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct prefix { double unit; const char *name; } prefixes[] = {
    { 1e18, "E" }, { 1e15, "P" }, { 1e12, "T" }, { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" },
    { 1, "" }, { 1e-3, "m" }, { 1e-6, "u" }, { 1e-9, "n" }, { 1e-12, "p" }, { 1e-15, "f" },
};
#define PREFIXES (sizeof prefixes / sizeof prefixes[0])

/* The largest of which the value is at least `least`; else the smallest. */
static const struct prefix *prefix_for(double value, double least)
{
    size_t i = 0;
    while (i + 1 < PREFIXES && value / prefixes[i].unit < least)
        i++;
    return &prefixes[i];
}

/* Decimals that make `digits` digits of a value of 1 or more, once it is rounded. */
static int decimals_for(double value, int digits)
{
    double rounds_up = 10;
    for (int i = 1; i < digits; i++)
        rounds_up *= 10;
    rounds_up -= 0.5;                       /* 9999.5 for four digits: 999.95, 99.995, ... */
    int decimals = 0;
    while (decimals < digits - 1 && value * 10 < rounds_up) {
        value *= 10;
        decimals++;
    }
    return decimals;
}

const char *number_si(char text[NUMBER_TEXT], double value, const char *unit)
{
    if (!(value > 0)) {
        snprintf(text, NUMBER_TEXT, "0 %.16s", unit);
        return text;
    }
    const struct prefix *p = prefix_for(value, 0.99995);    /* rounds to 1.000 */
    double v = value / p->unit;
    int decimals = p->unit == 1 && v == floor(v) ? 0 : decimals_for(v, 4);
    snprintf(text, NUMBER_TEXT, "%.*f %s%.16s", decimals, v, p->name, unit);
    return text;
}

const char *number_plain(char text[NUMBER_TEXT], double value, int digits)
{
    int decimals = 0;
    if (value > 0)
        decimals = value >= 1 ? decimals_for(value, digits) : digits;
    for (double v = value; v > 0 && v < 0.1 && decimals < 12; v *= 10)
        decimals++;
    snprintf(text, NUMBER_TEXT, "%.*f", decimals, value > 0 ? value : 0.0);
    return text;
}

const char *number_percent(char text[NUMBER_TEXT], double fraction)
{
    double percent = 100 * fraction;
    if (percent > 0 && percent < 0.05)
        return number_plain(text, percent, 2);
    snprintf(text, NUMBER_TEXT, "%.1f", percent);
    return text;
}

struct number_scale number_scale(double whole)
{
    if (!(whole > 0))
        return (struct number_scale){ 1, "", 0 };
    const struct prefix *p = prefix_for(whole, 9.9995);
    double v = whole / p->unit;
    return (struct number_scale){ p->unit, p->name, v < 99.9995 ? 3 : v < 999.995 ? 2 : 1 };
}

const char *number_fixed(char text[NUMBER_TEXT], int64_t value, int decimals)
{
    int64_t one = 1;
    for (int i = 0; i < decimals; i++)
        one *= 10;
    if (decimals == 0)
        snprintf(text, NUMBER_TEXT, "%" PRId64, value);
    else
        snprintf(text, NUMBER_TEXT, "%" PRId64 ".%0*" PRId64, value / one, decimals,
                 value % one);
    return text;
}

double number_ratio(double a, double b)
{
    double r = b > 0 ? a / b : 0;
    return isfinite(r) ? r : 0;
}

struct fraction { double lost; size_t index; };

/* Who lost most by rounding down comes first; of equals the first. */
static int by_lost(const void *a, const void *b)
{
    const struct fraction *x = a, *y = b;
    if (x->lost != y->lost)
        return x->lost > y->lost ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

int64_t number_round(const double *parts, size_t count, double last_place, int64_t *rounded)
{
    struct fraction *order = malloc((count + 1) * sizeof *order);
    if (!order)
        abort();
    double sum = 0;
    int64_t below = 0;
    for (size_t i = 0; i < count; i++) {
        double part = number_ratio(parts[i] > 0 ? parts[i] : 0, last_place);
        sum += part;
        rounded[i] = (int64_t)floor(part);
        below += rounded[i];
        order[i] = (struct fraction){ part - floor(part), i };
    }
    int64_t whole = (int64_t)floor(sum + 0.5), missing = whole - below;
    qsort(order, count, sizeof *order, by_lost);
    for (size_t i = 0; i < count && missing > 0; i++, missing--)
        rounded[order[i].index]++;
    free(order);
    return whole - missing;
}
