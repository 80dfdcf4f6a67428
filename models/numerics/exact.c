/* exact.c - a number is a sign, a whole significand of up to 128 bits, a power of two.
 *
 * An operation finds its result to so many bits that what is below them only matters as "not
 * nothing": that goes into the lowest bit.  Then all of them round in one place.
 */
#include "models/numerics/exact.h"

__extension__ typedef unsigned __int128 wide;

/* (-1)^negative * significand * 2^exponent. */
struct number {
    enum { FINITE, INFINITE, NAN_ } kind;
    bool negative;
    int  exponent;
    wide significand;
};

#define TOP 124                 /* where a normalized significand has its first bit */

static int bias(struct exact_format f) { return (1 << (f.exponent_bits - 1)) - 1; }

static uint64_t infinity_of(struct exact_format f)
{
    return ((UINT64_C(1) << f.exponent_bits) - 1) << f.fraction_bits;
}

static uint64_t sign_of(struct exact_format f, bool negative)
{
    return (uint64_t)negative << (f.exponent_bits + f.fraction_bits);
}

static bool is_f64(struct exact_format f) { return f.fraction_bits == 52; }

static uint64_t nan_of(struct exact_format f)
{
    return is_f64(f) ? UINT64_C(0xfff8000000000000)
                     : infinity_of(f) | ((UINT64_C(1) << f.fraction_bits) - 1);
}

static struct number unpack(struct exact_format f, uint64_t bits)
{
    uint64_t fraction = bits & ((UINT64_C(1) << f.fraction_bits) - 1);
    int exponent = (int)(bits >> f.fraction_bits & ((UINT64_C(1) << f.exponent_bits) - 1));
    struct number x = { .negative = (bits & sign_of(f, true)) != 0 };
    if (exponent == (1 << f.exponent_bits) - 1) {
        x.kind = fraction ? NAN_ : INFINITE;
        return x;
    }
    x.significand = exponent ? fraction | UINT64_C(1) << f.fraction_bits : fraction;
    x.exponent = (exponent ? exponent : 1) - bias(f) - f.fraction_bits;
    return x;
}

/* The position of the first bit; x is not 0. */
static int first_bit(wide x)
{
    uint64_t high = (uint64_t)(x >> 64);
    return high ? 127 - __builtin_clzll(high) : 63 - __builtin_clzll((uint64_t)x);
}

/* x / 2^by; what falls off stays in the lowest bit. */
static wide shift_right(wide x, int by)
{
    if (by <= 0)
        return x;
    if (by > 127)
        return x != 0;
    return x >> by | ((x & (((wide)1 << by) - 1)) != 0);
}

/* x / 2^by as a whole number, rounded; by may be negative. */
static wide round_off(wide x, int by, bool negative, enum exact_round r)
{
    if (by <= 0)
        return x << -by;
    /* Beyond 126 it is less than a half anyway: so many bits of room say the same. */
    wide size = by > 126 ? shift_right(x, by - 126) : x;
    int  drop = by > 126 ? 126 : by;
    wide kept = size >> drop, rest = size & (((wide)1 << drop) - 1), half = (wide)1 << (drop - 1);
    bool up = false;
    switch (r) {
    case EXACT_NEAREST: up = rest > half || (rest == half && (kept & 1)); break;
    case EXACT_AWAY:    up = rest >= half; break;
    case EXACT_ZERO:    break;
    case EXACT_DOWN:    up = negative && rest; break;
    case EXACT_UP:      up = !negative && rest; break;
    }
    return kept + up;
}

static uint64_t overflow(struct exact_format f, bool negative, enum exact_round r)
{
    bool to_largest = r == EXACT_ZERO || (r == EXACT_DOWN && !negative) ||
                      (r == EXACT_UP && negative);
    return sign_of(f, negative) | (infinity_of(f) - to_largest);
}

static uint64_t pack(struct exact_format f, struct number x, enum exact_round r)
{
    if (x.kind == NAN_)
        return nan_of(f);
    if (x.kind == INFINITE)
        return sign_of(f, x.negative) | infinity_of(f);
    if (!x.significand)
        return sign_of(f, x.negative);
    int least = 1 - bias(f) - f.fraction_bits;      /* of a subnormal's last bit */
    int last = x.exponent + first_bit(x.significand) - f.fraction_bits;
    if (last < least)
        last = least;
    if (last > bias(f) - f.fraction_bits)
        return overflow(f, x.negative, r);
    uint64_t kept = (uint64_t)round_off(x.significand, last - x.exponent, x.negative, r);
    /* The first bit counts as one in the exponent, and so does a carry out of it. */
    uint64_t bits = ((uint64_t)(last - least) << f.fraction_bits) + kept;
    return bits >= infinity_of(f) ? overflow(f, x.negative, r) : sign_of(f, x.negative) | bits;
}

/* The NaN that operands with a NaN among them give; 0: there is none. */
static uint64_t nan_among(struct exact_format f, const uint64_t *x, int count)
{
    for (int i = 0; i < count; i++)
        if ((x[i] & ~sign_of(f, true)) > infinity_of(f))
            return is_f64(f) ? x[i] | UINT64_C(1) << 51 : nan_of(f);
    return 0;
}

static struct number invalid(void) { return (struct number){ .kind = NAN_ }; }

static struct number normalized(struct number x)
{
    int up = TOP - first_bit(x.significand);
    x.significand = up >= 0 ? x.significand << up : shift_right(x.significand, -up);
    x.exponent -= up;
    return x;
}

static struct number product(struct number a, struct number b)
{
    struct number x = { .negative = a.negative != b.negative };
    if (a.kind == INFINITE || b.kind == INFINITE) {
        bool zero = (a.kind == FINITE && !a.significand) || (b.kind == FINITE && !b.significand);
        x.kind = zero ? NAN_ : INFINITE;
        return x;
    }
    x.significand = a.significand * b.significand;
    x.exponent = a.exponent + b.exponent;
    return x;
}

static struct number sum(struct number a, struct number b, enum exact_round r)
{
    if (a.kind == NAN_ || b.kind == NAN_)
        return invalid();
    if (a.kind == INFINITE || b.kind == INFINITE) {
        if (a.kind == b.kind && a.negative != b.negative)
            return invalid();
        return a.kind == INFINITE ? a : b;
    }
    if (!a.significand && !b.significand) {
        a.negative = a.negative == b.negative ? a.negative : r == EXACT_DOWN;
        return a;
    }
    if (!a.significand || !b.significand)
        return a.significand ? a : b;
    a = normalized(a);
    b = normalized(b);
    if (a.exponent < b.exponent) {
        struct number other = a;
        a = b;
        b = other;
    }
    wide small = shift_right(b.significand, a.exponent - b.exponent);
    if (a.negative == b.negative) {
        a.significand += small;
    } else if (a.significand >= small) {
        a.significand -= small;
    } else {
        a.significand = small - a.significand;
        a.negative = b.negative;
    }
    if (!a.significand)
        a.negative = r == EXACT_DOWN;
    return a;
}

uint64_t exact_add(struct exact_format f, uint64_t a, uint64_t b, enum exact_round r)
{
    uint64_t nan = nan_among(f, (uint64_t[]){ a, b }, 2);
    return nan ? nan : pack(f, sum(unpack(f, a), unpack(f, b), r), r);
}

uint64_t exact_multiply(struct exact_format f, uint64_t a, uint64_t b, enum exact_round r)
{
    uint64_t nan = nan_among(f, (uint64_t[]){ a, b }, 2);
    return nan ? nan : pack(f, product(unpack(f, a), unpack(f, b)), r);
}

uint64_t exact_fma(struct exact_format f, uint64_t a, uint64_t b, uint64_t c,
                   enum exact_round r)
{
    uint64_t nan = nan_among(f, (uint64_t[]){ a, b, c }, 3);
    return nan ? nan : pack(f, sum(product(unpack(f, a), unpack(f, b)), unpack(f, c), r), r);
}

static struct number quotient(struct number a, struct number b)
{
    struct number x = { .negative = a.negative != b.negative };
    bool a_zero = a.kind == FINITE && !a.significand, b_zero = b.kind == FINITE && !b.significand;
    if ((a.kind == INFINITE && b.kind == INFINITE) || (a_zero && b_zero))
        return invalid();
    if (a.kind == INFINITE || b_zero) {
        x.kind = INFINITE;
        return x;
    }
    if (a_zero || b.kind == INFINITE)
        return x;
    /* At least 124 - 53 bits of quotient. */
    a = normalized(a);
    x.significand = a.significand / b.significand;
    x.significand |= a.significand % b.significand != 0;
    x.exponent = a.exponent - b.exponent;
    return x;
}

uint64_t exact_divide(struct exact_format f, uint64_t a, uint64_t b, enum exact_round r)
{
    uint64_t nan = nan_among(f, (uint64_t[]){ a, b }, 2);
    return nan ? nan : pack(f, quotient(unpack(f, a), unpack(f, b)), r);
}

/* floor(sqrt(x)), a bit at a time. */
static uint64_t root(wide x)
{
    uint64_t found = 0;
    for (int bit = 63; bit >= 0; bit--) {
        uint64_t more = found | UINT64_C(1) << bit;
        if ((wide)more * more <= x)
            found = more;
    }
    return found;
}

uint64_t exact_sqrt(struct exact_format f, uint64_t a, enum exact_round r)
{
    uint64_t nan = nan_among(f, &a, 1);
    struct number x = unpack(f, a);
    if (nan)
        return nan;
    if (x.kind == FINITE && !x.significand)
        return a;
    if (x.negative)
        return nan_of(f);
    if (x.kind == INFINITE)
        return a;
    x = normalized(x);
    if (x.exponent & 1) {
        x.significand <<= 1;
        x.exponent--;
    }
    uint64_t whole = root(x.significand);
    struct number y = { .exponent = x.exponent / 2 - 1 };
    y.significand = (wide)whole << 1 | ((wide)whole * whole != x.significand);
    return pack(f, y, r);
}

uint64_t exact_convert(struct exact_format to, struct exact_format from, uint64_t a,
                       enum exact_round r)
{
    struct number x = unpack(from, a);
    if (x.kind == NAN_ && is_f64(to))       /* the payload goes along, quiet */
        return sign_of(to, x.negative) | infinity_of(to) | UINT64_C(1) << 51 |
               (a & ((UINT64_C(1) << from.fraction_bits) - 1)) << (52 - from.fraction_bits);
    return pack(to, x, r);
}

uint64_t exact_from_integer(struct exact_format to, bool negative, uint64_t size,
                            enum exact_round r)
{
    return pack(to, (struct number){ .negative = negative && size, .significand = size }, r);
}

uint64_t exact_to_integer(struct exact_format from, uint64_t a, unsigned bits, bool is_signed,
                          enum exact_round r)
{
    struct number x = unpack(from, a);
    if (x.kind == NAN_)
        return 0;
    uint64_t most = UINT64_MAX >> (64 - bits + is_signed);
    uint64_t least = is_signed ? ~most : 0;         /* of 64 bits */
    bool huge = x.kind == INFINITE ||
                (x.significand && x.exponent + first_bit(x.significand) >= 64);
    if (huge)
        return (x.negative ? least : most) & UINT64_MAX >> (64 - bits);
    wide size = round_off(x.significand, -x.exponent, x.negative, r);
    if (x.negative)
        size = size > (wide)(0 - least) ? least : 0 - (uint64_t)size;
    else
        size = size > most ? most : size;
    return (uint64_t)size & UINT64_MAX >> (64 - bits);
}

uint64_t exact_to_whole(struct exact_format f, uint64_t a, enum exact_round r)
{
    struct number x = unpack(f, a);
    if (x.kind == NAN_)
        return nan_among(f, &a, 1);
    if (x.kind == INFINITE || x.exponent >= 0)
        return a;
    x.significand = round_off(x.significand, -x.exponent, x.negative, r);
    x.exponent = 0;
    return pack(f, x, EXACT_NEAREST);
}
