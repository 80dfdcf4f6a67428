/* recipe.c - see recipe.h.
 *
 * need[i][u]: of the operations of unit u so many have ended before operation i may begin,
 * directly or because those that it waits for waited for them. */
#include "models/tpu/recipe.h"

#include <stdlib.h>
#include <string.h>

#include "models/zeroed.h"

struct reading {
    const struct tpu_uop *uops;                 /* of the group */
    uint32_t  count;
    uint32_t  total[TPU_UNITS_COUNT];
    uint32_t  semaphore[TPU_UNITS_COUNT];       /* that a unit raises for the group */
    uint32_t *kind;                             /* [count] */
    uint32_t *at;                               /* [count]: how many of its unit are before it */
    uint32_t (*need)[TPU_UNITS_COUNT];          /* [count] */
    uint32_t *of_unit[TPU_UNITS_COUNT];         /* its operations, in order */
};

static bool same(const struct tpu_uop *a, const struct tpu_uop *b)
{
    const struct tpu_product *p = &a->product, *q = &b->product;
    const struct tpu_arithmetic *v = &a->arithmetic, *w = &b->arithmetic;
    if (a->unit != b->unit)
        return false;
    switch (a->unit) {
    case TPU_LOAD: case TPU_STORE:
        return a->transfer.rows == b->transfer.rows
            && a->transfer.row_bytes == b->transfer.row_bytes;
    case TPU_MATRIX:
        return p->m == q->m && p->k == q->k && p->n == q->n && p->passes == q->passes;
    case TPU_VECTOR:
        return v->loads == w->loads && v->stores == w->stores && v->alu == w->alu
            && v->eup == w->eup && v->reductions == w->reductions;
    case TPU_TRANSPOSE:
        return a->turn.rows == b->turn.rows && a->turn.cols == b->turn.cols
            && a->turn.element_bytes == b->turn.element_bytes;
    case TPU_LINK:
        return a->send.bytes == b->send.bytes;
    case TPU_UNITS_COUNT: break;
    }
    abort();
}

/* False: there are too many kinds. */
static bool find_kind(struct tpu_recipe *r, const struct tpu_uop *u, uint32_t *kind)
{
    for (*kind = 0; *kind < r->count; ++*kind)
        if (same(&r->kinds[*kind], u))
            return true;
    if (r->count == TPU_RECIPE_KINDS)
        return false;
    r->kinds[r->count++] = *u;
    return true;
}

static void need_at_least(uint32_t need[TPU_UNITS_COUNT], const uint32_t other[TPU_UNITS_COUNT])
{
    for (int u = 0; u < TPU_UNITS_COUNT; u++)
        if (other[u] > need[u])
            need[u] = other[u];
}

/* Of the unit's operations the first `done` have ended: they, and all that they needed. */
static void need_done(struct reading *x, uint32_t i, int unit, uint32_t done)
{
    uint32_t last = x->of_unit[unit][done - 1];
    need_at_least(x->need[i], x->need[last]);
    if (x->need[i][unit] < done)
        x->need[i][unit] = done;
}

/* Waits for other groups and other cores are not looked at. */
static void find_needs(struct reading *x, uint32_t i)
{
    const struct tpu_uop *u = &x->uops[i];
    if (x->at[i] > 0)
        need_done(x, i, u->unit, x->at[i]);
    for (uint32_t w = 0; w < u->waits; w++)
        for (int unit = 0; unit < TPU_UNITS_COUNT; unit++)
            if (x->total[unit] > 0 && x->semaphore[unit] == u->wait[w].semaphore)
                need_done(x, i, unit, u->wait[w].value);
}

static bool read_group(struct reading *x, struct tpu_recipe *r)
{
    bool ok = true;
    x->kind = zeroed(x->count, sizeof *x->kind);
    x->at = zeroed(x->count, sizeof *x->at);
    x->need = zeroed(x->count, sizeof *x->need);
    for (int u = 0; u < TPU_UNITS_COUNT; u++)
        x->of_unit[u] = zeroed(x->count, sizeof *x->of_unit[u]);
    for (uint32_t i = 0; ok && i < x->count; i++) {
        const struct tpu_uop *u = &x->uops[i];
        ok = find_kind(r, u, &x->kind[i]);
        x->semaphore[u->unit] = u->signal;
        x->of_unit[u->unit][x->total[u->unit]] = i;
        x->at[i] = x->total[u->unit]++;
    }
    for (uint32_t i = 0; ok && i < x->count; i++)
        find_needs(x, i);
    return ok;
}

static void clear(struct reading *x)
{
    free(x->kind);
    free(x->at);
    free(x->need);
    for (int u = 0; u < TPU_UNITS_COUNT; u++)
        free(x->of_unit[u]);
}

/* How many of a unit's operations are its work, the rest left aside. */
static uint32_t work_of(const struct reading *x, enum tpu_unit unit)
{
    uint32_t products = x->total[TPU_MATRIX], all = x->total[unit];
    if (products == 0 || (unit != TPU_LOAD && unit != TPU_TRANSPOSE))
        return all;
    uint32_t needed = x->need[x->of_unit[TPU_MATRIX][products - 1]][unit];
    if (unit == TPU_TRANSPOSE)
        return needed == all ? 0 : all;
    return needed > 0 ? needed : all;
}

/* What must be done before a unit's first operation, those loads left aside that go on beside
 * the products before it. */
static void lead_of(const struct reading *x, enum tpu_unit unit, uint32_t lead[TPU_UNITS_COUNT])
{
    memcpy(lead, x->need[x->of_unit[unit][0]], TPU_UNITS_COUNT * sizeof lead[0]);
    uint32_t products = lead[TPU_MATRIX];
    if (products > 0)
        lead[TPU_LOAD] = x->need[x->of_unit[TPU_MATRIX][products - 1]][TPU_LOAD];
}

static void add_unit(struct tpu_recipe *r, const struct reading *x, enum tpu_unit unit)
{
    uint32_t work = work_of(x, unit), first[TPU_UNITS_COUNT];
    lead_of(x, unit, first);
    for (uint32_t i = 0; i < x->count; i++) {
        struct tpu_recipe_unit *n = &r->of[unit][x->kind[i]];
        if (x->uops[i].unit == unit && x->at[i] < work)
            n->work++;
        else if (x->uops[i].unit == unit)
            n->rest++;
        else if (work == 0)
            continue;
        else if (x->at[i] < first[x->uops[i].unit])
            n->lead++;
        else if (x->need[i][unit] >= work)
            n->tail++;
    }
}

void tpu_recipe(struct tpu_recipe *r, const struct tpu_program *p, uint32_t group)
{
    struct reading x = { .uops = p->uops };
    *r = (struct tpu_recipe){ .count = 0 };
    const struct tpu_uop *end = p->uops + p->count;
    while (x.uops < end && x.uops->group != group)
        x.uops++;
    while (x.uops + x.count < end && x.uops[x.count].group == group)
        x.count++;
    if (x.count > 0 && read_group(&x, r)) {
        for (int u = 0; u < TPU_UNITS_COUNT; u++)
            if (x.total[u] > 0)
                add_unit(r, &x, u);
    } else {
        r->count = 0;
    }
    clear(&x);
}
