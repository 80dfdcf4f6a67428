/* train_input.h - what a training run learns, and from what: the network and its data sets.
 *
 *     a file           workloads/digits.net
 *     a bare name      digits: the network of that name that comes with the program
 *
 * Without --data or --random, data/NAME.csv beside the network's file and, to test with,
 * data/NAME-test.csv are taken, if they are there.
 */
#ifndef SIM_TRAIN_INPUT_H
#define SIM_TRAIN_INPUT_H

#include "sim/trainer.h"

struct train_asked {
    const char *net, *data, *test;      /* NULL: not given */
    bool        random;                 /* instead of data: */
    uint64_t    random_seed, rows;      /* 0 rows: the network's samples, or one batch */
    bool        standardize;
    uint64_t    batch;                  /* instead of the network's; 0: its own */
};

struct train_input {
    struct net  *net;
    struct data *data, *test;           /* test: NULL for none */
    uint64_t     batch;                 /* at most as many as there are samples */
    char         net_path[256], data_path[256], test_path[256];  /* "": none */
};

/* False with the reason in `d`; free it in any case. */
bool train_input_read(struct train_input *in, const struct train_asked *asked, struct diag *d);
void train_input_free(struct train_input *in);

#endif
