/* bench_engine.c - what the engine costs: nanoseconds an activation and a message.
 *
 *     no link              the price of an activation alone
 *     8 quiet links each   and of looking at its links
 *     ring                 messages, with what the block itself does for them
 *     63 to 1              and the price of merging many senders
 *
 * Wanted: under 200 ns an activation.  Each case runs in a process of its own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sim/engine.h"
#include "sim/isolate.h"
#include "sim/loop.h"

#define WINDOW (30 * TICKS_PER_NS)
#define MOST   256

struct node {
    struct link *in, *out;
    uint32_t     sender, a_window;      /* messages */
    tick_t       until;
    uint64_t     sum;
};

static tick_t run_node(void *self, tick_t end)
{
    struct node *n = self;
    for (tick_t at; n->in && (at = link_arrival(n->in)) < end;) {
        n->sum += link_peek(n->in, at, NULL)->id;
        link_take(n->in, at);
    }
    if (end > n->until)
        return TICK_NEVER;
    for (uint32_t i = 0; i < n->a_window; i++) {
        struct message m = { .id = i };
        tick_t at = end - WINDOW + i;
        if (link_can_send(n->out, n->sender, at))
            link_send(n->out, n->sender, at, &m);
    }
    return end;
}

struct load {
    const char *name;
    uint32_t blocks, quiet_links, a_window, many_to_one;
    uint64_t windows;
    bool     twin;
};

static const struct load loads[] = {
    { "1 block, no link",                 1, 0,  0, 0, 1000000, false },
    { "16 blocks, no link",              16, 0,  0, 0,  100000, false },
    { "256 blocks, no link",            256, 0,  0, 0,    6000, false },
    { "16 blocks, 8 quiet links each",   16, 8,  0, 0,  100000, false },
    { "ring of 2, 1 message a window",    2, 0,  1, 0,  500000, false },
    { "ring of 16, 1 message a window",  16, 0,  1, 0,  100000, false },
    { "ring of 16, 32 a window",         16, 0, 32, 0,   20000, false },
    { "63 to 1, 4 a window each",        64, 0,  4, 1,   10000, false },
    { "twin: 16 blocks, no link",        16, 0,  0, 0,  100000, true },
    { "twin: ring of 16, 32 a window",   16, 0, 32, 0,   20000, true },
};

struct machine {
    struct node  nodes[MOST];
    struct block blocks[MOST];
    struct engine_link links[MOST];
    uint32_t     link_count;
    uint32_t     senders[MOST][MOST];
};

static struct link *join(struct machine *m, uint32_t to, uint32_t senders)
{
    struct link_config config = { "link", WINDOW, senders, 64, 0 };
    struct link *l = link_new(&config);
    m->links[m->link_count] = (struct engine_link){ l, to, m->senders[m->link_count] };
    m->link_count++;
    return l;
}

static void connect(struct machine *m, const struct load *load)
{
    for (uint32_t b = 0; b < load->blocks; b++)
        for (uint32_t i = 0; i < load->quiet_links; i++)
            m->senders[m->link_count][0] = (join(m, (b + i) % load->blocks, 1), b);
    if (load->a_window == 0)
        return;
    if (load->many_to_one) {
        m->nodes[0].in = join(m, 0, load->blocks - 1);
        m->nodes[0].a_window = 0;
        for (uint32_t b = 1; b < load->blocks; b++) {
            m->nodes[b].out    = m->nodes[0].in;
            m->nodes[b].sender = b - 1;
            m->senders[0][b - 1] = b;
        }
        return;
    }
    for (uint32_t b = 0; b < load->blocks; b++) {
        uint32_t to = (b + 1) % load->blocks;
        m->senders[m->link_count][0] = b;
        m->nodes[to].in = m->nodes[b].out = join(m, to, 1);
    }
}

static double cpu_ns(void)
{
    return (double)clock() * (1e9 / CLOCKS_PER_SEC);
}

static int run_load(void *arg, FILE *out)
{
    const struct load *load = arg;
    struct machine *m = calloc(1, sizeof *m);
    for (uint32_t b = 0; b < load->blocks; b++) {
        m->nodes[b].a_window = load->a_window;
        m->nodes[b].until    = load->windows * WINDOW;
        m->blocks[b] = (struct block){ "node", &m->nodes[b], run_node, NULL, NULL };
    }
    connect(m, load);
    struct engine_config config = {
        .blocks = m->blocks, .block_count = load->blocks, .links = m->links,
        .link_count = m->link_count, .window = WINDOW,
    };
    struct engine_result r = { 0 };
    double began = cpu_ns();
    (load->twin ? loop_run : engine_run)(&config, &r);
    double took = cpu_ns() - began;
    uint64_t messages = 0;
    for (uint32_t i = 0; i < m->link_count; i++) {
        messages += link_taken(m->links[i].link);
        link_free(m->links[i].link);
    }
    fprintf(out, "%-34s %6.0f ns/activation", load->name, took / (double)r.activations);
    if (messages > 0)
        fprintf(out, " %6.1f ns/message", took / (double)messages);
    fputc('\n', out);
    free(m);
    return 0;
}

static void time_clocks(void)
{
    enum { TIMES = 10000000 };
    struct clock c = { 940000000 };
    uint64_t sum = 0;
    double began = cpu_ns();
    for (cycle_t k = 0; k < TIMES; k++)
        sum += clock_tick(&c, k * 97);
    double ticks = cpu_ns();
    for (tick_t t = 0; t < TIMES; t++)
        sum += clock_cycle(&c, t * 97000000);
    double cycles = cpu_ns();
    printf("clock_tick %.1f ns, clock_cycle %.1f ns (%" PRIu64 ")\n",
           (ticks - began) / TIMES, (cycles - ticks) / TIMES, sum % 10);
}

int main(void)
{
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++) {
        struct load load = loads[i];
        struct isolate_result r;
        if (!isolate_run(run_load, &load, 0, &r)) {
            fprintf(stderr, "%s: %s\n", load.name, r.text);
            return EXIT_FAILURE;
        }
        fputs(r.bytes, stdout);
        isolate_free(&r);
    }
    time_clocks();
    return EXIT_SUCCESS;
}
