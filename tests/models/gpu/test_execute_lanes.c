/* test_execute_lanes.c - shuffles, votes, matches, reductions: against loops over lanes. */
#include "tests/models/gpu/execute_check.h"
#include "tests/suites.h"

static void fill(struct execute_rig *r, unsigned source, struct execute_random *x, uint32_t most)
{
    for (unsigned l = 0; l < GPU_LANES; l++)
        execute_rig_source(r, source)[l] = most ? execute_random_word(x) % most
                                                : execute_random_word(x);
}

/* As the PTX manual writes it. */
static bool shuffled(const char *mode, int lane, uint32_t b, uint32_t c, int *j)
{
    int bval = b & 31, cval = c & 31, segmask = c >> 8 & 31;
    int max = (lane & segmask) | (cval & ~segmask), min = lane & segmask;
    bool p = false;
    if (!strcmp(mode, "up"))
        *j = lane - bval, p = *j >= max;
    else if (!strcmp(mode, "down"))
        *j = lane + bval, p = *j <= max;
    else if (!strcmp(mode, "bfly"))
        *j = lane ^ bval, p = *j <= max;
    else
        *j = min | (bval & ~segmask), p = *j <= max;
    if (!p)
        *j = lane;
    return p;
}

START_TEST(a_shuffle_reads_the_lane_that_it_names)
{
    static const char *const modes[] = { "up", "down", "bfly", "idx" };
    /* Clamps and segments of 32, 16, 8 and 4 lanes. */
    static const uint32_t cs[] = { 0x1f, 0, 0x101f, 0x1000, 0x181f, 0x1800, 0x1c1f, 0x1c03 };
    char text[96];
    snprintf(text, sizeof text, "shfl.sync.%s.b32 %%r0|%%p1, %%r1, %%r2, %%r3, %%r4;", modes[_i]);
    struct execute_random x = { (uint64_t)_i };
    struct execute_rig *r = execute_rig_new(text);
    for (int round = 0; round < 64; round++) {
        uint32_t c = cs[round % 8];
        fill(r, 0, &x, 0);
        for (unsigned l = 0; l < GPU_LANES; l++) {
            execute_rig_source(r, 1)[l] = round < 32 ? (uint32_t)round : execute_random_word(&x) % 40;
            execute_rig_source(r, 2)[l] = c;
        }
        r->warp.predicates[1] = 0;
        execute_rig_run(r, UINT32_MAX);
        for (int l = 0; l < GPU_LANES; l++) {
            int from;
            bool p = shuffled(modes[_i], l, execute_rig_source(r, 1)[l], c, &from);
            ck_assert_uint_eq(execute_rig_dest(r, 0)[l], execute_rig_source(r, 0)[from]);
            ck_assert_uint_eq(r->warp.predicates[1] >> l & 1, p);
        }
    }
    execute_rig_free(r);
}
END_TEST

START_TEST(lanes_that_take_part_vote)
{
    static const struct { const char *text; int ballot; } votes[] = {
        { "vote.sync.all.pred %p0, %p1, 0xffffffff;", 0 },
        { "vote.sync.any.pred %p0, !%p1, 0xffffffff;", 0 },
        { "vote.sync.uni.pred %p0, %p1, 0xffffffff;", 0 },
        { "vote.sync.ballot.b32 %r0, %p1, 0xffffffff;", 1 },
    };
    static const uint32_t masks[] = { UINT32_MAX, 0x0000ffff, 0x10, 0xf0f0f0f0 };
    static const uint32_t saids[] = { 0, UINT32_MAX, 0x0000ffff, 0x10, 0x12345678 };
    for (size_t v = 0; v < COUNT_OF(votes); v++)
        for (size_t m = 0; m < COUNT_OF(masks); m++)
            for (size_t s = 0; s < COUNT_OF(saids); s++) {
                struct execute_rig *r = execute_rig_new(votes[v].text);
                uint32_t mask = masks[m], said = saids[s] & mask;
                r->warp.predicates[1] = saids[s];
                execute_rig_run(r, mask);
                bool expected = v == 0 ? said == mask : v == 1 ? said != mask
                                : said == 0 || said == mask;
                if (votes[v].ballot)
                    for (unsigned l = 0; l < GPU_LANES; l++)
                        ck_assert_uint_eq(execute_rig_dest(r, 0)[l], mask >> l & 1 ? said : 0);
                else
                    ck_assert_uint_eq(r->warp.predicates[0], expected ? mask : 0);
                execute_rig_free(r);
            }
}
END_TEST

START_TEST(lanes_find_those_with_their_value)
{
    struct execute_random x = { 5 };
    struct execute_rig *any = execute_rig_new("match.any.sync.b32 %r0, %r1, %r2;");
    struct execute_rig *wide = execute_rig_new("match.any.sync.b64 %r0, %rd1, %r2;");
    struct execute_rig *all = execute_rig_new("match.all.sync.b32 %r0|%p3, %r1, %r2;");
    for (int round = 0; round < 60; round++) {
        uint32_t mask = execute_random_word(&x) | 1, same = 0;
        fill(any, 0, &x, 4);
        fill(all, 0, &x, 1 + (uint32_t)round % 2);
        for (unsigned l = 0; l < GPU_LANES; l++) {
            execute_rig_source(wide, 0)[l] = 7;
            execute_rig_source(wide, 1)[l] = execute_rig_source(any, 0)[l];
            same |= (uint32_t)(execute_rig_source(all, 0)[l] ==
                               execute_rig_source(all, 0)[__builtin_ctz(mask)]) << l;
        }
        all->warp.predicates[3] = 0;
        execute_rig_run(any, mask);
        execute_rig_run(wide, mask);
        execute_rig_run(all, mask);
        for (unsigned l = 0; l < GPU_LANES; l++) {
            uint32_t expected = 0;
            for (unsigned o = 0; o < GPU_LANES; o++)
                if (mask >> o & 1 && execute_rig_source(any, 0)[o] == execute_rig_source(any, 0)[l])
                    expected |= UINT32_C(1) << o;
            if (!(mask >> l & 1))
                continue;
            ck_assert_uint_eq(execute_rig_dest(any, 0)[l], expected);
            ck_assert_uint_eq(execute_rig_dest(wide, 0)[l], expected);
            ck_assert_uint_eq(execute_rig_dest(all, 0)[l], (same & mask) == mask ? mask : 0);
        }
        ck_assert_uint_eq(all->warp.predicates[3], (same & mask) == mask ? mask : 0);
    }
    execute_rig_free(any);
    execute_rig_free(wide);
    execute_rig_free(all);
}
END_TEST

START_TEST(lanes_reduce_to_one_number)
{
    static const char *const ops[] = { "add.u32", "min.u32", "max.u32", "min.s32", "max.s32",
                                       "and.b32", "or.b32", "xor.b32" };
    struct execute_random x = { 6 };
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        char text[64];
        snprintf(text, sizeof text, "redux.sync.%s %%r0, %%r1, %%r2;", ops[i]);
        struct execute_rig *r = execute_rig_new(text);
        for (int round = 0; round < 20; round++) {
            uint32_t mask = execute_random_word(&x) | 0x100, sum = 0;
            bool first = true;
            fill(r, 0, &x, 0);
            for (unsigned l = 0; l < GPU_LANES; l++) {
                uint32_t a = execute_rig_source(r, 0)[l];
                if (!(mask >> l & 1))
                    continue;
                switch (first ? -1 : (int)i) {
                case -1: sum = a; break;
                case 0:  sum += a; break;
                case 1:  sum = a < sum ? a : sum; break;
                case 2:  sum = a > sum ? a : sum; break;
                case 3:  sum = (int32_t)a < (int32_t)sum ? a : sum; break;
                case 4:  sum = (int32_t)a > (int32_t)sum ? a : sum; break;
                case 5:  sum &= a; break;
                case 6:  sum |= a; break;
                default: sum ^= a; break;
                }
                first = false;
            }
            execute_rig_run(r, mask);
            for (unsigned l = 0; l < GPU_LANES; l++)
                if (mask >> l & 1)
                    ck_assert_uint_eq(execute_rig_dest(r, 0)[l], sum);
        }
        execute_rig_free(r);
    }
}
END_TEST

START_TEST(a_warp_knows_its_active_lanes_and_elects_one)
{
    struct execute_rig *r = execute_rig_new("activemask.b32 %r0;");
    execute_rig_run(r, 0x00f0ff00);
    ck_assert_uint_eq(execute_rig_dest(r, 0)[9], 0x00f0ff00);
    execute_rig_free(r);
    r = execute_rig_new("elect.sync %r0|%p1, %r2;");
    execute_rig_run(r, 0x00f0ff00);
    ck_assert_uint_eq(execute_rig_dest(r, 0)[20], 8);
    ck_assert_uint_eq(r->warp.predicates[1], 0x100);
    execute_rig_free(r);
}
END_TEST

/* Element [i][j] is 8 i + j: two in a word, a row in four lanes. */
START_TEST(a_matrix_of_halves_is_transposed)
{
    struct execute_rig *r = execute_rig_new("movmatrix.sync.aligned.m8n8.trans.b16 %r0, %r1;");
    for (unsigned l = 0; l < GPU_LANES; l++)
        execute_rig_source(r, 0)[l] = 2 * l | (2 * l + 1) << 16;
    execute_rig_run(r, UINT32_MAX);
    for (unsigned l = 0; l < GPU_LANES; l++) {
        unsigned row = l / 4, column = l % 4 * 2;
        ck_assert_uint_eq(execute_rig_dest(r, 0)[l], (8 * column + row) | (8 * column + 8 + row) << 16);
    }
    execute_rig_free(r);
}
END_TEST

START_TEST(a_barrier_reduces)
{
    struct execute_rig *r = execute_rig_read("bar.red.popc.u32 %r0, 1, 64, !%p2;");
    ck_assert(gpu_execute_find(r->i, &r->op));
    r->warp.predicates[2] = 0xffff0000;
    ck_assert_uint_eq(gpu_warp_barrier_true(&r->warp, &r->op, 0x0001ffff), 16);
    gpu_warp_barrier_result(&r->warp, &r->op, 0x6, 37, 64);
    ck_assert_uint_eq(execute_rig_dest(r, 0)[1], 37);
    ck_assert_uint_eq(execute_rig_dest(r, 0)[0], 0);
    execute_rig_free(r);
    r = execute_rig_read("bar.red.and.pred %p0, 1, %p2;");
    ck_assert(gpu_execute_find(r->i, &r->op));
    gpu_warp_barrier_result(&r->warp, &r->op, 0xf, 63, 64);
    ck_assert_uint_eq(r->warp.predicates[0], 0);
    gpu_warp_barrier_result(&r->warp, &r->op, 0xf, 64, 64);
    ck_assert_uint_eq(r->warp.predicates[0], 0xf);
    execute_rig_free(r);
    r = execute_rig_read("bar.red.or.pred %p0, 1, %p2;");
    ck_assert(gpu_execute_find(r->i, &r->op));
    gpu_warp_barrier_result(&r->warp, &r->op, 0xf, 1, 64);
    ck_assert_uint_eq(r->warp.predicates[0], 0xf);
    gpu_warp_barrier_result(&r->warp, &r->op, 0x3, 0, 64);
    ck_assert_uint_eq(r->warp.predicates[0], 0xc);
    execute_rig_free(r);
}
END_TEST

Suite *execute_lanes_suite(void)
{
    Suite *s = suite_create("execute_lanes");
    TCase *t = tcase_create("values");
    tcase_add_loop_test(t, a_shuffle_reads_the_lane_that_it_names, 0, 4);
    tcase_add_test(t, lanes_that_take_part_vote);
    tcase_add_test(t, lanes_find_those_with_their_value);
    tcase_add_test(t, lanes_reduce_to_one_number);
    tcase_add_test(t, a_warp_knows_its_active_lanes_and_elects_one);
    tcase_add_test(t, a_matrix_of_halves_is_transposed);
    tcase_add_test(t, a_barrier_reduces);
    suite_add_tcase(s, t);
    return s;
}
