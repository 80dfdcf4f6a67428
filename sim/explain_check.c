/* explain_check.c - whether a result holds what an explanation needs, and the machine in it.  A
 * result may have been edited: what is printed must not depend on what cannot be. */
#include <stdlib.h>
#include <string.h>

#include "sim/explain_inside.h"

#define CORES_MOST 65536        /* in a result that can be believed, as clocks of */
#define CLOCK_MOST 1e15

/* The section of `text`, sections indented by one, that holds that line; "" if none does. */
static void section_at(const char *text, unsigned line, char section[64])
{
    section[0] = '\0';
    for (unsigned l = 1; l < line && *text; l++) {
        if (text[0] == ' ' && text[1] == '"')
            snprintf(section, 64, "%.*s.", (int)strcspn(text + 2, "\""), text + 2);
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
}

static bool is_kind(const json_t *result, const struct machine *m, struct diag *d)
{
    const char *kind = report_string(result, "kind");
    const char *expected = machine_kind(m) == MACHINE_TPU ? "tpu" : "gpu";
    return strcmp(kind, expected) == 0
        || diag_set(d, 0, 0, "kind: \"%.40s\"; expected \"%s\", as its parameters have it", kind,
                    expected);
}

struct machine *explain_machine(const json_t *result, struct diag *d)
{
    const json_t *parameters = json_object_get(result, "parameters");
    char *text = json_is_object(parameters) ? json_dumps(parameters, JSON_INDENT(1)) : NULL;
    struct diag wrong = { .text = "" };
    char section[64];
    if (!text) {
        diag_set(d, 0, 0, "the result has no \"parameters\"; expected what --json of run writes");
        return NULL;
    }
    struct machine *m = machine_read_text(&figures_schema, text, strlen(text), "parameters",
                                          &wrong);
    if (!m) {
        section_at(text, wrong.line, section);
        diag_set(d, 0, 0, "parameters: %s%.400s", section, wrong.text);
    } else if (!is_kind(result, m, d)) {
        machine_free(m);
        m = NULL;
    }
    free(text);
    return m;
}

static bool has_plan(const json_t *op)
{
    return json_is_object(json_object_get(op, "plan"))
        && json_is_object(json_object_get(op, "counts"));
}

static bool is_between(double x, double least, double most) { return x >= least && x <= most; }

/* An op may be over at once, but not if it was under way. */
static bool has_times(const json_t *op, struct diag *d)
{
    static const char *const keys[] = { "start_s", "span_s", "time_s" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *time = json_object_get(op, keys[i]);
        double seconds = json_number_value(time);
        if (!json_is_number(time) || !is_between(seconds, 0, 1e6)
            || (i == 2 && seconds == 0 && report_number(op, "span_s") > 0))
            return diag_set(d, 0, 0, "%.80s: its %s is none; expected seconds, as --json of run "
                            "writes them", report_string(op, "name"), keys[i]);
    }
    return true;
}

/* What a GPU did, its kernels did. */
static bool has_launches(const json_t *result, const json_t *op, struct diag *d)
{
    const json_t *launches = json_object_get(result, "launches");
    if (strcmp(report_string(result, "kind"), "gpu") != 0 || report_number(op, "span_s") == 0)
        return true;
    for (size_t i = 0; i < json_array_size(launches); i++)
        if (strcmp(report_string(json_array_get(launches, i), "op"), report_string(op, "name"))
            == 0)
            return true;
    return diag_set(d, 0, 0, "%.80s: no launch of it in \"launches\"; expected what --json of run "
                    "writes", report_string(op, "name"));
}

static bool has_names(const json_t *op, struct diag *d)
{
    const json_t *names = json_object_get(op, "ops");
    bool is = json_is_array(names);
    for (size_t i = 0; i < json_array_size(names); i++)
        is = is && json_is_string(json_array_get(names, i));
    return is || diag_set(d, 0, 0, "an op without \"ops\", a list of names; expected what --json "
                          "of run writes");
}

bool explain_check(const json_t *result, const json_t *op, struct diag *d)
{
    if (!has_names(op, d))
        return false;
    if (!has_plan(op))
        return diag_set(d, 0, 0, "the result does not say how its ops were cut (\"plan\", "
                        "\"counts\"): an older version wrote it; expected one of this version: run "
                        "it again");
    if (!is_between(report_number(result, "clock_hz"), 1, CLOCK_MOST)
        || !is_between(report_number(result, "cores"), 1, CORES_MOST)
        || !(explain_at(result, "hbm", "peak_bytes_per_s") > 0))
        return diag_set(d, 0, 0, "the result lacks \"clock_hz\", \"cores\" or \"hbm\"; expected "
                        "what --json of run writes");
    return has_times(op, d) && has_launches(result, op, d);
}
