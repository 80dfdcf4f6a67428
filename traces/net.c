/* net.c - the reader of networks: docs/trace-format.md has their grammar. */
#include "traces/net.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "traces/text.h"

#define NAME(id, name, ...) name,
static const char *const activation_names[] = { NET_ACTIVATIONS(NAME) };
static const char *const loss_names[]       = { NET_LOSSES(NAME) };
static const char *const target_names[]     = { "labels", "one_hot" };

#define OPTIMIZER_OP(id, ...) TRACE_##id,
static const enum trace_op_kind optimizer_ops[] = { NET_OPTIMIZERS(OPTIMIZER_OP) };

#define DEFAULTS(id, states, ...) { __VA_ARGS__ },
static const double defaults[][OP_ATTRIBUTES_COUNT] = { NET_OPTIMIZERS(DEFAULTS) };

struct reader {
    struct text text;
    struct net *net;
    unsigned    layer_room;
};

/* How a setting is read into a field of struct net. */
enum kind { WHOLE, TYPE, OTHER };

struct keyword {
    const char *name;
    enum kind   kind;
    size_t      offset;                     /* of the field: uint64_t or enum trace_type */
    bool      (*read)(struct reader *r);    /* OTHER */
    bool        repeats;
};

static bool refuse_rest(const struct reader *r, unsigned from)
{
    const struct text_line *l = &r->text.line;
    return from >= l->count ||
           text_refuse(&r->text, from, "'%.40s' is too much; expected the end of the line",
                       l->word[from]);
}

/* Word `i` as a type to compute in or to store. */
static bool read_float(struct reader *r, unsigned i, enum trace_type *type)
{
    int k = text_choice(&r->text, i, "type", trace_type_names, TRACE_TYPES_COUNT);
    if (k == TRACE_I32)
        return text_refuse(&r->text, i, "i32 cannot be used here; expected f32, bf16 or f16");
    *type = (enum trace_type)(k < 0 ? 0 : k);
    return k >= 0;
}

/* name WORD */
static bool read_name(struct reader *r)
{
    return text_name(&r->text, 1, r->net->name, sizeof r->net->name) && refuse_rest(r, 2);
}

/* input WIDTH */
static bool read_input(struct reader *r)
{
    r->net->input_line = r->text.line.number;
    return text_whole(&r->text, 1, 0, "input", 1, NET_WIDTH_MAX, &r->net->input) &&
           refuse_rest(r, 2);
}

/* loss NAME [labels|one_hot] */
static bool read_loss(struct reader *r)
{
    int loss = text_choice(&r->text, 1, "loss", loss_names, NET_LOSSES_COUNT), targets = 0;
    if (loss < 0)
        return false;
    r->net->loss      = (enum net_loss)loss;
    r->net->loss_line = r->text.line.number;
    if (loss == NET_CROSS_ENTROPY && r->text.line.count > 2)
        targets = text_choice(&r->text, 2, "kind of target", target_names, 2);
    r->net->one_hot = targets == 1;
    return targets >= 0 && refuse_rest(r, loss == NET_CROSS_ENTROPY ? 3 : 2);
}

/* loss_scale NUMBER */
static bool read_loss_scale(struct reader *r)
{
    double *value = &r->net->loss_scale;
    if (r->text.line.count < 2)
        return text_refuse(&r->text, 1, "loss_scale is missing; expected a number like 1024");
    if (!text_number(&r->text, 1, 0, "loss_scale", value))
        return false;
    if (*value < NET_SCALE_MIN || *value > NET_SCALE_MAX)
        return text_refuse(&r->text, 1, "loss_scale: %.40s is out of range; expected a number, "
                           "%g to %g", r->text.line.word[1], NET_SCALE_MIN, NET_SCALE_MAX);
    return refuse_rest(r, 2);
}

/* Word `i` is NAME=VALUE, a constant of the optimizer. */
static bool read_constant(struct reader *r, unsigned i, unsigned takes, unsigned *seen)
{
    const char *word = r->text.line.word[i], *names[OP_ATTRIBUTES_COUNT];
    size_t length = strcspn(word, "="), count = 0;
    char name[TEXT_LINE + 1];
    memcpy(name, word, length);
    name[length] = '\0';
    for (unsigned a = 0; a < OP_ATTRIBUTES_COUNT; a++) {
        const struct op_attribute_row *row = &op_attributes[a];
        double *value = &r->net->attr[a];
        if (!(takes >> a & 1))
            continue;
        names[count++] = row->name;
        if (strcmp(name, row->name) != 0)
            continue;
        if (*seen >> a & 1)
            return text_refuse(&r->text, i, "%s is given twice; expected once", name);
        *seen |= 1u << a;
        if (!text_number(&r->text, i, length + (word[length] == '='), name, value))
            return false;
        if (*value >= row->min && *value <= row->max &&
            (!row->whole || *value == (double)(long)*value))
            return true;
        return text_refuse(&r->text, i, "%s: %.9g is out of range; expected a %snumber, "
                           "%.9g to %.9g", name, *value, row->whole ? "whole " : "",
                           row->min, row->max);
    }
    return text_unknown(&r->text, i, "constant of this optimizer", names, count);
}

/* optimizer NAME CONSTANT=VALUE... */
static bool read_optimizer(struct reader *r)
{
    const char *names[NET_OPTIMIZERS_COUNT];
    unsigned seen = 0;
    for (int k = 0; k < NET_OPTIMIZERS_COUNT; k++)
        names[k] = op_rows[optimizer_ops[k]].name;
    int optimizer = text_choice(&r->text, 1, "optimizer", names, NET_OPTIMIZERS_COUNT);
    if (optimizer < 0)
        return false;
    r->net->optimizer      = (enum net_optimizer)optimizer;
    r->net->optimizer_line = r->text.line.number;
    memcpy(r->net->attr, defaults[optimizer], sizeof r->net->attr);
    for (unsigned i = 2; i < r->text.line.count; i++)
        if (!read_constant(r, i, op_rows[optimizer_ops[optimizer]].attributes, &seen))
            return false;
    return true;
}

static bool add_layers(struct reader *r, const struct net_layer *layer, uint64_t repeat)
{
    struct net *n = r->net;
    if (n->layer_count + repeat > NET_LAYERS_MAX)
        return text_refuse(&r->text, 0, "more than %u layers; expected fewer", NET_LAYERS_MAX);
    n->layers = reallocarray(n->layers, n->layer_count + repeat, sizeof *n->layers);
    if (!n->layers)
        abort();
    while (repeat-- > 0)
        n->layers[n->layer_count++] = *layer;
    return true;
}

/* dense UNITS [ACTIVATION] [no_bias] [repeat=N] */
static bool read_dense(struct reader *r)
{
    static const char *const known[] = { NET_ACTIVATIONS(NAME) "no_bias", "repeat=" };
    static const char prefix[] = "repeat=";
    struct net_layer layer = { .bias = true, .line = r->text.line.number };
    uint64_t repeat = 1;
    unsigned seen = 0;
    if (!text_whole(&r->text, 1, 0, "units", 1, NET_WIDTH_MAX, &layer.units))
        return false;
    for (unsigned i = 2; i < r->text.line.count; i++) {
        const char *word = r->text.line.word[i];
        int activation = -1;
        for (int k = 0; k < NET_ACTIVATIONS_COUNT; k++)
            if (strcmp(word, activation_names[k]) == 0)
                activation = k;
        bool no_bias = strcmp(word, "no_bias") == 0;
        bool repeats = strncmp(word, prefix, strlen(prefix)) == 0;
        unsigned what = no_bias ? 1 : repeats ? 2 : 4;
        if (!no_bias && !repeats && activation < 0)
            return text_unknown(&r->text, i, "activation or setting of a layer", known,
                                sizeof known / sizeof *known);
        if (seen & what)
            return text_refuse(&r->text, i, "'%.40s' is one too many; expected one", word);
        seen |= what;
        layer.bias &= !no_bias;
        if (activation >= 0)
            layer.activation = (enum net_activation)activation;
        if (repeats && !text_whole(&r->text, i, strlen(prefix), "repeat", 1, NET_LAYERS_MAX,
                                   &repeat))
            return false;
    }
    return add_layers(r, &layer, repeat);
}

#define FIELD(name, kind) { #name, kind, offsetof(struct net, name), NULL, false }
static const struct keyword keywords[] = {
    FIELD(batch, WHOLE),
    FIELD(samples, WHOLE),
    FIELD(epochs, WHOLE),
    FIELD(weights, TYPE),
    FIELD(gradients, TYPE),
    FIELD(state, TYPE),
    FIELD(activations, TYPE),
    FIELD(compute, TYPE),
    { "name",       OTHER, 0, read_name,       false },
    { "input",      OTHER, 0, read_input,      false },
    { "loss",       OTHER, 0, read_loss,       false },
    { "loss_scale", OTHER, 0, read_loss_scale, false },
    { "optimizer",  OTHER, 0, read_optimizer,  false },
    { "dense",      OTHER, 0, read_dense,      true },
};
#define KEYWORDS (sizeof keywords / sizeof *keywords)

static bool read_line(struct reader *r, unsigned *seen)
{
    const char *names[KEYWORDS];
    for (size_t i = 0; i < KEYWORDS; i++)
        names[i] = keywords[i].name;
    int i = text_choice(&r->text, 0, "line", names, KEYWORDS);
    if (i < 0)
        return false;
    const struct keyword *k = &keywords[i];
    if (*seen >> i & 1 && !k->repeats)
        return text_refuse(&r->text, 0, "a second %s; expected one", k->name);
    *seen |= 1u << i;
    char *field = (char *)r->net + k->offset;
    switch (k->kind) {
    case WHOLE:
        return text_whole(&r->text, 1, 0, k->name, 1, NET_WIDTH_MAX, (uint64_t *)(void *)field) &&
               refuse_rest(r, 2);
    case TYPE:
        return read_float(r, 1, (enum trace_type *)(void *)field) && refuse_rest(r, 2);
    case OTHER:
        return k->read(r);
    }
    abort();
}

struct net *net_read_memory(const char *text, size_t size, struct diag *d)
{
    struct reader r = { .net = calloc(1, sizeof *r.net) };
    unsigned seen = 0;
    if (!r.net)
        abort();
    strcpy(r.net->name, "net");
    r.net->compute = r.net->activations = TRACE_BF16;      /* the rest is f32, which is 0 */
    r.net->loss_scale = 1;
    text_init(&r.text, text, size, d);
    bool good = text_first(&r.text, "simaccel-net");
    while (good && text_next(&r.text))
        good = read_line(&r, &seen);
    r.net->lines = r.text.number;
    if (good && r.net->input == 0)
        diag_set(d, r.net->lines, 0, "the input is missing; expected a line like 'input 784'");
    if (good && r.net->layer_count == 0)
        diag_set(d, r.net->lines, 0, "there is no layer; expected a line like 'dense 1024 relu'");
    if (!d->text[0])
        return r.net;
    net_free(r.net);
    return NULL;
}

/* ---- changes ---- */

static bool whole(const char *value, unsigned long most, unsigned long *n)
{
    char *end;
    bool digits = value[0] >= '0' && value[0] <= '9' && strlen(value) < 10;
    *n = digits ? strtoul(value, &end, 10) : 0;
    return digits && *end == '\0' && *n > 0 && *n <= most;
}

static bool change_width(struct net *n, const char *value)
{
    unsigned long units;
    bool good = whole(value, NET_WIDTH_MAX, &units);
    for (unsigned i = 0; good && i + 1 < n->layer_count; i++)
        n->layers[i].units = units;
    return good;
}

/* A network of one layer has none before the last to be like. */
static bool change_depth(struct net *n, const char *value)
{
    unsigned long depth;
    if (!whole(value, NET_LAYERS_MAX - 1, &depth) || n->layer_count < 2)
        return false;
    struct net_layer first = n->layers[0], last = n->layers[n->layer_count - 1];
    n->layers = reallocarray(n->layers, depth + 1, sizeof *n->layers);
    if (!n->layers)
        abort();
    for (unsigned i = 0; i < depth; i++)
        n->layers[i] = first;
    n->layers[depth] = last;
    n->layer_count = (unsigned)depth + 1;
    return true;
}

static bool change_activation(struct net *n, const char *value)
{
    for (int k = 0; k < NET_ACTIVATIONS_COUNT; k++) {
        if (strcmp(value, activation_names[k]) != 0)
            continue;
        for (unsigned i = 0; i + 1 < n->layer_count; i++)
            n->layers[i].activation = (enum net_activation)k;
        return true;
    }
    return false;
}

/* As a line of a network, which it is: "optimizer adam lr=0.1". */
static bool change_line(struct net *n, const char *name, const char *value)
{
    char line[TEXT_LINE];
    unsigned seen = 0;
    struct diag d = { .text = "" };
    struct net changed = *n;
    struct reader r = { .net = &changed };
    int size = snprintf(line, sizeof line, "%s %s", name, value);
    if (size < 0 || (size_t)size >= sizeof line)
        return false;
    text_init(&r.text, line, (size_t)size, &d);
    if (!text_next(&r.text) || !read_line(&r, &seen) || text_next(&r.text))
        return false;
    *n = changed;
    return true;
}

static bool is_change(const char *name)
{
    static const char *const names[] = {
#define CHANGE(name, what) #name,
        NET_CHANGES(CHANGE)
#undef CHANGE
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

bool net_change(struct net *n, const char *name, const char *value)
{
    if (strcmp(name, "width") == 0)
        return change_width(n, value);
    if (strcmp(name, "depth") == 0)
        return change_depth(n, value);
    if (strcmp(name, "activation") == 0)
        return change_activation(n, value);
    return is_change(name) && change_line(n, name, value);
}

void net_free(struct net *n)
{
    if (!n)
        return;
    free(n->layers);
    free(n);
}
