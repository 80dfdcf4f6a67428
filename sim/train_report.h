/* train_report.h - a training run for people and for spreadsheets, from its result (train.h). */
#ifndef SIM_TRAIN_REPORT_H
#define SIM_TRAIN_REPORT_H

#include <jansson.h>
#include <stdio.h>

/* Head and one line of the table that a run prints while it goes on. */
void train_report_head(FILE *out);
void train_report_row(const json_t *row, FILE *out);

/* What a step costs on each machine, and how the run ended. */
void train_report_end(const json_t *result, FILE *out);

/* machine,epoch,step,loss,accuracy,test_loss,test_accuracy,time_s,energy_j,worst: a line a row; a
 * field that does not apply is empty, a loss that is not finite is nan. */
void train_report_csv(const json_t *result, FILE *out);

#endif
