/* constant.c - constant expressions: whole numbers of 64 bits with C's operators, and single
 * floating-point numbers with a sign. */
#include <string.h>

#include "models/gpu/ptx/inside.h"

static bool conditional(struct reader *r, struct constant *c);
static bool unary(struct reader *r, struct constant *c);

static bool is_float(const struct constant *c)
{
    return c->type == PTX_F32 || c->type == PTX_F64;
}

static bool read_number(struct reader *r, struct constant *c)
{
    const struct token *t = &r->token;
    if (t->kind == T_NAME && is_word(t, "WARP_SZ"))
        *c = (struct constant){ PTX_S64, 32 };
    else if (t->kind == T_INTEGER || t->kind == T_FLOAT)
        *c = (struct constant){ t->type, t->bits };
    else if (t->kind == T_END)
        return refuse(r, t, "the text ends; expected a number");
    else
        return refuse(r, t, "'%.*s' is no number; expected one", SHOW(t));
    return lex_next(r);
}

/* (...), or (.s64) and (.u64) before what they convert. */
static bool read_parentheses(struct reader *r, struct constant *c)
{
    struct token type = r->token;
    if (type.kind != T_DIRECTIVE)
        return conditional(r, c) && expect_sign(r, ")", "after an expression");
    bool is_signed = is_word(&type, "s64");
    if (!is_signed && !is_word(&type, "u64"))
        return refuse(r, &type, "'.%.*s' is no conversion; expected .s64 or .u64", SHOW(&type));
    if (!lex_next(r) || !expect_sign(r, ")", "after a type") || !unary(r, c))
        return false;
    if (is_float(c))
        return refuse(r, &type, "'.%.*s' of a floating-point number; expected a whole one",
                      SHOW(&type));
    c->type = is_signed ? PTX_S64 : PTX_U64;
    return true;
}

static bool unary(struct reader *r, struct constant *c)
{
    struct token sign = r->token;
    if (++r->parentheses > DEPTH)
        return refuse(r, &sign, "an expression nested more than %d deep; expected fewer", DEPTH);
    bool good, is_operator = sign.kind == T_SIGN && sign.length == 1
                             && strchr("-+~!", (int)sign.bits);
    if (sign.kind == T_SIGN && sign.bits == '(')
        good = lex_next(r) && read_parentheses(r, c);
    else if (is_operator)
        good = lex_next(r) && unary(r, c);
    else
        good = read_number(r, c);
    r->parentheses--;
    if (!good || !is_operator)
        return good;
    if (is_float(c) && sign.bits != '-' && sign.bits != '+')
        return refuse(r, &sign, "'%c' of a floating-point number; expected '-'", (int)sign.bits);
    switch (sign.bits) {
    case '-':
        if (is_float(c))
            c->bits ^= c->type == PTX_F32 ? UINT64_C(1) << 31 : UINT64_C(1) << 63;
        else
            c->bits = 0 - c->bits;
        break;
    case '~': c->bits = ~c->bits; break;
    case '!': *c = (struct constant){ PTX_S64, !c->bits }; break;
    }
    if (sign.bits == '-' && c->type == PTX_U64 && c->bits == UINT64_C(1) << 63)
        c->type = PTX_S64;                      /* -9223372036854775808 */
    return true;
}

/* Binary operators, those that bind least first. */
static const struct { const char *sign; int level; } operators[] = {
    { "||", 1 }, { "&&", 2 }, { "|", 3 }, { "^", 4 }, { "&", 5 }, { "==", 6 }, { "!=", 6 },
    { "<=", 7 }, { ">=", 7 }, { "<", 7 }, { ">", 7 }, { "<<", 8 }, { ">>", 8 }, { "+", 9 },
    { "-", 9 }, { "*", 10 }, { "/", 10 }, { "%", 10 }
};

static int level_of(const struct reader *r)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (is_sign(r, operators[i].sign))
            return operators[i].level;
    return 0;
}

#define TWO(a, b) ((uint64_t)(a) << 8 | (b))

static uint64_t shift(uint64_t a, uint64_t by, bool left, bool is_signed)
{
    if (by > 63)
        return !left && is_signed && (int64_t)a < 0 ? UINT64_MAX : 0;
    if (left)
        return a << by;
    return is_signed && (int64_t)a < 0 ? ~(~a >> by) : a >> by;
}

static uint64_t divide(uint64_t a, uint64_t b, bool remainder, bool is_signed)
{
    bool na = is_signed && (int64_t)a < 0, nb = is_signed && (int64_t)b < 0;
    uint64_t x = na ? 0 - a : a, y = nb ? 0 - b : b;
    uint64_t value = remainder ? x % y : x / y;
    return (remainder ? na : na != nb) ? 0 - value : value;
}

static bool less(uint64_t a, uint64_t b, bool is_signed)
{
    return is_signed ? (int64_t)a < (int64_t)b : a < b;
}

static bool holds(uint64_t sign, uint64_t a, uint64_t b, bool is_signed)
{
    switch (sign) {
    case '<': return less(a, b, is_signed);
    case '>': return less(b, a, is_signed);
    case TWO('<', '='): return !less(b, a, is_signed);
    case TWO('>', '='): return !less(a, b, is_signed);
    case TWO('=', '='): return a == b;
    case TWO('!', '='): return a != b;
    case TWO('&', '&'): return a && b;
    default:            return a || b;
    }
}

static void apply(uint64_t sign, struct constant *c, const struct constant *by)
{
    bool s = c->type == PTX_S64 && by->type == PTX_S64;
    uint64_t a = c->bits, b = by->bits;
    enum ptx_type type = s ? PTX_S64 : PTX_U64;
    switch (sign) {
    case '+': a += b; break;
    case '-': a -= b; break;
    case '*': a *= b; break;
    case '/': case '%': a = divide(a, b, sign == '%', s); break;
    case '&': a &= b; break;
    case '|': a |= b; break;
    case '^': a ^= b; break;
    case TWO('<', '<'): a = shift(a, b, true, s); type = c->type; break;
    case TWO('>', '>'): a = shift(a, b, false, c->type == PTX_S64); type = c->type; break;
    default:
        a = holds(sign, a, b, s);
        type = PTX_S64;
    }
    *c = (struct constant){ type, a };
}

/* Operators of `level` and above; each level calls itself once only, so this is shallow. */
static bool binary(struct reader *r, struct constant *c, int level)
{
    if (!unary(r, c))
        return false;
    for (int found; (found = level_of(r)) >= level && found; ) {
        struct token sign = r->token;
        struct constant by;
        if (!lex_next(r) || !binary(r, &by, found + 1))
            return false;
        if (is_float(c) || is_float(&by))
            return refuse(r, &sign, "'%.*s' of floating-point numbers is not supported; "
                          "expected a single number", SHOW(&sign));
        if ((sign.bits == '/' || sign.bits == '%') && by.bits == 0)
            return refuse(r, &sign, "division by zero; expected another number");
        apply(sign.bits, c, &by);
    }
    return true;
}

static bool conditional(struct reader *r, struct constant *c)
{
    if (!binary(r, c, 1))
        return false;
    if (!is_sign(r, "?"))
        return true;
    struct token sign = r->token;
    struct constant yes, no;
    if (is_float(c))
        return refuse(r, &sign, "'?' after a floating-point number; expected a whole one");
    if (++r->parentheses > DEPTH)
        return refuse(r, &sign, "an expression nested more than %d deep; expected fewer", DEPTH);
    if (!lex_next(r) || !conditional(r, &yes) || !expect_sign(r, ":", "after '?'")
        || !conditional(r, &no))
        return false;
    r->parentheses--;
    *c = c->bits ? yes : no;
    return true;
}

bool constant_read(struct reader *r, struct constant *c)
{
    r->parentheses = 0;
    return conditional(r, c);
}

bool constant_whole(struct reader *r, const char *what, int64_t least, int64_t most,
                    int64_t *value)
{
    struct token at = r->token;
    struct constant c;
    if (!constant_read(r, &c))
        return false;
    if (is_float(&c))
        return refuse(r, &at, "%s: '%.*s' is no whole number; expected one", what, SHOW(&at));
    *value = (int64_t)c.bits;
    bool beyond = c.type == PTX_U64 && c.bits > INT64_MAX;
    if (beyond || *value < least || *value > most)
        return refuse(r, &at, "%s: %s%lld is out of range; expected %lld to %lld", what,
                      beyond ? "2^63 or more, as signed " : "", (long long)*value,
                      (long long)least, (long long)most);
    return true;
}

/* As a signed or as an unsigned number of so many bytes. */
bool constant_fits(const struct constant *c, unsigned bytes)
{
    if (bytes >= 8)
        return true;
    int64_t value = (int64_t)c->bits, half = INT64_C(1) << (8 * bytes - 1);
    if (c->type == PTX_U64 && c->bits > INT64_MAX)
        return false;
    return value >= -half && value < 2 * half;
}

static float as_float(uint64_t bits)
{
    double wide;
    memcpy(&wide, &bits, sizeof wide);
    return (float)wide;
}

static double as_double(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float narrow;
    memcpy(&narrow, &low, sizeof narrow);
    return narrow;
}

/* A floating-point number in a place of the other precision takes it. */
void constant_convert(struct constant *c, enum ptx_type type)
{
    if (type == PTX_F32 && c->type == PTX_F64) {
        float value = as_float(c->bits);
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        *c = (struct constant){ PTX_F32, bits };
    } else if (type == PTX_F64 && c->type == PTX_F32) {
        double value = as_double(c->bits);
        c->type = PTX_F64;
        memcpy(&c->bits, &value, sizeof value);
    }
}
