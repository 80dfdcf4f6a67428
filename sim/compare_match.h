/* compare_match.h - which ops of several results are the same work.
 *
 * Machines fuse differently, so an op of one result may be several of another.  What they have
 * in common is the trace's ops that they contain:
 *
 *     machine 0    [ matmul a, bias b ]  [ relu c ]    [ matmul d ]
 *     machine 1    [ matmul a ]  [ bias b, relu c ]    [ matmul d ]  [ cast w ]
 *     row             0                                   1             2
 *
 * A row is the smallest set of ops, of all machines, of which none contains a trace's op that
 * one outside the row contains too.  What a lowering added contains none and goes by its name.
 */
#ifndef SIM_COMPARE_MATCH_H
#define SIM_COMPARE_MATCH_H

#include <jansson.h>

struct compare_match {
    size_t   results, rows;
    size_t **row;               /* [results][ops of it]: rows in the order of their first op */
};

/* The "ops" of each result, in program order. */
struct compare_match compare_match(json_t *const *ops, size_t results);
void compare_match_free(struct compare_match *m);

#endif
