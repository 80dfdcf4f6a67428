/* compare_change.c - see compare_change.h: which changes, the machines that have them, the runs. */
#include "sim/compare_change.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/gpu_curve.h"
#include "sim/report_field.h"

/* Figures that are doubled; with a '/' before, halved; with a '~', a curve of voltages over
 * clocks, whose clocks are doubled at the same voltages. */
#define MEMORY_RATE "hbm.pin_gbps /hbm.ccd_s_ns /hbm.ccd_l_ns"
#define MEMORY_PRICES "/energy.hbm_activate_pj /energy.hbm_read_pj /energy.hbm_write_pj " \
                      "/energy.hbm_refresh_pj /energy.hbm_closed_w /energy.hbm_open_w"

static const struct change {
    enum machine_kind kind;
    const char *name, *figures;
} changes[] = {
    { MACHINE_TPU, "HBM rate",       MEMORY_RATE },
    { MACHINE_TPU, "HBM refresh",    "/hbm.rfc_ns" },
    { MACHINE_TPU, "clock",          "chip.clock_mhz" },
    { MACHINE_TPU, "matrix units",   "core.mxus" },
    { MACHINE_TPU, "vector unit",    "vpu.alu_slots vpu.load_slots vpu.store_slots" },
    { MACHINE_TPU, "vector memory",  "vmem.read_bytes vmem.write_bytes" },
    { MACHINE_TPU, "DMA",            "dma.load_bytes dma.store_bytes dma.in_flight_bytes" },
    { MACHINE_TPU, "fixed costs",    "/core.op_cycles /core.step_cycles /dma.load_setup_cycles "
                                     "/dma.store_setup_cycles /dma.done_cycles" },
    { MACHINE_TPU, "memory latency", "/chip.fabric_ns /hbm.front_ns" },
    { MACHINE_TPU, "core links",     "ici.gb_per_s /ici.latency_ns /ici.setup_cycles" },
    { MACHINE_GPU, "HBM rate",       MEMORY_RATE },
    { MACHINE_GPU, "memory latency", "/crossbar.latency_ns /l2.hit_cycles /l2.memory_ns" },
    { MACHINE_GPU, "SM clock, same voltages", "gpu.clock_mhz ~power.voltages" },
    { MACHINE_GPU, "SMs",            "sm.count" },
    { MACHINE_GPU, "tensor cores",   "/tensor.wmma_f16_interval /tensor.mma_k16_interval "
                                     "/tensor.mma_k8_interval /tensor.mma_tf32_interval "
                                     "tensor.peak_f16_macs" },
    { MACHINE_GPU, "FP32 lanes",     "/pipes.fp32_interval" },
    { MACHINE_GPU, "L2 rate",        "l2.bytes_per_cycle l2.port_bytes" },
    { MACHINE_GPU, "L2 size",        "l2.bytes" },
    { MACHINE_GPU, "launches",       "/launch.first_us /launch.next_us /launch.block_cycles" },
    { MACHINE_GPU, "fetch",          "/fetch.l0_miss_cycles /fetch.l1_miss_cycles" },
}, prices[] = {
    { MACHINE_TPU, "power at rest",          "/energy.mxu_static_w /energy.vpu_static_w "
                                             "/energy.chip_static_w /energy.idle_extra_w" },
    { MACHINE_TPU, "joules of HBM",          MEMORY_PRICES },
    { MACHINE_TPU, "joules of matrix units", "/energy.mac_pj /energy.mac_pad_pj "
                                             "/energy.weight_pj" },
    { MACHINE_TPU, "joules of vectors",      "/energy.vpu_pj /energy.eup_pj /energy.xlu_pj" },
    { MACHINE_TPU, "joules of vector memory", "/energy.vmem_read_pj /energy.vmem_write_pj "
                                             "/energy.dma_pj" },
    { MACHINE_GPU, "power at rest",          "/energy.idle_sm_w /energy.sm_static_w "
                                             "/energy.l2_static_w /energy.l2_awake_w "
                                             "/energy.constant_w" },
    { MACHINE_GPU, "joules of HBM",          MEMORY_PRICES },
    { MACHINE_GPU, "joules of issue",        "/energy.issue_pj /energy.fetch_pj" },
    { MACHINE_GPU, "joules of registers",    "/energy.operand_read_pj /energy.operand_write_pj" },
    { MACHINE_GPU, "joules of tensor cores", "/energy.tensor_pj" },
    { MACHINE_GPU, "joules of lanes",        "/energy.fp32_pj /energy.int_pj /energy.imad_pj "
                                             "/energy.fp16_pj /energy.sfu_pj /energy.convert_pj" },
    { MACHINE_GPU, "joules of shared memory, L1", "/energy.shared_pj /energy.l1_tag_pj "
                                             "/energy.l1_pj" },
    { MACHINE_GPU, "joules of L2, crossbar", "/energy.crossbar_pj /energy.l2_tag_pj /energy.l2_pj "
                                             "/energy.far_pj" },
};
#define CHANGES (sizeof changes / sizeof changes[0])
#define PRICES  (sizeof prices / sizeof prices[0])
#define TOGETHER 3

/* ---- a machine with a change ---- */

static const json_t *value_of(const json_t *parameters, const char *figure)
{
    char section[64];
    snprintf(section, sizeof section, "%.*s", (int)strcspn(figure, "."), figure);
    const json_t *s = json_object_get(parameters, section);
    return json_object_get(json_object_get(s, strchr(figure, '.') + 1), "value");
}

/* "power.voltages=2190:0.75 2820:0.95"; nothing for no curve. */
static void faster_curve(const char *figure, const char *curve, char *text, size_t size)
{
    struct gpu_curve c;
    struct diag d = { .text = "" };
    size_t n = 0;
    text[0] = '\0';
    if (!gpu_curve_parse(&c, curve, &d))
        return;
    for (unsigned i = 0; i < c.count && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%s%.9g:%.9g", i > 0 ? " " : figure,
                              i > 0 ? "" : "=", 2 * c.mhz[i], c.volts[i]);
}

/* The assignment that a word of `figures` stands for; a whole number stays one, and what is
 * nothing stays nothing: "". */
static void assignment(const json_t *parameters, const char *word, char *text, size_t size)
{
    const char *figure = word + strspn(word, "/~");
    const json_t *value = value_of(parameters, figure);
    double x = json_number_value(value) * (word[0] == '/' ? 0.5 : 2);
    text[0] = '\0';
    if (word[0] == '~')
        faster_curve(figure, json_string_value(value), text, size);
    else if (x > 0 && json_is_integer(value))
        snprintf(text, size, "%s=%.0f", figure, ceil(x));
    else if (x > 0)
        snprintf(text, size, "%s=%.9g", figure, x);
}

static json_t *assignments(const struct machine *m, const struct change *c)
{
    json_t *parameters = machine_json(m), *all = json_array();
    char words[320], text[PARAM_TEXT + 64], *rest;
    snprintf(words, sizeof words, "%s", c->figures);
    for (char *w = strtok_r(words, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) {
        assignment(parameters, w, text, sizeof text);
        if (text[0])
            json_array_append_new(all, json_string(text));
    }
    json_decref(parameters);
    return all;
}

/* NULL with the reason in `d` where a figure may not be that. */
static struct machine *with(const struct machine *from, const json_t *sets, struct diag *d)
{
    struct machine *m = machine_copy(from);
    const json_t *set;
    for (size_t i = 0; (set = json_array_get(sets, i)) != NULL; i++)
        if (!machine_set(m, json_string_value(set), "a change", d)) {
            machine_free(m);
            return NULL;
        }
    return m;
}

/* ---- the runs ---- */

/* A row and what is run for it; of a row whose figures are refused nothing is. */
struct rerun {
    json_t *row;
    const struct experiment *loser;
    struct together run;
};

static void prepare(struct rerun *r, const struct experiment *loser, json_t *row)
{
    struct diag d = { .text = "" };
    const json_t *sets = json_object_get(row, "set"), *set;
    struct machine *m = with(loser->machine, sets, &d);
    *r = (struct rerun){ .row = row, .loser = loser };
    r->run.experiment = *loser;
    r->run.experiment.machine = m;
    for (size_t i = 0; loser->clock_mhz > 0 && (set = json_array_get(sets, i)) != NULL; i++)
        if (strncmp(json_string_value(set), "gpu.clock_mhz=", 14) == 0)
            r->run.experiment.clock_mhz = 2 * loser->clock_mhz;
    if (!m)
        json_object_set_new(row, "message", json_string(d.text));
}

static void finish(struct rerun *r)
{
    static const char *const taken[] = { "time_s", "energy_j", "phases" };
    struct together *t = &r->run;
    for (size_t i = 0; t->result && i < sizeof taken / sizeof taken[0]; i++)
        json_object_set(r->row, taken[i], json_object_get(t->result, taken[i]));
    if (t->experiment.machine && !t->result)
        json_object_set_new(r->row, "message", json_string(t->diag.text));
    json_decref(t->result);
    machine_free((struct machine *)t->experiment.machine);
}

static void run_all(struct rerun *reruns, size_t count, unsigned jobs)
{
    struct together *runs = calloc(count + 1, sizeof *runs);
    size_t *of = calloc(count + 1, sizeof *of), used = 0;
    if (!runs || !of)
        abort();
    for (size_t i = 0; i < count; i++)
        if (reruns[i].run.experiment.machine) {
            of[used] = i;
            runs[used++] = reruns[i].run;
        }
    together_run(runs, used, jobs);
    for (size_t i = 0; i < used; i++)
        reruns[of[i]].run = runs[i];
    for (size_t i = 0; i < count; i++)
        finish(&reruns[i]);
    free(of);
    free(runs);
}

/* ---- a loser ---- */

static double time_of(const struct together *r)
{
    return report_number(r->result, "time_s");
}

static double energy_of(const struct together *r)
{
    return report_number(r->result, "energy_j");
}

static size_t least(const struct together *runs, size_t count,
                    double (*what)(const struct together *))
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (what(&runs[i]) < what(&runs[best]))
            best = i;
    return best;
}

/* Null if `than` is no better. */
static json_t *beaten_by(const struct together *run, const struct together *than,
                         double (*what)(const struct together *))
{
    return what(than) < what(run) ? json_string(machine_name(than->experiment.machine))
                                  : json_null();
}

static json_t *loser_json(const struct together *runs, size_t count, size_t which)
{
    const struct together *r = &runs[which];
    const struct together *fast = &runs[least(runs, count, time_of)];
    const struct together *thrifty = &runs[least(runs, count, energy_of)];
    return json_pack("{s:s, s:f, s:f, s:O, s:o, s:f, s:o, s:f, s:b, s:[], s:n}",
                     "machine", machine_name(r->experiment.machine), "time_s", time_of(r),
                     "energy_j", energy_of(r),
                     "phases", json_object_get(r->result, "phases"),
                     "faster", beaten_by(r, fast, time_of),
                     "faster_time_s", time_of(fast),
                     "thriftier", beaten_by(r, thrifty, energy_of),
                     "thriftier_energy_j", energy_of(thrifty),
                     "left_out", 0, "changes", "together");
}

static bool loses(const json_t *loser, const char *to)
{
    return json_is_string(json_object_get(loser, to));
}

static size_t add_rows(const struct change *table, size_t rows, const struct together *run,
                       json_t *loser, const char *of, struct rerun *reruns)
{
    size_t count = 0;
    for (size_t i = 0; i < rows; i++) {
        if (table[i].kind != machine_kind(run->experiment.machine))
            continue;
        json_t *row = json_pack("{s:s, s:s, s:o}", "name", table[i].name, "of", of, "set",
                                assignments(run->experiment.machine, &table[i]));
        json_array_append(json_object_get(loser, "changes"), row);
        prepare(&reruns[count++], &run->experiment, row);
        json_decref(row);
    }
    return count;
}

static size_t add_all_rows(const struct together *run, json_t *loser, struct rerun *reruns)
{
    size_t n = add_rows(changes, CHANGES, run, loser, "figures", reruns);
    if (loses(loser, "thriftier"))
        n += add_rows(prices, PRICES, run, loser, "prices", reruns + n);
    return n;
}

/* ---- what is cheap ---- */

/* What it takes to simulate a run, in operations of warps.  Measured on two machines of either
 * kind: about 3.2 million a second, or 2 GB of a TPU's HBM traffic. */
#define BYTES_AN_OPERATION 640.0
#define LITTLE 40e6

static double cost(const json_t *result)
{
    const json_t *launches = json_object_get(result, "launches"), *l;
    double sum = 0, again = report_number(result, "power_runs");
    if (!launches)
        return report_number(json_object_get(result, "hbm"), "bytes") / BYTES_AN_OPERATION;
    for (size_t i = 0; (l = json_array_get(launches, i)) != NULL; i++)
        sum += report_number(l, "operations") * report_number(l, "blocks_simulated")
             / report_number(l, "blocks");
    return sum * (again > 1 ? again : 1);
}

static size_t runs_of(const struct together *run, const json_t *loser)
{
    size_t count = 1;                                   /* those together */
    for (size_t i = 0; i < CHANGES; i++)
        count += changes[i].kind == machine_kind(run->experiment.machine);
    for (size_t i = 0; loses(loser, "thriftier") && i < PRICES; i++)
        count += prices[i].kind == machine_kind(run->experiment.machine);
    return count;
}

static bool is_cheap(const struct together *runs, size_t count, size_t which, const json_t *loser)
{
    double whole = 0;
    for (size_t i = 0; i < count; i++)
        whole += cost(runs[i].result);
    return (double)runs_of(&runs[which], loser) * cost(runs[which].result)
        <= (whole > LITTLE ? whole : LITTLE);
}

/* ---- those that gain most, together ---- */

/* Rows by time, of equal ones by name; those that failed at the end. */
static int by_time(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    bool failed_x = !json_object_get(x, "time_s"), failed_y = !json_object_get(y, "time_s");
    double s = report_number(x, "time_s"), t = report_number(y, "time_s");
    if (failed_x != failed_y)
        return failed_x ? 1 : -1;
    return s < t ? -1 : s > t ? 1 : strcmp(report_string(x, "name"), report_string(y, "name"));
}

static void sort_rows(json_t *loser)
{
    json_t *old = json_incref(json_object_get(loser, "changes")), *sorted = json_array();
    size_t count = json_array_size(old);
    json_t **rows = calloc(count + 1, sizeof(json_t *));
    if (!rows)
        abort();
    for (size_t i = 0; i < count; i++)
        rows[i] = json_array_get(old, i);
    qsort(rows, count, sizeof *rows, by_time);
    for (size_t i = 0; i < count; i++)
        json_array_append(sorted, rows[i]);
    free(rows);
    json_object_set_new(loser, "changes", sorted);
    json_decref(old);
}

/* A row of the first few that gain; NULL: there is one alone that wins, or no two that gain. */
static json_t *best_together(const json_t *loser)
{
    const json_t *all = json_object_get(loser, "changes"), *row;
    double before = report_number(loser, "time_s"), goal = report_number(loser, "faster_time_s");
    json_t *names = json_array(), *sets = json_array();
    bool wins = !loses(loser, "faster");
    for (size_t i = 0; (row = json_array_get(all, i)) != NULL; i++) {
        double time = report_number(row, "time_s");
        if (!json_object_get(row, "time_s") || time >= before || json_array_size(names) == TOGETHER
            || strcmp(report_string(row, "of"), "figures") != 0)
            continue;
        wins |= time < goal;
        json_array_append(names, json_object_get(row, "name"));
        json_array_extend(sets, json_object_get(row, "set"));
    }
    if (!wins && json_array_size(names) > 1)
        return json_pack("{s:o, s:o}", "names", names, "set", sets);
    json_decref(names);
    json_decref(sets);
    return NULL;
}

static void try_together(const struct together *const *of, json_t *losers, unsigned jobs)
{
    size_t count = json_array_size(losers), used = 0;
    struct rerun *reruns = calloc(count + 1, sizeof *reruns);
    if (!reruns)
        abort();
    for (size_t i = 0; i < count; i++) {
        json_t *loser = json_array_get(losers, i), *row = best_together(loser);
        if (!row)
            continue;
        json_object_set_new(loser, "together", row);
        prepare(&reruns[used++], &of[i]->experiment, row);
    }
    run_all(reruns, used, jobs);
    free(reruns);
}

json_t *compare_change(const struct together *runs, size_t count, enum compare_change_when when,
                       unsigned jobs)
{
    json_t *losers = json_array();
    const struct together **of = calloc(count + 1, sizeof *of);
    struct rerun *reruns = calloc(count * (CHANGES + PRICES) + 1, sizeof *reruns);
    size_t used = 0;
    if (!of || !reruns)
        abort();
    for (size_t i = 0; when != COMPARE_CHANGE_NONE && i < count; i++) {
        json_t *loser = loser_json(runs, count, i);
        if (loses(loser, "faster") || loses(loser, "thriftier")) {
            of[json_array_size(losers)] = &runs[i];
            json_array_append(losers, loser);
            if (when == COMPARE_CHANGE_ALL || is_cheap(runs, count, i, loser))
                used += add_all_rows(&runs[i], loser, reruns + used);
            else
                json_object_set_new(loser, "left_out", json_true());
        }
        json_decref(loser);
    }
    run_all(reruns, used, jobs);
    for (size_t i = 0; i < json_array_size(losers); i++)
        sort_rows(json_array_get(losers, i));
    try_together(of, losers, jobs);
    free(reruns);
    free(of);
    return losers;
}
