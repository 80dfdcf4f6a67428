/* module.h - a kernel's body becomes a module: registers of every type, variables, a function. */
#ifndef TESTS_MODELS_GPU_PTX_MODULE_H
#define TESTS_MODELS_GPU_PTX_MODULE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/ptx/ptx.h"
#include "tests/suites.h"

#define HEAD ".version 8.1\n.target sm_90\n.address_size 64\n"

/* Lines 4 to 9; the body begins in line 10. */
#define SIX \
    ".global .align 16 .f32 g[8]; .shared .align 16 .b8 s[64]; .const .u32 c = 3;\n" \
    ".func (.param .b32 fr) f (.param .b32 fa, .param .b64 fb);\n" \
    ".entry k (.param .u64 a, .param .f32 b) {\n" \
    ".reg .pred %p<4>; .reg .b16 %h<4>; .reg .b32 %r<9>; .reg .b64 %d<5>; .reg .u32 %u<3>;\n" \
    ".reg .s32 %s<3>; .reg .f32 %f<9>; .reg .f64 %e<3>; .reg .f16 %g<3>; .reg .s64 %q<3>;\n" \
    ".local .align 8 .b8 l[16]; .param .b32 pa; .param .b64 pb; .param .b32 pr;\n"

/* NULL too if a function of it is not supported: the reason is that of the first. */
static inline struct ptx_module *read_module(const char *text, struct diag *d)
{
    *d = (struct diag){ .text = "" };
    struct ptx_module *m = ptx_read(text, strlen(text), "", d);
    for (uint32_t n = 0; m && n < m->function_count; n++) {
        const struct ptx_function *f = &m->functions[n];
        if (!f->unsupported)
            continue;
        diag_set(d, f->unsupported_line, f->unsupported_column, "%s", f->unsupported);
        ptx_free(m);
        return NULL;
    }
    return m;
}

/* NULL with the reason in `d`. */
static inline struct ptx_module *read_body(const char *body, struct diag *d)
{
    static const char end[] = "\n}\n";
    size_t size = sizeof HEAD SIX + strlen(body) + sizeof end;
    char *text = malloc(size);
    ck_assert_ptr_nonnull(text);
    snprintf(text, size, "%s%s%s", HEAD SIX, body, end);
    struct ptx_module *m = read_module(text, d);
    free(text);
    return m;
}

/* A module that must be good, and its kernel. */
static inline struct ptx_module *good_body(const char *body, const struct ptx_function **k)
{
    struct diag d;
    struct ptx_module *m = read_body(body, &d);
    ck_assert_msg(m, "%s: line %u, column %u: %s", body, d.line, d.column, d.text);
    *k = ptx_entry(m, "k", &d);
    ck_assert_ptr_nonnull(*k);
    return m;
}

static inline void ck_assert_refused(const char *text, unsigned line, unsigned column,
                                     const char *says, const struct ptx_module *m,
                                     const struct diag *d)
{
    ck_assert_msg(!m, "was read: %s", text);
    ck_assert_msg(strstr(d->text, says), "%s\nsays: %u:%u: %s\nnot: %s", text, d->line, d->column,
                  d->text, says);
    ck_assert_msg(d->line == line && d->column == column, "%s\nat %u:%u, not %u:%u: %s", text,
                  d->line, d->column, line, column, d->text);
}

#endif
