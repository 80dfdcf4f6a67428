/* memory.c - buffers in order of their addresses; the last one found is looked at first. */
#include "models/gpu/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGN     256               /* of a buffer's address; and the least gap after one */
#define MOST_BYTES (UINT64_C(1) << 46)

struct buffer {
    uint64_t address, bytes;
    uint8_t *data;                  /* NULL: addresses only */
    bool     is_mapped;             /* of data: not the allocator's */
    char     name[64];
};

struct gpu_memory {
    bool values;
    uint64_t total, next;           /* bytes of all; where the next buffer may begin */
    uint32_t count, room;
    struct buffer *buffers;         /* by address */
};

struct gpu_memory *gpu_memory_new(bool values)
{
    struct gpu_memory *m = calloc(1, sizeof *m);
    if (!m)
        abort();
    m->values = values;
    m->next = GPU_MEMORY_BASE;
    return m;
}

void gpu_memory_free(struct gpu_memory *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; i < m->count; i++)
        if (m->buffers[i].is_mapped)
            munmap(m->buffers[i].data, m->buffers[i].bytes);
        else
            free(m->buffers[i].data);
    free(m->buffers);
    free(m);
}

bool gpu_memory_values(const struct gpu_memory *m) { return m->values; }
uint64_t gpu_memory_bytes(const struct gpu_memory *m) { return m->total; }
uint32_t gpu_memory_count(const struct gpu_memory *m) { return m->count; }

/* The first buffer that begins after `address`; the one before it may hold the address. */
static uint32_t first_after(const struct gpu_memory *m, uint64_t address)
{
    uint32_t low = 0, high = m->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (m->buffers[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_free(const struct gpu_memory *m, uint64_t address, uint64_t bytes)
{
    uint32_t after = first_after(m, address);
    if (after && address - m->buffers[after - 1].address < m->buffers[after - 1].bytes)
        return false;
    return after == m->count || m->buffers[after].address - address >= bytes;
}

static void insert(struct gpu_memory *m, uint32_t at, const struct buffer *b)
{
    if (m->count == m->room) {
        m->room = m->room ? 2 * m->room : 16;
        m->buffers = realloc(m->buffers, m->room * sizeof *m->buffers);
        if (!m->buffers)
            abort();
    }
    memmove(&m->buffers[at + 1], &m->buffers[at], (m->count - at) * sizeof *m->buffers);
    m->buffers[at] = *b;
    m->count++;
    m->total += b->bytes;
}

/* Zeros; false: there is no memory. */
static bool give_bytes(struct buffer *b)
{
    if (!b->is_mapped)
        return (b->data = calloc(b->bytes, 1)) != NULL;
    void *at = mmap(NULL, b->bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    b->data = at;
    return at != MAP_FAILED;
}

static bool add(struct gpu_memory *m, const char *name, uint64_t address, uint64_t bytes,
                bool is_sparse)
{
    if (bytes > MOST_BYTES - m->total || address > UINT64_MAX - bytes ||
        !is_free(m, address, bytes))
        return false;
    bool has_bytes = m->values && bytes > 0;
    struct buffer b = { .address = address, .bytes = bytes, .is_mapped = is_sparse && has_bytes };
    snprintf(b.name, sizeof b.name, "%s", name);
    if (has_bytes && !give_bytes(&b))
        return false;
    insert(m, first_after(m, address), &b);
    return true;
}

bool gpu_memory_add_at(struct gpu_memory *m, const char *name, uint64_t address, uint64_t bytes)
{
    return add(m, name, address, bytes, false);
}

/* The first address from this one on that keeps its distance from all buffers.  Those well
 * before it end before it too. */
static uint64_t past_neighbours(const struct gpu_memory *m, uint64_t address, uint64_t bytes)
{
    uint32_t after = first_after(m, address);
    for (uint32_t i = after ? after - 1 : 0; i < m->count; i++) {
        const struct buffer *b = &m->buffers[i];
        uint64_t end = b->address + b->bytes;
        if (b->address >= address + bytes + ALIGN)
            break;
        if (address < end + ALIGN)
            address = (end + 2 * ALIGN - 1) / ALIGN * ALIGN;
    }
    return address;
}

static uint64_t add_next(struct gpu_memory *m, const char *name, uint64_t bytes, bool is_sparse)
{
    if (bytes > MOST_BYTES)
        return 0;
    uint64_t address = past_neighbours(m, m->next, bytes);
    if (!add(m, name, address, bytes, is_sparse))
        return 0;
    m->next = (address + bytes + 2 * ALIGN - 1) / ALIGN * ALIGN;
    return address;
}

uint64_t gpu_memory_add(struct gpu_memory *m, const char *name, uint64_t bytes)
{
    return add_next(m, name, bytes, false);
}

uint64_t gpu_memory_add_sparse(struct gpu_memory *m, const char *name, uint64_t bytes)
{
    return add_next(m, name, bytes, true);
}

static inline bool holds(const struct buffer *b, uint64_t address, uint64_t bytes)
{
    return address - b->address < b->bytes && b->bytes - (address - b->address) >= bytes;
}

static const struct buffer *find(const struct gpu_memory *m, uint64_t address, uint64_t bytes,
                                 uint32_t *hint)
{
    if (hint && *hint < m->count && holds(&m->buffers[*hint], address, bytes))
        return &m->buffers[*hint];
    uint32_t after = first_after(m, address);
    if (!after || !holds(&m->buffers[after - 1], address, bytes))
        return NULL;
    if (hint)
        *hint = after - 1;
    return &m->buffers[after - 1];
}

bool gpu_memory_has(const struct gpu_memory *m, uint64_t address, uint64_t bytes, uint32_t *hint)
{
    return find(m, address, bytes, hint) != NULL;
}

uint8_t *gpu_memory_at(const struct gpu_memory *m, uint64_t address, uint64_t bytes,
                       uint32_t *hint)
{
    const struct buffer *b = find(m, address, bytes, hint);
    return b && b->data ? b->data + (address - b->address) : NULL;
}

/* How far an address is from a buffer; 0: inside. */
static uint64_t distance(const struct buffer *b, uint64_t address)
{
    if (address < b->address)
        return b->address - address;
    uint64_t into = address - b->address;
    return into < b->bytes ? 0 : into - b->bytes + 1;
}

void gpu_memory_describe(const struct gpu_memory *m, uint64_t address, char *text, size_t size)
{
    const struct buffer *near = NULL;
    for (uint32_t i = 0; i < m->count; i++)
        if (!near || distance(&m->buffers[i], address) < distance(near, address))
            near = &m->buffers[i];
    if (!near) {
        snprintf(text, size, "there are no buffers");
        return;
    }
    uint64_t from = address < near->address ? near->address - address : address - near->address;
    const char *where = "bytes into";
    if (address < near->address) {
        where = "bytes before";
    } else if (from >= near->bytes) {
        from -= near->bytes;
        where = "bytes past the end of";
    }
    snprintf(text, size, "%" PRIu64 " %s %s (%" PRIu64 " bytes at 0x%" PRIx64 ")", from, where,
             near->name, near->bytes, near->address);
}
