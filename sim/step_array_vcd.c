/* step_array_vcd.c - the registers of an array as waves. */
#include <stdio.h>
#include <string.h>

#include "models/numerics/bf16.h"
#include "models/zeroed.h"
#include "sim/step_array_inside.h"
#include "sim/vcd.h"

#define ALL_SHOWN 16                /* PEs of an array of which the save file shows all */

/* Numbers of a PE's variables, and what they hold. */
struct pe_vars {
    uint32_t row, weight, next, activation, sum, out;
    struct tpu_mxu_pe now;
};

struct waves {
    struct step_array *array;
    struct vcd *vcd;
    uint32_t cycle, state;
    struct pe_vars *pes;
    bool outputs_stay, has_next;
};

static void add_pe(struct waves *w, uint32_t scope, struct pe_vars *v, bool is_shown)
{
    v->row = vcd_number(w->vcd, scope, w->outputs_stay ? "k" : "row", 32);
    v->weight = vcd_real(w->vcd, scope, "w");
    v->next = w->has_next ? vcd_real(w->vcd, scope, "next") : 0;
    v->activation = vcd_real(w->vcd, scope, "a");
    v->sum = vcd_real(w->vcd, scope, "sum");
    v->out = w->outputs_stay ? vcd_real(w->vcd, scope, "out") : 0;
    if (is_shown)
        for (uint32_t i = v->row; i <= (w->outputs_stay ? v->out : v->sum); i++)
            vcd_show(w->vcd, i);
}

static void add_vars(struct waves *w)
{
    const struct tpu_mxu_config *c = &w->array->product.mxu;
    char name[16];
    w->cycle = vcd_number(w->vcd, VCD_TOP, "cycle", 32);
    w->state = vcd_text(w->vcd, VCD_TOP, "state", 8);
    vcd_show(w->vcd, w->cycle);
    vcd_show(w->vcd, w->state);
    for (uint32_t r = 0; r < c->rows; r++) {
        snprintf(name, sizeof name, "r%u", r);
        uint32_t row = vcd_scope(w->vcd, VCD_TOP, name);
        for (uint32_t col = 0; col < c->cols; col++) {
            snprintf(name, sizeof name, "c%u", col);
            add_pe(w, vcd_scope(w->vcd, row, name), &w->pes[r * c->cols + col],
                   c->rows * c->cols <= ALL_SHOWN || r + 1 == c->rows);
        }
    }
}

static void put_real(struct waves *w, uint32_t var, tick_t at, float value, float before,
                     bool is_first)
{
    if (is_first || f32_bits(value) != f32_bits(before))
        vcd_set_real(w->vcd, var, at, (double)value);
}

/* Of a PE that nothing passes, the registers that then keep their values. */
static struct tpu_mxu_pe settled(const struct waves *w, const struct tpu_mxu_pe *pe,
                                 const struct tpu_mxu_pe *before)
{
    struct tpu_mxu_pe x = *pe;
    if (!x.passing) {
        x.activation = before->activation;
        x.weight = w->outputs_stay ? before->weight : x.weight;
    }
    x.sum = x.has_sum ? x.sum : before->sum;
    x.out = x.leaving ? x.out : before->out;
    return x;
}

static void put_pe(struct waves *w, struct pe_vars *v, const struct tpu_mxu_pe *pe, tick_t at,
                   bool is_first)
{
    struct tpu_mxu_pe x = settled(w, pe, &v->now), *was = &v->now;
    if (!x.passing && (is_first || was->passing))
        vcd_set_nothing(w->vcd, v->row, at);
    else if (x.passing && (is_first || !was->passing || x.number != was->number))
        vcd_set_number(w->vcd, v->row, at, x.number);
    put_real(w, v->weight, at, bf16_to_f32(x.weight), bf16_to_f32(was->weight), is_first);
    put_real(w, v->activation, at, bf16_to_f32(x.activation), bf16_to_f32(was->activation),
             is_first);
    put_real(w, v->sum, at, x.sum, was->sum, is_first);
    if (w->has_next)
        put_real(w, v->next, at, bf16_to_f32(x.next), bf16_to_f32(was->next), is_first);
    if (w->outputs_stay)
        put_real(w, v->out, at, x.out, was->out, is_first);
    *was = x;
}

static void put_cycle(struct waves *w, cycle_t cycle, tick_t at, bool is_first)
{
    const struct step_state *x = step_array_state(w->array, cycle);
    const struct tpu_mxu_config *c = &w->array->product.mxu;
    vcd_set_number(w->vcd, w->cycle, at, cycle);
    vcd_set_text(w->vcd, w->state, at, tpu_mxu_state_names[x->state]);
    for (size_t i = 0; i < (size_t)c->rows * c->cols; i++)
        put_pe(w, &w->pes[i], &x->pes[i], at, is_first);
}

void step_array_write_waves(struct step_array *s, const struct step_array_waves *waves)
{
    const struct array_run_config *p = &s->product;
    const struct clock clock = { waves->clock_hz };
    struct waves w = { .array = s, .vcd = vcd_new("array"),
                       .outputs_stay = p->mxu.dataflow == TPU_MXU_OUTPUT_STATIONARY };
    char comment[160];
    w.has_next = !w.outputs_stay && p->mxu.weight_buffers == 2;
    w.pes = zeroed((size_t)p->mxu.rows * p->mxu.cols, sizeof *w.pes);
    add_vars(&w);
    for (cycle_t c = waves->from; c <= waves->to; c++)
        put_cycle(&w, c, clock_tick(&clock, c), c == waves->from);
    snprintf(comment, sizeof comment, "%u x %u array, a[%u][%u] b[%u][%u].  state: text, 8 bits a "
             "character.  z: nothing passes", p->mxu.rows, p->mxu.cols, p->m, p->k, p->k, p->n);
    struct vcd_head head = { .comment = comment, .from = clock_tick(&clock, waves->from),
                             .to = clock_tick(&clock, waves->to + 1) };
    vcd_write(w.vcd, &head, waves->waves);
    vcd_write_save(w.vcd, &head, waves->name, waves->save);
    vcd_free(w.vcd);
    free(w.pes);
}
