/* test_ptx_values.c - kernels of every family from their text to their values: the reader,
 * the compiler for each generation, the interpreter. */
#include <math.h>

#include "models/numerics/bf16.h"
#include "tests/models/gpu/interpret_rig.h"
#include "tests/suites.h"

static uint32_t hashed(uint32_t x)
{
    x = (x ^ x >> 16) * 0x85ebca6b;
    x = (x ^ x >> 13) * 0xc2b2ae35;
    return x ^ x >> 16;
}

/* A kernel of one thread an element: in[i] is in %r1 (and %f1), what %r2 is goes to out[i]. */
#define ELEMENT(body)                                                                   \
    ".visible .entry k(.param .u64 in, .param .u64 out) {\n"                            \
    ".reg .pred %p<8>; .reg .b16 %h<8>; .reg .b32 %r<24>; .reg .f32 %f<12>;\n"          \
    ".reg .b64 %rd<16>; .reg .f64 %fd<8>;\n"                                            \
    "ld.param.u64 %rd10, [in]; ld.param.u64 %rd11, [out]; mov.u32 %r20, %tid.x;\n"      \
    "mov.u32 %r21, %ctaid.x; mov.u32 %r22, %ntid.x; mad.lo.u32 %r20, %r21, %r22, %r20;\n" \
    "mul.wide.u32 %rd12, %r20, 4; add.u64 %rd13, %rd10, %rd12; add.u64 %rd14, %rd11, %rd12;\n" \
    "ld.global.u32 %r1, [%rd13]; mov.b32 %f1, %r1;\n" body                              \
    "st.global.u32 [%rd14], %r2;\nret;\n}\n"

/* 128 elements in two blocks of 64; NULL: the same as `number` is for its hash. */
static void check_elements(const char *text, uint32_t (*expected)(uint32_t x, uint32_t i),
                           uint32_t (*number)(uint32_t i), enum gpu_generation g)
{
    struct interpret_rig *r = interpret_rig_new(g, text);
    uint64_t in = gpu_memory_add(r->memory, "in", 512), out = gpu_memory_add(r->memory, "out", 512);
    uint32_t *x = interpret_rig_at(r, in), *y = interpret_rig_at(r, out);
    for (uint32_t i = 0; i < 128; i++)
        x[i] = number(i);
    interpret_rig_u64(r, 0, in);
    interpret_rig_u64(r, 1, out);
    ck_assert_msg(interpret_rig_run(r, 2, 64), "%s", r->diag.text);
    for (uint32_t i = 0; i < 128; i++)
        ck_assert_msg(y[i] == expected(x[i], i), "%.200s [%u]: %x, expected %x", text, i, y[i],
                      expected(x[i], i));
    interpret_rig_free(r);
}

static uint32_t any(uint32_t i) { return hashed(i + 1); }
static uint32_t real(uint32_t i) { return f32_bits((float)(hashed(i) % 2000) / 100 - 7); }

/* Division, 64-bit products and quotients, fields of bits, a population count. */
static const char integers[] = ELEMENT(
    "add.u32 %r3, %r20, 3; div.u32 %r4, %r1, %r3; rem.s32 %r5, %r1, %r3; xor.b32 %r4, %r4, %r5;\n"
    "cvt.s64.s32 %rd1, %r1; mul.lo.s64 %rd2, %rd1, 0x123456789; cvt.u64.u32 %rd3, %r3;\n"
    "div.s64 %rd4, %rd2, %rd3; mul.hi.u64 %rd5, %rd2, %rd4; xor.b64 %rd4, %rd4, %rd5;\n"
    "shr.u64 %rd6, %rd4, 17; cvt.u32.u64 %r6, %rd6; add.u32 %r4, %r4, %r6;\n"
    "bfe.s32 %r7, %r1, 5, 9; bfi.b32 %r8, %r7, %r4, 3, 13; popc.b32 %r9, %r1;\n"
    "prmt.b32 %r10, %r8, %r1, 0x2604; mad.lo.s32 %r2, %r9, %r10, %r8;\n");
static uint32_t integers_of(uint32_t x, uint32_t i)
{
    uint32_t n = i + 3, a = x / n ^ (uint32_t)((int32_t)x % (int32_t)n);
    int64_t wide = (int64_t)((uint64_t)(int64_t)(int32_t)x * 0x123456789);
    int64_t q = wide / (int64_t)n;
    __extension__ unsigned __int128 p = (uint64_t)wide;
    uint64_t high = (uint64_t)(p * (uint64_t)q >> 64);
    a += (uint32_t)(((uint64_t)q ^ high) >> 17);
    uint32_t field = (uint32_t)((int32_t)(x << 18) >> 23);
    uint32_t b = (a & ~(0x1fffu << 3)) | (field & 0x1fff) << 3;
    uint32_t c = (x & 0xff) | (b & 0xff) << 8 | (x >> 16 & 0xff) << 16 | (b >> 16 & 0xff) << 24;
    return (uint32_t)__builtin_popcount(x) * c + b;
}

/* A carry through four words: (x, ~x, x, i) * 2 + 1, high word. */
static const char carries[] = ELEMENT(
    "not.b32 %r3, %r1; add.cc.u32 %r4, %r1, %r1; addc.cc.u32 %r5, %r3, %r3;\n"
    "addc.cc.u32 %r6, %r1, %r1; addc.u32 %r7, %r20, %r20; sub.cc.u32 %r8, %r4, %r5;\n"
    "subc.u32 %r9, %r6, %r7; xor.b32 %r2, %r9, %r7;\n");
static uint32_t carries_of(uint32_t x, uint32_t i)
{
    uint64_t a = x | (uint64_t)~x << 32, b = x | (uint64_t)i << 32;
    uint64_t low = a + a, high = b + b + (a >> 63);
    uint32_t r4 = (uint32_t)low, r5 = (uint32_t)(low >> 32), r6 = (uint32_t)high;
    uint32_t r7 = (uint32_t)(high >> 32);
    return (r6 - r7 - (r4 < r5)) ^ r7;
}

/* What elementary kernels do: exp by ex2, sigmoid, a select, min and max, conversions. */
static const char floats[] = ELEMENT(
    "mul.f32 %f2, %f1, 0fBFB8AA3B; ex2.approx.f32 %f3, %f2; add.f32 %f3, %f3, 0f3F800000;\n"
    "rcp.rn.f32 %f4, %f3; setp.lt.f32 %p1, %f1, 0f40000000; @%p1 mul.f32 %f4, %f4, 0f40400000;\n"
    "fma.rn.f32 %f5, %f4, %f1, 0f3F000000; div.rn.f32 %f6, %f5, %f3; sqrt.rn.f32 %f7, %f3;\n"
    "max.f32 %f8, %f6, %f7; selp.f32 %f9, %f8, %f5, %p1; cvt.rn.f16.f32 %h1, %f9;\n"
    "cvt.f32.f16 %f10, %h1; cvt.f64.f32 %fd1, %f10; add.f64 %fd2, %fd1, 0d3FB999999999999A;\n"
    "cvt.rn.f32.f64 %f11, %fd2; mov.b32 %r2, %f11;\n");
static uint32_t floats_of(uint32_t bits, uint32_t i)
{
    (void)i;
    float x = f32_from_bits(bits), power = x * f32_from_bits(0xbfb8aa3b);
    float e = (float)exp2((double)power) + 1, s = 1 / e;
    bool low = x < 2;
    if (low)
        s = s * 3;
    float y = fmaf(s, x, 0.5f), best = fmaxf(y / e, sqrtf(e));
    return f32_bits((float)((double)f16_to_f32(f16_from_f32(low ? best : y)) + 0.1));
}

/* A loop that each thread leaves after its own number of turns, with a call in it. */
static const char loops[] =
    ".func (.param .b32 ret) step(.param .b32 a, .param .b32 b) {\n"
    ".reg .b32 %r<4>; ld.param.u32 %r1, [a]; ld.param.u32 %r2, [b];\n"
    "mad.lo.u32 %r3, %r1, 1664525, %r2; st.param.b32 [ret], %r3; ret;\n}\n" ELEMENT(
    "and.b32 %r3, %r1, 15; mov.u32 %r2, %r1; mov.u32 %r4, 0;\n"
    "LOOP: { .param .b32 p0; .param .b32 p1; .param .b32 q;\n"
    "st.param.b32 [p0], %r2; st.param.b32 [p1], %r4; call.uni (q), step, (p0, p1);\n"
    "ld.param.b32 %r2, [q]; }\n"
    "and.b32 %r5, %r2, 64; setp.ne.u32 %p1, %r5, 0; @!%p1 bra ODD; add.u32 %r2, %r2, 5; bra JOIN;\n"
    "ODD: xor.b32 %r2, %r2, %r20;\nJOIN: add.u32 %r4, %r4, 1; setp.le.u32 %p2, %r4, %r3;\n"
    "@%p2 bra LOOP;\n");
static uint32_t loops_of(uint32_t x, uint32_t i)
{
    uint32_t y = x;
    for (uint32_t n = 0; n <= (x & 15); n++) {
        y = y * 1664525 + n;
        y = y & 64 ? y + 5 : y ^ i;
    }
    return y;
}

/* Registers wider than what a call passes: a load extends by its type, a store takes the low
 * part; what is above it does not come out. */
static const char widths[] =
    ".func (.param .b64 ret) wide(.param .b32 a, .param .b16 b, .param .b16 c) {\n"
    ".reg .b32 %r<4>; .reg .b64 %rd<6>; .reg .b16 %h<2>;\n"
    "ld.param.s32 %rd1, [a]; ld.param.u32 %rd2, [a]; ld.param.s16 %r1, [b]; ld.param.u16 %r2, [b];\n"
    "ld.param.u16 %h1, [c]; cvt.u32.u16 %r3, %h1; add.u32 %r1, %r1, %r2; add.u32 %r1, %r1, %r3;\n"
    "cvt.u64.u32 %rd3, %r1; shr.u64 %rd4, %rd1, 7; add.u64 %rd5, %rd2, %rd3;\n"
    "xor.b64 %rd5, %rd5, %rd4; st.param.b64 [ret], %rd5; ret;\n}\n" ELEMENT(
    "{ .param .b32 p0; .param .b16 p1; .param .b16 p2; .param .b64 q;\n"
    "cvt.u64.u32 %rd1, %r1; shl.b64 %rd2, %rd1, 32; or.b64 %rd1, %rd1, %rd2;\n"
    "st.param.b32 [p0], %rd1; st.param.b16 [p1], %r1; st.param.b16 [p2], %rd1;\n"
    "call.uni (q), wide, (p0, p1, p2);\nld.param.b64 %rd3, [q]; }\n"
    "mov.b64 {%r2, %r3}, %rd3; mad.lo.u32 %r2, %r3, 31, %r2;\n");
static uint32_t widths_of(uint32_t x, uint32_t i)
{
    (void)i;
    int64_t a = (int32_t)x;
    uint32_t r1 = (uint32_t)(int16_t)x + (uint16_t)x + (uint16_t)x;
    uint64_t r = ((uint64_t)x + r1) ^ (uint64_t)a >> 7;
    return (uint32_t)(r >> 32) * 31 + (uint32_t)r;
}

/* What signed loads and conversions leave in 16-bit registers, read as unsigned. */
static const char signs[] = ELEMENT(
    "cvt.u16.u32 %h1, %r1; cvt.s16.s8 %h2, %h1; cvt.u32.u16 %r3, %h2;\n"
    "ld.global.s8 %h3, [%rd13+1]; mov.u16 %h4, %h3; cvt.u64.u16 %rd1, %h4; cvt.u32.u64 %r4, %rd1;\n"
    "shr.u64 %rd1, %rd1, 32; cvt.u32.u64 %r5, %rd1; ld.global.v2.s16 {%h5, %h6}, [%rd13];\n"
    "cvt.s32.u16 %r6, %h6; cvt.rzi.s16.f32 %h7, 0fC0F00000; cvt.u32.u16 %r7, %h7;\n"
    "mad.lo.u32 %r2, %r3, 31, %r4; mad.lo.u32 %r2, %r2, 31, %r5; mad.lo.u32 %r2, %r2, 31, %r6;\n"
    "mad.lo.u32 %r2, %r2, 31, %r7;\n");
static uint32_t signs_of(uint32_t x, uint32_t i)
{
    (void)i;
    uint32_t low = (uint16_t)(int8_t)x, next = (uint16_t)(int8_t)(x >> 8);
    return (((low * 31 + next) * 31 + 0) * 31 + (x >> 16)) * 31 + 0xfff9;
}

/* A warp's sum by shuffles, then the block's by shared memory and an atomic. */
static const char sums[] = ELEMENT(
    ".shared .align 4 .b32 total;\n"
    "setp.eq.u32 %p1, %r20, 0; mov.u32 %r3, %tid.x; setp.eq.u32 %p2, %r3, 0; mov.u32 %r4, total;\n"
    "mov.u32 %r5, 0; @%p2 st.shared.u32 [%r4], %r5; bar.sync 0; mov.u32 %r6, %r1;\n"
    "shfl.sync.down.b32 %r7, %r6, 16, 31, -1; add.u32 %r6, %r6, %r7;\n"
    "shfl.sync.down.b32 %r7, %r6, 8, 31, -1; add.u32 %r6, %r6, %r7;\n"
    "shfl.sync.down.b32 %r7, %r6, 4, 31, -1; add.u32 %r6, %r6, %r7;\n"
    "shfl.sync.bfly.b32 %r7, %r6, 2, 31, -1; add.u32 %r6, %r6, %r7;\n"
    "shfl.sync.bfly.b32 %r7, %r6, 1, 31, -1; add.u32 %r6, %r6, %r7;\n"
    "mov.u32 %r8, %laneid; setp.eq.u32 %p3, %r8, 0; @%p3 red.shared.add.u32 [%r4], %r6;\n"
    "bar.sync 0; ld.shared.u32 %r2, [%r4];\n");
static uint32_t sums_of(uint32_t x, uint32_t i)
{
    (void)x;
    uint32_t sum = 0;
    for (uint32_t j = 0; j < 64; j++)
        sum += any(i / 64 * 64 + j);
    return sum;
}

static const struct element {
    const char *text;
    uint32_t (*expected)(uint32_t x, uint32_t i);
    uint32_t (*number)(uint32_t i);
} elements[] = {
    { integers, integers_of, any }, { carries, carries_of, any }, { floats, floats_of, real },
    { loops, loops_of, any }, { sums, sums_of, any },
    { widths, widths_of, any }, { signs, signs_of, any },
};

START_TEST(a_kernel_gives_the_same_on_every_generation)
{
    const struct element *e = &elements[_i / 3];
    check_elements(e->text, e->expected, e->number, (enum gpu_generation)(_i % 3));
}
END_TEST

/* C = A * B, 16 x 16 by 16 x 16, numbers of f16 small enough to be exact. */
static void check_product(const char *text, enum gpu_generation g)
{
    struct interpret_rig *r = interpret_rig_new(g, text);
    uint64_t a = gpu_memory_add(r->memory, "a", 512), b = gpu_memory_add(r->memory, "b", 512);
    uint64_t c = gpu_memory_add(r->memory, "c", 1024);
    uint16_t *as = interpret_rig_at(r, a), *bs = interpret_rig_at(r, b);
    const float *cs = interpret_rig_at(r, c);
    for (uint32_t i = 0; i < 256; i++) {
        as[i] = f16_from_f32((float)(hashed(i) % 17) - 8);
        bs[i] = f16_from_f32((float)(hashed(i + 999) % 15) - 7);
    }
    interpret_rig_u64(r, 0, a);
    interpret_rig_u64(r, 1, b);
    interpret_rig_u64(r, 2, c);
    ck_assert_msg(interpret_rig_run(r, 1, 32), "%s", r->diag.text);
    for (uint32_t m = 0; m < 16; m++)
        for (uint32_t n = 0; n < 16; n++) {
            float sum = 0;
            for (uint32_t k = 0; k < 16; k++)
                sum += f16_to_f32(as[16 * m + k]) * f16_to_f32(bs[16 * k + n]);
            ck_assert_msg(cs[16 * m + n] == sum, "[%u][%u]: %g, expected %g", m, n,
                          (double)cs[16 * m + n], (double)sum);
        }
    ck_assert_uint_eq(r->result.macs, 4096);
    interpret_rig_free(r);
}

#define PRODUCT(body)                                                                   \
    ".visible .entry product(.param .u64 a, .param .u64 b, .param .u64 c) {\n"          \
    ".reg .b32 %r<40>; .reg .f32 %f<24>; .reg .b64 %rd<12>;\n"                          \
    "ld.param.u64 %rd1, [a]; ld.param.u64 %rd2, [b]; ld.param.u64 %rd3, [c];\n"         \
    "mov.u32 %r30, %tid.x;\n" body "ret;\n}\n"

static const char wmma[] = PRODUCT(
    "wmma.load.a.sync.aligned.row.m16n16k16.global.f16 {%r0,%r1,%r2,%r3,%r4,%r5,%r6,%r7}, [%rd1], 16;\n"
    "mov.u32 %r31, 16;\n"
    "wmma.load.b.sync.aligned.row.m16n16k16.global.f16 {%r8,%r9,%r10,%r11,%r12,%r13,%r14,%r15}, [%rd2], %r31;\n"
    "mov.f32 %f0, 0f00000000;\n"
    "wmma.mma.sync.aligned.row.row.m16n16k16.f32.f32 {%f8,%f9,%f10,%f11,%f12,%f13,%f14,%f15}, "
    "{%r0,%r1,%r2,%r3,%r4,%r5,%r6,%r7}, {%r8,%r9,%r10,%r11,%r12,%r13,%r14,%r15}, "
    "{%f0,%f0,%f0,%f0,%f0,%f0,%f0,%f0};\n"
    "wmma.store.d.sync.aligned.row.m16n16k16.global.f32 [%rd3], "
    "{%f8,%f9,%f10,%f11,%f12,%f13,%f14,%f15}, %r31;\n");

/* cp.async to shared memory, ldmatrix from it, two mma of 8 columns each. */
static const char mma[] = PRODUCT(
    ".shared .align 16 .b8 s[1024];\n"
    "mov.u32 %r20, s; shl.b32 %r21, %r30, 4; add.u32 %r22, %r20, %r21; cvt.u64.u32 %rd4, %r21;\n"
    "add.u64 %rd5, %rd1, %rd4; add.u64 %rd6, %rd2, %rd4;\n"
    "cp.async.cg.shared.global [%r22], [%rd5], 16;\n"
    "cp.async.ca.shared.global [%r22+512], [%rd6], 16;\n"
    "cp.async.commit_group; cp.async.wait_group 0; bar.sync 0;\n"
    /* a's rows: lane l & 15 a row, l >> 4 the half of k. */
    "and.b32 %r23, %r30, 15; shl.b32 %r23, %r23, 5; shr.u32 %r24, %r30, 4; shl.b32 %r24, %r24, 4;\n"
    "add.u32 %r25, %r20, %r23; add.u32 %r25, %r25, %r24;\n"
    "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r0,%r1,%r2,%r3}, [%r25];\n"
    /* b's rows k, transposed: k 0-7 and 8-15 of columns 0-7, then of columns 8-15. */
    "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%r4,%r5,%r6,%r7}, [%r25+512];\n"
    "mov.f32 %f0, 0f00000000;\n"
    "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f1,%f2,%f3,%f4}, {%r0,%r1,%r2,%r3}, "
    "{%r4,%r5}, {%f0,%f0,%f0,%f0};\n"
    "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f5,%f6,%f7,%f8}, {%r0,%r1,%r2,%r3}, "
    "{%r6,%r7}, {%f0,%f0,%f0,%f0};\n"
    /* Lane 4 g + t: rows g and g + 8, columns 2 t and next. */
    "shr.u32 %r26, %r30, 2; shl.b32 %r26, %r26, 6; and.b32 %r27, %r30, 3; shl.b32 %r27, %r27, 3;\n"
    "add.u32 %r26, %r26, %r27; cvt.u64.u32 %rd7, %r26; add.u64 %rd8, %rd3, %rd7;\n"
    "st.global.v2.f32 [%rd8], {%f1,%f2}; st.global.v2.f32 [%rd8+512], {%f3,%f4};\n"
    "st.global.v2.f32 [%rd8+32], {%f5,%f6}; st.global.v2.f32 [%rd8+544], {%f7,%f8};\n");

START_TEST(tensor_cores_multiply_matrices)
{
    check_product(wmma, GPU_SM_70);
    check_product(wmma, GPU_SM_80);
    check_product(mma, GPU_SM_80);
    check_product(mma, GPU_SM_90);
}
END_TEST

Suite *ptx_values_suite(void)
{
    Suite *s = suite_create("ptx_values");
    TCase *t = tcase_create("kernels");
    tcase_add_loop_test(t, a_kernel_gives_the_same_on_every_generation, 0, 3 * COUNT_OF(elements));
    tcase_add_test(t, tensor_cores_multiply_matrices);
    suite_add_tcase(s, t);
    return s;
}
