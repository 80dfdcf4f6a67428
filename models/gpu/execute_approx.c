/* execute_approx.c - ex2, lg2, sin, cos, tanh: PTX only bounds their errors.
 *
 * Each is computed in double (traces/functions.h) and rounded once, so it is within
 * half a place and a little of the true value: nearer than any chip's.
 */
#include "models/gpu/execute_inside.h"

#include "models/numerics/half.h"
#include "traces/functions.h"

#define F(x) f32_from_bits(x)

#define OF_F32(name, f)                                                             \
    GPU_INLINE uint32_t name##_of(uint32_t a) { return gpu_f32((float)f((double)F(a))); } \
    GPU_OP1(name##_f32, 32, 32, name##_of(a))                                       \
    GPU_OP1(name##_f32_ftz, 32, 32, gpu_flush(name##_of(gpu_flush(a))))
OF_F32(ex2, functions_exp2)
OF_F32(lg2, functions_log2)
OF_F32(sin, functions_sin)
OF_F32(cos, functions_cos)
GPU_OP1(tanh_f32, 32, 32, gpu_f32((float)functions_tanh((double)F(a))))

#define F16_OF(f, x)                                                                \
    half_from_f32(half_cut(f((double)half_to_f32((x) & 0xffff))), GPU_F16_NAN)
#define BF16_OF(f, x) half_bf16_from_f32(half_cut(f((double)half_bf16_to_f32(x))), GPU_F16_NAN)
#define OF_HALVES(name, f)                                                          \
    GPU_OP1(name##_f16, 32, 32, F16_OF(f, a))                                       \
    GPU_OP1(name##_f16x2, 32, 32, F16_OF(f, a) | F16_OF(f, a >> 16) << 16)          \
    GPU_OP1(name##_bf16, 32, 32, BF16_OF(f, a))                                     \
    GPU_OP1(name##_bf16x2, 32, 32, BF16_OF(f, a) | BF16_OF(f, a >> 16) << 16)
OF_HALVES(ex2, functions_exp2)
OF_HALVES(tanh, functions_tanh)

#define F32 GPU_T(F32)
#define AP  GPU_M(APPROX)
#define FZ  GPU_M(FTZ)
#define HALVES(op, name)                                                            \
    { op, GPU_T(F16), AP, FZ, name##_f16 }, { op, GPU_T(F16X2), AP, FZ, name##_f16x2 }, \
    { op, GPU_T(BF16), AP, FZ, name##_bf16 }, { op, GPU_T(BF16X2), AP, FZ, name##_bf16x2 }

static const struct gpu_form forms[] = {
    { PTX_EX2, F32, AP, 0, ex2_f32 }, { PTX_EX2, F32, AP | FZ, 0, ex2_f32_ftz },
    { PTX_LG2, F32, AP, 0, lg2_f32 }, { PTX_LG2, F32, AP | FZ, 0, lg2_f32_ftz },
    { PTX_SIN, F32, AP, 0, sin_f32 }, { PTX_SIN, F32, AP | FZ, 0, sin_f32_ftz },
    { PTX_COS, F32, AP, 0, cos_f32 }, { PTX_COS, F32, AP | FZ, 0, cos_f32_ftz },
    { PTX_TANH, F32, AP, 0, tanh_f32 },
    HALVES(PTX_EX2, ex2), HALVES(PTX_TANH, tanh),
};

bool gpu_execute_approx(const struct ptx_instruction *i, struct gpu_op *op)
{
    op->execute = gpu_form_find(forms, sizeof forms / sizeof *forms, i);
    return op->execute != NULL;
}
