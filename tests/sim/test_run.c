/* test_run.c - whole runs on a TPU: they end, their sums come out, and nothing that should
 * not matter does. */
#include "sim/experiment.h"

#include "sim/gemm.h"
#include "tests/sim/hostile.h"
#include "tests/suites.h"

static struct machine *machine_of(const char *name, const char *const *sets)
{
    struct diag d = { .text = "" };
    struct machine *m = machine_find(&figures_schema, name, &d);
    ck_assert_msg(m != NULL, "%s", d.text);
    for (; sets && *sets; sets++)
        ck_assert_msg(machine_set(m, *sets, "test", &d), "%s", d.text);
    return m;
}

static struct trace *net_of(const char *text)
{
    struct diag d = { .text = "" };
    struct net_options options = { .inference = false };
    struct trace *t = net_expand_memory(text, strlen(text), &options, &d);
    ck_assert_msg(t != NULL, "%s", d.text);
    return t;
}

static json_t *run(const struct experiment *e)
{
    struct diag d = { .text = "" };
    int status;
    json_t *o = experiment_run(e, &d, &status);
    ck_assert_msg(o != NULL, "%s", d.text);
    return o;
}

static double number(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

static double time_of(const struct experiment *e)
{
    json_t *o = run(e);
    double s = number(o, "time_s");
    json_decref(o);
    return s;
}

/* ---- every op */

static const struct { const char *machine; uint32_t cores; } hosts[] = {
    { "tpu-mini", 1 }, { "tpu-v3", 1 }, { "tpu-v3", 2 }, { "tpu-v4", 1 }, { "tpu-v4", 2 },
};

/* One op on some awkward shape, in this process. */
static int run_op(enum trace_op_kind kind, uint32_t host, const struct sizes *s, FILE *out)
{
    struct dice d = { s->lead[0] + s->letter[0] };
    struct trace *t = trace_new("op");
    if (kind == TRACE_ALL_REDUCE)       /* it changes what was made */
        hostile_op(t, TRACE_RELU, s, TRACE_F32, &d);
    if (!hostile_op(t, kind, s, TRACE_F32, &d) && kind != TRACE_ALL_REDUCE) {
        fprintf(out, "%s is no legal op here", op_rows[kind].name);
        return HOSTILE_FAULT;
    }
    t->batch = s->lead[0];
    struct hostile_run r = { .trace = t, .machine = machine_of(hosts[host].machine, NULL),
                             .lower = { .cores = hosts[host].cores } };
    return hostile_child(&r, out);
}

struct op_case { enum trace_op_kind kind; uint32_t host; };

/* Refused only by name, and only for the sake of several cores. */
static int run_op_shapes(void *arg, FILE *out)
{
    static const uint64_t rows[] = { 1, 7, 129 }, cols[] = { 1, 5, 130 };
    const struct op_case *c = arg;
    for (int i = 0; i < 18; i++) {
        struct sizes s = { .lead = { rows[i % 3], 3 }, .leads = 1 + (uint32_t)(i / 9) };
        for (int l = 0; l < 26; l++)
            s.letter[l] = cols[(i / 3 + l) % 3];
        char *text;
        size_t size;
        FILE *why = open_memstream(&text, &size);
        int status = run_op(c->kind, c->host, &s, why);
        fclose(why);
        bool named = strstr(text, op_rows[c->kind].name) && strstr(text, "--cores 1");
        if (status == HOSTILE_FAULT
            || (status == HOSTILE_REFUSED && !(hosts[c->host].cores > 1 && named))) {
            fprintf(out, "shapes %d: %s", i, text);
            return 1;
        }
        free(text);
    }
    return 0;
}

START_TEST(every_op_of_the_language_runs)
{
    struct op_case c = { .kind = (enum trace_op_kind)_i };
    for (c.host = 0; c.host < COUNT_OF(hosts); c.host++) {
        struct isolate_result r;
        bool ok = isolate_run(run_op_shapes, &c, 0, &r);
        ck_assert_msg(ok, "%s on %s, %u cores: %s%s", op_rows[c.kind].name,
                      hosts[c.host].machine, hosts[c.host].cores, r.text, r.bytes);
        isolate_free(&r);
    }
}
END_TEST

/* ---- anything on anything */

START_TEST(a_random_trace_on_a_random_machine_runs_or_is_refused)
{
    struct dice d = { (uint64_t)_i * 31 + 7 };
    struct machine *m = hostile_machine(&d);
    struct trace *t = roll(&d, 2) ? hostile_net(&d) : hostile_chain(&d);
    struct hostile_run h = { .machine = m, .trace = t };
    h.lower.highest = roll(&d, 8) == 0;
    h.lower.overlap = roll(&d, 8) == 0;
    struct isolate_result r;
    isolate_run(hostile_child, &h, 0, &r);
    ck_assert_msg(r.status == HOSTILE_RAN || (r.status == HOSTILE_REFUSED && r.bytes[0]),
                  "seed %d: %s%s", _i, r.text, r.bytes);
    isolate_free(&r);
    trace_free(t);
    machine_free(m);
}
END_TEST

/* ---- what must not matter */

static const char small_net[] = "simaccel-net 1\nname n\ninput 20\nbatch 9\ndense 130 relu\n"
                                "dense 7 softmax\nloss cross_entropy\noptimizer adam\n";

/* A window of 42 ns has halves and thirds. */
static const struct { const char *machine, *sets[4]; } chips[] = {
    { "tpu-v3", { "chip.fabric_ns=42", "ici.latency_ns=84" } },
    { "tpu-mini", { "chip.cores=3", "hbm.stacks=3", "chip.fabric_ns=42" } },
    { "tpu-v4", { "chip.fabric_ns=42" } },
};

struct looping { const struct machine *machine; const struct trace *trace; };

static int loop_child(void *arg, FILE *out)
{
    const struct looping *x = arg;
    const struct figures *f = machine_figures(x->machine);
    struct diag d = { .text = "" };
    struct tpu_lower_options options = { .cores = 0 };
    struct tpu_plan *plan = tpu_lower(&f->tpu, &f->hbm, x->trace, &options, &d);
    struct tpu_chip *c = tpu_chip_new(f, plan, TPU_MXU_FAST, &d);
    struct engine_result result;
    if (!loop_run(&c->engine, &result))
        return 1;
    json_t *o = tpu_result(c, x->machine, x->trace, &options, NULL);
    json_dumpf(o, out, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(o);
    tpu_chip_free(c);
    tpu_plan_free(plan);
    return 0;
}

static json_t *run_loop(const struct machine *m, const struct trace *t)
{
    struct looping x = { m, t };
    struct isolate_result r;
    ck_assert_msg(isolate_run(loop_child, &x, 0, &r), "%s%s", r.text, r.bytes);
    json_t *o = json_loadb(r.bytes, r.size, 0, NULL);
    isolate_free(&r);
    return o;
}

START_TEST(threads_windows_and_the_plain_loop_give_the_same_result)
{
    static const struct { unsigned threads, divisor; } ways[] = {
        { 2, 1 }, { 4, 1 }, { 1, 2 }, { 1, 3 }, { 4, 3 },
    };
    struct machine *m = machine_of(chips[_i].machine, chips[_i].sets);
    struct trace *t = net_of(small_net);
    struct experiment e = { .machine = m, .trace = t, .threads = 1 };
    json_t *first = run(&e), *loop = run_loop(m, t);
    ck_assert(json_equal(first, loop));
    json_decref(loop);
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        e.threads = ways[i].threads;
        e.window_divisor = ways[i].divisor;
        json_t *o = run(&e);
        ck_assert_msg(json_equal(first, o), "%u threads, window / %u", ways[i].threads,
                      ways[i].divisor);
        json_decref(o);
    }
    json_decref(first);
    trace_free(t);
    machine_free(m);
}
END_TEST

static const char *const arrays[][5] = {
    { NULL },
    { "mxu.rows=3", "mxu.cols=5", "mxu.weight_buffers=1" },
    { "mxu.rows=7", "mxu.cols=2", "core.mxus=3", "core.partial_sums=accumulators" },
    { "mxu.dataflow=output-stationary" },
    { "mxu.dataflow=output-stationary", "mxu.rows=5", "mxu.cols=3", "mxu.weight_buffers=1" },
    { "mxu.push_rows=3", "mxu.latency_cycles=40", "mxu.in_flight_rows=12", "core.mxus=2" },
};

START_TEST(exact_matrix_units_give_the_same_result)
{
    struct machine *m = machine_of("tpu-mini", arrays[_i]);
    struct trace *t = net_of(small_net);
    struct experiment e = { .machine = m, .trace = t };
    json_t *fast = run(&e);
    e.exact = true;
    json_t *exact = run(&e);
    ck_assert(json_equal(fast, exact));
    json_decref(fast);
    json_decref(exact);
    trace_free(t);
    machine_free(m);
}
END_TEST

/* ---- more is not slower, and nothing is faster than it can be */

static struct trace *gemm_of(uint64_t m, uint64_t k, uint64_t n, enum trace_type type)
{
    struct diag d = { .text = "" };
    struct gemm g = { .m = m, .k = k, .n = n, .type = type };
    struct trace *t = gemm_trace(&g, &d);
    ck_assert_msg(t != NULL, "%s", d.text);
    return t;
}

static const char *const limits[] = { "hbm", "launch", "weights", "overlap" };

/* Without refresh: what is done earlier may just meet one. */
START_TEST(without_a_limit_it_is_not_slower)
{
    static const char *const still[] = { "hbm.refresh=none", NULL };
    static const char *const machines[] = { "tpu-mini", "tpu-v3", "tpu-v4" };
    for (size_t i = 0; i < COUNT_OF(machines); i++) {
        struct machine *m = machine_of(machines[i], still);
        struct machine *ideal = machine_of(machines[i], still);
        struct trace *t = net_of(small_net);
        struct diag d = { .text = "" };
        struct experiment e = { .machine = m, .trace = t };
        double real = time_of(&e);
        e.machine = ideal;
        ck_assert_msg(experiment_idealize(ideal, &e.lower, limits[_i], &d), "%s", d.text);
        double best = time_of(&e);
        ck_assert_msg(best <= real, "%s without %s: %g s instead of %g", machines[i], limits[_i],
                      best, real);
        trace_free(t);
        machine_free(m);
        machine_free(ideal);
    }
}
END_TEST

START_TEST(a_random_product_is_under_both_roofs)
{
    struct dice d = { (uint64_t)_i + 300 };
    static const char *const machines[] = { "tpu-mini", "tpu-v3", "tpu-v5e" };
    uint64_t most = _i % 3 ? 1500 : 150;
    uint64_t m = 1 + roll(&d, most), k = 1 + roll(&d, most), n = 1 + roll(&d, most);
    struct machine *on = machine_of(machines[_i % 3], NULL);
    struct trace *t = gemm_of(m, k, n, TRACE_BF16);
    struct experiment e = { .machine = on, .trace = t, .lower = { .cores = 1 } };
    json_t *o = run(&e);
    double s = number(o, "time_s"), flops = 2.0 * (double)(m * k * n);
    double bytes = 2.0 * (double)(m * k + k * n + m * n);
    ck_assert(s >= flops / number(o, "peak_flops_per_s"));
    ck_assert(s >= bytes / number(json_object_get(o, "hbm"), "peak_bytes_per_s"));
    ck_assert_uint_eq((uint64_t)number(o, "macs"), m * k * n);
    json_decref(o);
    trace_free(t);
    machine_free(on);
}
END_TEST

/* ---- precision */

static const struct { enum trace_type type; bool highest; unsigned passes; } precisions[] = {
    { TRACE_F32, false, 1 }, { TRACE_F32, true, 6 }, { TRACE_BF16, true, 1 },
};

START_TEST(highest_multiplies_f32_six_times)
{
    for (uint32_t cores = 1; cores <= 2; cores++) {
        struct machine *m = machine_of("tpu-v3", NULL);
        struct trace *t = gemm_of(129, 130, 7, precisions[_i].type);
        struct experiment e = { .machine = m, .trace = t,
                                .lower = { .cores = cores, .highest = precisions[_i].highest } };
        json_t *o = run(&e);
        ck_assert_uint_eq((uint64_t)number(o, "macs"), 129 * 130 * 7 * precisions[_i].passes);
        json_decref(o);
        trace_free(t);
        machine_free(m);
    }
}
END_TEST

/* ---- figures that do not go together */

static const struct { const char *set, *words; } refused[] = {
    { "vmem.read_bytes=63",   "vmem.read_bytes: 63 is less than a matrix unit reads in a cycle; "
                              "expected at least 64" },
    { "vmem.write_bytes=31",  "expected at least 32" },
    { "chip.cores=2",         "hbm.stacks: 1 cannot be split over 2 cores" },
    { "mxu.rows=1024",        "no tile of it fits lower.tile_bytes, 49152" },
    { "lower.tile_bytes=65537", "larger than vector memory" },
    { "hbm.capacity_gib=0.0001", NULL },
};

START_TEST(figures_that_do_not_go_together_are_refused)
{
    struct machine *m = machine_of("tpu-mini", NULL);
    struct trace *t = net_of(small_net);
    struct experiment e = { .machine = m, .trace = t };
    struct diag d = { .text = "" };
    int status = 2;
    if (machine_set(m, refused[_i].set, "test", &d))
        ck_assert_ptr_null(experiment_run(&e, &d, &status));
    ck_assert_int_eq(status, 2);
    ck_assert_msg(!refused[_i].words || strstr(d.text, refused[_i].words), "%s", d.text);
    trace_free(t);
    machine_free(m);
}
END_TEST

Suite *run_suite(void)
{
    Suite *s = suite_create("run");
    TCase *t = tcase_create("anything");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, every_op_of_the_language_runs, 0, TRACE_OPS_COUNT);
    tcase_add_loop_test(t, a_random_trace_on_a_random_machine_runs_or_is_refused, 0, 300);
    suite_add_tcase(s, t);
    t = tcase_create("the same");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, threads_windows_and_the_plain_loop_give_the_same_result, 0,
                        COUNT_OF(chips));
    tcase_add_loop_test(t, exact_matrix_units_give_the_same_result, 0, COUNT_OF(arrays));
    suite_add_tcase(s, t);
    t = tcase_create("limits");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, without_a_limit_it_is_not_slower, 0, COUNT_OF(limits));
    tcase_add_loop_test(t, a_random_product_is_under_both_roofs, 0, 30);
    tcase_add_loop_test(t, highest_multiplies_f32_six_times, 0, COUNT_OF(precisions));
    tcase_add_loop_test(t, figures_that_do_not_go_together_are_refused, 0, COUNT_OF(refused));
    suite_add_tcase(s, t);
    return s;
}
