/* cmd_diff.c - see cmd_diff.h. */
#include "sim/cmd_diff.h"

#include "sim/diff.h"
#include "sim/options.h"
#include "sim/output.h"
#include "sim/result_read.h"

static const struct option_row rows[] = {
    { "json", "FILE", "write the difference as JSON (- is stdout, and then no text)" },
};
enum { JSON };

static int write_diff(const json_t *diff, const char *path)
{
    int status = path ? output_write(path, diff, output_json) : 0;
    if (status == 0 && !(path && output_is_stdout(path)))
        diff_text(diff, stdout);
    return status;
}

static int run(const char *const *files, const char *json)
{
    struct diag d = { .text = "" };
    const struct output_use uses[] = {
        { "a result", files[0], true }, { "a result", files[1], true }, { "--json", json, false },
    };
    json_t *a = NULL, *b = NULL;
    int status = 2;
    if (output_check(uses, sizeof uses / sizeof uses[0], &d)
        && (a = result_read(files[0], &d)) != NULL && (b = result_read(files[1], &d)) != NULL) {
        json_t *diff = diff_results(a, b);
        status = write_diff(diff, json);
        json_decref(diff);
    } else {
        diag_print(&d, stderr);
    }
    json_decref(a);
    json_decref(b);
    return status;
}

int cmd_diff(int argc, char **argv)
{
    struct options o = OPTIONS("diff", "A.json B.json", rows, argc, argv);
    const char *files[2] = { NULL, NULL }, *json = NULL;
    size_t count = 0;
    int i;
    while ((i = options_next(&o)) >= 0 || i == OPTIONS_ARGUMENT) {
        if (i == JSON)
            json = o.value;
        else if (count < 2)
            files[count++] = o.value;
        else
            return options_wrong(&o, "%.80s: a third result; expected two", o.value);
    }
    if (i == OPTIONS_HELP || i == OPTIONS_WRONG)
        return i == OPTIONS_HELP ? 0 : 2;
    if (count < 2)
        return options_wrong(&o, "%zu results; expected two", count);
    return run(files, json);
}
