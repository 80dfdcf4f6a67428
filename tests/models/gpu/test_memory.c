/* test_memory.c - buffers at addresses, and what a wrong address is told. */
#include <stdio.h>
#include <string.h>

#include "models/gpu/memory.h"
#include "tests/suites.h"

START_TEST(buffers_lie_apart_on_round_addresses)
{
    struct gpu_memory *m = gpu_memory_new(true);
    uint64_t sizes[] = { 1, 255, 256, 257, 0, 100000 }, end = 0, total = 0;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        uint64_t at = gpu_memory_add(m, "x", sizes[i]);
        ck_assert_uint_ge(at, GPU_MEMORY_BASE);
        ck_assert_uint_eq(at % 256, 0);
        ck_assert(i == 0 || at >= end + 256);
        end = at + sizes[i];
        total += sizes[i];
        ck_assert_uint_eq(gpu_memory_bytes(m), total);
    }
    gpu_memory_free(m);
    gpu_memory_free(NULL);
}
END_TEST

/* Every address near every edge, with and without a hint. */
START_TEST(an_access_lies_in_one_buffer_or_in_none)
{
    struct gpu_memory *m = gpu_memory_new(true);
    uint64_t at[4], sizes[4] = { 40, 300, 16, 7 };
    for (int i = 0; i < 4; i++)
        at[i] = gpu_memory_add(m, "x", sizes[i]);
    uint32_t hint = 3;
    for (int i = 0; i < 4; i++)
        for (uint64_t a = at[i] - 300; a < at[i] + sizes[i] + 20; a++)
            for (uint64_t bytes = 1; bytes <= 16; bytes *= 2) {
                bool in = false;
                for (int j = 0; j < 4; j++)
                    in |= a >= at[j] && a + bytes <= at[j] + sizes[j];
                ck_assert_int_eq(gpu_memory_has(m, a, bytes, &hint), in);
                ck_assert_int_eq(gpu_memory_has(m, a, bytes, NULL), in);
                ck_assert_int_eq(gpu_memory_at(m, a, bytes, &hint) != NULL, in);
            }
    ck_assert(!gpu_memory_has(m, UINT64_MAX, 16, &hint));
    ck_assert(!gpu_memory_has(m, at[0] + 1, UINT64_MAX, &hint));
    ck_assert(!gpu_memory_has(m, 0, 1, NULL));
    gpu_memory_free(m);
}
END_TEST

START_TEST(bytes_begin_as_zeros_and_stay_as_written)
{
    struct gpu_memory *m = gpu_memory_new(true);
    uint64_t a = gpu_memory_add(m, "a", 1000), b = gpu_memory_add(m, "b", 10);
    for (uint64_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(*gpu_memory_at(m, a + i, 1, NULL), 0);
    memset(gpu_memory_at(m, a, 1000, NULL), 7, 1000);
    ck_assert_uint_eq(*gpu_memory_at(m, b, 10, NULL), 0);
    ck_assert_uint_eq(*gpu_memory_at(m, a + 999, 1, NULL), 7);
    ck_assert_ptr_eq(gpu_memory_at(m, a + 12, 4, NULL), gpu_memory_at(m, a, 1, NULL) + 12);
    ck_assert(gpu_memory_values(m));
    gpu_memory_free(m);
}
END_TEST

/* 16 TiB, more than any host sets aside: the ends of it, and what comes after. */
START_TEST(a_sparse_buffer_takes_what_is_touched)
{
    struct gpu_memory *m = gpu_memory_new(true);
    uint64_t bytes = UINT64_C(1) << 44, at = gpu_memory_add_sparse(m, "sparse", bytes);
    ck_assert_uint_ge(at, GPU_MEMORY_BASE);
    uint64_t places[] = { 0, 5000, bytes / 2 + 1, bytes - 1 };
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        uint8_t *byte = gpu_memory_at(m, at + places[i], 1, NULL);
        ck_assert_uint_eq(*byte, 0);
        *byte = (uint8_t)(i + 1);
    }
    for (size_t i = 0; i < COUNT_OF(places); i++)
        ck_assert_uint_eq(*gpu_memory_at(m, at + places[i], 1, NULL), i + 1);
    ck_assert(!gpu_memory_has(m, at + bytes - 1, 2, NULL));
    ck_assert_uint_ge(gpu_memory_add(m, "next", 4), at + bytes + 256);
    ck_assert_uint_eq(gpu_memory_bytes(m), bytes + 4);
    ck_assert_uint_eq(gpu_memory_add_sparse(m, "too much", UINT64_C(1) << 46), 0);
    gpu_memory_free(m);
}
END_TEST

START_TEST(without_values_there_are_addresses_alone)
{
    struct gpu_memory *m = gpu_memory_new(false);
    uint64_t big = gpu_memory_add(m, "big", UINT64_C(1) << 45);
    ck_assert_uint_ne(big, 0);
    ck_assert(gpu_memory_has(m, big + (UINT64_C(1) << 44), 4, NULL));
    ck_assert_ptr_null(gpu_memory_at(m, big, 4, NULL));
    ck_assert(!gpu_memory_values(m));
    /* 2^46 bytes in all, no more. */
    ck_assert_uint_eq(gpu_memory_add(m, "more", (UINT64_C(1) << 45) + 1), 0);
    ck_assert_uint_ne(gpu_memory_add(m, "rest", UINT64_C(1) << 45), 0);
    ck_assert_uint_eq(gpu_memory_add(m, "one", 1), 0);
    gpu_memory_free(m);
}
END_TEST

START_TEST(a_place_of_the_callers_choice_must_be_free)
{
    struct gpu_memory *m = gpu_memory_new(true);
    uint64_t first = gpu_memory_add(m, "first", 512);
    ck_assert(gpu_memory_add_at(m, "fixed", first + 8192, 100));
    ck_assert(!gpu_memory_add_at(m, "over", first + 8192 + 99, 1));
    ck_assert(!gpu_memory_add_at(m, "across", first + 8000, 200));
    ck_assert(!gpu_memory_add_at(m, "inside", first + 10, 1));
    ck_assert(gpu_memory_add_at(m, "before", first + 4096, 256));
    ck_assert(gpu_memory_has(m, first + 4096 + 255, 1, NULL));
    /* Others go round those, with 256 bytes of nothing between. */
    for (int i = 0; i < 10; i++) {
        uint64_t a = gpu_memory_add(m, "x", 1500);
        ck_assert(a + 1500 + 256 <= first + 4096 || a >= first + 8192 + 100 + 256 ||
                  (a >= first + 4096 + 256 + 256 && a + 1500 + 256 <= first + 8192));
    }
    gpu_memory_free(m);
}
END_TEST

START_TEST(a_wrong_address_is_told_from_the_nearest_buffer)
{
    struct gpu_memory *m = gpu_memory_new(true);
    char text[200];
    gpu_memory_describe(m, 0, text, sizeof text);
    ck_assert_str_eq(text, "there are no buffers");
    uint64_t x = gpu_memory_add(m, "x", 16384), y = gpu_memory_add(m, "y", 100);
    char expected[200];
    gpu_memory_describe(m, x + 16384 + 16, text, sizeof text);
    snprintf(expected, sizeof expected, "16 bytes past the end of x (16384 bytes at 0x%llx)",
             (unsigned long long)x);
    ck_assert_str_eq(text, expected);
    gpu_memory_describe(m, y - 4, text, sizeof text);
    snprintf(expected, sizeof expected, "4 bytes before y (100 bytes at 0x%llx)",
             (unsigned long long)y);
    ck_assert_str_eq(text, expected);
    gpu_memory_describe(m, y + 98, text, sizeof text);
    snprintf(expected, sizeof expected, "98 bytes into y (100 bytes at 0x%llx)",
             (unsigned long long)y);
    ck_assert_str_eq(text, expected);
    gpu_memory_free(m);
}
END_TEST

/* Looking at all others each time took a minute for these. */
START_TEST(a_great_many_buffers_are_no_work)
{
    enum { MANY = 300000 };
    struct gpu_memory *m = gpu_memory_new(false);
    ck_assert(gpu_memory_add_at(m, "far", UINT64_C(1) << 44, 4096));
    uint64_t way = GPU_MEMORY_BASE + 5 * 768, before = 0;
    ck_assert(gpu_memory_add_at(m, "in the way", way, 700));
    for (uint32_t i = 0; i < MANY; i++) {
        uint64_t at = gpu_memory_add(m, "one of many", 257 + i % 3);
        ck_assert_uint_ge(at, before + 256 + (i ? 257 : 0));
        ck_assert(at + 257 + 256 <= way || at >= way + 700 + 256);
        before = at;
    }
    gpu_memory_free(m);
}
END_TEST

Suite *memory_suite(void)
{
    Suite *s = suite_create("memory");
    TCase *t = tcase_create("buffers");
    tcase_add_test(t, buffers_lie_apart_on_round_addresses);
    tcase_add_test(t, an_access_lies_in_one_buffer_or_in_none);
    tcase_add_test(t, bytes_begin_as_zeros_and_stay_as_written);
    tcase_add_test(t, a_sparse_buffer_takes_what_is_touched);
    tcase_add_test(t, without_values_there_are_addresses_alone);
    tcase_add_test(t, a_place_of_the_callers_choice_must_be_free);
    tcase_add_test(t, a_wrong_address_is_told_from_the_nearest_buffer);
    tcase_add_test(t, a_great_many_buffers_are_no_work);
    suite_add_tcase(s, t);
    return s;
}
