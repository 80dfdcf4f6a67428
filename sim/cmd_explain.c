/* cmd_explain.c - see cmd_explain.h. */
#include "sim/cmd_explain.h"

#include "sim/explain.h"
#include "sim/options.h"
#include "sim/output.h"
#include "sim/result_read.h"

static const struct option_row rows[] = {
    { "list", NULL,   "the ops with time and share, nothing more (so without OP)" },
    { "json", "FILE", "write the explanation as JSON (- is stdout, and then no text)" },
};
enum { LIST, JSON };

static int explain(const json_t *result, const char *op, const char *json, struct diag *d)
{
    size_t number;
    json_t *e = explain_find(result, op, &number, d) ? explain_op(result, number, d) : NULL;
    if (!e) {
        diag_print(d, stderr);
        return 2;
    }
    int status = json ? output_write(json, e, output_json) : 0;
    if (status == 0 && !(json && output_is_stdout(json)))
        explain_text(e, stdout);
    json_decref(e);
    return status;
}

static int run(const char *path, const char *op, const char *json)
{
    struct diag d = { .text = "" };
    const struct output_use uses[] = { { "the result", path, true }, { "--json", json, false } };
    json_t *result = NULL;
    int status = 2;
    if (!output_check(uses, sizeof uses / sizeof uses[0], &d)
        || (result = result_read(path, &d)) == NULL) {
        diag_print(&d, stderr);
    } else if (op) {
        status = explain(result, op, json, &d);
    } else {
        explain_list(result, stdout);
        status = 0;
    }
    json_decref(result);
    return status;
}

int cmd_explain(int argc, char **argv)
{
    struct options o = OPTIONS("explain", "RESULT.json [OP]", rows, argc, argv);
    const char *words[2] = { NULL, NULL }, *json = NULL;
    bool list = false;
    size_t count = 0;
    int i;
    while ((i = options_next(&o)) >= 0 || i == OPTIONS_ARGUMENT) {
        if (i == JSON)
            json = o.value;
        else if (i == LIST)
            list = true;
        else if (count < 2)
            words[count++] = o.value;
        else
            return options_wrong(&o, "%.80s: too much; expected a result and an op", o.value);
    }
    if (i == OPTIONS_HELP || i == OPTIONS_WRONG)
        return i == OPTIONS_HELP ? 0 : 2;
    if (count == 0)
        return options_wrong(&o, "no result; expected what --json of run writes");
    if (json && (list || count == 1))
        return options_wrong(&o, "--json: of what; expected an op, and no --list");
    return run(words[0], list ? NULL : words[1], json);
}
