/* lower_print.c - the launches of a plan as a table: `simaccel disasm --arch gpu`. */
#include <inttypes.h>

#include "models/gpu/lower.h"

static const char *const limits[] = {
    [GPU_LIMIT_WARPS] = "warps", [GPU_LIMIT_BLOCKS] = "blocks",
    [GPU_LIMIT_REGISTERS] = "registers", [GPU_LIMIT_SHARED] = "shared",
};

static void print_shape(const uint32_t shape[3], char *text, size_t size)
{
    if (shape[2] > 1)
        snprintf(text, size, "%ux%ux%u", shape[0], shape[1], shape[2]);
    else if (shape[1] > 1)
        snprintf(text, size, "%ux%u", shape[0], shape[1]);
    else
        snprintf(text, size, "%u", shape[0]);
}

static void print_launch(const struct gpu_plan *p, const struct gpu_config *c, uint32_t i,
                         FILE *out)
{
    const struct gpu_launch *l = &p->launches[i];
    struct gpu_occupancy o = { .blocks = 0 };
    struct diag d = { .text = "" };
    char grid[40], block[40];
    print_shape(l->grid, grid, sizeof grid);
    print_shape(l->block, block, sizeof block);
    bool fits = gpu_occupancy(c, l, &o, &d);
    fprintf(out, "%5u  %-36s %-14s %6s %9u %7u %6u %-10s %s\n", i, l->kernel->name, grid,
            block, l->kernel->registers, l->kernel->shared_bytes + l->shared_bytes, o.blocks,
            fits ? limits[o.limit] : "does not fit", p->groups[l->group].name);
}

void gpu_plan_print(const struct gpu_plan *p, const struct gpu_config *c, FILE *out)
{
    fprintf(out, "# %u launches of %u kernels for %u groups of ops, %" PRIu64 " bytes of memory\n",
            p->launch_count, p->kernel_count, p->group_count, gpu_memory_bytes(p->memory));
    for (uint32_t i = 0; i < p->note_count; i++)
        fprintf(out, "# %s\n", p->notes[i]);
    fprintf(out, "# nr   %-36s %-14s %6s %9s %7s %6s %-10s %s\n", "kernel", "grid", "block",
            "registers", "shared", "an SM", "limited by", "for");
    for (uint32_t i = 0; i < p->launch_count; i++)
        print_launch(p, c, i, out);
}
