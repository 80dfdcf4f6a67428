/* test_compare_rig.c - see compare_rig.h. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "sim/figures.h"
#include "tests/sim/compare_rig.h"
#include "traces/net.h"

static const char net[] = "simaccel-net 1\nname n\ninput 20\nbatch 9\ndense 130 gelu\n"
                          "dense 7 softmax\nloss cross_entropy\noptimizer adam\n";
const char *const compare_names[MACHINES] = { "tpu-mini", "gpu-mini", "tpu-v3", "v100" };

double number(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

void open_rig(struct rig *r)
{
    struct diag d = { .text = "" };
    struct net_options options = { .inference = false };
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    r->trace = net_expand_memory(net, strlen(net), &options, &d);
    ck_assert_msg(r->trace != NULL, "%s", d.text);
    for (int i = 0; i < MACHINES; i++) {
        struct machine *m = machine_find(&figures_schema, compare_names[i], &d);
        ck_assert_msg(m != NULL, "%s", d.text);
        r->runs[i].experiment = (struct experiment){ .machine = m, .trace = r->trace };
    }
}

void run_rig(struct rig *r, unsigned jobs)
{
    together_run(r->runs, MACHINES, jobs);
    for (int i = 0; i < MACHINES; i++) {
        ck_assert_msg(r->runs[i].result != NULL, "%s", r->runs[i].diag.text);
        r->results[i] = r->runs[i].result;
    }
}

void close_rig(struct rig *r)
{
    for (int i = 0; i < MACHINES; i++) {
        json_decref(r->results[i]);
        machine_free((struct machine *)r->runs[i].experiment.machine);
    }
    trace_free(r->trace);
}
