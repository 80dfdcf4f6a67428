/* fuzz_ptx.c - any bytes as a PTX module: refused with words and a place, or a module whose
 * numbers all mean something.  After a first '{' the rest is the body of a kernel, so that
 * instructions are reached without a heading that is right. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/ptx/ptx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char heading[] =
    ".version 8.0\n.target sm_90\n.address_size 64\n"
    ".global .f32 g[8]; .shared .align 16 .b8 s[64]; .const .u32 c = 3;\n"
    ".func (.param .b32 fr) f (.param .b32 fa);\n"
    ".entry k (.param .u64 a, .param .f32 b) {\n"
    ".reg .pred %p<4>; .reg .b16 %h<4>; .reg .b32 %r<9>; .reg .b64 %d<5>;\n"
    ".reg .f32 %f<9>; .reg .f64 %e<3>; .local .b8 l[16];\n";

static void check_element(const struct ptx_function *f, unsigned kind, uint32_t number)
{
    assert(kind == PTX_NO_OPERAND || kind == PTX_IMMEDIATE
           || (kind == PTX_REGISTER && number < f->register_count));
}

static void check_operand(const struct ptx_module *m, const struct ptx_function *f,
                          const struct ptx_operand *o)
{
    unsigned kind = o->kind == PTX_MEMORY ? o->base : o->kind;
    switch (kind) {
    case PTX_REGISTER: assert(o->number < f->register_count); break;
    case PTX_VARIABLE: assert(ptx_find_variable(m, f, o->number)); break;
    case PTX_LABEL:    assert(o->number < f->label_count); break;
    case PTX_SPECIAL:  assert(o->number < PTX_SPECIALS_COUNT); break;
    case PTX_FUNCTION: assert(o->number < m->function_count); break;
    case PTX_PAIR:
    case PTX_VECTOR_OF:
        assert(o->count <= PTX_VECTOR);
        for (uint32_t n = 0; n < o->count; n++)
            check_element(f, o->vector[n].kind, o->vector[n].number);
        break;
    default: break;
    }
}

static void check_function(const struct ptx_module *m, const struct ptx_function *f)
{
    char text[200];
    assert(!f->unsupported
           || (f->unsupported[0] && f->unsupported_line > 0 && f->unsupported_column > 0));
    for (uint32_t n = 0; n < f->label_count; n++)
        assert(f->labels[n].at < f->instruction_count);
    for (uint32_t n = 0; n < f->register_count; n += 1 + f->register_count / 16)
        ptx_register_name(&f->registers[n], text, sizeof text);
    for (uint32_t n = 0; n < f->instruction_count; n++) {
        const struct ptx_instruction *i = &f->instructions[n];
        assert(i->operands <= PTX_OPERANDS && i->line > 0 && i->column > 0);
        assert(i->guard == PTX_NO_GUARD
               || (i->guard < f->register_count && f->registers[i->guard].type == PTX_PRED));
        for (uint32_t o = 0; o < i->operands; o++)
            check_operand(m, f, &i->operand[o]);
        for (uint32_t o = 0; i->op == PTX_CALL && o < i->returned + i->passed; o++)
            assert(i->arguments[o].kind == PTX_VARIABLE
                   && ptx_find_variable(m, f, i->arguments[o].number)->space == PTX_PARAM);
        ptx_print(i, text, sizeof text);
        assert(strncmp(text, ptx_op_names[i->op], strlen(ptx_op_names[i->op])) == 0);
    }
}

static void read_text(const char *text, size_t size)
{
    struct diag d = { .text = "" };
    struct ptx_module *m = ptx_read(text, size, "fuzz", &d);
    assert(!m == (d.text[0] != '\0'));
    assert(m || (d.line > 0 && d.column > 0));
    for (uint32_t n = 0; m && n < m->function_count; n++)
        check_function(m, &m->functions[n]);
    if (m)
        ptx_entry(m, "saxpy", &d);
    ptx_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || data[0] != '{') {
        read_text((const char *)data, size);
        return 0;
    }
    size_t length = sizeof heading - 1;
    char *text = malloc(length + size);
    if (!text)
        abort();
    memcpy(text, heading, length);
    memcpy(text + length, data + 1, size - 1);
    text[length + size - 1] = '}';
    read_text(text, length + size);
    free(text);
    return 0;
}
