/* round.c - numbers of f32, bf16 and f16, as doubles. */
#include "traces/round.h"

#include <assert.h>
#include <math.h>

static const struct { int digits, least; double largest; } formats[TRACE_TYPES_COUNT] = {
    [TRACE_F32]  = { 24, -149, 0x1.fffffep127 },
    [TRACE_BF16] = {  8, -133, 0x1.fep127 },
    [TRACE_F16]  = { 11,  -24, 0x1.ffcp15 },
    [TRACE_I32]  = { 32,    0, 0x1p31 },
};

/* The power of two that is a unit in the last place. */
static int unit_of(double x, enum trace_type type)
{
    int exponent;
    if (x == 0)
        return formats[type].least;
    frexp(x, &exponent);                    /* |x| is in [1/2, 1) times 2^exponent */
    int unit = exponent - formats[type].digits;
    return unit > formats[type].least ? unit : formats[type].least;
}

double trace_round(double x, enum trace_type type)
{
    if (type == TRACE_I32 || !isfinite(x))
        return x;
    if (type == TRACE_F32)
        return (double)(float)x;            /* the same, faster */
    int unit = unit_of(x, type);
    double y = ldexp(nearbyint(ldexp(x, -unit)), unit);
    return fabs(y) > formats[type].largest ? copysign(INFINITY, y) : y;
}

double trace_ulp(double x, enum trace_type type)
{
    assert(isfinite(x));
    return type == TRACE_I32 ? 1 : ldexp(1, unit_of(x, type));
}
