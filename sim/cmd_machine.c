/* cmd_machine.c - list the machines, or print one with every figure. */
#include <stdlib.h>

#include "sim/choice.h"
#include "sim/cmd_machine.h"
#include "sim/cpu_roof.h"
#include "sim/figures.h"
#include "sim/output.h"

static const struct option_row rows[] = {
    CHOICE_OPTIONS,
    { "json", "FILE", "write JSON instead (- is stdout)" },
};

static int fail(const struct diag *d, int status)
{
    diag_print(d, stderr);
    return status;
}

/* Of a kind that is simulated, or a CPU's roofline; NULL and the reason in `d`. */
static struct machine *read_any(const char *path, struct diag *d)
{
    struct diag none = { .text = "" };
    struct machine *m = machine_read(&figures_schema, path, d);
    return m ? m : machine_read(&cpu_schema, path, &none);
}

/* One line of the list; a file that is wrong says so in its place. */
static void list_one(void *self, const char *name, const char *path)
{
    struct diag     d = { .text = "" };
    struct machine *m = read_any(path, &d);
    (void)self;
    if (m != NULL)
        printf("%-12s %s\n", name, machine_description(m));
    else
        printf("%-12s (%s: %s)\n", name, d.file, d.text);
    machine_free(m);
}

static void list_json(void *self, const char *name, const char *path)
{
    struct diag     d = { .text = "" };
    struct machine *m = read_any(path, &d);
    if (m != NULL)
        json_array_append_new(self, json_pack("{s:s, s:s, s:s, s:s}", "name", name, "file",
                                              path, "kind", machine_kind_name(machine_kind(m)),
                                              "description", machine_description(m)));
    machine_free(m);
}

/* Takes the reference. */
static int write_json(json_t *json, const char *path)
{
    int status = output_write(path, json, output_json);
    json_decref(json);
    return status;
}

static int list(const char *json)
{
    if (json == NULL) {
        machine_list(list_one, NULL);
        return 0;
    }
    json_t *all = json_array();
    machine_list(list_json, all);
    return write_json(all, json);
}

/* What the file is without changes says what may be changed. */
static const struct schema *schema_of(const struct choice *choice)
{
    struct choice bare = { .arch = choice->arch, .file = choice->file };
    struct diag none = { .text = "" };
    struct machine *cpu = choice_machine(&bare, &cpu_schema, &none);
    machine_free(cpu);
    return cpu ? &cpu_schema : &figures_schema;
}

static int print(const struct choice *choice, const char *json)
{
    const struct output_use uses[] = { { "the machine", choice->file, true },
                                       { "--json", json, false } };
    struct diag     d = { .text = "" };
    struct machine *m = output_check(uses, 2, &d) ? choice_machine(choice, schema_of(choice), &d)
                                                  : NULL;
    int             status = 0;
    if (m == NULL)
        return fail(&d, 2);
    if (json != NULL)
        status = write_json(machine_json(m), json);
    else
        machine_print(m, stdout);
    machine_free(m);
    return status;
}

int cmd_machine(int argc, char **argv)
{
    struct options o      = OPTIONS("machine", "[NAME]", rows, argc, argv);
    struct choice  choice = { .count = 0 };
    const char    *json   = NULL;
    int            i;
    while ((i = options_next(&o)) >= 0 || i == OPTIONS_ARGUMENT) {
        if (i >= 0 && choice_take(&choice, i, o.value))
            continue;
        if (i == CHOICE_ROWS)
            json = o.value;
        else if (choice.arch == NULL)
            choice.arch = o.value;
        else
            return options_wrong(&o, "%.80s: a second name; expected one", o.value);
    }
    if (i == OPTIONS_HELP || i == OPTIONS_WRONG)
        return i == OPTIONS_HELP ? 0 : 2;
    if (choice.arch == NULL && choice.file == NULL && choice.count == 0)
        return list(json);
    return print(&choice, json);
}
