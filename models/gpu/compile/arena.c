/* arena.c - chunks in a list, each at least as large as what is asked of it. */
#include "models/gpu/compile/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)1 << 18)

struct arena_chunk {
    struct arena_chunk *before;
    size_t used, size;
    max_align_t bytes[];
};

static struct arena_chunk *chunk_new(struct arena_chunk *before, size_t bytes)
{
    size_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
    struct arena_chunk *c = malloc(sizeof *c + size);
    if (!c)
        abort();
    *c = (struct arena_chunk){ .before = before, .size = size };
    return c;
}

void *arena_get(struct arena *a, size_t count, size_t size)
{
    assert(!size || count <= SIZE_MAX / 2 / size);
    size_t bytes = (count * size + sizeof(max_align_t)) & ~(sizeof(max_align_t) - 1);
    if (!a->last || a->last->size - a->last->used < bytes)
        a->last = chunk_new(a->last, bytes);
    void *p = (char *)a->last->bytes + a->last->used;
    a->last->used += bytes;
    return memset(p, 0, bytes);
}

void *arena_grow(struct arena *a, void *old, uint32_t used, uint32_t need, uint32_t *room,
                 size_t size)
{
    if (need <= *room)
        return old;
    *room = need > 2 * *room ? need + 16 : 2 * *room;
    void *p = arena_get(a, *room, size);
    if (used)
        memcpy(p, old, used * size);
    return p;
}

void arena_free(struct arena *a)
{
    while (a->last) {
        struct arena_chunk *before = a->last->before;
        free(a->last);
        a->last = before;
    }
}
