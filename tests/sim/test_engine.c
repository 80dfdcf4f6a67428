/* test_engine.c - the same traffic, however it is run, looks the same to every block.
 *
 * The traffic: nodes, each with a clock of its own, make messages, take what arrives,
 * hold a few and send them on, all by a random generator of their own.  A node hashes
 * everything it sees with its tick.  The plain loop over the largest legal window is
 * the reference; the engine must come to the same text.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine.h"
#include "sim/isolate.h"
#include "sim/loop.h"
#include "tests/suites.h"

#define MOST 16             /* nodes, links, and ends at a node */
#define LEAST_LATENCY (30 * TICKS_PER_NS)

static uint64_t roll(uint64_t *state)
{
    uint64_t x = (*state += UINT64_C(0x9e3779b97f4a7c15));
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint32_t pick(uint64_t *state, uint32_t below)
{
    return (uint32_t)(roll(state) % below);
}

/* ---- a node */

struct end { struct link *link; uint32_t sender; uint64_t sent; };
struct item { uint32_t out, hops; };

struct node {
    struct clock clock;
    uint64_t  random;
    bool      lazy;             /* says nothing of what the engine knows by itself */
    uint32_t  to_make, pace;    /* messages; cycles between two takes */
    uint32_t  room, held;
    struct item items[1024];    /* [0] is sent next */
    cycle_t   next, make_at, take_at, head_since;
    struct end ins[MOST], outs[MOST];
    uint32_t  in_count, out_count;
    uint64_t  expected[MOST][MOST];     /* number of the next message, by in and sender */
    uint64_t  hash, taken, sent, stalled, wrong;
};

static void see(struct node *n, uint64_t what)
{
    n->hash = (n->hash ^ what) * UINT64_C(0x100000001b3);
    n->hash ^= n->hash >> 29;
}

static void hold(struct node *n, cycle_t c, uint32_t hops)
{
    if (n->held == 0)
        n->head_since = c;
    n->items[n->held++] = (struct item){ pick(&n->random, n->out_count), hops };
}

static void send(struct node *n, cycle_t c)
{
    tick_t now = clock_tick(&n->clock, c);
    struct end *e = &n->outs[n->items[0].out];
    if (n->held == 0 || !link_can_send(e->link, e->sender, now))
        return;
    struct message m = { .address = now, .id = e->sent++,
                         .kind = (uint8_t)n->items[0].hops };
    link_send(e->link, e->sender, now, &m);
    memmove(n->items, n->items + 1, --n->held * sizeof n->items[0]);
    n->sent++;
    n->stalled += c - n->head_since;
    n->head_since = c;
    see(n, now + m.id);
}

static void make(struct node *n, cycle_t c)
{
    if (n->to_make == 0 || c < n->make_at || n->held == n->room)
        return;
    hold(n, c, pick(&n->random, 4));
    n->to_make--;
    n->make_at = c + 1 + pick(&n->random, 8) * pick(&n->random, 12);
}

static void take(struct node *n, uint32_t in, cycle_t c)
{
    tick_t now = clock_tick(&n->clock, c);
    struct link *l = n->ins[in].link;
    uint32_t sender;
    if (c < n->take_at || n->held == n->room)
        return;
    const struct message *m = link_peek(l, now, &sender);
    if (!m)
        return;
    if (m->id != n->expected[in][sender]++ || now < m->address + link_config(l)->latency)
        n->wrong++;
    see(n, now);
    see(n, m->address + in * MOST + sender);
    see(n, m->id);
    if (m->kind > 0 && n->out_count > 0)
        hold(n, c, m->kind - 1u);
    n->taken++;
    n->take_at = c + n->pace;
    link_take(l, now);
}

/* The next cycle to step, leaving out what the engine will call for from `known` on. */
static cycle_t due(const struct node *n, tick_t known)
{
    cycle_t first = CYCLE_NEVER;
    if (n->held > 0) {
        const struct end *e = &n->outs[n->items[0].out];
        tick_t at = link_send_at(e->link, e->sender, clock_tick(&n->clock, n->next));
        if (link_credit_at(e->link, e->sender) < known)
            first = cycle_min(first, clock_cycle(&n->clock, at));
    }
    if (n->held == n->room)
        return first;
    if (n->to_make > 0)
        first = cycle_min(first, cycle_max(n->next, n->make_at));
    for (uint32_t i = 0; i < n->in_count; i++) {
        tick_t arrival = link_arrival(n->ins[i].link);
        cycle_t c = cycle_max(n->next, n->take_at);
        if (arrival < known)
            first = cycle_min(first, cycle_max(c, clock_cycle(&n->clock, arrival)));
    }
    return first;
}

static tick_t run_node(void *self, tick_t end)
{
    struct node *n = self;
    for (;;) {
        cycle_t c = due(n, TICK_NEVER);
        if (clock_tick(&n->clock, c) >= end)
            break;
        send(n, c);
        make(n, c);
        for (uint32_t i = 0; i < n->in_count; i++)
            take(n, i, c);
        n->next = c + 1;
    }
    return clock_tick(&n->clock, due(n, n->lazy ? end : TICK_NEVER));
}

static bool node_idle(const void *self)
{
    const struct node *n = self;
    return n->held == 0 && n->to_make == 0;
}

/* ---- a net of nodes, from a seed */

struct net {
    uint64_t random;
    uint32_t node_count, link_count;
    struct node nodes[MOST];
    struct block blocks[MOST];
    uint32_t place[MOST];               /* of a node among the blocks */
    struct engine_link links[MOST];
    uint32_t senders[MOST][MOST];
};

static void join(struct net *net, uint32_t to, uint32_t count, const uint32_t *from)
{
    uint32_t i = net->link_count++;
    struct link_config config = {
        .name = "link", .senders = count, .depth = 1 + pick(&net->random, 5),
        .latency  = LEAST_LATENCY + (i > 0 ? pick(&net->random, 40000003) : 0),
        .interval = pick(&net->random, 2) * pick(&net->random, 3000017),
    };
    struct link *l = link_new(&config);
    net->links[i] = (struct engine_link){ l, to, net->senders[i] };
    struct node *receiver = &net->nodes[to];
    receiver->ins[receiver->in_count++] = (struct end){ l, 0, 0 };
    for (uint32_t s = 0; s < count; s++) {
        struct node *sender = &net->nodes[from[s]];
        sender->outs[sender->out_count++] = (struct end){ l, s, 0 };
        net->senders[i][s] = from[s];
    }
}

/* Who sends to whom at random, the same node perhaps twice. */
static void random_net(struct net *net)
{
    net->node_count = 7;
    for (uint32_t i = 0; i < 11; i++) {
        uint32_t from[4], count = 1 + pick(&net->random, 4);
        for (uint32_t s = 0; s < count; s++)
            from[s] = (i + s * pick(&net->random, 5)) % 7;
        join(net, pick(&net->random, 7), count, from);
    }
}

/* Little room at every stage, a slow last one: credits run out. */
static void pipeline(struct net *net)
{
    net->node_count = 6;
    for (uint32_t i = 0; i < 5; i++) {
        net->nodes[i].room = 2;
        join(net, i + 1, 1, &i);
    }
    net->nodes[5].pace = 9;
}

static void ring(struct net *net)
{
    net->node_count = 5;
    for (uint32_t i = 0; i < 5; i++)
        join(net, (i + 1) % 5, 1, &i);
}

/* Many to one, all on one clock: arrivals at the same tick. */
static void crossbar(struct net *net)
{
    uint32_t from[9];
    net->node_count = 10;
    for (uint32_t i = 0; i < 9; i++)
        from[i] = i + 1;
    for (uint32_t i = 0; i < 10; i++)
        net->nodes[i].clock.hz = 940000000;
    join(net, 0, 9, from);
}

static void (*const topologies[])(struct net *) = { random_net, pipeline, ring, crossbar };

static struct net *net_new(uint32_t topology, uint64_t seed)
{
    struct net *net = calloc(1, sizeof *net);
    net->random = seed;
    for (uint32_t i = 0; i < MOST; i++) {
        struct node *n = &net->nodes[i];
        n->random   = roll(&net->random);
        n->clock.hz = 300000000 + pick(&net->random, 1700000000);
        n->lazy     = pick(&net->random, 2);
        n->to_make  = 30 + pick(&net->random, 30);
        n->pace     = 1 + pick(&net->random, 3);
        n->room     = COUNT_OF(n->items);
        net->place[i] = i;
    }
    topologies[topology](net);
    for (uint32_t i = 0; i < net->node_count; i++)
        if (net->nodes[i].out_count == 0)
            net->nodes[i].to_make = 0;
    return net;
}

static void net_free(struct net *net)
{
    for (uint32_t i = 0; i < net->link_count; i++)
        link_free(net->links[i].link);
    free(net);
}

/* ---- one run, as a text */

struct way {
    bool     twin;
    uint32_t order, threads, divisor;
    uint32_t topology;
    uint64_t seed;
    tick_t   limit;
};

/* Gives the nodes other places among the blocks; the links named nodes until here. */
static void shuffle(struct net *net, uint64_t order)
{
    for (uint32_t i = net->node_count; order && i > 1; i--) {
        uint32_t j = pick(&order, i), was = net->place[i - 1];
        net->place[i - 1] = net->place[j];
        net->place[j] = was;
    }
    for (uint32_t i = 0; i < net->link_count; i++) {
        struct engine_link *l = &net->links[i];
        l->receiver = net->place[l->receiver];
        for (uint32_t s = 0; s < link_config(l->link)->senders; s++)
            net->senders[i][s] = net->place[net->senders[i][s]];
    }
    for (uint32_t i = 0; i < net->node_count; i++)
        net->blocks[net->place[i]] =
            (struct block){ "node", &net->nodes[i], run_node, node_idle, NULL };
}

static int run_way(void *arg, FILE *out)
{
    const struct way *way = arg;
    struct net *net = net_new(way->topology, way->seed);
    shuffle(net, way->order);
    struct engine_config config = {
        .blocks = net->blocks, .block_count = net->node_count,
        .links  = net->links,  .link_count  = net->link_count,
        .window = LEAST_LATENCY / way->divisor, .threads = way->threads,
        .limit  = way->limit,
    };
    struct engine_result result;
    bool done = way->twin ? loop_run(&config, &result) : engine_run(&config, &result);
    fprintf(out, "%s%s end %" PRIu64 "\n", done ? "done" : "left",
            result.limited ? " limited" : "", result.end);
    uint64_t lost = 0, wrong = 0;
    for (uint32_t i = 0; i < net->node_count; i++) {
        const struct node *n = &net->nodes[i];
        fprintf(out, "%u: %016" PRIx64 " taken %" PRIu64 " sent %" PRIu64
                " stalled %" PRIu64 "\n", i, n->hash, n->taken, n->sent, n->stalled);
        lost  += n->sent - n->taken;
        wrong += n->wrong;
    }
    fprintf(out, "lost %" PRIu64 " wrong %" PRIu64 "\n", lost, wrong);
    net_free(net);
    return 0;
}

static char *text_of(struct way way)
{
    struct isolate_result r;
    ck_assert_msg(isolate_run(run_way, &way, 0, &r), "%s", r.text);
    return r.bytes;
}

static const struct way ways[] = {
    { .order = 0, .threads = 1, .divisor = 1 },
    { .order = 5, .threads = 1, .divisor = 1 },
    { .order = 7, .threads = 2, .divisor = 1 },
    { .order = 0, .threads = 4, .divisor = 1 },
    { .order = 8, .threads = 7, .divisor = 1 },
    { .order = 0, .threads = 1, .divisor = 2 },
    { .order = 9, .threads = 1, .divisor = 3 },
    { .order = 3, .threads = 2, .divisor = 3 },
    { .order = 4, .threads = 1, .divisor = 6 },
    { .order = 6, .divisor = 1, .twin = true },
    { .order = 0, .divisor = 2, .twin = true },
    { .order = 2, .divisor = 3, .twin = true },
};

START_TEST(however_it_is_run_every_block_sees_the_same)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct way twin = { .twin = true, .divisor = 1, .seed = seed,
                            .topology = (uint32_t)_i };
        char *expected = text_of(twin);
        ck_assert_msg(strncmp(expected, "done end", 8) == 0, "%s", expected);
        ck_assert_msg(strstr(expected, "lost 0 wrong 0\n") != NULL, "%s", expected);
        for (size_t i = 0; i < COUNT_OF(ways); i++) {
            struct way way = ways[i];
            way.seed = seed;
            way.topology = (uint32_t)_i;
            char *text = text_of(way);
            ck_assert_msg(strcmp(text, expected) == 0,
                          "seed %" PRIu64 ", way %zu:\n%sbut the twin:\n%s", seed, i, text,
                          expected);
            free(text);
        }
        free(expected);
    }
}
END_TEST

START_TEST(a_limit_cuts_every_run_at_the_same_tick)
{
    struct way twin = { .twin = true, .divisor = 1, .seed = 77, .topology = (uint32_t)_i,
                        .limit = 101 * TICKS_PER_NS + 7 };
    char *expected = text_of(twin);
    ck_assert_msg(strncmp(expected, "left limited end 101000007\n", 27) == 0,
                  "%s", expected);
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        struct way way = ways[i];
        way.seed = twin.seed;
        way.topology = twin.topology;
        way.limit = twin.limit;
        char *text = text_of(way);
        ck_assert_str_eq(text, expected);
        free(text);
    }
    free(expected);
}
END_TEST

Suite *engine_suite(void)
{
    Suite *s = suite_create("engine");
    TCase *t = tcase_create("order");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, however_it_is_run_every_block_sees_the_same, 0,
                        COUNT_OF(topologies));
    tcase_add_loop_test(t, a_limit_cuts_every_run_at_the_same_tick, 0,
                        COUNT_OF(topologies));
    suite_add_tcase(s, t);
    return s;
}
