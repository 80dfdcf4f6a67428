/* cmd_validate.c - run the measured rows, print the tables, judge them. */
#include "sim/cmd_validate.h"

#include <string.h>

#include "sim/options.h"
#include "sim/output.h"
#include "sim/run_options.h"
#include "sim/validate.h"

enum { SIZE, MARKDOWN, HEAD, REFERENCE, MEASURED, JOBS, STRICT, AGAINST };

static const struct option_row rows[] = {
    [SIZE]      = { "size",      "SIZE",   "quick, default or all of the rows (default: default)" },
    [MARKDOWN]  = { "markdown",  "FILE",   "write the tables there instead of stdout" },
    [HEAD]      = { "head",      "FILE",   "begin what is written with this file" },
    [REFERENCE] = { "reference", "FOLDER", "of the measured rows (default: tests/reference)" },
    [MEASURED]  = { "measured",  "FILE",   "of make gpu-measure (default: all of FOLDER/gpu_measured)" },
    [JOBS]      = { "jobs",      "N",      "rows run at a time (default: 2)" },
    [AGAINST]   = { "against",   "FILE",   "of your own measurements, instead of the project's" },
    [STRICT]    = { "strict",    NULL,     "exit status 1 if a bar is missed" },
};

static const struct part {
    const char *name;
    bool      (*add)(struct validation *v, struct diag *d);
} parts[] = {
    { "v3", validate_v3 }, { "v5e", validate_v5e }, { "v4", validate_v4 }, { "v2", validate_v2 },
    { "power", validate_power }, { "v100", validate_v100 }, { "a100", validate_a100 },
    { "linear", validate_linear }, { "micro", validate_micro },
    { "gpu_power", validate_gpu_power }, { "measured", validate_measured },
};
#define PARTS (sizeof parts / sizeof parts[0])

struct settings {
    struct validation v;
    const char *markdown, *head, *against;
    unsigned    jobs, wanted;           /* bit i: parts[i]; 0: all */
    bool        strict;
};

static int fail(const struct diag *d, int status)
{
    diag_print(d, stderr);
    return status;
}

static bool take_size(struct settings *s, const char *word)
{
    for (int i = 0; i < VALIDATE_SIZES; i++)
        if (strcmp(word, validate_size_names[i]) == 0) {
            s->v.size = i;
            return true;
        }
    return false;
}

static bool take_part(struct settings *s, const char *word)
{
    for (size_t i = 0; i < PARTS; i++)
        if (strcmp(word, parts[i].name) == 0) {
            s->wanted |= 1u << i;
            return true;
        }
    return false;
}

static int wrong_part(const struct options *o)
{
    char names[160] = "";
    for (size_t i = 0; i < PARTS; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s",
                 i == 0 ? "" : i + 1 < PARTS ? ", " : " or ", parts[i].name);
    }
    return options_wrong(o, "%.40s: no such part; expected %s", o->value, names);
}

/* Returns -1 to go on, or the exit status. */
static int read_settings(int argc, char **argv, struct settings *s)
{
    struct options o = OPTIONS("validate", "[PART ...]", rows, argc, argv);
    int i;
    while ((i = options_next(&o)) >= 0 || i == OPTIONS_ARGUMENT) {
        switch (i) {
        case SIZE:
            if (!take_size(s, o.value))
                return options_wrong(&o, "--size %.40s: expected quick, default or all", o.value);
            break;
        case MARKDOWN:  s->markdown = o.value; break;
        case HEAD:      s->head = o.value; break;
        case REFERENCE: s->v.folder = o.value; break;
        case MEASURED:  s->v.measured = o.value; break;
        case AGAINST:   s->against = o.value; break;
        case STRICT:    s->strict = true; break;
        case JOBS:
            if (!run_options_number(o.value, 256, &s->jobs))
                return options_wrong(&o, "--jobs %.40s: expected a whole number, 1 to 256",
                                     o.value);
            break;
        default:
            if (!take_part(s, o.value))
                return wrong_part(&o);
        }
    }
    if (i == OPTIONS_END && s->against && s->wanted)
        return options_wrong(&o, "--against and parts; expected one of them");
    return i == OPTIONS_END ? -1 : i == OPTIONS_HELP ? 0 : 2;
}

static bool copy_file(const char *path, FILE *out, struct diag *d)
{
    char bytes[4096];
    size_t size;
    FILE *in = fopen(path, "r");
    if (!in) {
        snprintf(d->file, sizeof d->file, "%.250s", path);
        return diag_set(d, 0, 0, "cannot be read; expected the text that comes first");
    }
    while ((size = fread(bytes, 1, sizeof bytes, in)) > 0)
        fwrite(bytes, 1, size, out);
    fclose(in);
    return true;
}

static void print(const struct settings *s, FILE *out)
{
    const struct validation *v = &s->v;
    if (!s->against) {
        fprintf(out, "Size `%s`.\n\n", validate_size_names[v->size]);
        validate_print_verdicts(v, out);
    }
    for (size_t i = 0; i < v->count; i++)
        if (v->sets[i].count > 0)
            validate_print_set(&v->sets[i], out);
}

static int judge(const struct settings *s)
{
    int status = 0;
    for (size_t i = 0; i < s->v.count; i++)
        if (!validate_meets(&s->v.sets[i])) {
            fprintf(stderr, "simaccel: %s: a bar is missed\n", s->v.sets[i].title);
            status = s->strict ? 1 : status;
        }
    return status;
}

static int write_out(const struct settings *s, struct diag *d)
{
    struct output *o = output_open(s->markdown ? s->markdown : "-", d);
    if (!o)
        return fail(d, 2);
    if (s->head && !copy_file(s->head, output_stream(o), d)) {
        output_discard(o);
        return fail(d, 2);
    }
    print(s, output_stream(o));
    return output_commit(o, d) ? judge(s) : fail(d, 1);
}

int cmd_validate(int argc, char **argv)
{
    struct settings s = { .v = { .folder = "tests/reference", .size = VALIDATE_DEFAULT },
                          .jobs = 2 };
    struct diag d = { .text = "" };
    int status = read_settings(argc, argv, &s);
    if (status >= 0)
        return status;
    bool ok = !s.against || validate_against(&s.v, s.against, &d);
    for (size_t i = 0; ok && !s.against && i < PARTS; i++)
        if (s.wanted == 0 || s.wanted >> i & 1)
            ok = parts[i].add(&s.v, &d);
    if (ok) {
        validate_run(&s.v, s.jobs);
        status = write_out(&s, &d);
    } else {
        status = fail(&d, 2);
    }
    validate_clear(&s.v);
    return status;
}
