/* print.c - names, and finding things by name or number. */
#include <stdlib.h>
#include <string.h>

#include "models/gpu/ptx/inside.h"

const char *const ptx_op_names[PTX_OPS_COUNT] = {
#define OP(id, name) name,
    PTX_OPS(OP)
#undef OP
};

const char *const ptx_type_names[PTX_TYPES_COUNT] = {
#define TYPE(id, name, bytes) name,
    PTX_TYPES(TYPE)
#undef TYPE
};

unsigned ptx_type_bytes(enum ptx_type t)
{
    static const uint8_t sizes[PTX_TYPES_COUNT] = {
#define TYPE(id, name, bytes) bytes,
        PTX_TYPES(TYPE)
#undef TYPE
    };
    return sizes[t];
}

void ptx_register_name(const struct ptx_register *r, char *text, size_t size)
{
    if (r->index == PTX_NO_INDEX)
        snprintf(text, size, "%s", r->name);
    else
        snprintf(text, size, "%s%u", r->name, r->index);
}

void ptx_print(const struct ptx_instruction *i, char *text, size_t size)
{
    size_t n = (size_t)snprintf(text, size, "%s", ptx_op_names[i->op]);
    if (n < size)
        form_print(i, text + n, size - n);
}

const struct ptx_variable *ptx_find_variable(const struct ptx_module *m,
                                             const struct ptx_function *f, uint32_t number)
{
    if (number >= PTX_MODULE_VARIABLE) {
        number -= PTX_MODULE_VARIABLE;
        return number < m->variable_count ? &m->variables[number] : NULL;
    }
    if (number < f->variable_count)
        return &f->variables[number];
    number -= f->variable_count;
    if (number < f->param_count)
        return &f->params[number];
    number -= f->param_count;
    return number < f->return_count ? &f->returns[number] : NULL;
}

/* Names are kept up to PTX_NAME - 1 characters. */
static bool has_name(const struct ptx_function *f, const char *name)
{
    return !name || strncmp(f->name, name, sizeof f->name - 1) == 0;
}

static bool is_kernel(const struct ptx_function *f) { return f->is_entry && f->has_body; }

/* The names of the entries, for a message. */
static bool refuse_entry(const struct ptx_module *m, const char *name, struct diag *d)
{
    const char **names = calloc(m->function_count + 1, sizeof *names);
    size_t count = 0;
    if (!names)
        abort();
    for (uint32_t n = 0; n < m->function_count; n++)
        if (is_kernel(&m->functions[n]))
            names[count++] = m->functions[n].name;
    const char *near = name ? diag_nearest(name, names, count) : NULL;
    if (!count)
        diag_set(d, 0, 0, "there is no entry; expected a kernel (.entry)");
    else if (!name)
        diag_set(d, 0, 0, "there are %zu entries; expected the name of one, as '%s'", count,
                 names[0]);
    else if (near)
        diag_set(d, 0, 0, "there is no entry '%s'; did you mean '%s'?", name, near);
    else
        diag_set(d, 0, 0, "there is no entry '%s'; expected one of %zu, as '%s'", name, count,
                 names[0]);
    free(names);
    return false;
}

const struct ptx_function *ptx_entry(const struct ptx_module *m, const char *name,
                                     struct diag *d)
{
    const struct ptx_function *found = NULL;
    uint32_t count = 0;
    for (uint32_t n = 0; n < m->function_count; n++) {
        const struct ptx_function *f = &m->functions[n];
        if (is_kernel(f) && has_name(f, name)) {
            found = f;
            count++;
        }
    }
    if (count == 1)
        return found;
    snprintf(d->file, sizeof d->file, "%s", m->file);
    refuse_entry(m, name, d);
    return NULL;
}
