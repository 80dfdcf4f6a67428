/* step_array.c - the states of an array by cycle: those kept, or run again. */
#include "sim/step_array.h"

#include <inttypes.h>
#include <string.h>

#include "models/numerics/bf16.h"
#include "models/zeroed.h"
#include "sim/step_array_inside.h"
#include "traces/random.h"

bool step_fill_parse(const char *word, enum step_fill *fill)
{
    static const char *const words[] = { "small", "random", "ones" };
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i]) == 0) {
            *fill = (enum step_fill)i;
            return true;
        }
    return false;
}

static uint16_t *fill(const struct step_array_config *c, uint64_t seed, size_t count)
{
    uint16_t *x = zeroed(count, sizeof *x);
    struct random_stream s = { seed };
    for (size_t i = 0; i < count; i++) {
        float value = c->fill == STEP_SMALL  ? (float)random_below(&s, 9) - 4
                    : c->fill == STEP_RANDOM ? (float)(random_unit(&s) * 2 - 1) : 1;
        x[i] = bf16_from_f32(value);
    }
    return x;
}

static size_t cells(const struct step_array *s)
{
    return (size_t)s->product.mxu.rows * s->product.mxu.cols;
}

static struct step_state *kept(struct step_array *s, cycle_t cycle)
{
    return &s->states[cycle % STEP_KEPT];
}

static void keep(struct step_array *s)
{
    cycle_t cycle = array_run_cycle(s->run);
    struct step_state *x = kept(s, cycle);
    x->cycle = cycle;
    x->filled = true;
    x->state = array_run_state(s->run);
    memcpy(x->pes, array_run_pes(s->run), cells(s) * sizeof *x->pes);
}

const struct step_state *step_array_state(struct step_array *s, cycle_t cycle)
{
    struct step_state *x = kept(s, cycle);
    bool is_over = s->done > cycle;     /* the run has been there: its tiles are known */
    if (is_over && x->filled && x->cycle == cycle)
        return x;
    if (is_over) {
        array_run_free(s->run);
        s->run = array_run_new(&s->product);
        s->done = 0;
    }
    for (; s->done <= cycle; s->done++) {
        array_run_step(s->run);
        if (s->done + STEP_KEPT > cycle)
            keep(s);
    }
    return x;
}

static bool check(const struct step_array_config *c, struct diag *d)
{
    uint64_t across = (c->n + c->mxu.cols - 1) / c->mxu.cols;
    bool os = c->mxu.dataflow == TPU_MXU_OUTPUT_STATIONARY;
    uint64_t along = os ? c->m : c->k, depth = os ? c->k : c->m;
    if (c->mxu.rows > STEP_ARRAY_MOST || c->mxu.cols > STEP_ARRAY_MOST)
        return diag_set(d, 0, 0, "an array of %u x %u; expected at most %d x %d (--size)",
                        c->mxu.rows, c->mxu.cols, STEP_ARRAY_MOST, STEP_ARRAY_MOST);
    if ((along + c->mxu.rows - 1) / c->mxu.rows * across * depth > STEP_ARRAY_CYCLES
        || (uint64_t)c->m * c->k > STEP_ARRAY_CYCLES || (uint64_t)c->k * c->n > STEP_ARRAY_CYCLES
        || (uint64_t)c->m * c->n > STEP_ARRAY_CYCLES)
        return diag_set(d, 0, 0, "a product of %u x %u x %u; expected one of at most %d cycles, "
                        "and as many numbers", c->m, c->k, c->n, STEP_ARRAY_CYCLES);
    return true;
}

/* The run once, for its length. */
static bool measure(struct step_array *s, struct diag *d)
{
    while (s->done <= STEP_ARRAY_CYCLES && array_run_step(s->run))
        s->done++;
    s->cycles = s->done;
    return s->cycles <= STEP_ARRAY_CYCLES
        || diag_set(d, 0, 0, "the product takes more than %d cycles; expected a smaller one",
                    STEP_ARRAY_CYCLES);
}

struct step_array *step_array_new(const struct step_array_config *c, struct diag *d)
{
    if (!check(c, d))
        return NULL;
    struct step_array *s = zeroed(1, sizeof *s);
    s->a = fill(c, c->seed, (size_t)c->m * c->k);
    s->b = fill(c, c->seed + 1, (size_t)c->k * c->n);
    s->product = (struct array_run_config){ c->mxu, c->m, c->k, c->n, s->a, s->b };
    s->pes = zeroed(cells(s) * STEP_KEPT, sizeof *s->pes);
    for (size_t i = 0; i < STEP_KEPT; i++)
        s->states[i].pes = s->pes + i * cells(s);
    s->run = array_run_new(&s->product);
    if (measure(s, d))
        return s;
    step_array_free(s);
    return NULL;
}

void step_array_free(struct step_array *s)
{
    if (!s)
        return;
    array_run_free(s->run);
    free(s->a);
    free(s->b);
    free(s->pes);
    free(s);
}

static void frame(void *self, cycle_t cycle, unsigned view, FILE *out)
{
    step_array_print(self, cycle, view, out);
}

struct step_subject step_array_subject(struct step_array *s)
{
    return (struct step_subject){ .self = s, .last = s->cycles - 1, .views = step_array_views(s),
                                  .frame = frame };
}
