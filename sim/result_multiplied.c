/* result_multiplied.c - see result_multiplied.h. */
#include "sim/result_multiplied.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sim/report_field.h"

static double passes_of(const json_t *op)
{
    double passes = report_number(json_object_get(json_object_get(op, "plan"), "cut"), "passes");
    return passes > 1 ? passes : 1;
}

/* What an op is multiplied as; "": it is no product. */
static const char *type_of(const json_t *op, bool gpu)
{
    if (gpu)
        return report_string(json_object_get(op, "plan"), "type");
    return report_number(op, "macs") <= 0 ? "" : passes_of(op) > 1 ? "f32 in six bf16 passes"
                                                                   : "bf16";
}

/* Those of the trace: a result counts a TPU's once a pass. */
static double macs_of(const json_t *op)
{
    return report_number(op, "macs") / passes_of(op);
}

static bool is_gpu(const json_t *result)
{
    return strcmp(report_string(result, "kind"), "gpu") == 0;
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
    bool gpu = is_gpu(result);
    json_t *types = json_object();
    for (size_t i = 0; (op = json_array_get(ops, i)) != NULL; i++)
        if (type_of(op, gpu)[0])
            json_object_set_new(types, type_of(op, gpu), json_true());
    json_t *text = join(types);
    json_decref(types);
    return text;
}

json_t *result_multiplied_fractions(const json_t *result)
{
    const json_t *ops = json_object_get(result, "ops"), *op;
    json_t *fractions = json_object();
    double macs = 0;
    for (size_t i = 0; (op = json_array_get(ops, i)) != NULL; i++)
        if (type_of(op, is_gpu(result))[0])
            macs += macs_of(op);
    for (size_t i = 0; (op = json_array_get(ops, i)) != NULL; i++) {
        const char *type = type_of(op, is_gpu(result));
        if (type[0] && macs > 0)
            json_object_set_new(fractions, type, json_real(report_number(fractions, type)
                                                           + macs_of(op) / macs));
    }
    return fractions;
}

double result_multiplied_at_most(const json_t *result)
{
    const json_t *ops = json_object_get(result, "ops"), *op;
    double macs = 0, seconds = 0;
    for (size_t i = 0; (op = json_array_get(ops, i)) != NULL; i++)
        if (type_of(op, is_gpu(result))[0]) {
            macs += macs_of(op);
            seconds += report_number(op, "mxu_utilization") * report_number(op, "time_s");
        }
    return seconds > 0 ? 2 * macs / seconds : 0;
}
