/* fuzz_machine.c - random machine files and assignments: a message or a machine, and
 * then one that prints and reads back to the same figures. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/toy_machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_print(const struct machine *m)
{
    char  *text;
    size_t size;
    struct diag d = { .text = "" };
    FILE *out = open_memstream(&text, &size);
    machine_print(m, out);
    fclose(out);
    struct machine *back = machine_read_text(&toy_schema, text, size, "printed", &d);
    assert(back != NULL);
    assert(memcmp(machine_figures(m), machine_figures(back), sizeof(struct toy_figures)) == 0);
    machine_free(back);
    free(text);
}

static void check_json(const struct machine *m)
{
    struct diag d = { .text = "" };
    json_t *json = machine_json(m);
    assert(json != NULL);
    char *text = json_dumps(json, 0);
    struct machine *back = machine_read_text(&toy_schema, text, strlen(text), "json", &d);
    assert(back != NULL);
    assert(memcmp(machine_figures(m), machine_figures(back), sizeof(struct toy_figures)) == 0);
    machine_free(back);
    json_decref(json);
    free(text);
}

/* The input is a machine file; what follows its last '@', if there is one, is assigned. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct diag    d  = { .text = "" };
    const uint8_t *at = size == 0 ? NULL : memrchr(data, '@', size);
    size_t         n  = at == NULL ? size : (size_t)(at - data);
    setenv("SIMACCEL_MACHINES", "tests/fuzz/seeds/fuzz_machine", 1);
    struct machine *m = machine_read_text(&toy_schema, (const char *)data, n, "input", &d);
    assert((m == NULL) == (d.text[0] != '\0'));
    if (m != NULL && at != NULL) {
        char *assignment = strndup((const char *)at + 1, size - n - 1);
        machine_set(m, assignment, "--set", &d);
        free(assignment);
    }
    if (m != NULL) {
        check_print(m);
        check_json(m);
    }
    machine_free(m);
    return 0;
}
