/* cmd_hbm.c - drive the stacks at their ports, without links, and say what came of it.
 *
 * The machine may be a whole chip or a file with nothing but its memory, as those that
 * other simulators' figures are kept in.
 */
#include "sim/cmd_hbm.h"

#include <stdlib.h>

#include "models/hbm/hbm_drive.h"
#include "sim/choice.h"
#include "sim/figures.h"
#include "sim/output.h"

static const struct option_row rows[] = {
    CHOICE_OPTIONS,
    { "requests",  "N",     "how many requests of 64 bytes (default 150000)" },
    { "run-bytes", "BYTES", "ask for consecutive requests as runs, up to 4096 (default 64)" },
    { "json",      "FILE",  "write JSON instead (- is stdout)" },
};
enum { ROW_REQUESTS = CHOICE_ROWS, ROW_RUN_BYTES, ROW_JSON };

static int fail(const struct diag *d, int status)
{
    diag_print(d, stderr);
    return status;
}

/* A file with nothing but a memory is read as such; else it is a chip's. */
static const struct hbm_config *memory_of(const struct choice *choice, struct machine **machine,
                                          struct diag *d)
{
    static struct section section;      /* a machine borrows its schema */
    static struct schema  schema;
    section = (struct section){ "hbm", "the memory", hbm_params, hbm_params_count, 0,
                                MACHINE_USES(MACHINE_TPU) | MACHINE_USES(MACHINE_GPU) };
    schema = (struct schema){ &section, 1, sizeof(struct hbm_config), section.kinds };
    struct choice   unchanged = { .arch = choice->arch, .file = choice->file };
    struct diag     ignored   = { .text = "" };
    struct machine *alone     = choice_machine(&unchanged, &schema, &ignored);
    bool            is_memory = alone != NULL;
    machine_free(alone);
    *machine = choice_machine(choice, is_memory ? &schema : &figures_schema, d);
    if (*machine == NULL)
        return NULL;
    const void *figures = machine_figures(*machine);
    return is_memory ? figures : &((const struct figures *)figures)->hbm;
}

static void print_text(const struct hbm_driven *r, const struct hbm_config *c,
                       const struct hbm_stream *stream)
{
    double seconds = (double)r->time / (double)TICKS_PER_S;
    printf("%s: %s\n", stream->name, stream->what);
    printf("address map           %s\n", c->map);
    printf("time                  %.3f us\n", seconds * 1e6);
    printf("bandwidth             %.2f GB/s of %.2f (%.1f %%)\n",
           (double)r->bytes / seconds / 1e9, hbm_peak_bytes_per_s(c) * c->stacks / 1e9,
           100 * hbm_driven_fraction_of_peak(r, c));
    if (r->read_requests > 0)
        printf("mean read latency     %.1f ns\n", hbm_driven_latency_ns(r));
    printf("row hits              %.3f of column commands\n", hbm_driven_hit_fraction(r));
    printf("activates             %.3f per KiB\n\n", hbm_driven_activates_per_kib(r));
#define COUNT(name, unit, what) \
    printf("%14llu %-9s %s\n", (unsigned long long)r->stats.name, unit, what);
    HBM_STATS(COUNT)
#undef COUNT
    printf("\nclocks of the data pins, all pseudo-channels\n");
#define CAUSE(name, what) printf("%13.2f %%  %s\n", \
        100.0 * (double)r->stats.cycles[HBM_##name] / (double)r->stats.total_cycles, what);
    HBM_CAUSES(CAUSE)
#undef CAUSE
}

static json_t *as_json(const struct hbm_driven *r, const struct hbm_config *c,
                       const struct hbm_stream *stream, const struct machine *m)
{
    double seconds = (double)r->time / (double)TICKS_PER_S;
    json_t *counts = json_object(), *causes = json_object();
#define COUNT(name, unit, what) \
    json_object_set_new(counts, #name, json_integer((json_int_t)r->stats.name));
    HBM_STATS(COUNT)
#undef COUNT
#define CAUSE(name, what) \
    json_object_set_new(causes, #name, json_integer((json_int_t)r->stats.cycles[HBM_##name]));
    HBM_CAUSES(CAUSE)
#undef CAUSE
    json_t *latency = json_null();
    if (r->read_requests > 0)
        latency = json_real(hbm_driven_latency_ns(r) / 1e9);
    return json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:o, s:o, s:o, s:o}",
                     "simaccel", SIMACCEL_VERSION, "machine", machine_name(m),
                     "stream", stream->name, "time_s", seconds,
                     "bytes_per_s", (double)r->bytes / seconds,
                     "peak_bytes_per_s", hbm_peak_bytes_per_s(c) * c->stacks,
                     "fraction_of_peak", hbm_driven_fraction_of_peak(r, c),
                     "hit_fraction", hbm_driven_hit_fraction(r),
                     "activates_per_kib", hbm_driven_activates_per_kib(r),
                     "read_latency_s", latency, "counts", counts, "cycles", causes,
                     "parameters", machine_json(m));
}

static int write_json(json_t *json, const char *path)
{
    int status = output_write(path, json, output_json);
    json_decref(json);
    return status;
}

static int run(const struct choice *choice, const struct hbm_drive *drive, const char *json)
{
    const struct output_use uses[] = { { "the machine", choice->file, true },
                                       { "--json", json, false } };
    struct diag     d = { .text = "" };
    struct machine *m = NULL;
    const struct hbm_config *config = output_check(uses, 2, &d) ? memory_of(choice, &m, &d) : NULL;
    if (config == NULL)
        return fail(&d, 2);
    int status = 2;
    struct hbm_map *map = malloc(sizeof *map);
    if (map != NULL && hbm_check(config, map, &d)) {
        struct hbm_driven r = hbm_drive(config, map, drive);
        status = 0;
        if (json != NULL)
            status = write_json(as_json(&r, config, drive->stream, m), json);
        else
            print_text(&r, config, drive->stream);
    } else {
        d.line = d.column = 0;      /* the place is in the map's text, not in a file */
        fail(&d, 2);
    }
    free(map);
    machine_free(m);
    return status;
}

static const struct hbm_stream *stream_named(const char *name, struct diag *d)
{
    const struct hbm_stream *stream = hbm_stream_find(name);
    const char *names[16];
    if (stream != NULL)
        return stream;
    for (size_t i = 0; i < hbm_streams_count && i < 16; i++)
        names[i] = hbm_streams[i].name;
    const char *nearest = diag_nearest(name, names, hbm_streams_count);
    diag_set(d, 0, 0, "%.80s: no such stream; expected %s", name,
             nearest != NULL ? nearest : "a, b, c1, c2, c3, d, latency_random_read or "
                                         "latency_sequential_read");
    return NULL;
}

/* A whole number from `low` to `high`, or 0. */
static uint64_t whole(const char *text, uint64_t low, uint64_t high)
{
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && n >= low && n <= high ? n : 0;
}

static bool follows_itself(const struct hbm_stream *s)
{
    return s == hbm_stream_find("a") || s == hbm_stream_find("b");
}

int cmd_hbm(int argc, char **argv)
{
    struct options   o      = OPTIONS("hbm", "STREAM", rows, argc, argv);
    struct choice    choice = { .count = 0 };
    struct hbm_drive drive  = { .requests = 150000, .run_bytes = 64 };
    struct diag      d      = { .text = "" };
    const char      *json   = NULL;
    int              i;
    while ((i = options_next(&o)) >= 0 || i == OPTIONS_ARGUMENT) {
        if (i >= 0 && choice_take(&choice, i, o.value))
            continue;
        if (i == ROW_JSON)
            json = o.value;
        else if (i == ROW_REQUESTS && !(drive.requests = whole(o.value, 1, 1000000000)))
            return options_wrong(&o, "--requests %.80s: expected 1 to 1000000000", o.value);
        else if (i == ROW_RUN_BYTES
                 && !(drive.run_bytes = (uint32_t)whole(o.value, 64, HBM_RUN_BYTES)))
            return options_wrong(&o, "--run-bytes %.80s: expected 64 to 4096", o.value);
        else if (i == OPTIONS_ARGUMENT && drive.stream != NULL)
            return options_wrong(&o, "%.80s: a second stream; expected one", o.value);
        else if (i == OPTIONS_ARGUMENT && !(drive.stream = stream_named(o.value, &d)))
            return fail(&d, 2);
    }
    if (i == OPTIONS_HELP || i == OPTIONS_WRONG)
        return i == OPTIONS_HELP ? 0 : 2;
    if (drive.stream == NULL)
        return options_wrong(&o, "no stream is given; expected a, b, c1, c2, c3, d or a latency");
    if (drive.run_bytes % 64 != 0 || HBM_RUN_BYTES % drive.run_bytes != 0
        || (drive.run_bytes > 64 && !follows_itself(drive.stream)))
        return options_wrong(&o, "--run-bytes: expected 64, 128, ... 4096, and stream a or b");
    return run(&choice, &drive, json);
}
