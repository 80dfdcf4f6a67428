/* round.c - numbers of f32, bf16 and f16, as doubles. */
#include "traces/round.h"

#include <assert.h>
#include <math.h>

#include "traces/functions.h"

/* `over`: half a unit above the largest number, from where on it is infinite. */
static const struct { int digits, least; double over; } formats[TRACE_TYPES_COUNT] = {
    [TRACE_F32]  = { 24, -149, 0x1.ffffffp127 },
    [TRACE_BF16] = {  8, -133, 0x1.ffp127 },
    [TRACE_F16]  = { 11,  -24, 0x1.ffep15 },
};

/* A unit in the last place of the type at a size, which is finite in it. */
static double unit_of(double size, enum trace_type type)
{
    const uint64_t exponent = UINT64_C(0x7ff) << 52;
    double power = functions_value(functions_bits(size) & exponent);    /* size / 2 < power */
    double digits = functions_value((uint64_t)(1023 + 1 - formats[type].digits) << 52);
    double least = functions_value((uint64_t)(1023 + formats[type].least) << 52);
    return power * digits > least ? power * digits : least;
}

double trace_round(double x, enum trace_type type)
{
    if (type == TRACE_I32 || !isfinite(x))
        return x;
    double size = fabs(x);
    if (size >= formats[type].over)
        return copysign(INFINITY, x);
    /* Beside this a double has no place for less than a unit: the sum rounds. */
    double beside = 0x1.8p52 * unit_of(size, type);
    return copysign((size + beside) - beside, x);
}

double trace_ulp(double x, enum trace_type type)
{
    assert(isfinite(x));
    return type == TRACE_I32 ? 1 : unit_of(fabs(x), type);
}
