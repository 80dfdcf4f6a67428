/* bench_run.c - CPU seconds and peak memory of whole runs of the program.
 *
 * $SIMACCEL is the program (default: build/simaccel), from the root of the tree.  The figures
 * of other simulators are in docs/validation.md; they were taken on another machine. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMES 3                 /* the least of so many */

static const struct bench {
    const char *name;
    double      wanted_s;       /* CPU seconds; 0: none */
    const char *const argv[12];
} benches[] = {
    { "gemm 1024x4096x4096, one 128x128 array", 0.2,
      { "simaccel", "gemm", "1024x4096x4096", "--arch", "tpu-v3", "--set", "core.mxus=1",
        "--json", "/dev/null", NULL } },
    { "mlp.trace on tpu-v3", 0.3,
      { "simaccel", "--arch", "tpu-v3", "workloads/mlp.trace", NULL } },
    { "wide.trace on tpu-v3", 5,
      { "simaccel", "--arch", "tpu-v3", "workloads/wide.trace", NULL } },
    { "keras.trace on tpu-v3", 0,
      { "simaccel", "--arch", "tpu-v3", "workloads/keras.trace", NULL } },
    { "deep.trace on tpu-v4", 0,
      { "simaccel", "--arch", "tpu-v4", "workloads/deep.trace", NULL } },
    { "gemm 512x512x512, register-exact arrays", 0,
      { "simaccel", "gemm", "512x512x512", "--arch", "tpu-v3", "--exact", NULL } },
    { "mlp.trace on tpu-v3, with values", 3,
      { "simaccel", "--arch", "tpu-v3", "workloads/mlp.trace", "--values", NULL } },
    { "mlp.trace on v100, with values", 10,
      { "simaccel", "--arch", "v100", "workloads/mlp.trace", "--values", NULL } },
    { "an epoch of digits on tpu-v3", 5,
      { "simaccel", "train", "workloads/digits.net", "--arch", "tpu-v3", "--epochs", "1", NULL } },
    { "an epoch of digits on v100", 5,
      { "simaccel", "train", "workloads/digits.net", "--arch", "v100", "--epochs", "1", NULL } },
};

static double cpu_seconds(const struct rusage *r)
{
    return (double)(r->ru_utime.tv_sec + r->ru_stime.tv_sec)
         + (double)(r->ru_utime.tv_usec + r->ru_stime.tv_usec) * 1e-6;
}

/* Runs it once; false if it failed. */
static bool run(const char *program, const struct bench *b, double *seconds, long *kib)
{
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDOUT_FILENO);
        execv(program, (char *const *)(void *)b->argv);
        _exit(127);
    }
    int status;
    struct rusage r;
    if (pid < 0 || wait4(pid, &status, 0, &r) != pid)
        return false;
    *seconds = cpu_seconds(&r);
    *kib = r.ru_maxrss;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool measure(const char *program, const struct bench *b)
{
    double least = 1e9, seconds;
    long most = 0, kib;
    for (int i = 0; i < TIMES; i++) {
        if (!run(program, b, &seconds, &kib)) {
            printf("%-42s failed\n", b->name);
            return false;
        }
        least = seconds < least ? seconds : least;
        most = kib > most ? kib : most;
    }
    printf("%-42s %7.3f CPU s %6.1f MiB", b->name, least, (double)most / 1024);
    if (b->wanted_s > 0)
        printf("   %4.0f %% of the %.1f s wanted", 100 * least / b->wanted_s, b->wanted_s);
    putchar('\n');
    return true;
}

int main(void)
{
    const char *program = getenv("SIMACCEL");
    bool ok = true;
    for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++)
        ok &= measure(program ? program : "build/simaccel", &benches[i]);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
