/* Dominators of random graphs, against the definition: x dominates y if y cannot be reached
 * when x is taken away. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/compile/flow.h"
#include "tests/suites.h"

#define NODES 14

struct drawn { uint32_t nodes, first[NODES + 1], to[2 * NODES]; };

static uint32_t pick(uint64_t *random, uint32_t below)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*random >> 33) % below;
}

/* Up to two edges a node, as blocks have; some lead nowhere, some cannot be reached. */
static struct drawn draw(uint64_t seed)
{
    uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15);
    struct drawn d = { .nodes = 1 + pick(&random, NODES) };
    uint32_t edges = 0;
    for (uint32_t n = 0; n < d.nodes; n++) {
        d.first[n] = edges;
        for (uint32_t k = pick(&random, 3); k; k--)
            d.to[edges++] = pick(&random, d.nodes);
    }
    d.first[d.nodes] = edges;
    return d;
}

static void reach(const struct drawn *d, uint32_t from, uint32_t without, bool *seen)
{
    if (from == without || seen[from])
        return;
    seen[from] = true;
    for (uint32_t e = d->first[from]; e < d->first[from + 1]; e++)
        reach(d, d->to[e], without, seen);
}

static bool dominates(const struct drawn *d, uint32_t x, uint32_t y)
{
    bool seen[NODES] = { false };
    reach(d, 0, x, seen);
    return x == y || !seen[y];
}

/* The dominator of y, other than y, that all its other dominators dominate. */
static uint32_t immediate(const struct drawn *d, uint32_t y)
{
    for (uint32_t x = 0; x < d->nodes; x++) {
        bool nearest = x != y && dominates(d, x, y);
        for (uint32_t z = 0; z < d->nodes && nearest; z++)
            nearest = z == y || !dominates(d, z, y) || dominates(d, z, x);
        if (nearest)
            return x;
    }
    return UINT32_MAX;
}

START_TEST(dominators_are_those_of_the_definition)
{
    struct drawn d = draw((uint64_t)_i + 1);
    struct arena a = { NULL };
    struct graph g = { d.nodes, d.first, d.to }, turned = graph_turned(&a, &g);
    bool reached[NODES] = { false };
    uint32_t found[NODES];
    reach(&d, 0, UINT32_MAX, reached);
    graph_dominators(&a, &g, &turned, 0, found);
    for (uint32_t n = 0; n < d.nodes; n++) {
        uint32_t want = n && reached[n] ? immediate(&d, n) : UINT32_MAX;
        ck_assert_msg(found[n] == want, "seed %d: node %u: %u, not %u", _i + 1, n, found[n], want);
    }
    arena_free(&a);
}
END_TEST

START_TEST(a_graph_turned_twice_is_the_graph)
{
    struct drawn d = draw((uint64_t)_i + 1);
    struct arena a = { NULL };
    struct graph g = { d.nodes, d.first, d.to }, once = graph_turned(&a, &g);
    struct graph twice = graph_turned(&a, &once);
    uint32_t edges = 0;
    ck_assert_uint_eq(once.first[d.nodes], d.first[d.nodes]);
    for (uint32_t from = 0; from < d.nodes; from++)
        for (uint32_t to = 0; to < d.nodes; to++) {
            uint32_t was = 0, is = 0, back = 0;
            for (uint32_t e = d.first[from]; e < d.first[from + 1]; e++)
                was += d.to[e] == to;
            for (uint32_t e = twice.first[from]; e < twice.first[from + 1]; e++)
                is += twice.to[e] == to;
            for (uint32_t e = once.first[to]; e < once.first[to + 1]; e++)
                back += once.to[e] == from;
            ck_assert_uint_eq(was, is);
            ck_assert_uint_eq(was, back);
            edges += was;
        }
    ck_assert_uint_eq(edges, d.first[d.nodes]);
    arena_free(&a);
}
END_TEST

Suite *compile_graph_suite(void)
{
    Suite *s = suite_create("compile_graph");
    TCase *t = tcase_create("random");
    tcase_add_loop_test(t, dominators_are_those_of_the_definition, 0, 500);
    tcase_add_loop_test(t, a_graph_turned_twice_is_the_graph, 0, 50);
    suite_add_tcase(s, t);
    return s;
}
