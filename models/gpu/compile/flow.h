/* flow.h - who dominates whom in a graph; private. */
#ifndef MODELS_GPU_COMPILE_FLOW_H
#define MODELS_GPU_COMPILE_FLOW_H

#include "models/gpu/compile/arena.h"

/* A graph: edges of node n are to[first[n]] up to to[first[n + 1]]. */
struct graph { uint32_t nodes; const uint32_t *first, *to; };

/* The graph with every edge turned round. */
struct graph graph_turned(struct arena *a, const struct graph *g);

/* The nodes that can be reached from `root` in reverse postorder; their number. */
uint32_t graph_order(struct arena *a, const struct graph *g, uint32_t root, uint32_t *order);

/* The immediate dominator of each node on ways from `root`; UINT32_MAX: of the root, and of
 * those that cannot be reached.  `turned` is the same graph, turned round. */
void graph_dominators(struct arena *a, const struct graph *g, const struct graph *turned,
                      uint32_t root, uint32_t *dominator);

/* A kernel's blocks and, as the last node, the exit; without the edges to next[k] of blocks
 * that have bit k (NULL: with all). */
struct code;
struct graph code_graph(struct code *c, const uint8_t *without);

/* Finds the post_dominator of each block; `all` is code_graph(c, NULL). */
void code_meet(struct code *c, const struct graph *all);

#endif
