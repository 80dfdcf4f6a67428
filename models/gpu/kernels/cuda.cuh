/* cuda.cuh - as much of CUDA as these kernels need, for a clang without a vendor's SDK.
 *
 * Shared memory is addressed with 32-bit numbers, as the hardware does it: what goes through
 * inline assembly (copies past the registers, matrix loads) takes no other.
 */
#ifndef MODELS_GPU_KERNELS_CUDA_CUH
#define MODELS_GPU_KERNELS_CUDA_CUH

#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define INLINE static __device__ inline __attribute__((always_inline))
#define METHOD __device__ inline __attribute__((always_inline))
#define KERNEL extern "C" __global__ void

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long long u64;
typedef long long s64;

/* 4, 8 and 16 bytes that move at once. */
typedef u32 u32x2 __attribute__((ext_vector_type(2)));
typedef u32 u32x4 __attribute__((ext_vector_type(4)));
typedef float f32x2 __attribute__((ext_vector_type(2)));
typedef float f32x4 __attribute__((ext_vector_type(4)));

#define THREAD_X ((u32)__nvvm_read_ptx_sreg_tid_x())
#define THREAD_Y ((u32)__nvvm_read_ptx_sreg_tid_y())
#define THREADS_X ((u32)__nvvm_read_ptx_sreg_ntid_x())
#define BLOCK_X ((u32)__nvvm_read_ptx_sreg_ctaid_x())
#define BLOCK_Y ((u32)__nvvm_read_ptx_sreg_ctaid_y())
#define BLOCK_Z ((u32)__nvvm_read_ptx_sreg_ctaid_z())
#define BLOCKS_X ((u32)__nvvm_read_ptx_sreg_nctaid_x())
#define BLOCKS_Y ((u32)__nvvm_read_ptx_sreg_nctaid_y())

/* The same number as THREAD_X or BLOCK_X, read again here: what is worked out from it after a
 * long loop need not be kept in registers through the loop. */
#define READ_AGAIN(register) \
    ({ u32 again; asm volatile("mov.u32 %0, %%" register ";" : "=r"(again)); again; })

INLINE void sync_block() { __nvvm_bar_sync(0); }
INLINE void sync_warp() { __nvvm_bar_warp_sync(0xffffffffu); }

INLINE u32 min_u32(u32 a, u32 b) { return a < b ? a : b; }
INLINE u32 max_u32(u32 a, u32 b) { return a > b ? a : b; }
INLINE s32 min_s32(s32 a, s32 b) { return a < b ? a : b; }
INLINE s32 max_s32(s32 a, s32 b) { return a > b ? a : b; }

INLINE float as_float(u32 bits) { return __builtin_bit_cast(float, bits); }
INLINE u32   as_bits(float x) { return __builtin_bit_cast(u32, x); }

/* The dynamic shared memory of a block. */
extern __shared__ __attribute__((aligned(16))) u8 shared_bytes[];

INLINE u32 shared_base() { return (u32)(u64)(__attribute__((address_space(3))) u8 *)shared_bytes; }

#endif
