/* test_recipe.c - programs written by hand, whose leads and tails can be read off. */
#include "models/tpu/recipe.h"
#include "tests/suites.h"

struct writing {
    struct tpu_program *program;
    uint32_t semaphore[TPU_UNITS_COUNT];
};

static struct writing begin(void)
{
    struct writing w = { .program = tpu_program_new(1) };
    for (int u = 0; u < TPU_UNITS_COUNT; u++)
        w.semaphore[u] = tpu_program_semaphore(w.program, u);
    return w;
}

/* An operation of a size, that waits for so many of another unit (of none: 0). */
static void add(const struct writing *w, enum tpu_unit unit, uint32_t size, enum tpu_unit other,
                uint32_t count)
{
    struct tpu_uop u = { .unit = unit, .signal = w->semaphore[unit] };
    switch (unit) {
    case TPU_LOAD: case TPU_STORE: u.transfer = (struct tpu_transfer){ 0, 0, 1, size }; break;
    case TPU_MATRIX: u.product = (struct tpu_product){ .m = size, .k = 1, .n = 1 }; break;
    case TPU_VECTOR: u.arithmetic = (struct tpu_arithmetic){ .alu = size }; break;
    case TPU_TRANSPOSE: u.turn = (struct tpu_turn){ size, 1, 1 }; break;
    case TPU_LINK: u.send.bytes = size; break;
    case TPU_UNITS_COUNT: break;
    }
    tpu_uop_wait(&u, w->semaphore[other], count);
    tpu_program_add(w->program, &u);
}

static void check(const struct tpu_recipe *r, enum tpu_unit unit, uint32_t kind,
                  struct tpu_recipe_unit expected)
{
    const struct tpu_recipe_unit *u = &r->of[unit][kind];
    ck_assert_msg(u->work == expected.work && u->rest == expected.rest && u->lead == expected.lead
                  && u->tail == expected.tail, "unit %d, kind %u: %u %u %u %u", unit, kind, u->work,
                  u->rest, u->lead, u->tail);
}

/* Two panels: x stays, w of each panel, a product, its bias, an epilogue, a store.
 * Kinds in order: 0 load x, 1 load w, 2 product, 3 load bias, 4 vector, 5 store. */
START_TEST(a_product_of_two_panels_has_what_its_drawing_says)
{
    struct writing w = begin();
    struct tpu_recipe r;
    add(&w, TPU_LOAD, 100, TPU_LOAD, 0);
    for (uint32_t panel = 1; panel <= 2; panel++) {
        add(&w, TPU_LOAD, 70, TPU_LOAD, 0);
        add(&w, TPU_MATRIX, 5, TPU_LOAD, 2 * panel);
        add(&w, TPU_LOAD, 3, TPU_LOAD, 0);
        struct tpu_uop u = { .unit = TPU_VECTOR, .signal = w.semaphore[TPU_VECTOR],
                             .arithmetic = { .alu = 9 } };
        tpu_uop_wait(&u, w.semaphore[TPU_MATRIX], panel);
        tpu_uop_wait(&u, w.semaphore[TPU_LOAD], 2 * panel + 1);
        tpu_program_add(w.program, &u);
        add(&w, TPU_STORE, 8, TPU_VECTOR, panel);
    }
    tpu_recipe(&r, w.program, 0);
    ck_assert_uint_eq(r.count, 6);
    /* The last product needs four loads: x, w, bias, w.  The last bias is the rest. */
    check(&r, TPU_LOAD, 0, (struct tpu_recipe_unit){ .work = 1 });
    check(&r, TPU_LOAD, 1, (struct tpu_recipe_unit){ .work = 2 });
    check(&r, TPU_LOAD, 3, (struct tpu_recipe_unit){ .work = 1, .rest = 1 });
    check(&r, TPU_LOAD, 2, (struct tpu_recipe_unit){ .tail = 1 });
    check(&r, TPU_LOAD, 5, (struct tpu_recipe_unit){ .tail = 1 });
    check(&r, TPU_MATRIX, 0, (struct tpu_recipe_unit){ .lead = 1 });
    check(&r, TPU_MATRIX, 1, (struct tpu_recipe_unit){ .lead = 1 });
    check(&r, TPU_MATRIX, 2, (struct tpu_recipe_unit){ .work = 2 });
    check(&r, TPU_MATRIX, 3, (struct tpu_recipe_unit){ .lead = 0 });
    check(&r, TPU_MATRIX, 4, (struct tpu_recipe_unit){ .tail = 1 });
    check(&r, TPU_VECTOR, 1, (struct tpu_recipe_unit){ .lead = 1 });
    check(&r, TPU_VECTOR, 3, (struct tpu_recipe_unit){ .lead = 0 });    /* beside the product */
    check(&r, TPU_STORE, 2, (struct tpu_recipe_unit){ .lead = 1 });
    check(&r, TPU_STORE, 5, (struct tpu_recipe_unit){ .work = 2 });
    tpu_program_free(w.program);
}
END_TEST

/* x is turned before both products: the transpose units are in the lead of the matrix units,
 * and have no work of their own.  Kinds: 0 load, 1 turn, 2 product. */
START_TEST(a_transpose_of_an_operand_only_leads)
{
    struct writing w = begin();
    struct tpu_recipe r;
    add(&w, TPU_LOAD, 100, TPU_LOAD, 0);
    add(&w, TPU_TRANSPOSE, 6, TPU_LOAD, 1);
    add(&w, TPU_MATRIX, 5, TPU_TRANSPOSE, 1);
    add(&w, TPU_MATRIX, 5, TPU_TRANSPOSE, 1);
    tpu_recipe(&r, w.program, 0);
    check(&r, TPU_MATRIX, 0, (struct tpu_recipe_unit){ .lead = 1 });    /* through the turn */
    check(&r, TPU_MATRIX, 1, (struct tpu_recipe_unit){ .lead = 1 });
    check(&r, TPU_TRANSPOSE, 0, (struct tpu_recipe_unit){ .lead = 0 });
    check(&r, TPU_TRANSPOSE, 1, (struct tpu_recipe_unit){ .rest = 1 });
    tpu_program_free(w.program);
}
END_TEST

START_TEST(too_many_kinds_are_none)
{
    struct writing w = begin();
    struct tpu_recipe r;
    for (uint32_t i = 0; i <= TPU_RECIPE_KINDS; i++)
        add(&w, TPU_LOAD, 1 + i, TPU_LOAD, 0);
    tpu_recipe(&r, w.program, 0);
    ck_assert_uint_eq(r.count, 0);
    tpu_program_free(w.program);
}
END_TEST

Suite *recipe_suite(void)
{
    Suite *s = suite_create("recipe");
    TCase *t = tcase_create("recipe");
    tcase_add_test(t, a_product_of_two_panels_has_what_its_drawing_says);
    tcase_add_test(t, a_transpose_of_an_operand_only_leads);
    tcase_add_test(t, too_many_kinds_are_none);
    suite_add_tcase(s, t);
    return s;
}
