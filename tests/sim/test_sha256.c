/* test_sha256.c - the examples of the standard, and what coreutils say. */
#include "sim/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/suites.h"

/* FIPS 180-4's examples (NIST, "SHA256.pdf"), and the empty text. */
static const struct { const char *text; size_t times; const char *hash; } known[] = {
    { "", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    { "a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
};

START_TEST(the_examples_of_the_standard)
{
    size_t length = strlen(known[_i].text), size = length * known[_i].times;
    char *text = malloc(size + 1), hash[SHA256_TEXT];
    for (size_t i = 0; i < known[_i].times; i++)
        memcpy(text + i * length, known[_i].text, length);
    sha256_text(text, size, hash);
    ck_assert_str_eq(hash, known[_i].hash);
    free(text);
}
END_TEST

/* Where the padding takes another block, and round a block's end. */
START_TEST(any_length_is_what_sha256sum_says)
{
    static const size_t lengths[] = { 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 1000 };
    char command[128], expected[128] = "", hash[SHA256_TEXT], text[1000];
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        snprintf(command, sizeof command, "head -c %zu /dev/zero | tr '\\0' x | sha256sum",
                 lengths[i]);
        FILE *in = popen(command, "r");
        ck_assert_ptr_nonnull(in);
        ck_assert_ptr_nonnull(fgets(expected, sizeof expected, in));
        pclose(in);
        sha256_text(text, lengths[i], hash);
        ck_assert_msg(strncmp(hash, expected, 64) == 0, "%zu: %s", lengths[i], hash);
    }
}
END_TEST

Suite *sha256_suite(void)
{
    Suite *s = suite_create("sha256");
    TCase *t = tcase_create("hashes");
    tcase_add_loop_test(t, the_examples_of_the_standard, 0, COUNT_OF(known));
    tcase_add_test(t, any_length_is_what_sha256sum_says);
    suite_add_tcase(s, t);
    return s;
}
