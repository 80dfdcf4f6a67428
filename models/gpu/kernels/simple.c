/* simple.c - the catalogue of all kernels that multiply no matrices (kernels.h). */
#include <string.h>

#include "models/gpu/kernels/kernels.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* A thread of a kernel for f32 or any type has 4 elements, of f16 or bf16 it has 8. */
#define FOUR  (256 * 4)
#define EIGHT (256 * 8)

#define ACTIVATION(name) \
    { #name "_f32", 256, FOUR },   { #name "_any", 256, FOUR }, \
    { #name "_f16", 256, EIGHT },  { #name "_bf16", 256, EIGHT },
#define OTHER(name) { #name "_f32", 256, FOUR }, { #name "_any", 256, FOUR },
#define ROW(name) \
    { #name "_warp_f32",  128, 4 }, { #name "_warp_any",  128, 4 }, \
    { #name "_block_f32", 256, 1 }, { #name "_block_any", 256, 1 },

static const struct gpu_simple_kernel kernels[] = {
    ACTIVATION(add) ACTIVATION(subtract) ACTIVATION(multiply) ACTIVATION(scale)
    ACTIVATION(relu) ACTIVATION(relu_grad) ACTIVATION(sigmoid) ACTIVATION(sigmoid_grad)
    ACTIVATION(tanh) ACTIVATION(tanh_grad) ACTIVATION(gelu) ACTIVATION(gelu_grad)
    ACTIVATION(bias)
    OTHER(sigmoid_cross_entropy_grad) OTHER(binary_cross_entropy_grad)
    OTHER(mean_squared_error_grad)
    OTHER(add_number) OTHER(add_scaled) OTHER(divide) OTHER(sqrt) OTHER(lerp)
    OTHER(addcmul) OTHER(addcdiv)
    OTHER(sgd) OTHER(momentum) OTHER(rmsprop) OTHER(adam)
    ROW(softmax) ROW(softmax_grad) ROW(layernorm) ROW(layernorm_grad)
    ROW(softmax_cross_entropy) ROW(softmax_cross_entropy_grad)
    { "column_sum_f32",  256, 32 }, { "column_sum_f16", 256, 32 },
    { "column_sum_bf16", 256, 32 }, { "column_sum_any", 256, 32 },
    { "column_finish_any", 256, 256 },
    { "layernorm_weights_f32", 256, 32 }, { "layernorm_weights_any", 256, 32 },
    { "total_f32", 256, 0 }, { "total_any", 256, 0 }, { "total_finish_any", 256, 0 },
    { "split_sum", 256, FOUR },
    { "cast_any", 256, FOUR },
    { "transpose", 256, 0 }, { "copy", 256, 256 * 16 }, { "fill", 256, 256 * 16 },
    { "chase_l1", 1, 0 }, { "chase_l2", 1, 0 }, { "chase_shared", 32, 0 },
    { "fma_chain", 32, 0 }, { "add_chain", 32, 0 }, { "imad_chain", 32, 0 },
    { "ex2_chain", 32, 0 }, { "fma_rate", 256, 0 }, { "add_rate", 256, 0 },
    { "ex2_rate", 256, 0 }, { "wmma_chain", 32, 0 }, { "wmma_rate", 256, 0 },
    { "mma_f16_chain", 32, 0 }, { "mma_f16_rate", 256, 0 },
    { "mma_bf16_chain", 32, 0 }, { "mma_bf16_rate", 256, 0 },
    { "mma_f16_k8_chain", 32, 0 }, { "mma_f16_k8_rate", 256, 0 },
    { "mma_tf32_chain", 32, 0 }, { "mma_tf32_rate", 256, 0 },
    { "read_memory", 256, 0 }, { "read_l1", 256, 0 }, { "read_shared", 256, 0 },
    { "write_memory", 256, 0 }, { "copy_memory", 256, 0 }, { "spin", 256, 0 },
    { "rest", 256, 0 },
};

const struct gpu_simple_kernel *gpu_simple_kernels(size_t *count)
{
    *count = COUNT(kernels);
    return kernels;
}

const struct gpu_simple_kernel *gpu_simple_kernel(const char *name)
{
    for (size_t i = 0; i < COUNT(kernels); i++)
        if (!strcmp(kernels[i].name, name))
            return &kernels[i];
    return NULL;
}
