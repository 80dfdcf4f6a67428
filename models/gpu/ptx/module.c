/* module.c - a module: version, target, variables, functions. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/ptx/inside.h"
#include "traces/text.h"

#define NEWEST 99       /* .version 9.9 */

static bool read_version(struct reader *r)
{
    struct token t = r->token;
    if (t.kind != T_DIRECTIVE || !is_word(&t, "version"))
        return refuse(r, &t, t.kind == T_END && t.line == 1 ? "the file is empty; expected .version"
                      : "the module does not begin with .version; expected .version 7.0 or another");
    if (!lex_next(r))
        return false;
    t = r->token;
    bool good = t.kind == T_FLOAT && t.length == 3 && t.text[0] >= '1' && t.text[0] <= '9'
             && t.text[1] == '.' && t.text[2] >= '0' && t.text[2] <= '9';
    r->m->version = good ? (unsigned)(10 * (t.text[0] - '0') + (t.text[2] - '0')) : 0;
    if (!good || r->m->version > NEWEST)
        return refuse(r, &t, "the version is not known; expected 1.0 to 9.9");
    return lex_next(r);
}

/* sm_80, sm_90a: a number of two or three digits, and a letter. */
static unsigned target_of(const struct token *t)
{
    unsigned value = 0, n = 3;
    if (t->kind != T_NAME || t->length < 5 || memcmp(t->text, "sm_", 3) != 0)
        return 0;
    for (; n < t->length && t->text[n] >= '0' && t->text[n] <= '9' && n < 6; n++)
        value = 10 * value + (unsigned)(t->text[n] - '0');
    bool letter = n + 1 == t->length && (t->text[n] == 'a' || t->text[n] == 'f');
    return n == t->length || letter ? value : 0;
}

/* .target sm_80, debug */
static bool read_target(struct reader *r)
{
    static const char *const others[] = { "debug", "texmode_independent", "texmode_unified",
                                          "map_f64_to_f32" };
    struct token t = r->token;
    bool more;
    if (t.kind != T_DIRECTIVE || !is_word(&t, "target"))
        return refuse(r, &t, ".version is not followed by .target; expected .target sm_80 or "
                      "another");
    if (!lex_next(r))
        return false;
    do {
        t = r->token;
        unsigned target = target_of(&t);
        bool known = target >= 10;
        for (size_t n = 0; n < sizeof others / sizeof *others; n++)
            known = known || (t.kind == T_NAME && is_word(&t, others[n]));
        if (!known)
            return refuse(r, &t, "'%.*s' is no target; expected sm_70, sm_80, sm_90 or another",
                          SHOW(&t));
        if (target)
            r->m->target = target;
        if (!lex_next(r) || !take_sign(r, ",", &more))
            return false;
    } while (more);
    return r->m->target ? true : refuse(r, &t, "no chip in .target; expected sm_80 or another");
}

static bool read_address_size(struct reader *r)
{
    struct token at = r->token;
    int64_t bits;
    if (!constant_whole(r, ".address_size", 0, INT32_MAX, &bits))
        return false;
    if (bits != 64)
        return refuse(r, &at, "addresses of %lld bits are not supported; expected 64",
                      (long long)bits);
    return true;
}

/* .section .debug_info { ... } */
static bool skip_section(struct reader *r)
{
    if (r->token.kind != T_DIRECTIVE && r->token.kind != T_NAME)
        return refuse(r, &r->token, "'%.*s' is no section; expected its name", SHOW(&r->token));
    return lex_next(r) && expect_sign(r, "{", "after a section's name") && skip_past(r, "}");
}

static int space_of(const struct token *t)
{
    static const char *const names[] = { [PTX_GLOBAL] = "global", [PTX_SHARED] = "shared",
                                         [PTX_CONST] = "const" };
    for (int n = 0; n < (int)(sizeof names / sizeof *names); n++)
        if (names[n] && is_word(t, names[n]))
            return n;
    return -1;
}

static bool read_linkage(struct reader *r, bool *is_extern)
{
    static const char *const names[] = { "extern", "visible", "weak", "common" };
    *is_extern = false;
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        if (is_word(&r->token, names[n])) {
            *is_extern = n == 0;
            if (!lex_next(r))
                return false;
            if (r->token.kind != T_DIRECTIVE)
                return refuse(r, &r->token, "'%.*s' after .%s; expected .entry, .func or a "
                              "space of variables", SHOW(&r->token), names[n]);
            return true;
        }
    return true;
}

static bool refuse_directive(struct reader *r, const struct token *t)
{
    static const char *const names[] = { "entry", "func", "global", "shared", "const", "visible",
                                         "extern", "weak", "common", "file", "section", "pragma",
                                         "address_size" };
    char word[64];
    snprintf(word, sizeof word, "%.*s", SHOW(t));
    const char *near = diag_nearest(word, names, sizeof names / sizeof *names);
    if (near)
        return refuse(r, t, ".%s is not supported here; did you mean '.%s'?", word, near);
    return refuse(r, t, ".%s is not supported here; expected .entry, .func, .global, .shared or "
                  ".const", word);
}

static bool read_one(struct reader *r)
{
    bool is_extern;
    if (is_sign(r, "@@"))
        return lex_skip_line(r);
    if (r->token.kind != T_DIRECTIVE)
        return refuse(r, &r->token, "'%.*s' stands outside of a function; expected .entry, .func "
                      "or a variable", SHOW(&r->token));
    if (is_word(&r->token, "file") || is_word(&r->token, "loc"))
        return lex_skip_line(r);
    if (!read_linkage(r, &is_extern))
        return false;
    struct token t = r->token;
    int space = space_of(&t);
    if (!lex_next(r))
        return false;
    if (is_word(&t, "entry") || is_word(&t, "func"))
        return read_function(r, is_word(&t, "entry"), is_extern);
    if (space >= 0)
        return read_variables(r, (enum ptx_space)space, is_extern);
    if (is_word(&t, "address_size"))
        return read_address_size(r);
    if (is_word(&t, "section"))
        return skip_section(r);
    if (is_word(&t, "pragma"))
        return skip_past(r, ";");
    return refuse_directive(r, &t);
}

static bool read_module(struct reader *r)
{
    if (!lex_next(r) || !read_version(r) || !read_target(r))
        return false;
    while (r->token.kind != T_END)
        if (!read_one(r))
            return false;
    return !r->d->text[0];
}

struct ptx_module *ptx_read(const char *text, size_t size, const char *file, struct diag *d)
{
    assert(d && !d->text[0] && (text || !size));
    struct reader *r = calloc(1, sizeof *r);
    struct ptx_module *m = calloc(1, sizeof *m);
    if (!r || !m)
        abort();
    if (file) {
        snprintf(m->file, sizeof m->file, "%s", file);
        snprintf(d->file, sizeof d->file, "%s", file);
    }
    r->d = d;
    r->m = m;
    r->name_at = m->names = malloc(size + 1);
    if (!m->names)
        abort();
    lex_start(r, text, size);
    bool good = read_module(r);
    symbols_free(&r->symbols);
    free(r->pending);
    free(r->targets);
    free(r);
    if (good)
        return m;
    ptx_free(m);
    return NULL;
}

struct ptx_module *ptx_load(const char *path, struct diag *d)
{
    size_t size;
    char *text = text_load(path, &size, d);
    if (!text)
        return NULL;
    char file[sizeof d->file];
    memcpy(file, d->file, sizeof file);
    struct ptx_module *m = ptx_read(text, size, file, d);
    free(text);
    return m;
}

void ptx_free(struct ptx_module *m)
{
    if (!m)
        return;
    functions_free(m);
    for (uint32_t n = 0; n < m->variable_count; n++) {
        free(m->variables[n].initial);
        free(m->variables[n].addresses);
    }
    free(m->variables);
    free(m->names);
    free(m);
}
