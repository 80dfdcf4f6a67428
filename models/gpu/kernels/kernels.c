/* kernels.c - the catalogue of kernels, as kernels.h describes it.  The shapes of tiles stand
 * here as they stand at the end of gemm70.cu, gemm80.cu and sgemm.cu (a test compares). */
#include "models/gpu/kernels/kernels.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* A block's warps turn their sums round in slices (epilogue.cuh), where the tiles were. */
#define SLICES(warps, rows, columns) ((warps) * (rows) * ((columns) + 8) * 4)

#define NAME(prefix, form, M, N, K, A) prefix #form "_" #M "x" #N "x" #K "_a" #A
#define WARPS(M, N, WM, WN) ((M) / (WM) * ((N) / (WN)))

/* gemm80.cu: rows as they are, swizzled; STAGES of them. */
#define SHARED_80(M, N, K, WM, WN, STAGES) \
    MAX((STAGES) * ((M) + (N)) * (K) * 2, SLICES(WARPS(M, N, WM, WN), 32, WN))
#define ROW_80(type, element, form, ta, tb, M, N, K, WM, WN, STAGES, A) \
    { NAME("gemm_" #type "_", form, M, N, K, A), element, ta, tb, M, N, K, \
      WARPS(M, N, WM, WN) * 32, SHARED_80(M, N, K, WM, WN, STAGES), STAGES, A, 0 },

/* gemm70.cu: rows of halves with 8 more along k, 16 across it; two stages. */
#define HALVES_70(by_k, OUTER, K) ((by_k) ? (OUTER) * ((K) + 8) : (K) * ((OUTER) + 16))
#define SHARED_70(ta, tb, M, N, K, WM, WN) \
    MAX(2 * 2 * (HALVES_70(!(ta), M, K) + HALVES_70(tb, N, K)), \
        SLICES(WARPS(M, N, WM, WN), 32, WN))
#define ROW_70(type, element, form, ta, tb, M, N, K, WM, WN, A) \
    { NAME("gemm_" #type "_", form, M, N, K, A), element, ta, tb, M, N, K, \
      WARPS(M, N, WM, WN) * 32, SHARED_70(ta, tb, M, N, K, WM, WN), 2, A, 0 },

/* sgemm.cu: rows of numbers with 4 more; two stages.  A warp has DOWN * 16 x ACROSS * 32. */
#define WARPS_S(M, N, DOWN, ACROSS, GROUPS) (WARPS(M, N, (DOWN) * 16, (ACROSS) * 32) * (GROUPS))
#define SHARED_S(M, N, K, DOWN, ACROSS, GROUPS) \
    MAX(2 * 4 * (K) * ((M) + 4 + (N) + 4), \
        SLICES(WARPS_S(M, N, DOWN, ACROSS, GROUPS), 16, (ACROSS) * 32))
#define ROW_S(form, ta, tb, M, N, K, DOWN, ACROSS, GROUPS, SPEED) \
    { NAME("sgemm_", form, M, N, K, 1), GPU_ELEMENT_F32, ta, tb, M, N, K, \
      WARPS_S(M, N, DOWN, ACROSS, GROUPS) * 32, SHARED_S(M, N, K, DOWN, ACROSS, GROUPS), 2, 1, \
      SPEED },

#define FORMS(ROW, type, element, ...) \
    ROW(type, element, nn, false, false, __VA_ARGS__) \
    ROW(type, element, nt, false, true,  __VA_ARGS__) \
    ROW(type, element, tn, true,  false, __VA_ARGS__)
#define ALL_FORMS(ROW, type, element, ...) \
    FORMS(ROW, type, element, __VA_ARGS__) \
    ROW(type, element, tt, true, true, __VA_ARGS__)

#define FORMS_S(...) \
    ROW_S(nn, false, false, __VA_ARGS__) \
    ROW_S(nt, false, true,  __VA_ARGS__) \
    ROW_S(tn, true,  false, __VA_ARGS__)
#define ALL_FORMS_S(...) FORMS_S(__VA_ARGS__) ROW_S(tt, true, true, __VA_ARGS__)

/*                                  block           warp  stages, align */
#define TENSOR_80(type, element) \
    FORMS    (ROW_80, type, element, 256, 128, 32,  64, 64, 5, 8) \
    FORMS    (ROW_80, type, element, 128, 128, 32,  64, 64, 5, 8) \
    FORMS    (ROW_80, type, element, 128,  64, 64,  64, 32, 3, 8) \
    FORMS    (ROW_80, type, element,  64, 128, 64,  32, 64, 3, 8) \
    ALL_FORMS(ROW_80, type, element,  64,  64, 64,  32, 32, 3, 8) \
    FORMS    (ROW_80, type, element,  32, 128, 64,  32, 32, 3, 8) \
    ALL_FORMS(ROW_80, type, element,  64,  64, 32,  32, 32, 2, 1)

/*                                  block           warp  align */
#define TENSOR_70(type, element) \
    FORMS    (ROW_70, type, element, 256, 128, 32,  64, 64, 8) \
    FORMS    (ROW_70, type, element, 128, 128, 32,  64, 64, 8) \
    FORMS    (ROW_70, type, element, 128,  64, 32,  64, 32, 8) \
    FORMS    (ROW_70, type, element,  64, 128, 32,  32, 64, 8) \
    ALL_FORMS(ROW_70, type, element,  64,  64, 32,  32, 32, 8) \
    FORMS    (ROW_70, type, element,  32, 128, 32,  32, 32, 8) \
    FORMS    (ROW_70, type, element, 128, 128, 32,  64, 64, 4) \
    ALL_FORMS(ROW_70, type, element,  64,  64, 32,  32, 32, 1)

/*                block     blocks of a lane, groups, speed */
#define SINGLE \
    FORMS_S    (128, 128,  8,  2, 2, 1, 95) \
    FORMS_S    ( 64, 128,  8,  2, 2, 1, 90) \
    FORMS_S    (128,  32,  8,  1, 1, 1, 84) \
    FORMS_S    ( 32, 128,  8,  1, 1, 1, 84) \
    FORMS_S    ( 32, 128, 16,  2, 2, 4, 80) \
    FORMS_S    ( 32,  64, 32,  2, 1, 4, 76) \
    ALL_FORMS_S( 32,  32, 32,  2, 1, 4, 62)

static const struct gpu_gemm_kernel sm_70[] = { TENSOR_70(f16, GPU_ELEMENT_F16) SINGLE };
static const struct gpu_gemm_kernel sm_80[] = {
    TENSOR_80(f16, GPU_ELEMENT_F16) TENSOR_80(bf16, GPU_ELEMENT_BF16) SINGLE
};

const struct gpu_gemm_kernel *gpu_gemm_kernels(enum gpu_generation g, size_t *count)
{
    *count = g >= GPU_SM_80 ? COUNT(sm_80) : COUNT(sm_70);
    return g >= GPU_SM_80 ? sm_80 : sm_70;
}
