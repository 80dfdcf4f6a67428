/* bench_hbm.c - requests of 64 bytes a CPU second through the memory, driver included.
 *
 *     random       d_random_read, each request a run of its own   (wanted: 5 million)
 *     sequential   a_sequential_read as runs of 4 KiB             (wanted: 40 million)
 *     written      b_sequential_write, the same
 *
 * of memories of tests/reference/machines, and of a TPU.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "models/hbm/hbm_drive.h"
#include "sim/figures.h"
#include "sim/machine.h"

static const struct {
    const char *name, *path, *setting;
    bool tpu;                       /* a whole machine, not a memory alone */
} memories[] = {
    { "tpu-v3", "models/machines/tpu-v3.yaml", NULL, true },
    { "d1 without bank queues", "tests/reference/machines/peer-d1.yaml", "hbm.bank_queue=0", false },
    { "d1", "tests/reference/machines/peer-d1.yaml", NULL, false },
    { "r1", "tests/reference/machines/peer-r1.yaml", NULL, false },
    { "r3", "tests/reference/machines/peer-r3.yaml", NULL, false },
};

static struct hbm_config figures(size_t i)
{
    const struct section section = { "hbm", "memory", hbm_params, hbm_params_count, 0,
                                     MACHINE_USES(MACHINE_TPU) };
    const struct schema alone = { &section, 1, sizeof(struct hbm_config),
                                  MACHINE_USES(MACHINE_TPU) };
    struct diag d = { .text = "" };
    struct machine *m = machine_read(memories[i].tpu ? &figures_schema : &alone,
                                     memories[i].path, &d);
    const char *setting = memories[i].setting;
    if (!m || (setting && !machine_set(m, setting, "--set", &d))) {
        diag_print(&d, stderr);
        exit(1);
    }
    const void *all = machine_figures(m);
    struct hbm_config config = memories[i].tpu ? ((const struct figures *)all)->hbm
                                               : *(const struct hbm_config *)all;
    machine_free(m);
    return config;
}

static void bench(size_t i, const char *stream, uint64_t requests, uint32_t run_bytes)
{
    static struct hbm_map map;
    struct hbm_config config = figures(i);
    struct diag d = { .text = "" };
    if (!hbm_check(&config, &map, &d)) {
        diag_print(&d, stderr);
        exit(1);
    }
    clock_t start = clock();
    struct hbm_driven r = hbm_drive(&config, &map, &(struct hbm_drive){
        .stream = hbm_stream_find(stream), .requests = requests, .run_bytes = run_bytes });
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    printf("hbm %-22s %-2s %6.2f million requests a CPU second (%.3f of peak)\n",
           memories[i].name, stream, (double)requests / seconds / 1e6,
           hbm_driven_fraction_of_peak(&r, &config));
}

int main(void)
{
    for (size_t i = 0; i < sizeof memories / sizeof memories[0]; i++) {
        bench(i, "d", 1000000, 64);
        bench(i, "a", 10000000, HBM_RUN_BYTES);
        bench(i, "b", 10000000, HBM_RUN_BYTES);
    }
    return 0;
}
