/* data.c - data sets, once their numbers are there. */
#include "traces/data.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "traces/random.h"

static double *new_values(uint64_t count)
{
    double *v = calloc(count ? count : 1, sizeof *v);
    if (!v)
        abort();
    return v;
}

struct data *data_random(uint64_t seed, uint64_t rows, const struct data_shape *shape)
{
    uint64_t columns = (uint64_t)shape->features + shape->targets;
    assert(columns <= DATA_VALUES_MAX && rows <= DATA_VALUES_MAX / columns);
    struct random_stream stream = { seed };
    struct data *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->shape = *shape;
    s->rows  = rows;
    s->x     = new_values(rows * shape->features);
    s->t     = new_values(rows * shape->targets);
    for (uint64_t r = 0; r < rows; r++) {
        for (uint32_t i = 0; i < shape->features; i++)
            s->x[r * shape->features + i] = random_unit(&stream);
        for (uint32_t i = 0; i < shape->targets; i++)
            s->t[r * shape->targets + i] = shape->classes
                ? (double)random_below(&stream, shape->classes) : random_unit(&stream);
    }
    return s;
}

void data_free(struct data *s)
{
    if (!s)
        return;
    free(s->x);
    free(s->t);
    free(s);
}

/* Of one feature over all rows; `deviation` 0: it never varies. */
struct spread { double mean, deviation; };

/* In two passes, and in parts of the widest distance from the mean, so that neither big nor
 * tiny numbers are lost in their squares. */
static struct spread spread_of(const struct data *s, uint32_t feature)
{
    const double *first = s->x + feature, *end = s->x + s->rows * s->shape.features;
    double sum = 0, widest = 0, squares = 0;
    bool varies = false;
    for (const double *x = first; x < end; x += s->shape.features) {
        sum += *x;
        varies |= *x != *first;
    }
    struct spread how = { .mean = sum / (double)s->rows };
    if (!varies)
        return how;
    for (const double *x = first; x < end; x += s->shape.features)
        widest = fmax(widest, fabs(*x - how.mean));
    for (const double *x = first; x < end; x += s->shape.features)
        squares += (*x - how.mean) / widest * ((*x - how.mean) / widest);
    how.deviation = widest * sqrt(squares / (double)s->rows);
    return how;
}

void data_standardize(struct data *s, const struct data *by)
{
    uint32_t features = s->shape.features;
    assert(features == by->shape.features && by->rows > 0);
    for (uint32_t i = 0; i < features; i++) {
        struct spread how = spread_of(by, i);
        for (uint64_t r = 0; r < s->rows; r++) {
            double *x = &s->x[r * features + i];
            *x = how.deviation > 0 ? (*x - how.mean) / how.deviation : 0;
        }
    }
}

/* Fisher and Yates: each order is as likely. */
void data_order(uint64_t seed, uint64_t epoch, uint64_t rows, uint32_t *order)
{
    struct random_stream of_seed = { seed };
    struct random_stream of_epoch = { random_next(&of_seed) + epoch };
    struct random_stream stream = { random_next(&of_epoch) };
    assert(rows <= DATA_VALUES_MAX);
    for (uint64_t i = 0; i < rows; i++)
        order[i] = (uint32_t)i;
    for (uint64_t left = rows; left > 1; left--) {
        uint64_t chosen = random_below(&stream, left);
        uint32_t last = order[left - 1];
        order[left - 1] = order[chosen];
        order[chosen]   = last;
    }
}

void data_batch(const struct data *s, const uint32_t *order, uint64_t first, uint64_t count,
                double *x, double *t)
{
    uint32_t features = s->shape.features, targets = s->shape.targets;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t row = order[first + i];
        assert(row < s->rows);
        memcpy(x + i * features, s->x + row * features, features * sizeof *x);
        memcpy(t + i * targets, s->t + row * targets, targets * sizeof *t);
    }
}
