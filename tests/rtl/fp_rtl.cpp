/* fp_rtl.cpp - the Verilog multiply-add against the C of the models, bit for bit: all pairs
 * and sums of special numbers, then random ones of every kind. */
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "Vfp.h"
#include "verilated.h"

extern "C" {
#include "models/numerics/bf16.h"
}

static uint64_t seed = 1;

static uint32_t random_bits()
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 32);
}

static void check(Vfp *rtl, uint16_t a, uint16_t b, uint32_t c)
{
    rtl->a = a, rtl->b = b, rtl->c = c;
    rtl->eval();
    /* volatile: two roundings, whatever the compiler would like to fuse. */
    volatile float product = bf16_to_f32(a) * bf16_to_f32(b);
    volatile float sum = f32_from_bits(c) + product;
    uint32_t expected = f32_bits(f32_canonical(sum));
    if (rtl->s == expected)
        return;
    std::fprintf(stderr, "fp rtl: %04x * %04x + %08x: %08x, not %08x\n", a, b, c, rtl->s, expected);
    std::exit(1);
}

static const uint16_t special_bf16[] = {
    0x0000, 0x8000, 0x0001, 0x8001, 0x007f, 0x0080, 0x8080, 0x00ff, 0x7f7f, 0xff7f, 0x7f80,
    0xff80, 0x7fc0, 0xff81, 0x3f80, 0xbf80, 0x3f81, 0x1f80, 0x1fff, 0x2000, 0x5f80, 0x60ff,
    0x3f00, 0x0040, 0x3eff,
};
static const uint32_t special_f32[] = {
    0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x00800000, 0x80800000,
    0x00800001, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001,
    0x3f800000, 0xbf800000, 0x3f800001, 0x3f7fffff, 0x33800000, 0xb3800001, 0x4b800000, 0x4b7fffff,
};

int main()
{
    Vfp *rtl = new Vfp;
    for (uint16_t a : special_bf16)
        for (uint16_t b : special_bf16)
            for (uint32_t c : special_f32)
                check(rtl, a, b, c);
    enum { RANDOM = 2000000 };
    for (int i = 0; i < RANDOM; i++) {
        uint16_t a = (uint16_t)random_bits(), b = (uint16_t)random_bits();
        uint32_t c = random_bits();
        /* Most sums of far numbers are one of the two: bring the exponents together. */
        uint32_t product = f32_bits(bf16_to_f32(a) * bf16_to_f32(b));
        if (i % 4)
            c = (c & 0x80ffffff) ^ (product & 0x7f000000);
        if (i % 64 == 1)
            a &= 0x80ff, b = (uint16_t)((b & 0x9fff) | 0x2000);   /* near the subnormals */
        check(rtl, a, b, c);
    }
    std::printf("fp rtl: %d random and all special multiply-adds equal to C\n", RANDOM);
    delete rtl;
    return 0;
}
