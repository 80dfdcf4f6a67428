/* match.c - an opcode with its suffixes against the table of forms. */
#include <string.h>

#include "models/gpu/ptx/inside.h"

/* Words and what they set; the letter is the kind that an element of a form may name. */
static const struct word { char kind; const char *text; uint8_t value; } words[] = {
    { 'r', "rn",  PTX_RN },  { 'r', "rz",  PTX_RZ },  { 'r', "rm",  PTX_RM },
    { 'r', "rp",  PTX_RP },  { 'r', "rna", PTX_RNA }, { 'r', "rni", PTX_RNI },
    { 'r', "rzi", PTX_RZI }, { 'r', "rmi", PTX_RMI }, { 'r', "rpi", PTX_RPI },
    { 's', "global", PTX_GLOBAL }, { 's', "shared", PTX_SHARED }, { 's', "local", PTX_LOCAL },
    { 's', "const",  PTX_CONST },  { 's', "param",  PTX_PARAM },  { 'S', "shared", PTX_SHARED },
    { 'h', "ca", PTX_CA }, { 'h', "cg", PTX_CG }, { 'h', "cs", PTX_CS }, { 'h', "lu", PTX_LU },
    { 'h', "cv", PTX_CV }, { 'h', "wb", PTX_WB }, { 'h', "wt", PTX_WT },
    { 'v', "v2", 2 }, { 'v', "v4", 4 }, { 'v', "x1", 1 }, { 'v', "x2", 2 }, { 'v', "x4", 4 },
    { 'o', "cta", PTX_CTA }, { 'o', "cluster", PTX_CLUSTER }, { 'o', "gpu", PTX_GPU },
    { 'o', "gl", PTX_GPU }, { 'o', "sys", PTX_SYS },
    { 'k', "a", 'a' }, { 'k', "b", 'b' }, { 'k', "c", 'c' }, { 'k', "d", 'd' },
    { 'y', "row", 1 }, { 'y', "col", 0 },
    { 'g', "m16n8k4", 0 }, { 'g', "m16n8k8", 1 }, { 'g', "m16n8k16", 2 },
    { 'g', "m16n8k32", 3 }, { 'g', "m16n16k16", 4 }, { 'g', "m16n16k8", 5 },
    { 'g', "m32n8k16", 6 }, { 'g', "m8n32k16", 7 },
    { 'c', "eq", PTX_EQ }, { 'c', "ne", PTX_NE }, { 'c', "lt", PTX_LT }, { 'c', "le", PTX_LE },
    { 'c', "gt", PTX_GT }, { 'c', "ge", PTX_GE }, { 'c', "lo", PTX_C_LO },
    { 'c', "ls", PTX_LS }, { 'c', "hi", PTX_C_HI }, { 'c', "hs", PTX_HS },
    { 'c', "equ", PTX_EQU }, { 'c', "neu", PTX_NEU }, { 'c', "ltu", PTX_LTU },
    { 'c', "leu", PTX_LEU }, { 'c', "gtu", PTX_GTU }, { 'c', "geu", PTX_GEU },
    { 'c', "num", PTX_NUM }, { 'c', "nan", PTX_C_NAN },
    { 'f', "and", PTX_F_AND }, { 'f', "or", PTX_F_OR }, { 'f', "xor", PTX_F_XOR },
    { 'f', "add", PTX_F_ADD }, { 'f', "inc", PTX_F_INC }, { 'f', "dec", PTX_F_DEC },
    { 'f', "min", PTX_F_MIN }, { 'f', "max", PTX_F_MAX }, { 'f', "exch", PTX_F_EXCH },
    { 'f', "cas", PTX_F_CAS }, { 'f', "popc", PTX_F_POPC }, { 'f', "all", PTX_F_ALL },
    { 'f', "any", PTX_F_ANY }, { 'f', "uni", PTX_F_UNI }, { 'f', "ballot", PTX_F_BALLOT },
    { 'f', "up", PTX_F_UP }, { 'f', "down", PTX_F_DOWN }, { 'f', "bfly", PTX_F_BFLY },
    { 'f', "idx", PTX_F_IDX }, { 'f', "finite", PTX_F_FINITE },
    { 'f', "infinite", PTX_F_INFINITE }, { 'f', "number", PTX_F_NUMBER },
    { 'f', "notanumber", PTX_F_NOTANUMBER }, { 'f', "normal", PTX_F_NORMAL },
    { 'f', "subnormal", PTX_F_SUBNORMAL }, { 'f', "f4e", PTX_F_F4E }, { 'f', "b4e", PTX_F_B4E },
    { 'f', "rc8", PTX_F_RC8 }, { 'f', "ecl", PTX_F_ECL }, { 'f', "ecr", PTX_F_ECR },
    { 'f', "rc16", PTX_F_RC16 }
};
#define WORDS (sizeof words / sizeof *words)

static const char *const modifiers[] = {
#define MODIFIER(id, name) name,
    PTX_MODIFIERS(MODIFIER)
#undef MODIFIER
};

static bool same(const char *a, size_t length, const char *b)
{
    return strlen(b) == length && memcmp(a, b, length) == 0;
}

/* The next element of a form's suffixes, or word of an operand's list. */
struct element { const char *text; size_t length; bool optional; char kind; };

static bool next_element(const char **at, struct element *e)
{
    while (**at == ' ')
        ++*at;
    if (!**at)
        return false;
    *e = (struct element){ .optional = **at == '?' };
    *at += e->optional;
    if ((*at)[1] == ':' && (*at)[2] != ':') {
        e->kind = **at;
        *at += 2;
    }
    e->text   = *at;
    e->length = strcspn(*at, " ");
    *at += e->length;
    return true;
}

/* The next alternative of an element; false when there is none. */
static bool next_alternative(const struct element *e, size_t *at, const char **word,
                             size_t *length)
{
    if (*at >= e->length)
        return false;
    *word = e->text + *at;
    for (*length = 0; *at + *length < e->length && (*word)[*length] != '|'; )
        ++*length;
    *at += *length + 1;
    return true;
}

/* shared::cta is shared, param::entry and param::func are param. */
static bool is_alternative(const struct token *t, const char *word, size_t length)
{
    if (t->length == length && memcmp(t->text, word, length) == 0)
        return true;
    return (is_word(t, "shared::cta") && same(word, length, "shared"))
        || ((is_word(t, "param::entry") || is_word(t, "param::func"))
            && same(word, length, "param"));
}

static bool element_takes(const struct element *e, const struct token *t,
                          const char **word, size_t *length)
{
    for (size_t at = 0; next_alternative(e, &at, word, length); )
        if (is_alternative(t, *word, *length))
            return true;
    return false;
}

/* m, n and k, in the order of the words. */
static void set_shape(struct ptx_instruction *i, uint8_t which)
{
    static const uint8_t shapes[][3] = {
        { 16, 8, 4 }, { 16, 8, 8 }, { 16, 8, 16 }, { 16, 8, 32 }, { 16, 16, 16 }, { 16, 16, 8 },
        { 32, 8, 16 }, { 8, 32, 16 },
    };
    i->m = shapes[which][0];
    i->n = shapes[which][1];
    i->k = shapes[which][2];
}

static void set_word(struct ptx_instruction *i, const struct word *w, unsigned *layouts)
{
    switch (w->kind) {
    case 'r': i->round    = w->value; break;
    case 's': i->space    = w->value; break;
    case 'S': i->to_space = w->value; break;
    case 'h': i->cache    = w->value; break;
    case 'v': i->vector   = w->value; break;
    case 'o': i->scope    = w->value; break;
    case 'k': i->fragment = w->value; break;
    case 'c': i->compare  = w->value; break;
    case 'f': i->function = w->value; break;
    case 'g': set_shape(i, w->value); break;
    case 'y':
        if ((*layouts)++)
            i->row_b = w->value;
        else
            i->row_a = w->value;
        break;
    }
}

static int type_index(const char *word, size_t length)
{
    for (int t = PTX_PRED; t < PTX_TYPES_COUNT; t++)
        if (same(word, length, ptx_type_names[t]))
            return t;
    return -1;
}

static void set_field(struct ptx_instruction *i, char kind, const char *word, size_t length,
                      unsigned *types, unsigned *layouts)
{
    int type = kind ? -1 : type_index(word, length);
    if (kind == 'n')
        return;
    if (type >= 0) {
        i->type[(*types)++] = (enum ptx_type)type;
        return;
    }
    for (size_t n = 0; n < WORDS; n++) {
        bool plain = !strchr("cfkySn", words[n].kind);
        if ((kind ? words[n].kind == kind : plain) && same(word, length, words[n].text)) {
            set_word(i, &words[n], layouts);
            return;
        }
    }
    for (unsigned n = 0; n < PTX_MODIFIERS_COUNT; n++)
        if (same(word, length, modifiers[n]))
            i->modifiers |= UINT64_C(1) << n;
}

/* How many suffixes the form takes; all of them, and nothing missing: it matches.  `i` gets
 * what they say, unless it is NULL. */
static bool try_form(const struct reader *r, const struct form *f, struct ptx_instruction *i,
                     uint32_t *taken)
{
    const char *at = f->suffixes, *word;
    unsigned types = 0, layouts = 0;
    size_t length;
    *taken = 0;
    for (struct element e; next_element(&at, &e); ) {
        if (*taken < r->suffixes && element_takes(&e, &r->suffix[*taken], &word, &length)) {
            if (i)
                set_field(i, e.kind, word, length, &types, &layouts);
            ++*taken;
        } else if (!e.optional) {
            return false;
        }
    }
    return *taken == r->suffixes;
}

/* Adds a word to a list unless it is there. */
static void add_word(char *list, size_t size, const char *word, size_t length)
{
    char one[40];
    snprintf(one, sizeof one, ".%.*s", (int)length, word);
    size_t n = strlen(list), m = strlen(one);
    for (const char *p = list; (p = strstr(p, one)); p++)
        if (p[m] == ',' || p[m] == '\0')
            return;
    if (n + m + 8 < size)
        snprintf(list + n, size - n, "%s%s", n ? ", " : "", one);
    else if (n > 3 && list[n - 1] != '.')
        snprintf(list + n, size - n, " ...");
}

/* What the form could take after its first `taken` suffixes. */
static void add_expected(const struct reader *r, const struct form *f, uint32_t taken,
                         char *list, size_t size)
{
    const char *at = f->suffixes, *word;
    size_t length;
    uint32_t done = 0;
    for (struct element e; next_element(&at, &e); ) {
        if (done < taken && element_takes(&e, &r->suffix[done], &word, &length)) {
            done++;
            continue;
        }
        if (done < taken)
            continue;
        for (size_t n = 0; next_alternative(&e, &n, &word, &length); )
            add_word(list, size, word, length);
        if (!e.optional)
            return;
    }
    if (done == taken && !strstr(list, "';'"))
        snprintf(list + strlen(list), size - strlen(list), "%snothing more",
                 list[0] ? " or " : "");
}

/* PTX has these, if not here: nothing else was meant. */
static bool is_known_word(const struct token *t)
{
    static const char *const others[] = {
        "u16x2", "s16x2", "f32x2", "u4", "s4", "b1", "e4m3", "e5m2", "e4m3x2", "e5m2x2", "v3",
        "v8", "bulk", "mbarrier", "m8n8k4", "m8n8k16", "m8n8k32", "m16n8k32", "m16n8k64",
        "m8n32k16", "m32n8k16", "m16n16k8", "x8", "x16"
    };
    bool known = type_index(t->text, t->length) >= 0;
    for (size_t n = 0; n < sizeof others / sizeof *others && !known; n++)
        known = is_word(t, others[n]);
    for (size_t n = 0; n < WORDS && !known; n++)
        known = is_word(t, words[n].text);
    for (size_t n = 0; n < PTX_MODIFIERS_COUNT && !known; n++)
        known = is_word(t, modifiers[n]);
    return known;
}

/* The word of a list that one which PTX does not have may have meant. */
static const char *nearest_word(const struct token *t, const char *list)
{
    static const char *const all[] = {
        "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "b8", "b16", "b32", "b64", "f16",
        "f16x2", "bf16", "bf16x2", "tf32", "f32", "f64", "pred", "global", "shared", "local",
        "const", "param", "approx", "full", "wide", "aligned", "sync", "trans", "volatile",
        "relaxed", "acquire", "release", "acq_rel", "cluster", "ballot", "noftz", "arrive",
        "clamp", "wrap", "weak", "relu", "uni", "row", "col"
    };
    char word[64], dotted[72];
    snprintf(word, sizeof word, "%.*s", SHOW(t));
    const char *near = is_known_word(t) ? NULL : diag_nearest(word, all, sizeof all / sizeof *all);
    snprintf(dotted, sizeof dotted, ".%s,", near ? near : "");
    bool last = near && strlen(list) > strlen(near)
             && strcmp(list + strlen(list) - strlen(near), near) == 0;
    return near && (strstr(list, dotted) || last) ? near : NULL;
}

static bool refuse_form(struct reader *r, uint32_t best)
{
    char list[260] = "";
    const struct token *at = best < r->suffixes ? &r->suffix[best] : &r->opcode;
    for (uint32_t n = 0; n < ptx_form_count; n++) {
        uint32_t taken;
        if (ptx_forms[n].op != r->i.op)
            continue;
        try_form(r, &ptx_forms[n], NULL, &taken);
        if (taken == best && !strstr(list, "nothing more"))
            add_expected(r, &ptx_forms[n], taken, list, sizeof list - 32);
    }
    const char *near = best < r->suffixes ? nearest_word(at, list) : NULL;
    if (near)
        return refuse_use(r, at, "%s is not supported: '.%.*s' cannot stand there; did you mean "
                          "'.%s'?", r->written, SHOW(at), near);
    if (best < r->suffixes)
        return refuse_use(r, at, "%s is not supported: '.%.*s' cannot stand there; expected %s",
                          r->written, SHOW(at), list);
    return refuse_use(r, at, "%s is not complete; expected %s after it", r->written, list);
}

static bool check_version(struct reader *r, const struct form *f)
{
    if (r->m->target < f->target)
        return refuse(r, &r->opcode, "%s needs sm_%u, and the module is for sm_%u", r->written,
                      f->target, r->m->target);
    if (r->m->version < f->version)
        return refuse(r, &r->opcode, "%s needs PTX %u.%u, and the module is of version %u.%u",
                      r->written, f->version / 10, f->version % 10, r->m->version / 10,
                      r->m->version % 10);
    return true;
}

bool match_form(struct reader *r)
{
    uint32_t best = 0;
    for (uint32_t n = 0; n < ptx_form_count; n++) {
        const struct form *f = &ptx_forms[n];
        uint32_t taken;
        if (f->op != r->i.op)
            continue;
        if (try_form(r, f, NULL, &taken)) {
            try_form(r, f, &r->i, &taken);
            r->i.form = n;
            if (!r->i.vector)
                r->i.vector = 1;
            return check_version(r, f);
        }
        best = taken > best ? taken : best;
    }
    return refuse_form(r, best);
}

/* How many suffixes belong to the opcode's name ("cp.async": 1); -1: it is another one. */
static int name_parts(const struct reader *r, const char *name)
{
    const struct token *t = &r->opcode;
    size_t length = strcspn(name, ".");
    bool alias = is_word(t, "barrier") && same(name, length, "bar") && strcmp(name, "bar") == 0;
    if (!alias && !(t->length == length && memcmp(t->text, name, length) == 0))
        return -1;
    int parts = 0;
    for (name += length; *name; name += length, parts++) {
        length = strcspn(++name, ".");
        if ((uint32_t)parts >= r->suffixes || r->suffix[parts].length != length
            || memcmp(r->suffix[parts].text, name, length) != 0)
            return -1;
    }
    return parts;
}

/* PTX has these; this reader does not, so nothing else can have been meant. */
static bool is_unsupported(const struct token *t)
{
    static const char *const names[] = {
        "alloca", "brx", "clusterlaunchcontrol", "cp", "createpolicy",
        "getctarank", "istypep", "mapa", "mbarrier", "multimem", "setmaxnreg",
        "stackrestore", "stacksave", "stmatrix", "suld", "suq", "sured",
        "sust", "tcgen05", "tensormap", "tex", "tld4", "txq", "vabsdiff", "vabsdiff2",
        "vabsdiff4", "vadd", "vadd2", "vadd4", "vavrg2", "vavrg4", "vmad", "vmax", "vmax2",
        "vmax4", "vmin", "vmin2", "vmin4", "vset", "vset2", "vset4", "vshl", "vshr", "vsub",
        "vsub2", "vsub4", "wgmma", "wmma"
    };
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        if (is_word(t, names[n]))
            return true;
    return false;
}

static bool refuse_op(struct reader *r)
{
    if (is_unsupported(&r->opcode))
        return refuse_use(r, &r->opcode, "%s is not supported", r->written);
    char word[64];
    snprintf(word, sizeof word, "%.*s", SHOW(&r->opcode));
    const char *near = diag_nearest(word, ptx_op_names, PTX_OPS_COUNT);
    if (near)
        return refuse_use(r, &r->opcode, "%s is not supported; did you mean '%s'?", r->written,
                          near);
    return refuse_use(r, &r->opcode, "%s is not supported", r->written);
}

bool match_op(struct reader *r)
{
    int best = -1;
    for (int op = 0; op < PTX_OPS_COUNT; op++) {
        int parts = name_parts(r, ptx_op_names[op]);
        if (parts > best) {
            best = parts;
            r->i.op = (enum ptx_op)op;
        }
    }
    if (best < 0)
        return refuse_op(r);
    r->suffixes -= (uint32_t)best;
    memmove(r->suffix, r->suffix + best, r->suffixes * sizeof *r->suffix);
    return true;
}

/* What word `i` has for an element, or NULL; the inverse of set_field. */
static bool word_is_set(const struct ptx_instruction *i, const struct element *e,
                        const char *word, size_t length, unsigned types, unsigned layouts)
{
    struct ptx_instruction only = { .op = 0 };
    unsigned scratch_types = 0, scratch_layouts = 0;
    set_field(&only, e->kind, word, length, &scratch_types, &scratch_layouts);
    if (scratch_types)
        return only.type[0] == i->type[types];
    if (e->kind == 'y')
        return only.row_a == (layouts ? i->row_b : i->row_a);
    if (e->kind == 'n')
        return !e->optional;
    if (only.space)
        return only.space == (i->op == PTX_CVTA && PTX_HAS(i, TO) ? i->to_space : i->space);
    return (only.modifiers & ~i->modifiers) == 0 && (only.modifiers || only.round || only.to_space
            || only.cache || only.vector || only.scope || only.fragment || only.compare
            || only.function || only.k)
        && (!only.round || only.round == i->round) && (!only.cache || only.cache == i->cache)
        && (!only.vector || only.vector == i->vector) && (!only.scope || only.scope == i->scope)
        && (!only.fragment || only.fragment == i->fragment)
        && (!only.compare || only.compare == i->compare)
        && (!only.function || only.function == i->function)
        && (!only.k || (only.k == i->k && only.n == i->n && only.m == i->m))
        && (!only.to_space || only.to_space == i->to_space);
}

void form_print(const struct ptx_instruction *i, char *text, size_t size)
{
    const char *at = ptx_forms[i->form].suffixes, *word;
    unsigned types = 0, layouts = 0;
    size_t length, used = 0;
    for (struct element e; next_element(&at, &e); ) {
        for (size_t n = 0; next_alternative(&e, &n, &word, &length); ) {
            if (!word_is_set(i, &e, word, length, types, layouts))
                continue;
            if (used < size)
                used += (size_t)snprintf(text + used, size - used, ".%.*s", (int)length, word);
            break;
        }
        types   += !e.kind && type_index(e.text, strcspn(e.text, "| ")) >= 0;
        layouts += e.kind == 'y';
    }
}
