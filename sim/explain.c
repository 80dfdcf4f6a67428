/* explain.c - see explain.h: finding the op, the frame of an explanation, what all machines
 * have in common. */
#include "sim/explain.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/explain_inside.h"
#include "sim/report_number.h"

#define LINE 512

/* ---- writing ---- */

void explain_section(struct explain *x, const char *format, ...)
{
    char title[LINE];
    va_list args;
    va_start(args, format);
    vsnprintf(title, sizeof title, format, args);
    va_end(args);
    x->lines = json_array();
    json_array_append_new(x->sections, json_pack("{s:s, s:o}", "title", title, "lines", x->lines));
}

double explain_line(struct explain *x, const char *name, double value, const char *unit,
                    const char *formula, const char *numbers, ...)
{
    char text[LINE];
    va_list args;
    va_start(args, numbers);
    vsnprintf(text, sizeof text, numbers, args);
    va_end(args);
    json_array_append_new(x->lines, json_pack("{s:s, s:o, s:s, s:s, s:s}", "name", name,
                          "value", report_finite(value), "unit", unit, "formula", formula,
                          "numbers", text[0] == ' ' ? "" : text));
    return value;
}

void explain_note(struct explain *x, const char *format, ...)
{
    char text[LINE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_array_append_new(x->lines, json_pack("{s:s}", "note", text));
}

const char *explain_digits(double value)
{
    static char texts[16][1 + NUMBER_TEXT];     /* a sign before the number */
    static unsigned next;
    char *text = texts[next++ % 16], *end;
    double whole = floor(value + 0.5);
    if (!isfinite(value)) {
        snprintf(text, NUMBER_TEXT, "-");
        return text;
    }
    if (fabs(value - whole) < 1e-6 && fabs(whole) < 1e15) {
        snprintf(text, NUMBER_TEXT, "%.0f", whole == 0 ? 0 : whole);
        return text;
    }
    text[0] = '-';
    number_plain(text + (value < 0), fabs(value), 6);
    for (end = text + strlen(text); strchr(text, '.') && (end[-1] == '0' || end[-1] == '.'); )
        *--end = '\0';
    return text;
}

/* ---- finding ---- */

/* Whether `name` is a group's, what stands before its "=", or one of its ops, with what it does
 * or without: "l1.product", "l1.h", "relu l1.h". */
static bool is_called(const json_t *op, const char *name)
{
    const char *whole = report_string(op, "name"), *equals = strstr(whole, " = ");
    size_t first = equals ? (size_t)(equals - whole) : strlen(whole);
    if (strcmp(whole, name) == 0 || (strlen(name) == first && strncmp(whole, name, first) == 0))
        return true;
    const json_t *inside = json_object_get(op, "ops");
    for (size_t i = 0; i < json_array_size(inside); i++) {
        const char *one = json_string_value(json_array_get(inside, i));
        const char *space = one ? strchr(one, ' ') : NULL;
        if (one && (strcmp(one, name) == 0 || (space && strcmp(space + 1, name) == 0)))
            return true;
    }
    return false;
}

static bool not_found(const json_t *ops, const char *name, struct diag *d)
{
    size_t count = json_array_size(ops), room = count * 2;
    const char **names = calloc(room + 1, sizeof *names);
    char (*firsts)[128] = calloc(count + 1, sizeof *firsts);
    if (!names || !firsts)
        abort();
    for (size_t i = 0; i < count; i++) {
        names[i] = report_string(json_array_get(ops, i), "name");
        snprintf(firsts[i], sizeof firsts[i], "%.127s", names[i]);
        char *equals = strstr(firsts[i], " = ");
        if (equals)
            *equals = '\0';
        names[count + i] = firsts[i];
    }
    const char *near = diag_nearest(name, names, room);
    if (near)
        diag_set(d, 0, 0, "%.80s: no such op; did you mean %.80s?", name, near);
    else
        diag_set(d, 0, 0, "%.80s: no such op; expected one that --list prints", name);
    free(firsts);
    free(names);
    return false;
}

bool explain_find(const json_t *result, const char *name, size_t *op, struct diag *d)
{
    const json_t *ops = json_object_get(result, "ops");
    const char *whole = NULL;
    for (size_t i = 0; i < json_array_size(ops); i++) {
        const json_t *one = json_array_get(ops, i);
        if (strcmp(report_string(one, "name"), name) == 0) {
            *op = i;
            return true;
        }
        if (!is_called(one, name))
            continue;
        if (whole)
            return diag_set(d, 0, 0, "%.80s: is in more than one op; expected one of \"%.95s\", "
                            "\"%.95s\"", name, whole, report_string(one, "name"));
        whole = report_string(one, "name");
        *op = i;
    }
    return whole ? true : not_found(ops, name, d);
}

/* ---- what all machines have ---- */

static void head(struct explain *x)
{
    const json_t *inside = json_object_get(x->op, "ops");
    explain_section(x, "What is computed");
    if (json_array_size(inside) == 0)
        explain_note(x, strcmp(report_string(x->op, "kind"), "kernel") == 0
                     ? "A user's kernel, launched by itself; no trace asked for it."
                     : "The lowering added this op; the trace does not have it.");
    else if (json_array_size(inside) == 1)
        explain_note(x, "One op of the trace: %s.", json_string_value(json_array_get(inside, 0)));
    else if (json_array_size(inside) > 1)
        explain_note(x, "%zu ops of the trace in one pass; one of them alone has no time of its "
                     "own:", json_array_size(inside));
    for (size_t i = 0; json_array_size(inside) > 1 && i < json_array_size(inside); i++)
        if (json_is_string(json_array_get(inside, i)))
            explain_note(x, "    %s", json_string_value(json_array_get(inside, i)));
}

void explain_bound(struct explain *x, const char *units, double peak)
{
    double flops = report_number(x->op, "flops"), bytes = report_number(x->op, "hbm_bytes");
    double rate = explain_at(x->result, "hbm", "peak_bytes_per_s");
    char formula[96];
    explain_section(x, "Arithmetic intensity and the roofline");
    if (bytes > 0) {
        double i = explain_line(x, "intensity", flops / bytes, "FLOP/byte", "flops / hbm_bytes",
                                "%s / %s", D(flops), D(bytes));
        snprintf(formula, sizeof formula, "peak FLOP/s of %s / peak bytes/s", units);
        double ridge = explain_line(x, "ridge", peak / rate, "FLOP/byte", formula, "%s / %s",
                                    D(peak), D(rate));
        explain_note(x, "The op is %s of the ridge: at the peaks %s would take longer.",
                     i < ridge ? "left" : "right", i < ridge ? "its bytes" : "its arithmetic");
    } else {
        explain_note(x, "It moves no bytes of HBM.");
    }
    x->least_bytes = explain_line(x, "its bytes of HBM, at the peak", bytes / rate * x->hz,
                                  "cycles",
                                  "hbm_bytes / peak bytes/s x clock", "%s / %s x %s", D(bytes),
                                  D(rate), D(x->hz));
}

/* They are at whole multiples of tREFI, of all of HBM at once. */
static void refreshes_line(struct explain *x)
{
    const struct hbm_config *h = &x->f->hbm;
    double from = report_number(x->op, "start_s") * 1e9;
    double to = from + report_number(x->op, "span_s") * 1e9;
    if (h->refresh == HBM_REFRESH_NONE || to <= from)
        return;
    double count = explain_line(x, "refreshes in its span",
        floor(to / h->refi_ns) - floor(from / h->refi_ns), "",
        "floor((start_s + span_s) / tREFI) - floor(start_s / tREFI)",
        "floor(%s / %s) - floor(%s / %s)", D(to), D(h->refi_ns), D(from), D(h->refi_ns));
    explain_line(x, "in which HBM stood still", count * h->rfc_ns * x->hz / 1e9, "cycles",
                 "refreshes x tRFC x clock", "%s x %s x %s / 1000", D(count), D(h->rfc_ns),
                 D(x->hz / 1e6));
}

static void difference_line(struct explain *x, double simulated)
{
    double less = x->cycles - simulated;
    explain_line(x, "difference", less, "cycles", "by hand - simulated", "%s - %s", D(x->cycles),
                 D(simulated));
    if (simulated > 0)
        explain_line(x, "of the simulated time", 100 * less / simulated, "%",
                     "difference / simulated", "%s / %s", D(less), D(simulated));
}

void explain_difference(struct explain *x)
{
    double simulated = report_number(x->op, "time_s") * x->hz;
    explain_section(x, "By hand, and simulated");
    explain_line(x, "by hand", x->cycles, "cycles", "", " ");
    explain_line(x, "simulated", simulated, "cycles", "time_s x clock", "%s us x %s MHz",
                 D(report_number(x->op, "time_s") * 1e6), D(x->hz / 1e6));
    difference_line(x, simulated);
    refreshes_line(x);
}

static json_t *finished(struct explain *x)
{
    double simulated = report_number(x->op, "time_s"), by_hand = x->cycles / x->hz;
    json_t *ops = json_object_get(x->op, "ops");
    return json_pack("{s:s, s:s, s:s, s:s, s:O, s:o, s:o, s:f, s:o, s:s, s:s, s:o, s:o, s:o, s:f}",
        "op", report_string(x->op, "name"), "machine", report_string(x->result, "machine"),
        "trace", report_string(x->result, "trace"), "kind", report_string(x->op, "kind"),
        "ops", ops, "sections", x->sections, "by_hand_s", report_finite(by_hand),
        "simulated_s", simulated,
        "difference", report_finite(simulated > 0 ? by_hand / simulated - 1 : 0),
        "limit", x->limit, "bound_by", report_string(x->op, "bound_by"),
        "least_compute_s", report_finite(x->least_compute / x->hz),
        "least_bytes_s", report_finite(x->least_bytes / x->hz),
        "energy_by_hand_j", report_finite(x->joules),
        "simulated_energy_j", report_number(x->op, "energy_j"));
}

json_t *explain_op(const json_t *result, size_t op, struct diag *d)
{
    const json_t *of = json_array_get(json_object_get(result, "ops"), op);
    if (!explain_check(result, of, d))
        return NULL;
    struct explain x = { .result = result, .number = op, .limit = "", .op = of,
                         .hz = report_number(result, "clock_hz"),
                         .cores = (uint32_t)report_number(result, "cores") };
    struct machine *m = explain_machine(result, d);
    if (!m)
        return NULL;
    x.f = machine_figures(m);
    x.sections = json_array();
    head(&x);
    (machine_kind(m) == MACHINE_TPU ? explain_tpu : explain_gpu)(&x);
    explain_energy(&x);
    json_t *o = finished(&x);
    machine_free(m);
    return o;
}
