/* cmd_sweep.c - what to sweep, from options or a plan, and what to do with it. */
#include "sim/cmd_sweep.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/cpus.h"
#include "sim/figures.h"
#include "sim/output.h"
#include "sim/sweep.h"
#include "sim/sweep_parameter.h"
#include "sim/sweep_shard.h"
#include "sim/sweep_slurm.h"
#include "sim/sweep_store.h"
#include "sim/sweep_table.h"
#include "traces/text.h"

/* What is swept comes first: the lines of a plan are these, without the dashes. */
static const struct option_row rows[] = {
    RUN_OPTIONS,
    { "inference", NULL,     "of a network, the forward pass alone" },
    { "batch",     "N",      "of a network, instead of its own" },
    { "over",      "P,P=VALUES", "an axis, as mxu.rows,mxu.cols=32..512:*2 (many times)" },
    { "file",      "FILE",   "the network or trace, as a line of a plan" },
    { "results",   "FOLDER", "keep every point's result there, and run only what is missing" },
    { "jobs",      "N",      "points at once (default: the processors that may be used)" },
    { "csv",       "FILE",   "write a row a point (default: stdout)" },
    { "table",     NULL,     "print the rows as a table for people" },
    { "json",      "FILE",   "write the same as JSON (- is stdout)" },
    { "retry-failed", NULL,  "run those again that have failed" },
    { "shard",     "I/N",    "run the I-th of N parts alone, into --results; array/N: as the job says" },
    { "slurm",     "FILE",   "run nothing: write a job-array script for sbatch (- is stdout)" },
    { "tasks",     "N",      "of that array, at most (default: a point each, as many as the site allows)" },
    { "collect",   NULL,     "run nothing: write what --results holds" },
    { "status",    NULL,     "run nothing: say what is done, failed and missing" },
    { "dry-run",   NULL,     "run nothing: list the points and their files" },
};
enum { INFERENCE = RUN_ROWS, BATCH, OVER, NET_FILE, RESULTS, JOBS, CSV, TABLE, JSON, RETRY, SHARD, SLURM,
       TASKS, COLLECT, STATUS, DRY_RUN };
#define WHAT_ROWS RESULTS
#define MOST_JOBS 1024

struct sweeping {
    struct sweep_plan plan;
    struct sweep      sweep;
    const char       *file, *csv, *json;    /* the file: a plan, too */
    const char       *slurm;
    char             *folder;               /* of --results, for a task; only of --slurm */
    unsigned          tasks;
    const char      **words;                /* of the command, as a task has to give it */
    size_t            word_count;
    unsigned          seen[WHAT_ROWS];      /* lines of a plan that give each; 0: none */
    const char       *what;                 /* the first option that a plan would have */
    bool              table, collect, status, dry_run;
    char            **texts;                /* values of a plan's lines */
    size_t            text_count;
};

static int fail(const struct diag *d, int status)
{
    diag_print(d, stderr);
    return status;
}

/* ---- options ---- */

static bool wrong(const struct options *o, int i, const char *expected)
{
    options_wrong(o, "--%s %.60s: expected %s", rows[i].name, o->value, expected);
    return false;
}

static bool take_file(struct sweeping *x, const struct options *o)
{
    if (x->file)
        options_wrong(o, "%.80s: a second file; expected one", o->value);
    bool first = !x->file;
    x->file = o->value;
    return first;
}

static bool take_over(struct sweeping *x, const struct options *o)
{
    struct diag d = { .text = "" };
    struct sweep_place place = { .file = "--over", .line = 1, .column = 1 };
    if (o->file) {
        snprintf(place.file, sizeof place.file, "%s", o->file);
        place.line   = o->line;
        place.column = o->column;
    }
    return sweep_plan_add(&x->plan, o->value, &place, &d) || fail(&d, 0);
}

/* One of the first WHAT_ROWS; false: it is wrong, and that has been said. */
static bool take_what(struct sweeping *x, const struct options *o, int i)
{
    unsigned batch = 0;
    int taken = run_options_take(&x->plan.run, o, i);
    if (taken != 0)
        return taken > 0;
    switch (i) {
    case INFERENCE:
        return x->plan.net.inference = true;
    case BATCH:
        if (!run_options_number(o->value, NET_WIDTH_MAX, &batch))
            return wrong(o, i, "a whole number, 1 to 16777216");
        x->plan.net.batch = batch;
        return true;
    case OVER:
        return take_over(x, o);
    default:
        return take_file(x, o);
    }
}

static bool take_shard(struct sweeping *x, const struct options *o)
{
    const char *task = NULL;
    switch (sweep_shard_read(o->value, &x->sweep.shard, &x->sweep.shards, &task)) {
    case SWEEP_SHARD_READ:
        return true;
    case SWEEP_SHARD_WRONG:
        return wrong(o, SHARD, "I/N, as 1/4 to 4/4, or array/4");
    case SWEEP_SHARD_NO_TASK:
        break;
    }
    options_wrong(o, "--shard %.40s: the task of the job array is %.20s; expected 1 to %u",
                  o->value, task ? task : "not said", x->sweep.shards);
    return false;
}

static bool take(struct sweeping *x, const struct options *o, int i)
{
    if (i == OPTIONS_ARGUMENT)
        return take_file(x, o);
    if (i < WHAT_ROWS) {
        x->what = x->what || i == NET_FILE ? x->what : rows[i].name;
        return take_what(x, o, i);
    }
    switch (i) {
    case RESULTS:
        x->sweep.results = o->value;
        return o->value[0] != '\0' || wrong(o, i, "a folder");
    case CSV:     x->csv = o->value; return true;
    case TABLE:   return x->table = true;
    case JSON:    x->json = o->value; return true;
    case RETRY:   return x->sweep.retry_failed = true;
    case SHARD:   return take_shard(x, o);
    case SLURM:   x->slurm = o->value; return true;
    case TASKS:
        return run_options_number(o->value, SWEEP_POINTS, &x->tasks)
            || wrong(o, i, "a whole number, 1 to 1000000");
    case COLLECT: return x->collect = true;
    case STATUS:  return x->status = true;
    case DRY_RUN: return x->dry_run = true;
    default:
        return run_options_number(o->value, MOST_JOBS, &x->sweep.jobs)
            || wrong(o, i, "a whole number, 1 to 1024");
    }
}

/* ---- a plan ---- */

/* Words from the second on, with a space between. */
static char *value_of(const struct text_line *l)
{
    char *value = calloc(1, TEXT_LINE + 1);
    if (!value)
        abort();
    for (unsigned i = 1; i < l->count; i++) {
        strcat(value, i > 1 ? " " : "");
        strcat(value, l->word[i]);
    }
    return value;
}

static const char *keep(struct sweeping *x, char *value)
{
    x->texts = reallocarray(x->texts, x->text_count + 1, sizeof *x->texts);
    if (!x->texts)
        abort();
    return x->texts[x->text_count++] = value;
}

/* A machine is looked at in the line that names or changes it. */
static bool check_machine(const struct sweeping *x, const struct options *o)
{
    const struct choice *c = &x->plan.run.choice;
    struct diag d = { .text = "" };
    struct machine *m = c->arch || c->file ? choice_machine(c, &figures_schema, &d) : NULL;
    machine_free(m);
    if (!d.text[0])
        return true;
    if (d.file[0] == '\0') {
        snprintf(d.file, sizeof d.file, "%s", o->file);
        d.line   = o->line;
        d.column = o->column;
    }
    return fail(&d, 0);
}

/* Of --set, --ideal and --over there may be several. */
static bool is_single(int i)
{
    return i != OVER && strcmp(rows[i].name, "set") != 0 && strcmp(rows[i].name, "ideal") != 0;
}

/* False with the reason in the diag, or said already. */
static bool read_line(struct sweeping *x, const struct text *t, const char *path)
{
    const char *names[WHAT_ROWS];
    for (int i = 0; i < WHAT_ROWS; i++)
        names[i] = rows[i].name;
    int i = text_choice(t, 0, "line of a plan", names, WHAT_ROWS);
    if (i < 0)
        return false;
    if (!rows[i].value && t->line.count > 1)
        return text_refuse(t, 1, "%s takes no value; expected it alone", rows[i].name);
    if (rows[i].value && t->line.count < 2)
        return text_refuse(t, 1, "%s has no value; expected %s %s", rows[i].name, rows[i].name,
                           rows[i].value);
    if (is_single(i) && x->seen[i])
        return text_refuse(t, 0, "a second %s; the first is in line %u; expected one",
                           rows[i].name, x->seen[i]);
    x->seen[i] = t->line.number;
    struct options o = { .command = "sweep", .file = path, .line = t->line.number,
                         .column = t->line.column[rows[i].value != NULL] };
    o.value = rows[i].value ? keep(x, value_of(&t->line)) : NULL;
    if (!take_what(x, &o, i))
        return false;
    if (strcmp(rows[i].name, "set") == 0)
        choice_place(&x->plan.run.choice, path, o.line, o.column);
    return i >= CHOICE_ROWS || check_machine(x, &o);
}

static bool is_plan(const struct sweeping *x)
{
    static const char first[] = "simaccel-sweep";
    return x->plan.size >= sizeof first - 1 && memcmp(x->plan.text, first, sizeof first - 1) == 0;
}

static bool is_swept(const struct sweeping *x, const char *name)
{
    for (size_t a = 0; a < x->plan.axis_count; a++)
        for (size_t n = 0; n < x->plan.axes[a].names; n++)
            if (strcmp(x->plan.axes[a].name[n].text, name) == 0)
                return true;
    return false;
}

static bool has_machine(const struct sweeping *x)
{
    return x->plan.run.choice.arch || x->plan.run.choice.file || is_swept(x, "arch");
}

static bool check_plan(const struct sweeping *x, const struct text *t)
{
    if (!x->file)
        return diag_set(t->diag, t->number, 0, "no file; expected a line like 'file "
                        "workloads/mlp.net'");
    if (!has_machine(x))
        return diag_set(t->diag, t->number, 0, "no machine; expected a line like 'arch tpu'");
    if (x->plan.axis_count == 0)
        return diag_set(t->diag, t->number, 0, "nothing to sweep; expected a line like 'over "
                        "batch=64,128'");
    return true;
}

/* Status 0, or 2 after saying why. */
static int read_plan(struct sweeping *x, struct options *o)
{
    struct diag d = { .text = "" };
    struct text t;
    const char *path = x->file;
    if (x->what)
        return options_wrong(o, "--%s beside a plan, %.80s; expected it as a line there", x->what,
                             path);
    x->file = NULL;
    text_init(&t, x->plan.text, x->plan.size, &d);
    bool good = text_first(&t, "simaccel-sweep");
    while (good && text_next(&t))
        good = read_line(x, &t, path);
    if (good && !d.text[0])
        check_plan(x, &t);
    if (d.text[0])
        snprintf(d.file, sizeof d.file, "%s", path);
    free(x->plan.text);
    x->plan.text = NULL;
    if (d.text[0])
        return fail(&d, 2);
    return good ? 0 : 2;
}

/* ---- what is asked ---- */

static int check(const struct sweeping *x, const struct options *o)
{
    const char *none = x->slurm ? "--slurm" : x->status ? "--status" : x->collect ? "--collect"
                     : x->sweep.shards > 0 ? "--shard" : x->sweep.retry_failed ? "--retry-failed"
                     : NULL;
    if (!has_machine(x))
        return options_wrong(o, "no machine; expected --arch NAME, --machine FILE or --over "
                             "arch=NAME,...");
    if (x->plan.axis_count == 0)
        return options_wrong(o, "nothing to sweep; expected --over PARAMETER=VALUES");
    if (none && !x->sweep.results)
        return options_wrong(o, "%s without a folder of results; expected --results FOLDER", none);
    if (x->status + x->collect + x->dry_run + (x->slurm != NULL) > 1)
        return options_wrong(o, "--status, --collect, --dry-run and --slurm run nothing; expected "
                             "one of them");
    if (x->tasks > 0 && !x->slurm)
        return options_wrong(o, "--tasks without an array; expected --slurm FILE");
    if (x->slurm && strcmp(x->file, "-") == 0)
        return options_wrong(o, "--slurm with stdin, which no task has; expected a file");
    if ((x->status || x->dry_run) && (x->csv || x->json || x->table))
        return options_wrong(o, "--status and --dry-run write no table; expected --collect");
    if ((x->sweep.shards > 0 || x->slurm) && (x->csv || x->json || x->table || x->collect))
        return options_wrong(o, "--shard and --slurm run parts; expected --collect without them to "
                             "write the whole");
    if (x->sweep.shards > 0 && x->slurm)
        return options_wrong(o, "--shard is what the script will say; expected --tasks N");
    return 0;
}

static bool check_files(const struct sweeping *x, struct diag *d)
{
    const struct output_use uses[] = {
        { "the network", x->plan.file, true }, { "the plan", x->file, true },
        { "the machine", x->plan.run.choice.file, true },
        { "--csv", x->csv, false },            { "--json", x->json, false },
        { "--slurm", x->slurm, false },        { "--table", x->table ? "-" : NULL, false },
    };
    return output_check(uses, sizeof uses / sizeof uses[0], d);
}

static bool find_folder(struct sweeping *x, struct diag *d)
{
    d->file[0] = '\0';
    if (x->slurm)
        x->folder = sweep_slurm_folder(x->sweep.results, d);
    return !x->slurm || x->folder;
}

static int parse(struct sweeping *x, struct options *o)
{
    struct diag d = { .text = "" };
    if (!x->file)
        return options_wrong(o, "no file; expected a network, a trace or a plan");
    const char *path = x->plan.file = x->file;
    if (!sweep_plan_load(&x->plan, &d))
        return fail(&d, 2);
    int status = is_plan(x) ? read_plan(x, o) : 0;
    x->plan.file = x->file;
    x->file = path;
    if (status == 0)
        status = check(x, o);
    if (status == 0 && (!check_files(x, &d) || !find_folder(x, &d)))
        status = fail(&d, 2);
    return status;
}

/* ---- what is done ---- */

static int write_table(const struct sweeping *x, json_t *const *table, const char *path,
                       void (*write)(const struct sweep_plan *, json_t *const *, FILE *))
{
    struct diag d = { .text = "" };
    struct output *o = output_open(path, &d);
    if (!o)
        return fail(&d, 2);
    write(&x->plan, table, output_stream(o));
    return output_commit(o, &d) ? 0 : fail(&d, 1);
}

static int write_tables(const struct sweeping *x, json_t *const *table)
{
    int status = 0;
    if (x->csv || (!x->json && !x->table && x->sweep.shards <= 1))
        status = write_table(x, table, x->csv ? x->csv : "-", sweep_table_csv);
    if (x->table && status == 0)
        status = write_table(x, table, "-", sweep_table_text);
    if (x->json && status == 0)
        status = write_table(x, table, x->json, sweep_table_json);
    return status;
}

/* Not done is failed; of a shard only its own points count. */
static bool all_done(const struct sweeping *x, json_t *const *table)
{
    for (size_t i = x->sweep.shard; i < x->plan.points; i += x->sweep.shards)
        if (!sweep_row_is(table[i], "done")
            && !(x->sweep.shards > 1 && sweep_row_is(table[i], "missing")))
            return false;
    return true;
}

static int run(struct sweeping *x, json_t **table)
{
    struct diag d = { .text = "" };
    if (!x->collect && !sweep_run(&x->sweep, table, &d))
        return fail(&d, 1);
    int status = write_tables(x, table);
    if (status != 0 || all_done(x, table))
        return status;
    fputs("simaccel sweep: not every point has a result; status and message say why\n", stderr);
    return 1;
}

static int write_script(const struct sweeping *x)
{
    struct diag d = { .text = "" };
    unsigned most = x->tasks > 0 ? x->tasks : sweep_slurm_most();
    struct sweep_slurm s = { .results = x->folder, .words = x->words,
                             .count = x->word_count, .cpus = x->sweep.jobs,
                             .tasks = x->plan.points < most ? (unsigned)x->plan.points : most };
    struct output *o = output_open(x->slurm, &d);
    if (!o)
        return fail(&d, 2);
    sweep_slurm_write(&s, output_stream(o));
    return output_commit(o, &d) ? 0 : fail(&d, 1);
}

static int sweep(struct sweeping *x)
{
    struct diag d = { .text = "" };
    bool runs = !x->status && !x->dry_run && !x->collect;
    x->sweep.plan = &x->plan;
    x->sweep.shards = x->sweep.shards > 0 ? x->sweep.shards : 1;
    x->sweep.jobs = x->sweep.jobs > 0 ? x->sweep.jobs : x->slurm ? 1 : cpus_allowed();
    x->sweep.progress = isatty(STDERR_FILENO) != 0;
    if (!sweep_plan_open(&x->plan, &d))
        return fail(&d, 2);
    if (runs && x->sweep.results && !sweep_store_open(x->sweep.results, &d))
        return fail(&d, 2);
    if (x->slurm)
        return write_script(x);
    json_t **table = sweep_rows_kept(&x->sweep);
    int status = 0;
    if (x->status)
        sweep_table_status(&x->plan, table, stdout);
    else if (x->dry_run)
        sweep_table_files(&x->plan, table, stdout);
    else
        status = run(x, table);
    sweep_rows_free(&x->sweep, table);
    return status;
}

/* The words between two places of the command line, if a task has to say them, too. */
static void add_words(struct sweeping *x, const struct options *o, int from, int i)
{
    size_t count = (size_t)(o->at - from);
    if (i == SLURM || i == TASKS || i == JOBS)
        return;
    x->words = reallocarray(x->words, x->word_count + count, sizeof *x->words);
    if (!x->words)
        abort();
    for (; from < o->at; from++)
        x->words[x->word_count++] = o->argv[from];
}

static void print_parameters(FILE *out)
{
    fputs("What --over takes:\n", out);
    sweep_parameters_print(out);
}

int cmd_sweep(int argc, char **argv)
{
    struct options o = OPTIONS("sweep", "FILE", rows, argc, argv);
    struct sweeping *x = calloc(1, sizeof *x);
    int i, from = o.at, status = 2;
    if (!x)
        abort();
    for (; (i = options_next(&o)) >= 0 || i == OPTIONS_ARGUMENT; from = o.at) {
        if (!take(x, &o, i))
            break;
        add_words(x, &o, from, i);
    }
    if (i == OPTIONS_HELP) {
        options_more(print_parameters);
        status = 0;
    }
    if (i == OPTIONS_END)
        status = parse(x, &o);
    if (i == OPTIONS_END && status == 0)
        status = sweep(x);
    sweep_plan_close(&x->plan);
    for (size_t t = 0; t < x->text_count; t++)
        free(x->texts[t]);
    free(x->texts);
    free(x->words);
    free(x->folder);
    free(x);
    return status;
}
