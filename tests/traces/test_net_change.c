/* Networks with one thing changed: the same as if they said so. */
#include <stdlib.h>
#include <string.h>

#include "tests/suites.h"
#include "traces/net.h"

#define CHANGED(input, dense, rest) "simaccel-net 1\ninput " input "\nbatch 3\n" dense rest
#define MIDDLE "dense 4 relu\ndense 6 tanh no_bias\n"
#define LAST   "dense 2 softmax\nloss cross_entropy\n"

/* A change gives what the network says when it is written so. */
static const struct { const char *name, *value, *text; } changes[] = {
    { "batch",       "3",     CHANGED("5", MIDDLE, LAST "optimizer adam\n") },
    { "input",       "9",     CHANGED("9", MIDDLE, LAST "optimizer adam\n") },
    { "width",       "7",     CHANGED("5", "dense 7 relu\ndense 7 tanh no_bias\n",
                                      LAST "optimizer adam\n") },
    { "depth",       "1",     CHANGED("5", "dense 4 relu\n", LAST "optimizer adam\n") },
    { "depth",       "5",     CHANGED("5", "dense 4 relu repeat=5\n", LAST "optimizer adam\n") },
    { "activation",  "gelu",  CHANGED("5", "dense 4 gelu\ndense 6 gelu no_bias\n",
                                      LAST "optimizer adam\n") },
    { "optimizer",   "sgd",   CHANGED("5", MIDDLE, LAST "optimizer sgd\n") },
    { "optimizer",   "adam lr=0.5", CHANGED("5", MIDDLE, LAST "optimizer adam lr=0.5\n") },
    { "loss_scale",  "64",    CHANGED("5", MIDDLE, LAST "optimizer adam\nloss_scale 64\n") },
    { "weights",     "bf16",  CHANGED("5", MIDDLE, LAST "optimizer adam\nweights bf16\n") },
    { "gradients",   "f16",   CHANGED("5", MIDDLE, LAST "optimizer adam\ngradients f16\n") },
    { "state",       "bf16",  CHANGED("5", MIDDLE, LAST "optimizer adam\nstate bf16\n") },
    { "activations", "f32",   CHANGED("5", MIDDLE, LAST "optimizer adam\nactivations f32\n") },
    { "compute",     "f32",   CHANGED("5", MIDDLE, LAST "optimizer adam\ncompute f32\n") },
};

static char *trace_text(const struct net *n)
{
    char *text = NULL;
    size_t size = 0;
    struct diag d = { .text = "" };
    struct net_options options = { .batch = 0 };
    struct trace *t = net_expand(n, &options, &d);
    ck_assert_msg(t != NULL, "%s", d.text);
    FILE *out = open_memstream(&text, &size);
    trace_write(t, out);
    fclose(out);
    trace_free(t);
    return text;
}

static struct net *read_net(const char *text)
{
    struct diag d = { .text = "" };
    struct net *n = net_read_memory(text, strlen(text), &d);
    ck_assert_msg(n != NULL, "%s", d.text);
    return n;
}

START_TEST(a_change_is_what_the_network_would_say)
{
    struct net *n = read_net(changes[0].text), *same = read_net(changes[_i].text);
    ck_assert(net_change(n, changes[_i].name, changes[_i].value));
    char *a = trace_text(n), *b = trace_text(same);
    ck_assert_str_eq(a, b);
    free(a);
    free(b);
    net_free(n);
    net_free(same);
}
END_TEST

/* Wrong values, lines of a network that are no change, and a second line behind the first. */
START_TEST(what_cannot_be_changed_stays)
{
    static const char *const wrong[][2] = {
        { "batch", "0" }, { "batch", "" }, { "batch", "3 4" }, { "batch", "3\ndense 4" },
        { "width", "0" }, { "width", "16777217" }, { "width", "4x" }, { "width", "-1" },
        { "depth", "0" }, { "depth", "4096" }, { "activation", "rleu" }, { "optimizer", "adamm" },
        { "optimizer", "sgd beta1=0.5" }, { "weights", "i32" }, { "compute", "f8" },
        { "loss_scale", "0" }, { "dense", "4" }, { "name", "x" }, { "loss", "cross_entropy" },
        { "nothing", "1" },
    };
    struct net *n = read_net(changes[0].text);
    char *before = trace_text(n);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        ck_assert_msg(!net_change(n, wrong[i][0], wrong[i][1]), "%s", wrong[i][0]);
        char *after = trace_text(n);
        ck_assert_str_eq(before, after);
        free(after);
    }
    free(before);
    net_free(n);
}
END_TEST

Suite *net_change_suite(void)
{
    Suite *s = suite_create("net_change");
    TCase *t = tcase_create("changes");
    tcase_add_loop_test(t, a_change_is_what_the_network_would_say, 0, COUNT_OF(changes));
    tcase_add_test(t, what_cannot_be_changed_stays);
    suite_add_tcase(s, t);
    return s;
}
