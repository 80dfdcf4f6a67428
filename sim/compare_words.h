/* compare_words.h - a comparison in words: what bound each machine, and what is not alike. */
#ifndef SIM_COMPARE_WORDS_H
#define SIM_COMPARE_WORDS_H

#include <jansson.h>
#include <stdio.h>

/* Of all and of each phase: what bound it on each machine, naming the unit and the wait. */
void compare_why(const json_t *comparison, FILE *out);

/* Levels of prices, types, optimizers, and the notes of each lowering. */
void compare_fairness(const json_t *comparison, FILE *out);

/* What all writers of a comparison look up: a row's cells; how many machines, and their names. */
const json_t *compare_cells(const json_t *row);
size_t        compare_machines(const json_t *comparison);
const char   *compare_machine(const json_t *comparison, size_t m);

#endif
