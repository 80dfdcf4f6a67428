/* ptx_lines.c - see ptx_lines.h. */
#include "sim/ptx_lines.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/kernels/kernels.h"
#include "models/zeroed.h"
#include "sim/cuda.h"
#include "traces/text.h"

struct ptx_lines {
    char        *text;
    const char **lines;
    uint32_t     count;
};

static bool is_cuda(const char *path)
{
    size_t n = strlen(path);
    return n > 3 && strcmp(path + n - 3, ".cu") == 0;
}

static char *load(const struct gpu_kernel *k, const char *path, struct diag *d)
{
    size_t size;
    if (path)
        return is_cuda(path) ? cuda_compile(path, k->generation, d) : text_load(path, &size, d);
    char *text = gpu_kernel_text(k->generation, k->name, &size);
    if (!text)
        diag_set(d, 0, 0, "%s: its PTX is not there", k->name);
    return text;
}

/* In place: no comments, no labels' tabs, one blank where there are several. */
static void tidy(char *line)
{
    char *to = line;
    for (const char *from = line; *from != '\0' && strncmp(from, "//", 2) != 0; from++)
        if (!isspace((unsigned char)*from))
            *to++ = isprint((unsigned char)*from) ? *from : '?';
        else if (to > line && to[-1] != ' ')
            *to++ = ' ';
    while (to > line && to[-1] == ' ')
        to--;
    *to = '\0';
}

struct ptx_lines *ptx_lines_new(const struct gpu_kernel *k, const char *path, struct diag *d)
{
    char *text = load(k, path, d);
    if (!text)
        return NULL;
    struct ptx_lines *p = zeroed(1, sizeof *p);
    size_t most = 1;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        most++;
    p->text = text;
    p->lines = zeroed(most, sizeof *p->lines);
    for (char *at = text, *next; at != NULL; at = next) {
        next = strchr(at, '\n');
        if (next)
            *next++ = '\0';
        tidy(at);
        p->lines[p->count++] = at;
    }
    return p;
}

void ptx_lines_free(struct ptx_lines *p)
{
    if (!p)
        return;
    free(p->text);
    free(p->lines);
    free(p);
}

const char *ptx_line(const struct ptx_lines *p, uint32_t number)
{
    return number > 0 && number <= p->count ? p->lines[number - 1] : "";
}
