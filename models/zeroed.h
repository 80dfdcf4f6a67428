/* zeroed.h - memory for what a model is built of: zeros, never NULL; the caller frees it.
 *
 * Without memory the program aborts: nothing of a run could be saved.  None of something has
 * an address too, for free.
 */
#ifndef MODELS_ZEROED_H
#define MODELS_ZEROED_H

#include <stdlib.h>

static inline void *zeroed(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    if (!p)
        abort();
    return p;
}

#endif
