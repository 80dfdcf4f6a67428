/* peers.h - the memories that other simulators were run with, for tests. */
#ifndef TESTS_MODELS_HBM_PEERS_H
#define TESTS_MODELS_HBM_PEERS_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/hbm/hbm_drive.h"
#include "sim/machine.h"

struct memory { struct hbm_config config; struct hbm_map map; };

/* tests/reference/machines/peer-NAME.yaml with some channels of 1 GiB; "key=value" settings
 * on top, or NULL.  The caller frees it. */
static inline struct memory *peer(const char *name, uint32_t channels, const char *setting)
{
    const struct section section = { "hbm", "memory", hbm_params, hbm_params_count, 0,
                                     MACHINE_USES(MACHINE_TPU) };
    const struct schema schema = { &section, 1, sizeof(struct hbm_config),
                                   MACHINE_USES(MACHINE_TPU) };
    struct diag d = { .file = "" };
    char path[128];
    snprintf(path, sizeof path, "tests/reference/machines/peer-%s.yaml", name);
    struct machine *m = machine_read(&schema, path, &d);
    ck_assert_msg(m != NULL, "%s: %s", path, d.text);
    if (setting)
        ck_assert_msg(machine_set(m, setting, "test", &d), "%s", d.text);
    struct memory *memory = calloc(1, sizeof *memory);
    memory->config = *(const struct hbm_config *)machine_figures(m);
    memory->config.channels = channels;
    memory->config.capacity_gib *= channels;
    machine_free(m);
    ck_assert_msg(hbm_check(&memory->config, &memory->map, &d), "%s: %s", path, d.text);
    return memory;
}

#endif
