/* random.h - numbers that look random and are the same everywhere: splitmix64.
 *
 * Any seed will do, also 0.  Not for secrets.
 */
#ifndef TRACES_RANDOM_H
#define TRACES_RANDOM_H

#include <stdint.h>

struct random_stream { uint64_t state; };       /* begins as the seed */

static inline uint64_t random_next(struct random_stream *s)
{
    uint64_t z = s->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Uniform in [0, 1), a multiple of 2^-53. */
static inline double random_unit(struct random_stream *s)
{
    return (double)(random_next(s) >> 11) * 0x1p-53;
}

/* A whole number below `count` (at least 1), each as likely but for 1 part in 2^64 / count. */
static inline uint64_t random_below(struct random_stream *s, uint64_t count)
{
    return random_next(s) % count;
}

#endif
