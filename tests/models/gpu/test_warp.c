/* test_warp.c - the stack of a split warp against threads that run one by one. */
#include <stdlib.h>
#include <string.h>

#include "models/gpu/warp.h"
#include "tests/suites.h"

#define OPS 4096
#define STEPS 400           /* after so many a thread takes no more turns of a loop */

/* A program of structured control flow: ops in a row, as a compiler would lay them out. */
struct program {
    struct gpu_kernel kernel;
    struct gpu_op ops[OPS];
    uint64_t random;
    bool exits;             /* lanes may end anywhere */
};

static uint32_t next(struct program *p, uint32_t below)
{
    p->random = p->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(p->random >> 33) % below;
}

/* Register 0 is what the path made of it, register 1 how many steps it took. */
static uint32_t mixed(uint32_t x, uint32_t pc) { return x * 1664525 + pc * 2654435761u + 1; }
static bool truth(uint32_t x, uint32_t steps, uint32_t often)
{
    return steps < STEPS && (x >> 16) % 16 < often;
}

static void mix(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    for (unsigned l = 0; l < GPU_LANES; l++)
        if (mask >> l & 1) {
            w->registers[0][l] = mixed(w->registers[0][l], op->line);
            w->registers[1][l]++;
        }
}

static void test(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    for (unsigned l = 0; l < GPU_LANES; l++)
        if (mask >> l & 1) {
            uint32_t is = truth(w->registers[0][l], w->registers[1][l], op->mode[0]);
            w->predicates[0] = (w->predicates[0] & ~(1u << l)) | is << l;
        }
}

static struct gpu_op *put(struct program *p, uint8_t kind)
{
    ck_assert_uint_lt(p->kernel.count, OPS);
    struct gpu_op *op = &p->ops[p->kernel.count];
    *op = (struct gpu_op){ .kind = kind, .guard = GPU_NO_PREDICATE, .line = p->kernel.count,
                           .reconverge = GPU_NO_OP, .target = GPU_NO_OP };
    p->kernel.count++;
    return op;
}

static void put_test(struct program *p, uint32_t often)
{
    struct gpu_op *op = put(p, GPU_COMPUTE);
    op->execute = test;
    op->mode[0] = (uint8_t)often;
}

static struct gpu_op *put_branch(struct program *p, bool guarded, bool negated)
{
    struct gpu_op *op = put(p, GPU_BRANCH);
    op->guard = guarded ? 0 : GPU_NO_PREDICATE;
    op->nots = negated ? GPU_GUARD_NOT : 0;
    return op;
}

static void statements(struct program *p, int depth);

static void put_if(struct program *p, int depth)
{
    put_test(p, next(p, 17));
    struct gpu_op *away = put_branch(p, true, true), *over = NULL;
    statements(p, depth + 1);
    if (next(p, 2)) {
        over = put_branch(p, false, false);
        away->target = p->kernel.count;
        statements(p, depth + 1);
        over->target = p->kernel.count;
    } else {
        away->target = p->kernel.count;
    }
    away->reconverge = p->kernel.count;
}

/* do { ...; if (a) break; ... } while (b) */
static void put_loop(struct program *p, int depth)
{
    uint32_t head = p->kernel.count;
    struct gpu_op *leave = NULL;
    statements(p, depth + 1);
    if (next(p, 2)) {
        put_test(p, 3);
        leave = put_branch(p, true, false);
        statements(p, depth + 1);
    }
    put_test(p, 13);
    struct gpu_op *back = put_branch(p, true, false);
    back->target = head;
    back->reconverge = p->kernel.count;
    if (leave)
        leave->target = leave->reconverge = p->kernel.count;
}

static void statements(struct program *p, int depth)
{
    for (uint32_t n = 1 + next(p, 4); n > 0; n--) {
        struct gpu_op *op = put(p, GPU_COMPUTE);
        op->execute = mix;
        op->mode[1] = depth == 0;               /* all lanes must be together */
        uint32_t what = next(p, depth > 4 ? 1 : 4);
        if (what == 1)
            put_if(p, depth);
        if (what == 2)
            put_loop(p, depth);
        if (what == 3 && p->exits && next(p, 3) == 0) {
            put_test(p, 2);
            put(p, GPU_EXIT)->guard = 0;
        }
    }
}

static struct program *program(uint64_t seed, bool exits)
{
    struct program *p = calloc(1, sizeof *p);
    p->random = seed;
    p->exits = exits;
    p->kernel = (struct gpu_kernel){ .ops = p->ops, .registers = 2 };
    statements(p, 0);
    put(p, GPU_EXIT);
    return p;
}

/* One thread alone, without a stack. */
static void run_thread(const struct program *p, uint32_t x[2])
{
    bool is = false;
    for (uint32_t pc = 0; pc != GPU_NO_OP;) {
        const struct gpu_op *op = &p->ops[pc];
        bool does = op->guard == GPU_NO_PREDICATE || is != ((op->nots & GPU_GUARD_NOT) != 0);
        if (op->execute == mix) {
            x[0] = mixed(x[0], op->line);
            x[1]++;
        } else if (op->execute == test) {
            is = truth(x[0], x[1], op->mode[0]);
        }
        if (op->kind == GPU_EXIT && does)
            return;
        pc = op->kind == GPU_BRANCH && does ? op->target : pc + 1;
    }
}

START_TEST(every_lane_goes_the_way_it_would_go_alone)
{
    uint64_t seed = 77000 + (uint64_t)_i;
    struct program *p = program(seed, _i % 2);
    struct gpu_launch launch = { .kernel = &p->kernel, .grid = { 1, 1, 1 },
                                 .block = { _i % 3 ? 32 : 21, 1, 1 } };
    struct gpu_block block = { .launch = &launch };
    struct gpu_warp w;
    uint32_t registers[2][GPU_LANES], expected[GPU_LANES][2] = { { 0 } };
    gpu_warp_start(&w, &block, 0, registers);
    uint32_t all = w.active;
    for (unsigned l = 0; l < GPU_LANES; l++) {
        registers[0][l] = expected[l][0] = l * 2246822519u;
        if (all >> l & 1)
            run_thread(p, expected[l]);
    }
    for (int n = 0; !gpu_warp_done(&w); n++) {
        const struct gpu_op *op = gpu_warp_op(&w);
        ck_assert_int_lt(n, 1000000);
        ck_assert(w.active && !(w.active & w.ended));
        if (op->mode[1])
            ck_assert_msg(w.active == (all & ~w.ended), "apart at op %u, seed %llu", w.pc,
                          (unsigned long long)seed);
        gpu_warp_step(&w, op, gpu_warp_mask(&w, op), true);
    }
    ck_assert(!w.overflow && w.ended == UINT32_MAX && w.splits == 0);
    for (unsigned l = 0; l < GPU_LANES; l++) {
        ck_assert_msg(registers[0][l] == expected[l][0] && registers[1][l] == expected[l][1],
                      "lane %u, seed %llu", l, (unsigned long long)seed);
    }
    free(p);
}
END_TEST

/* 32 lanes leave one after the other; beside the one where they meet, nobody waits. */
START_TEST(lanes_that_leave_a_loop_one_by_one_take_one_place)
{
    struct program *p = calloc(1, sizeof *p);
    p->kernel = (struct gpu_kernel){ .ops = p->ops, .registers = 2 };
    put(p, GPU_COMPUTE);
    struct gpu_op *back = put_branch(p, true, false);
    back->target = 0;
    back->reconverge = 2;
    put(p, GPU_EXIT);
    struct gpu_launch launch = { .kernel = &p->kernel, .block = { 32, 1, 1 } };
    struct gpu_block block = { .launch = &launch };
    struct gpu_warp w;
    uint32_t registers[2][GPU_LANES];
    gpu_warp_start(&w, &block, 0, registers);
    for (unsigned turn = 1; turn <= GPU_LANES; turn++) {
        gpu_warp_step(&w, gpu_warp_op(&w), w.active, true);
        w.predicates[0] = UINT32_MAX << 1 << (turn - 1);
        gpu_warp_step(&w, back, gpu_warp_mask(&w, back), true);
        ck_assert_uint_le(w.splits, 1);
        ck_assert_uint_eq(w.pc, turn < GPU_LANES ? 0 : 2);
    }
    ck_assert_uint_eq(w.active, UINT32_MAX);
    ck_assert_uint_eq(w.splits, 0);
    free(p);
}
END_TEST

START_TEST(too_many_parts_are_a_fault)
{
    /* Each part's lanes split again, and meet at another place: two entries a branch. */
    struct gpu_op ops[80];
    for (uint32_t i = 0; i < 80; i++)
        ops[i] = (struct gpu_op){ .kind = GPU_BRANCH, .target = 79, .reconverge = 200 + i };
    struct gpu_kernel kernel = { .ops = ops, .count = 80, .registers = 1 };
    struct gpu_launch launch = { .kernel = &kernel, .block = { 32, 1, 1 } };
    struct gpu_block block = { .launch = &launch };
    struct gpu_warp w;
    uint32_t registers[1][GPU_LANES];
    gpu_warp_start(&w, &block, 0, registers);
    for (unsigned i = 0; i < 31; i++)
        gpu_warp_step(&w, &ops[w.pc], w.active & (0u - w.active), true);
    ck_assert_uint_eq(w.splits, 62);
    ck_assert(!w.overflow);
    w.active = 3;
    gpu_warp_step(&w, &ops[w.pc], 1, true);
    ck_assert(!w.overflow);
    w.active = 3;
    gpu_warp_step(&w, &ops[w.pc], 1, true);
    ck_assert(w.overflow);
}
END_TEST

START_TEST(timing_computes_only_what_control_needs)
{
    struct gpu_op ops[3] = { { .execute = mix, .guard = GPU_NO_PREDICATE },
                             { .execute = mix, .flags = GPU_OP_CONTROL, .guard = GPU_NO_PREDICATE },
                             { .kind = GPU_EXIT, .guard = GPU_NO_PREDICATE } };
    struct gpu_kernel kernel = { .ops = ops, .count = 3, .registers = 2 };
    struct gpu_launch launch = { .kernel = &kernel, .block = { 5, 1, 1 } };
    struct gpu_block block = { .launch = &launch };
    struct gpu_warp w;
    uint32_t registers[2][GPU_LANES];
    gpu_warp_start(&w, &block, 0, registers);
    ck_assert_uint_eq(w.active, 0x1f);
    gpu_warp_step(&w, &ops[0], w.active, false);
    ck_assert_uint_eq(registers[1][4], 0);
    gpu_warp_step(&w, &ops[1], w.active, false);
    ck_assert_uint_eq(registers[1][4], 1);
    ck_assert_uint_eq(registers[1][5], 0);
    gpu_warp_step(&w, &ops[2], w.active, false);
    ck_assert(gpu_warp_done(&w));
}
END_TEST

START_TEST(equal_offsets_of_local_memory_lie_side_by_side)
{
    struct gpu_kernel kernel = { .registers = 1, .local_bytes = 12 };
    struct gpu_launch launch = { .kernel = &kernel, .block = { 10, 5, 1 } };    /* 50 threads */
    struct gpu_block block = { .launch = &launch, .local_base = 0x1000 };
    struct gpu_warp w;
    uint32_t registers[1][GPU_LANES] = { { 0 } };
    uint16_t operands[] = { 0 };
    kernel.operands = operands;
    gpu_warp_start(&w, &block, 1, registers);       /* threads 32 to 49 */
    struct gpu_op op = { .kind = GPU_LOAD, .access = { .space = GPU_SPACE_LOCAL, .bytes = 2,
                                                       .offset = 4, .address_words = 1 } };
    op.srcs = 1;
    registers[0][0] = 2;                            /* byte 6: of word 1 */
    registers[0][3] = (uint32_t)-4;                 /* byte 0; a 32-bit address wraps */
    uint64_t address[GPU_LANES];
    gpu_warp_addresses(&w, &op, 0x9, address);
    ck_assert_uint_eq(address[0], 0x1000 + (50 + 32) * 4 + 2);
    ck_assert_uint_eq(address[3], 0x1000 + 35 * 4);
    ck_assert_uint_eq(gpu_warp_local(&w, 5, 9), 0x1000 + (2 * 50 + 37) * 4 + 1);
    ck_assert_uint_eq(gpu_warp_local(&w, 5, 12), GPU_LOCAL_WINDOW + 12);    /* not its own */
}
END_TEST

START_TEST(addresses_are_registers_and_an_offset)
{
    struct gpu_kernel kernel = { .registers = 2 };
    struct gpu_launch launch = { .kernel = &kernel, .block = { 32, 1, 1 } };
    struct gpu_block block = { .launch = &launch };
    struct gpu_warp w;
    uint32_t registers[2][GPU_LANES];
    uint16_t operands[] = { 0, 1 };
    uint64_t address[GPU_LANES];
    kernel.operands = operands;
    gpu_warp_start(&w, &block, 0, registers);
    for (unsigned l = 0; l < GPU_LANES; l++) {
        registers[0][l] = 0xfffffff0u + l;
        registers[1][l] = l;
    }
    struct gpu_op op = { .kind = GPU_STORE, .srcs = 2,
                         .access = { .space = GPU_SPACE_GLOBAL, .bytes = 4, .offset = -8,
                                     .address_words = 2 } };
    gpu_warp_addresses(&w, &op, UINT32_MAX, address);
    for (unsigned l = 0; l < GPU_LANES; l++)
        ck_assert_uint_eq(address[l], ((uint64_t)l << 32) + (uint32_t)(0xfffffff0u + l) - 8);
    op.access = (struct gpu_access){ .space = GPU_SPACE_SHARED, .bytes = 4, .offset = 40 };
    gpu_warp_addresses(&w, &op, UINT32_MAX, address);
    ck_assert_uint_eq(address[31], 40);
    ck_assert_int_eq(gpu_address_space(GPU_SHARED_WINDOW + 5), GPU_SPACE_SHARED);
    ck_assert_int_eq(gpu_address_space(GPU_LOCAL_WINDOW), GPU_SPACE_LOCAL);
    ck_assert_int_eq(gpu_address_space(GPU_CONST_WINDOW), GPU_SPACE_CONST);
    ck_assert_int_eq(gpu_address_space(GPU_SHARED_WINDOW + GPU_WINDOW_BYTES), GPU_SPACE_GLOBAL);
    ck_assert_int_eq(gpu_address_space(0x10000000), GPU_SPACE_GLOBAL);
}
END_TEST

Suite *warp_suite(void)
{
    Suite *s = suite_create("warp");
    TCase *t = tcase_create("stack");
    tcase_add_loop_test(t, every_lane_goes_the_way_it_would_go_alone, 0, 300);
    tcase_add_test(t, lanes_that_leave_a_loop_one_by_one_take_one_place);
    tcase_add_test(t, too_many_parts_are_a_fault);
    tcase_add_test(t, timing_computes_only_what_control_needs);
    suite_add_tcase(s, t);
    t = tcase_create("addresses");
    tcase_add_test(t, equal_offsets_of_local_memory_lie_side_by_side);
    tcase_add_test(t, addresses_are_registers_and_an_offset);
    suite_add_tcase(s, t);
    return s;
}
