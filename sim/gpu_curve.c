/* gpu_curve.c - see gpu_curve.h. */
#include "sim/gpu_curve.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define MOST_MHZ  10000
#define MOST_VOLT 10
#define NEAR      0.005         /* of the limit: near enough */

static bool wrong(struct diag *d, const char *text, const char *what)
{
    return diag_set(d, 0, 0, "power.voltages: %.60s: %s; expected points MHz:volt, rising, as "
                    "1095:0.75 1410:0.95", text, what);
}

/* One point; `*text` is left behind it and the blanks. */
static bool read_point(struct gpu_curve *c, const char **text, struct diag *d)
{
    char *end, *after;
    double mhz = strtod(*text, &end);
    double volts = *end == ':' ? strtod(end + 1, &after) : 0;
    if (end == *text || *end != ':' || after == end + 1 || (*after != '\0' && *after != ' '))
        return wrong(d, *text, "no point");
    if (!(mhz > 0 && mhz <= MOST_MHZ && volts > 0 && volts <= MOST_VOLT))
        return wrong(d, *text, "out of range");
    if (c->count > 0 && (mhz <= c->mhz[c->count - 1] || volts < c->volts[c->count - 1]))
        return wrong(d, *text, "not above the point before");
    if (c->count == GPU_CURVE_POINTS)
        return wrong(d, *text, "too many points");
    c->mhz[c->count] = mhz;
    c->volts[c->count++] = volts;
    while (*after == ' ')
        after++;
    *text = after;
    return true;
}

bool gpu_curve_parse(struct gpu_curve *c, const char *text, struct diag *d)
{
    c->count = 0;
    while (*text == ' ')
        text++;
    while (*text)
        if (!read_point(c, &text, d))
            return false;
    return true;
}

double gpu_curve_volts(const struct gpu_curve *c, double mhz)
{
    if (c->count == 0)
        return 1;
    if (mhz <= c->mhz[0])
        return c->volts[0];
    for (unsigned i = 1; i < c->count; i++)
        if (mhz <= c->mhz[i])
            return c->volts[i - 1] + (c->volts[i] - c->volts[i - 1])
                 * (mhz - c->mhz[i - 1]) / (c->mhz[i] - c->mhz[i - 1]);
    return c->volts[c->count - 1];
}

double gpu_run_watts(const struct gpu_run_power *r)
{
    return (r->chip_j + r->other_j) / r->seconds + r->chip_w + r->other_w;
}

/* The time at another clock: a part goes with the clock, as two runs show; with one run all
 * of it is taken to. */
static double seconds_at(const struct gpu_run_power *runs, unsigned count, double mhz)
{
    const struct gpu_run_power *b = &runs[count - 1];
    if (count == 1)
        return b->seconds * b->mhz / mhz;
    const struct gpu_run_power *a = &runs[count - 2];
    double slope = (a->seconds - b->seconds) / (1 / a->mhz - 1 / b->mhz);
    return b->seconds + (slope > 0 ? slope : 0) * (1 / mhz - 1 / b->mhz);
}

/* What the last run would have taken at another clock. */
static double watts_at(const struct gpu_curve *c, const struct gpu_run_power *runs,
                       unsigned count, double mhz)
{
    struct gpu_run_power r = runs[count - 1];
    double ratio = gpu_curve_volts(c, mhz) / gpu_curve_volts(c, r.mhz);
    r.chip_j *= ratio * ratio;
    r.chip_w *= ratio * ratio;
    r.seconds = seconds_at(runs, count, mhz);
    return gpu_run_watts(&r);
}

static bool tried(const struct gpu_run_power *runs, unsigned count, double mhz)
{
    for (unsigned i = 0; i < count; i++)
        if (fabs(runs[i].mhz - mhz) < 0.5)
            return true;
    return false;
}

double gpu_curve_next(const struct gpu_curve *c, double limit_w, const struct gpu_run_power *runs,
                      unsigned count)
{
    assert(count > 0);
    double watts = gpu_run_watts(&runs[count - 1]);
    bool at_limit = fabs(watts - limit_w) <= NEAR * limit_w;
    if (limit_w <= 0 || c->count == 0 || (count == 1 && watts <= limit_w) || at_limit
        || count == GPU_CURVE_RUNS)
        return 0;
    double low = c->mhz[0], high = runs[0].mhz;
    if (low > high)
        low = high;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (watts_at(c, runs, count, middle) > limit_w)
            high = middle;
        else
            low = middle;
    }
    double mhz = floor(low + 0.5);
    return tried(runs, count, mhz) ? 0 : mhz;
}
