/* fuzz_data.c - any bytes as a data set: refused with words, or finite numbers and classes in
 * range that are the same when printed and read again. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "traces/data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct data *s)
{
    uint32_t features = s->shape.features, targets = s->shape.targets;
    char *text = NULL;
    size_t size;
    struct diag d = { .text = "" };
    FILE *out = open_memstream(&text, &size);
    for (uint64_t r = 0; r < s->rows; r++) {
        for (uint32_t i = 0; i < features; i++)
            fprintf(out, "%.17g,", s->x[r * features + i]);
        for (uint32_t i = 0; i < targets; i++)
            fprintf(out, "%.17g%c", s->t[r * targets + i], i + 1 < targets ? ',' : '\n');
    }
    fclose(out);
    struct data *again = data_read_memory(text, size, &s->shape, &d);
    assert(again && again->rows == s->rows);
    assert(memcmp(again->x, s->x, s->rows * features * sizeof *s->x) == 0);
    assert(memcmp(again->t, s->t, s->rows * targets * sizeof *s->t) == 0);
    data_free(again);
    free(text);
}

/* The first byte is the shape: classes or targets, and how many columns. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct diag d = { .text = "" };
    bool classes = data[0] & 1;
    struct data_shape shape = { 1 + (data[0] >> 1 & 3), classes ? 1 : 1 + (data[0] >> 3 & 3),
                                classes ? 1 + (data[0] >> 3 & 15) : 0, data[0] >> 7 };
    struct data *s = data_read_memory((const char *)data + 1, size - 1, &shape, &d);
    assert(!s == (d.text[0] != '\0'));
    if (!s)
        return 0;
    for (uint64_t i = 0; i < s->rows * shape.features; i++)
        assert(isfinite(s->x[i]));
    for (uint64_t i = 0; i < s->rows * shape.targets; i++)
        assert(isfinite(s->t[i]) && (!classes || (s->t[i] >= 0 && s->t[i] < shape.classes)));
    check_again(s);
    data_standardize(s, s);
    for (uint64_t i = 0; i < s->rows * shape.features; i++)
        assert(isfinite(s->x[i]));
    data_free(s);
    return 0;
}
