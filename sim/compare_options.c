/* compare_options.c - see compare_options.h. */
#include "sim/compare_options.h"

#include <stdlib.h>
#include <string.h>

#include "sim/report_table.h"

static void set_texts(json_t *o, const char *key, const char *const *texts, size_t count)
{
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(all, json_string(texts[i]));
    if (count > 0)
        json_object_set(o, key, all);
    json_decref(all);
}

json_t *compare_options(const struct run_options *run, const struct net_options *net)
{
    json_t *o = json_object();
    if (net->inference)
        json_object_set_new(o, "inference", json_true());
    if (net->batch > 0)
        json_object_set_new(o, "batch", json_integer((json_int_t)net->batch));
    if (run->lower.cores > 0)
        json_object_set_new(o, "cores", json_integer((json_int_t)run->lower.cores));
    if (run->lower.highest)
        json_object_set_new(o, "precision", json_string("highest"));
    if (run->clock_mhz > 0)
        json_object_set_new(o, "clock_mhz", json_real(run->clock_mhz));
    if (run->exact)
        json_object_set_new(o, "exact", json_true());
    if (run->sample)
        json_object_set_new(o, "sample", json_true());
    set_texts(o, "ideal", run->ideals, run->ideal_count);
    set_texts(o, "set", run->choice.sets, run->choice.count);
    return o;
}

/* " --batch 64"; of an array each of its texts so. */
static void word(const char *key, const json_t *value, FILE *out)
{
    size_t i;
    json_t *one;
    bool first = ftell(out) == 0;
    json_array_foreach(value, i, one) {
        word(key, one, out);
    }
    if (json_is_array(value))
        return;
    fprintf(out, "%s--%s", first ? "" : " ", strcmp(key, "clock_mhz") == 0 ? "clock" : key);
    if (json_is_string(value))
        fprintf(out, " %s", json_string_value(value));
    else if (json_is_number(value))
        fprintf(out, " %.9g", json_number_value(value));
}

char *compare_options_words(const json_t *options)
{
    char *text = NULL;
    size_t size;
    const char *key;
    json_t *value;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    json_object_foreach((json_t *)options, key, value) {
        word(key, value, out);
    }
    fclose(out);
    return text;
}

void compare_options_text(const json_t *options, FILE *out)
{
    char *words = compare_options_words(options), *line;
    if (asprintf(&line, "with %s", words) < 0)
        abort();
    if (words[0])
        table_text(line, out);
    free(line);
    free(words);
}
