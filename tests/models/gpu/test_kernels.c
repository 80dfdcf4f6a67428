/* test_kernels.c - the catalogue of kernels: each is there, compiles, and is what it says. */
#include "tests/models/gpu/kernels_rig.h"
#include "tests/suites.h"

static const enum gpu_generation generations[] = { GPU_SM_70, GPU_SM_80, GPU_SM_90 };

/* Those that only sm_80 has: of bf16, and products of its tensor cores. */
static bool is_newer(const char *name)
{
    size_t length = strlen(name);
    return !strncmp(name, "mma_", 4)
        || (length > 5 && !strcmp(name + length - 5, "_bf16") && strncmp(name, "column_sum", 10));
}

START_TEST(every_kernel_compiles_without_spilling)
{
    struct gpu_config c = rig_config(generations[_i]);
    size_t gemms, others;
    const struct gpu_gemm_kernel *g = gpu_gemm_kernels(generations[_i], &gemms);
    const struct gpu_simple_kernel *s = gpu_simple_kernels(&others);
    c.gpu.generation = generations[_i];
    for (size_t i = 0; i < gemms + others; i++) {
        const char *name = i < gemms ? g[i].name : s[i - gemms].name;
        uint32_t threads = i < gemms ? g[i].threads : s[i - gemms].threads;
        if (generations[_i] == GPU_SM_70 && is_newer(name))
            continue;
        struct gpu_kernel *k = rig_compile(&c, name);
        bool chases = !strncmp(name, "chase_", 6);
        ck_assert_msg(k->oblivious != chases, "%s: %s", name, k->why_not);
        ck_assert_msg(k->local_bytes == 0, "%s: %u bytes of local memory", name, k->local_bytes);
        ck_assert_msg(k->registers * threads <= c.sm.registers, "%s: %u registers", name,
                      k->registers);
        gpu_kernel_free(k);
    }
}
END_TEST

/* What a name says: type, form, tile and alignment. */
START_TEST(a_products_name_says_what_it_is)
{
    size_t count;
    const struct gpu_gemm_kernel *k = gpu_gemm_kernels(generations[_i], &count);
    struct gpu_config c = rig_config(generations[_i]);
    for (size_t i = 0; i < count; i++) {
        static const char *const types[] = { "sgemm", "gemm_f16", "gemm_bf16" };
        char name[96];
        snprintf(name, sizeof name, "%s_%c%c_%ux%ux%u_a%u", types[k[i].element],
                 k[i].transpose_a ? 't' : 'n', k[i].transpose_b ? 't' : 'n', k[i].m, k[i].n,
                 k[i].k, k[i].align);
        ck_assert_str_eq(k[i].name, name);
        ck_assert_uint_eq(k[i].threads % 32, 0);
        ck_assert_uint_le(k[i].shared_bytes, c.shared.block_bytes);
        for (size_t n = 0; n < i; n++)
            ck_assert_str_ne(k[n].name, k[i].name);
    }
}
END_TEST

START_TEST(every_product_has_a_kernel_whatever_its_alignment)
{
    size_t count;
    const struct gpu_gemm_kernel *k = gpu_gemm_kernels(generations[_i], &count);
    for (uint32_t element = 0; element < 3; element++)
        for (int form = 0; form < 4; form++) {
            unsigned any = 0;
            for (size_t i = 0; i < count; i++)
                any += k[i].element == element && k[i].align == 1
                    && k[i].transpose_a == (form >> 1) && k[i].transpose_b == (form & 1);
            bool lacks = generations[_i] == GPU_SM_70 && element == GPU_ELEMENT_BF16;
            ck_assert_msg((any > 0) != lacks, "element %u, form %d: %u", element, form, any);
        }
}
END_TEST

START_TEST(text_of_a_kernel_is_a_module_with_one_entry)
{
    size_t size;
    char *text = gpu_kernel_text(GPU_SM_90, "softmax_block_f32", &size);
    struct diag d = { .text = "" };
    ck_assert_ptr_nonnull(text);
    struct ptx_module *m = ptx_read(text, size, "text", &d);
    ck_assert_msg(m, "%u: %s", d.line, d.text);
    uint32_t entries = 0;
    for (uint32_t i = 0; i < m->function_count; i++)
        entries += m->functions[i].is_entry;
    ck_assert_uint_eq(entries, 1);
    ck_assert_ptr_nonnull(ptx_entry(m, "softmax_block_f32", &d));
    ptx_free(m);
    free(text);
}
END_TEST

START_TEST(a_chip_gets_the_newest_kernel_that_it_can_run)
{
    size_t size;
    char *old = gpu_kernel_text(GPU_SM_70, "gemm_f16_nn_128x128x32_a8", &size);
    char *new = gpu_kernel_text(GPU_SM_80, "gemm_f16_nn_128x128x32_a8", &size);
    char *newest = gpu_kernel_text(GPU_SM_90, "gemm_f16_nn_128x128x32_a8", &size);
    ck_assert(strstr(old, "wmma.mma") && !strstr(old, "cp.async"));
    ck_assert(strstr(new, "cp.async") && !strcmp(new, newest));
    free(old);
    free(new);
    free(newest);
    ck_assert_ptr_null(gpu_kernel_text(GPU_SM_70, "relu_bf16", &size));
    ck_assert_ptr_null(gpu_kernel_text(GPU_SM_80, "relu", &size));
    ck_assert_ptr_null(gpu_simple_kernel("relu"));
}
END_TEST

/* ---- kernels that measure: they do what they say, too ---- */

START_TEST(a_chase_follows_its_chain)
{
    static const char *const names[] = { "chase_l1", "chase_l2" };
    struct gpu_config c = rig_config(GPU_SM_70);
    struct gpu_memory *m = gpu_memory_new(true);
    struct rig_buffer chain = rig_buffer(m, "chain", 2 * 48, GPU_ELEMENT_F32);
    struct rig_buffer sink = rig_buffer(m, "sink", 1, GPU_ELEMENT_F32);
    struct rig_buffer cycles = rig_buffer(m, "cycles", 2, GPU_ELEMENT_F32);
    for (uint64_t i = 0; i < 48; i++) {         /* every fifth, round */
        uint64_t next = chain.address + (i + 5) % 48 * 8;
        memcpy(chain.bytes + i * 8, &next, 8);
    }
    rig_run(&c, m, names[_i], (struct rig_grid){ 1, 1, 1 }, 1, 0,
            (uint64_t[]){ sink.address, cycles.address, chain.address, 16, 32 }, 5);
    uint32_t end;
    memcpy(&end, sink.bytes, 4);
    ck_assert_uint_eq(end, (uint32_t)(chain.address + 48 * 5 % 48 * 8));
    gpu_memory_free(m);
}
END_TEST

START_TEST(bytes_are_read_written_and_copied_by_the_whole_grid)
{
    uint64_t words = 2 * 32 * 128 / 4 * 3, state = 6, bytes = words * 4;   /* 3 rounds of 64 threads */
    struct gpu_config c = rig_config(GPU_SM_70);
    struct gpu_memory *m = gpu_memory_new(true);
    struct rig_buffer x = rig_random_buffer(m, "x", words, GPU_ELEMENT_F32, &state);
    struct rig_buffer y = rig_buffer(m, "y", words, GPU_ELEMENT_F32);
    struct rig_buffer sink = rig_buffer(m, "sink", 64, GPU_ELEMENT_F32);
    struct rig_buffer cycles = rig_buffer(m, "cycles", 4, GPU_ELEMENT_F32);
    uint32_t read = 0, all = 0, word;
    rig_run(&c, m, "copy_memory", (struct rig_grid){ 2, 1, 1 }, 32, 0,
            (uint64_t[]){ sink.address, cycles.address, y.address, x.address, bytes, 1 }, 6);
    ck_assert(!memcmp(x.bytes, y.bytes, bytes));
    rig_run(&c, m, "read_memory", (struct rig_grid){ 2, 1, 1 }, 32, 0,
            (uint64_t[]){ sink.address, cycles.address, x.address, bytes, 1 }, 5);
    for (uint64_t i = 0; i < words; i++) {
        memcpy(&word, x.bytes + 4 * i, 4);
        all ^= word;
    }
    for (uint64_t i = 0; i < 64; i++) {
        memcpy(&word, sink.bytes + 4 * i, 4);
        read ^= word;
    }
    ck_assert_uint_eq(read, all);
    rig_run(&c, m, "write_memory", (struct rig_grid){ 2, 1, 1 }, 32, 0,
            (uint64_t[]){ sink.address, cycles.address, y.address, bytes, 3 }, 5);
    memcpy(&word, y.bytes + bytes - 4, 4);
    ck_assert_uint_eq(word, 2);
    gpu_memory_free(m);
}
END_TEST

Suite *kernels_suite(void)
{
    Suite *s = suite_create("kernels");
    TCase *t = tcase_create("catalogue");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, every_kernel_compiles_without_spilling, 0, COUNT_OF(generations));
    tcase_add_loop_test(t, a_products_name_says_what_it_is, 0, COUNT_OF(generations));
    tcase_add_loop_test(t, every_product_has_a_kernel_whatever_its_alignment, 0,
                        COUNT_OF(generations));
    tcase_add_test(t, text_of_a_kernel_is_a_module_with_one_entry);
    tcase_add_test(t, a_chip_gets_the_newest_kernel_that_it_can_run);
    tcase_add_loop_test(t, a_chase_follows_its_chain, 0, 2);
    tcase_add_test(t, bytes_are_read_written_and_copied_by_the_whole_grid);
    suite_add_tcase(s, t);
    return s;
}
