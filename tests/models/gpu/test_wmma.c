/* test_wmma.c - wmma: loaded, multiplied and stored in every layout. */
#include "models/numerics/bf16.h"
#include "tests/models/gpu/execute_rig.h"
#include "tests/suites.h"

/* Matrices, loaded part by part into fragments, multiplied, stored again. */
static uint8_t memory[64 * 1024];

/* Moves a fragment by its parts between memory at `base` and words[]. */
static void move_fragment(const char *text, uint32_t base, uint32_t stride,
                          uint32_t words[8][GPU_LANES], bool store)
{
    struct execute_rig *r = execute_rig_read(text);
    ck_assert_msg(r != NULL, "%s", text);
    uint32_t parts = gpu_execute_wmma_parts(r->i);
    ck_assert_uint_gt(parts, 0);
    for (uint32_t p = 0; p < parts; p++) {
        struct gpu_op op = { .kind = store ? GPU_STORE : GPU_LOAD };
        struct gpu_wmma_part part = gpu_execute_wmma_part(r->i, p, &op);
        /* Words: address, stride at 40 and 41; the fragment's from 50 on. */
        uint16_t list[8];
        unsigned n = 0;
        for (uint32_t i = 0; !store && i < part.words; i++)
            list[n++] = (uint16_t)(50 + part.first + i);
        op.dsts = (uint8_t)n;
        list[n++] = 40;
        list[n++] = 41;
        for (uint32_t i = 0; store && i < part.words; i++)
            list[n++] = (uint16_t)(50 + part.first + i);
        op.srcs = (uint8_t)(n - op.dsts);
        op.access.address_words = 1;
        op.access.data_at = 2;
        memcpy(r->operands, list, sizeof list);
        for (unsigned l = 0; l < GPU_LANES; l++) {
            r->registers[40][l] = base;
            r->registers[41][l] = stride;
        }
        if (p == 0)
            memcpy(r->registers[50], words, 8 * sizeof *words);
        uint64_t address[GPU_LANES];
        gpu_warp_addresses(&r->warp, &op, UINT32_MAX, address);
        for (unsigned l = 0; l < GPU_LANES; l++) {
            ck_assert_uint_eq(address[l] % op.access.bytes, 0);
            if (store)
                gpu_warp_store_bytes(&r->warp, &op, l, memory + address[l]);
            else
                gpu_warp_load_bytes(&r->warp, &op, l, memory + address[l]);
        }
    }
    memcpy(words, r->registers[50], 8 * sizeof *words);
    execute_rig_free(r);
}

static float element(uint32_t base, uint32_t stride, bool row, bool half, unsigned i, unsigned j)
{
    uint32_t at = row ? i * stride + j : j * stride + i;
    if (half) {
        uint16_t x;
        memcpy(&x, memory + base + 2 * at, 2);
        return f16_to_f32(x);
    }
    float x;
    memcpy(&x, memory + base + 4 * at, 4);
    return x;
}

static void fill(uint32_t base, uint32_t stride, bool half, struct execute_random *x)
{
    for (uint32_t at = 0; at < 16 * stride; at++) {
        float value = (float)(execute_random64(x) % 17) - 8;
        uint16_t h = f16_from_f32(value);
        memcpy(memory + base + (half ? 2 : 4) * at, half ? (void *)&h : (void *)&value, half ? 2 : 4);
    }
}

#define LOAD8 "{%r0,%r1,%r2,%r3,%r4,%r5,%r6,%r7}, [%rd1], %r9;"
#define LOADF "{%f0,%f1,%f2,%f3,%f4,%f5,%f6,%f7}, [%rd1], %r9;"
#define LOAD4 "{%r0,%r1,%r2,%r3}, [%rd1], %r9;"
#define D_F16 "{%r16,%r17,%r18,%r19}"
#define D_F32 "{%f16,%f17,%f18,%f19,%f20,%f21,%f22,%f23}"
#define A_AND_B "{%r0,%r1,%r2,%r3,%r4,%r5,%r6,%r7}, {%r8,%r9,%r10,%r11,%r12,%r13,%r14,%r15}"
#define C_F16 "{%r20,%r21,%r22,%r23}"
#define C_F32 "{%f0,%f1,%f2,%f3,%f4,%f5,%f6,%f7}"

static void check_wmma(unsigned which)
{
    bool a_row = which & 1, b_row = which & 2, c_half = which & 4, d_half = which & 8;
    bool c_row = which & 16, d_row = which & 32;
    struct execute_random x = { which };
    uint32_t a_at = 0, b_at = 4096, c_at = 8192, d_at = 16384;
    uint32_t a_stride = 16, b_stride = 24, c_stride = 20, d_stride = 40;
    uint32_t a[8][GPU_LANES] = { { 0 } }, b[8][GPU_LANES] = { { 0 } };
    uint32_t c[8][GPU_LANES] = { { 0 } }, d[8][GPU_LANES] = { { 0 } };
    char text[300];
    if (c_half)
        c_stride = 24;
    fill(a_at, a_stride, true, &x);
    fill(b_at, b_stride, true, &x);
    fill(c_at, c_stride, c_half, &x);
    memset(memory + d_at, 0xee, 16 * 40 * 4);
    snprintf(text, sizeof text, "wmma.load.a.sync.aligned.%s.m16n16k16.f16 %s",
             a_row ? "row" : "col", LOAD8);
    move_fragment(text, a_at, a_stride, a, false);
    snprintf(text, sizeof text, "wmma.load.b.sync.aligned.%s.m16n16k16.f16 %s",
             b_row ? "row" : "col", LOAD8);
    move_fragment(text, b_at, b_stride, b, false);
    snprintf(text, sizeof text, "wmma.load.c.sync.aligned.%s.m16n16k16.%s %s", c_row ? "row" : "col",
             c_half ? "f16" : "f32", c_half ? LOAD4 : LOADF);
    move_fragment(text, c_at, c_stride, c, false);

    snprintf(text, sizeof text, "wmma.mma.sync.aligned.%s.%s.m16n16k16.%s.%s %s, %s, %s;",
             a_row ? "row" : "col", b_row ? "row" : "col", d_half ? "f16" : "f32",
             c_half ? "f16" : "f32", d_half ? D_F16 : D_F32, A_AND_B, c_half ? C_F16 : C_F32);
    struct execute_rig *r = execute_rig_new(text);
    memcpy(execute_rig_source(r, 0), a, sizeof a);
    memcpy(execute_rig_source(r, 8), b, sizeof b);
    memcpy(execute_rig_source(r, 16), c, c_half ? sizeof c / 2 : sizeof c);
    execute_rig_run(r, UINT32_MAX);
    memcpy(d, execute_rig_dest(r, 0), d_half ? sizeof d / 2 : sizeof d);
    execute_rig_free(r);
    snprintf(text, sizeof text, "wmma.store.d.sync.aligned.%s.m16n16k16.%s [%%rd1], %s, %%r9;",
             d_row ? "row" : "col", d_half ? "f16" : "f32",
             d_half ? "{%r0,%r1,%r2,%r3}" : "{%f0,%f1,%f2,%f3,%f4,%f5,%f6,%f7}");
    move_fragment(text, d_at, d_stride, d, true);

    for (unsigned i = 0; i < 16; i++)
        for (unsigned j = 0; j < 16; j++) {
            float sum = element(c_at, c_stride, c_row, c_half, i, j);
            for (unsigned k = 0; k < 16; k++)
                sum += element(a_at, a_stride, a_row, true, i, k) *
                       element(b_at, b_stride, b_row, true, k, j);
            ck_assert_msg(element(d_at, d_stride, d_row, d_half, i, j) == sum, "which %u [%u][%u]",
                          which, i, j);
        }
    /* Between the lines nothing is written. */
    uint8_t after;
    memcpy(&after, memory + d_at + (d_half ? 2 : 4) * 16, 1);
    ck_assert_uint_eq(after, 0xee);
}

START_TEST(wmma_multiplies_what_it_loads_in_every_layout)
{
    check_wmma((unsigned)_i);
}
END_TEST

/* Of the younger chips: a and b of bf16 in halves, or of tf32 in words and k 8. */
static const struct { const char *shape, *name; bool half; unsigned k; } young[] = {
    { "m16n16k16", "bf16", true, 16 }, { "m16n16k8", "tf32", false, 8 },
};

static float young_element(uint32_t base, uint32_t stride, bool row, bool half, unsigned i,
                           unsigned j)
{
    uint32_t at = row ? i * stride + j : j * stride + i;
    uint16_t x;
    if (!half)
        return f32_from_bits(f32_bits(element(base, stride, row, false, i, j)) & 0xffffe000);
    memcpy(&x, memory + base + 2 * at, 2);
    return bf16_to_f32(x);
}

START_TEST(wmma_multiplies_bf16_and_tf32_in_every_layout)
{
    const char *shape = young[_i / 4].shape, *name = young[_i / 4].name;
    bool a_row = _i & 1, b_row = _i & 2, half = young[_i / 4].half;
    struct execute_random x = { (uint64_t)_i };
    uint32_t a_at = 0, b_at = 4096, c_at = 8192, d_at = 16384, stride = 24;
    uint32_t a[8][GPU_LANES] = { { 0 } }, b[8][GPU_LANES] = { { 0 } };
    uint32_t c[8][GPU_LANES] = { { 0 } }, d[8][GPU_LANES] = { { 0 } };
    char text[300];
    for (uint32_t at = 0; at < 16 * stride; at++)
        for (int b_too = 0; b_too < 2; b_too++) {
            float value = (float)(execute_random64(&x) % 17) - 8;
            uint16_t h = bf16_from_f32(value);
            uint32_t below = f32_bits(value) | 0x1fff;      /* tf32: bits that do not count */
            memcpy(memory + (b_too ? b_at : a_at) + (half ? 2 : 4) * at,
                   half ? (void *)&h : (void *)&below, half ? 2 : 4);
        }
    fill(c_at, stride, false, &x);
    snprintf(text, sizeof text, "wmma.load.a.sync.aligned.%s.%s.%s %s", a_row ? "row" : "col",
             shape, name, LOAD4);
    move_fragment(text, a_at, stride, a, false);
    snprintf(text, sizeof text, "wmma.load.b.sync.aligned.%s.%s.%s %s", b_row ? "row" : "col",
             shape, name, LOAD4);
    move_fragment(text, b_at, stride, b, false);
    snprintf(text, sizeof text, "wmma.load.c.sync.aligned.row.%s.f32 %s", shape, LOADF);
    move_fragment(text, c_at, stride, c, false);
    snprintf(text, sizeof text, "wmma.mma.sync.aligned.%s.%s.%s.f32.%s.%s.f32 "
             "{%%f16,%%f17,%%f18,%%f19,%%f20,%%f21,%%f22,%%f23}, {%%r0,%%r1,%%r2,%%r3}, {%%r4,%%r5,%%r6,%%r7}, "
             "{%%f0,%%f1,%%f2,%%f3,%%f4,%%f5,%%f6,%%f7};",
             a_row ? "row" : "col", b_row ? "row" : "col", shape, name, name);
    struct execute_rig *r = execute_rig_new(text);
    memcpy(execute_rig_source(r, 0), a, sizeof a / 2);
    memcpy(execute_rig_source(r, 4), b, sizeof b / 2);
    memcpy(execute_rig_source(r, 8), c, sizeof c);
    execute_rig_run(r, UINT32_MAX);
    memcpy(d, execute_rig_dest(r, 0), sizeof d);
    execute_rig_free(r);
    snprintf(text, sizeof text, "wmma.store.d.sync.aligned.col.%s.f32 [%%rd1], "
             "{%%f0,%%f1,%%f2,%%f3,%%f4,%%f5,%%f6,%%f7}, %%r9;", shape);
    move_fragment(text, d_at, stride, d, true);
    for (unsigned i = 0; i < 16; i++)
        for (unsigned j = 0; j < 16; j++) {
            float sum = element(c_at, stride, true, false, i, j);
            for (unsigned k = 0; k < young[_i / 4].k; k++)
                sum += young_element(a_at, stride, a_row, half, i, k) *
                       young_element(b_at, stride, b_row, half, k, j);
            ck_assert(element(d_at, stride, false, false, i, j) == sum);
        }
}
END_TEST

Suite *wmma_suite(void)
{
    Suite *s = suite_create("wmma");
    TCase *t = tcase_create("products");
    tcase_add_loop_test(t, wmma_multiplies_what_it_loads_in_every_layout, 0, 64);
    tcase_add_loop_test(t, wmma_multiplies_bf16_and_tf32_in_every_layout, 0, 4 * COUNT_OF(young));
    suite_add_tcase(s, t);
    return s;
}
