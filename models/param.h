/* param.h - one parameter, one line.
 *
 * A model lists its parameters in an X table; the struct, the reader of machine files,
 * `--set`, `simaccel machine` and the manual are all made from it:
 *
 *     #define HBM_PARAMS(X) \
 *         X(COUNT,  banks,      1, 64,  "banks in a pseudo-channel") \
 *         X(REAL,   rcd_ns,     0, 100, "ACT to RD or WR, same bank") \
 *         X(CHOICE, page, "open|closed", 0, "when a row is closed") \
 *         X(TEXT,   map,  "", 0, "address bits, low to high")
 *
 *     struct hbm_config { HBM_PARAMS(PARAM_FIELD) };
 *     #define ENTRY(...) PARAM_ENTRY(hbm_config, __VA_ARGS__)
 *     const struct param hbm_params[] = { HBM_PARAMS(ENTRY) };
 *
 * COUNT is a uint32_t, SIZE a uint64_t, REAL a double, CHOICE a uint32_t (the index of
 * the word), TEXT a char[PARAM_TEXT].  Values live in machine files, never here.  The
 * unit is the ending of the name (param_unit).
 */
#ifndef MODELS_PARAM_H
#define MODELS_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARAM_TEXT 512

enum param_type { PARAM_COUNT, PARAM_SIZE, PARAM_REAL, PARAM_CHOICE, PARAM_STRING };

struct param {
    const char     *name;
    enum param_type type;
    size_t          offset;         /* in the model's config */
    double          min, max;       /* COUNT, SIZE, REAL */
    const char     *choices;        /* CHOICE: "open|closed" */
    const char     *what;           /* one sentence, without a full stop */
};

#define PARAM_FIELD(type, name, min, max, what) PARAM_FIELD_##type(name)
#define PARAM_FIELD_COUNT(name)  uint32_t name;
#define PARAM_FIELD_SIZE(name)   uint64_t name;
#define PARAM_FIELD_REAL(name)   double name;
#define PARAM_FIELD_CHOICE(name) uint32_t name;
#define PARAM_FIELD_TEXT(name)   char name[PARAM_TEXT];

#define PARAM_ENTRY(s, type, name, min, max, what) PARAM_ENTRY_##type(s, name, min, max, what)
#define PARAM_ENTRY_COUNT(s, n, lo, hi, w)  { #n, PARAM_COUNT, offsetof(struct s, n), lo, hi, NULL, w },
#define PARAM_ENTRY_SIZE(s, n, lo, hi, w)   { #n, PARAM_SIZE,  offsetof(struct s, n), lo, hi, NULL, w },
#define PARAM_ENTRY_REAL(s, n, lo, hi, w)   { #n, PARAM_REAL,  offsetof(struct s, n), lo, hi, NULL, w },
#define PARAM_ENTRY_CHOICE(s, n, words, x, w) { #n, PARAM_CHOICE, offsetof(struct s, n), 0, x, words, w },
#define PARAM_ENTRY_TEXT(s, n, x, y, w)     { #n, PARAM_STRING, offsetof(struct s, n), 0, 0, NULL, w },

/* "ns" for rcd_ns, "byte" for row_bytes, "1" if the name ends in no unit. */
const char *param_unit(const char *name);

/* Reads `value` into `config`.  On failure nothing is changed and `expected` says what
 * would have been right ("a whole number, 1 to 64"). */
bool param_set(const struct param *p, void *config, const char *value,
               char *expected, size_t size);

/* The value as text that param_set reads back to the same value. */
void param_print(const struct param *p, const void *config, char *text, size_t size);

/* The value as a number (CHOICE: the index); STRING gives 0. */
double param_number(const struct param *p, const void *config);

/* The entry of that name, or NULL. */
const struct param *param_find(const struct param *table, size_t count, const char *name);

#endif
