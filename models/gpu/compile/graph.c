/* graph.c - dominators as Cooper, Harvey and Kennedy find them: walking up two fingers. */
#include <string.h>

#include "models/gpu/compile/flow.h"

struct graph graph_turned(struct arena *a, const struct graph *g)
{
    uint32_t edges = g->first[g->nodes];
    uint32_t *first = arena_get(a, g->nodes + 2, sizeof *first);
    uint32_t *to = arena_get(a, edges, sizeof *to);
    for (uint32_t e = 0; e < edges; e++)
        first[g->to[e] + 2]++;
    for (uint32_t n = 2; n <= g->nodes; n++)
        first[n] += first[n - 1];
    for (uint32_t n = 0; n < g->nodes; n++)
        for (uint32_t e = g->first[n]; e < g->first[n + 1]; e++)
            to[first[g->to[e] + 1]++] = n;
    return (struct graph){ g->nodes, first, to };
}

uint32_t graph_order(struct arena *a, const struct graph *g, uint32_t root, uint32_t *order)
{
    uint32_t *stack = arena_get(a, g->nodes + 1, sizeof *stack), depth = 0;
    uint32_t *next = arena_get(a, g->nodes, sizeof *next);
    uint8_t *seen = arena_get(a, g->nodes, 1);
    uint32_t at = g->nodes;
    stack[depth++] = root;
    seen[root] = 1;
    while (depth) {
        uint32_t n = stack[depth - 1];
        if (g->first[n] + next[n] == g->first[n + 1]) {
            order[--at] = n;
            depth--;
            continue;
        }
        uint32_t to = g->to[g->first[n] + next[n]++];
        if (!seen[to]) {
            seen[to] = 1;
            stack[depth++] = to;
        }
    }
    memmove(order, order + at, (g->nodes - at) * sizeof *order);
    return g->nodes - at;
}

static uint32_t meet(const uint32_t *dominator, const uint32_t *number, uint32_t x, uint32_t y)
{
    while (x != y) {
        while (number[x] > number[y])
            x = dominator[x];
        while (number[y] > number[x])
            y = dominator[y];
    }
    return x;
}

void graph_dominators(struct arena *a, const struct graph *g, const struct graph *turned,
                      uint32_t root, uint32_t *dominator)
{
    uint32_t *order = arena_get(a, g->nodes, sizeof *order);
    uint32_t *number = arena_get(a, g->nodes, sizeof *number);
    uint32_t count = graph_order(a, g, root, order);
    memset(dominator, 0xff, g->nodes * sizeof *dominator);
    for (uint32_t k = 0; k < count; k++)
        number[order[k]] = k;
    dominator[root] = root;
    for (int changed = 1; changed;) {
        changed = 0;
        for (uint32_t k = 1; k < count; k++) {
            uint32_t n = order[k], best = UINT32_MAX;
            for (uint32_t e = turned->first[n]; e < turned->first[n + 1]; e++) {
                uint32_t from = turned->to[e];
                if (dominator[from] != UINT32_MAX)
                    best = best == UINT32_MAX ? from : meet(dominator, number, from, best);
            }
            changed |= dominator[n] != best;
            dominator[n] = best;
        }
    }
    dominator[root] = UINT32_MAX;
}
