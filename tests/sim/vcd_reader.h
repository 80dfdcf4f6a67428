/* vcd_reader.h - reads value change dumps by the words of IEEE 1364, for tests; it knows nothing of
 * the writer, and fails the test at whatever the format does not allow. */
#ifndef TESTS_SIM_VCD_READER_H
#define TESTS_SIM_VCD_READER_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAVE_PATH 160

struct wave {                       /* a variable */
    char     path[WAVE_PATH];       /* "chip.core0.load.state" */
    char     code[8];
    unsigned bits;
    bool     is_real;
    size_t   first, count;          /* of its changes, once they are all read */
};

struct wave_change { uint32_t wave; uint64_t at; char value[300]; };     /* "0101", "z", "1.5" */

struct waves {
    double   unit_s;                /* of a time */
    uint64_t from, to;
    struct wave *wave;
    uint32_t wave_count;
    struct wave_change *change;     /* in the order of the file */
    size_t   changes;
};

static inline char *waves_word(char **rest)
{
    char *word = strtok_r(NULL, " \t\r\n", rest);
    if (!word)
        ck_abort_msg("the file ends within a section");
    return word;
}

static inline void waves_skip(char **rest)
{
    while (strcmp(waves_word(rest), "$end") != 0)
        ;
}

static inline void waves_timescale(struct waves *w, char **rest)
{
    static const struct { const char *name; double s; } units[] = {
        { "s", 1 },     { "ms", 1e-3 },  { "us", 1e-6 },
        { "ns", 1e-9 }, { "ps", 1e-12 }, { "fs", 1e-15 },
    };
    char *number = waves_word(rest), *unit;
    long n = strtol(number, &unit, 10);
    ck_assert(n == 1 || n == 10 || n == 100);
    if (*unit == '\0')
        unit = waves_word(rest);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(unit, units[i].name) == 0)
            w->unit_s = (double)n * units[i].s;
    ck_assert(w->unit_s > 0);
    ck_assert_str_eq(waves_word(rest), "$end");
}

static inline void waves_name(const char *name)
{
    ck_assert_msg(!strchr("0123456789", name[0]), "%s begins with a digit", name);
    ck_assert_msg(strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
                  == strlen(name), "%s is no identifier", name);
}

static inline void waves_variable(struct waves *w, const char *scope, char **rest)
{
    w->wave = realloc(w->wave, (w->wave_count + 1) * sizeof *w->wave);
    struct wave *x = &w->wave[w->wave_count++];
    memset(x, 0, sizeof *x);
    const char *type = waves_word(rest);
    x->is_real = strcmp(type, "real") == 0;
    ck_assert(x->is_real || strcmp(type, "reg") == 0 || strcmp(type, "wire") == 0);
    x->bits = (unsigned)atoi(waves_word(rest));
    ck_assert_uint_gt(x->bits, 0);
    snprintf(x->code, sizeof x->code, "%s", waves_word(rest));
    const char *name = waves_word(rest);
    waves_name(name);
    snprintf(x->path, sizeof x->path, "%s.%s", scope, name);
    for (const char *word; strcmp(word = waves_word(rest), "$end") != 0; ) {
        unsigned top;
        ck_assert(sscanf(word, "[%u:0]", &top) == 1 && top + 1 == x->bits);
    }
    for (uint32_t i = 0; i + 1 < w->wave_count; i++) {
        if (strcmp(w->wave[i].code, x->code) == 0 || strcmp(w->wave[i].path, x->path) == 0)
            ck_abort_msg("%s twice", x->path);
    }
}

static inline void waves_head(struct waves *w, char **rest)
{
    char scope[WAVE_PATH] = "";
    for (char *word; strcmp(word = waves_word(rest), "$enddefinitions") != 0; ) {
        if (strcmp(word, "$timescale") == 0) {
            waves_timescale(w, rest);
        } else if (strcmp(word, "$scope") == 0) {
            ck_assert_str_eq(waves_word(rest), "module");
            const char *name = waves_word(rest);
            waves_name(name);
            size_t n = strlen(scope);
            snprintf(scope + n, sizeof scope - n, "%s%s", n > 0 ? "." : "", name);
            ck_assert_str_eq(waves_word(rest), "$end");
        } else if (strcmp(word, "$upscope") == 0) {
            ck_assert(scope[0] != '\0');
            *(strrchr(scope, '.') ? strrchr(scope, '.') : scope) = '\0';
            ck_assert_str_eq(waves_word(rest), "$end");
        } else if (strcmp(word, "$var") == 0) {
            waves_variable(w, scope, rest);
        } else {
            ck_assert_msg(strcmp(word, "$version") == 0 || strcmp(word, "$comment") == 0, "%s",
                          word);
            waves_skip(rest);
        }
    }
    ck_assert_str_eq(scope, "");
    ck_assert_str_eq(waves_word(rest), "$end");
}

static inline uint32_t waves_of_code(const struct waves *w, const char *code)
{
    for (uint32_t i = 0; i < w->wave_count; i++)
        if (strcmp(w->wave[i].code, code) == 0)
            return i;
    ck_abort_msg("%s is no variable", code);
}

static inline void waves_change(struct waves *w, uint64_t now, const char *value, const char *code)
{
    uint32_t i = waves_of_code(w, code);
    const struct wave *x = &w->wave[i];
    size_t n = strlen(value + 1);
    bool fits = x->is_real ? value[0] == 'r'
              : value[0] == 'b' && n > 0 && n <= x->bits && strspn(value + 1, "01xz") == n;
    if (!fits || n + 1 > sizeof w->change->value)
        ck_abort_msg("%s of %u bits: %s", x->path, x->bits, value);
    if ((w->changes & (w->changes - 1)) == 0)
        w->change = realloc(w->change, (w->changes ? 2 * w->changes : 1) * sizeof *w->change);
    struct wave_change *c = &w->change[w->changes++];
    c->wave = i;
    c->at = now;
    snprintf(c->value, sizeof c->value, "%s", value + 1);
}

/* `text` is cut up. */
static inline struct waves waves_read(char *text)
{
    struct waves w = { .unit_s = 0 };
    char *rest, *word, none[] = "";
    bool dumping = false, dumped = false, timed = false;
    uint64_t now = 0;
    strtok_r(none, " ", &rest);
    rest = text;
    waves_head(&w, &rest);
    while ((word = strtok_r(NULL, " \t\r\n", &rest)) != NULL) {
        if (word[0] == '#') {
            uint64_t at = strtoull(word + 1, NULL, 10);
            if (timed && at <= now)
                ck_abort_msg("time goes from %lu to %lu", (unsigned long)now, (unsigned long)at);
            w.from = timed ? w.from : at;
            now = w.to = at;
            timed = true;
        } else if (strcmp(word, "$dumpvars") == 0) {
            ck_assert(timed && !dumped);
            dumping = dumped = true;
        } else if (strcmp(word, "$end") == 0) {
            ck_assert(dumping);
            ck_assert_uint_eq(w.changes, w.wave_count);     /* each variable once */
            dumping = false;
        } else {
            if (!dumped)
                ck_abort_msg("a change before $dumpvars");
            waves_change(&w, now, word, waves_word(&rest));
        }
    }
    ck_assert(dumped && !dumping);
    return w;
}

static inline void waves_free(struct waves *w)
{
    free(w->wave);
    free(w->change);
}

static inline const struct wave *waves_find(const struct waves *w, const char *path)
{
    for (uint32_t i = 0; i < w->wave_count; i++)
        if (strcmp(w->wave[i].path, path) == 0)
            return &w->wave[i];
    return NULL;
}

/* Eight bits a character, leading zeros left out. */
static inline void waves_text(const char *bits, char *text, size_t size)
{
    size_t n = strlen(bits), at = 0;
    unsigned c = 0;
    for (size_t i = 0; i < n; i++) {
        c = c << 1 | (bits[i] == '1');
        if ((n - i - 1) % 8 == 0) {
            if (c != 0 && at + 1 < size)
                text[at++] = (char)c;
            c = 0;
        }
    }
    text[at] = '\0';
}

/* The value of a variable at a time of the window. */
static inline const char *waves_at(const struct waves *w, const struct wave *x, uint64_t at)
{
    const char *value = NULL;
    for (size_t i = 0; i < w->changes && w->change[i].at <= at; i++)
        if (&w->wave[w->change[i].wave] == x)
            value = w->change[i].value;
    ck_assert(value != NULL);
    return value;
}

#endif
