/* machine_path.c - where machine files are looked for, and which there are. */
#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/machine_inside.h"

/* From the executable's folder: in a build tree (build/, build/asan/), installed. */
static const char *const folders[] = {
    "../models/machines", "../../models/machines", "../share/simaccel/machines",
};
#define FOLDERS (sizeof folders / sizeof folders[0])

/* What people say, and the chip they then mean. */
static const struct { const char *name, *means; enum machine_kind kind; } aliases[] = {
    { "tpu", "tpu-v3", MACHINE_TPU },
    { "gpu", "v100",   MACHINE_GPU },
};
#define ALIASES (sizeof aliases / sizeof aliases[0])

bool machine_name_ok(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return n > 0 && n < MACHINE_NAME && name[n] == '\0' && name[0] != '.';
}

static bool executable_folder(char *text, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", text, size - 1);
    if (n <= 0)
        return false;
    text[n] = '\0';
    char *slash = strrchr(text, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    return true;
}

/* The folder without the ".." that would make every place in a report hard to read;
 * relative where it lies below the folder we are in, as a person would write it. */
static void tidy(char *folder, size_t size)
{
    char *real = realpath(folder, NULL), *here = getcwd(NULL, 0);
    if (real != NULL) {
        size_t n    = here == NULL ? 0 : strlen(here);
        bool  below = n > 1 && strncmp(real, here, n) == 0 && real[n] == '/';
        snprintf(folder, size, "%s", below ? real + n + 1 : real);
    }
    free(real);
    free(here);
}

/* The i-th folder of the search path; false past the end. */
static bool search_folder(size_t i, char *folder, size_t size)
{
    const char *given = getenv("SIMACCEL_MACHINES");
    for (; given != NULL && *given != '\0'; i--) {
        size_t n = strcspn(given, ":");
        if (i == 0) {
            snprintf(folder, size, "%.*s", (int)n, given);
            return true;
        }
        given += n + (given[n] == ':');
    }
    char base[PATH_MAX];
    if (i >= FOLDERS || !executable_folder(base, sizeof base))
        return false;
    snprintf(folder, size, "%s/%s", base, folders[i]);
    tidy(folder, size);
    return true;
}

/* folder/name.yaml if it is there, else NULL. */
static char *file_in(const char *folder, const char *name)
{
    char  *path;
    size_t length = strlen(folder);
    bool   joined = length == 0 || folder[length - 1] == '/';
    int    n      = asprintf(&path, "%s%s%s.yaml", folder, joined ? "" : "/", name);
    assert(n > 0);
    (void)n;
    if (access(path, F_OK) == 0)
        return path;
    free(path);
    return NULL;
}

char *machine_path(const char *name, const char *beside)
{
    char  folder[2 * PATH_MAX];
    char *path = NULL;
    if (beside != NULL) {
        const char *slash = strrchr(beside, '/');
        size_t      n     = slash == NULL ? 0 : (size_t)(slash - beside) + 1;
        snprintf(folder, sizeof folder, "%.*s", (int)n, beside);
        path = file_in(folder, name);
    }
    for (size_t i = 0; path == NULL && search_folder(i, folder, sizeof folder); i++)
        path = file_in(folder, name);
    return path;
}

bool machine_beside(const char *file, char *path, size_t size)
{
    static const char *const up[] = { "..", "../.." };      /* share/machines, models/machines */
    char folder[2 * PATH_MAX], base[2 * PATH_MAX + 8];
    for (size_t i = 0; search_folder(i, folder, sizeof folder); i++)
        for (size_t j = 0; j < sizeof up / sizeof up[0]; j++) {
            snprintf(base, sizeof base, "%s/%s", folder, up[j]);
            tidy(base, sizeof base);
            int n = snprintf(path, size, "%s/%s", base, file);
            if (n > 0 && (size_t)n < size && access(path, R_OK) == 0)
                return true;
        }
    return false;
}

static int is_machine(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return n > 5 && e->d_name[0] != '.' && strcmp(e->d_name + n - 5, ".yaml") == 0;
}

static void list_folder(const char *folder, void (*each)(void *, const char *, const char *),
                        void *self)
{
    struct dirent **found;
    int n = scandir(folder, &found, is_machine, alphasort);
    for (int i = 0; i < n; i++) {
        found[i]->d_name[strlen(found[i]->d_name) - 5] = '\0';
        char *path  = file_in(folder, found[i]->d_name);
        char *first = machine_path(found[i]->d_name, NULL);
        if (path != NULL && first != NULL && strcmp(path, first) == 0)
            each(self, found[i]->d_name, path);
        free(first);
        free(path);
        free(found[i]);
    }
    if (n >= 0)
        free(found);
}

void machine_list(void (*each)(void *self, const char *name, const char *path), void *self)
{
    char folder[2 * PATH_MAX], before[2 * PATH_MAX];
    for (size_t i = 0; search_folder(i, folder, sizeof folder); i++) {
        bool again = false;     /* a folder named twice is listed once */
        for (size_t j = 0; j < i && search_folder(j, before, sizeof before); j++)
            again = again || strcmp(before, folder) == 0;
        if (!again)
            list_folder(folder, each, self);
    }
}

struct names { char *name[256]; size_t count; };

static void collect(void *self, const char *name, const char *path)
{
    struct names *n = self;
    (void)path;
    if (n->count < sizeof n->name / sizeof n->name[0])
        n->name[n->count++] = strdup(name);
}

static void unknown_machine(const char *name, struct diag *d)
{
    struct names known = { .count = 0 };
    char         text[384] = "";
    machine_list(collect, &known);
    const char *near = diag_nearest(name, (const char *const *)known.name, known.count);
    for (size_t i = 0, n = 0; i < known.count && n < sizeof text; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i > 0 ? ", " : "",
                              known.name[i]);
    if (near != NULL)
        diag_set(d, 0, 0, "%.80s: no such machine; did you mean %s?", name, near);
    else if (strchr(name, '/') != NULL)
        diag_set(d, 0, 0, "%.80s: no such machine; expected a name (a file goes with "
                 "--machine)", name);
    else if (known.count == 0)
        diag_set(d, 0, 0, "%.80s: no such machine, for no machine files were found; expected "
                 "some in $SIMACCEL_MACHINES", name);
    else
        diag_set(d, 0, 0, "%.80s: no such machine; expected one of %s", name, text);
    for (size_t i = 0; i < known.count; i++)
        free(known.name[i]);
}

struct machine *machine_find(const struct schema *s, const char *name, struct diag *d)
{
    const char *chip = name;
    for (size_t i = 0; i < ALIASES; i++) {
        if (strcmp(name, aliases[i].name) != 0)
            continue;
        chip = aliases[i].means;
        if ((s->kinds & MACHINE_USES(aliases[i].kind)) == 0) {
            diag_set(d, 0, 0, "%s: this version has no %s model; expected another machine "
                     "(`simaccel machine` lists them)", name, name);
            return NULL;
        }
    }
    char *path = machine_name_ok(chip) ? machine_path(chip, NULL) : NULL;
    if (path == NULL) {
        unknown_machine(name, d);
        return NULL;
    }
    struct machine *m = machine_read(s, path, d);
    free(path);
    return m;
}
