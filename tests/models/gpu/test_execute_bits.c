/* test_execute_bits.c - bits and logic against their definitions, a bit at a time. */
#include "tests/models/gpu/execute_check.h"
#include "tests/suites.h"

static unsigned bit(uint64_t x, unsigned i) { return i < 64 ? (unsigned)(x >> i & 1) : 0; }

static uint64_t count(uint64_t x, unsigned bits)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < bits; i++)
        n += bit(x, i);
    return n;
}

static uint64_t leading(uint64_t x, unsigned bits)
{
    uint64_t n = 0;
    while (n < bits && !bit(x, bits - 1 - (unsigned)n))
        n++;
    return n;
}

static uint64_t reversed(uint64_t x, unsigned bits)
{
    uint64_t y = 0;
    for (unsigned i = 0; i < bits; i++)
        y |= (uint64_t)bit(x, i) << (bits - 1 - i);
    return y;
}

/* The highest bit unlike the sign (or, unsigned, unlike 0). */
static uint64_t found(uint64_t x, unsigned bits, bool is_signed, bool from_top)
{
    unsigned sign = is_signed ? bit(x, bits - 1) : 0;
    for (unsigned i = bits; i-- > 0;)
        if (bit(x, i) != sign)
            return from_top ? bits - 1 - i : i;
    return UINT32_MAX;
}

/* As the PTX manual writes it. */
static uint64_t extracted(uint64_t a, uint64_t b, uint64_t c, unsigned bits, bool is_signed)
{
    unsigned pos = b & 0xff, len = c & 0xff, msb = bits - 1;
    unsigned last = pos + len - 1 < msb ? pos + len - 1 : msb;
    unsigned sbit = !is_signed || len == 0 ? 0 : bit(a, last);
    uint64_t d = 0;
    for (unsigned i = 0; i <= msb; i++)
        d |= (uint64_t)(i < len && pos + i <= msb ? bit(a, pos + i) : sbit) << i;
    return d;
}

static uint64_t inserted(uint64_t a, uint64_t b, uint64_t c, uint64_t d, unsigned bits)
{
    unsigned pos = c & 0xff, len = d & 0xff, msb = bits - 1;
    uint64_t f = b;
    for (unsigned i = 0; i < len && pos + i <= msb; i++)
        f = (f & ~(UINT64_C(1) << (pos + i))) | (uint64_t)bit(a, i) << (pos + i);
    return f;
}

static int64_t part(uint64_t x, unsigned bits, unsigned i, bool is_signed)
{
    int64_t field = (int64_t)(x >> bits * i & ((1u << bits) - 1));
    return is_signed && field >= 1 << (bits - 1) ? field - (1 << bits) : field;
}

static uint64_t dot(uint64_t a, uint64_t b, uint64_t c, unsigned a_bits, unsigned from, bool as,
                    bool bs)
{
    int64_t sum = (int64_t)c;
    for (unsigned i = 0; i < 32 / a_bits; i++)
        sum += part(a, a_bits, i, as) * part(b, 8, from + i, bs);
    return (uint64_t)sum;
}

static uint64_t nth(uint64_t mask, uint64_t base, uint64_t offset)
{
    int32_t n = (int32_t)offset;
    if (n == 0)
        return base < 32 && bit(mask, (unsigned)base) ? base : UINT32_MAX;
    int64_t left = n > 0 ? n : -(int64_t)n;
    for (int64_t pos = (int64_t)base; pos >= 0 && pos < 32; pos += n > 0 ? 1 : -1)
        if (bit(mask, (unsigned)pos) && --left == 0)
            return (uint64_t)pos;
    return UINT32_MAX;
}

static uint64_t byte_of(uint64_t a, uint64_t b, unsigned i)
{
    return (i < 4 ? a >> 8 * i : b >> 8 * (i - 4)) & 0xff;
}

/* Bytes 3 to 0 of the result. */
static uint64_t bytes(uint64_t a, uint64_t b, unsigned i3, unsigned i2, unsigned i1, unsigned i0)
{
    return byte_of(a, b, i3) << 24 | byte_of(a, b, i2) << 16 | byte_of(a, b, i1) << 8 |
           byte_of(a, b, i0);
}

static uint64_t permuted(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t d = 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned selector = c >> 4 * i & 15;
        uint64_t x = byte_of(a, b, selector & 7);
        d |= (selector & 8 ? (x >= 128 ? 0xff : 0) : x) << 8 * i;
    }
    return d;
}

static uint64_t kept(uint64_t a, uint64_t n, bool is_signed)
{
    uint64_t x = 0;
    for (unsigned i = 0; i < 32; i++)
        x |= (uint64_t)(i < n ? bit(a, i) : is_signed && n ? bit(a, (unsigned)n - 1) : 0) << i;
    return x;
}

static uint64_t field_mask(uint64_t at, uint64_t n)
{
    uint64_t x = 0;
    for (unsigned i = 0; i < 32; i++)
        x |= (uint64_t)(i >= at && i < at + n) << i;
    return x;
}

static uint64_t looked_up(uint64_t a, uint64_t b, uint64_t c, unsigned table)
{
    uint64_t d = 0;
    for (unsigned i = 0; i < 32; i++)
        d |= (uint64_t)(table >> (4 * bit(a, i) + 2 * bit(b, i) + bit(c, i)) & 1) << i;
    return d;
}

/* Shifts by a number of any size; the sign fills from above. */
static uint64_t up(uint64_t a, uint64_t n, unsigned bits)
{
    uint64_t d = 0;
    for (unsigned i = 0; i < bits; i++)
        d |= (uint64_t)(i >= n ? bit(a, i - (unsigned)n) : 0) << i;
    return d;
}

static uint64_t down(uint64_t a, uint64_t n, unsigned bits, bool is_signed)
{
    uint64_t d = 0;
    for (unsigned i = 0; i < bits; i++)
        d |= (uint64_t)(i + n < bits ? bit(a, i + (unsigned)n)
                                     : is_signed && bit(a, bits - 1)) << i;
    return d;
}

static uint64_t least(uint64_t n) { return n < 32 ? n : 32; }
#define AB (a | b << 32)

REFERENCE(popc32, count(a, 32)) REFERENCE(popc64, count(a, 64))
REFERENCE(clz32, leading(a, 32)) REFERENCE(clz64, leading(a, 64))
REFERENCE(brev32, reversed(a, 32)) REFERENCE(brev64, reversed(a, 64))
REFERENCE(find_u32, found(a, 32, false, false)) REFERENCE(find_s32, found(a, 32, true, false))
REFERENCE(find_u64, found(a, 64, false, false)) REFERENCE(find_s64, found(a, 64, true, false))
REFERENCE(amount_u32, found(a, 32, false, true)) REFERENCE(amount_s64, found(a, 64, true, true))
REFERENCE(bfe_u32, extracted(a, b, c, 32, false)) REFERENCE(bfe_s32, extracted(a, b, c, 32, true))
REFERENCE(bfe_u64, extracted(a, b, c, 64, false)) REFERENCE(bfe_s64, extracted(a, b, c, 64, true))
REFERENCE(bfi32, inserted(a, b, c, d, 32)) REFERENCE(bfi64, inserted(a, b, c, d, 64))
REFERENCE(dp4a_uu, dot(a, b, c, 8, 0, false, false))
REFERENCE(dp4a_su, dot(a, b, c, 8, 0, true, false))
REFERENCE(dp4a_ss, dot(a, b, c, 8, 0, true, true))
REFERENCE(dp2a_lo, dot(a, b, c, 16, 0, true, true))
REFERENCE(dp2a_hi, dot(a, b, c, 16, 2, false, true))
REFERENCE(fns, nth(a, b, c))
REFERENCE(prmt, permuted(a, b, c))
REFERENCE(f4e, bytes(a, b, (c & 3) + 3, (c & 3) + 2, (c & 3) + 1, c & 3))
REFERENCE(b4e, bytes(a, b, ((c & 3) + 5) % 8, ((c & 3) + 6) % 8, ((c & 3) + 7) % 8, c & 3))
REFERENCE(rc8, bytes(a, b, c & 3, c & 3, c & 3, c & 3))
REFERENCE(ecl, bytes(a, b, 3, c % 4 > 2 ? 3 : 2, c % 4 > 1 ? c & 3 : 1, c & 3))
REFERENCE(ecr, bytes(a, b, c & 3, c % 4 < 2 ? c & 3 : 2, c % 4 < 1 ? 0 : 1, 0))
REFERENCE(rc16, (c & 1 ? a >> 16 : a & 0xffff) * 0x10001)
REFERENCE(szext_u, kept(a, least(b), false)) REFERENCE(szext_s, kept(a, least(b), true))
REFERENCE(szext_uw, kept(a, b % 32, false)) REFERENCE(szext_sw, kept(a, b % 32, true))
REFERENCE(bmsk, field_mask(least(a), least(b))) REFERENCE(bmsk_w, field_mask(a % 32, b % 32))

REFERENCE(and_, a & b) REFERENCE(or_, a | b) REFERENCE(xor_, a ^ b)
REFERENCE(not16, a ^ 0xffff) REFERENCE(not_, ~a) REFERENCE(cnot, a == 0)
REFERENCE(lop_e8, looked_up(a, b, c, 0xe8)) REFERENCE(lop_1b, looked_up(a, b, c, 0x1b))
REFERENCE(lop_96, looked_up(a, b, c, 0x96))
REFERENCE(shl16, up(a, b, 16)) REFERENCE(shl32, up(a, b, 32)) REFERENCE(shl64, up(a, b, 64))
REFERENCE(shr_u16, down(a, b, 16, false)) REFERENCE(shr_s16, down(a, b, 16, true))
REFERENCE(shr_u32, down(a, b, 32, false)) REFERENCE(shr_s32, down(a, b, 32, true))
REFERENCE(shr_u64, down(a, b, 64, false)) REFERENCE(shr_s64, down(a, b, 64, true))
REFERENCE(shf_lc, up(AB, least(c), 64) >> 32) REFERENCE(shf_lw, up(AB, c % 32, 64) >> 32)
REFERENCE(shf_rc, down(AB, least(c), 64, false)) REFERENCE(shf_rw, down(AB, c % 32, 64, false))

static const struct execute_case cases[] = {
    { "popc.b32 %r0, %r1;", popc32 }, { "popc.b64 %r0, %rd1;", popc64 },
    { "clz.b32 %r0, %r1;", clz32 }, { "clz.b64 %r0, %rd1;", clz64 },
    { "brev.b32 %r0, %r1;", brev32 }, { "brev.b64 %rd0, %rd1;", brev64 },
    { "bfind.u32 %r0, %r1;", find_u32 }, { "bfind.s32 %r0, %r1;", find_s32 },
    { "bfind.u64 %r0, %rd1;", find_u64 }, { "bfind.s64 %r0, %rd1;", find_s64 },
    { "bfind.shiftamt.u32 %r0, %r1;", amount_u32 },
    { "bfind.shiftamt.s64 %r0, %rd1;", amount_s64 },
    { "bfe.u32 %r0, %r1, %r2, %r3;", bfe_u32 }, { "bfe.s32 %r0, %r1, %r2, %r3;", bfe_s32 },
    { "bfe.u64 %rd0, %rd1, %r2, %r3;", bfe_u64 }, { "bfe.s64 %rd0, %rd1, %r2, %r3;", bfe_s64 },
    { "bfi.b32 %r0, %r1, %r2, %r3, %r4;", bfi32 }, { "bfi.b64 %rd0, %rd1, %rd2, %r3, %r4;", bfi64 },
    { "dp4a.u32.u32 %r0, %r1, %r2, %r3;", dp4a_uu },
    { "dp4a.s32.u32 %r0, %r1, %r2, %r3;", dp4a_su },
    { "dp4a.s32.s32 %r0, %r1, %r2, %r3;", dp4a_ss },
    { "dp2a.lo.s32.s32 %r0, %r1, %r2, %r3;", dp2a_lo },
    { "dp2a.hi.u32.s32 %r0, %r1, %r2, %r3;", dp2a_hi },
    { "fns.b32 %r0, %r1, %r2, %r3;", fns },
    { "prmt.b32 %r0, %r1, %r2, %r3;", prmt }, { "prmt.b32.f4e %r0, %r1, %r2, %r3;", f4e },
    { "prmt.b32.b4e %r0, %r1, %r2, %r3;", b4e }, { "prmt.b32.rc8 %r0, %r1, %r2, %r3;", rc8 },
    { "prmt.b32.ecl %r0, %r1, %r2, %r3;", ecl }, { "prmt.b32.ecr %r0, %r1, %r2, %r3;", ecr },
    { "prmt.b32.rc16 %r0, %r1, %r2, %r3;", rc16 },
    { "szext.clamp.u32 %r0, %r1, %r2;", szext_u }, { "szext.clamp.s32 %r0, %r1, %r2;", szext_s },
    { "szext.wrap.u32 %r0, %r1, %r2;", szext_uw }, { "szext.wrap.s32 %r0, %r1, %r2;", szext_sw },
    { "bmsk.clamp.b32 %r0, %r1, %r2;", bmsk }, { "bmsk.wrap.b32 %r0, %r1, %r2;", bmsk_w },
    { "and.b16 %h0, %h1, %h2;", and_ }, { "and.b32 %r0, %r1, %r2;", and_ },
    { "and.b64 %rd0, %rd1, %rd2;", and_ }, { "or.b16 %h0, %h1, %h2;", or_ },
    { "or.b32 %r0, %r1, %r2;", or_ }, { "or.b64 %rd0, %rd1, %rd2;", or_ },
    { "xor.b16 %h0, %h1, %h2;", xor_ }, { "xor.b32 %r0, %r1, %r2;", xor_ },
    { "xor.b64 %rd0, %rd1, %rd2;", xor_ },
    { "not.b16 %h0, %h1;", not16 }, { "not.b32 %r0, %r1;", not_ }, { "not.b64 %rd0, %rd1;", not_ },
    { "cnot.b16 %h0, %h1;", cnot }, { "cnot.b32 %r0, %r1;", cnot },
    { "cnot.b64 %rd0, %rd1;", cnot },
    { "lop3.b32 %r0, %r1, %r2, %r3, 0xe8;", lop_e8 },
    { "lop3.b32 %r0, %r1, %r2, %r3, 0x1b;", lop_1b },
    { "lop3.b32 %r0, %r1, %r2, %r3, 0x96;", lop_96 },
    { "shl.b16 %h0, %h1, %r2;", shl16 }, { "shl.b32 %r0, %r1, %r2;", shl32 },
    { "shl.b64 %rd0, %rd1, %r2;", shl64 },
    { "shr.u16 %h0, %h1, %r2;", shr_u16 }, { "shr.b16 %h0, %h1, %r2;", shr_u16 },
    { "shr.s16 %h0, %h1, %r2;", shr_s16 },
    { "shr.u32 %r0, %r1, %r2;", shr_u32 }, { "shr.s32 %r0, %r1, %r2;", shr_s32 },
    { "shr.b64 %rd0, %rd1, %r2;", shr_u64 }, { "shr.s64 %rd0, %rd1, %r2;", shr_s64 },
    { "shf.l.clamp.b32 %r0, %r1, %r2, %r3;", shf_lc },
    { "shf.l.wrap.b32 %r0, %r1, %r2, %r3;", shf_lw },
    { "shf.r.clamp.b32 %r0, %r1, %r2, %r3;", shf_rc },
    { "shf.r.wrap.b32 %r0, %r1, %r2, %r3;", shf_rw },
};

START_TEST(bits_go_where_the_manual_says)
{
    execute_check(&cases[_i], 2000 + (uint64_t)_i, 100);
}
END_TEST

/* shl, shr, bfe, ...: amounts near the widths, which random words seldom are. */
START_TEST(every_small_amount_shifts_as_far_as_it_says)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct execute_rig *r = execute_rig_new(cases[i].text);
        unsigned bits[4] = { 0 }, words = execute_widths(r, bits);
        if (words < 2 || bits[words - 1] != 32 || bits[0] == 16) {
            execute_rig_free(r);
            continue;
        }
        struct execute_random x = { i };
        for (uint32_t amount = 0; amount < 80; amount++) {
            uint64_t in[4];
            for (unsigned o = 0, word = 0; o < words; o++) {
                in[o] = execute_random64(&x) >> (64 - bits[o]);
                if (o + 1 == words || (o && bits[o] == 32 && words > 2 && amount % 2))
                    in[o] = o + 1 == words ? amount : amount * 7 % 40;
                execute_rig_source(r, word++)[3] = (uint32_t)in[o];
                if (bits[o] == 64)
                    execute_rig_source(r, word++)[3] = (uint32_t)(in[o] >> 32);
            }
            execute_rig_run(r, 1 << 3);
            uint64_t got = execute_rig_dest(r, 0)[3], none = 0;
            if (r->op.dsts == 2)
                got |= (uint64_t)execute_rig_dest(r, 1)[3] << 32;
            uint64_t expected = cases[i].reference(in[0], in[1], words > 2 ? in[2] : none,
                                                   words > 3 ? in[3] : none);
            ck_assert_msg(got == (r->op.dsts == 2 ? expected : (uint32_t)expected),
                          "%s by %u", cases[i].text, amount);
        }
        execute_rig_free(r);
    }
}
END_TEST

START_TEST(predicates_have_logic_of_their_own)
{
    static const struct { const char *text; uint32_t expected; } logic[] = {
        { "and.pred %p0, %p1, %p2;", 0x8 }, { "or.pred %p0, %p1, %p2;", 0xe },
        { "xor.pred %p0, %p1, %p2;", 0x6 }, { "not.pred %p0, %p1;", 0x3 },
        { "mov.pred %p0, %p1;", 0xc }, { "mov.pred %p0, 1;", 0xf }, { "mov.pred %p0, 0;", 0 },
    };
    for (size_t i = 0; i < COUNT_OF(logic); i++) {
        struct execute_rig *r = execute_rig_new(logic[i].text);
        r->warp.predicates[1] = 0xc;
        r->warp.predicates[2] = 0xa;
        r->warp.predicates[0] = 0xf0;
        execute_rig_run(r, 0xf);
        ck_assert_uint_eq(r->warp.predicates[0], 0xf0 | logic[i].expected);
        execute_rig_free(r);
    }
}
END_TEST

Suite *execute_bits_suite(void)
{
    Suite *s = suite_create("execute_bits");
    TCase *t = tcase_create("values");
    tcase_add_loop_test(t, bits_go_where_the_manual_says, 0, COUNT_OF(cases));
    tcase_add_test(t, every_small_amount_shifts_as_far_as_it_says);
    tcase_add_test(t, predicates_have_logic_of_their_own);
    suite_add_tcase(s, t);
    return s;
}
