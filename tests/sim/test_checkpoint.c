/* test_checkpoint.c - what is written is read bit by bit, and anything else is refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "sim/checkpoint.h"
#include "tests/suites.h"
#include "traces/random.h"

static char path[64];

static void make_path(void)
{
    snprintf(path, sizeof path, "/tmp/simaccel-test-XXXXXX");
    close(mkstemp(path));
}

static void remove_path(void) { unlink(path); }

/* Two arrays and a head, small, so that every byte of it can be turned. */
static struct checkpoint *small(void)
{
    static const double w[] = { 0.1, -0.0, 5e-324, 1e308 }, b[] = { 7 };
    struct checkpoint *c = checkpoint_new();
    json_object_set_new(c->head, "step", json_integer(45));
    json_object_set_new(c->head, "loss", json_real(0.1));
    checkpoint_add(c, "tpu-v3/l1.w", w, 4);
    checkpoint_add(c, "tpu-v3/none", NULL, 0);
    checkpoint_add(c, "b", b, 1);
    return c;
}

static void write_it(const struct checkpoint *c)
{
    struct diag d = { .text = "" };
    ck_assert_msg(checkpoint_write(c, path, &d), "%s", d.text);
}

static struct checkpoint *read_it(void)
{
    struct diag d = { .text = "" };
    struct checkpoint *c = checkpoint_read(path, &d);
    ck_assert_msg(c != NULL, "%s", d.text);
    ck_assert_str_eq(d.file, path);
    return c;
}

static bool same(const struct checkpoint *a, const struct checkpoint *b)
{
    bool all = a->array_count == b->array_count && json_equal(a->head, b->head);
    for (uint32_t i = 0; all && i < a->array_count; i++)
        all = strcmp(a->arrays[i].name, b->arrays[i].name) == 0
           && a->arrays[i].count == b->arrays[i].count
           && memcmp(a->arrays[i].values, b->arrays[i].values,
                     a->arrays[i].count * sizeof(double)) == 0;
    return all;
}

static void put_bytes(const void *bytes, size_t size)
{
    FILE *out = fopen(path, "wb");
    ck_assert_uint_eq(fwrite(bytes, 1, size, out), size);
    fclose(out);
}

static size_t get_bytes(unsigned char *bytes, size_t room)
{
    FILE *in = fopen(path, "rb");
    size_t size = fread(bytes, 1, room, in);
    fclose(in);
    ck_assert_uint_lt(size, room);
    return size;
}

static void put_packed(const void *bytes, size_t size, const char *mode)
{
    gzFile out = gzopen(path, mode);
    ck_assert_int_eq(gzwrite(out, bytes, (unsigned)size), (int)size);
    ck_assert_int_eq(gzclose(out), Z_OK);
}

/* The reader's words; it must refuse. */
static const char *refusal(void)
{
    static struct diag d;
    d = (struct diag){ .text = "" };
    ck_assert_ptr_null(checkpoint_read(path, &d));
    ck_assert_str_eq(d.file, path);
    ck_assert_ptr_nonnull(strstr(d.text, "; expected "));
    return d.text;
}

START_TEST(what_is_written_is_read_bit_by_bit)
{
    struct checkpoint *c = small();
    write_it(c);
    struct checkpoint *again = read_it();
    ck_assert(same(c, again));
    ck_assert_double_eq(json_real_value(json_object_get(again->head, "loss")), 0.1);
    checkpoint_free(again);
    checkpoint_free(c);
    c = checkpoint_new();                       /* and with nothing in it */
    write_it(c);
    again = read_it();
    ck_assert(same(c, again));
    checkpoint_free(again);
    checkpoint_free(c);
}
END_TEST

/* Any 64 bits, NaNs among them, in sizes round those of the pieces in which it is read. */
START_TEST(arrays_of_any_bits_and_sizes_come_back)
{
    static const uint64_t counts[] = { 1, 8191, 8192, 8193, 0, 30001, 3 };
    static double values[30001];
    struct random_stream s = { 3 };
    struct checkpoint *c = checkpoint_new();
    for (size_t k = 0; k < COUNT_OF(counts); k++) {
        char name[16];
        snprintf(name, sizeof name, "array %zu", k);
        for (uint64_t i = 0; i < counts[k]; i++) {
            uint64_t bits = random_next(&s);
            memcpy(&values[i], &bits, sizeof bits);
        }
        values[0] = NAN;
        checkpoint_add(c, name, values, counts[k]);
    }
    write_it(c);
    struct checkpoint *again = read_it();
    ck_assert(same(c, again));
    checkpoint_free(again);
    checkpoint_free(c);
}
END_TEST

START_TEST(the_bytes_of_an_array_are_little_endian_doubles)
{
    static const unsigned char one[8] = { 0, 0, 0, 0, 0, 0, 0xf0, 0x3f };      /* 1.0 */
    unsigned char text[4096];
    struct checkpoint *c = checkpoint_new();
    checkpoint_add(c, "x", (double[]){ 1 }, 1);
    write_it(c);
    gzFile in = gzopen(path, "rb");
    int size = gzread(in, text, sizeof text);
    gzclose(in);
    ck_assert_mem_eq(text, "simaccel-checkpoint 1\n{\"head\":{}", 32);
    ck_assert_mem_eq(text + size - 8, one, 8);
    checkpoint_free(c);
}
END_TEST

START_TEST(an_array_is_found_by_name_and_size)
{
    struct checkpoint *c = small();
    struct diag d = { .text = "" };
    ck_assert_double_eq(checkpoint_find(c, "tpu-v3/l1.w", 4, &d)[3], 1e308);
    ck_assert_double_eq(checkpoint_find(c, "b", 1, &d)[0], 7);
    ck_assert_ptr_nonnull(checkpoint_find(c, "tpu-v3/none", 0, &d));
    ck_assert_str_eq(d.text, "");
    ck_assert_ptr_null(checkpoint_find(c, "b", 2, &d));
    ck_assert_str_eq(d.text, "b has 1 values in the checkpoint; expected 2");
    d.text[0] = '\0';
    ck_assert_ptr_null(checkpoint_find(c, "l1.w", 4, &d));
    ck_assert_str_eq(d.text, "the checkpoint has no l1.w; expected one of the same run");
    checkpoint_free(c);
}
END_TEST

START_TEST(a_checkpoint_cut_short_anywhere_is_refused)
{
    unsigned char bytes[4096];
    struct checkpoint *c = small();
    write_it(c);
    size_t size = get_bytes(bytes, sizeof bytes);
    for (size_t n = 0; n < size; n++) {
        put_bytes(bytes, n);
        ck_assert_msg(strstr(refusal(), "cut short"), "%zu of %zu: %s", n, size, refusal());
    }
    put_bytes(bytes, size);
    checkpoint_free(read_it());
    checkpoint_free(c);
}
END_TEST

/* gzip's sum is over what was packed.  Its own head says when, on what system and whether it
 * is text (bytes 3 to 9), and bits fill up the last byte: turning those changes nothing. */
START_TEST(a_turned_bit_anywhere_is_found)
{
    unsigned char bytes[4096];
    struct checkpoint *c = small();
    write_it(c);
    size_t size = get_bytes(bytes, sizeof bytes), unnoticed = 0;
    for (size_t i = 0; i < size; i++)
        for (unsigned bit = 0; bit <= 8; bit++) {
            unsigned char turn = bit < 8 ? (unsigned char)(1 << bit) : 0xff;
            struct diag d = { .text = "" };
            bytes[i] ^= turn;
            put_bytes(bytes, size);
            bytes[i] ^= turn;
            struct checkpoint *again = checkpoint_read(path, &d);
            ck_assert(!again == (d.text[0] != '\0'));
            ck_assert_msg(!again || same(c, again), "byte %zu", i);
            unnoticed += again != NULL;
            checkpoint_free(again);
        }
    ck_assert_uint_le(unnoticed, 7 * 9 + 8);
    checkpoint_free(c);
}
END_TEST

START_TEST(what_comes_after_the_end_is_refused)
{
    unsigned char bytes[4096];
    struct checkpoint *c = small();
    write_it(c);
    size_t size = get_bytes(bytes, sizeof bytes);
    bytes[size] = 'x';
    put_bytes(bytes, size + 1);
    ck_assert_ptr_nonnull(strstr(refusal(), "more after its end"));
    memcpy(bytes + size, bytes, size);              /* two of them */
    put_bytes(bytes, 2 * size);
    ck_assert_ptr_nonnull(strstr(refusal(), "more after its end"));
    checkpoint_free(c);
}
END_TEST

#define FIRST "simaccel-checkpoint 1\n"
#define ARRAYS(list) FIRST "{\"head\":{},\"arrays\":[" list "]}\n"
#define EIGHT "abcdefgh"
static const struct { const char *text; unsigned line; const char *says; } refused[] = {
    { "",                                          0, "ends within its first lines" },
    { "simaccel-checkpoint 1",                     0, "ends within its first lines" },
    { "simaccel-trace 1\n",                        1, "no checkpoint" },
    { "simaccel-checkpoint 2\n{}\n",               1, "version 2 is not known; expected 1" },
    { "simaccel-checkpoint 11\n{}\n",              1, "version 11 is not known" },
    { "simaccel-checkpoint \n{}\n",                1, "version  is not known" },
    { FIRST,                                       0, "ends within its first lines" },
    { FIRST "{\"head\":{},\"arrays\":[]}",         0, "ends within its first lines" },
    { FIRST "{\"head\":{},\n",                     2, "no JSON" },
    { FIRST "\n",                                  2, "no JSON" },
    { FIRST "{} {}\n",                             2, "no JSON" },
    { FIRST "[]\n",                                2, "no head" },
    { FIRST "{\"arrays\":[]}\n",                   2, "no head" },
    { FIRST "{\"head\":[],\"arrays\":[]}\n",       2, "no head" },
    { FIRST "{\"head\":{}}\n",                     2, "no arrays" },
    { FIRST "{\"head\":{},\"arrays\":{}}\n",       2, "no arrays" },
    { FIRST "{\"head\":{},\"head\":{},\"arrays\":[]}\n", 2, "duplicate" },
    { ARRAYS("1"),                                 2, "without a name or a count" },
    { ARRAYS("{\"name\":\"a\"}"),                  2, "without a name or a count" },
    { ARRAYS("{\"count\":1}") EIGHT,               2, "without a name or a count" },
    { ARRAYS("{\"name\":\"\",\"count\":1}") EIGHT, 2, "without a name or a count" },
    { ARRAYS("{\"name\":1,\"count\":1}") EIGHT,    2, "without a name or a count" },
    { ARRAYS("{\"name\":\"a\",\"count\":1.0}") EIGHT, 2, "without a name or a count" },
    { ARRAYS("{\"name\":\"a\",\"count\":-1}") EIGHT, 2, "without a name or a count" },
    { ARRAYS("{\"name\":\"a\",\"count\":1},{\"name\":\"a\",\"count\":0}") EIGHT, 2,
      "two arrays of one name" },
    { ARRAYS("{\"name\":\"a\",\"count\":1}"),      0, "ends within its arrays" },
    { ARRAYS("{\"name\":\"a\",\"count\":2}") EIGHT "abcdefg", 0, "ends within its arrays" },
    { ARRAYS("{\"name\":\"a\",\"count\":2147483648}") EIGHT, 0, "ends within its arrays" },
    { ARRAYS("{\"name\":\"a\",\"count\":2147483649}"), 2, "more values than" },
    { ARRAYS("{\"name\":\"a\",\"count\":9223372036854775807}"), 2, "more values than" },
    { ARRAYS("{\"name\":\"a\",\"count\":9223372036854775808}"), 2, "no JSON" },
    { ARRAYS("{\"name\":\"b\",\"count\":1},{\"name\":\"a\",\"count\":2147483648}") EIGHT, 2,
      "more values than" },
    { ARRAYS("") "x",                              0, "more after its end" },
    { ARRAYS("{\"name\":\"a\",\"count\":1}") EIGHT "i", 0, "more after its end" },
};

START_TEST(what_cannot_be_is_refused)
{
    put_packed(refused[_i].text, strlen(refused[_i].text), "wb");
    struct diag d = { .text = "" };
    ck_assert_ptr_null(checkpoint_read(path, &d));
    ck_assert_msg(strstr(d.text, refused[_i].says), "'%s' should say '%s'", d.text,
                  refused[_i].says);
    ck_assert_uint_eq(d.line, refused[_i].line);
    ck_assert_ptr_nonnull(strstr(d.text, "; expected "));
}
END_TEST

START_TEST(a_file_that_is_not_packed_or_not_there_is_refused)
{
    struct diag d = { .text = "" };
    put_bytes(FIRST "{\"head\":{},\"arrays\":[]}\n", strlen(FIRST));
    ck_assert_ptr_nonnull(strstr(refusal(), "no checkpoint"));
    ck_assert_ptr_null(checkpoint_read("/nonexistent/x", &d));
    ck_assert_ptr_nonnull(strstr(d.text, "cannot open"));
    d.text[0] = '\0';
    ck_assert_ptr_null(checkpoint_read("/tmp", &d));
    ck_assert_ptr_nonnull(strstr(d.text, "cannot read"));
}
END_TEST

START_TEST(what_cannot_be_written_is_said_and_the_file_stays)
{
    struct checkpoint *c = small(), *none = checkpoint_new();
    struct diag d = { .text = "" };
    ck_assert(!checkpoint_write(c, "/nonexistent/x", &d));
    ck_assert_str_eq(d.file, "/nonexistent/x");
    d = (struct diag){ .text = "" };
    ck_assert(!checkpoint_write(c, "/dev/full", &d));
    ck_assert_ptr_nonnull(strstr(d.text, "expected to write all of it"));
    write_it(c);                                    /* and one is written over another */
    write_it(none);
    struct checkpoint *again = read_it();
    ck_assert(same(none, again));
    checkpoint_free(again);
    checkpoint_free(none);
    checkpoint_free(c);
}
END_TEST

Suite *checkpoint_suite(void)
{
    Suite *s = suite_create("checkpoint");
    TCase *t = tcase_create("files");
    tcase_add_checked_fixture(t, make_path, remove_path);
    tcase_add_test(t, what_is_written_is_read_bit_by_bit);
    tcase_add_test(t, arrays_of_any_bits_and_sizes_come_back);
    tcase_add_test(t, the_bytes_of_an_array_are_little_endian_doubles);
    tcase_add_test(t, an_array_is_found_by_name_and_size);
    tcase_add_test(t, a_checkpoint_cut_short_anywhere_is_refused);
    tcase_add_test(t, a_turned_bit_anywhere_is_found);
    tcase_add_test(t, what_comes_after_the_end_is_refused);
    tcase_add_loop_test(t, what_cannot_be_is_refused, 0, COUNT_OF(refused));
    tcase_add_test(t, a_file_that_is_not_packed_or_not_there_is_refused);
    tcase_add_test(t, what_cannot_be_written_is_said_and_the_file_stays);
    suite_add_tcase(s, t);
    return s;
}
