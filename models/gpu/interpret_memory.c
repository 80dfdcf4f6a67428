/* interpret_memory.c - the interpreter's memory operations a lane at a time: atomics, faults,
 * and lanes that go apart. */
#include "models/gpu/interpret_inside.h"

#include <inttypes.h>
#include <string.h>

struct access {
    struct gpu_interpreter *in;
    struct gpu_warp *w;
    const struct gpu_op *op;
    const char *verb;               /* "load", for messages */
};

static bool out_of(const struct access *a, unsigned lane, uint64_t address, uint32_t bytes,
                   const char *where)
{
    return gpu_interpret_fault(a->in, a->w, a->op, lane, "a %s of %" PRIu32 " bytes at 0x%" PRIx64
                               " is out of bounds: %s", a->verb, bytes, address, where);
}

/* The bytes of a window (shared memory, constants, ...) that begins at 0. */
static uint8_t *in_window(const struct access *a, unsigned lane, uint64_t at, uint32_t bytes,
                          uint8_t *window, uint64_t size, const char *what)
{
    if (at < size && size - at >= bytes)
        return window + at;
    char text[96];
    snprintf(text, sizeof text, "%s has %" PRIu64 " bytes", what, size);
    out_of(a, lane, at, bytes, text);
    return NULL;
}

static void watch_bytes(const struct access *a, uint64_t address, uint32_t bytes)
{
    if (a->op->kind != GPU_STORE)
        gpu_watch_bytes(a->in->watch, a->in->hint, address, bytes, false);
    if (a->op->kind == GPU_STORE || a->op->kind == GPU_ATOMIC)
        gpu_watch_bytes(a->in->watch, a->in->hint, address, bytes, true);
}

static uint8_t *in_global(const struct access *a, unsigned lane, uint64_t address,
                          uint32_t bytes)
{
    uint8_t *at = gpu_memory_at(a->in->memory, address, bytes, &a->in->hint);
    if (at && a->in->watch)
        watch_bytes(a, address, bytes);
    if (at)
        return at;
    char text[256];
    gpu_memory_describe(a->in->memory, address, text, sizeof text);
    out_of(a, lane, address, bytes, text);
    return NULL;
}

/* Which memory an address means; what it is there. */
static enum gpu_space space_of(const struct gpu_op *op, uint64_t *address)
{
    enum gpu_space space = (enum gpu_space)op->access.space;
    if (space != GPU_SPACE_GENERIC)
        return space;
    space = gpu_address_space(*address);
    switch (space) {
    case GPU_SPACE_SHARED: *address -= GPU_SHARED_WINDOW; break;
    case GPU_SPACE_CONST:  *address -= GPU_CONST_WINDOW; break;
    case GPU_SPACE_PARAM:  *address -= GPU_PARAM_WINDOW; break;
    default: break;
    }
    return space;
}

static uint8_t *find(const struct access *a, unsigned lane, enum gpu_space space,
                     uint64_t address, uint32_t bytes)
{
    struct gpu_interpreter *in = a->in;
    const struct gpu_kernel *k = in->launch->kernel;
    switch (space) {
    case GPU_SPACE_SHARED:
        return in_window(a, lane, address, bytes, in->block.shared, in->block.shared_bytes,
                         "the block's shared memory");
    case GPU_SPACE_LOCAL:
        return in_window(a, lane, address - GPU_INTERPRET_LOCAL, bytes, in->local,
                         in->local_bytes, "the block's local memory");
    case GPU_SPACE_CONST:
        return in_window(a, lane, address, bytes, k->const_bytes, k->const_size,
                         "constant memory");
    case GPU_SPACE_PARAM:
        return in_window(a, lane, address, bytes, in->launch->params, k->param_bytes,
                         "parameter space");
    case GPU_SPACE_GENERIC: case GPU_SPACE_GLOBAL: break;
    }
    return in_global(a, lane, address, bytes);
}

static bool aligned(const struct access *a, unsigned lane, uint64_t address, uint32_t bytes)
{
    if (address % bytes == 0)
        return true;
    return gpu_interpret_fault(a->in, a->w, a->op, lane, "a %s of %" PRIu32 " bytes at 0x%" PRIx64
                               " is not aligned to its size", a->verb, bytes, address);
}

/* Bytes of a thread's own memory through a generic address: words are apart. */
static bool local_words(const struct access *a, unsigned lane, uint64_t address, uint32_t bytes,
                        uint8_t *data, bool write)
{
    uint64_t offset = address - GPU_LOCAL_WINDOW, size = a->in->launch->kernel->local_bytes;
    if (offset >= size || size - offset < bytes)
        return out_of(a, lane, address, bytes, "it is past the thread's local memory");
    for (uint32_t done = 0, piece; done < bytes; done += piece) {
        piece = bytes - done < 4 ? bytes - done : 4;
        uint8_t *at = find(a, lane, GPU_SPACE_LOCAL, gpu_warp_local(a->w, lane, offset + done),
                           piece);
        if (!at)
            return false;
        memcpy(write ? at : data + done, write ? data + done : at, piece);
    }
    return true;
}

static bool move(const struct access *a, unsigned lane, uint64_t address, uint32_t bytes,
                 uint8_t *data, bool write)
{
    if (!aligned(a, lane, address, bytes))
        return false;
    uint64_t at = address;
    enum gpu_space space = space_of(a->op, &at);
    if (a->op->access.space == GPU_SPACE_GENERIC && space == GPU_SPACE_LOCAL)
        return local_words(a, lane, address, bytes, data, write);
    if (write && (space == GPU_SPACE_CONST || space == GPU_SPACE_PARAM))
        return out_of(a, lane, address, bytes, "it can only be read");
    uint8_t *memory = find(a, lane, space, at, bytes);
    if (!memory)
        return false;
    memcpy(write ? memory : data, write ? data : memory, bytes);
    return true;
}

static bool load(const struct access *a, unsigned lane, uint64_t address)
{
    uint8_t data[16];
    if (!move(a, lane, address, a->op->access.bytes, data, false))
        return false;
    gpu_warp_load_bytes(a->w, a->op, lane, data);
    return true;
}

static bool store(const struct access *a, unsigned lane, uint64_t address)
{
    uint8_t data[16];
    gpu_warp_store_bytes(a->w, a->op, lane, data);
    return move(a, lane, address, a->op->access.bytes, data, true);
}

static bool atomic(const struct access *a, unsigned lane, uint64_t address)
{
    uint8_t data[8], old[8];
    uint32_t bytes = a->op->access.bytes;
    if (!move(a, lane, address, bytes, data, false))
        return false;
    struct gpu_atomic change;
    gpu_warp_atomic(a->w, a->op, lane, &change);
    gpu_atomic_apply(&change, data, old);
    if (!move(a, lane, address, bytes, data, true))
        return false;
    if (a->op->flags & GPU_OP_RETURNS)
        gpu_warp_load_bytes(a->w, a->op, lane, old);
    return true;
}

static bool copy(const struct access *a, unsigned lane, uint64_t address)
{
    uint8_t data[16] = { 0 };
    uint32_t bytes = a->op->access.bytes, read;
    uint32_t to = gpu_warp_copy_to(a->w, a->op, lane, &read);
    if (!aligned(a, lane, address, bytes) || !aligned(a, lane, to, bytes))
        return false;
    if (read) {
        uint8_t *from = find(a, lane, GPU_SPACE_GLOBAL, address, read);
        if (!from)
            return false;
        memcpy(data, from, read);
    }
    uint8_t *shared = find(a, lane, GPU_SPACE_SHARED, to, bytes);
    if (!shared)
        return false;
    memcpy(shared, data, bytes);
    return true;
}

static bool load_matrix(const struct access *a, uint32_t mask,
                        const uint64_t address[GPU_LANES])
{
    uint8_t rows[4 * 8 * 16];
    unsigned count = 8u * a->op->number;
    for (unsigned l = 0; l < count; l++) {
        if (!(mask >> l & 1))
            return gpu_interpret_fault(a->in, a->w, a->op, l,
                                       "ldmatrix without this lane, which has a row's address");
        if (!move(a, l, address[l], 16, rows + 16 * l, false))
            return false;
    }
    gpu_warp_load_matrix(a->w, a->op, rows);
    return true;
}

bool gpu_interpret_access(struct gpu_interpreter *in, struct gpu_warp *w,
                          const struct gpu_op *op, uint32_t mask)
{
    static const struct { const char *verb; bool (*lane)(const struct access *, unsigned, uint64_t); }
    kinds[GPU_KINDS_COUNT] = {
        [GPU_LOAD] = { "load", load }, [GPU_STORE] = { "store", store },
        [GPU_ATOMIC] = { "atomic", atomic }, [GPU_COPY] = { "copy", copy },
        [GPU_MATRIX] = { "load", NULL },
    };
    struct access a = { in, w, op, kinds[op->kind].verb };
    uint64_t address[GPU_LANES];
    gpu_warp_addresses(w, op, mask, address);
    if (gpu_interpret_together(in, w, op, mask, address))
        return true;
    if (op->kind == GPU_MATRIX)
        return mask == 0 || load_matrix(&a, mask, address);
    for (unsigned l = 0; l < GPU_LANES; l++)
        if (mask >> l & 1 && !kinds[op->kind].lane(&a, l, address[l]))
            return false;
    return true;
}
