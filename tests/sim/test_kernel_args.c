/* test_kernel_args.c - arguments of a user's kernel: read, checked, put in place. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/kernel_args.h"
#include "tests/suites.h"

static const struct { const char *text; uint32_t size; uint64_t bits; } numbers[] = {
    { "u8:255", 1, 255 },            { "s8:-128", 1, 0x80 },       { "b8:0xff", 1, 0xff },
    { "b8:-1", 1, 0xff },            { "u16:65535", 2, 0xffff },   { "s16:-1", 2, 0xffff },
    { "s32:-2147483648", 4, 0x80000000 },                          { "s32:0xffffffff", 4, 0xffffffff },
    { "u64:18446744073709551615", 8, UINT64_MAX },                 { "s64:-1", 8, UINT64_MAX },
    { "f32:2.0", 4, 0x40000000 },    { "f32:-0", 4, 0x80000000 },  { "f32:inf", 4, 0x7f800000 },
    { "f64:1", 8, 0x3ff0000000000000 },
    { "f16:1.5", 2, 0x3e00 },        { "f16:65504", 2, 0x7bff },   { "bf16:1.5", 2, 0x3fc0 },
    { "bytes:00ffA0", 3, 0xa0ff00 }, { " u8 : 7\t", 1, 7 },         { "f32:\n2.0 ", 4, 0x40000000 },
    { "bytes: 00ff ", 2, 0xff00 },
};

START_TEST(a_number_becomes_the_bits_of_its_type)
{
    struct kernel_args a = { .count = 0 };
    struct diag d = { .text = "" };
    ck_assert_msg(kernel_args_parse(&a, numbers[_i].text, &d), "%s", d.text);
    uint64_t bits = 0;
    memcpy(&bits, a.arg[0].bytes, a.arg[0].size);
    ck_assert_uint_eq(a.count, 1);
    ck_assert_uint_eq(a.arg[0].size, numbers[_i].size);
    ck_assert_uint_eq(bits, numbers[_i].bits);
    kernel_args_free(&a);
}
END_TEST

static const struct { const char *text; unsigned column; const char *words; } wrong[] = {
    { "x:1",            1, "no such type" },         { "u33:1",          1, "did you mean u32?" },
    { "bug:x=1",        1, "did you mean buf?" },    { "f32",            4, "nothing: expected a number" },
    { "f32:",           5, "expected a number" },    { "f32: 1 2",       6, "expected a number" },
    { "f32:1e39",       5, "too large for f32" },   { "f64:1e999",      5, "too large for f64" },
    { "f16:65520",      5, "too large for f16" },   { "bf16:3.4e38",    6, "too large for bf16" },
    { "f32:1k",         5, "expected a number" },    { "u8:256",         4, "does not fit u8" },
    { "u8:-1",          4, "does not fit u8" },      { "s8:128",         4, "does not fit s8" },
    { "s8:-129",        4, "does not fit s8" },      { "u32:1.5",        5, "a whole number" },
    { "u64:18446744073709551616", 5, "does not fit" }, { "u32:",         5, "a whole number" },
    { "u32:1,,u32:2",   7, "no such type" },         { "u32:1,",         7, "no such type" },
    { "bytes:abc",      7, "two hexadecimal" },      { "bytes:0g",       7, "two hexadecimal" },
    { "bytes:",         7, "two hexadecimal" },      { "buf:",           5, "a buffer's name" },
    { "buf:1x=4",       5, "a buffer's name" },      { "buf:x",          6, "expected a size" },
    { "buf:x=",         7, "expected a size" },      { "buf:x=0",        7, "expected a size" },
    { "buf:x=12q",      7, "expected a size" },      { "buf:x=4xf33",    9, "did you mean f32?" },
    { "buf:x=9999999999999999", 7, "at most" },      { "buf:x=4,buf:x=4", 13, "another name" },
    { "buf:x=4:rand",   9, "zero, random" },         { "buf:x=4:file=",  9, "zero, random" },
    { "buf:x=4:random=f33", 16, "did you mean f32?" },
    { "buf:x=4,buf:y=x:zero", 17, "the memory is another buffer's" },
    { "buf:x=4:",       9, "nothing: expected zero" }, { "u32:1, ",      8, "nothing: no such type" },
    { "u32:1,  u33:1",  9, "did you mean u32?" },    { "bytes:00 ff",    7, "two hexadecimal" },
    { "buf: x y =4",    6, "a buffer's name" },      { "buf:x= 4x f32",  10, "no such type" },
    { "buf:x =4 : rand", 12, "zero, random" },       { "u32:- 1",        5, "a whole number" },
};

START_TEST(an_argument_that_is_none_is_refused_with_its_column)
{
    struct kernel_args a = { .count = 0 };
    struct diag d = { .text = "" };
    ck_assert_msg(!kernel_args_parse(&a, wrong[_i].text, &d), "%s", wrong[_i].text);
    ck_assert_msg(strstr(d.text, wrong[_i].words) != NULL, "%s: %s", wrong[_i].text, d.text);
    ck_assert_msg(d.column == wrong[_i].column, "%s: column %u: %s", wrong[_i].text, d.column,
                  d.text);
    kernel_args_free(&a);
}
END_TEST

/* Several arguments, as one writes them on several lines of a script. */
START_TEST(blanks_around_arguments_mean_nothing)
{
    struct kernel_args a = { .count = 0 };
    struct diag d = { .text = "" };
    ck_assert_msg(kernel_args_parse(&a, "  ", &d), "%s", d.text);
    ck_assert_uint_eq(a.count, 0);
    ck_assert_msg(kernel_args_parse(&a, " f32:2.0 ,\n\t buf: x = 16xu16 : random ,buf:y=x ,"
                                    " buf:z=4:file= a b.bin \n", &d), "%s", d.text);
    ck_assert_uint_eq(a.count, 4);
    ck_assert_uint_eq(a.arg[0].column, 2);
    ck_assert_str_eq(a.arg[1].name, "x");
    ck_assert_uint_eq(a.arg[1].buffer_bytes, 32);
    ck_assert_int_eq(a.arg[1].fill, KERNEL_ARG_RANDOM);
    ck_assert_int_eq(a.arg[1].type, GPU_U16);
    ck_assert_uint_eq(a.arg[2].same_as, 1);
    ck_assert_str_eq(a.arg[3].path, " a b.bin");        /* its own begin is the path's */
    kernel_args_free(&a);
}
END_TEST

/* saxpy(f32, ptr, ptr), and a struct of 12 bytes at offset 24. */
static struct gpu_param params[] = {
    { .name = "p0", .offset = 0, .bytes = 4, .scalar = GPU_F32 },
    { .name = "p1", .offset = 8, .bytes = 8, .scalar = GPU_U64 },
    { .name = "p2", .offset = 16, .bytes = 8, .scalar = GPU_B64 },
    { .name = "p3", .offset = 24, .bytes = 12, .scalar = GPU_B8, .is_array = true },
};
static struct gpu_kernel kernel = { .name = "saxpy", .params = params, .param_count = 4,
                                    .param_bytes = 36 };

static const struct { const char *text, *words; } misfits[] = {
    { "f32:1,buf:x=8,buf:y=8", "3 arguments, but saxpy has 4 parameters; expected f32, u64, b64" },
    { "u32:1,buf:x=8,buf:y=8,bytes:000000000000000000000000", "argument 1 is u32" },
    { "f64:1,buf:x=8,buf:y=8,bytes:000000000000000000000000", "expected f32" },
    { "buf:z=4,buf:x=8,buf:y=8,bytes:000000000000000000000000", "argument 1 is a buffer" },
    { "f32:1,f64:1,buf:y=8,bytes:000000000000000000000000", "expected u64 or a buffer" },
    { "f32:1,buf:x=8,buf:y=8,bytes:00", "4 is 1 bytes, but parameter" },
    { "f32:1,buf:x=8,buf:y=8,bytes:00", "bytes:, 12 of them" },
    { "f32:1,buf:x=8,buf:y=8,u32:1", "argument 4 is u32" },
};

START_TEST(arguments_that_are_not_the_kernels_are_refused)
{
    struct kernel_args a = { .count = 0 };
    struct diag d = { .text = "" };
    ck_assert_msg(kernel_args_parse(&a, misfits[_i].text, &d), "%s", d.text);
    ck_assert(!kernel_args_check(&a, &kernel, &d));
    ck_assert_msg(strstr(d.text, misfits[_i].words) != NULL, "%s", d.text);
    kernel_args_free(&a);
}
END_TEST

static void write_bytes(char path[], const void *bytes, size_t size)
{
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, bytes, size), (ssize_t)size);
    close(file);
}

START_TEST(buffers_hold_what_they_are_filled_with)
{
    static const float given[3] = { 1, -2, 0.5f };
    char path[] = "/tmp/simaccel-args-XXXXXX", text[256];
    write_bytes(path, given, sizeof given);
    snprintf(text, sizeof text, "f32:2,buf:x=3xf32:file=%s,buf:y=x,bytes:"
             "0102030405060708090a0b0c", path);
    struct kernel_args a = { .count = 0 };
    struct diag d = { .text = "" };
    uint8_t p[36] = { 0 };
    uint64_t at[KERNEL_ARGS_MOST], x, y;
    ck_assert_msg(kernel_args_parse(&a, text, &d), "%s", d.text);
    ck_assert_msg(kernel_args_check(&a, &kernel, &d), "%s", d.text);
    struct gpu_memory *m = gpu_memory_new(true);
    ck_assert_msg(kernel_args_place(&a, &kernel, 1, m, p, at, &d), "%s", d.text);
    memcpy(&x, p + 8, 8);
    memcpy(&y, p + 16, 8);
    ck_assert_uint_eq(x, at[1]);
    ck_assert_uint_eq(y, x);
    ck_assert_mem_eq(gpu_memory_at(m, x, sizeof given, NULL), given, sizeof given);
    ck_assert_mem_eq(p, "\0\0\0\x40", 4);
    ck_assert_uint_eq(p[24], 1);
    ck_assert_uint_eq(p[35], 12);
    gpu_memory_free(m);
    unlink(path);
    kernel_args_free(&a);
}
END_TEST

START_TEST(a_file_of_another_size_is_refused)
{
    char path[] = "/tmp/simaccel-args-XXXXXX", text[256];
    write_bytes(path, "12345", 5);
    snprintf(text, sizeof text, "f32:2,buf:x=8:file=%s,buf:y=8,bytes:000000000000000000000000",
             path);
    struct kernel_args a = { .count = 0 };
    struct diag d = { .text = "" };
    uint8_t p[36] = { 0 };
    uint64_t at[KERNEL_ARGS_MOST];
    ck_assert(kernel_args_parse(&a, text, &d));
    struct gpu_memory *m = gpu_memory_new(true);
    ck_assert(!kernel_args_place(&a, &kernel, 1, m, p, at, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "has 5 bytes; expected the 8 of buffer x"));
    unlink(path);
    d.text[0] = '\0';
    gpu_memory_free(m);
    m = gpu_memory_new(true);
    ck_assert(!kernel_args_place(&a, &kernel, 1, m, p, at, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "No such file"));
    gpu_memory_free(m);
    kernel_args_free(&a);
}
END_TEST

/* Mean 0 and variance 1/3 in [-1, 1), the same again for a seed, others for another. */
START_TEST(random_buffers_are_even_and_repeat)
{
    struct kernel_args a = { .count = 0 };
    struct diag d = { .text = "" };
    enum { N = 4096 };
    ck_assert(kernel_args_parse(&a, "buf:x=4096xf32:random,buf:y=16384:random", &d));
    struct gpu_param two[] = { params[1], params[2] };
    struct gpu_kernel k = { .name = "k", .params = two, .param_count = 2, .param_bytes = 24 };
    float first[N] = { 0 };
    for (uint64_t seed = 0; seed < 3; seed++) {
        uint8_t p[24];
        uint64_t at[KERNEL_ARGS_MOST];
        double sum = 0, squares = 0;
        struct gpu_memory *m = gpu_memory_new(true);
        ck_assert(kernel_args_place(&a, &k, seed / 2, m, p, at, &d));
        const float *x = (const float *)(void *)gpu_memory_at(m, at[0], 4 * N, NULL);
        const float *y = (const float *)(void *)gpu_memory_at(m, at[1], 4 * N, NULL);
        for (int i = 0; i < N; i++) {
            ck_assert(x[i] >= -1 && x[i] < 1);
            sum += x[i];
            squares += x[i] * x[i];
        }
        ck_assert_double_lt(fabs(sum / N), 0.05);
        ck_assert_double_lt(fabs(squares / N - 1.0 / 3), 0.03);
        ck_assert_int_ne(memcmp(x, y, sizeof first), 0);
        if (seed > 0)
            ck_assert_int_eq(memcmp(first, x, sizeof first) == 0, seed == 1);
        memcpy(first, x, sizeof first);
        gpu_memory_free(m);
    }
    kernel_args_free(&a);
}
END_TEST

START_TEST(a_buffer_is_found_by_name)
{
    struct kernel_args a = { .count = 0 };
    struct diag d = { .text = "" };
    ck_assert(kernel_args_parse(&a, "u32:1,buf:out=8", &d));
    ck_assert(kernel_args_parse(&a, "buf:in=8", &d));
    ck_assert_uint_eq(kernel_args_buffer(&a, "in", &d), 2);
    ck_assert_uint_eq(kernel_args_buffer(&a, "outt", &d), UINT32_MAX);
    ck_assert_ptr_nonnull(strstr(d.text, "did you mean out?"));
    kernel_args_free(&a);
}
END_TEST

Suite *kernel_args_suite(void)
{
    Suite *s = suite_create("kernel_args");
    TCase *t = tcase_create("text");
    tcase_add_loop_test(t, a_number_becomes_the_bits_of_its_type, 0, COUNT_OF(numbers));
    tcase_add_loop_test(t, an_argument_that_is_none_is_refused_with_its_column, 0,
                        COUNT_OF(wrong));
    tcase_add_test(t, blanks_around_arguments_mean_nothing);
    tcase_add_loop_test(t, arguments_that_are_not_the_kernels_are_refused, 0, COUNT_OF(misfits));
    tcase_add_test(t, a_buffer_is_found_by_name);
    suite_add_tcase(s, t);
    t = tcase_create("memory");
    tcase_add_test(t, buffers_hold_what_they_are_filled_with);
    tcase_add_test(t, a_file_of_another_size_is_refused);
    tcase_add_test(t, random_buffers_are_even_and_repeat);
    suite_add_tcase(s, t);
    return s;
}
