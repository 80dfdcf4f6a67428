/* symbols.c - names, each within its braces: an inner one hides an outer one.
 *
 * `.reg .b32 %r<12>` is one symbol, a range: %r7 is looked for as a whole, and then as "%r"
 * with the number 7.
 */
#include <stdlib.h>
#include <string.h>

#include "models/gpu/ptx/inside.h"

#define NO_SYMBOL UINT32_MAX
#define DIGITS    9             /* of an index */
#define LONGEST   1024          /* characters of a name */

void *grow(void *list, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return list;
    *room = *room ? 2 * *room : 16;
    list = realloc(list, *room * size);
    if (!list)
        abort();
    return list;
}

/* One more of what a module has a limit of. */
bool count_one(struct reader *r, uint32_t *count, uint32_t most, const char *what)
{
    if (*count == most)
        return refuse(r, &r->token, "more than %u %s in a module; expected fewer", most, what);
    ++*count;
    return true;
}

static uint32_t hash_of(const char *name, size_t length)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)name[i]) * 16777619u;
    return hash;
}

static void put_in_bucket(struct symbols *s, uint32_t number)
{
    uint32_t *bucket = &s->buckets[s->list[number].hash & (s->bucket_count - 1)];
    s->list[number].next = *bucket;
    *bucket = number;
}

/* Oldest first, so that the newest of a name is found first again. */
static void rehash(struct symbols *s)
{
    s->bucket_count = s->bucket_count ? 2 * s->bucket_count : 64;
    s->buckets = realloc(s->buckets, s->bucket_count * sizeof *s->buckets);
    if (!s->buckets)
        abort();
    memset(s->buckets, 0xff, s->bucket_count * sizeof *s->buckets);
    for (uint32_t i = 0; i < s->count; i++)
        put_in_bucket(s, i);
}

/* The newest of a name; of a range, one that has the index. */
static const struct symbol *find(const struct symbols *s, const char *name, size_t length,
                                 bool range, uint64_t index)
{
    if (!s->bucket_count)
        return NULL;
    uint32_t hash = hash_of(name, length);
    for (uint32_t i = s->buckets[hash & (s->bucket_count - 1)]; i != NO_SYMBOL;
         i = s->list[i].next) {
        const struct symbol *y = &s->list[i];
        if (y->hash == hash && y->length == length && (y->kind == S_RANGE) == range
            && (!range || index < y->count) && memcmp(y->name, name, length) == 0)
            return y;
    }
    return NULL;
}

/* The range that has the name: its digits may be split in several ways ("%r1<5>"). */
static const struct symbol *find_range(const struct symbols *s, const char *name,
                                       size_t length, uint32_t *index)
{
    uint64_t value = 0, unit = 1;
    for (size_t n = length; n > 1 && length - n < DIGITS; unit *= 10) {
        char c = name[--n];
        if (c < '0' || c > '9')
            break;
        value += unit * (uint64_t)(c - '0');
        if (c == '0' && length - n > 1)
            continue;                           /* %r07 is not %r7 */
        const struct symbol *y = find(s, name, n, true, value);
        if (y) {
            *index = (uint32_t)value;
            return y;
        }
    }
    return NULL;
}

const struct symbol *symbol_find(const struct reader *r, const struct token *name,
                                 uint32_t *index)
{
    const struct symbol *one = find(&r->symbols, name->text, name->length, false, 0);
    uint32_t at = 0;
    const struct symbol *range = find_range(&r->symbols, name->text, name->length, &at);
    bool take_range = range && (!one || one->depth < range->depth);
    *index = take_range ? at : 0;
    return take_range ? range : one;
}

static bool is_any_taken(struct reader *r, const struct token *name, uint32_t count)
{
    const struct symbol *same = find(&r->symbols, name->text, name->length, true, 0);
    if (same && same->depth == r->depth)
        return true;
    size_t length = name->length < LONGEST ? name->length : LONGEST;
    char text[LONGEST + 16];
    for (uint32_t i = 0; i < count; i++) {
        struct token one = { .text = text };
        uint32_t index;
        one.length = (uint32_t)snprintf(text, sizeof text, "%.*s%u", (int)length, name->text, i);
        const struct symbol *y = symbol_find(r, &one, &index);
        if (y && y->depth == r->depth)
            return true;
    }
    return false;
}

/* The number that `name` has after `stem`, as in %r12 after %r; -1: none. */
static int64_t index_after(const char *name, size_t length, const char *stem, size_t stem_length)
{
    if (length <= stem_length || length - stem_length > DIGITS
        || memcmp(name, stem, stem_length) != 0)
        return -1;
    int64_t value = 0;
    for (size_t n = stem_length; n < length; n++) {
        if (name[n] < '0' || name[n] > '9')
            return -1;
        value = 10 * value + (name[n] - '0');
    }
    bool leading_zero = name[stem_length] == '0' && length - stem_length > 1;
    return leading_zero ? -1 : value;
}

/* Whether `range` (a stem and its count) has a name that `y` has too. */
static bool overlap(const struct token *range, uint32_t count, const struct symbol *y)
{
    int64_t after = index_after(y->name, y->length, range->text, range->length);
    if (y->kind != S_RANGE)
        return after >= 0 && after < count;
    /* %r<20> and %r1<5>: the latter's first is %r10. */
    int64_t before = index_after(range->text, range->length, y->name, y->length);
    return (after > 0 && 10 * after < count) || (before > 0 && 10 * before < y->count)
        || (y->length == range->length && memcmp(y->name, range->text, y->length) == 0);
}

/* Whether a name of these braces is there already: the name itself or one of the range.
 * Of a long list of names and a short range the latter is walked, so that many of either
 * take no more time than there are registers. */
static bool is_taken(struct reader *r, const struct token *name, uint32_t count, bool range)
{
    const struct symbols *s = &r->symbols;
    uint32_t index;
    if (!range) {
        const struct symbol *y = symbol_find(r, name, &index);
        return y && y->depth == r->depth;
    }
    for (uint32_t i = s->count, n = 0; i-- > 0 && s->list[i].depth == r->depth; n++) {
        if (n > count + 64)
            return is_any_taken(r, name, count);
        if (overlap(name, count, &s->list[i]))
            return true;
    }
    return false;
}

bool symbol_add(struct reader *r, const struct token *name, enum symbol_kind kind,
                uint32_t number, uint32_t count)
{
    struct symbols *s = &r->symbols;
    if (name->length > LONGEST)
        return refuse(r, name, "a name of %u characters; expected at most %d", name->length,
                      LONGEST);
    if (is_taken(r, name, count, kind == S_RANGE))
        return refuse(r, name, "%.*s is defined twice; expected a new name", SHOW(name));
    s->list = grow(s->list, s->count, &s->room, sizeof *s->list);
    s->list[s->count] = (struct symbol){
        .name = name->text, .length = name->length, .hash = hash_of(name->text, name->length),
        .depth = r->depth, .kind = kind, .number = number, .count = count
    };
    if (s->count >= s->bucket_count) {
        s->count++;
        rehash(s);
    } else {
        put_in_bucket(s, s->count++);
    }
    return true;
}

/* The newest are first in their buckets, so they come out in the reverse order. */
void symbols_cut(struct reader *r, uint32_t count)
{
    struct symbols *s = &r->symbols;
    while (s->count > count) {
        const struct symbol *y = &s->list[--s->count];
        s->buckets[y->hash & (s->bucket_count - 1)] = y->next;
    }
}

void symbols_free(struct symbols *s)
{
    free(s->list);
    free(s->buckets);
}

const char *symbol_kind_name(enum symbol_kind kind)
{
    static const char *const names[] = {
        [S_REGISTER] = "a register", [S_RANGE] = "a register", [S_PARTS] = "a vector",
        [S_VARIABLE] = "a variable",
        [S_LABEL] = "a label", [S_FUNCTION] = "a function", [S_TARGETS] = "a list of labels"
    };
    return names[kind];
}

/* The range that a name is just past the end of. */
static const struct symbol *range_before(const struct reader *r, const struct token *name)
{
    for (uint32_t n = name->length; n > 1 && name->length - n < DIGITS; ) {
        char c = name->text[--n];
        if (c < '0' || c > '9')
            break;
        const struct symbol *y = find(&r->symbols, name->text, n, true, 0);
        if (y && index_after(name->text, name->length, name->text, n) >= 0)
            return y;
    }
    return NULL;
}

#define NEAR 256        /* names that are looked at, the newest */

bool symbol_unknown(struct reader *r, const struct token *name, const char *what)
{
    char word[PTX_NAME], text[NEAR][64];
    const char *names[NEAR];
    size_t count = 0;
    for (uint32_t i = r->symbols.count; i-- > 0 && count < NEAR; ) {
        const struct symbol *y = &r->symbols.list[i];
        if (y->length >= sizeof text[0] || y->kind == S_RANGE)
            continue;
        snprintf(text[count], sizeof text[0], "%.*s", (int)y->length, y->name);
        names[count] = text[count];
        count++;
    }
    snprintf(word, sizeof word, "%.*s", SHOW(name));
    const struct symbol *range = range_before(r, name);
    if (range)
        return refuse(r, name, "%s is not declared; the last is %.*s%u", word,
                      (int)range->length, range->name, range->count - 1);
    const char *near = diag_nearest(word, names, count);
    if (near)
        return refuse(r, name, "%s is not declared; did you mean '%s'?", word, near);
    return refuse(r, name, "%s is not declared; expected %s", word, what);
}

/* Numbers are those of the function while it is read. */
const struct ptx_variable *variable_of(const struct reader *r, uint32_t number)
{
    if (number >= PTX_MODULE_VARIABLE)
        return &r->m->variables[number - PTX_MODULE_VARIABLE];
    if (number >= RETURN_NUMBER)
        return &r->f->returns[number - RETURN_NUMBER];
    if (number >= PARAM_NUMBER)
        return &r->f->params[number - PARAM_NUMBER];
    return &r->f->variables[number];
}

/* What fits of a name: the reader itself knows all of it. */
void keep_short(char *to, size_t size, const struct token *name)
{
    size_t length = name->length < size ? name->length : size - 1;
    memcpy(to, name->text, length);
    to[length] = '\0';
}
