/* emit_variables.c - parameters, and the module's variables with their initial values. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/compile/emit.h"
#include "models/gpu/warp.h"

static enum gpu_scalar scalar_of(enum ptx_type t)
{
    switch (t) {
    case PTX_B8:   return GPU_B8;
    case PTX_B16:  return GPU_B16;
    case PTX_B64:  return GPU_B64;
    case PTX_U8:   return GPU_U8;
    case PTX_U16:  return GPU_U16;
    case PTX_U32:  return GPU_U32;
    case PTX_U64:  return GPU_U64;
    case PTX_S8:   return GPU_S8;
    case PTX_S16:  return GPU_S16;
    case PTX_S32:  return GPU_S32;
    case PTX_S64:  return GPU_S64;
    case PTX_F16:  return GPU_F16;
    case PTX_BF16: return GPU_BF16;
    case PTX_F32:  return GPU_F32;
    case PTX_F64:  return GPU_F64;
    default:       return GPU_B32;
    }
}

static void *make(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    if (!p)
        abort();
    return p;
}

void emit_params(const struct code *c, struct gpu_kernel *k)
{
    const struct ptx_function *f = c->entry;
    k->params = make(f->param_count, sizeof *k->params);
    k->param_count = f->param_count;
    for (uint32_t n = 0; n < f->param_count; n++) {
        const struct ptx_variable *v = &f->params[n];
        struct gpu_param *p = &k->params[n];
        uint32_t bytes = ptx_type_bytes(v->type), align = v->align ? v->align : bytes;
        snprintf(p->name, sizeof p->name, "%.63s", v->name);
        p->offset = align > 1 ? (k->param_bytes + align - 1) / align * align : k->param_bytes;
        p->bytes = bytes * (uint32_t)(v->is_array ? v->elements : 1);
        p->scalar = scalar_of(v->type);
        p->is_array = v->is_array;
        k->param_bytes = p->offset + p->bytes;
    }
}

static uint64_t generic_window(uint8_t space)
{
    return space == PTX_SHARED ? GPU_SHARED_WINDOW : space == PTX_CONST ? GPU_CONST_WINDOW : 0;
}

static void put_addresses(const struct code *c, const struct ptx_variable *v, uint8_t *bytes)
{
    for (uint32_t n = 0; n < v->address_count; n++) {
        const struct ptx_address *a = &v->addresses[n];
        const struct ptx_variable *to = &c->module->variables[a->variable];
        uint64_t value;
        memcpy(&value, bytes + a->at, sizeof value);
        value += c->globals[a->variable] + (uint64_t)a->offset;
        value += a->generic ? generic_window(to->space) : 0;
        memcpy(bytes + a->at, &value, sizeof value);
    }
}

static uint8_t *image(const struct code *c, uint8_t space, uint64_t size, uint64_t base)
{
    uint8_t *bytes = size ? make(size, 1) : NULL;
    for (uint32_t n = 0; n < c->module->variable_count; n++) {
        const struct ptx_variable *v = &c->module->variables[n];
        if (v->space != space || !v->initial)
            continue;
        uint8_t *at = bytes + (c->globals[n] - base);
        memcpy(at, v->initial, v->initial_bytes);
        put_addresses(c, v, at);
    }
    return bytes;
}

/* Whether a variable holds the generic address of a constant. */
static bool points_to_constants(const struct code *c)
{
    for (uint32_t n = 0; n < c->module->variable_count; n++) {
        const struct ptx_variable *v = &c->module->variables[n];
        for (uint32_t i = 0; i < v->address_count; i++)
            if (v->addresses[i].generic
                && c->module->variables[v->addresses[i].variable].space == PTX_CONST)
                return true;
    }
    return false;
}

/* Constants lie in global memory too on a chip, and compilers load by such an address as if
 * it were global. */
static void load_constants(struct gpu_kernel *k)
{
    for (uint32_t i = 0; i < k->count; i++)
        if (k->ops[i].kind == GPU_LOAD && k->ops[i].access.space == GPU_SPACE_GLOBAL)
            k->ops[i].access.space = GPU_SPACE_GENERIC;
}

void emit_variables(const struct code *c, struct gpu_kernel *k)
{
    if (points_to_constants(c))
        load_constants(k);
    k->const_bytes = image(c, PTX_CONST, c->const_bytes, 0);
    k->const_size = (uint32_t)c->const_bytes;
    k->global_bytes = image(c, PTX_GLOBAL, c->global_bytes, GPU_MODULE_BASE);
    k->global_size = (uint32_t)c->global_bytes;
}
