/* test_hbm_map.c - each address has one place, and each place one address. */
#include <stdlib.h>
#include <string.h>

#include "models/hbm/hbm_map.h"
#include "tests/suites.h"

/* 4 channels, 2 pseudo-channels, 2 groups of 8 banks, rows of 4 bursts of 32 bytes: all
 * unlike.  1 + 2 + 1 + 1 + 3 + 2 = 10 bits under the row and 5 of offset. */
static struct hbm_config small(const char *map, uint32_t stacks)
{
    struct hbm_config c = {
        .stacks = stacks, .capacity_gib = 1.0 / 1024, .channels = 4, .channel_bits = 128,
        .pseudo_channels = 2, .bank_groups = 2, .banks = 8, .row_bytes = 128,
        .burst_length = 4,
    };
    snprintf(c.map, sizeof c.map, "%s", map);
    return c;
}

static struct hbm_map *parsed(const char *text, uint32_t stacks)
{
    struct hbm_config c = small(text, stacks);
    struct hbm_map *map = malloc(sizeof *map);
    struct diag d = { .file = "" };
    ck_assert_msg(hbm_map_parse(map, &c, &d), "%s", d.text);
    return map;
}

START_TEST(fields_are_taken_from_the_lowest_bit_up)
{
    struct hbm_map *map = parsed("offset column:1 pseudo channel group column bank row", 1);
    /* row 5, bank 6, column 3 (1 above, 1 below), group 1, channel 2, pseudo 1 */
    uint64_t address = ((((((5 * 8 + 6) * 2 + 1) * 2 + 1) * 4 + 2) * 2 + 1) * 2 + 1) * 32 + 17;
    struct hbm_place p = hbm_map_place(map, address);
    ck_assert_uint_eq(p.row, 5);
    ck_assert_uint_eq(p.bank, 6);
    ck_assert_uint_eq(p.column, 3);
    ck_assert_uint_eq(p.group, 1);
    ck_assert_uint_eq(p.channel, 2);
    ck_assert_uint_eq(p.pseudo, 1);
    ck_assert_uint_eq(p.stack, 0);
    free(map);
}
END_TEST

START_TEST(a_hash_changes_a_field_by_the_bits_it_names)
{
    struct hbm_map *map = parsed("offset column pseudo channel group bank row;"
                                 "channel ^= row[1:2]; bank[2] ^= row[0]", 1);
    /* row 5 = 101: channel ^= 10, bank[2] ^= 1 */
    uint64_t address = (((((5 * 8 + 2) * 2 + 1) * 4 + 1) * 2 + 0) * 4 + 3) * 32;
    struct hbm_place p = hbm_map_place(map, address);
    ck_assert_uint_eq(p.row, 5);
    ck_assert_uint_eq(p.channel, 1 ^ 2);
    ck_assert_uint_eq(p.bank, 2 ^ 4);
    ck_assert_uint_eq(p.column, 3);
    free(map);
}
END_TEST

static const char *const maps[] = {
    "offset column pseudo channel group bank row",
    "offset group channel column:1 stack bank:1 pseudo row:2 column bank row",
    ("offset column:1 channel pseudo group column stack bank row;"
     "channel ^= row[0:1]; bank ^= row[2:4]; pseudo ^= bank[2]; group ^= column[1]"),
    "offset channel column pseudo group stack row bank; stack ^= row[3:4]; channel ^= bank[0:1]",
    "offset channel column stack pseudo group row bank; stack ^= row[1:3]; stack[0] ^= bank[0]",
};

START_TEST(every_place_has_one_address)
{
    static const uint32_t stacks[] = { 1, 3, 5, 4, 5 };     /* the last two hash the stack */
    struct hbm_map *map = parsed(maps[_i], stacks[_i]);
    uint64_t bursts = ((1u << 20) * stacks[_i]) / 32;
    uint8_t *seen = calloc(bursts, 1);
    for (uint64_t b = 0; b < bursts; b++) {
        struct hbm_place p = hbm_map_place(map, b * 32);
        uint64_t place = (uint64_t)p.stack * 4 + p.channel;
        place = ((place * 2 + p.pseudo) * 2 + p.group) * 8 + p.bank;
        place = (place * 64 + p.row) * 4 + p.column;
        ck_assert_uint_lt(p.stack, stacks[_i]);
        ck_assert_uint_lt(place, bursts);
        ck_assert_int_eq(seen[place], 0);
        seen[place] = 1;
    }
    free(seen);
    free(map);
}
END_TEST

/* Rows of five stacks' width, a column of a matrix: unhashed they meet in one stack. */
START_TEST(a_hashed_stack_spreads_a_stride_of_all_stacks)
{
    struct hbm_map *map = parsed(maps[4], 5);
    uint64_t stride = 5 * hbm_map_run_bytes(map);
    uint32_t met[5] = { 0 };
    for (uint64_t i = 0; i < 1000; i++)
        met[hbm_map_stack(map, i * stride)]++;
    for (int s = 0; s < 5; s++)
        ck_assert_uint_gt(met[s], 100);
    free(map);
}
END_TEST

START_TEST(a_run_as_long_as_promised_stays_in_one_stack)
{
    static const uint32_t stacks[] = { 1, 3, 5, 4, 5 };
    struct hbm_map *map = parsed(maps[_i], stacks[_i]);
    uint64_t run = hbm_map_run_bytes(map);
    if (stacks[_i] > 1)
        ck_assert_uint_lt(run, 1 << 20);
    for (uint64_t address = 0; address < (1u << 20) * (uint64_t)stacks[_i]; address += 32)
        ck_assert_uint_eq(hbm_map_stack(map, address),
                          hbm_map_stack(map, address / run * run));
    free(map);
}
END_TEST

START_TEST(a_wrong_map_is_refused_where_it_is_wrong)
{
    static const struct { const char *map; unsigned column; const char *text; } cases[] = {
        { "",                                         1, "expected a field" },
        { "offset colum pseudo channel group bank row", 8, "did you mean 'column'" },
        { "offset column:3 pseudo channel group bank row", 8, "more bits for 'column'" },
        { "offset column:x pseudo channel group bank row", 15, "number of bits" },
        { "offset column:99 pseudo channel group bank row", 15, "too large" },
        { "offset column:1 pseudo channel group bank row", 0, "'column' has 1 bits; expected 2" },
        { "column offset pseudo channel group bank row", 1, "'offset' must be the lowest" },
        { "offset column pseudo channel group stack bank stack row", 47, "given twice" },
        { "offset column pseudo channel group bank row; row ^= bank", 46, "cannot be hashed" },
        { "offset column pseudo channel group bank row; bank ^= row", 54, "as many bits" },
        { "offset column pseudo channel group bank row; bank ^= row[4:9]", 54, "bits outside" },
        { "offset column pseudo channel group bank row; bank = row[0:2]", 51, "expected '^='" },
        { "offset column pseudo channel group bank row; bank ^= bank", 54, "cannot read 'bank'" },
        { "offset column pseudo channel group bank row; bank ^= row[0:2", 61, "expected ']'" },
        { "offset column pseudo channel group bank row; bank ^= row[0:2] x", 63, "expected ';'" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct hbm_config c = small(cases[i].map, 1);
        struct diag d = { .file = "" };
        struct hbm_map *map = malloc(sizeof *map);
        ck_assert_msg(!hbm_map_parse(map, &c, &d), "%s", cases[i].map);
        ck_assert_msg(strstr(d.text, cases[i].text) != NULL, "%s: %s", cases[i].map, d.text);
        ck_assert_msg(d.column == cases[i].column, "%s: column %u: %s", cases[i].map, d.column,
                      d.text);
        free(map);
    }
}
END_TEST

START_TEST(a_geometry_that_no_map_can_have_is_refused)
{
    struct hbm_config five = small("offset column pseudo channel group bank row", 1);
    struct hbm_config tiny = five, no_stack = five;
    five.channels = 5;
    tiny.capacity_gib = 1e-5;
    no_stack.stacks = 2;
    const struct { struct hbm_config *c; const char *text; } cases[] = {
        { &five, "not a power of two" }, { &tiny, "capacity_gib" }, { &no_stack, "'stack'" },
    };
    struct hbm_map *map = malloc(sizeof *map);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct diag d = { .file = "" };
        ck_assert(!hbm_map_parse(map, cases[i].c, &d));
        ck_assert_msg(strstr(d.text, cases[i].text) != NULL, "%s", d.text);
    }
    free(map);
}
END_TEST

Suite *hbm_map_suite(void)
{
    Suite *s = suite_create("hbm_map");
    TCase *t = tcase_create("map");
    tcase_add_test(t, fields_are_taken_from_the_lowest_bit_up);
    tcase_add_test(t, a_hash_changes_a_field_by_the_bits_it_names);
    tcase_add_loop_test(t, every_place_has_one_address, 0, COUNT_OF(maps));
    tcase_add_test(t, a_hashed_stack_spreads_a_stride_of_all_stacks);
    tcase_add_loop_test(t, a_run_as_long_as_promised_stays_in_one_stack, 0, COUNT_OF(maps));
    tcase_add_test(t, a_wrong_map_is_refused_where_it_is_wrong);
    tcase_add_test(t, a_geometry_that_no_map_can_have_is_refused);
    suite_add_tcase(s, t);
    return s;
}
