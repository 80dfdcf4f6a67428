/* compare_equal.c - see compare_equal.h. */
#include "sim/compare_equal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/figures.h"
#include "sim/report_field.h"
#include "sim/report_number.h"
#include "sim/report_table.h"

static const struct kind { const char *name, *says, *unit; } kinds[] = {
    [COMPARE_EQUAL_PEAK]      = { "peak", "peak at the highest clock", "FLOP/s" },
    [COMPARE_EQUAL_BANDWIDTH] = { "bandwidth", "peak of HBM's pins, before refreshes", "B/s" },
    [COMPARE_EQUAL_WATTS]     = { "watts", "average power", "W" },
};

static const struct figures *figures_of(const struct together *r)
{
    return machine_figures(r->experiment.machine);
}

static bool is_gpu(const struct together *r)
{
    return machine_kind(r->experiment.machine) == MACHINE_GPU;
}

/* The highest clock that a run may take, over the one that it took. */
static double head_room(const struct together *r)
{
    double mhz = report_number(r->result, "clock_hz") / 1e6;
    return is_gpu(r) && r->experiment.clock_mhz <= 0 && mhz > 0
         ? figures_of(r)->gpu.gpu.clock_mhz / mhz : 1;
}

static double measure(const struct together *r, enum compare_equal what)
{
    switch (what) {
    case COMPARE_EQUAL_PEAK:
        return report_number(r->result, "peak_flops_per_s") * head_room(r);
    case COMPARE_EQUAL_BANDWIDTH:
        return report_number(json_object_get(r->result, "hbm"), "peak_bytes_per_s");
    case COMPARE_EQUAL_WATTS:
        return report_number(r->result, "average_power_w");
    case COMPARE_EQUAL_NOT:
        break;
    }
    abort();
}

/* ---- changes ---- */

/* A machine that is being changed, and with what. */
struct change {
    struct machine *machine;
    json_t         *sets;
    struct diag    *d;
};

static bool set(struct change *c, const char *figure, double value, bool whole)
{
    char text[128];
    snprintf(text, sizeof text, whole ? "%s=%.0f" : "%s=%.9g", figure, value);
    json_array_append_new(c->sets, json_string(text));
    return machine_set(c->machine, text, "--equal", c->d);
}

/* Units to the nearest whole number, and the clock for what that leaves. */
static bool scale_peak(struct together *r, double factor, struct change *c)
{
    const struct figures *f = figures_of(r);
    bool gpu = is_gpu(r);
    double units = gpu ? f->gpu.sm.count : f->tpu.core.mxus;
    double clock = gpu ? f->gpu.gpu.clock_mhz : f->tpu.chip.clock_mhz;
    double scaled = floor(units * factor + 0.5);
    scaled = scaled < 1 ? 1 : scaled;
    double rest = factor * units / scaled;
    r->experiment.clock_mhz *= rest;
    return set(c, gpu ? "sm.count" : "core.mxus", scaled, true)
        && set(c, gpu ? "gpu.clock_mhz" : "chip.clock_mhz", clock * rest, false);
}

static bool scale_bandwidth(const struct together *r, double factor, struct change *c)
{
    const struct figures *f = figures_of(r);
    return set(c, "hbm.pin_gbps", f->hbm.pin_gbps * factor, false)
        && (factor <= 1 || (set(c, "hbm.ccd_s_ns", f->hbm.ccd_s_ns / factor, false)
                            && set(c, "hbm.ccd_l_ns", f->hbm.ccd_l_ns / factor, false)));
}

/* ---- runs ---- */

/* Runs `r` on the changed machine; its result takes the old one's place. */
static bool rerun(struct together *r, const struct change *c, unsigned jobs)
{
    json_t *old = r->result;
    r->experiment.machine = c->machine;
    together_run(r, 1, jobs);
    json_decref(old);
    return r->result || diag_set(c->d, 0, 0, "--equal: %s", r->diag.text);
}

#define NEAR 0.005              /* of the watts: near enough, as a GPU's limit is kept */
#define TRIES 12
#define SLOWEST 0.01            /* of a TPU's clock */

/* Power rises with the clock: the next one is on the line through the last two, and where that
 * leaves what is known to hold it, in the middle of it. */
static bool lower_clock(struct together *r, double watts, struct change *c, unsigned jobs)
{
    double top = figures_of(r)->tpu.chip.clock_mhz, low = SLOWEST * top, high = top;
    double mhz = top, taken = measure(r, COMPARE_EQUAL_WATTS), before = 0, taken_before = 0;
    for (int i = 0; i < TRIES && fabs(taken - watts) > NEAR * watts; i++) {
        double guess = mhz + (watts - taken) * number_ratio(mhz - before, taken - taken_before);
        before = mhz;
        taken_before = taken;
        mhz = guess > low && guess < high ? guess : (low + high) / 2;
        json_array_clear(c->sets);
        if (!set(c, "chip.clock_mhz", mhz, false) || !rerun(r, c, jobs))
            return false;
        taken = measure(r, COMPARE_EQUAL_WATTS);
        if (taken > watts)
            high = mhz;
        else
            low = mhz;
    }
    return true;
}

static bool limit_power(struct together *r, double watts, struct change *c, unsigned jobs)
{
    if (r->experiment.clock_mhz > 0)
        return diag_set(c->d, 0, 0, "--equal watts finds the clock; expected no --clock");
    return set(c, "power.limit_w", watts, false) && rerun(r, c, jobs);
}

static bool scale_watts(struct together *r, double watts, struct change *c, unsigned jobs)
{
    if (!(is_gpu(r) ? limit_power(r, watts, c, jobs) : lower_clock(r, watts, c, jobs)))
        return false;
    double taken = measure(r, COMPARE_EQUAL_WATTS);
    c->d->file[0] = '\0';
    return fabs(taken - watts) <= 2 * NEAR * watts
        || diag_set(c->d, 0, 0, "--equal watts: %s takes %.4g W at %.4g MHz, and cannot be brought "
                    "to %.4g W; expected machines that can", machine_name(r->experiment.machine),
                    taken, report_number(r->result, "clock_hz") / 1e6, watts);
}

/* False: it cannot be done. */
static bool scale(struct together *r, enum compare_equal what, double to, struct change *c,
                  unsigned jobs)
{
    double factor = number_ratio(to, measure(r, what));
    switch (what) {
    case COMPARE_EQUAL_PEAK:      return scale_peak(r, factor, c) && rerun(r, c, jobs);
    case COMPARE_EQUAL_BANDWIDTH: return scale_bandwidth(r, factor, c) && rerun(r, c, jobs);
    case COMPARE_EQUAL_WATTS:     return scale_watts(r, to, c, jobs);
    case COMPARE_EQUAL_NOT:       break;
    }
    abort();
}

/* ---- the whole ---- */

/* Whom the others are made equal to. */
static size_t reference(const struct together *runs, size_t count, enum compare_equal what)
{
    size_t least = 0;
    for (size_t i = 1; what == COMPARE_EQUAL_WATTS && i < count; i++)
        if (measure(&runs[i], what) < measure(&runs[least], what))
            least = i;
    return least;
}

static bool scale_one(struct together *r, enum compare_equal what, double to, unsigned jobs,
                      struct machine **machine, json_t *all, struct diag *d)
{
    double from = measure(r, what);
    struct change c = { machine_copy(r->experiment.machine), json_array(), d };
    *machine = c.machine;
    bool good = scale(r, what, to, &c, jobs);
    json_array_append_new(all, json_pack("{s:s, s:f, s:f, s:o}",
                                         "machine", machine_name(c.machine), "from", from,
                                         "to", good ? measure(r, what) : 0.0, "set", c.sets));
    return good;
}

json_t *compare_equal(struct together *runs, size_t count, enum compare_equal what, unsigned jobs,
                      struct machine **machines, struct diag *d)
{
    size_t like = reference(runs, count, what);
    double to = measure(&runs[like], what);
    json_t *all = json_array();
    bool good = true;
    for (size_t i = 0; good && i < count; i++)
        if (fabs(measure(&runs[i], what) - to) > 1e-9 * to)
            good = scale_one(&runs[i], what, to, jobs, &machines[i], all, d);
    json_t *o = json_pack("{s:s, s:s, s:f, s:o}", "what", kinds[what].name,
                          "like", machine_name(runs[like].experiment.machine), "value", to,
                          "machines", all);
    if (good)
        return o;
    json_decref(o);
    return NULL;
}

/* ---- text ---- */

static const struct kind *kind_of(const char *name)
{
    size_t i = COMPARE_EQUAL_PEAK;
    while (strcmp(kinds[i].name, name) != 0)
        i++;
    return &kinds[i];
}

static void machine_text(const json_t *m, const struct kind *k, FILE *out)
{
    char line[512], a[NUMBER_TEXT], b[NUMBER_TEXT];
    const json_t *one, *sets = json_object_get(m, "set");
    size_t n = (size_t)snprintf(line, sizeof line, "%s: %s -> %s by", report_string(m, "machine"),
                                number_si(a, report_number(m, "from"), k->unit),
                                number_si(b, report_number(m, "to"), k->unit));
    for (size_t i = 0; n < sizeof line && (one = json_array_get(sets, i)) != NULL; i++)
        n += (size_t)snprintf(line + n, sizeof line - n, " %s", json_string_value(one));
    table_text(line, out);
}

void compare_equal_text(const json_t *equal, FILE *out)
{
    const struct kind *k = kind_of(report_string(equal, "what"));
    const json_t *m, *all = json_object_get(equal, "machines");
    fprintf(out, "\nMade equal: %s, to that of %s; all else of each machine stays\n", k->says,
            report_string(equal, "like"));
    for (size_t i = 0; (m = json_array_get(all, i)) != NULL; i++)
        machine_text(m, k, out);
    if (json_array_size(all) == 0)
        table_text("They are equal as they are; nothing was changed.", out);
}
