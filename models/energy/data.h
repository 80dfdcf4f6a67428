/* data.h - what known data make of a price.
 *
 * A machine file has three prices where data matter: its usual one, `zero` for bits that never
 * change, and `random` for bits of which half do.  With values the price goes on a straight line
 * through the last two with the share of bits that changed; without, it is the usual one.
 */
#ifndef MODELS_ENERGY_DATA_H
#define MODELS_ENERGY_DATA_H

#include "models/toggles.h"

struct data_price { double usual, zero, random; };

/* By what to multiply the usual price; 1 where nothing was counted. */
static inline double data_factor(struct data_price p, struct toggles_count c)
{
    if (c.bits == 0 || p.usual == 0)
        return 1;
    double share = (double)c.changed / (double)c.bits;
    return (p.zero + (p.random - p.zero) * 2 * share) / p.usual;
}

#endif
