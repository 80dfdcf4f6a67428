/* bench_gpu.c - whole runs of the program on GPUs: how fast, how large, and what costs nothing.
 *
 *     rate      million operations of warps a CPU second: timing, and with values
 *     run       CPU seconds and peak memory
 *     ratio     of one run to another: more idle hardware; accounting for energy; two threads
 *
 * $SIMACCEL is the program (default: build/simaccel), from the root of the tree; beside this
 * one stands `unpaid`, the same without a ledger.  The least of a few runs counts; the two of a
 * ratio take turns.  Products are of whole tiles that fill the chip, at a fixed clock.  An
 * argument chooses the rows whose names have it.
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_ARGS 24
#define PATH      200
#define COUNT_OF(array) (sizeof (array) / sizeof (array)[0])

static char json_path[] = "/tmp/bench_gpu_json_XXXXXX";
static char text_path[] = "/tmp/bench_gpu_text_XXXXXX";
static char dump[] = "c=/tmp/bench_gpu_dump_XXXXXX";        /* a kernel's values are wanted */

struct taken { double cpu_s, wall_s, mib; };

/* ---- one run */

static double seconds(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec * 1e-6;
}

static double wall_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* `more` (may be NULL) follows `args`.  The report goes to text_path. */
static bool run(const char *program, const char *const *args, const char *const *more,
                struct taken *t)
{
    const char *argv[MOST_ARGS + 8] = { "simaccel" };
    size_t n = 1;
    for (; *args; args++)
        argv[n++] = *args;
    for (; more && *more; more++)
        argv[n++] = *more;
    double start = wall_clock();
    pid_t pid = fork();
    if (pid == 0) {
        int out = open(text_path, O_WRONLY | O_TRUNC);
        dup2(out, STDOUT_FILENO);
        execv(program, (char *const *)(void *)argv);
        _exit(127);
    }
    int status;
    struct rusage r;
    if (pid < 0 || wait4(pid, &status, 0, &r) != pid)
        return false;
    t->wall_s = wall_clock() - start;
    t->cpu_s = seconds(&r.ru_utime) + seconds(&r.ru_stime);
    t->mib = (double)r.ru_maxrss / 1024;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void keep_least(struct taken *least, const struct taken *t)
{
    least->cpu_s = t->cpu_s < least->cpu_s ? t->cpu_s : least->cpu_s;
    least->wall_s = t->wall_s < least->wall_s ? t->wall_s : least->wall_s;
    least->mib = t->mib > least->mib ? t->mib : least->mib;
}

static const struct taken NO_RUN = { 1e9, 1e9, 0 };

static bool failed(const char *name)
{
    printf("%-52s failed\n", name);
    return false;
}

/* ---- rates */

#define V100 "--arch", "v100", "--clock", "1530"

/* Arguments of a product of 1280x512x1024 after a and b, as models/gpu/kernels/kernels.h says. */
#define PRODUCT "buf:c=1310720xf32,u64:0,u64:0,u32:1280,u32:1024,u32:512,u32:512,u32:1024," \
                "u32:1024,u32:0,u64:0,u64:0,u64:0,u64:0,u32:1,u32:512,u32:0,u32:0"
#define SGEMM   "kernel", "models/gpu/kernels/sgemm.sm_70.ptx", "--entry", \
                "sgemm_nn_128x128x8_a1", V100, "--block", "256", "--shared", "36864", "--args", \
                "buf:a=655360xf32:random,buf:b=524288xf32:random," PRODUCT

static const struct rate {
    const char *name;
    double      wanted;             /* million a CPU second */
    const char *args[MOST_ARGS];
} rates[] = {
    { "sgemm 1280x512x1024 on v100, timing", 3,
      { "gemm", "1280x512x1024", "--type", "f32", V100 } },
    { "HGEMM 1280x1024x1024 on v100, timing", 3,
      { "gemm", "1280x1024x1024", "--type", "f16", V100 } },
    { "bf16 GEMM 1152x1024x1536 on a100, timing", 3,
      { "gemm", "1152x1024x1536", "--type", "bf16", "--arch", "a100", "--clock", "1410" } },
    { "the same sgemm on v100, with values", 1,
      { SGEMM, "--grid", "10x8", "--dump", dump } },
    { "HGEMM 1280x512x1024 on v100, with values", 1,
      { "kernel", "models/gpu/kernels/gemm70.sm_70.ptx", "--entry", "gemm_f16_nn_128x64x32_a8",
        V100, "--grid", "10x16", "--dump", dump, "--block", "128", "--shared", "30720", "--args",
        "buf:a=655360xf16:random,buf:b=524288xf16:random," PRODUCT } },
};

static double operations(void)
{
    json_t *root = json_load_file(json_path, 0, NULL), *launch;
    double sum = 0;
    size_t i;
    json_array_foreach(json_object_get(root, "launches"), i, launch)
        sum += json_number_value(json_object_get(launch, "operations"));
    json_decref(root);
    return sum;
}

static bool measure_rate(const char *program, const struct rate *r)
{
    static const char *const json[] = { "--json", json_path, NULL };
    struct taken t, least = NO_RUN;
    for (int i = 0; i < 3; i++) {
        if (!run(program, r->args, json, &t))
            return failed(r->name);
        keep_least(&least, &t);
    }
    double millions = operations() / 1e6, rate = millions / least.cpu_s;
    printf("%-52s %6.2f M/s (%.1f M, %.2f CPU s)   %4.0f %% of the %.0f M/s wanted\n", r->name,
           rate, millions, least.cpu_s, 100 * rate / r->wanted, r->wanted);
    return true;
}

/* ---- runs */

static const struct whole {
    const char *name;
    int         times;
    double      wanted_s, wanted_mib;       /* 0: none */
    const char *args[MOST_ARGS];
} wholes[] = {
    { "HGEMM 512x512x512 on v100", 5, 0.5, 64,
      { "gemm", "512x512x512", "--type", "f16", "--arch", "v100" } },
    { "mlp.trace on v100", 3, 3, 0, { "--arch", "gpu", "workloads/mlp.trace" } },
    { "HGEMM 4096x4096x4096 on v100, sampled", 1, 30, 0,
      { "gemm", "4096x4096x4096", "--type", "f16", "--arch", "v100", "--sample" } },
};

static bool measure_whole(const char *program, const struct whole *w)
{
    struct taken t, least = NO_RUN;
    for (int i = 0; i < w->times; i++) {
        if (!run(program, w->args, NULL, &t))
            return failed(w->name);
        keep_least(&least, &t);
    }
    printf("%-52s %6.2f CPU s %6.1f MiB   %4.0f %% of the %.1f s wanted", w->name, least.cpu_s,
           least.mib, 100 * least.cpu_s / w->wanted_s, w->wanted_s);
    if (w->wanted_mib > 0)
        printf(", %.0f %% of the %.0f MiB", 100 * least.mib / w->wanted_mib, w->wanted_mib);
    putchar('\n');
    return true;
}

/* ---- ratios */

static const struct ratio {
    const char *name;
    double      wanted;             /* at most */
    int         times;
    bool        wall, unpaid;       /* of wall-clock time; the second is of the other program */
    const char *args[MOST_ARGS];
    const char *first[4], *second[4];
} ratios[] = {
    { "16 blocks on 800 SMs to on 80", 1.10, 9, false, false,
      { SGEMM, "--grid", "4x4" },
      { "--set", "sm.count=800" }, { "--set", "sm.count=80" } },
    { "HGEMM with its energy accounted for to without", 1.05, 7, false, true,
      { "gemm", "1280x1024x1024", "--type", "f16", V100 }, { NULL }, { NULL } },
    { "HGEMM on two threads to on one, wall clock", 1, 5, true, false,
      { "gemm", "1280x1024x1024", "--type", "f16", V100 },
      { "--threads", "2" }, { "--threads", "1" } },
};

static bool measure_ratio(const char *program, const char *unpaid, const struct ratio *r)
{
    struct taken t, first = NO_RUN, second = NO_RUN;
    const char *other = r->unpaid ? unpaid : program;
    for (int i = 0; i < r->times; i++) {
        if (!run(program, r->args, r->first, &t))
            return failed(r->name);
        keep_least(&first, &t);
        if (!run(other, r->args, r->second, &t))
            return failed(r->name);
        keep_least(&second, &t);
    }
    double a = r->wall ? first.wall_s : first.cpu_s, b = r->wall ? second.wall_s : second.cpu_s;
    printf("%-52s %6.3f (%.3f and %.3f s)   at most %.2f wanted\n", r->name, a / b, a, b,
           r->wanted);
    return true;
}

int main(int argc, char **argv)
{
    const char *program = getenv("SIMACCEL"), *part = argc > 1 ? argv[1] : "";
    const char *slash = strrchr(argv[0], '/');
    char unpaid[PATH];
    bool ok = true;
    program = program ? program : "build/simaccel";
    snprintf(unpaid, sizeof unpaid, "%.*sunpaid", slash ? (int)(slash + 1 - argv[0]) : 0, argv[0]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    close(mkstemp(json_path));
    close(mkstemp(text_path));
    close(mkstemp(dump + 2));
    for (size_t i = 0; i < COUNT_OF(rates); i++)
        ok &= !strstr(rates[i].name, part) || measure_rate(program, &rates[i]);
    for (size_t i = 0; i < COUNT_OF(wholes); i++)
        ok &= !strstr(wholes[i].name, part) || measure_whole(program, &wholes[i]);
    for (size_t i = 0; i < COUNT_OF(ratios); i++)
        ok &= !strstr(ratios[i].name, part) || measure_ratio(program, unpaid, &ratios[i]);
    unlink(json_path);
    unlink(text_path);
    unlink(dump + 2);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
