/* kernels_rig.h - runs kernels of the project for their values, with buffers to compare.
 *
 * Numbers are whole eighths, so small that sums and products are exact in f32, in whatever
 * order; what a kernel must leave is then known to the bit.
 */
#ifndef TESTS_MODELS_GPU_KERNELS_RIG_H
#define TESTS_MODELS_GPU_KERNELS_RIG_H

#include <assert.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/compile.h"
#include "models/gpu/interpret.h"
#include "models/gpu/kernels/kernels.h"
#include "models/numerics/bf16.h"
#include "tests/models/gpu/gpu_figures.h"

#define RIG_ARGUMENTS 24
#define RIG_OPERATIONS 100000000u

static inline struct gpu_config rig_config(enum gpu_generation g)
{
    return g == GPU_SM_70 ? gpu_v100() : gpu_a100();
}

static inline uint64_t rig_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static inline uint32_t rig_between(uint64_t *state, uint32_t low, uint32_t high)
{
    return low + (uint32_t)(rig_random(state) % (high - low + 1));
}

/* An argument that is an f32. */
static inline uint64_t rig_f32(double x) { return f32_bits((float)x); }

static inline struct gpu_kernel *rig_compile(const struct gpu_config *c, const char *name)
{
    struct diag d = { .text = "" };
    size_t size;
    char *text = gpu_kernel_text((enum gpu_generation)c->gpu.generation, name, &size);
    ck_assert_msg(text, "%s: there is no text of it", name);
    struct ptx_module *m = ptx_read(text, size, name, &d);
    ck_assert_msg(m, "%s:%u: %s", name, d.line, d.text);
    struct gpu_kernel *k = gpu_compile(c, m, ptx_entry(m, name, &d), &d);
    ck_assert_msg(k, "%s:%u: %s", name, d.line, d.text);
    ptx_free(m);
    free(text);
    return k;
}

struct rig_grid { uint32_t x, y, z; };

/* Runs a kernel; `arguments` in the order of its parameters, floats as their bits. */
static inline void rig_run(const struct gpu_config *c, struct gpu_memory *m, const char *name,
                           struct rig_grid grid, uint32_t threads, uint32_t shared_bytes,
                           const uint64_t *arguments, uint32_t count)
{
    struct gpu_kernel *k = rig_compile(c, name);
    uint8_t params[RIG_ARGUMENTS * 8];
    ck_assert_uint_eq(k->param_count, count);
    for (uint32_t i = 0; i < count; i++)
        memcpy(params + k->params[i].offset, &arguments[i], k->params[i].bytes);
    struct gpu_launch l = {
        .kernel = k, .grid = { grid.x, grid.y, grid.z }, .block = { threads, 1, 1 },
        .shared_bytes = shared_bytes, .params = params,
    };
    struct gpu_interpreted result;
    struct diag d = { .text = "" };
    ck_assert_msg(gpu_interpret(c, &l, m, RIG_OPERATIONS, &result, &d), "%s:%u: %s", name,
                  d.line, d.text);
    gpu_kernel_free(k);
}

/* ---- elements ---- */

static inline uint32_t rig_bytes(uint32_t element)
{
    return element == GPU_ELEMENT_F16 || element == GPU_ELEMENT_BF16 ? 2 : 4;
}

static inline void rig_put(uint8_t *at, uint32_t element, float x)
{
    uint16_t half = element == GPU_ELEMENT_F16 ? f16_from_f32(x) : bf16_from_f32(x);
    int32_t whole = (int32_t)x;
    if (element == GPU_ELEMENT_F32)
        memcpy(at, &x, 4);
    else if (element == GPU_ELEMENT_I32)
        memcpy(at, &whole, 4);
    else
        memcpy(at, &half, 2);
}

static inline float rig_get(const uint8_t *at, uint32_t element)
{
    uint16_t half;
    float x;
    memcpy(&half, at, 2);
    if (element == GPU_ELEMENT_F16)
        return f16_to_f32(half);
    if (element == GPU_ELEMENT_BF16)
        return bf16_to_f32(half);
    memcpy(&x, at, 4);
    return x;
}

/* A buffer of elements in a GPU's memory. */
struct rig_buffer { uint64_t address; uint8_t *bytes; uint64_t elements; uint32_t element; };

static inline struct rig_buffer rig_buffer(struct gpu_memory *m, const char *name,
                                           uint64_t elements, uint32_t element)
{
    uint64_t bytes = elements * rig_bytes(element), at = gpu_memory_add(m, name, bytes);
    struct rig_buffer b = { at, gpu_memory_at(m, at, bytes, NULL), elements, element };
    ck_assert(b.bytes);
    return b;
}

/* Whole eighths up to 2 on both sides of 0. */
static inline struct rig_buffer rig_random_buffer(struct gpu_memory *m, const char *name,
                                                  uint64_t elements, uint32_t element,
                                                  uint64_t *state)
{
    struct rig_buffer b = rig_buffer(m, name, elements, element);
    for (uint64_t i = 0; i < elements; i++)
        rig_put(b.bytes + i * rig_bytes(element), element,
                ((float)(rig_random(state) % 33) - 16) / 8);
    return b;
}

static inline float rig_at(const struct rig_buffer *b, uint64_t i)
{
    assert(i < b->elements);            /* not ck_assert: it writes to a file every time */
    return rig_get(b->bytes + i * rig_bytes(b->element), b->element);
}

/* What x becomes when it is stored. */
static inline float rig_rounded(uint32_t element, float x)
{
    uint8_t bytes[4];
    rig_put(bytes, element, x);
    return rig_get(bytes, element);
}

#endif
