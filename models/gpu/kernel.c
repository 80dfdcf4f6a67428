/* kernel.c - a compiled kernel, freed and printed. */
#include "models/gpu/kernel.h"

#include <stdlib.h>

void gpu_kernel_free(struct gpu_kernel *k)
{
    if (!k)
        return;
    free(k->ops);
    free(k->operands);
    free(k->constants);
    free(k->params);
    free(k->const_bytes);
    free(k->global_bytes);
    free(k);
}

static const char *const pipe_names[GPU_PIPES_COUNT] = {
#define PIPE(id, name, what) #name,
    GPU_PIPES(PIPE)
#undef PIPE
};

static const char *const kind_names[GPU_KINDS_COUNT] = {
#define KIND(name, what) #name,
    GPU_KINDS(KIND)
#undef KIND
};

static void print_words(const struct gpu_kernel *k, uint32_t first, uint32_t count, FILE *out)
{
    for (uint32_t n = first; n < first + count; n++)
        if (k->operands[n] < GPU_CONSTANT)
            fprintf(out, " r%u", k->operands[n]);
        else
            fprintf(out, " %#x", k->constants[k->operands[n] - GPU_CONSTANT][0]);
}

static void print_predicates(const uint8_t *p, int count, uint8_t nots, FILE *out)
{
    for (int n = 0; n < count; n++)
        if (p[n] != GPU_NO_PREDICATE)
            fprintf(out, " %sp%u", nots >> n & 1 ? "!" : "", p[n]);
}

static void print_op(const struct gpu_kernel *k, uint32_t n, FILE *out)
{
    const struct gpu_op *o = &k->ops[n];
    char guard[8] = "";
    if (o->guard != GPU_NO_PREDICATE)
        snprintf(guard, sizeof guard, "@%sp%u", o->nots & GPU_GUARD_NOT ? "!" : "", o->guard);
    fprintf(out, "%5u  line %-5u %-5s %-8s %-8s %c%c", n, o->line, guard, pipe_names[o->pipe],
            o->flags & GPU_OP_PART ? "part" : kind_names[o->kind],
            o->flags & GPU_OP_CONTROL ? 'c' : '-', o->flags & GPU_OP_UNIFORM ? 'u' : '-');
    print_words(k, o->operands, o->dsts, out);
    print_predicates(o->pdst, 2, 0, out);
    fputs(" <-", out);
    print_words(k, o->operands + o->dsts, o->srcs, out);
    print_predicates(o->psrc, 3, o->nots, out);
    if (o->access.bytes)
        fprintf(out, "  %u bytes at %+d", o->access.bytes, o->access.offset);
    if (o->target != GPU_NO_OP)
        fprintf(out, "  to %u", o->target);
    if (o->kind == GPU_BRANCH && o->reconverge != GPU_NO_OP)
        fprintf(out, ", meeting at %u", o->reconverge);
    fputc('\n', out);
}

void gpu_kernel_print(const struct gpu_kernel *k, FILE *out)
{
    fprintf(out, "%s: %u operations, %u registers, %u bytes shared, %u bytes local, %s%s\n",
            k->name, k->count, k->registers, k->shared_bytes, k->local_bytes,
            k->oblivious ? "oblivious" : "needs data: ", k->why_not);
    for (uint32_t n = 0; n < k->count; n++)
        print_op(k, n, out);
}
