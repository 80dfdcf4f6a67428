/* experiment_ideal.c - what --ideal takes away, as changes of figures. */
#include "sim/experiment.h"

#include <string.h>

#define IDEAL_HBM \
    "hbm.pin_gbps=64", "hbm.refresh=none", "hbm.faw_ns=0", "hbm.rrd_s_ns=0", "hbm.rrd_l_ns=0", \
    "hbm.ccd_s_ns=0", "hbm.ccd_l_ns=0", "hbm.turn_ns=0", "hbm.wtr_s_ns=0", "hbm.wtr_l_ns=0", \
    "hbm.front_ns=0", "hbm.cl_ns=0", "hbm.cwl_ns=0", "hbm.rcd_rd_ns=0", "hbm.rcd_wr_ns=0", \
    "hbm.rp_ns=0", "hbm.ras_ns=0", "hbm.rc_ns=0", "hbm.wr_ns=0", "hbm.rtp_ns=0"

/* ---- of a TPU ---- */

static const char *const ideal_hbm[] = {
    IDEAL_HBM,
    "chip.fabric_ns=5", "dma.load_bytes=1048576", "dma.store_bytes=1048576",
    "dma.in_flight_bytes=1073741824", "vmem.read_bytes=1048576", "vmem.write_bytes=1048576",
    NULL
};
static const char *const ideal_launch[] = {
    "host.launch_us=0", "host.dispatch_us=0", "core.op_cycles=0", "core.step_cycles=0",
    "dma.load_setup_cycles=0", "dma.store_setup_cycles=0", "dma.done_cycles=0",
    "ici.setup_cycles=0", NULL
};
/* A push that takes all of a port at once would wait for the tile that streams. */
static const char *const ideal_weights[] = {
    "mxu.weight_rows_per_cycle=1024", "mxu.weight_buffers=2", "mxu.swap_cycles=0",
    "vmem.read_bytes=1048576", "core.push_slots=64", "vpu.cast_ops=0", NULL
};
static const char *const ideal_overlap[] = { NULL };

/* ---- of a GPU ---- */

static const char *const gpu_hbm[] = { IDEAL_HBM, "l2.memory_ns=5", NULL };
static const char *const gpu_launch[] = {
    "launch.first_us=0", "launch.next_us=0", "launch.host_us=0", "launch.block_cycles=0",
    "launch.dispatch_cycles=0.1", "launch.link_ns=5", NULL
};
static const char *const gpu_fetch[] = {
    "fetch.l0_miss_cycles=0", "fetch.l1_miss_cycles=0", NULL
};
static const char *const gpu_registers[] = { "sm.bank_reads=8", NULL };

static const struct ideal { enum machine_kind kind; const char *name, *const *sets; } ideals[] = {
    { MACHINE_TPU, "hbm", ideal_hbm },         { MACHINE_TPU, "launch", ideal_launch },
    { MACHINE_TPU, "weights", ideal_weights }, { MACHINE_TPU, "overlap", ideal_overlap },
    { MACHINE_GPU, "hbm", gpu_hbm },           { MACHINE_GPU, "launch", gpu_launch },
    { MACHINE_GPU, "fetch", gpu_fetch },       { MACHINE_GPU, "registers", gpu_registers },
};
#define IDEALS (sizeof ideals / sizeof ideals[0])

static bool apply(struct machine *m, const struct ideal *i, struct diag *d)
{
    char where[32];
    snprintf(where, sizeof where, "--ideal %s", i->name);
    for (const char *const *set = i->sets; *set; set++)
        if (!machine_set(m, *set, where, d))
            return false;
    return true;
}

static bool no_such_limit(const char *limit, const char *const *names, size_t count,
                          struct diag *d)
{
    char list[64] = "";
    const char *near = diag_nearest(limit, names, count);
    for (size_t i = 0, n = 0; i < count; i++)
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", names[i],
                              i + 2 < count ? ", " : i + 1 < count ? " or " : "");
    d->file[0] = '\0';
    return diag_set(d, 0, 0, "--ideal %.40s: no such limit%s%s; expected %s", limit,
                    near ? "; did you mean " : "", near ? near : "", list);
}

bool experiment_ideal_means(enum machine_kind kind, const char *limit)
{
    for (size_t i = 0; i < IDEALS; i++)
        if (ideals[i].kind == kind && strcmp(limit, ideals[i].name) == 0)
            return true;
    return false;
}

bool experiment_idealize(struct machine *m, struct tpu_lower_options *o, const char *limit,
                         struct diag *d)
{
    const char *names[IDEALS];
    size_t count = 0;
    for (size_t i = 0; i < IDEALS; i++) {
        if (ideals[i].kind != machine_kind(m))
            continue;
        names[count++] = ideals[i].name;
        if (strcmp(limit, ideals[i].name) == 0) {
            o->overlap |= ideals[i].sets == ideal_overlap;
            return apply(m, &ideals[i], d);
        }
    }
    return no_such_limit(limit, names, count, d);
}
