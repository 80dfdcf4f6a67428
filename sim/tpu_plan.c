/* tpu_plan.c - see tpu_plan.h. */
#include "sim/tpu_plan.h"

#include "models/tpu/recipe.h"

/* What is 0 is left out. */
static void set(json_t *o, const char *name, uint64_t n)
{
    if (n > 0)
        json_object_set_new(o, name, json_integer((json_int_t)n));
}

/* Of what has no product a depth would say nothing, nor would what stays. */
static json_t *cut_json(const struct tpu_cut *c, const struct trace *t)
{
    static const char *const stays[] = { "streamed", "weights", "nothing" };
    json_t *o = json_object();
    set(o, "batch", c->batch);
    set(o, "rows", c->rows);
    set(o, "cols", c->cols);
    set(o, "tile_rows", c->tile_rows);
    set(o, "tile_cols", c->tile_cols);
    if (c->passes == 0)
        return o;
    set(o, "depth", c->depth);
    set(o, "tile_depth", c->tile_depth);
    set(o, "passes", c->passes);
    json_object_set_new(o, "stays", json_string(stays[c->stays]));
    json_object_set_new(o, "streamed", json_string(t->tensors[c->streamed].name));
    json_object_set_new(o, "weights", json_string(t->tensors[c->weights].name));
    return o;
}

static void product_json(json_t *o, const struct tpu_product *p)
{
    set(o, "rows", p->m);
    set(o, "depth", p->k);
    set(o, "cols", p->n);
    set(o, "element_bytes", p->element_bytes);
    set(o, "weight_bytes", p->weight_bytes);
}

static void arithmetic_json(json_t *o, const struct tpu_arithmetic *a)
{
    set(o, "loads", a->loads);
    set(o, "stores", a->stores);
    set(o, "instructions", a->alu);
    set(o, "transcendentals", a->eup);
    set(o, "reductions", a->reductions);
}

static json_t *kind_json(const struct tpu_uop *u)
{
    json_t *o = json_object();
    json_object_set_new(o, "unit", json_string(tpu_unit_names[u->unit]));
    switch (u->unit) {
    case TPU_LOAD: case TPU_STORE:
        set(o, "pieces", u->transfer.rows);
        set(o, "bytes", (uint64_t)u->transfer.rows * u->transfer.row_bytes);
        break;
    case TPU_MATRIX: product_json(o, &u->product); break;
    case TPU_VECTOR: arithmetic_json(o, &u->arithmetic); break;
    case TPU_TRANSPOSE:
        set(o, "rows", u->turn.rows);
        set(o, "cols", u->turn.cols);
        set(o, "element_bytes", u->turn.element_bytes);
        break;
    case TPU_LINK: set(o, "bytes", u->send.bytes); break;
    case TPU_UNITS_COUNT: break;
    }
    return o;
}

/* Kind, how many, kind, how many ... of the kinds that there are of one field of a unit. */
static json_t *part_json(const struct tpu_recipe *r, enum tpu_unit unit, size_t field)
{
    json_t *list = json_array();
    for (uint32_t k = 0; k < r->count; k++) {
        const char *of = (const char *)&r->of[unit][k];
        uint32_t count = *(const uint32_t *)(const void *)(of + field);
        if (count == 0)
            continue;
        json_array_append_new(list, json_integer(k));
        json_array_append_new(list, json_integer(count));
    }
    return list;
}

static json_t *unit_json(const struct tpu_recipe *r, enum tpu_unit unit)
{
    static const struct { const char *name; size_t field; } parts[] = {
        { "work", offsetof(struct tpu_recipe_unit, work) },
        { "rest", offsetof(struct tpu_recipe_unit, rest) },
        { "lead", offsetof(struct tpu_recipe_unit, lead) },
        { "tail", offsetof(struct tpu_recipe_unit, tail) },
    };
    json_t *o = json_object();
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        json_t *list = part_json(r, unit, parts[i].field);
        if (json_array_size(list) > 0)
            json_object_set(o, parts[i].name, list);
        json_decref(list);
    }
    return o;
}

json_t *tpu_plan_json(const struct tpu_chip *c, const struct trace *t, uint32_t group)
{
    const struct tpu_group *g = &c->plan->groups[group];
    struct tpu_recipe r;
    json_t *o = json_object(), *operations = json_array(), *units = json_object();
    tpu_recipe(&r, c->plan->programs[0], group);
    if (g->cut.rows > 0)
        json_object_set_new(o, "cut", cut_json(&g->cut, t));
    for (uint32_t k = 0; k < r.count; k++)
        json_array_append_new(operations, kind_json(&r.kinds[k]));
    for (int u = 0; u < TPU_UNITS_COUNT; u++) {
        json_t *unit = unit_json(&r, u);
        if (json_object_size(unit) > 0)
            json_object_set(units, tpu_unit_names[u], unit);
        json_decref(unit);
    }
    json_object_set_new(o, "operations", operations);
    json_object_set_new(o, "units", units);
    return o;
}
