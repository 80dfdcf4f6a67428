/* text.c - the kernels' PTX, built into the program.
 *
 * The files are put in by the assembler as they stand in the tree.  A module is cut to one
 * kernel: everything outside of entries, and the entry itself; so a launch does not wait for
 * a hundred others to be read. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/kernels/kernels.h"

#define EMBED(name, file) \
    extern const char name[], name##_end[]; \
    __asm__(".pushsection .rodata\n" \
            ".global " #name ", " #name "_end\n" \
            #name ": .incbin \"models/gpu/kernels/" file ".ptx\"\n" \
            #name "_end: .byte 0\n" \
            ".popsection\n");

/* In the order in which a kernel is looked for: newest first. */
#define FILES(X) \
    X(ptx_gemm80,        "gemm80.sm_80",      GPU_SM_80) \
    X(ptx_elementwise80, "elementwise.sm_80", GPU_SM_80) \
    X(ptx_micro80,       "micro.sm_80",       GPU_SM_80) \
    X(ptx_gemm70,        "gemm70.sm_70",      GPU_SM_70) \
    X(ptx_sgemm,         "sgemm.sm_70",       GPU_SM_70) \
    X(ptx_elementwise,   "elementwise.sm_70", GPU_SM_70) \
    X(ptx_rows,          "rows.sm_70",        GPU_SM_70) \
    X(ptx_sums,          "sums.sm_70",        GPU_SM_70) \
    X(ptx_optimizer,     "optimizer.sm_70",   GPU_SM_70) \
    X(ptx_layout,        "layout.sm_70",      GPU_SM_70) \
    X(ptx_micro,         "micro.sm_70",       GPU_SM_70)

#define EMBED_ROW(name, file, generation) EMBED(name, file)
FILES(EMBED_ROW)

static const struct { const char *text, *end; enum gpu_generation from; } files[] = {
#define ROW(name, file, generation) { name, name##_end, generation },
    FILES(ROW)
#undef ROW
};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const char entry_word[] = ".visible .entry ";

static const char *find_entry(const char *text, const char *kernel)
{
    size_t length = strlen(kernel);
    for (const char *at = text; (at = strstr(at, entry_word)); at++)
        if (!strncmp(at + sizeof entry_word - 1, kernel, length)
            && at[sizeof entry_word - 1 + length] == '(')
            return at;
    return NULL;
}

/* An entry ends with the first brace that begins a line. */
static const char *entry_end(const char *entry)
{
    const char *brace = strstr(entry, "\n}");
    assert(brace);
    return brace + 2;
}

static char *cut(const char *text, const char *end, const char *entry, size_t *size)
{
    char *out = malloc((size_t)(end - text) + 1), *to = out;
    if (!out)
        return NULL;
    for (const char *next; (next = strstr(text, entry_word)); text = entry_end(next)) {
        to = mempcpy(to, text, (size_t)(next - text));
        if (next == entry)
            to = mempcpy(to, next, (size_t)(entry_end(next) - next));
    }
    to = mempcpy(to, text, (size_t)(end - text));
    *to = '\0';
    *size = (size_t)(to - out);
    return realloc(out, *size + 1);
}

char *gpu_kernel_text(enum gpu_generation g, const char *kernel, size_t *size)
{
    for (size_t i = 0; i < COUNT(files); i++) {
        const char *entry = files[i].from <= g ? find_entry(files[i].text, kernel) : NULL;
        if (entry)
            return cut(files[i].text, files[i].end, entry, size);
    }
    return NULL;
}
