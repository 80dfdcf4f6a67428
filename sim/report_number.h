/* report_number.h - numbers as people read them: SI, powers of ten, a fixed number of
 * digits, and columns that add up.
 *
 * Only arithmetic and floor(): the same digits on every processor.
 */
#ifndef SIM_REPORT_NUMBER_H
#define SIM_REPORT_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#define NUMBER_TEXT 48

/* Each fills `text` and returns it. */

/* "335.6 us", "17.18 GB", "0 B": four digits; what is neither 0 nor above it is "0". */
const char *number_si(char text[NUMBER_TEXT], double value, const char *unit);

/* "0.0167", "56.9", "12288": at least `digits` digits, never an exponent. */
const char *number_plain(char text[NUMBER_TEXT], double value, int digits);

/* A fraction as percent: "5.9", and what would be "0.0" but is not nothing, "0.00032". */
const char *number_percent(char text[NUMBER_TEXT], double fraction);

/* What a column of parts is counted in, so that its whole has five digits. */
struct number_scale { double unit; const char *prefix; int decimals; };
struct number_scale number_scale(double whole);

/* `value` in last places of the scale (335.60 us: 33560) as text. */
const char *number_fixed(char text[NUMBER_TEXT], int64_t value, int decimals);

/* Rounds parts (of 0 or more) to whole multiples of `last_place` that add up to their
 * sum, rounded: each is less than one last place off.  Returns that sum. */
int64_t number_round(const double *parts, size_t count, double last_place, int64_t *rounded);

/* a / b, and 0 where that is not a number. */
double number_ratio(double a, double b);

#endif
