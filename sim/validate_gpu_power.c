/* validate_gpu_power.c - what boards of GPUs draw in states that micro-kernels make.
 *
 * A state lasts.  So each is run twice, a few and many loops, and the energy of the difference
 * over its time is the power: how the launch begins and ends drops out.  At rest there are two
 * launches with a few and many microseconds between them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/experiment.h"
#include "sim/gemm.h"
#include "sim/gpu_states.h"
#include "sim/validate_csv.h"
#include "sim/validate_gpu.h"
#include "sim/validate_product.h"

struct spent { double joules, seconds; };

static bool spend(const struct machine *m, const struct gpu_state *s, uint32_t launches,
                  uint32_t loops, double clock_mhz, struct spent *out, struct diag *d)
{
    struct gpu_plan *p = gpu_state_plan(machine_figures(m), s, launches, loops, d);
    struct experiment e = { .machine = m, .plan = p, .clock_mhz = clock_mhz };
    int status;
    json_t *result = p ? experiment_run(&e, d, &status) : NULL;
    if (result)
        *out = (struct spent){ validate_field(result, "energy_j"),
                               validate_field(result, "time_s") };
    json_decref(result);
    gpu_plan_free(p);
    return result != NULL;
}

/* At rest the loops are microseconds between two launches that do next to nothing. */
static bool spend_resting(const struct machine *machine, const struct gpu_state *s, uint32_t us,
                          double clock_mhz, struct spent *out, struct diag *d)
{
    struct machine *m = machine_copy(machine);
    char gap[48];
    snprintf(gap, sizeof gap, "launch.next_us=%u", us);
    bool ok = machine_set(m, gap, "validate", d) && spend(m, s, 2, 1, clock_mhz, out, d);
    machine_free(m);
    return ok;
}

enum { CLOCK_MHZ, MACS_PER_S };

static double run_state(const struct validate_row *row, struct diag *d)
{
    const struct gpu_state *s = row->detail;
    struct spent few, many;
    double mhz = row->arg[CLOCK_MHZ];
    bool ok = s == &gpu_states[0]
        ? spend_resting(row->machine, s, s->few, mhz, &few, d)
          && spend_resting(row->machine, s, s->many, mhz, &many, d)
        : spend(row->machine, s, 1, s->few, mhz, &few, d)
          && spend(row->machine, s, 1, s->many, mhz, &many, d);
    return ok ? (many.joules - few.joules) / (many.seconds - few.seconds) : NAN;
}

void validate_state_row(struct validate_set *s, const struct machine *m,
                        const struct gpu_state *state, double clock_mhz, double measured)
{
    struct validate_row row = { .run = run_state, .machine = m, .judged = true,
                                .class = VALIDATE_NONE, .measured = measured, .detail = state,
                                .arg = { [CLOCK_MHZ] = clock_mhz } };
    snprintf(row.what, sizeof row.what, "%s, %s", machine_name(m), state->name);
    validate_add_row(s, &row);
}

/* ---- products at the limit ---- */

static json_t *run_gemm(const struct machine *m, const struct gemm *g, double clock_mhz,
                        struct diag *d)
{
    struct trace *t = gemm_trace(g, d);
    struct experiment e = { .machine = m, .trace = t, .sample = true, .clock_mhz = clock_mhz,
                            .lower = { .highest = g->type == TRACE_F32 } };
    int status;
    json_t *result = t ? experiment_run(&e, d, &status) : NULL;
    trace_free(t);
    return result;
}

static const struct limited {
    const char *name;           /* in power_chip.csv */
    enum trace_type type;
    bool calibrates;
    const char *note;
} limited[] = {
    { "bf16 GEMM 8192^3 cuBLAS (MAC/s), capped 400 W", TRACE_BF16, true, "energy.tensor_pj" },
    { "fp16 GEMM 8192^3 (MAC/s), capped", TRACE_F16, false, "" },
};
#define LIMITED (sizeof limited / sizeof limited[0])

/* Events of ours over the time of theirs, and what passes with time. */
static double watts_at(json_t *result, double seconds)
{
    const json_t *split = json_object_get(result, "energy_split");
    return !result ? NAN
        : (validate_field(split, "chip_j") + validate_field(split, "other_j")) / seconds
          + validate_field(split, "chip_w") + validate_field(split, "other_w");
}

/* Two blocks on each of 108 SMs. */
static double run_watts(const struct validate_row *row, struct diag *d)
{
    const struct limited *l = row->detail;
    struct gemm g = { .m = 1536, .k = 2048, .n = 2304, .type = l->type };
    json_t *result = run_gemm(row->machine, &g, row->arg[CLOCK_MHZ], d);
    double watts = watts_at(result, (double)(g.m * g.k * g.n) / row->arg[MACS_PER_S]);
    json_decref(result);
    return watts;
}

/* At the rate of ours. */
static double run_mhz(const struct validate_row *row, struct diag *d)
{
    const struct limited *l = row->detail;
    struct gemm g = { .m = 3072, .k = 4096, .n = 4608, .type = l->type };
    json_t *result = run_gemm(row->machine, &g, 0, d);
    double mhz = result ? validate_field(result, "clock_hz") / 1e6 : NAN;
    json_decref(result);
    return mhz;
}

/* ---- rows of an A100 ---- */

static const struct validate_set a100_power = {
    .title = "A100: power of states", .unit = "W", .mean_bar = 12,
    .about = "Power of a board at 1410 MHz (kiln @d8d0613c, NVML's energy counter), beside "
             "micro-kernels (models/gpu/kernels/micro.cu) on a100. Of products (1536 x 2048 "
             "x 2304, at the clock that 400 W left the measured ones) it is what ours spend over "
             "the time that theirs take, so that the FLOP/s are the same. Rows that calibrate a "
             "price name it, and are not judged.",
};
static const struct validate_set a100_clock = {
    .title = "A100: the clock that 400 W allow", .unit = "MHz", .each_bar = 5,
    .about = "The same source's products of 8192 cubed, here 3072 x 4096 x 4608 at our own "
             "rate, sampled. The price of a multiply-accumulate is calibrated on the power of "
             "bf16; both formats cost the same here.",
};

static void add_state(struct validate_set *s, const struct validate_row *like, bool calibrates,
                      const char *what, const char *note)
{
    struct validate_row row = *like;
    row.judged = !calibrates;
    row.class = VALIDATE_NONE;
    snprintf(row.what, sizeof row.what, "%s", what);
    snprintf(row.note, sizeof row.note, "%s%s%s", calibrates ? "calibrates" : "judged",
             note[0] ? ": " : "", note);
    validate_add_row(s, &row);
}

static void a100_row(struct validation *v, const struct csv *c, size_t i, const struct machine *m)
{
    const char *name = csv_text(c, i, "state");
    struct validate_set *watts = &v->sets[v->count - 2], *clock = watts + 1;
    struct validate_row row = { .machine = m, .measured = csv_number(c, i, "power_w"),
                                .arg = { csv_number(c, i, "clock_mhz"),
                                         csv_number(c, i, "throughput_per_s") } };
    const struct gpu_state *state = gpu_state_find(name);
    if (state) {
        row.run = run_state;
        row.detail = state;
        add_state(watts, &row, state->calibrates, name, state->note);
    }
    for (size_t s = 0; s < LIMITED; s++)
        if (strcmp(name, limited[s].name) == 0) {
            row.run = run_watts;
            row.detail = &limited[s];
            add_state(watts, &row, limited[s].calibrates, name, limited[s].note);
            row.run = run_mhz;
            row.measured = row.arg[CLOCK_MHZ];
            if (v->size >= VALIDATE_DEFAULT)
                add_state(clock, &row, false, name, "");
        }
}

static bool add_a100(struct validation *v, struct diag *d)
{
    struct csv c;
    const struct machine *m = validate_machine(v, "a100", d);
    if (!m || !csv_read(&c, v->folder, "power_chip.csv", d))
        return false;
    validate_add_set(v, &a100_power);
    validate_add_set(v, &a100_clock);
    for (size_t i = 0; i < c.rows; i++)
        if (strcmp(csv_text(&c, i, "device"), "a100_sxm4_40gb") == 0 && csv_wanted(&c, i, v->size))
            a100_row(v, &c, i, m);
    csv_clear(&c);
    return true;
}

/* ---- a Quadro GV100 ---- */

static const struct validate_set gv100_power = {
    .title = "GV100: power of products", .unit = "W", .mean_bar = 12,
    .about = "Board power of kernels in a loop at 1417 MHz (AccelWattch, MICRO 2021), beside "
             "products on gv100. On tensor cores it is what ours spend over the time that theirs "
             "take (Nsight's elapsed cycles), so that the FLOP/s are the same; shapes as the "
             "kernels' reads from HBM and the samples' sources say. Sampled. Their sgemm moves "
             "more for a FLOP than ours: that row is at the rate of ours.",
};

/* Cycles: elapsed on the kernels measured (counters_gv100_accelwattch.csv, Nsight); 0: not to
 * be kept to. */
static const struct kernel {
    const char *name;
    struct gemm gemm;
    double cycles;
    bool   calibrates;
    const char *note;
} kernels[] = {
    { "parboil-sgemm_k1", { .m = 1280, .k = 512, .n = 2048, .type = TRACE_F32 }, 0, false,
      "1280 x 512 x 2048 in f32 at our 13.8 TFLOP/s, theirs is 8.5" },
    { "cudaTensor_k1", { .m = 4096, .k = 4096, .n = 4096, .type = TRACE_F16 }, 3871170, false,
      "4096 cubed in f16, 50.3 TFLOP/s" },
    { "cutlass_k2", { .m = 4096, .k = 4096, .n = 128, .type = TRACE_F16 }, 228264, false,
      "4096 x 4096 x 128 in f16, 26.7 TFLOP/s" },
    { "cutlass_k3", { .m = 2560, .k = 2560, .n = 512, .type = TRACE_F16 }, 161781, true,
      "2560 x 2560 x 512 in f16, 58.8 TFLOP/s: energy.tensor_pj" },
};
#define KERNELS (sizeof kernels / sizeof kernels[0])

/* At the FLOP/s of theirs, if there are cycles of it. */
static double run_kernel(const struct validate_row *row, struct diag *d)
{
    const struct kernel *k = row->detail;
    const struct figures *f = machine_figures(row->machine);
    double mhz = f->gpu.gpu.clock_mhz;
    json_t *result = run_gemm(row->machine, &k->gemm, mhz, d);
    double own = result ? validate_field(result, "time_s") : NAN;
    double watts = watts_at(result, k->cycles > 0 ? k->cycles / (mhz * 1e6) : own);
    json_decref(result);
    return watts;
}

static void gv100_row(struct validate_set *s, const struct csv *c, size_t i,
                      const struct machine *m)
{
    for (size_t k = 0; k < KERNELS; k++)
        if (strcmp(csv_text(c, i, "kernel"), kernels[k].name) == 0) {
            struct validate_row row = { .run = run_kernel, .machine = m, .detail = &kernels[k],
                                        .measured = csv_number(c, i, "hw_power_w") };
            add_state(s, &row, kernels[k].calibrates, kernels[k].name, kernels[k].note);
            return;
        }
    struct validate_row row = { .kind = VALIDATE_MISSING, .group = "kernels of other kinds",
                                .note = "no kernel of this project does the same" };
    validate_add_row(s, &row);
}

static bool add_gv100(struct validation *v, struct diag *d)
{
    struct csv c;
    const struct machine *m = validate_machine(v, "gv100", d);
    if (!m || !csv_read(&c, v->folder, "power_kernels_accelwattch.csv", d))
        return false;
    struct validate_set *s = validate_add_set(v, &gv100_power);
    for (size_t i = 0; i < c.rows; i++)
        if (csv_wanted(&c, i, v->size))
            gv100_row(s, &c, i, m);
    csv_clear(&c);
    return true;
}

bool validate_gpu_power(struct validation *v, struct diag *d)
{
    return add_a100(v, d) && add_gv100(v, d);
}
