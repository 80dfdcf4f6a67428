/* arena.h - memory of one compilation: given out piece by piece, taken back at once. */
#ifndef MODELS_GPU_COMPILE_ARENA_H
#define MODELS_GPU_COMPILE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena { struct arena_chunk *last; };

/* Zeroed. */
void *arena_get(struct arena *a, size_t count, size_t size);

/* An array of `*room` elements that can hold `need`: itself, or a copy of its first `used`. */
void *arena_grow(struct arena *a, void *old, uint32_t used, uint32_t need, uint32_t *room,
                 size_t size);
void  arena_free(struct arena *a);

#endif
