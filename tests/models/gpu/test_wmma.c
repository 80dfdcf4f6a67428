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

/* Other shapes and types; registers of a and b. */
static const struct product {
    const char *shape, *type, *types;
    unsigned m, n, k, a_words, b_words;
} products[] = {
    { "m16n16k16", "bf16", "f32.bf16.bf16.f32", 16, 16, 16, 4, 4 },
    { "m16n16k8",  "tf32", "f32.tf32.tf32.f32", 16, 16, 8,  4, 4 },
    { "m32n8k16",  "bf16", "f32.bf16.bf16.f32", 32, 8,  16, 8, 2 },
    { "m8n32k16",  "bf16", "f32.bf16.bf16.f32", 8,  32, 16, 2, 8 },
    { "m32n8k16",  "f16",  "f32.f32",           32, 8,  16, 8, 8 },
    { "m8n32k16",  "f16",  "f32.f32",           8,  32, 16, 8, 8 },
};

static const char *const words_of[] = {
    [2] = "{%r0,%r1}", [4] = "{%r0,%r1,%r2,%r3}", [8] = "{%r0,%r1,%r2,%r3,%r4,%r5,%r6,%r7}",
};

static float element_of(const struct product *p, uint32_t base, uint32_t stride, bool row,
                        unsigned i, unsigned j)
{
    uint32_t at = row ? i * stride + j : j * stride + i;
    uint16_t x;
    if (p->type[0] == 't')
        return f32_from_bits(f32_bits(element(base, stride, row, false, i, j)) & 0xffffe000);
    memcpy(&x, memory + base + 2 * at, 2);
    return p->type[0] == 'b' ? bf16_to_f32(x) : f16_to_f32(x);
}

/* Small whole numbers; below a tf32 there are bits that do not count. */
static void fill_with(const struct product *p, uint32_t base, uint32_t stride,
                      struct execute_random *x)
{
    for (uint32_t at = 0; at < 32 * stride; at++) {
        float value = (float)(execute_random64(x) % 17) - 8;
        uint16_t half = p->type[0] == 'b' ? bf16_from_f32(value) : f16_from_f32(value);
        uint32_t word = f32_bits(value) | 0x1fff;
        if (p->type[0] == 't')
            memcpy(memory + base + 4 * at, &word, 4);
        else
            memcpy(memory + base + 2 * at, &half, 2);
    }
}

static void load(const struct product *p, char which, bool row, uint32_t base, uint32_t stride,
                 uint32_t words[8][GPU_LANES])
{
    char text[200];
    bool sums = which == 'c';
    snprintf(text, sizeof text, "wmma.load.%c.sync.aligned.%s.%s.%s %s, [%%rd1], %%r9;", which,
             row ? "row" : "col", p->shape, sums ? "f32" : p->type,
             sums ? C_F32 : words_of[which == 'a' ? p->a_words : p->b_words]);
    memset(words, 0, 8 * sizeof *words);
    move_fragment(text, base, stride, words, false);
}

START_TEST(every_shape_multiplies_what_it_loads_in_every_layout)
{
    enum { A_AT = 0, B_AT = 8192, C_AT = 16384, D_AT = 24576, STRIDE = 40 };
    const struct product *p = &products[_i / 16];
    bool a_row = _i & 1, b_row = _i & 2, c_row = _i & 4, d_row = _i & 8;
    struct execute_random x = { (uint64_t)_i };
    uint32_t a[8][GPU_LANES], b[8][GPU_LANES], c[8][GPU_LANES], d[8][GPU_LANES];
    char text[300];
    fill_with(p, A_AT, STRIDE, &x);
    fill_with(p, B_AT, STRIDE, &x);
    for (uint32_t at = 0; at < 32 * STRIDE; at++) {
        float value = (float)(execute_random64(&x) % 999);
        memcpy(memory + C_AT + 4 * at, &value, 4);
    }
    load(p, 'a', a_row, A_AT, STRIDE, a);
    load(p, 'b', b_row, B_AT, STRIDE, b);
    load(p, 'c', c_row, C_AT, STRIDE, c);
    snprintf(text, sizeof text, "wmma.mma.sync.aligned.%s.%s.%s.%s %s, %s, %s, %s;",
             a_row ? "row" : "col", b_row ? "row" : "col", p->shape, p->types, D_F32,
             words_of[p->a_words], words_of[p->b_words], C_F32);
    struct execute_rig *r = execute_rig_new(text);
    memcpy(execute_rig_source(r, 0), a, p->a_words * sizeof *a);
    memcpy(execute_rig_source(r, p->a_words), b, p->b_words * sizeof *b);
    memcpy(execute_rig_source(r, p->a_words + p->b_words), c, sizeof c);
    execute_rig_run(r, UINT32_MAX);
    memcpy(d, execute_rig_dest(r, 0), sizeof d);
    execute_rig_free(r);
    snprintf(text, sizeof text, "wmma.store.d.sync.aligned.%s.%s.f32 [%%rd1], %s, %%r9;",
             d_row ? "row" : "col", p->shape, C_F32);
    move_fragment(text, D_AT, STRIDE, d, true);
    for (unsigned i = 0; i < p->m; i++)
        for (unsigned j = 0; j < p->n; j++) {
            float sum = element(C_AT, STRIDE, c_row, false, i, j);
            for (unsigned k = 0; k < p->k; k++)
                sum += element_of(p, A_AT, STRIDE, a_row, i, k) *
                       element_of(p, B_AT, STRIDE, b_row, k, j);
            ck_assert_msg(element(D_AT, STRIDE, d_row, false, i, j) == sum, "%s.%s [%u][%u]",
                          p->shape, p->type, i, j);
        }
}
END_TEST

Suite *wmma_suite(void)
{
    Suite *s = suite_create("wmma");
    TCase *t = tcase_create("products");
    tcase_add_loop_test(t, wmma_multiplies_what_it_loads_in_every_layout, 0, 64);
    tcase_add_loop_test(t, every_shape_multiplies_what_it_loads_in_every_layout, 0,
                        16 * COUNT_OF(products));
    suite_add_tcase(s, t);
    return s;
}
