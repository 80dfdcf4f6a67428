/* plot.c - see plot.h. */
#include "sim/plot_inside.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/compare_options.h"
#include "sim/output.h"

extern char **environ;

static const struct { const char *ending, *terminal; } kinds[] = {
    { ".svg", "svg size 900,600 dynamic background 'white' font 'sans,14'" },
    { ".png", "pngcairo size 1350,900 font 'sans,16' linewidth 1.5" },
    { ".pdf", "pdfcairo size 18cm,12cm font 'sans,11'" },
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* Where a picture's parts go: all in one folder. */
struct places {
    char folder[PATH_MAX];
    char name[NAME_MAX + 1];            /* without its ending */
    const char *ending, *terminal;
};

static bool split(const char *path, struct places *p)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    snprintf(p->folder, sizeof p->folder, "%.*s", slash ? (int)(slash - path) + 1 : 2,
             slash ? path : "./");
    for (size_t i = 0; dot && dot > name && i < KINDS; i++)
        if (strcmp(dot, kinds[i].ending) == 0) {
            p->ending = kinds[i].ending;
            p->terminal = kinds[i].terminal;
            snprintf(p->name, sizeof p->name, "%.*s", (int)(dot - name), name);
            return strpbrk(p->name, "'\"\\") == NULL;
        }
    return false;
}

bool plot_check(const char *path, struct diag *d)
{
    struct places p = { .ending = NULL };
    snprintf(d->file, sizeof d->file, "%s", path);
    return split(path, &p) || diag_set(d, 0, 0, "this is no picture's name; expected one without "
                                       "quotes that ends in .svg, .png or .pdf");
}

static bool in_folder(const struct places *p, const char *ending, char *path, size_t size,
                      struct diag *d)
{
    int n = snprintf(path, size, "%s%s%s", p->folder, p->name, ending);
    return (n > 0 && (size_t)n < size)
        || diag_set(d, 0, 0, "the path is too long; expected a shorter one");
}

bool plot_beside(const char *path, const char *ending, char beside[PATH_MAX], struct diag *d)
{
    struct places p = { .ending = NULL };
    return split(path, &p) && in_folder(&p, ending, beside, PATH_MAX, d);
}

/* In single quotes a quote is two. */
static void write_quoted(const char *name, const char *text, FILE *out)
{
    fprintf(out, "%s = '", name);
    for (; *text; text++) {
        if (*text == '\'')
            fputc('\'', out);
        if ((unsigned char)*text >= ' ')
            fputc(*text, out);
    }
    fputs("'\n", out);
}

/* Of a comparison: what its runs were asked for. */
static void write_options(const json_t *first, FILE *out)
{
    char *words = compare_options_words(json_object_get(first, "options"));
    write_quoted("options", words, out);
    free(words);
}

/* The script as it can be run by hand. */
static void write_script(const struct plot *p, const struct places *at, const json_t *results,
                         FILE *out)
{
    fprintf(out, "# gnuplot %s.gp\n", at->name);
    write_quoted("subject", plot_subject(results), out);
    write_options(json_array_get(results, 0), out);
    fprintf(out, "data = '%s.dat'\n", at->name);
    if (at->ending)
        fprintf(out, "if (!exists('picture')) picture = '%s%s'\n", at->name, at->ending);
    fprintf(out, "set encoding utf8\nset terminal %s\n", at->terminal);
    if (at->ending)
        fputs("set output picture\n", out);
    fprintf(out, "\n%s%s", plot_common_script, p->script);
}

static bool write_parts(const struct plot *p, const struct places *at, const json_t *results,
                        struct diag *d)
{
    char path[PATH_MAX + NAME_MAX];
    if (!in_folder(at, ".dat", path, sizeof path, d))
        return false;
    struct output *o = output_open(path, d);
    if (!o)
        return false;
    p->data(results, output_stream(o));
    if (!output_commit(o, d) || !in_folder(at, ".gp", path, sizeof path, d)
        || (o = output_open(path, d)) == NULL)
        return false;
    write_script(p, at, results, output_stream(o));
    return output_commit(o, d);
}

#define PICTURE_FD 3

/* gnuplot's exit status; -1: there is none.  It writes into open files, so that none is left if
 * one of us is ended. */
static int run_gnuplot(const struct places *at, int picture, int messages)
{
    char script[NAME_MAX + 8], set[32];
    snprintf(script, sizeof script, "%s.gp", at->name);
    snprintf(set, sizeof set, "picture = '/dev/fd/%d'", PICTURE_FD);
    const char *argv[] = { "gnuplot", "-e", set, script, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, at->folder);
    posix_spawn_file_actions_adddup2(&actions, messages, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions, picture, PICTURE_FD);
    pid_t child;
    int error = posix_spawnp(&child, "gnuplot", &actions, NULL,
                              (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error)
        return -1;
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* What gnuplot said last before it gave up, in one line. */
static void last_words(int messages, char *text, size_t size)
{
    ssize_t n = pread(messages, text, size - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    for (char *at = text; *at; at++)
        if (*at == '\n' || *at == '\t')
            *at = ' ';
}

static bool failed(int status, const char *words, struct diag *d)
{
    if (status < 0 || status == 127)
        return diag_set(d, 0, 0, "gnuplot cannot be run; expected it on the path (Debian: "
                        "gnuplot-nox)");
    return diag_set(d, 0, 0, "gnuplot failed: %.250s; expected a picture", words);
}

/* Draws into `picture`; what gnuplot says counts only if it gives up. */
static bool draw(const struct places *at, FILE *picture, struct diag *d)
{
    char words[300];
    FILE *messages = tmpfile();
    if (!messages)
        return diag_set(d, 0, 0, "%s; expected room for a temporary file", strerror(errno));
    int status = run_gnuplot(at, fileno(picture), fileno(messages));
    last_words(fileno(messages), words, sizeof words);
    fclose(messages);
    rewind(picture);
    return status == 0 || failed(status, words, d);
}

static void copy(FILE *in, FILE *out)
{
    char part[4096];
    size_t n;
    while ((n = fread(part, 1, sizeof part, in)) > 0)
        fwrite(part, 1, n, out);
}

static bool put_in_place(const struct places *at, FILE *picture, struct diag *d)
{
    char path[PATH_MAX + NAME_MAX];
    if (!in_folder(at, at->ending, path, sizeof path, d))
        return false;
    struct output *o = output_open(path, d);
    if (!o)
        return false;
    copy(picture, output_stream(o));
    return output_commit(o, d);
}

static bool draw_file(const struct places *at, struct diag *d)
{
    FILE *picture = tmpfile();
    if (!picture)
        return diag_set(d, 0, 0, "%s; expected room for a temporary file", strerror(errno));
    bool drawn = draw(at, picture, d) && put_in_place(at, picture, d);
    fclose(picture);
    return drawn;
}

/* Data and script without a picture. */
static void take_away(const struct places *at)
{
    static const char *const endings[] = { ".dat", ".gp" };
    char path[PATH_MAX + NAME_MAX];
    struct diag none = { .text = "" };
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (in_folder(at, endings[i], path, sizeof path, &none))
            unlink(path);
}

bool plot_draw(const struct plot *p, const json_t *results, const char *path, struct diag *d)
{
    struct places at = { .ending = NULL };
    if (!plot_check(path, d) || !split(path, &at))
        return false;
    size_t i;
    json_t *result;
    json_array_foreach(results, i, result) {
        if (!plot_takes(p, result, d))
            return false;
    }
    if (!write_parts(p, &at, results, d))
        return false;
    if (draw_file(&at, d))
        return true;
    take_away(&at);
    return false;
}

/* False if it cannot all be written. */
static bool print_picture(FILE *picture, struct diag *d)
{
    copy(picture, stdout);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    snprintf(d->file, sizeof d->file, "stdout");
    return diag_set(d, 0, 0, "%s; expected to write all of the picture", strerror(errno));
}

bool plot_dumb(const struct plot *p, const json_t *results, struct diag *d)
{
    struct places at = { .folder = "/tmp/simaccel-XXXXXX", .name = "plot", .ending = ".txt",
                         .terminal = "dumb 110, 40" };
    char path[PATH_MAX + NAME_MAX];
    if (!mkdtemp(at.folder))
        return diag_set(d, 0, 0, "%s; expected room for a temporary folder", strerror(errno));
    strcat(at.folder, "/");
    FILE *picture = tmpfile();
    bool drawn = picture ? write_parts(p, &at, results, d) && draw(&at, picture, d)
                           && print_picture(picture, d)
                         : diag_set(d, 0, 0, "%s; expected room for a temporary file",
                                    strerror(errno));
    if (picture)
        fclose(picture);
    static const char *const names[] = { "plot.dat", "plot.gp", "" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s%s", at.folder, names[i]);
        remove(path);
    }
    return drawn;
}
