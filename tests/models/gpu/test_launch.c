/* test_launch.c - how many blocks an SM holds, by hand, and the launches that are refused. */
#include <string.h>

#include "models/gpu/launch.h"
#include "tests/models/gpu/gpu_figures.h"
#include "tests/suites.h"

/* A V100: 64 warps, 32 blocks, 65536 registers in four parts of 16384, 256 at a time;
 * 98304 bytes of shared memory, 256 at a time. */
static const struct {
    uint32_t threads, registers, fixed, dynamic;
    uint32_t blocks, warps, warp_registers, bytes;
    enum gpu_limit limit;
} fits[] = {
    /* 64 / 8 warps = 8 blocks; 8 x 8 x 1024 registers fill it too, but warps come first. */
    { 256,  32,     0,     0,  8,  8, 1024,     0, GPU_LIMIT_WARPS },
    /* A warp of 33 registers takes 1056, rounded up 1280: 12 in a sub-core, 48 in all. */
    { 256,  33,     0,     0,  6,  8, 1280,     0, GPU_LIMIT_REGISTERS },
    /* 255 x 32 = 8160, 8192: two in a sub-core, eight in all; a block of five takes it once. */
    { 160, 255,     0,     0,  1,  5, 8192,     0, GPU_LIMIT_REGISTERS },
    { 32,   16,     0,     0, 32,  1,  512,     0, GPU_LIMIT_BLOCKS },
    { 1,    16,     0,     0, 32,  1,  512,     0, GPU_LIMIT_BLOCKS },
    /* 10001 + 20000 = 30001, rounded up 30208: three of them. */
    { 64,   16, 10001, 20000,  3,  2,  512, 30208, GPU_LIMIT_SHARED },
    { 1024, 64, 98304,     0,  1, 32, 2048, 98304, GPU_LIMIT_REGISTERS },
};

START_TEST(what_runs_out_first_bounds_the_blocks)
{
    struct gpu_config c = gpu_v100();
    struct gpu_kernel k = { .name = "k", .registers = fits[_i].registers,
                            .shared_bytes = fits[_i].fixed };
    struct gpu_launch l = { .kernel = &k, .grid = { 1, 2, 3 }, .shared_bytes = fits[_i].dynamic,
                            .block = { fits[_i].threads, 1, 1 } };
    struct gpu_occupancy o;
    struct diag d = { .text = "" };
    ck_assert_msg(gpu_occupancy(&c, &l, &o, &d), "%s", d.text);
    ck_assert_uint_eq(o.blocks, fits[_i].blocks);
    ck_assert_uint_eq(o.warps, fits[_i].warps);
    ck_assert_uint_eq(o.registers, fits[_i].warp_registers);
    ck_assert_uint_eq(o.shared_bytes, fits[_i].bytes);
    ck_assert_uint_eq(o.limit, fits[_i].limit);
}
END_TEST

START_TEST(a_block_pays_for_what_the_system_reserves)
{
    struct gpu_config c = gpu_a100();       /* 1024 bytes of each block; 167936 in all */
    struct gpu_kernel k = { .name = "k", .registers = 16 };
    struct gpu_launch l = { .kernel = &k, .grid = { 1, 1, 1 }, .block = { 32, 1, 1 },
                            .shared_bytes = 82944 };
    struct gpu_occupancy o;
    struct diag d = { .text = "" };
    ck_assert(gpu_occupancy(&c, &l, &o, &d));
    ck_assert_uint_eq(o.blocks, 2);         /* 2 x 83968 is exactly all of it */
    l.shared_bytes++;
    ck_assert(gpu_occupancy(&c, &l, &o, &d));
    ck_assert_uint_eq(o.blocks, 1);
    ck_assert_uint_eq(o.limit, GPU_LIMIT_SHARED);
}
END_TEST

static const struct {
    struct gpu_launch l;
    struct gpu_kernel k;
    const char *says;
} refused[] = {
    { { .grid = { 0, 1, 1 }, .block = { 1, 1, 1 } }, { .registers = 1 }, "0 blocks along x" },
    { { .grid = { 1, 65536, 1 }, .block = { 1, 1, 1 } }, { .registers = 1 },
      "65536 blocks along y; expected 1 to 65535" },
    { { .grid = { 2147483648u, 1, 1 }, .block = { 1, 1, 1 } }, { .registers = 1 },
      "2147483648 blocks along x" },
    { { .grid = { 1, 1, 1 }, .block = { 1, 0, 1 } }, { .registers = 1 }, "0 threads along y" },
    { { .grid = { 1, 1, 1 }, .block = { 1, 1, 65 } }, { .registers = 1 }, "65 threads along z" },
    { { .grid = { 1, 1, 1 }, .block = { 1024, 1024, 64 } }, { .registers = 1 },
      "67108864 threads; expected at most 1024" },
    { { .grid = { 1, 1, 1 }, .block = { 33, 1, 1 } }, { .registers = 1, .max_threads = 32 },
      "33 threads; its .maxntid allows 32" },
    { { .grid = { 1, 1, 1 }, .block = { 33, 1, 1 } },
      { .registers = 1, .required = { 32, 1, 1 } }, "its .reqntid asks for 32" },
    { { .grid = { 1, 1, 1 }, .block = { 32, 1, 1 }, .shared_bytes = 98000 },
      { .registers = 1, .shared_bytes = 305 }, "98305 bytes of shared memory" },
    /* 32 warps of 72 registers, 2304 each: seven in a sub-core, 28 in all. */
    { { .grid = { 1, 1, 1 }, .block = { 1024, 1, 1 } }, { .registers = 72 },
      "it takes 32 warps with that many registers; an SM has room for 28" },
};

START_TEST(a_launch_that_cannot_run_is_refused_in_words)
{
    struct gpu_config c = gpu_v100();
    struct gpu_kernel k = refused[_i].k;
    struct gpu_launch l = refused[_i].l;
    strcpy(k.name, "saxpy");
    l.kernel = &k;
    struct gpu_occupancy o;
    struct diag d = { .text = "" };
    ck_assert(!gpu_occupancy(&c, &l, &o, &d));
    ck_assert_msg(strstr(d.text, refused[_i].says), "%s", d.text);
    ck_assert_msg(strstr(d.text, "saxpy: ") == d.text, "%s", d.text);
}
END_TEST

START_TEST(local_memory_is_for_all_threads_that_can_be_there)
{
    struct gpu_kernel k = { .local_bytes = 12 };
    struct gpu_launch l = { .kernel = &k };
    struct gpu_occupancy o = { .blocks = 3, .warps = 5 };
    ck_assert_uint_eq(gpu_local_bytes(&l, &o), 3 * 5 * 32 * 12);
}
END_TEST

Suite *launch_suite(void)
{
    Suite *s = suite_create("launch");
    TCase *t = tcase_create("occupancy");
    tcase_add_loop_test(t, what_runs_out_first_bounds_the_blocks, 0, COUNT_OF(fits));
    tcase_add_test(t, a_block_pays_for_what_the_system_reserves);
    tcase_add_loop_test(t, a_launch_that_cannot_run_is_refused_in_words, 0, COUNT_OF(refused));
    tcase_add_test(t, local_memory_is_for_all_threads_that_can_be_there);
    suite_add_tcase(s, t);
    return s;
}
