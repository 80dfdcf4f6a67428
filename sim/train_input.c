/* train_input.c - see train_input.h. */
#include "sim/train_input.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traces/text.h"

/* ---- the network ---- */

/* Whether it is a name rather than a path; then where it is. */
static bool find_net(struct train_input *in, const char *name, struct diag *d)
{
    char file[256];
    if (strpbrk(name, "/.") || strcmp(name, "-") == 0 || access(name, F_OK) == 0) {
        int n = snprintf(in->net_path, sizeof in->net_path, "%s", name);
        return (size_t)n < sizeof in->net_path
            || diag_set(d, 0, 0, "the path of the network is too long; expected a shorter one");
    }
    int n = snprintf(file, sizeof file, "workloads/%s.net", name);
    if ((size_t)n < sizeof file && machine_beside(file, in->net_path, sizeof in->net_path))
        return true;
    return diag_set(d, 0, 0, "%.80s: no such network; expected a file, or the name of one in "
                    "workloads/", name);
}

static bool read_net(struct train_input *in, struct diag *d)
{
    size_t size = 0;
    char *text = text_load(in->net_path, &size, d);
    if (!text)
        return false;
    if (size >= 14 && memcmp(text, "simaccel-trace", 14) == 0)
        diag_set(d, 0, 0, "this is a trace, whose ops and batch are fixed; expected a network "
                 "to train");
    else
        in->net = net_read_memory(text, size, d);
    free(text);
    return in->net != NULL;
}

static bool whole_net(const struct train_input *in, struct diag *d)
{
    const struct net *n = in->net;
    if (!n->loss_line || !n->optimizer_line)
        return diag_set(d, 0, 0, "the network has no %s; expected one to learn with",
                        n->loss_line ? "optimizer" : "loss");
    uint64_t units = n->layers[n->layer_count - 1].units;
    return n->input + units <= UINT32_MAX
        || diag_set(d, 0, 0, "the network has too many inputs; expected fewer");
}

/* ---- data ---- */

/* data/NAME.csv beside the network, NAME being its file's. */
static void beside_net(const struct train_input *in, const char *ending, char *path, size_t size)
{
    const char *slash = strrchr(in->net_path, '/');
    const char *name = slash ? slash + 1 : in->net_path;
    int folder = (int)(name - in->net_path), stem = (int)strcspn(name, ".");
    int n = snprintf(path, size, "%.*sdata/%.*s%s", folder, in->net_path, stem, name, ending);
    if (n < 0 || (size_t)n >= size || access(path, R_OK) != 0)
        path[0] = '\0';
}

static void name_file(char *path, size_t size, const char *given)
{
    snprintf(path, size, "%s", given ? given : "");
}

static void find_data(struct train_input *in, const struct train_asked *a)
{
    name_file(in->data_path, sizeof in->data_path, a->data);
    name_file(in->test_path, sizeof in->test_path, a->test);
    if (a->data || a->random)
        return;
    beside_net(in, ".csv", in->data_path, sizeof in->data_path);
    if (!a->test)
        beside_net(in, "-test.csv", in->test_path, sizeof in->test_path);
}

static bool read_set(struct data **set, const char *path, const struct data_shape *shape,
                     struct diag *d)
{
    if (path[0])
        *set = data_read(path, shape, d);
    return !path[0] || *set;
}

static bool read_data(struct train_input *in, const struct train_asked *a, struct diag *d)
{
    struct data_shape shape = trainer_data_shape(in->net);
    uint64_t rows = a->rows ? a->rows : in->net->samples ? in->net->samples : in->batch;
    uint64_t columns = (uint64_t)shape.features + shape.targets;
    find_data(in, a);
    if (!a->random && !in->data_path[0])
        return diag_set(d, 0, 0, "there is no data set beside the network; expected --data FILE "
                        "or --random SEED");
    if (a->random && rows > DATA_VALUES_MAX / columns)
        return diag_set(d, 0, 0, "%" PRIu64 " rows of %" PRIu64 " numbers; expected at most %u "
                        "numbers", rows, columns, DATA_VALUES_MAX);
    if (a->random)
        in->data = data_random(a->random_seed, rows, &shape);
    if (!read_set(&in->data, in->data_path, &shape, d)
        || !read_set(&in->test, in->test_path, &shape, d))
        return false;
    if (a->standardize && in->test)
        data_standardize(in->test, in->data);
    if (a->standardize)
        data_standardize(in->data, in->data);
    return true;
}

static bool choose_batch(struct train_input *in, const struct train_asked *a, struct diag *d)
{
    in->batch = a->batch ? a->batch : in->net->batch;
    return in->batch > 0
        || diag_set(d, 0, 0, "the network has no batch; expected a line like 'batch 32', or "
                    "--batch N");
}

bool train_input_read(struct train_input *in, const struct train_asked *a, struct diag *d)
{
    *in = (struct train_input){ .net = NULL };
    if (!find_net(in, a->net, d) || !read_net(in, d))
        return false;
    snprintf(d->file, sizeof d->file, "%s", in->net_path);
    if (!whole_net(in, d) || !choose_batch(in, a, d) || !read_data(in, a, d))
        return false;
    if (in->batch > in->data->rows)
        in->batch = in->data->rows;
    d->file[0] = '\0';
    return true;
}

void train_input_free(struct train_input *in)
{
    net_free(in->net);
    data_free(in->data);
    data_free(in->test);
}
