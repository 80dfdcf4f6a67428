/* hbm_map.c - from the map's text to tables.
 *
 * Every field bit is the exclusive-or of some address bits, so a field is a list of masks
 * and the whole map is linear: the code of an address is the exclusive-or of the codes of
 * its bits.  The tables hold the codes of all values of each byte.
 */
#include "models/hbm/hbm_map.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#define FIELDS(X) \
    X(OFFSET, "offset") X(COLUMN, "column") X(PSEUDO, "pseudo") X(GROUP, "group") \
    X(BANK, "bank") X(CHANNEL, "channel") X(STACK, "stack") X(ROW, "row")

enum field {
#define FIELD(id, text) id,
    FIELDS(FIELD)
#undef FIELD
    FIELD_COUNT
};

static const char *const names[] = {
#define FIELD(id, text) text,
    FIELDS(FIELD)
#undef FIELD
};

#define WIDEST 32

struct parser {
    const struct hbm_config *config;
    const char  *text, *at;
    struct diag *d;
    unsigned     bits[FIELD_COUNT];                 /* what the geometry asks for */
    unsigned     given[FIELD_COUNT];
    uint64_t     plain[FIELD_COUNT][WIDEST];        /* one address bit a field bit */
    uint64_t     hashed[FIELD_COUNT][WIDEST];
    unsigned     low;                               /* the next address bit */
    unsigned     stack_low;
    unsigned     address_bits;                      /* of a stack */
    bool         stack_given;
};

__attribute__((format(printf, 3, 4)))
static bool wrong(struct parser *p, const char *at, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return diag_set(p->d, 1, (unsigned)(at - p->text) + 1, "map: %s", text);
}

static void skip_space(struct parser *p)
{
    while (isspace((unsigned char)*p->at))
        p->at++;
}

static bool take(struct parser *p, const char *word)
{
    skip_space(p);
    size_t n = strlen(word);
    if (strncmp(p->at, word, n) != 0)
        return false;
    p->at += n;
    return true;
}

static bool number(struct parser *p, unsigned *value)
{
    skip_space(p);
    if (!isdigit((unsigned char)*p->at))
        return wrong(p, p->at, "a number of bits is missing; expected 0 to 63");
    const char *start = p->at;
    unsigned v = 0;
    while (isdigit((unsigned char)*p->at) && v < 100)
        v = v * 10 + (unsigned)(*p->at++ - '0');
    if (v > 63)
        return wrong(p, start, "the number is too large; expected 0 to 63");
    *value = v;
    return true;
}

static bool field(struct parser *p, enum field *f)
{
    skip_space(p);
    const char *start = p->at;
    char word[16] = "";
    for (size_t n = 0; isalpha((unsigned char)*p->at); p->at++)
        if (n + 1 < sizeof word)
            word[n++] = *p->at;
    for (unsigned i = 0; i < FIELD_COUNT; i++)
        if (strcmp(word, names[i]) == 0) {
            *f = (enum field)i;
            return true;
        }
    const char *near = diag_nearest(word, names, FIELD_COUNT);
    if (near)
        return wrong(p, start, "unknown field; did you mean '%s'?", near);
    return wrong(p, start, "expected a field: offset, column, pseudo, group, bank, channel, "
                           "row or stack");
}

/* Bits of a field from the address, as they come. */
static bool give(struct parser *p, const char *start, enum field f, unsigned bits)
{
    if (p->given[f] + bits > p->bits[f])
        return wrong(p, start, "more bits for '%s' than the geometry has", names[f]);
    for (unsigned i = 0; i < bits; i++)
        p->plain[f][p->given[f]++] = UINT64_C(1) << p->low++;
    return true;
}

static bool one_field(struct parser *p)
{
    skip_space(p);
    const char *start = p->at;
    enum field f;
    if (!field(p, &f))
        return false;
    if (f == STACK) {
        if (p->stack_given)
            return wrong(p, start, "'%s' is given twice; expected it once", names[f]);
        p->stack_given = true;
        p->stack_low = p->low;
        return true;
    }
    unsigned bits = p->bits[f] - p->given[f];
    if (take(p, ":") && !number(p, &bits))
        return false;
    return give(p, start, f, bits);
}

struct bits { enum field f; unsigned low, count; const char *start; };

static bool some_bits(struct parser *p, struct bits *b)
{
    skip_space(p);
    b->start = p->at;
    if (!field(p, &b->f))
        return false;
    b->low = 0;
    b->count = p->bits[b->f];
    if (!take(p, "["))
        return true;
    if (!number(p, &b->low))
        return false;
    unsigned high = b->low;
    if (take(p, ":") && !number(p, &high))
        return false;
    if (!take(p, "]"))
        return wrong(p, p->at, "expected ']'");
    if (high < b->low || high >= p->bits[b->f])
        return wrong(p, b->start, "bits outside the field '%s'", names[b->f]);
    b->count = high - b->low + 1;
    return true;
}

static bool hash_target(struct parser *p, const struct bits *b)
{
    switch (b->f) {
    case CHANNEL: case PSEUDO: case GROUP: case BANK: case STACK:
        return true;
    case OFFSET: case COLUMN: case ROW: case FIELD_COUNT:
        break;
    }
    return wrong(p, b->start, "'%s' cannot be hashed; expected channel, pseudo, group, bank "
                              "or stack", names[b->f]);
}

static bool one_hash(struct parser *p)
{
    struct bits to, from;
    if (!some_bits(p, &to) || !hash_target(p, &to))
        return false;
    if (!take(p, "^="))
        return wrong(p, p->at, "expected '^='");
    if (!some_bits(p, &from))
        return false;
    if (from.f == OFFSET || from.f == STACK || from.f == to.f)
        return wrong(p, from.start, "a hash cannot read '%s' here", names[from.f]);
    if (from.count != to.count)
        return wrong(p, from.start, "both sides of ^= need as many bits");
    for (unsigned i = 0; i < to.count; i++)
        p->hashed[to.f][to.low + i] ^= p->plain[from.f][from.low + i];
    return true;
}

static unsigned log2_of(uint64_t n)
{
    unsigned bits = 0;
    while ((UINT64_C(1) << bits) < n)
        bits++;
    return bits;
}

static bool power_of_two(struct diag *d, const char *what, uint64_t n)
{
    if (n > 0 && (n & (n - 1)) == 0)
        return true;
    return diag_set(d, 0, 0, "%s: %llu is not a power of two; the address map needs one", what,
                    (unsigned long long)n);
}

static bool geometry(struct parser *p)
{
    const struct hbm_config *c = p->config;
    uint32_t burst = hbm_burst_bytes(c);
    uint64_t bytes = (uint64_t)floor(c->capacity_gib * 0x1p30 + 0.5);
    if (!power_of_two(p->d, "channels", c->channels)
        || !power_of_two(p->d, "pseudo_channels", c->pseudo_channels)
        || !power_of_two(p->d, "bank_groups", c->bank_groups)
        || !power_of_two(p->d, "banks", c->banks)
        || !power_of_two(p->d, "row_bytes", c->row_bytes)
        || !power_of_two(p->d, "bytes of a burst (channel_bits / pseudo_channels x "
                         "burst_length / 8)", burst))
        return false;
    if (c->row_bytes < burst)
        return diag_set(p->d, 0, 0, "row_bytes: a row is shorter than a burst of %u bytes", burst);
    p->bits[OFFSET]  = log2_of(burst);
    p->bits[COLUMN]  = log2_of(c->row_bytes / burst);
    p->bits[PSEUDO]  = log2_of(c->pseudo_channels);
    p->bits[GROUP]   = log2_of(c->bank_groups);
    p->bits[BANK]    = log2_of(c->banks);
    p->bits[CHANNEL] = log2_of(c->channels);
    p->bits[STACK]   = log2_of(c->stacks);
    unsigned used = 0;
    for (unsigned f = 0; f < FIELD_COUNT; f++)
        used += f == STACK || f == ROW ? 0 : p->bits[f];
    p->address_bits = log2_of(bytes);      /* a 24 GiB stack has rows that nobody uses */
    if (p->address_bits <= used)
        return diag_set(p->d, 0, 0, "capacity_gib: less than a row in each bank");
    if (p->address_bits - used > WIDEST || p->address_bits > 8 * HBM_MAP_BYTES)
        return diag_set(p->d, 0, 0, "capacity_gib: more than 2^%d rows in a bank", WIDEST);
    p->bits[ROW] = p->address_bits - used;
    return true;
}

static bool complete(struct parser *p)
{
    for (unsigned f = 0; f < FIELD_COUNT; f++)
        if (f != STACK && p->given[f] != p->bits[f])
            return diag_set(p->d, 1, 0, "map: '%s' has %u bits; expected %u, from the geometry",
                            names[f], p->given[f], p->bits[f]);
    if (!p->stack_given && p->config->stacks > 1)
        return diag_set(p->d, 1, 0, "map: 'stack' is missing; expected it where the address "
                        "is divided by the %u stacks", p->config->stacks);
    if (p->given[OFFSET] > 0 && p->plain[OFFSET][p->bits[OFFSET] - 1] >> p->bits[OFFSET])
        return diag_set(p->d, 1, 1, "map: 'offset' must be the lowest bits");
    return true;
}

static bool parse(struct parser *p)
{
    if (!geometry(p))
        return false;
    do {
        if (!one_field(p))
            return false;
        skip_space(p);
    } while (*p->at && *p->at != ';');
    if (!complete(p))
        return false;
    if (!p->stack_given)
        p->stack_low = p->low;
    memcpy(p->hashed, p->plain, sizeof p->hashed);
    while (take(p, ";"))
        if (!one_hash(p))
            return false;
    skip_space(p);
    if (*p->at)
        return wrong(p, p->at, "expected ';' and a hash, or the end");
    return true;
}

static uint64_t parity(uint64_t x) { return (uint64_t)__builtin_parityll(x); }

static uint64_t value_of(const struct parser *p, enum field f, uint64_t local)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < p->bits[f]; i++)
        value |= parity(local & p->hashed[f][i]) << i;
    return value;
}

static uint64_t code_of(const struct parser *p, uint64_t local)
{
    uint64_t bank = value_of(p, PSEUDO, local);
    bank = bank << p->bits[GROUP] | value_of(p, GROUP, local);
    bank = bank << p->bits[BANK] | value_of(p, BANK, local);
    return bank | value_of(p, CHANNEL, local) << 16 | value_of(p, ROW, local) << 32;
}

static void fill(struct hbm_map *map, const struct parser *p)
{
    *map = (struct hbm_map){
        .stacks = p->config->stacks, .stack_low = p->stack_low,
        .channel_bits = p->bits[CHANNEL], .pseudo_bits = p->bits[PSEUDO],
        .group_bits = p->bits[GROUP], .bank_bits = p->bits[BANK],
        .column_bits = p->bits[COLUMN], .offset_bits = p->bits[OFFSET],
        .bytes = UINT64_C(1) << p->address_bits,
    };
    for (unsigned b = 0; b < p->bits[COLUMN]; b++)
        map->column_at[b] = (uint8_t)__builtin_ctzll(p->plain[COLUMN][b]);
    for (unsigned byte = 0; byte < HBM_MAP_BYTES; byte++)
        for (uint64_t v = 0; v < 256; v++) {
            map->code[byte][v] = code_of(p, v << 8 * byte);
            map->stack_hash[byte][v] = (uint8_t)value_of(p, STACK, v << 8 * byte);
        }
}

bool hbm_map_parse(struct hbm_map *map, const struct hbm_config *config, struct diag *d)
{
    struct parser p = { .config = config, .text = config->map, .at = config->map, .d = d };
    if (!parse(&p))
        return false;
    fill(map, &p);
    return true;
}

uint64_t hbm_map_local(const struct hbm_map *map, uint64_t address)
{
    if (map->stacks == 1)
        return address & (map->bytes - 1);
    uint64_t low = address & ((UINT64_C(1) << map->stack_low) - 1);
    uint64_t local = (address >> map->stack_low) / map->stacks << map->stack_low | low;
    return local & (map->bytes - 1);
}

uint32_t hbm_map_stack(const struct hbm_map *map, uint64_t address)
{
    if (map->stacks == 1)
        return 0;
    uint32_t stack = (uint32_t)((address >> map->stack_low) % map->stacks), hash = 0;
    uint64_t local = hbm_map_local(map, address);
    for (int i = 0; i < HBM_MAP_BYTES; i++, local >>= 8)
        hash ^= map->stack_hash[i][local & 0xff];
    return (map->stacks & (map->stacks - 1)) == 0 ? stack ^ hash : (stack + hash) % map->stacks;
}

uint64_t hbm_map_run_bytes(const struct hbm_map *map)
{
    /* A hash may look at bits below the digit: the run must not change those either. */
    unsigned bits = map->stacks == 1 ? 8 * HBM_MAP_BYTES : map->stack_low;
    for (unsigned bit = 0; bit < bits; bit++)
        if (map->stack_hash[bit / 8][1u << bit % 8])
            bits = bit;
    return UINT64_C(1) << bits;
}

struct hbm_place hbm_map_place(const struct hbm_map *map, uint64_t address)
{
    uint64_t local = hbm_map_local(map, address);
    uint64_t code = hbm_map_code(map, local);
    uint32_t bank = HBM_CODE_BANK(code), column = 0;
    for (unsigned b = 0; b < map->column_bits; b++)
        column |= (uint32_t)(local >> map->column_at[b] & 1) << b;
    return (struct hbm_place){
        .stack   = hbm_map_stack(map, address),
        .channel = HBM_CODE_CHANNEL(code),
        .pseudo  = bank >> (map->group_bits + map->bank_bits),
        .group   = bank >> map->bank_bits & ((1u << map->group_bits) - 1),
        .bank    = bank & ((1u << map->bank_bits) - 1),
        .column  = column,
        .row     = HBM_CODE_ROW(code),
    };
}
