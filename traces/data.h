/* data.h - a data set: rows of features and targets, in what order and batches they are taken.
 *
 *     0.1,0.25,3            a line a row; the last columns are the target: a class (labels),
 *     0.7,0.00,1            or as many numbers as the network has outputs
 *
 * Lines that begin with # say what the set is and where it is from; empty ones say nothing.
 * A first line of which no column is a number gives the columns' names, which nobody reads.
 * Numbers are decimal, without quotes, and such as f32 can hold.
 *
 * Not modelled: missing values, text, more rows than memory holds.
 */
#ifndef TRACES_DATA_H
#define TRACES_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "traces/diag.h"

#define DATA_VALUES_MAX (1u << 28)      /* rows x columns */
#define DATA_TEXT_MAX   (1u << 29)      /* bytes in a file, after decompression */
#define DATA_NUMBER     128             /* bytes of a number, with its end */

struct data_shape {
    uint32_t features;      /* at least 1 */
    uint32_t targets;       /* columns of the target, at least 1; 1 for labels */
    uint32_t classes;       /* labels: so many, from 0; 0: targets are finite numbers */
    bool     shares;        /* of which each must be 0 to 1, as of yes or no */
};

struct data {
    struct data_shape shape;
    uint64_t rows;
    double  *x;             /* [rows][features] */
    double  *t;             /* [rows][targets] */
};

/* NULL with the reason in `d`, with line and column: a ragged row, what is no finite number,
 * another number of columns than the shape's, a class that is not whole or out of range, no
 * rows.  `path` may be gzipped, or "-".  `d` must be empty before; the caller frees the set. */
struct data *data_read(const char *path, const struct data_shape *shape, struct diag *d);
struct data *data_read_memory(const char *text, size_t size, const struct data_shape *shape,
                              struct diag *d);

/* Features uniform in [0,1); targets likewise, or classes each as likely.  A row depends on
 * the seed, the shape and its number alone.  Requires at most DATA_VALUES_MAX values. */
struct data *data_random(uint64_t seed, uint64_t rows, const struct data_shape *shape);
void         data_free(struct data *s);

/* Shifts and scales every feature of `s` as makes its mean 0 and its standard deviation 1 over
 * the rows of `by`; one that never varies there becomes 0.  `s` may be `by`. */
void data_standardize(struct data *s, const struct data *by);

/* The order of rows in an epoch (from 0): a shuffle that follows from seed and epoch alone. */
void data_order(uint64_t seed, uint64_t epoch, uint64_t rows, uint32_t *order);

/* Rows order[first] .. order[first + count - 1] after each other. */
void data_batch(const struct data *s, const uint32_t *order, uint64_t first, uint64_t count,
                double *x, double *t);

#endif
