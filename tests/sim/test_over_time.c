/* test_over_time.c - recording moves nothing, and what it sums is what the result says. */
#include <math.h>
#include <string.h>

#include "sim/experiment.h"
#include "sim/report_field.h"
#include "tests/suites.h"
#include "traces/net.h"

static const char net[] =
    "simaccel-net 1\nname small\ninput 96\nbatch 64\ndense 128 relu\ndense 10 softmax\n"
    "loss cross_entropy\noptimizer adam lr=0.001 beta1=0.9 beta2=0.999 epsilon=1e-8\n";

static const char *const machines[] = { "tpu-mini", "tpu-v3", "tpu-v4", "v100", "a100" };

static struct trace *trace_of(void)
{
    struct diag d = { .text = "" };
    struct net_options options = { .inference = false };
    struct trace *t = net_expand_memory(net, strlen(net), &options, &d);
    ck_assert_msg(t != NULL, "%s", d.text);
    return t;
}

static json_t *run(const char *name, const struct recording_ask *ask, unsigned threads)
{
    struct diag d = { .text = "" };
    struct machine *m = machine_find(&figures_schema, name, &d);
    ck_assert_msg(m != NULL, "%s", d.text);
    struct trace *t = trace_of();
    struct experiment e = { .machine = m, .trace = t, .record = ask, .threads = threads };
    int status;
    json_t *o = experiment_run(&e, &d, &status);
    ck_assert_msg(o != NULL, "%s", d.text);
    trace_free(t);
    machine_free(m);
    return o;
}

static struct recording_ask asked(unsigned bins)
{
    struct recording_ask a = RECORDING_ASK;
    a.bins = bins;
    a.entries = a.detail = true;
    a.most = 1000;
    return a;
}

START_TEST(a_recorded_run_is_the_same_run)
{
    struct recording_ask ask = asked(64);
    json_t *plain = run(machines[_i], NULL, 1), *first = run(machines[_i], &ask, 1);
    json_t *second = run(machines[_i], &ask, 2);
    ck_assert(json_equal(first, second));
    ck_assert_int_eq(json_object_del(first, "over_time"), 0);
    ck_assert(json_equal(plain, first));
    json_decref(plain);
    json_decref(first);
    json_decref(second);
}
END_TEST

/* The sum of a series, in seconds: bins are bin_s long, the last to the end. */
static double total(const json_t *over, const json_t *series)
{
    const json_t *share = json_object_get(series, "share");
    double bin = report_number(over, "bin_s"), end = report_number(over, "end_s"), sum = 0;
    size_t bins = (size_t)report_number(over, "bins");
    ck_assert_uint_eq(json_array_size(share), bins);
    ck_assert(bin * (double)(bins - 1) < end && end <= bin * (double)bins * (1 + 1e-12));
    for (size_t i = 0; i < bins; i++) {
        double length = i + 1 < bins ? bin : end - bin * (double)i;
        ck_assert(json_real_value(json_array_get(share, i)) >= 0);
        sum += json_real_value(json_array_get(share, i)) * length;
    }
    return sum;
}

static const json_t *unit_of(const json_t *result, const char *name)
{
    size_t i;
    const json_t *u;
    json_array_foreach(json_object_get(result, "units"), i, u) {
        if (strcmp(json_string_value(json_object_get(u, "name")), name) == 0)
            return u;
    }
    return NULL;
}

/* What the result says, which was counted without the recorder. */
static double busy_of(const json_t *unit)
{
    static const char *const busy[] = { "stream", "busy", "issued", "read", "write" };
    double sum = 0;
    for (size_t i = 0; i < COUNT_OF(busy); i++)
        sum += json_number_value(json_object_get(json_object_get(unit, "states"), busy[i]));
    return sum;
}

/* L2's clock and the SMs' do not tick together: of each a few cycles. */
#define NEAR_S 5e-9

/* The result's states of a stack are stretched to the run's time, its bytes are not: each takes
 * its time of the pins, and a burst that is asked for in part takes it whole. */
static void check_memory(const json_t *result)
{
    const json_t *hbm = json_object_get(result, "hbm"), *u;
    double busy = 0, stacks = 0;
    size_t i;
    json_array_foreach(json_object_get(json_object_get(result, "over_time"), "units"), i, u) {
        if (strcmp(json_string_value(json_object_get(u, "kind")), "hbm") != 0)
            continue;
        busy += report_number(u, "busy_s");
        stacks++;
    }
    double least = report_number(hbm, "bytes") / (report_number(hbm, "peak_bytes_per_s") / stacks);
    ck_assert_msg(busy >= least * (1 - 1e-9) && busy <= least * 1.02, "%.9g, but %.9g", busy, least);
}

START_TEST(bins_add_up_to_the_units_of_the_result)
{
    struct recording_ask ask = asked(37);
    json_t *o = run(machines[_i], &ask, 1);
    const json_t *over = json_object_get(o, "over_time"), *u;
    unsigned found = 0;
    size_t i;
    json_array_foreach(json_object_get(over, "units"), i, u) {
        double sum = total(over, u);
        ck_assert(fabs(sum - report_number(u, "busy_s")) <= 1e-9 * sum + 1e-18);
        const json_t *unit = unit_of(o, json_string_value(json_object_get(u, "name")));
        const char *kind = json_string_value(json_object_get(u, "kind"));
        ck_assert_msg(unit || strcmp(kind, "channel") == 0, "no unit of a %s", kind);
        if (!unit || strcmp(kind, "hbm") == 0)
            continue;
        found++;
        ck_assert_msg(fabs(sum - busy_of(unit)) <= NEAR_S, "%s %s: %.9g, but %.9g", machines[_i],
                      json_string_value(json_object_get(u, "name")), sum, busy_of(unit));
    }
    ck_assert_uint_ge(found, 1);
    check_memory(o);
    ck_assert(report_number(over, "bins") <= 37);
    json_decref(o);
}
END_TEST

/* A stack is the mean of its channels. */
START_TEST(channels_make_their_stack)
{
    struct recording_ask ask = asked(16);
    json_t *o = run(machines[_i], &ask, 1);
    const json_t *list = json_object_get(json_object_get(o, "over_time"), "units"), *u, *c;
    size_t i, j, stacks = 0;
    json_array_foreach(list, i, u) {
        const char *name = json_string_value(json_object_get(u, "name"));
        double sum = 0, count = 0;
        if (strcmp(json_string_value(json_object_get(u, "kind")), "hbm") != 0)
            continue;
        json_array_foreach(list, j, c) {
            const char *channel = json_string_value(json_object_get(c, "name"));
            bool is_of = strncmp(channel, name, strlen(name)) == 0 && channel[strlen(name)] == '.';
            sum += is_of ? report_number(c, "busy_s") : 0;
            count += is_of;
        }
        ck_assert(count > 0 && sum > 0);
        ck_assert(fabs(sum / count - report_number(u, "busy_s")) < 1e-15);
        stacks++;
    }
    ck_assert_uint_gt(stacks, 0);
    json_decref(o);
}
END_TEST

Suite *over_time_suite(void)
{
    Suite *s = suite_create("over_time");
    TCase *t = tcase_create("over_time");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, a_recorded_run_is_the_same_run, 0, COUNT_OF(machines));
    tcase_add_loop_test(t, bins_add_up_to_the_units_of_the_result, 0, COUNT_OF(machines));
    tcase_add_loop_test(t, channels_make_their_stack, 0, COUNT_OF(machines));
    suite_add_tcase(s, t);
    return s;
}
