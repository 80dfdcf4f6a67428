/* vcd.c - see vcd.h. */
#include "sim/vcd.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/zeroed.h"

enum kind { NUMBER, TEXT, REAL };
enum given { VALUE, NOTHING, UNKNOWN };

struct scope { char name[VCD_NAME]; uint32_t parent; };

struct var {
    char      name[VCD_NAME];
    uint32_t  scope;
    enum kind kind;
    unsigned  bits;
    bool      shown;
    size_t    last;                 /* of its changes + 1; 0: none */
};

struct change {
    tick_t   at;
    uint32_t var;
    enum given given;
    bool     replaced;              /* by another of the same time */
    size_t   order;
    union { uint64_t number; const char *text; double real; } value;
};

struct vcd {
    struct scope  *scopes;
    struct var    *vars;
    struct change *changes;
    uint32_t scope_count, var_count;
    size_t   count, room;
};

static void *grown(void *p, size_t count, size_t size)
{
    p = realloc(p, count * size);
    if (!p)
        abort();
    return p;
}

/* ---- what there is ---- */

static void set_name(char to[VCD_NAME], const char *from)
{
    snprintf(to, VCD_NAME, "%s%s", isdigit((unsigned char)from[0]) ? "_" : "", from);
    for (char *c = to; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
}

struct vcd *vcd_new(const char *top)
{
    struct vcd *v = zeroed(1, sizeof *v);
    vcd_scope(v, VCD_TOP, top);
    return v;
}

void vcd_free(struct vcd *v)
{
    if (!v)
        return;
    free(v->scopes);
    free(v->vars);
    free(v->changes);
    free(v);
}

uint32_t vcd_scope(struct vcd *v, uint32_t parent, const char *name)
{
    v->scopes = grown(v->scopes, v->scope_count + 1, sizeof *v->scopes);
    struct scope *s = &v->scopes[v->scope_count];
    *s = (struct scope){ .parent = parent };
    set_name(s->name, name);
    return v->scope_count++;
}

static uint32_t add(struct vcd *v, uint32_t scope, const char *name, enum kind kind, unsigned bits)
{
    assert(scope < v->scope_count && bits > 0);
    v->vars = grown(v->vars, v->var_count + 1, sizeof *v->vars);
    struct var *x = &v->vars[v->var_count];
    *x = (struct var){ .scope = scope, .kind = kind, .bits = bits };
    set_name(x->name, name);
    return v->var_count++;
}

uint32_t vcd_number(struct vcd *v, uint32_t scope, const char *name, unsigned bits)
{
    assert(bits <= 64);
    return add(v, scope, name, NUMBER, bits);
}

uint32_t vcd_text(struct vcd *v, uint32_t scope, const char *name, unsigned characters)
{
    return add(v, scope, name, TEXT, 8 * characters);
}

uint32_t vcd_real(struct vcd *v, uint32_t scope, const char *name)
{
    return add(v, scope, name, REAL, 64);
}

void vcd_show(struct vcd *v, uint32_t var) { v->vars[var].shown = true; }

/* ---- changes ---- */

static struct change *change(struct vcd *v, uint32_t var, tick_t at, enum given given)
{
    assert(var < v->var_count);
    struct var *x = &v->vars[var];
    if (x->last > 0) {
        struct change *before = &v->changes[x->last - 1];
        assert(before->at <= at);
        before->replaced = before->at == at;
    }
    if (v->count == v->room) {
        v->room = v->room > 0 ? 2 * v->room : 1024;
        v->changes = grown(v->changes, v->room, sizeof *v->changes);
    }
    struct change *c = &v->changes[v->count];
    *c = (struct change){ .at = at, .var = var, .given = given, .order = v->count };
    x->last = ++v->count;
    return c;
}

void vcd_set_number(struct vcd *v, uint32_t var, tick_t at, uint64_t value)
{
    assert(v->vars[var].kind == NUMBER);
    change(v, var, at, VALUE)->value.number = value;
}

void vcd_set_text(struct vcd *v, uint32_t var, tick_t at, const char *borrowed)
{
    assert(v->vars[var].kind == TEXT);
    change(v, var, at, VALUE)->value.text = borrowed;
}

void vcd_set_real(struct vcd *v, uint32_t var, tick_t at, double value)
{
    assert(v->vars[var].kind == REAL);
    change(v, var, at, VALUE)->value.real = value;
}

void vcd_set_nothing(struct vcd *v, uint32_t var, tick_t at) { change(v, var, at, NOTHING); }
void vcd_set_unknown(struct vcd *v, uint32_t var, tick_t at) { change(v, var, at, UNKNOWN); }

/* ---- the file ---- */

/* Of printable characters without a blank, the shortest first. */
static void print_code(uint32_t var, FILE *out)
{
    enum { FIRST = '!', CODES = '~' - '!' + 1 };
    do {
        fputc((int)(FIRST + var % CODES), out);
        var = var / CODES;
    } while (var-- > 0);
}

static void print_bits(uint64_t value, unsigned bits, FILE *out)
{
    unsigned top = bits;
    while (top > 1 && !(value >> (top - 1) & 1))
        top--;
    while (top-- > 0)
        fputc(value >> top & 1 ? '1' : '0', out);
}

static void print_text(const char *text, unsigned bits, FILE *out)
{
    unsigned n = 0;
    for (; n < bits / 8 && text[n] != '\0'; n++)
        for (int bit = 7; bit >= 0; bit--)
            if (n > 0 || bit < 7)       /* a leading 0 need not be there */
                fputc((unsigned char)text[n] >> bit & 1 ? '1' : '0', out);
    if (n == 0)
        fputc('0', out);
}

static void print_value(const struct vcd *v, const struct change *c, FILE *out)
{
    const struct var *x = &v->vars[c->var];
    if (x->kind == REAL) {
        /* The format has no real that is unknown. */
        fprintf(out, "r%.17g ", c->given == VALUE && isfinite(c->value.real) ? c->value.real : 0);
    } else {
        fputc('b', out);
        if (c->given != VALUE)
            fputc(c->given == NOTHING ? 'z' : 'x', out);
        else if (x->kind == TEXT)
            print_text(c->value.text, x->bits, out);
        else
            print_bits(c->value.number, x->bits, out);
        fputc(' ', out);
    }
    print_code(c->var, out);
    fputc('\n', out);
}

/* Variables of a scope, then the scopes in it. */
static void print_scope(const struct vcd *v, uint32_t scope, FILE *out)
{
    fprintf(out, "$scope module %s $end\n", v->scopes[scope].name);
    for (uint32_t i = 0; i < v->var_count; i++) {
        const struct var *x = &v->vars[i];
        if (x->scope != scope)
            continue;
        fprintf(out, "$var %s %u ", x->kind == REAL ? "real" : "reg", x->bits);
        print_code(i, out);
        fprintf(out, " %s", x->name);
        if (x->kind != REAL && x->bits > 1)
            fprintf(out, " [%u:0]", x->bits - 1);
        fputs(" $end\n", out);
    }
    for (uint32_t s = scope + 1; s < v->scope_count; s++)
        if (v->scopes[s].parent == scope)
            print_scope(v, s, out);
    fputs("$upscope $end\n", out);
}

static int by_time(const void *a, const void *b)
{
    const struct change *const *x = a, *const *y = b;
    if ((*x)->at != (*y)->at)
        return (*x)->at < (*y)->at ? -1 : 1;
    if ((*x)->var != (*y)->var)
        return (*x)->var < (*y)->var ? -1 : 1;
    return (*x)->order < (*y)->order ? -1 : 1;
}

static const struct change **sorted(const struct vcd *v)
{
    const struct change **s = zeroed(v->count, sizeof(struct change *));
    for (size_t i = 0; i < v->count; i++)
        s[i] = &v->changes[i];
    qsort(s, v->count, sizeof(struct change *), by_time);
    return s;
}

static const struct scale { const char *name; tick_t ticks; } scales[] = {
    { "1 ns", 1000000 }, { "1 ps", 1000 }, { "1 fs", 1 },
};

static struct scale scale_of(const struct vcd *v, const struct vcd_head *h)
{
    size_t i = 0;
    while (h->from % scales[i].ticks != 0 || h->to % scales[i].ticks != 0)
        i++;
    for (size_t c = 0; c < v->count; c++)
        while (v->changes[c].at % scales[i].ticks != 0)
            i++;
    return scales[i];
}

static void print_head(const struct vcd *v, const struct vcd_head *h, const char *scale, FILE *out)
{
    fprintf(out, "$version simaccel " SIMACCEL_VERSION " $end\n$comment\n%s\n$end\n"
            "$timescale %s $end\n", h->comment, scale);
    print_scope(v, VCD_TOP, out);
    fputs("$enddefinitions $end\n", out);
}

/* Every variable at the window's first time; returns the first change behind it. */
static size_t print_first(const struct vcd *v, const struct change *const *s, tick_t from,
                          FILE *out)
{
    const struct change **first = zeroed(v->var_count, sizeof(struct change *));
    size_t i = 0;
    for (; i < v->count && s[i]->at <= from; i++)
        first[s[i]->var] = s[i];
    fputs("$dumpvars\n", out);
    for (uint32_t x = 0; x < v->var_count; x++) {
        const struct change unknown = { .var = x, .given = UNKNOWN };
        print_value(v, first[x] ? first[x] : &unknown, out);
    }
    fputs("$end\n", out);
    free(first);
    return i;
}

void vcd_write(const struct vcd *v, const struct vcd_head *h, FILE *out)
{
    struct scale scale = scale_of(v, h);
    const struct change **s = sorted(v);
    tick_t now = h->from;
    print_head(v, h, scale.name, out);
    fprintf(out, "#%" PRIu64 "\n", now / scale.ticks);
    for (size_t i = print_first(v, s, h->from, out); i < v->count; i++) {
        assert(s[i]->at <= h->to);
        if (s[i]->replaced)
            continue;
        if (s[i]->at != now)
            fprintf(out, "#%" PRIu64 "\n", (now = s[i]->at) / scale.ticks);
        print_value(v, s[i], out);
    }
    if (now != h->to)
        fprintf(out, "#%" PRIu64 "\n", h->to / scale.ticks);
    free(s);
}

/* ---- GTKWave's save file ---- */

/* Bits of its trace flags: how values are written. */
#define SAVE_DECIMAL 0x24
#define SAVE_TEXT    0x820
#define SAVE_REAL    0x20
#define SAVE_COMMENT 0x200
#define SAVE_FRAMES  4              /* of 200 pixels, that the waves are wide at that size */

static void print_path(const struct vcd *v, uint32_t scope, FILE *out)
{
    if (scope != VCD_TOP) {
        print_path(v, v->scopes[scope].parent, out);
        fputc('.', out);
    }
    fputs(v->scopes[scope].name, out);
}

static void print_shown(const struct vcd *v, const struct var *x, FILE *out)
{
    static const unsigned flags[] = { [NUMBER] = SAVE_DECIMAL, [TEXT] = SAVE_TEXT,
                                      [REAL] = SAVE_REAL };
    fprintf(out, "@%x\n", flags[x->kind]);
    print_path(v, x->scope, out);
    fprintf(out, ".%s", x->name);
    if (x->kind != REAL && x->bits > 1)
        fprintf(out, "[%u:0]", x->bits - 1);
    fputc('\n', out);
}

/* The zoom, at which -n puts 2^n time units into 200 pixels, that shows the whole window. */
static int zoom(uint64_t units)
{
    int n = 0;
    while (units >> n >= SAVE_FRAMES)
        n++;
    return -n;
}

void vcd_write_save(const struct vcd *v, const struct vcd_head *h, const char *waves, FILE *out)
{
    uint32_t heading = VCD_TOP;
    const char *slash = strrchr(waves, '/');
    struct scale scale = scale_of(v, h);
    fprintf(out, "[*] simaccel " SIMACCEL_VERSION "\n[dumpfile] \"%s\"\n[timestart] %" PRIu64 "\n"
            "[size] 1400 900\n[pos] -1 -1\n[sst_width] 220\n[signals_width] 260\n[sst_expanded] 1\n"
            "*%d.0 -1\n[treeopen] %s.\n", slash ? slash + 1 : waves, h->from / scale.ticks,
            zoom((h->to - h->from) / scale.ticks), v->scopes[VCD_TOP].name);
    for (uint32_t i = 0; i < v->var_count; i++) {
        const struct var *x = &v->vars[i];
        if (!x->shown)
            continue;
        if (x->scope != heading) {
            fprintf(out, "@%x\n-", SAVE_COMMENT);
            print_path(v, x->scope, out);
            fputc('\n', out);
        }
        heading = x->scope;
        print_shown(v, x, out);
    }
}

char *vcd_save_name(const char *path)
{
    static const char *const ends[] = { ".vcd", ".vcd.gz" };
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t m = strlen(ends[i]);
        if (strlen(path) > m && strcmp(path + strlen(path) - m, ends[i]) == 0)
            n = strlen(path) - m;
    }
    char *name = zeroed(n + sizeof ".gtkw", 1);
    memcpy(name, path, n);
    memcpy(name + n, ".gtkw", sizeof ".gtkw");
    return name;
}
