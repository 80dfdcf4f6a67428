/* gemm.h - one matrix product as a trace made on the spot: y[m][n] = a[m][k] b[k][n].
 *
 * `nt` stores b the other way round ([n][k]); `tn` stores a the other way round ([k][m]),
 * as in the gradient of weights: then k is the batch, and several cores sum.
 */
#ifndef SIM_GEMM_H
#define SIM_GEMM_H

#include "traces/trace.h"

#define GEMM_MOST (1u << 24)    /* of m, k, n */

struct gemm {
    char            name[64];   /* of a row of a list */
    uint64_t        m, k, n;
    bool            transpose_a, transpose_b;
    enum trace_type type;       /* stored so; f32 and f16 are multiplied as the machine does */
};

/* "1024x4096x512": rows x inputs x outputs. */
bool gemm_parse(struct gemm *g, const char *text);
bool gemm_transpose(struct gemm *g, const char *word);      /* nn, nt, tn */
bool gemm_type(struct gemm *g, const char *word);           /* bf16, f16, f32 */

const char *gemm_transpose_name(const struct gemm *g);

/* NULL with the reason in `d`. */
struct trace *gemm_trace(const struct gemm *g, struct diag *d);

/* Reads a list: CSV with columns M, K and N under whatever header order, as SCALE-Sim's
 * GEMM topologies have; other columns are let be, but for the first, a name.  `like` gives
 * what a row does not say.  Returns how many, 0 with the reason in `d`; `*list` is owned
 * by the caller. */
size_t gemm_list(const char *path, const struct gemm *like, struct gemm **list, struct diag *d);

#endif
