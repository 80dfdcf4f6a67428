/* run_options.c - see run_options.h. */
#include "sim/run_options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/figures.h"

#define MOST_MHZ 10000

bool run_options_number(const char *text, unsigned most, unsigned *value)
{
    char *end;
    errno = 0;
    unsigned long n = isdigit((unsigned char)text[0]) ? strtoul(text, &end, 10) : 0;
    if (n == 0 || errno || *end != '\0' || n > most)
        return false;
    *value = (unsigned)n;
    return true;
}

bool run_options_seed(const char *text, uint64_t *value)
{
    errno = 0;
    bool plain = text[0] && strspn(text, "0123456789") == strlen(text);
    unsigned long long n = plain ? strtoull(text, NULL, 10) : 0;
    if (!plain || errno || n > INT64_MAX)
        return false;
    *value = n;
    return true;
}

bool run_options_real(const char *text, double most, double *value)
{
    char *end;
    bool plain = strspn(text, "0123456789.eE+-") == strlen(text);
    double x = plain ? strtod(text, &end) : 0;
    if (!plain || end == text || *end != '\0' || !(x > 0 && x <= most))
        return false;
    *value = x;
    return true;
}

static int wrong_number(const struct options *o, const char *name, unsigned most)
{
    options_wrong(o, "--%s %.40s: expected a whole number, 1 to %u", name, o->value, most);
    return -1;
}

int run_options_take(struct run_options *r, const struct options *o, int i)
{
    enum { CORES = CHOICE_ROWS, PRECISION, IDEAL, THREADS, EXACT, CLOCK, SAMPLE };
    if (choice_take(&r->choice, i, o->value))
        return 1;
    switch (i) {
    case CORES:
        return run_options_number(o->value, 64, &r->lower.cores) ? 1 : wrong_number(o, "cores", 64);
    case PRECISION:
        if (strcmp(o->value, "highest") != 0 && strcmp(o->value, "default") != 0) {
            options_wrong(o, "--precision %.40s: expected highest or default", o->value);
            return -1;
        }
        r->lower.highest = strcmp(o->value, "highest") == 0;
        return 1;
    case IDEAL:
        if (r->ideal_count == RUN_IDEALS) {
            options_wrong(o, "--ideal %.40s: expected at most %d of them", o->value, RUN_IDEALS);
            return -1;
        }
        r->ideals[r->ideal_count++] = o->value;
        return 1;
    case THREADS:
        return run_options_number(o->value, 256, &r->threads) ? 1
                                                              : wrong_number(o, "threads", 256);
    case EXACT:
        r->exact = true;
        return 1;
    case CLOCK:
        if (run_options_real(o->value, MOST_MHZ, &r->clock_mhz))
            return 1;
        options_wrong(o, "--clock %.40s: expected MHz, a number above 0, at most %d", o->value,
                      MOST_MHZ);
        return -1;
    case SAMPLE:
        r->sample = true;
        return 1;
    default:
        return 0;
    }
}

static bool check_kind(const struct run_options *r, enum machine_kind kind, struct diag *d)
{
    const struct { enum machine_kind kind; const char *name; bool given; } only[] = {
        { MACHINE_TPU, "--cores", r->lower.cores > 0 },
        { MACHINE_TPU, "--exact", r->exact },
        { MACHINE_GPU, "--clock", r->clock_mhz > 0 },
        { MACHINE_GPU, "--sample", r->sample },
    };
    for (size_t i = 0; i < sizeof only / sizeof only[0]; i++)
        if (only[i].given && only[i].kind != kind) {
            d->file[0] = '\0';
            return diag_set(d, 0, 0, "%s means nothing on a %s; expected a %s", only[i].name,
                            machine_kind_name(kind), machine_kind_name(only[i].kind));
        }
    return true;
}

bool run_options_apply(struct run_options *r, struct machine *m, struct diag *d)
{
    bool good = check_kind(r, machine_kind(m), d);
    for (size_t i = 0; good && i < r->ideal_count; i++)
        good = experiment_idealize(m, &r->lower, r->ideals[i], d);
    return good;
}

struct machine *run_options_machine(struct run_options *r, struct diag *d)
{
    struct machine *m = choice_machine(&r->choice, &figures_schema, d);
    if (!m || run_options_apply(r, m, d))
        return m;
    machine_free(m);
    return NULL;
}

struct experiment run_options_experiment(const struct run_options *r, const struct machine *m)
{
    return (struct experiment){ .machine = m, .lower = r->lower, .threads = r->threads,
                                .exact = r->exact, .clock_mhz = r->clock_mhz, .sample = r->sample };
}
