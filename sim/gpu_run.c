/* gpu_run.c - see gpu_run.h.  The child writes its structs as they are: parent and child are
 * the same program. */
#include "sim/gpu_run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "models/gpu/compile.h"
#include "sim/isolate.h"

/* ---- the child */

static struct gpu_sm_stats sm_stats(const struct gpu_chip *c, uint32_t launch, cycle_t now)
{
    struct gpu_sm_stats sum = { 0 };
    for (uint32_t i = 0; i < c->sms; i++) {
        struct gpu_sm_stats s = gpu_sm_stats(c->sm[i], launch, now);
#define STAT(name, unit, what) sum.name += s.name;
        GPU_SM_STATS(STAT)
#undef STAT
        for (int cause = 0; cause < GPU_CAUSES_COUNT; cause++)
            sum.cycles[cause] += s.cycles[cause];
    }
    return sum;
}

static struct gpu_l2_stats l2_stats(const struct gpu_chip *c)
{
    struct gpu_l2_stats sum = { 0 };
    for (uint32_t i = 0; i < c->l2s; i++)
        for (uint32_t g = 0; g < c->run.groups; g++) {
            struct gpu_l2_stats s = gpu_l2_stats(c->l2[i], g);
#define STAT(name, unit, what) sum.name += s.name;
            GPU_L2_STATS(STAT)
#undef STAT
        }
    return sum;
}

static void add_memory(const struct gpu_chip *c, struct gpu_run_result *r)
{
    for (uint32_t s = 0; s < c->stacks; s++)
        for (uint32_t g = 0; g < c->run.groups; g++) {
            struct hbm_group_stats t = hbm_group_stats(hbm_block_hbm(c->stack[s]), g);
            r->read_bytes += t.read_bytes;
            r->written_bytes += t.written_bytes;
        }
}

static void write_result(const struct gpu_chip *c, const struct gpu_run *run,
                         struct gpu_run_result *r, tick_t end, FILE *out)
{
    cycle_t now = clock_cycle(&c->clock, end);
    r->end = gpu_chip_end(c);
    r->l2 = l2_stats(c);
    add_memory(c, r);
    fwrite(r, sizeof *r, 1, out);
    for (uint32_t i = 0; i < c->run.launch_count; i++) {
        struct gpu_run_launch l = { gpu_front_times(c->front, i), c->occupancy[i],
                                    sm_stats(c, i, now) };
        fwrite(&l, sizeof l, 1, out);
    }
    for (uint32_t i = 0; i < run->output_count; i++) {
        const struct gpu_run_output *o = &run->outputs[i];
        fwrite(gpu_memory_at(run->chip.memory, o->address, o->bytes, NULL), o->bytes, 1, out);
    }
}

static int fail(const char *what, const char *text, FILE *out)
{
    fprintf(out, "%s%s", what, text);
    return 1;
}

static int child(void *arg, FILE *out)
{
    const struct gpu_run *run = arg;
    struct diag d = { .text = "" };
    struct gpu_chip *c = gpu_chip_new(&run->chip, &d);
    if (!c)
        return fail("", d.text, out);
    c->engine.threads = run->threads;
    if (run->window_divisor > 1)
        c->engine.window = engine_window(&c->engine) / run->window_divisor;
    struct engine_result e;
    clock_t begun = clock();
    bool done = engine_run(&c->engine, &e);
    struct gpu_run_result r = { .windows = e.windows, .activations = e.activations,
                                .seconds = (double)(clock() - begun) / CLOCKS_PER_SEC };
    const char *fault = gpu_chip_fault(c);
    int status = fault ? fail("", fault, out)
               : !done ? fail("the run went quiet with work left: ", e.stuck, out) : 0;
    if (status == 0)
        write_result(c, run, &r, e.end, out);
    gpu_chip_free(c);
    return status;
}

/* ---- the parent */

static void take(void *to, size_t size, const char **from)
{
    memcpy(to, *from, size);
    *from += size;
}

static void read_result(const struct gpu_run *run, struct gpu_run_result *r, const char *bytes)
{
    size_t launches = run->chip.launch_count * sizeof *r->launches;
    take(r, sizeof *r, &bytes);
    r->launches = malloc(launches + 1);
    if (!r->launches)
        abort();
    take(r->launches, launches, &bytes);
    for (uint32_t i = 0; i < run->output_count; i++) {
        const struct gpu_run_output *o = &run->outputs[i];
        take(gpu_memory_at(run->chip.memory, o->address, o->bytes, NULL), o->bytes, &bytes);
    }
}

bool gpu_run(const struct gpu_run *run, struct gpu_run_result *result, struct diag *d)
{
    struct gpu_run copy = *run;
    struct isolate_result r;
    *result = (struct gpu_run_result){ 0 };
    for (uint32_t i = 0; i < run->chip.launch_count; i++)
        if (!gpu_launch_variables(run->chip.launches[i].kernel, run->chip.memory, d))
            return false;
    bool done = isolate_run(child, &copy, 0, &r);
    if (done)
        read_result(run, result, r.bytes);
    else if (r.status == ISOLATE_CRASHED)
        diag_set(d, 0, 0, "the run failed: %s", r.text);
    else
        diag_set(d, 0, 0, "%s", r.bytes);
    isolate_free(&r);
    return done;
}

void gpu_run_free(struct gpu_run_result *result)
{
    free(result->launches);
    result->launches = NULL;
}

struct gpu_kernel *gpu_run_compile(const struct gpu_config *c, const char *ptx, const char *name,
                                   struct diag *d)
{
    struct ptx_module *m = ptx_read(ptx, strlen(ptx), "kernel.ptx", d);
    if (!m)
        return NULL;
    struct gpu_kernel *k = NULL;
    for (uint32_t i = 0; i < m->function_count && !k; i++)
        if (m->functions[i].is_entry && strcmp(m->functions[i].name, name) == 0)
            k = gpu_compile(c, m, &m->functions[i], d);
    if (!k)
        diag_set(d, 0, 0, "%s: no such kernel", name);
    ptx_free(m);
    return k;
}
