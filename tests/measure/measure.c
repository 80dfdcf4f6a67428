/* measure.c - times the project's own kernels on a real card, and checks their values.
 *
 *     gpu-measure OUT.csv [MOST [LONGER]]
 *
 * Products of at most MOST multiply-accumulates (default: all), single units in LONGER times
 * the model's loops (default: 32), and power in some states: sim/measured.h.  `simaccel validate measured --measured OUT.csv` compares.
 *
 * Without a card it says so, writes nothing, and ends well.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/measure/card.h"

#define LONGER 32               /* a GiB is streamed */

/* Which machine file a card is. */
static const struct { const char *part, *machine; } cards[] = {
    { "H200", "h200" }, { "H100", "h100" }, { "A100-SXM4-40", "a100" },
    { "A100-PCIE-40", "a100-pcie-40" }, { "A100", "a100-pcie-80" }, { "V100-SXM2", "v100" },
    { "V100", "v100-pcie" }, { "GV100", "gv100" },
};

static const char *machine_of(const char *card)
{
    for (size_t i = 0; i < sizeof cards / sizeof cards[0]; i++)
        if (strstr(card, cards[i].part))
            return cards[i].machine;
    return NULL;
}

void card_write(const struct card *c, struct measured_row *r)
{
    snprintf(r->machine, sizeof r->machine, "%s", machine_name(c->machine));
    measured_write(c->out, r);
    fflush(c->out);
}

static int measure_card(struct driver *driver, const char *path, double most,
                        uint32_t longer)
{
    struct diag d = { .text = "" };
    const char *name = machine_of(driver_card(driver));
    if (!name) {
        fprintf(stderr, "gpu-measure: no machine file describes a %s\n", driver_card(driver));
        return 0;
    }
    struct machine *machine = machine_find(&figures_schema, name, &d);
    FILE *out = machine ? fopen(path, "w") : NULL;
    if (!out) {
        fprintf(stderr, "gpu-measure: %s\n", machine ? path : d.text);
        machine_free(machine);
        return 1;
    }
    struct card card = { driver, machine, out, most, longer };
    measured_write_head(out, driver_card(driver), driver_capability(driver));
    card_micro(&card);
    card_states(&card);
    card_products(&card);
    machine_free(machine);
    return fclose(out) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    char why[128];
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: gpu-measure OUT.csv [MOST [LONGER]]\n");
        return 2;
    }
    struct driver *driver = driver_open(why, sizeof why);
    if (!driver) {
        printf("no GPU to measure (%s); nothing is written\n", why);
        return 0;
    }
    int status = measure_card(driver, argv[1], argc > 2 ? strtod(argv[2], NULL) : INFINITY,
                              argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : LONGER);
    driver_close(driver);
    return status;
}
