/* result_multiplied.c - see result_multiplied.h. */
#include "sim/result_multiplied.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sim/report_field.h"

/* What an op is multiplied as; "": it is no product. */
static const char *type_of(const json_t *op, bool gpu)
{
    const json_t *plan = json_object_get(op, "plan");
    if (gpu)
        return report_string(plan, "type");
    double passes = report_number(json_object_get(plan, "cut"), "passes");
    return report_number(op, "macs") <= 0 ? "" : passes > 1 ? "f32 in six bf16 passes" : "bf16";
}

/* Keys in their order. */
static json_t *join(json_t *types)
{
    const char *type;
    json_t *is;
    char text[128] = "";
    json_object_foreach(types, type, is) {
        size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, "%s%s", n > 0 ? ", " : "", type);
    }
    return json_string(text);
}

json_t *result_multiplied(const json_t *result)
{
    const json_t *ops = json_object_get(result, "ops"), *op;
    bool gpu = strcmp(report_string(result, "kind"), "gpu") == 0;
    json_t *types = json_object();
    for (size_t i = 0; (op = json_array_get(ops, i)) != NULL; i++)
        if (type_of(op, gpu)[0])
            json_object_set_new(types, type_of(op, gpu), json_true());
    json_t *text = join(types);
    json_decref(types);
    return text;
}
