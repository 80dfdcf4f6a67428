/* test_cpus.c - quotas of control groups, in folders made for it, and the other limits. */
#include "sim/cpus.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/suites.h"

static char root[64];

static void make_root(void)
{
    snprintf(root, sizeof root, "/tmp/simaccel-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void remove_root(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", root);
    ck_assert_int_eq(system(command), 0);
}

static void put(const char *path, const char *text)
{
    char command[512];
    snprintf(command, sizeof command, "mkdir -p \"$(dirname '%s%s')\" && printf '%%b\\n' '%s' "
             ">'%s%s'", root, path, text, root, path);
    ck_assert_int_eq(system(command), 0);
}

static const struct { const char *max; unsigned cpus; } quotas[] = {
    { "max 100000", 0 }, { "400000 100000", 4 }, { "450000 100000", 4 }, { "50000 100000", 1 },
    { "100000 100000", 1 }, { "", 0 }, { "x", 0 }, { "-1 100000", 0 }, { "3 0", 0 },
};

START_TEST(a_quota_of_version_2_is_so_many_whole_processors)
{
    put("/proc/self/cgroup", "0::/a");
    put("/sys/fs/cgroup/a/cpu.max", quotas[_i].max);
    ck_assert_uint_eq(cpus_of_groups(root), quotas[_i].cpus);
}
END_TEST

START_TEST(the_least_of_a_group_and_those_above_it_counts)
{
    put("/proc/self/cgroup", "0::/a/b/c");
    put("/sys/fs/cgroup/a/b/c/cpu.max", "700000 100000");
    ck_assert_uint_eq(cpus_of_groups(root), 7);
    put("/sys/fs/cgroup/a/cpu.max", "300000 100000");
    ck_assert_uint_eq(cpus_of_groups(root), 3);
    put("/sys/fs/cgroup/cpu.max", "200000 100000");     /* what a container sees of its own */
    ck_assert_uint_eq(cpus_of_groups(root), 2);
}
END_TEST

START_TEST(version_1_keeps_them_in_two_files)
{
    put("/proc/self/cgroup", "5:cpuset:/z\\n3:cpu,cpuacct:/a\\n1:memory:/y");
    put("/sys/fs/cgroup/cpu/z/cpu.cfs_quota_us", "100000");
    put("/sys/fs/cgroup/cpu/z/cpu.cfs_period_us", "100000");
    put("/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "-1");
    put("/sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "50000");
    ck_assert_uint_eq(cpus_of_groups(root), 0);
    put("/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "250000");
    ck_assert_uint_eq(cpus_of_groups(root), 5);
}
END_TEST

START_TEST(without_groups_there_is_no_limit)
{
    ck_assert_uint_eq(cpus_of_groups(root), 0);
    put("/proc/self/cgroup", "nonsense\\n0:\\n::");
    ck_assert_uint_eq(cpus_of_groups(root), 0);
}
END_TEST

START_TEST(slurm_and_the_scheduler_can_allow_less)
{
    unsigned all = cpus_allowed();
    ck_assert_uint_ge(all, 1);
    setenv("SLURM_CPUS_PER_TASK", "1", 1);
    ck_assert_uint_eq(cpus_allowed(), 1);
    setenv("SLURM_CPUS_PER_TASK", "60000", 1);
    ck_assert_uint_eq(cpus_allowed(), all);
    setenv("SLURM_CPUS_PER_TASK", "many", 1);
    ck_assert_uint_eq(cpus_allowed(), all);
    unsetenv("SLURM_CPUS_PER_TASK");

    cpu_set_t before, one;
    ck_assert_int_eq(sched_getaffinity(0, sizeof before, &before), 0);
    int first = 0;
    while (!CPU_ISSET(first, &before))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    ck_assert_uint_eq(cpus_allowed(), 1);
    ck_assert_int_eq(sched_setaffinity(0, sizeof before, &before), 0);
}
END_TEST

Suite *cpus_suite(void)
{
    Suite *s = suite_create("cpus");
    TCase *t = tcase_create("limits");
    tcase_add_checked_fixture(t, make_root, remove_root);
    tcase_add_loop_test(t, a_quota_of_version_2_is_so_many_whole_processors, 0, COUNT_OF(quotas));
    tcase_add_test(t, the_least_of_a_group_and_those_above_it_counts);
    tcase_add_test(t, version_1_keeps_them_in_two_files);
    tcase_add_test(t, without_groups_there_is_no_limit);
    tcase_add_test(t, slurm_and_the_scheduler_can_allow_less);
    suite_add_tcase(s, t);
    return s;
}
