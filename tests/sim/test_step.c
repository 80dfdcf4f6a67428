/* test_step.c - frames of an array as text, and the ways to come to one. */
#include "sim/step_array.h"

#include <stdlib.h>
#include <string.h>

#include "tests/suites.h"
#include "traces/random.h"

static struct step_array *new_array(uint32_t rows, uint32_t cols, uint32_t m, uint32_t k,
                                    uint32_t n, enum step_fill fill, uint32_t dataflow)
{
    struct diag d = { .text = "" };
    struct step_array_config c = {
        .mxu = { .rows = rows, .cols = cols, .weight_buffers = 2, .weight_rows_per_cycle = 1,
                 .push_rows = 1, .row_cycles = 1, .dataflow = dataflow },
        .m = m, .k = k, .n = n, .fill = fill, .seed = 7,
    };
    struct step_array *s = step_array_new(&c, &d);
    ck_assert_msg(s != NULL, "%s", d.text);
    return s;
}

/* A frame as it is printed; the caller frees it. */
static char *frame_of(const struct step_subject *s, cycle_t cycle)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    step_frames(s, cycle, cycle, out);
    fclose(out);
    return text;
}

static char *obey(const struct step_subject *s, const char *commands)
{
    char *text = NULL, *copy = strdup(commands);
    size_t size;
    FILE *in = fmemopen(copy, strlen(copy), "r"), *out = open_memstream(&text, &size);
    step_lines(s, in, out);
    fclose(in);
    fclose(out);
    free(copy);
    return text;
}

/* Every frame of the text must be the frame of its cycle, in this order. */
static void check_walk(const struct step_subject *fresh, const char *text, const cycle_t *cycles,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *frame = frame_of(fresh, cycles[i]);
        ck_assert_msg(strncmp(text, frame, strlen(frame)) == 0,
                      "frame %zu, of cycle %llu, is another:\n%s", i,
                      (unsigned long long)cycles[i], text);
        text += strlen(frame);
        free(frame);
    }
    ck_assert_str_eq(text, "");
}

START_TEST(commands_go_where_they_say)
{
    struct step_array *a = new_array(3, 2, 5, 6, 4, STEP_SMALL, 0);
    struct step_subject s = step_array_subject(a);
    cycle_t last = s.last;
    char *text = obey(&s, "n\n\nn 3\nb\nb 2\ng 9\nhome\nb\nend\nn\ng 99999999\nq\nn\n");
    check_walk(&s, text, (cycle_t[]){ 0, 1, 2, 5, 4, 2, 9, 0, 0, last, last, last }, 12);
    free(text);
    text = obey(&s, "");
    check_walk(&s, text, (cycle_t[]){ 0 }, 1);
    free(text);
    step_array_free(a);
}
END_TEST

START_TEST(what_is_no_command_is_said_and_moves_nothing)
{
    static const struct { const char *line, *says; } wrong[] = {
        { "x", "no such command" }, { "g", "g: expected a cycle" }, { "g x", "expected a cycle" },
        { "g -1", "g -1: expected a cycle" }, { "n -1", "n -1: expected how many cycles" },
        { "b -3", "b -3: expected how many cycles" }, { "n 1 2", "no such command" },
        { "q 1", "no such command" }, { "n 1x", "expected how many cycles" },
        { "g 99999999999999999999999", "expected a cycle" },
    };
    struct step_array *a = new_array(2, 3, 2, 2, 2, STEP_SMALL, 0);
    struct step_subject s = step_array_subject(a);
    char *first = frame_of(&s, 0), *second = frame_of(&s, 1);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        char line[64];
        snprintf(line, sizeof line, "%s\nn\n", wrong[i].line);
        char *text = obey(&s, line);
        ck_assert(strncmp(text, first, strlen(first)) == 0);
        ck_assert_msg(strstr(text, wrong[i].says) != NULL, "%s", wrong[i].line);
        ck_assert_str_eq(text + strlen(text) - strlen(second), second);
        free(text);
    }
    free(first);
    free(second);
    step_array_free(a);
}
END_TEST

/* Farther back than is kept, and forward again, in a run of some 2000 cycles. */
START_TEST(a_frame_does_not_depend_on_how_one_came_there)
{
    struct random_stream random = { (uint64_t)_i };
    struct step_array *a = new_array(4, 3, 90, 30, 9, STEP_SMALL, (uint32_t)_i);
    struct step_array *b = new_array(4, 3, 90, 30, 9, STEP_SMALL, (uint32_t)_i);
    struct step_subject walked = step_array_subject(a), fresh = step_array_subject(b);
    for (int i = 0; i < 60; i++) {
        cycle_t cycle = random_below(&random, walked.last + 1);
        char *one = frame_of(&walked, cycle), *near = frame_of(&walked, cycle > 3 ? cycle - 3 : 0);
        char *other = frame_of(&fresh, cycle > 3 ? cycle - 3 : 0);
        ck_assert_msg(strcmp(near, other) == 0, "seed %d, cycle %llu", _i,
                      (unsigned long long)cycle);
        free(other);
        other = frame_of(&fresh, cycle);
        ck_assert_msg(strcmp(one, other) == 0, "seed %d, cycle %llu", _i,
                      (unsigned long long)cycle);
        free(one);
        free(near);
        free(other);
    }
    step_array_free(a);
    step_array_free(b);
}
END_TEST

/* The number in column `col` of the line "NAME" of PE row `row`; false for ".". */
static bool number_in(const char *frame, uint32_t row, const char *name, uint32_t col, double *x)
{
    char label[16], line[256];
    snprintf(label, sizeof label, "\nr%u ", row);
    const char *at = strstr(frame, label);
    ck_assert(at != NULL);
    for (at++; ; at = strchr(at, '\n') + 1) {
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
        if (strncmp(line + 4, name, strlen(name)) == 0)
            break;
    }
    char *word = strtok(line + 9, " ");
    while (col-- > 0)
        word = strtok(NULL, " ");
    *x = atof(word);
    return strcmp(word, ".") != 0;
}

/* Of ones, the sum at row r of the array is r + 1; row m is there at 3 + m + r + c. */
START_TEST(the_text_says_what_is_on_paper)
{
    struct step_array *a = new_array(3, 5, 4, 3, 5, STEP_ONES, 0);
    struct step_subject s = step_array_subject(a);
    ck_assert_uint_eq(s.last + 1, 3 + 4 - 1 + 3 + 5 - 1);
    for (cycle_t now = 0; now <= s.last; now++) {
        char *frame = frame_of(&s, now);
        for (uint32_t r = 0; r < 3; r++)
            for (uint32_t c = 0; c < 5; c++) {
                double sum, row;
                bool is_here = now >= 3 + r + c && now < 3 + r + c + 4;
                ck_assert_int_eq(number_in(frame, r, "sum", c, &sum), is_here);
                ck_assert_int_eq(number_in(frame, r, "row", c, &row), is_here);
                if (is_here) {
                    ck_assert_double_eq(sum, r + 1);
                    ck_assert_double_eq(row, (double)(now - 3 - r - c));
                }
            }
        free(frame);
    }
    step_array_free(a);
}
END_TEST

START_TEST(frames_are_plain_and_at_most_100_columns_wide)
{
    for (uint32_t size = 1; size <= 16; size++)
        for (uint32_t dataflow = 0; dataflow < 2; dataflow++) {
            struct step_array *a = new_array(size, size, 20, 33, 35, STEP_RANDOM, dataflow);
            struct step_subject s = step_array_subject(a);
            char *frame = frame_of(&s, s.last / 2);
            for (const char *at = frame, *end; *at != '\0'; at = end + 1) {
                end = strchr(at, '\n');
                ck_assert_int_le(end - at, STEP_COLUMNS);
            }
            for (const char *at = frame; *at != '\0'; at++)
                ck_assert(*at == '\n' || (*at >= ' ' && *at <= '~'));
            free(frame);
            step_array_free(a);
        }
}
END_TEST

START_TEST(ranges_are_from_to_or_one_cycle)
{
    struct step_array *a = new_array(2, 2, 2, 2, 2, STEP_SMALL, 0);
    struct step_subject s = step_array_subject(a);
    static const char *const wrong[] = { "", "x", "1..", "..1", "2..1", "1...2", "-1", "1..2x",
                                         "0..1000", "99999999999999999999" };
    struct diag d = { .text = "" };
    cycle_t from, to;
    ck_assert(step_range(&s, "1..3", &from, &to, &d) && from == 1 && to == 3);
    ck_assert(step_range(&s, "2", &from, &to, &d) && from == 2 && to == 2);
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        ck_assert_msg(!step_range(&s, wrong[i], &from, &to, &d), "%s", wrong[i]);
    step_array_free(a);
}
END_TEST

Suite *step_suite(void)
{
    Suite *s = suite_create("step");
    TCase *t = tcase_create("array");
    tcase_add_test(t, commands_go_where_they_say);
    tcase_add_test(t, what_is_no_command_is_said_and_moves_nothing);
    tcase_add_loop_test(t, a_frame_does_not_depend_on_how_one_came_there, 0, 2);
    tcase_add_test(t, the_text_says_what_is_on_paper);
    tcase_add_test(t, frames_are_plain_and_at_most_100_columns_wide);
    tcase_add_test(t, ranges_are_from_to_or_one_cycle);
    suite_add_tcase(s, t);
    return s;
}
