/* bench_hbm.c - requests of 64 bytes a CPU second through the memory, driver included.
 *
 *     random       d_random_read, each request a run of its own   (wanted: 5 million)
 *     sequential   a_sequential_read as runs of 4 KiB             (wanted: 40 million)
 *
 * of the memories of tests/reference/machines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "models/hbm/hbm_drive.h"
#include "sim/machine.h"

static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void bench(const char *name, const char *setting, const char *stream, uint64_t requests,
                  uint32_t run_bytes)
{
    const struct section section = { "hbm", "memory", hbm_params, hbm_params_count, 0,
                                     MACHINE_USES(MACHINE_TPU) };
    const struct schema schema = { &section, 1, sizeof(struct hbm_config),
                                   MACHINE_USES(MACHINE_TPU) };
    struct diag d = { .text = "" };
    char path[128];
    snprintf(path, sizeof path, "tests/reference/machines/peer-%s.yaml", name);
    struct machine *m = machine_read(&schema, path, &d);
    struct hbm_map *map = malloc(sizeof *map);
    if (!m || !map || (setting && !machine_set(m, setting, "--set", &d)) || !hbm_check(machine_figures(m), map, &d)) {
        diag_print(&d, stderr);
        exit(1);
    }
    double start = cpu_s();
    struct hbm_driven r = hbm_drive(machine_figures(m), map, &(struct hbm_drive){
        .stream = hbm_stream_find(stream), .requests = requests, .run_bytes = run_bytes });
    double seconds = cpu_s() - start;
    printf("hbm %-3s %-16s %-2s %6.2f million requests a CPU second (%.3f of peak)\n", name,
           setting ? setting : "", stream, (double)requests / seconds / 1e6,
           hbm_driven_fraction_of_peak(&r, machine_figures(m)));
    free(map);
    machine_free(m);
}

int main(void)
{
    static const struct { const char *name, *setting; } machines[] = {
        { "d1", "hbm.bank_queue=0" }, { "d1", NULL }, { "r1", NULL }, { "r3", NULL },
    };
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        bench(machines[i].name, machines[i].setting, "d", 1000000, 64);
        bench(machines[i].name, machines[i].setting, "a", 10000000, HBM_RUN_BYTES);
    }
    return 0;
}
