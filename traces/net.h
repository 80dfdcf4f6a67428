/* net.h - a network in a dozen lines, and the training step that follows from it.
 *
 * A network is an input width, a batch, layers, a loss, an optimizer and the types that
 * values are stored in and multiplied as.  Expanding it gives the trace of one step:
 *
 *     forward    product = h W;  z = product + b;  h = activation(z)      layer by layer
 *     loss       the loss of the batch, and its gradient by the last z
 *     backward   dW = h^T dz;  db = column sums of dz;  dh = dz W^T;
 *                dz = dh through the activation below                     last layer first
 *     update     the optimizer on every W and b
 *
 * The first layer's dh is left out, for nothing needs it.  Inference is forward alone.
 *
 * A scale of the loss keeps small gradients from vanishing in a type with few exponents: the
 * loss's gradient is multiplied by it before it is rounded, and every dW and db by its
 * reciprocal before the optimizer, in f32.
 *
 * Not modelled: layers other than dense, learning-rate schedules, clipping of gradients, a
 * scale of the loss that changes, steps left out when a gradient is infinite.
 */
#ifndef TRACES_NET_H
#define TRACES_NET_H

#include "traces/trace.h"

#define NET_LAYERS_MAX 4096u
#define NET_WIDTH_MAX  (1u << 24)       /* units, inputs, and rows of a batch */
#define NET_SCALE_MIN  1e-30            /* of the loss: it and its reciprocal in f32 */
#define NET_SCALE_MAX  1e30

/* What comes after a layer's z.  `keeps`: what its gradient needs beside dh, z or h. */
#define NET_ACTIVATIONS(X) \
    /* id       name       op       gradient      keeps */ \
    X(LINEAR,  "linear",  CAST,    CAST,         Z)        \
    X(RELU,    "relu",    RELU,    RELU_GRAD,    H)        \
    X(SIGMOID, "sigmoid", SIGMOID, SIGMOID_GRAD, H)        \
    X(TANH,    "tanh",    TANH,    TANH_GRAD,    H)        \
    X(GELU,    "gelu",    GELU,    GELU_GRAD,    Z)        \
    X(SOFTMAX, "softmax", SOFTMAX, SOFTMAX_GRAD, H)

/* `after`: the activation that it is fused with, so that it is worked out from z; LINEAR
 * if from any network's output as it is. */
#define NET_LOSSES(X) \
    /* id                    name                   op                     after */ \
    X(CROSS_ENTROPY,        "cross_entropy",        SOFTMAX_CROSS_ENTROPY, SOFTMAX)  \
    X(BINARY_CROSS_ENTROPY, "binary_cross_entropy", SIGMOID_CROSS_ENTROPY, SIGMOID)  \
    X(MEAN_SQUARED_ERROR,   "mean_squared_error",   MEAN_SQUARED_ERROR,    LINEAR)

/* `states`: the endings of the names of its state, as its op takes them.  Constants are
 * defaults: those of Keras, but RMSProp's of TensorFlow 1, and Adam's usual epsilon. */
#define NET_OPTIMIZERS(X) \
    X(SGD,      "",   [ATTR_LR] = 0.01)                                             \
    X(MOMENTUM, "a",  [ATTR_LR] = 0.01, [ATTR_MOMENTUM] = 0.9)                      \
    X(RMSPROP,  "s",  [ATTR_LR] = 0.001, [ATTR_DECAY] = 0.9, [ATTR_EPSILON] = 1e-10) \
    X(ADAM,     "mv", [ATTR_LR] = 0.001, [ATTR_BETA1] = 0.9, [ATTR_BETA2] = 0.999,  \
                      [ATTR_EPSILON] = 1e-8, [ATTR_STEP] = 1)

enum net_activation {
#define ACTIVATION(id, ...) NET_##id,
    NET_ACTIVATIONS(ACTIVATION)
#undef ACTIVATION
    NET_ACTIVATIONS_COUNT
};

enum net_loss {
#define LOSS(id, ...) NET_##id,
    NET_LOSSES(LOSS)
#undef LOSS
    NET_LOSSES_COUNT
};

enum net_optimizer {
#define OPTIMIZER(id, ...) NET_##id,
    NET_OPTIMIZERS(OPTIMIZER)
#undef OPTIMIZER
    NET_OPTIMIZERS_COUNT
};

struct net_layer {
    uint64_t            units;
    enum net_activation activation;
    bool                bias;
    unsigned            line;
};

struct net {
    char               name[TRACE_NAME];
    uint64_t           input, batch, samples, epochs;   /* 0: not said */
    struct net_layer  *layers;
    unsigned           layer_count;
    enum net_loss      loss;
    bool               one_hot;                 /* cross_entropy: distributions, not labels */
    double             loss_scale;              /* 1: none */
    enum net_optimizer optimizer;
    double             attr[OP_ATTRIBUTES_COUNT];
    enum trace_type    weights, gradients, state, activations, compute;
    unsigned           lines;                   /* of its file */
    unsigned           loss_line, optimizer_line, input_line;   /* 0: not said */
};

struct net_options {
    bool     inference;         /* forward alone */
    bool     evaluate;          /* forward and the loss, not its gradient */
    uint64_t batch;             /* instead of the network's; 0: its own */
    double   loss_scale;        /* the same, NET_SCALE_MIN to NET_SCALE_MAX; 1: none */
};

/* What net_change can change, for people. */
#define NET_CHANGES(X) \
    X(batch,       "rows of a step, 1 to 16777216")                                 \
    X(input,       "features of a sample, 1 to 16777216")                           \
    X(width,       "units of every layer but the last, 1 to 16777216")              \
    X(depth,       "layers before the last, all as the first one, 1 to 4095")       \
    X(activation,  "of every layer but the last: linear, relu, sigmoid, tanh, gelu or softmax") \
    X(optimizer,   "sgd, momentum, rmsprop or adam, with its usual constants")      \
    X(loss_scale,  "1e-30 to 1e30; 1: none")                                        \
    X(weights,     "type that they are stored in: bf16, f16 or f32")                \
    X(gradients,   "type that those of weights are stored in: bf16, f16 or f32")    \
    X(state,       "type that the optimizer's is stored in: bf16, f16 or f32")      \
    X(activations, "type that they are stored in: bf16, f16 or f32")                \
    X(compute,     "what products are multiplied as: bf16, f16 or f32")

/* NULL with the reason in `d`, which must be empty before. */
struct net *net_read_memory(const char *text, size_t size, struct diag *d);
void        net_free(struct net *n);

/* Gives one of NET_CHANGES a value, as its line in a network would; false if it cannot have it,
 * or with another name.  Then `n` is as it was. */
bool        net_change(struct net *n, const char *name, const char *value);

struct trace *net_expand(const struct net *n, const struct net_options *options,
                         struct diag *d);

/* Both at once. */
struct trace *net_expand_memory(const char *text, size_t size,
                                const struct net_options *options, struct diag *d);

#endif
