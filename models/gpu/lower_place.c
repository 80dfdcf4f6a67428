/* lower_place.c - types and addresses of tensors, and copies of them in other types.
 *
 * Every tensor that is in memory has a place of its own for the whole step, as with a
 * framework's allocator that has room; a reshaped one lies where what it came from lies. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/lower_parts.h"

#define ALIGN 256               /* of a buffer (memory.h) */

static bool used(const struct trace_tensor *x)
{
    return trace_role_given(x->role) || x->writer != TRACE_NONE;
}

static void store_types(struct lower *l)
{
    for (uint32_t i = 0; i < l->trace->tensor_count; i++) {
        enum trace_type type = l->trace->tensors[i].type;
        if (type == TRACE_BF16 && l->config->gpu.generation == GPU_SM_70) {
            type = TRACE_F16;
            lower_note(l, "bf16 is stored as f16: sm_70 has no bf16");
        }
        l->plan->types[i] = type;
    }
}

/* What stays within a product's kernel. */
static void keep_inside(struct lower *l)
{
    for (uint32_t i = 0; i < l->trace->op_count; i++) {
        if (l->trace->ops[i].kind != TRACE_MATMUL)
            continue;
        for (uint32_t left = gpu_lower_fuse(l, i).ops; left > 0; left--)
            l->tensors[l->trace->ops[i++].out[0]].inside = true;
    }
}

/* A reshape moves nothing, unless an optimizer changes what it came from afterwards. */
static void share_places(struct lower *l)
{
    const struct trace *t = l->trace;
    uint32_t *changed = calloc(t->tensor_count + 1, sizeof *changed);   /* after that op */
    if (!changed)
        abort();
    for (uint32_t i = 0; i < t->tensor_count; i++)
        l->tensors[i].same = i;
    for (uint32_t i = 0; i < t->op_count; i++)
        if (op_rows[t->ops[i].kind].class == OP_OPTIMIZER)
            for (uint32_t o = 0; o < t->ops[i].outs; o++)
                changed[t->ops[i].out[o]] = i;
    for (uint32_t i = 0; i < t->op_count; i++) {
        uint32_t from = l->tensors[t->ops[i].in[0]].same;
        if (t->ops[i].kind == TRACE_RESHAPE && changed[from] <= i)
            l->tensors[t->ops[i].out[0]].same = from;
    }
    free(changed);
}

static uint64_t stored_bytes(const struct lower *l, uint32_t tensor)
{
    return trace_elements(&l->trace->tensors[tensor])
         * trace_type_bytes(l->plan->types[tensor]);
}

static bool has_place(const struct lower *l, uint32_t i)
{
    return used(&l->trace->tensors[i]) && !l->tensors[i].inside && l->tensors[i].same == i;
}

/* All of them at once, so that the message says what would be enough. */
static bool check_room(const struct lower *l)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < l->trace->tensor_count; i++)
        if (has_place(l, i))
            bytes += lower_ceil(stored_bytes(l, i), ALIGN) * ALIGN;
    if (bytes <= l->memory_bytes)
        return true;
    return diag_set(l->diag, 0, 0, "the tensors of the trace take %" PRIu64 " bytes of memory; "
                    "expected at most %" PRIu64, bytes, l->memory_bytes);
}

bool gpu_lower_place(struct lower *l)
{
    store_types(l);
    keep_inside(l);
    share_places(l);
    if (!check_room(l))
        return false;
    for (uint32_t i = 0; i < l->trace->tensor_count; i++)
        if (has_place(l, i)) {
            l->plan->addresses[i] = lower_buffer(l, l->trace->tensors[i].name,
                                                 stored_bytes(l, i));
            if (!l->plan->addresses[i])
                return false;
        }
    for (uint32_t i = 0; i < l->trace->tensor_count; i++)
        if (used(&l->trace->tensors[i]) && !l->tensors[i].inside)
            l->plan->addresses[i] = l->plan->addresses[l->tensors[i].same];
    return true;
}

uint64_t lower_buffer(struct lower *l, const char *name, uint64_t bytes)
{
    l->needed_bytes += lower_ceil(bytes, ALIGN) * ALIGN;
    uint64_t address = 0;
    if (l->needed_bytes > l->memory_bytes)
        diag_set(l->diag, 0, 0, "with %s the trace takes %" PRIu64 " bytes of memory; expected "
                 "at most %" PRIu64, name, l->needed_bytes, l->memory_bytes);
    else if (!(address = gpu_memory_add(l->plan->memory, name, bytes)))
        diag_set(l->diag, 0, 0, "there is no room for the values of %s (%" PRIu64 " bytes); "
                 "expected a smaller trace", name, bytes);
    return address;
}

uint64_t lower_address(const struct lower *l, uint32_t tensor)
{
    return l->plan->addresses[tensor];
}

static enum gpu_element element_of(enum trace_type type)
{
    switch (type) {
    case TRACE_F32:  return GPU_ELEMENT_F32;
    case TRACE_BF16: return GPU_ELEMENT_BF16;
    case TRACE_F16:  return GPU_ELEMENT_F16;
    case TRACE_I32:  return GPU_ELEMENT_I32;
    case TRACE_TYPES_COUNT: break;
    }
    abort();
}

enum gpu_element lower_element(const struct lower *l, uint32_t tensor)
{
    return element_of(l->plan->types[tensor]);
}

uint32_t lower_types(const struct lower *l, const uint32_t *tensors, uint32_t count)
{
    uint32_t types = 0;
    for (uint32_t i = 0; i < count; i++)
        if (tensors[i] != TRACE_NONE)
            types |= (uint32_t)lower_element(l, tensors[i]) << 4 * i;
    return types;
}

/* ---- copies in other types ---- */

static bool make_copy(struct lower *l, uint32_t tensor, enum trace_type type,
                      enum trace_phase phase)
{
    const struct trace_tensor *x = &l->trace->tensors[tensor];
    struct lower_tensor *t = &l->tensors[tensor];
    char name[TRACE_NAME + 16];
    snprintf(name, sizeof name, "%s.%s", x->name, trace_type_names[type]);
    if (!t->copies[type])
        t->copies[type] = lower_buffer(l, name, trace_elements(x) * trace_type_bytes(type));
    strcat(name, " = cast");
    t->fresh[type] = true;
    return t->copies[type] && lower_group(l, phase, name)
        && lower_cast(l, t->copies[type], element_of(type), lower_address(l, tensor),
                      lower_element(l, tensor), trace_elements(x));
}

uint64_t lower_copy(struct lower *l, uint32_t tensor, enum trace_type type,
                    enum trace_phase phase)
{
    uint32_t at = l->tensors[tensor].same;
    if (l->plan->types[at] == type)
        return lower_address(l, at);
    if (!l->tensors[at].fresh[type] && !make_copy(l, at, type, phase))
        return 0;
    return l->tensors[at].copies[type];
}

void lower_changed(struct lower *l, uint32_t tensor)
{
    memset(l->tensors[tensor].fresh, 0, sizeof l->tensors[tensor].fresh);
}
