/* bench_sm.c - warp operations a CPU second on 80 SMs of a V100, without L2 and engine.
 *
 *     ffma     a loop of independent FFMAs, 16 warps a scheduler
 *     wmma     a loop of tensor operations, 4 warps a scheduler
 *     tile     as an FP32 product does: 8 x 8 FFMAs on what two loads of 16 bytes a lane bring
 *              from shared memory; every 8 steps new lines from L2, and two barriers
 *
 *     stream   two loads of 16 bytes a lane, an addition, a store
 *
 * each timed with and without values (wanted: 3 million of operations, 1 million with values,
 * with all of the chip).  L2 is answers after a fixed time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "models/gpu/compile.h"
#include "models/gpu/sm.h"
#include "sim/figures.h"
#include "sim/machine.h"

enum { SMS = 80, WINDOW_NS = 30, L2_NS = 100, ANSWERS = 4096, BUFFER = 1 << 20 };

struct text { char *at; size_t size; FILE *out; };

static void open_text(struct text *t)
{
    t->out = open_memstream(&t->at, &t->size);
    if (!t->out)
        exit(1);
    fputs(".version 6.4\n.target sm_70\n.address_size 64\n", t->out);
}

static void begin_loop(struct text *t, const char *name)
{
    fprintf(t->out, ".visible .entry %s(.param .u64 x, .param .u32 n)\n{\n"
            ".reg .f32 %%f<128>; .reg .b32 %%r<64>; .reg .b64 %%d<16>; .reg .pred %%p<4>;\n"
            ".shared .align 16 .b8 tile[8192];\n"
            "ld.param.u64 %%d0, [x];\nld.param.u32 %%r0, [n];\nmov.u32 %%r1, %%tid.x;\n"
            "mov.u32 %%r2, 0;\n", name);
}

static void end_loop(struct text *t, int values)
{
    fputs("add.u32 %r2, %r2, 1;\nsetp.lt.u32 %p0, %r2, %r0;\n@%p0 bra LOOP;\n"
          "mul.wide.u32 %d1, %r1, 4;\nadd.u64 %d2, %d0, %d1;\n", t->out);
    for (int i = 1; i < values; i++)
        fprintf(t->out, "add.f32 %%f0, %%f0, %%f%d;\n", i);
    fputs("st.global.f32 [%d2], %f0;\nret;\n}\n", t->out);
    fclose(t->out);
}

static void ffma(struct text *t)
{
    begin_loop(t, "ffma");
    for (int i = 0; i < 18; i++)
        fprintf(t->out, "mov.f32 %%f%d, 0f3f80000%d;\n", i, i % 10);
    fputs("LOOP:\n", t->out);
    for (int i = 0; i < 128; i++)
        fprintf(t->out, "fma.rn.f32 %%f%d, %%f16, %%f17, %%f%d;\n", i % 16, i % 16);
    end_loop(t, 16);
}

static void wmma(struct text *t)
{
    begin_loop(t, "wmma");
    for (int i = 0; i < 16; i++)
        fprintf(t->out, "mov.f32 %%f%d, 0f00000000;\nmov.b32 %%r%d, %d;\n", i, i + 8, i);
    fputs("LOOP:\n", t->out);
    for (int i = 0; i < 8; i++) {
        fputs("wmma.mma.sync.aligned.row.col.m16n16k16.f32.f32 {", t->out);
        for (int c = 0; c < 8; c++)
            fprintf(t->out, "%s%%f%d", c ? "," : "", i % 2 * 8 + c);
        fputs("},{%r8,%r9,%r10,%r11,%r12,%r13,%r14,%r15},"
              "{%r16,%r17,%r18,%r19,%r20,%r21,%r22,%r23},{", t->out);
        for (int c = 0; c < 8; c++)
            fprintf(t->out, "%s%%f%d", c ? "," : "", i % 2 * 8 + c);
        fputs("};\n", t->out);
    }
    end_loop(t, 16);
}

/* Registers f0 to f63 are sums; f64 to f79 what a step multiplies. */
static void tile_step(struct text *t, int k)
{
    for (int i = 0; i < 4; i++)
        fprintf(t->out, "ld.shared.v4.f32 {%%f%d,%%f%d,%%f%d,%%f%d}, [%%r%d+%d];\n", 64 + 4 * i,
                65 + 4 * i, 66 + 4 * i, 67 + 4 * i, i < 2 ? 10 : 11,
                k * 512 + i % 2 * 64 + i / 2 * 4096);
    for (int i = 0; i < 64; i++)
        fprintf(t->out, "fma.rn.f32 %%f%d, %%f%d, %%f%d, %%f%d;\n", i, 64 + i / 8, 72 + i % 8, i);
}

static void tile(struct text *t)
{
    begin_loop(t, "tile");
    for (int i = 0; i < 64; i++)
        fprintf(t->out, "mov.f32 %%f%d, 0f00000000;\n", i);
    fputs("mov.u32 %r3, tile;\nand.b32 %r4, %r1, 15;\nshl.b32 %r5, %r4, 4;\n"
          "add.u32 %r10, %r3, %r5;\nshr.u32 %r6, %r1, 4;\nshl.b32 %r7, %r6, 4;\n"
          "add.u32 %r11, %r3, %r7;\nshl.b32 %r8, %r1, 4;\nadd.u32 %r12, %r3, %r8;\n"
          "cvt.u64.u32 %d3, %r8;\nadd.u64 %d4, %d0, %d3;\nLOOP:\n"
          "ld.global.v4.f32 {%f80,%f81,%f82,%f83}, [%d4];\n"
          "ld.global.v4.f32 {%f84,%f85,%f86,%f87}, [%d4+4096];\n"
          "add.u64 %d4, %d4, 8192;\n", t->out);
    for (int k = 0; k < 8; k++)
        tile_step(t, k);
    fputs("bar.sync 0;\nst.shared.v4.f32 [%r12], {%f80,%f81,%f82,%f83};\n"
          "st.shared.v4.f32 [%r12+4096], {%f84,%f85,%f86,%f87};\nbar.sync 0;\n", t->out);
    end_loop(t, 64);
}

static void stream(struct text *t)
{
    begin_loop(t, "stream");
    fputs("mov.u32 %r4, %ctaid.x;\nshl.b32 %r5, %r4, 12;\nshl.b32 %r6, %r1, 4;\n"
          "add.u32 %r7, %r5, %r6;\nand.b32 %r7, %r7, 524287;\ncvt.u64.u32 %d3, %r7;\n"
          "add.u64 %d4, %d0, %d3;\nmov.f32 %f0, 0f00000000;\nLOOP:\n"
          "ld.global.cg.v4.f32 {%f80,%f81,%f82,%f83}, [%d4];\n"
          "ld.global.v4.f32 {%f84,%f85,%f86,%f87}, [%d4+4096];\n", t->out);
    for (int i = 0; i < 4; i++)
        fprintf(t->out, "add.f32 %%f%d, %%f%d, %%f%d;\n", 88 + i, 80 + i, 84 + i);
    fputs("st.global.v4.f32 [%d4+8192], {%f88,%f89,%f90,%f91};\n", t->out);
    end_loop(t, 1);
}

static const struct {
    const char *name;
    void (*write)(struct text *t);
    uint32_t threads, blocks, loops, loops_with_values;
} cases[] = {
    { "ffma", ffma, 256, SMS * 8, 30, 6 },
    { "wmma", wmma, 128, SMS * 4, 400, 10 },
    { "tile", tile, 256, SMS * 2, 40, 6 },
    { "stream", stream, 256, SMS * 16, 10, 4 },
};

/* ---- 80 SMs and what stands in for the rest of the chip */

struct bench {
    struct gpu_sm *sm[SMS];
    struct block   block[SMS];
    struct link   *to_sm[SMS], *answers[SMS], *from_sms, *requests;
    struct message waiting[SMS][ANSWERS];
    tick_t         at[SMS][ANSWERS];
    uint32_t       first[SMS], count[SMS];
    uint64_t       sent, done, blocks;
    uint8_t       *bytes;
    bool           values;
};

static struct link *link_of(uint32_t senders, uint32_t depth)
{
    return link_new(&(struct link_config){ .name = "link", .latency = 40 * TICKS_PER_NS,
                                           .senders = senders, .depth = depth });
}

static uint32_t one_port(const void *map, uint64_t address)
{
    (void)map;
    (void)address;
    return 0;
}

static void serve(struct bench *b, uint32_t sm, const struct message *m)
{
    if (!b->values)
        return;
    struct gpu_payload *p = &gpu_sm_payloads(b->sm[sm])[m->id];
    if (m->kind == GPU_READ)
        memcpy(p->data, b->bytes + m->address % BUFFER, GPU_LINE);
}

static void answer(struct bench *b, tick_t end)
{
    uint32_t sm;
    while (link_arrival(b->requests) < end) {
        tick_t at = link_arrival(b->requests);
        const struct message *m = link_peek(b->requests, at, &sm);
        uint32_t place = (b->first[sm] + b->count[sm]++) % ANSWERS;
        serve(b, sm, m);
        b->waiting[sm][place] = *m;
        b->at[sm][place] = at + L2_NS * TICKS_PER_NS;
        link_take(b->requests, at);
    }
    for (sm = 0; sm < SMS; sm++)
        for (; b->count[sm] > 0 && b->at[sm][b->first[sm]] < end; b->count[sm]--) {
            link_send(b->answers[sm], 0, b->at[sm][b->first[sm]], &b->waiting[sm][b->first[sm]]);
            b->first[sm] = (b->first[sm] + 1) % ANSWERS;
        }
}

static void publish(struct bench *b)
{
    for (uint32_t i = 0; i < SMS; i++) {
        link_publish(b->to_sm[i]);
        link_publish(b->answers[i]);
    }
    link_publish(b->from_sms);
    link_publish(b->requests);
}

static void run(struct bench *b)
{
    for (uint64_t i = 0; i < b->blocks; i++)
        link_send(b->to_sm[i % SMS], 0, 0, &(struct message){ .kind = GPU_FRONT_BLOCK, .id = i });
    for (tick_t now = 0; b->done < b->blocks; now += WINDOW_NS * TICKS_PER_NS) {
        tick_t end = now + WINDOW_NS * TICKS_PER_NS;
        for (uint32_t i = 0; i < SMS; i++)
            b->block[i].run(b->block[i].self, end);
        while (link_arrival(b->from_sms) < end) {
            b->done++;
            link_take(b->from_sms, link_arrival(b->from_sms));
        }
        answer(b, end);
        publish(b);
        for (uint32_t i = 0; i < SMS; i++)
            if (gpu_sm_fault(b->sm[i])) {
                fprintf(stderr, "%s\n", gpu_sm_fault(b->sm[i]));
                exit(1);
            }
    }
}

static struct bench *build(const struct gpu_config *c, const struct gpu_launch *l,
                           const struct gpu_occupancy *o, struct gpu_memory *memory, bool values)
{
    struct bench *b = calloc(1, sizeof *b);
    if (!b)
        exit(1);
    b->blocks = l->grid[0];
    b->values = values;
    b->bytes = calloc(BUFFER, 1);
    b->from_sms = link_of(SMS, 64);
    b->requests = link_of(SMS, 256);
    for (uint32_t s = 0; s < SMS; s++) {
        b->to_sm[s] = link_of(1, 64);
        b->answers[s] = link_of(1, ANSWERS);
        struct gpu_sm_config_run run_config = {
            .name = "sm", .config = c, .launches = l, .occupancy = o, .launch_count = 1,
            .groups = 1, .number = s, .values = values, .memory = memory,
            .from_front = b->to_sm[s], .to_front = b->from_sms, .front_sender = s,
            .requests = &b->requests, .answers = b->answers[s], .port = one_port,
        };
        b->sm[s] = gpu_sm_new(&run_config);
        b->block[s] = gpu_sm_block(b->sm[s]);
    }
    return b;
}

static void take_down(struct bench *b)
{
    for (uint32_t s = 0; s < SMS; s++) {
        gpu_sm_free(b->sm[s]);
        link_free(b->to_sm[s]);
        link_free(b->answers[s]);
    }
    link_free(b->from_sms);
    link_free(b->requests);
    free(b->bytes);
    free(b);
}

static void time_it(const struct gpu_config *c, size_t i, const struct gpu_launch *l,
                    const struct gpu_occupancy *o, struct gpu_memory *memory, bool values)
{
    struct bench *b = build(c, l, o, memory, values);
    clock_t start = clock();
    run(b);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    uint64_t operations = 0;
    for (uint32_t s = 0; s < SMS; s++)
        operations += gpu_sm_stats(b->sm[s], 0, 0).operations;
    printf("sm %-6s %-6s %6.2f million warp operations a CPU second (%.1f million)\n",
           cases[i].name, values ? "values" : "timing", (double)operations / seconds / 1e6,
           (double)operations / 1e6);
    take_down(b);
}

static void bench(const struct gpu_config *c, size_t i, bool values)
{
    struct text t;
    struct diag d = { .text = "" };
    open_text(&t);
    cases[i].write(&t);
    struct ptx_module *m = ptx_read(t.at, t.size, "bench.ptx", &d);
    struct gpu_kernel *k = m ? gpu_compile(c, m, ptx_entry(m, NULL, &d), &d) : NULL;
    struct gpu_memory *memory = gpu_memory_new(false);
    uint64_t params[2] = { gpu_memory_add(memory, "x", BUFFER),
                           values ? cases[i].loops_with_values : cases[i].loops };
    struct gpu_launch l = { .kernel = k, .grid = { cases[i].blocks, 1, 1 },
                            .block = { cases[i].threads, 1, 1 }, .params = (uint8_t *)params };
    struct gpu_occupancy o;
    if (!k || !gpu_occupancy(c, &l, &o, &d)) {
        diag_print(&d, stderr);
        exit(1);
    }
    time_it(c, i, &l, &o, memory, values);
    gpu_memory_free(memory);
    gpu_kernel_free(k);
    ptx_free(m);
    free(t.at);
}

int main(int argc, char **argv)
{
    struct diag d = { .text = "" };
    struct machine *m = machine_read(&figures_schema, "models/machines/v100.yaml", &d);
    if (!m) {
        diag_print(&d, stderr);
        return 1;
    }
    struct gpu_config c = ((const struct figures *)machine_figures(m))->gpu;
    machine_free(m);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int values = 0; values <= 1; values++)
            if (argc < 2 || strcmp(argv[1], cases[i].name) == 0)
                bench(&c, i, values);
    return 0;
}
