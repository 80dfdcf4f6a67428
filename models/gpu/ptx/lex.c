/* lex.c - PTX as tokens. */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/ptx/inside.h"

static unsigned column_of(const struct reader *r, const char *at)
{
    return (unsigned)(at - r->line_start) + 1;
}

static bool refuse_list(struct reader *r, const struct token *t, const char *format,
                        va_list arguments)
{
    char text[sizeof r->d->text];
    vsnprintf(text, sizeof text, format, arguments);
    return diag_set(r->d, t->line, t->column, "%s", text);
}

bool refuse(struct reader *r, const struct token *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    refuse_list(r, t, format, arguments);
    va_end(arguments);
    return false;
}

bool refuse_use(struct reader *r, const struct token *t, const char *format, ...)
{
    va_list arguments;
    r->is_unsupported = !r->d->text[0];
    va_start(arguments, format);
    refuse_list(r, t, format, arguments);
    va_end(arguments);
    return false;
}

static bool refuse_here(struct reader *r, const char *at, const char *what)
{
    return diag_set(r->d, r->line, column_of(r, at), "%s", what);
}

static char peek(const struct reader *r, size_t n)
{
    return (size_t)(r->end - r->at) > n ? r->at[n] : '\0';
}

static void new_line(struct reader *r)
{
    r->line++;
    r->line_start = r->at;
}

bool lex_skip_line(struct reader *r)
{
    while (r->at < r->end && *r->at != '\n')
        r->at++;
    return lex_next(r);
}

static bool skip_comment(struct reader *r)
{
    const char *from = r->at;
    unsigned line = r->line, column = column_of(r, from);
    for (r->at += 2; r->end - r->at >= 2; ) {
        if (r->at[0] == '*' && r->at[1] == '/') {
            r->at += 2;
            return true;
        }
        if (*r->at++ == '\n')
            new_line(r);
    }
    return diag_set(r->d, line, column, "a comment has no end; expected '*/'");
}

/* To the next byte of a token, past spaces, comments and lines of debuggers. */
static bool skip_space(struct reader *r)
{
    while (r->at < r->end) {
        char c = *r->at;
        if (c == '\n') {
            r->at++;
            new_line(r);
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
            r->at++;
        } else if (c == '/' && peek(r, 1) == '/') {
            while (r->at < r->end && *r->at != '\n')
                r->at++;
        } else if (c == '/' && peek(r, 1) == '*') {
            if (!skip_comment(r))
                return false;
        } else {
            return true;
        }
    }
    return true;
}

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$';
}

static void lex_name(struct reader *r)
{
    struct token *t = &r->token;
    t->kind = T_NAME;
    for (r->at++; r->at < r->end && is_name(*r->at); )
        r->at++;
    t->length = (uint32_t)(r->at - t->text);
}

/* ".global", ".L2::128B": the dot is not part of the text. */
static void lex_directive(struct reader *r)
{
    struct token *t = &r->token;
    t->kind = T_DIRECTIVE;
    t->text = ++r->at;
    while (r->at < r->end) {
        if (is_name(*r->at))
            r->at++;
        else if (*r->at == ':' && peek(r, 1) == ':' && is_name(peek(r, 2)))
            r->at += 2;
        else
            break;
    }
    t->length = (uint32_t)(r->at - t->text);
}

static bool lex_string(struct reader *r)
{
    struct token *t = &r->token;
    t->kind = T_STRING;
    t->text = ++r->at;
    while (r->at < r->end && *r->at != '"' && *r->at != '\n')
        r->at += *r->at == '\\' && peek(r, 1) && peek(r, 1) != '\n' ? 2 : 1;
    if (r->at >= r->end || *r->at != '"')
        return refuse(r, t, "a string has no end; expected '\"' on the same line");
    t->length = (uint32_t)(r->at++ - t->text);
    return true;
}

/* 0f3F800000, 0d3FF0000000000000: the bits of the number. */
static bool lex_bits(struct reader *r, unsigned digits)
{
    struct token *t = &r->token;
    t->kind = T_FLOAT;
    t->type = digits == 8 ? PTX_F32 : PTX_F64;
    r->at += 2;
    unsigned n = 0;
    for (; n < digits && isxdigit((unsigned char)peek(r, 0)); n++, r->at++) {
        char c = (char)tolower((unsigned char)*r->at);
        t->bits = t->bits << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    t->length = (uint32_t)(r->at - t->text);
    if (n < digits || is_name(peek(r, 0)))
        return refuse(r, t, "a %s of bits is cut short or too long; expected %u hexadecimal "
                      "digits", digits == 8 ? "float" : "double", digits);
    return true;
}

/* With a point or an exponent it is a double. */
static bool lex_decimal(struct reader *r, size_t length)
{
    struct token *t = &r->token;
    char copy[64];
    if (length >= sizeof copy)
        return refuse(r, t, "a number of %zu characters; expected fewer than 64", length);
    memcpy(copy, t->text, length);
    copy[length] = '\0';
    char *end;
    double value = strtod(copy, &end);
    t->kind = T_FLOAT;
    t->type = PTX_F64;
    memcpy(&t->bits, &value, sizeof value);
    r->at += length;
    t->length = (uint32_t)length;
    if (*end || is_name(peek(r, 0)))
        return refuse(r, t, "'%.60s' is no number; '%c' does not belong to it", copy,
                      peek(r, 0) ? peek(r, 0) : ' ');
    return true;
}

static bool lex_whole(struct reader *r, unsigned base, unsigned skip)
{
    struct token *t = &r->token;
    const char *first = r->at += skip;
    bool over = false;
    for (; isalnum((unsigned char)peek(r, 0)); r->at++) {
        int c = tolower((unsigned char)*r->at);
        unsigned digit = (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
        if (digit >= base)
            break;
        over = over || __builtin_mul_overflow(t->bits, base, &t->bits)
                    || __builtin_add_overflow(t->bits, digit, &t->bits);
    }
    bool some = r->at > first || base == 8;
    bool is_unsigned = peek(r, 0) == 'U';
    r->at += is_unsigned;
    t->length = (uint32_t)(r->at - t->text);
    if (!some || is_name(peek(r, 0)))
        return refuse(r, t, "'%.*s' is no number; '%c' does not belong to it", SHOW(t),
                      peek(r, 0) ? peek(r, 0) : ' ');
    if (over)
        return refuse(r, t, "%.*s does not fit in 64 bits", SHOW(t));
    t->kind = T_INTEGER;
    t->type = is_unsigned || t->bits > INT64_MAX ? PTX_U64 : PTX_S64;
    return true;
}

/* The length of a decimal with point or exponent at r->at; 0: it is a whole number. */
static size_t decimal_length(const struct reader *r)
{
    size_t n = 0;
    bool is_decimal = false;
    while (isdigit((unsigned char)peek(r, n)))
        n++;
    if (peek(r, n) == '.') {
        is_decimal = true;
        for (n++; isdigit((unsigned char)peek(r, n)); )
            n++;
    }
    if (n && (peek(r, n) == 'e' || peek(r, n) == 'E')) {
        size_t e = n + 1;
        if (peek(r, e) == '+' || peek(r, e) == '-')
            e++;
        if (isdigit((unsigned char)peek(r, e))) {
            is_decimal = true;
            for (n = e; isdigit((unsigned char)peek(r, n)); )
                n++;
        }
    }
    return is_decimal ? n : 0;
}

static bool lex_number(struct reader *r)
{
    char kind = peek(r, 0) == '0' ? (char)tolower((unsigned char)peek(r, 1)) : '\0';
    if (kind == 'f' || kind == 'd')
        return lex_bits(r, kind == 'f' ? 8 : 16);
    if (kind == 'x')
        return lex_whole(r, 16, 2);
    if (kind == 'b')
        return lex_whole(r, 2, 2);
    size_t decimal = decimal_length(r);
    if (decimal)
        return lex_decimal(r, decimal);
    return peek(r, 0) == '0' ? lex_whole(r, 8, 1) : lex_whole(r, 10, 0);
}

static bool lex_sign(struct reader *r)
{
    static const char *const two[] = { "||", "&&", "==", "!=", "<=", ">=", "<<", ">>", "@@" };
    struct token *t = &r->token;
    t->kind = T_SIGN;
    t->bits = (unsigned char)*r->at;
    t->length = 1;
    for (size_t i = 0; i < sizeof two / sizeof *two; i++)
        if (r->at[0] == two[i][0] && peek(r, 1) == two[i][1]) {
            t->bits = t->bits << 8 | (unsigned char)two[i][1];
            t->length = 2;
        }
    if (!strchr("{}[]()<>,;:=+-*/%&|^~!?@", *r->at) || !*r->at) {
        char text[80];
        snprintf(text, sizeof text, "byte 0x%02x is not PTX; expected a name, a number or a sign",
                 (unsigned char)*r->at);
        return refuse_here(r, r->at, text);
    }
    r->at += t->length;
    return true;
}

bool lex_next(struct reader *r)
{
    if (!skip_space(r)) {
        r->token.kind = T_END;
        return false;
    }
    r->token = (struct token){ .kind = T_END, .text = r->at, .line = r->line,
                               .column = column_of(r, r->at) };
    if (r->at == r->end) {
        r->token.text   = "the end";        /* for messages */
        r->token.length = 7;
        return true;
    }
    char c = *r->at, next = peek(r, 1);
    bool after_name = r->at > r->line_start && is_name(r->at[-1]);      /* tex.2d, not .5 */
    if (isalpha((unsigned char)c) || c == '_' || c == '$' || (c == '%' && is_name(next)))
        lex_name(r);
    else if (c == '.' && is_name(next) && (after_name || !isdigit((unsigned char)next)))
        lex_directive(r);
    else if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)next)))
        return lex_number(r);
    else if (c == '"')
        return lex_string(r);
    else
        return lex_sign(r);
    return true;
}

void lex_start(struct reader *r, const char *text, size_t size)
{
    r->at = r->line_start = text;
    r->end  = text + size;
    r->line = 1;
}

bool is_sign(const struct reader *r, const char *sign)
{
    uint64_t bits = (unsigned char)sign[0];
    if (sign[1])
        bits = bits << 8 | (unsigned char)sign[1];
    return r->token.kind == T_SIGN && r->token.bits == bits;
}

bool is_word(const struct token *t, const char *word)
{
    return strlen(word) == t->length && memcmp(t->text, word, t->length) == 0;
}

bool take_sign(struct reader *r, const char *sign, bool *taken)
{
    *taken = is_sign(r, sign);
    return *taken ? lex_next(r) : true;
}

bool expect_sign(struct reader *r, const char *sign, const char *after)
{
    if (is_sign(r, sign))
        return lex_next(r);
    if (r->token.kind == T_END)
        return refuse(r, &r->token, "the text ends %s; expected '%s'", after, sign);
    return refuse(r, &r->token, "'%s%.*s' %s; expected '%s'",
                  r->token.kind == T_DIRECTIVE ? "." : "", SHOW(&r->token), after, sign);
}
