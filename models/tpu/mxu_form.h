/* mxu_form.h - what the forms of the matrix unit share; for mxu*.c and the RTL harness. */
#ifndef MODELS_TPU_MXU_FORM_H
#define MODELS_TPU_MXU_FORM_H

#include "models/tpu/mxu_look.h"

/* A form is these; what mxu.h says of the arguments has been checked. */
struct tpu_mxu_ops {
    void    (*free)(struct tpu_mxu *m);
    cycle_t (*load_at)(const struct tpu_mxu *m, cycle_t now);
    cycle_t (*stream_at)(const struct tpu_mxu *m, cycle_t now, const struct tpu_mxu_tile *t);
    void    (*load)(struct tpu_mxu *m, cycle_t now, const uint16_t *weights);
    void    (*stream)(struct tpu_mxu *m, cycle_t now, const struct tpu_mxu_tile *t);
    cycle_t (*step)(struct tpu_mxu *m, cycle_t now);
    void    (*account)(struct tpu_mxu *m, cycle_t now);     /* stats.cycles up to now */
    void    (*look)(const struct tpu_mxu *m, struct tpu_mxu_pe *pes);   /* NULL: no registers */
};

/* The config in the units of the closed form. */
struct tpu_mxu_figures {
    cycle_t  load;          /* to push the weights of a tile */
    cycle_t  group;         /* to enter one push of rows */
    cycle_t  latency;       /* a push begins to enter .. its results can be popped */
    uint32_t groups;        /* pushes in flight where that holds up the next; 0: never */
};

/* The first members of every form's struct. */
struct tpu_mxu {
    const struct tpu_mxu_ops *ops;
    struct tpu_mxu_config  config;
    struct tpu_mxu_figures figures;
    struct tpu_mxu_stats   stats;
    struct record         *record;          /* NULL: none */
    uint32_t               track;
    cycle_t loaded_at, stream_end, first_result_at, last_result_at;
};

static inline uint64_t ceil_div(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

/* The cycles of [from, to) were spent in this state.  Of none nothing is told: it would cut the
 * state that goes on in two. */
static inline void tpu_mxu_spend(struct tpu_mxu *m, enum tpu_mxu_state state, cycle_t from,
                                 cycle_t to)
{
    m->stats.cycles[state] += to - from;
    if (from < to)
        record_state(m->record, m->track, from, state);
}

struct tpu_mxu_figures tpu_mxu_figures(const struct tpu_mxu_config *c);

/* When pushes may enter under a limit of those in flight: not before the pop of the
 * `size`-th before.  Keeps the pops of the last `size`; without a limit, nothing. */
struct tpu_mxu_pace {
    cycle_t *pop;
    uint32_t size, oldest;
};

void    tpu_mxu_pace_init(struct tpu_mxu_pace *p, uint32_t size);   /* p->pop is owned */
cycle_t tpu_mxu_pace_next(const struct tpu_mxu_pace *p, cycle_t earliest);
void    tpu_mxu_pace_enter(struct tpu_mxu_pace *p, cycle_t at, cycle_t latency);

/* When the last of `count` pushes enters, the first of them at `at`; they have entered. */
cycle_t tpu_mxu_pace_last(struct tpu_mxu_pace *p, const struct tpu_mxu_figures *f,
                          cycle_t at, uint64_t count);

/* results[i][c] = sum over k, in order, of a[i * a_row + k * a_step] * w[k][c], as mxu.h says. */
struct tpu_mxu_product {
    uint32_t count, depth, cols;            /* i, k, c */
    const uint16_t *a;
    size_t a_row, a_step;
    const uint16_t *w;
    float *results;
};

void tpu_mxu_multiply(const struct tpu_mxu_product *p);

/* For the loops that the time goes into: compiled also for wider vectors, chosen when the
 * program starts.  The bits are the same: each lane does the same multiply, then add. */
#if defined __x86_64__ && defined __GNUC__ && !defined __clang__
#define TPU_MXU_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define TPU_MXU_WIDE
#endif

struct tpu_mxu *tpu_mxu_fast_new(const struct tpu_mxu_config *c);
struct tpu_mxu *tpu_mxu_exact_new(const struct tpu_mxu_config *c);
struct tpu_mxu *tpu_mxu_os_fast_new(const struct tpu_mxu_config *c);
struct tpu_mxu *tpu_mxu_os_exact_new(const struct tpu_mxu_config *c);

/* Output-stationary, nothing is ever loaded. */
cycle_t tpu_mxu_os_load_at(const struct tpu_mxu *m, cycle_t now);
void    tpu_mxu_os_load(struct tpu_mxu *m, cycle_t now, const uint16_t *weights);

void *tpu_mxu_zeroed(size_t count, size_t size);

/* Fills in what all forms share, once a form has allocated its struct. */
void tpu_mxu_init(struct tpu_mxu *m, const struct tpu_mxu_ops *ops, const struct tpu_mxu_config *c);

#endif
