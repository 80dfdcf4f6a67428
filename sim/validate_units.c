/* validate_units.c - which row of tpu_microbench.csv is what: run, put in, or missing. */
#include "sim/validate_units.h"

#include <string.h>

#include "sim/validate_csv.h"

static const struct validate_set units_run = {
    .title = "TPU v4: microbenchmarks", .unit = "as in the row", .each_bar = 5,
    .about = "Hand-written machine code timed with the core's own cycle counter (ayaka14732: "
             "pallas-tpu-tutorial, tpu-v4-latency-numbers @35809bf5); here the same operations "
             "in programs written by hand, or through the lowering. Cycles unless the row says "
             "another unit.",
};

/* A row is of the first line here whose quantity it has and whose words are all in its
 * condition; several words are divided by `&`. */
static const struct match {
    const char *quantity, *words;
    unit_run   *run;
    double      arg[VALIDATE_ARGS];
} runs[] = {
    { "mxu_push_interval",  "",                  units_push_interval, { 0 } },
    { "mxu_latency",        "poppable, MXU0",              units_mxu_latency, { 0 } },
    { "mxu_back_to_back",   " x vmatmul&then",   units_pushes, { 0 } },
    { "mxu_weight_load_exposed", "",             units_cold_weights, { 0 } },
    { "mxu_f32_passes",     "",                  units_six_passes, { 0 } },
    { "mxu_k_accumulate",   "16 rows",           units_sums, { 0 } },
    { "matmul_vmem",        "16x128x128",        units_small_product, { 0 } },
    { "matmul_2cores",      "256 rows a weight block&LHS in one load", units_cube, { 0 } },
    { "matmul_2cores",      "256 rows a weight block&LHS in 4 loads",  units_cube, { 1 } },
    { "xlu_transpose",      "f32 128x128, 16 pushes and 16 pops", units_turn, { 128, 128 } },
    { "xlu_transpose",      "two f32 128x128",   units_turn, { 128, 256 } },
    { "transpose_vmem",     "f32 128x128",       units_turn_kernel, { 128, 128 } },
    { "xlu_lane_reduce",    "8 lane sums",       units_reduce, { 8, 0 } },
    { "reduce_vmem",        "lane sum of f32 8x128", units_reduce, { 1, 1 } },
    { "eup",                "16 x exp2",         units_vector, { 0, 0, 0, 16, UNITS_READING, 0 } },
    { "kernel_vmem",        "two registers",     units_vector, { 2, 2, 0, 0, 0, 1 } },
    { "vpu_instructions",   "sigmoid",           units_sigmoid, { 0 } },
    { "dma_fixed",   "HBM to VMEM&fresh",        units_dma_fixed, { 0, 1, 1, 1 } },
    { "dma_per_kib", "HBM to VMEM&fresh",        units_dma_slope, { 0, 1, 1, 1 } },
    { "dma_fixed",   "HBM to VMEM&4 issued",     units_dma_fixed, { 0, 4, 1, 0 } },
    { "dma_per_kib", "HBM to VMEM&4 issued",     units_dma_slope, { 0, 4, 1, 0 } },
    { "dma_fixed",   "HBM to VMEM&2 cores",      units_dma_fixed, { 0, 1, 2, 0 } },
    { "dma_per_kib", "HBM to VMEM&2 cores",      units_dma_slope, { 0, 1, 2, 0 } },
    { "dma_fixed",   "HBM to VMEM&1 core, 1 in", units_dma_fixed, { 0, 1, 1, 0 } },
    { "dma_per_kib", "HBM to VMEM&1 core, 1 in", units_dma_slope, { 0, 1, 1, 0 } },
    { "dma_fixed",   "VMEM to HBM&4 issued",     units_dma_fixed, { 1, 4, 1, 0 } },
    { "dma_per_kib", "VMEM to HBM&4 issued",     units_dma_slope, { 1, 4, 1, 0 } },
    { "dma_fixed",   "VMEM to HBM&2 cores",      units_dma_fixed, { 1, 1, 2, 0 } },
    { "dma_per_kib", "VMEM to HBM&2 cores",      units_dma_slope, { 1, 1, 2, 0 } },
    { "dma_fixed",   "VMEM to HBM&1 core, 1 in", units_dma_fixed, { 1, 1, 1, 0 } },
    { "dma_per_kib", "VMEM to HBM&1 core, 1 in", units_dma_slope, { 1, 1, 1, 0 } },
    { "hbm_read",    "2 cores",                  units_dma_rate, { 0, 1, 2, 0 } },
    { "hbm_read",    "1 core",                   units_dma_rate, { 0, 1, 1, 0 } },
    { "hbm_write",   "2 cores",                  units_dma_rate, { 1, 1, 2, 0 } },
    { "hbm_write",   "1 core",                   units_dma_rate, { 1, 1, 1, 0 } },
    { "dma_tile",    "read then write",          units_tile, { UNITS_READ_WRITE } },
    { "dma_tile",    "read and write at once",   units_tile, { UNITS_BOTH } },
    { "dma_tile",    "two reads",                units_tile, { UNITS_TWO_READS } },
    { "dma_tile",    ": read;",                  units_tile, { UNITS_READ } },
    { "dma_tile",    ": write;",                 units_tile, { UNITS_WRITE } },
    { "minimal_kernel", "input DMA",             units_minimal, { 0 } },
    { "minimal_kernel", "output DMA",            units_minimal, { 1 } },
    { "stream_kernel", "nothing overlapped",     units_stream, { 0 } },
    { "stream_kernel", "double-buffered&1 core", units_stream, { 1 } },
    { "stream_kernel", "by XLA",                 units_copy, { 0 } },
    { "dma_fixed",   "core to core&both",        units_peer_fixed, { 0 } },
    { "dma_per_kib", "core to core&both",        units_peer_slope, { 0 } },
};

/* Figures that a machine file holds: `scale` times it is what the row says. */
static const struct input {
    const char *quantity, *words, *figure;
    double      scale;
} inputs[] = {
    { "clock",                 "",           "chip.clock_mhz",           1e-3 },
    { "cores",                 "",           "chip.cores",               1 },
    { "mxu",                   "",           "core.mxus",                1 },
    { "xlu",                   "",           "xlu.units",                1 },
    { "mxu_results_in_flight", "",           "mxu.in_flight_rows",       1.0 / 8 },
    { "mxu_weight_pushes",     "packed",     "mxu.rows",                 1.0 / 16 },
    { "xlu_transpose_push_interval", "",     "xlu.push_cycles",          1 },
    { "xlu_transpose_pop_interval", "",      "xlu.pop_cycles",           1 },
    { "xlu_transpose_latency", "",           "xlu.latency_cycles",       1 },
    { "xlu_lane_reduce_interval", "",        "xlu.reduce_cycles",        1 },
    { "vpu_slots",             "",           "vpu.alu_slots",            1 },
    { "vmem_load_rate",        "",           "vpu.load_slots",           1 },
    { "vmem_store_rate",       "",           "vpu.store_slots",          1 },
    { "eup_interval",          "",           "vpu.eup_interval_cycles",  1 },
    { "vpu_instructions",      "f32 exp ",   "vpu.exp_ops",              1 },
    { "vpu_instructions",      "f32 log ",   "vpu.log_ops",              1 },
    { "vpu_instructions",      "f32 tanh ",  "vpu.tanh_ops",             1 },
    { "vpu_instructions",      "f32 x/y ",   "vpu.div_ops",              1 },
    { "vpu_instructions",      "f32 1/y ",   "vpu.div_ops",              1 },
    { "vpu_instructions",      "f32 sqrt ",  "vpu.sqrt_ops",             1 },
    { "program_overhead",      "",           "host.launch_us",           1 },
    { "host_call",             "until the result is there", "host.dispatch_us", 1 },
};

/* By the first that fits. */
static const struct missing { const char *quantity, *words, *what, *why; } missing[] = {
    { "",             "CMEM",     "CMEM", "v4's second memory" },
    { "cmem",         "",         "CMEM", "v4's second memory" },
    { "dma_",         "chip",     "links between chips", "many chips come later" },
    { "barrier",      "",         "links between chips", "many chips come later" },
    { "all_reduce",   "",         "links between chips", "many chips come later" },
    { "link_order",   "",         "links between chips", "many chips come later" },
    { "scalar",       "",         "the scalar unit", "in step_cycles and op_cycles" },
    { "vector_to_scalar", "",     "the scalar unit", "in step_cycles and op_cycles" },
    { "loop_overhead", "",        "the scalar unit", "in step_cycles and op_cycles" },
    { "fence",        "",         "the scalar unit", "in step_cycles and op_cycles" },
    { "vector_issue", "",         "instruction issue", "operations are tiles" },
    { "bundle",       "",         "instruction issue", "operations are tiles" },
    { "vmem_access_issue", "",    "instruction issue", "operations are tiles" },
    { "vreg",         "",         "registers and spills", "operations are tiles" },
    { "mask",         "",         "registers and spills", "operations are tiles" },
    { "vmem_spill",   "",         "registers and spills", "operations are tiles" },
    { "vpu_latency",  "",         "dependent instructions", "interleaved registers hide them" },
    { "vpu_dependent", "",        "dependent instructions", "interleaved registers hide them" },
    { "eup_latency",  "",         "dependent instructions", "interleaved registers hide them" },
    { "vpu_interval", "",         "dependent instructions", "interleaved registers hide them" },
    { "vmem_load",    "",         "dependent instructions", "interleaved registers hide them" },
    { "sublane",      "",         "dependent instructions", "interleaved registers hide them" },
    { "cumsum",       "",         "dependent instructions", "interleaved registers hide them" },
    { "xlu_permute",  "",         "permutes over lanes", "no op needs one" },
    { "xlu_transpose", "not popped", "pushes without pops", "a transpose is one operation" },
    { "xlu_lane_reduce_latency", "", "latency of a reduction", "seen in reductions, above" },
    { "vpu_instructions", "",     "other vector instructions", "no op needs them" },
    { "mxu_latency",  "",         "later units", "all have the first one's latency" },
    { "mxu_",         "",         "parts of the matrix unit", "not to be timed by themselves" },
    { "matmul_ideal", "",         "parts of the matrix unit", "not to be timed by themselves" },
    { "host_",        "",         "the host", "two figures stand for it" },
    { "dma_granule",  "",         "the DMA granule", "transfers are of any length" },
    { "matmul_wall",  "",         "host wall time (v5e)", "its dispatch is not known" },
    { "",             "",         "other", "nothing here corresponds to it" },
};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* Whether all words, divided by `&`, are in `text`. */
static bool holds(const char *text, const char *words)
{
    char word[80];
    while (*words) {
        size_t size = strcspn(words, "&");
        snprintf(word, sizeof word, "%.*s", (int)size, words);
        if (!strstr(text, word))
            return false;
        words += size + (words[size] == '&');
    }
    return true;
}

/* "mxu.rows" of a machine. */
static double figure(const struct machine *m, const char *name)
{
    size_t section = strcspn(name, ".");
    char text[32];
    snprintf(text, sizeof text, "%.*s", (int)section, name);
    json_t *all = machine_json(m), *of = json_object_get(all, text);
    double value = json_number_value(json_object_get(json_object_get(of, name + section + 1),
                                                     "value"));
    json_decref(all);
    return value;
}

static bool put_in(struct validate_row *row, const char *quantity, const char *condition)
{
    for (size_t i = 0; i < COUNT(inputs); i++) {
        const struct input *x = &inputs[i];
        if (strcmp(quantity, x->quantity) != 0 || !holds(condition, x->words))
            continue;
        row->kind = VALIDATE_INPUT;
        row->simulated = x->scale * figure(row->machine, x->figure);
        snprintf(row->note, sizeof row->note, "%s", x->figure);
        return true;
    }
    return false;
}

static bool run_it(struct validate_row *row, const char *quantity, const char *condition)
{
    for (size_t i = 0; i < COUNT(runs); i++) {
        const struct match *x = &runs[i];
        if (strcmp(quantity, x->quantity) != 0 || !holds(condition, x->words))
            continue;
        row->kind = VALIDATE_RUN;
        row->run = x->run;
        row->judged = true;
        memcpy(row->arg, x->arg, sizeof x->arg);
        return true;
    }
    return false;
}

static void miss(struct validate_row *row, const char *quantity, const char *condition)
{
    row->kind = VALIDATE_MISSING;
    for (size_t i = 0; i < COUNT(missing); i++) {
        const struct missing *x = &missing[i];
        if (strncmp(quantity, x->quantity, strlen(x->quantity)) != 0
            || !holds(condition, x->words))
            continue;
        snprintf(row->group, sizeof row->group, "%s", x->what);
        snprintf(row->note, sizeof row->note, "%s", x->why);
        return;
    }
}

bool validate_v4(struct validation *v, struct diag *d)
{
    struct csv c;
    const struct machine *m = validate_machine(v, "tpu-v4", d);
    if (!m || !csv_read(&c, v->folder, "tpu_microbench.csv", d))
        return false;
    struct validate_set *s = validate_add_set(v, &units_run);
    for (size_t i = 0; i < c.rows; i++) {
        const char *quantity = csv_text(&c, i, "quantity");
        const char *condition = csv_text(&c, i, "condition");
        struct validate_row row = { .machine = m, .class = VALIDATE_NONE,
                                    .measured = csv_number(&c, i, "value") };
        bool v4 = strcmp(csv_text(&c, i, "device"), "tpu_v4") == 0;
        snprintf(row.what, sizeof row.what, "%s: %s", quantity, condition);
        if (!csv_wanted(&c, i, v->size))
            continue;
        if (!v4 || (!run_it(&row, quantity, condition) && !put_in(&row, quantity, condition)))
            miss(&row, quantity, condition);
        validate_add_row(s, &row);
    }
    csv_clear(&c);
    return true;
}
