/* gemm.c - see gemm.h. */
#include "sim/gemm.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "traces/text.h"

#define LINE 4096
#define COLUMNS 64
#define ROWS_MOST 100000

static const struct { const char *name; enum trace_type type; } types[] = {
    { "bf16", TRACE_BF16 }, { "f16", TRACE_F16 }, { "f32", TRACE_F32 },
};

static bool whole(const char **text, uint64_t *value)
{
    uint64_t n = 0;
    const char *p = *text;
    if (!isdigit((unsigned char)*p))
        return false;
    for (; isdigit((unsigned char)*p); p++)
        if ((n = n * 10 + (uint64_t)(*p - '0')) > GEMM_MOST)
            return false;
    *text = p;
    *value = n;
    return n > 0;
}

bool gemm_parse(struct gemm *g, const char *text)
{
    return whole(&text, &g->m) && *text++ == 'x' && whole(&text, &g->k) && *text++ == 'x'
        && whole(&text, &g->n) && *text == '\0';
}

bool gemm_transpose(struct gemm *g, const char *word)
{
    if (strcmp(word, "nn") != 0 && strcmp(word, "nt") != 0 && strcmp(word, "tn") != 0)
        return false;
    g->transpose_a = word[0] == 't';
    g->transpose_b = word[1] == 't';
    return true;
}

bool gemm_type(struct gemm *g, const char *word)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(word, types[i].name) == 0) {
            g->type = types[i].type;
            return true;
        }
    return false;
}

const char *gemm_transpose_name(const struct gemm *g)
{
    return g->transpose_a ? "tn" : g->transpose_b ? "nt" : "nn";
}

static uint32_t add(struct trace *t, const char *name, enum trace_role role, enum trace_type type,
                    uint64_t rows, uint64_t cols, struct diag *d)
{
    struct trace_tensor x = { .role = role, .type = type, .rank = 2, .shape = { rows, cols } };
    snprintf(x.name, sizeof x.name, "%s", name);
    return trace_add_tensor(t, &x, NULL, d);
}

struct trace *gemm_trace(const struct gemm *g, struct diag *d)
{
    struct trace *t = trace_new(g->name[0] ? g->name : "gemm");
    bool ta = g->transpose_a, tb = g->transpose_b;
    uint32_t a = add(t, "a", ROLE_INPUT, g->type, ta ? g->k : g->m, ta ? g->m : g->k, d);
    uint32_t b = add(t, "b", ta ? ROLE_INPUT : ROLE_WEIGHT, g->type, tb ? g->n : g->k,
                     tb ? g->k : g->n, d);
    uint32_t y = add(t, "y", ROLE_OUTPUT, g->type, g->m, g->n, d);
    struct trace_op op = { .kind = TRACE_MATMUL, .phase = PHASE_FORWARD, .out = { y }, .outs = 1,
                           .in = { a, b }, .ins = 2, .transpose_a = ta, .transpose_b = tb,
                           .compute = g->type };
    if (a != TRACE_NONE && b != TRACE_NONE && y != TRACE_NONE && trace_add_op(t, &op, NULL, d)) {
        t->batch = ta ? g->k : g->m;
        return t;
    }
    trace_free(t);
    return NULL;
}

/* ---- lists ---- */

/* Cuts a line at its commas, and blanks off the ends of the parts. */
static size_t split(char *line, char *parts[COLUMNS], unsigned columns[COLUMNS])
{
    size_t count = 0;
    char *p = line;
    while (p && count < COLUMNS) {
        char *next = strchr(p, ',');
        if (next)
            *next++ = '\0';
        while (isspace((unsigned char)*p))
            p++;
        for (char *e = p + strlen(p); e > p && isspace((unsigned char)e[-1]); )
            *--e = '\0';
        columns[count] = (unsigned)(p - line) + 1;
        parts[count++] = p;
        p = next;
    }
    return count;
}

static bool blank(char *const parts[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (parts[i][0])
            return false;
    return true;
}

struct header { size_t m, k, n; bool named; };

static bool read_header(struct header *h, char *const parts[], size_t count, unsigned line,
                        struct diag *d)
{
    static const char *const wanted[] = { "m", "k", "n" };
    size_t *found[] = { &h->m, &h->k, &h->n };
    for (int w = 0; w < 3; w++) {
        *found[w] = SIZE_MAX;
        for (size_t i = 0; i < count; i++)
            if (strcasecmp(parts[i], wanted[w]) == 0)
                *found[w] = i;
        if (*found[w] == SIZE_MAX)
            return diag_set(d, line, 1, "the header has no column %s; expected M, K and N, in "
                            "any order (convolutions are not read)", wanted[w]);
    }
    h->named = h->m != 0 && h->k != 0 && h->n != 0;
    return true;
}

static bool read_row(struct gemm *g, const struct header *h, char *const parts[],
                     const unsigned columns[], size_t count, unsigned line, struct diag *d)
{
    const size_t at[] = { h->m, h->k, h->n };
    uint64_t *to[] = { &g->m, &g->k, &g->n };
    for (int i = 0; i < 3; i++) {
        if (at[i] >= count)
            return diag_set(d, line, 1, "the row has %zu columns; expected at least %zu", count,
                            at[i] + 1);
        const char *text = parts[at[i]];
        if (!whole(&text, to[i]) || *text != '\0')
            return diag_set(d, line, columns[at[i]], "%.40s: expected a whole number, 1 to %u",
                            parts[at[i]], GEMM_MOST);
    }
    if (h->named)
        snprintf(g->name, sizeof g->name, "%s", parts[0]);
    return true;
}

static bool read_line(struct gemm **list, size_t *count, struct header *h, bool *header,
                      char *text, unsigned line, const struct gemm *like, struct diag *d)
{
    char *parts[COLUMNS];
    unsigned columns[COLUMNS];
    if (text[0] == '#')
        return true;
    size_t parts_count = split(text, parts, columns);
    if (blank(parts, parts_count))
        return true;
    if (!*header)
        return *header = read_header(h, parts, parts_count, line, d);
    if (*count == ROWS_MOST)
        return diag_set(d, line, 1, "more rows than %d; expected fewer", ROWS_MOST);
    if ((*count & (*count - 1)) == 0) {
        *list = realloc(*list, (*count ? *count * 2 : 1) * sizeof **list);
        if (!*list)
            abort();
    }
    (*list)[*count] = *like;
    return read_row(&(*list)[(*count)++], h, parts, columns, parts_count, line, d);
}

size_t gemm_list(const char *path, const struct gemm *like, struct gemm **list, struct diag *d)
{
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    snprintf(d->file, sizeof d->file, "%s", path);
    *list = NULL;
    if (!in) {
        diag_set(d, 0, 0, "cannot be read; expected a CSV file with columns M, K and N");
        return 0;
    }
    char text[LINE];
    size_t count = 0;
    unsigned line = 0;
    struct header h = { 0 };
    bool header = false, ok = true;
    while (ok && fgets(text, sizeof text, in)) {
        line++;
        if (strlen(text) == sizeof text - 1)
            ok = diag_set(d, line, 1, "a line of over %d characters; expected shorter ones", LINE);
        else
            ok = read_line(list, &count, &h, &header,
                           text + (line == 1 ? text_mark(text, strlen(text)) : 0), line, like, d);
    }
    if (in != stdin)
        fclose(in);
    if (ok && count == 0)
        ok = diag_set(d, line, 0, "no row; expected a header with M, K and N, and rows below it");
    if (ok)
        return count;
    free(*list);
    *list = NULL;
    return 0;
}
