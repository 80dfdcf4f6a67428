/* cuda.c - see cuda.h. */
#include "sim/cuda.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
extern const char cuda_user[];
__asm__(".pushsection .rodata\n"
        ".global cuda_user\n"
        "cuda_user: .incbin \"sim/cuda_user.cuh\"\n"
        ".byte 0\n"
        ".popsection\n");

static const char *const compilers[] = { "clang-19", "clang" };
#define COMPILERS (sizeof compilers / sizeof compilers[0])

/* A folder of our own: the header goes in, PTX and messages come out. */
struct folder { char path[64], header[96], ptx[96], messages[96]; };

static bool make_folder(struct folder *f, struct diag *d)
{
    const char *where = getenv("TMPDIR");
    bool short_enough = where && where[0] && strlen(where) < 32;
    snprintf(f->path, sizeof f->path, "%s/simaccel-XXXXXX", short_enough ? where : "/tmp");
    if (!mkdtemp(f->path))
        return diag_set(d, 0, 0, "%s: %s; expected a place for temporary files", f->path,
                        strerror(errno));
    snprintf(f->header, sizeof f->header, "%s/cuda.cuh", f->path);
    snprintf(f->ptx, sizeof f->ptx, "%s/out.ptx", f->path);
    snprintf(f->messages, sizeof f->messages, "%s/messages", f->path);
    FILE *out = fopen(f->header, "w");
    bool ok = out && fputs(cuda_user, out) >= 0;
    if (out && fclose(out) != 0)
        ok = false;
    return ok || diag_set(d, 0, 0, "%s: %s; expected room for a header", f->header,
                          strerror(errno));
}

static void remove_folder(const struct folder *f)
{
    unlink(f->header);
    unlink(f->ptx);
    unlink(f->messages);
    rmdir(f->path);
}

/* A file as text; NULL if it cannot be read. */
static char *load(const char *path)
{
    FILE *in = fopen(path, "rb");
    char *text = NULL;
    size_t size = 0, room = 0, got = 1;
    while (in && got > 0) {
        if (size + 1 >= room) {
            room = room ? 2 * room : 65536;
            char *more = realloc(text, room);
            assert(more);
            text = more;
        }
        got = fread(text + size, 1, room - size - 1, in);
        size += got;
    }
    if (in)
        fclose(in);
    if (text)
        text[size] = '\0';
    return text;
}

/* The exit status; -1: there is no such compiler. */
static int run_compiler(const char *compiler, const char *source, const char *arch,
                        const struct folder *f)
{
    char gpu[32];
    snprintf(gpu, sizeof gpu, "--cuda-gpu-arch=%s", arch);
    const char *argv[] = {
        compiler, "-x", "cuda", "--cuda-device-only", "-nocudainc", "-nocudalib", gpu,
        "-std=c++17", "-O2", "-fcuda-short-ptr", "-mllvm", "--nvptx-short-ptr",
        "-Wno-unknown-cuda-version", "-fno-color-diagnostics", "-fno-caret-diagnostics", "-S",
        "-include", f->header, "-o", f->ptx, "--", source, NULL
    };
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, f->messages,
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t child;
    int failed = posix_spawnp(&child, compiler, &actions, NULL, (char *const *)(uintptr_t)argv,
                              environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        return -1;
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) != 127 ? WEXITSTATUS(status) : -1;
}

/* "k.cu:12:5: error: what" to a place and what. */
static void explain(const char *messages, const char *source, struct diag *d)
{
    const char *at = messages ? strstr(messages, "error: ") : NULL;
    if (!at) {
        snprintf(d->file, sizeof d->file, "%s", source);
        diag_set(d, 0, 0, "clang does not compile it; expected CUDA C for the device");
        return;
    }
    const char *line = at;
    while (line > messages && line[-1] != '\n')
        line--;
    unsigned number = 0, column = 0;
    char file[200] = "";
    if (sscanf(line, "%199[^:]:%u:%u:", file, &number, &column) != 3)
        snprintf(file, sizeof file, "%s", source);
    snprintf(d->file, sizeof d->file, "%s", file);
    at += strlen("error: ");
    diag_set(d, number, column, "%.*s", (int)strcspn(at, "\n"), at);
}

static char *compile(const char *path, const char *arch, const struct folder *f, struct diag *d)
{
    int status = -1;
    for (size_t i = 0; i < COMPILERS && status == -1; i++)
        status = run_compiler(compilers[i], path, arch, f);
    if (status == -1) {
        diag_set(d, 0, 0, "%.160s: CUDA C needs clang-19, which is not there; expected it "
                 "installed, or the kernel's PTX", path);
        return NULL;
    }
    char *text = load(status == 0 ? f->ptx : f->messages);
    if (status == 0 && text)
        return text;
    explain(text, path, d);
    free(text);
    return NULL;
}

char *cuda_compile(const char *path, enum gpu_generation generation, struct diag *d)
{
    static const char *const archs[] = { "sm_70", "sm_80", "sm_90" };
    struct folder f = { .path = "" };
    if (access(path, R_OK) != 0) {
        diag_set(d, 0, 0, "%.160s: %s; expected a file with CUDA C", path, strerror(errno));
        return NULL;
    }
    char *ptx = make_folder(&f, d) ? compile(path, archs[generation], &f, d) : NULL;
    remove_folder(&f);
    return ptx;
}
