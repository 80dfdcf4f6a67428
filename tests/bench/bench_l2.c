/* bench_l2.c - what a request to L2 costs: nanoseconds of CPU a line.
 *
 * 80 senders that do nothing else ask four groups of 16 slices for lines, each for one every
 * second ns as long as fewer than 64 of its own are under way.  The engine, the links there
 * and back and, for misses, the stacks are in the price; the senders too.
 *
 * Wanted: 200 ns a line that hits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "models/gpu/l2.h"
#include "models/hbm/hbm_block.h"
#include "sim/engine.h"
#include "sim/isolate.h"
#include "tests/models/gpu/gpu_figures.h"
#include "tests/models/gpu/timed_memory.h"

enum { SMS = 80, STACKS = 4, UNDER_WAY = 64, REQUESTS = 20000, BLOCKS = SMS + 2 * STACKS };

static const struct load { const char *name; uint64_t bytes; uint8_t kind; } loads[] = {
    { "reads that hit",  4 << 20,  GPU_READ },
    { "reads that miss", 1 << 30,  GPU_READ },
    { "writes that hit", 4 << 20,  GPU_WRITE },
    { "written through", 1 << 30,  GPU_WRITE },
};

struct bench;

struct sender {
    struct bench *bench;
    uint32_t number, sent, answered;
    tick_t   ready;
};

struct bench {
    struct load load;
    struct gpu_config config;
    struct hbm_config hbm;
    struct hbm_map    map;
    struct gpu_l2_map l2_map;
    struct sender     sender[SMS];
    struct link *requests[STACKS], *answers[SMS], *to_memory[STACKS], *from_memory[STACKS];
    struct gpu_l2    *l2[STACKS];
    struct block      blocks[BLOCKS];
    struct engine_link links[SMS + 3 * STACKS];
    uint32_t          link_count, numbers[BLOCKS];
};

static tick_t run_sender(void *self, tick_t end)
{
    struct sender *s = self;
    struct bench *b = s->bench;
    for (;;) {
        tick_t answer = link_arrival(b->answers[s->number]), send = TICK_NEVER;
        uint64_t address = ((uint64_t)s->sent * SMS + s->number) * 128 % b->load.bytes;
        struct link *l = b->requests[gpu_l2_map_group(&b->l2_map, 0, address)];
        if (s->sent < REQUESTS && s->sent - s->answered < UNDER_WAY)
            send = link_send_at(l, s->number, s->ready);
        if (tick_min(answer, send) >= end)
            return send;
        if (answer <= send) {
            link_take(b->answers[s->number], answer);
            s->ready = tick_max(s->ready, answer);
            s->answered++;
            continue;
        }
        struct message m = { .address = address, .id = s->sent++ % UNDER_WAY,
                             .bytes = b->load.kind == GPU_WRITE ? 0xff : 0xf,
                             .kind = b->load.kind };
        link_send(l, s->number, send, &m);
        s->ready = send + 2 * TICKS_PER_NS;
    }
}

static struct link *join(struct bench *b, double ns, uint32_t senders, uint32_t depth,
                         uint32_t receiver, uint32_t first_sender)
{
    struct link *l = link_new(&(struct link_config){ .name = "link", .latency = ticks_ns(ns),
                                                     .senders = senders, .depth = depth });
    b->links[b->link_count++] = (struct engine_link){ l, receiver, b->numbers + first_sender };
    return l;
}

static void wire(struct bench *b)
{
    const struct gpu_config *c = &b->config;
    for (uint32_t i = 0; i < BLOCKS; i++)
        b->numbers[i] = i;
    for (uint32_t s = 0; s < SMS; s++)
        b->answers[s] = join(b, c->crossbar.latency_ns, STACKS, UNDER_WAY, s, SMS);
    for (uint32_t g = 0; g < STACKS; g++) {
        b->requests[g] = join(b, c->crossbar.latency_ns, SMS, c->l2.queue, SMS + g, 0);
        b->to_memory[g] = join(b, c->l2.memory_ns, 1, 256, SMS + STACKS + g, SMS + g);
        b->from_memory[g] = join(b, c->l2.memory_ns, 1, 1280, SMS + g, SMS + STACKS + g);
    }
}

static void build(struct bench *b)
{
    for (uint32_t s = 0; s < SMS; s++) {
        b->sender[s] = (struct sender){ .bench = b, .number = s };
        b->blocks[s] = (struct block){ .name = "sm", .self = &b->sender[s], .run = run_sender };
    }
    for (uint32_t g = 0; g < STACKS; g++) {
        b->l2[g] = gpu_l2_new(&(struct gpu_l2_config_run){
            .name = "l2", .config = &b->config, .map = &b->l2_map, .stack = g, .sms = SMS,
            .groups = 1, .requests = b->requests[g], .answers = b->answers,
            .to_memory = b->to_memory[g], .from_memory = b->from_memory[g] });
        b->blocks[SMS + g] = gpu_l2_block(b->l2[g]);
        b->blocks[SMS + STACKS + g] = hbm_block_block(
            hbm_block_new("hbm", &b->hbm, &b->map, 1, b->to_memory[g], &b->from_memory[g]));
    }
}

static int child(void *arg, FILE *out)
{
    static struct bench b;
    struct diag d = { .text = "" };
    struct engine_result r;
    b.load = *(const struct load *)arg;
    b.config = gpu_v100();
    b.hbm = timed_memory(STACKS);
    if (!hbm_check(&b.hbm, &b.map, &d)) {
        fprintf(out, "%s\n", d.text);
        return 1;
    }
    gpu_l2_map_init(&b.l2_map, &b.config, &b.map);
    wire(&b);
    build(&b);
    clock_t begun = clock();
    bool done = engine_run(&(struct engine_config){ .blocks = b.blocks, .block_count = BLOCKS,
                               .links = b.links, .link_count = b.link_count }, &r);
    double seconds = (double)(clock() - begun) / CLOCKS_PER_SEC, all = (double)SMS * REQUESTS;
    fprintf(out, "%-16s %6.0f ns a line, %5.0f bytes a ns%s\n", b.load.name, seconds / all * 1e9,
            all * 128 / ((double)r.end / TICKS_PER_NS), done ? "" : ", and stuck");
    return !done;
}

int main(void)
{
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++) {
        struct isolate_result r;
        struct load load = loads[i];
        bool done = isolate_run(child, &load, 0, &r);
        fputs(r.bytes, stdout);
        isolate_free(&r);
        if (!done)
            return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
