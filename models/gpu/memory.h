/* memory.h - the global memory of a GPU as its kernels see it: buffers at addresses.
 *
 * A buffer may be without bytes: it has addresses, which is all that a run without values
 * needs.  The bytes of a buffer belong to the L2 slices that are home to their lines; whoever
 * else touches them during a run breaks the engine's rule.
 *
 * Buffers begin at multiples of 256 bytes, with at least 256 bytes of nothing between two, so
 * that an access past an end is found.
 *
 * Not modelled: pages and their translation, memory that a kernel allocates, memory of the host;
 * a buffer lives as long as the memory.
 */
#ifndef MODELS_GPU_MEMORY_H
#define MODELS_GPU_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GPU_MEMORY_BASE UINT64_C(0x10000000)

struct gpu_memory;

struct gpu_memory *gpu_memory_new(bool values);
void               gpu_memory_free(struct gpu_memory *m);
bool               gpu_memory_values(const struct gpu_memory *m);

/* A new buffer, zeroed if it has bytes; its address.  0: more than 2^46 bytes in all, or
 * no memory for its bytes.  `name` is copied, for messages. */
uint64_t gpu_memory_add(struct gpu_memory *m, const char *name, uint64_t bytes);

/* The same, of which little will be touched: the host's memory for it is not set aside, and
 * what is never touched takes none. */
uint64_t gpu_memory_add_sparse(struct gpu_memory *m, const char *name, uint64_t bytes);

/* The same as the first at an address of the caller's choice, which must be free. */
bool gpu_memory_add_at(struct gpu_memory *m, const char *name, uint64_t address, uint64_t bytes);

/* Whether [address, address + bytes) lies in one buffer.  `hint` (may be NULL) remembers
 * where the last one was. */
bool gpu_memory_has(const struct gpu_memory *m, uint64_t address, uint64_t bytes, uint32_t *hint);

/* Its bytes; NULL if it does not lie in one buffer, or the buffer has none. */
uint8_t *gpu_memory_at(const struct gpu_memory *m, uint64_t address, uint64_t bytes,
                       uint32_t *hint);

/* The buffer that is nearest to an address, in words for a message: "16 bytes past the end
 * of x (16384 bytes at 0x10000000)". */
void gpu_memory_describe(const struct gpu_memory *m, uint64_t address, char *text, size_t size);

uint64_t gpu_memory_bytes(const struct gpu_memory *m);      /* of all buffers */
uint32_t gpu_memory_count(const struct gpu_memory *m);      /* of buffers: a hint is below */

#endif
