/* sweep_store.c - see sweep_store.h. */
#include "sim/sweep_store.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/output.h"
#include "sim/report_field.h"
#include "traces/text.h"

#define SWEEP_SCHEMA 1
#define DIGITS 32           /* of the hash in a name: no two inputs will agree in them */

void sweep_store_name(const char *hash, char name[SWEEP_FILE])
{
    snprintf(name, SWEEP_FILE, "%.*s.json.gz", DIGITS, hash);
}

static char *path_of(const char *folder, const char *hash)
{
    char name[SWEEP_FILE], *path;
    sweep_store_name(hash, name);
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        abort();
    return path;
}

bool sweep_store_open(const char *folder, struct diag *d)
{
    struct stat s;
    int failed = mkdir(folder, 0777);
    bool there = (failed == 0 || errno == EEXIST) && stat(folder, &s) == 0;
    if (there && !S_ISDIR(s.st_mode))
        errno = ENOTDIR;
    if (there && S_ISDIR(s.st_mode) && access(folder, R_OK | W_OK | X_OK) == 0)
        return true;
    snprintf(d->file, sizeof d->file, "%s", folder);
    return diag_set(d, 0, 0, "%s; expected a folder for results, or a place for one",
                    strerror(errno));
}

static bool says(const json_t *o, const char *key, const char *text)
{
    const char *is = json_string_value(json_object_get(o, key));
    return is && strcmp(is, text) == 0;
}

/* An amount, 0 or more, and its rate over `seconds` go together. */
static bool goes_with(const json_t *o, const char *amount, const char *rate, double seconds)
{
    const json_t *a = json_object_get(o, amount), *r = json_object_get(o, rate);
    double sum = json_number_value(a), is = json_number_value(r) * seconds;
    return json_is_number(a) && json_is_number(r) && sum >= 0 && fabs(is - sum) <= 1e-9 * sum;
}

/* A run that ended has taken time and has ops. */
static bool is_whole(const json_t *result)
{
    const json_t *hbm = json_object_get(result, "hbm");
    double seconds = report_number(result, "time_s");
    return seconds > 0 && report_number(result, "clock_hz") > 0
        && report_number(result, "peak_flops_per_s") > 0
        && report_number(hbm, "peak_bytes_per_s") > 0
        && goes_with(result, "energy_j", "average_power_w", seconds)
        && goes_with(result, "flops", "flops_per_s", seconds)
        && goes_with(hbm, "bytes", "bytes_per_s", seconds)
        && json_array_size(json_object_get(result, "ops")) > 0;
}

/* What somebody has changed by hand is no result. */
static bool is_of(const json_t *kept, const char *hash)
{
    if (json_integer_value(json_object_get(kept, "sweep")) != SWEEP_SCHEMA
        || !says(kept, "simaccel", SIMACCEL_VERSION) || !says(kept, "input", hash))
        return false;
    if (says(kept, "status", "failed"))
        return json_is_string(json_object_get(kept, "message"))
            && !json_object_get(kept, "result");
    return says(kept, "status", "done") && is_whole(json_object_get(kept, "result"));
}

/* A pipe of that name would never end. */
static bool is_file(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

json_t *sweep_store_load(const char *folder, const char *hash)
{
    struct diag d = { .text = "" };
    char *path = path_of(folder, hash), *text = NULL;
    size_t size = 0;
    if (is_file(path))
        text = text_load_most(path, 1u << 30, &size, &d);
    free(path);
    json_t *kept = text ? json_loadb(text, size, 0, NULL) : NULL;
    free(text);
    if (kept && is_of(kept, hash))
        return kept;
    json_decref(kept);
    return NULL;
}

json_t *sweep_store_done(const char *hash, json_t *result)
{
    return json_pack("{s:i, s:s, s:s, s:s, s:o}", "sweep", SWEEP_SCHEMA, "simaccel",
                     SIMACCEL_VERSION, "input", hash, "status", "done", "result", result);
}

json_t *sweep_store_failed(const char *hash, const char *message)
{
    json_t *text = json_string(message);
    if (!text)                          /* it is no UTF-8 */
        text = json_string("the run failed, and so did its message");
    return json_pack("{s:i, s:s, s:s, s:s, s:o}", "sweep", SWEEP_SCHEMA, "simaccel",
                     SIMACCEL_VERSION, "input", hash, "status", "failed", "message", text);
}

bool sweep_store_save(const char *folder, const char *hash, const json_t *kept, struct diag *d)
{
    char *path = path_of(folder, hash);
    struct output *o = output_open_instead(path, d);
    free(path);
    if (!o)
        return false;
    json_dumpf(kept, output_stream(o), JSON_COMPACT | JSON_REAL_PRECISION(17));
    return output_commit(o, d);
}
