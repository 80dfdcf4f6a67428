/* toggles.c - see toggles.h. */
#include "models/toggles.h"

#include <assert.h>
#include <string.h>

struct toggles_count toggles_bus(const void *data, uint64_t bytes, uint32_t beat_bytes)
{
    const uint8_t *at = data;
    struct toggles_count c = { 8 * bytes, 0 };
    uint32_t piece = beat_bytes % 8 == 0 ? 8 : beat_bytes % 4 == 0 ? 4 : 1;
    assert(beat_bytes > 0);
    for (uint64_t i = 0; i < bytes; i += piece) {
        uint64_t size = bytes - i < piece ? bytes - i : piece, now = 0, before = 0;
        memcpy(&now, at + i, size);
        if (i >= beat_bytes)
            memcpy(&before, at + i - beat_bytes, size);
        c.changed += (uint64_t)__builtin_popcountll(now ^ before);
    }
    return c;
}
