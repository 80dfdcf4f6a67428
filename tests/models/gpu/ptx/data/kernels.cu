/* Kernels that use much of what a compiler emits.  The .ptx files beside it were made with
 *
 *     clang-19 -x cuda --cuda-device-only -nocudainc -nocudalib --cuda-gpu-arch=sm_XX -OX -S
 */
#define KERNEL extern "C" __attribute__((global)) void
#define DEVICE __attribute__((device, noinline))
#define SHARED __attribute__((shared))
#define THREAD __nvvm_read_ptx_sreg_tid_x()

struct pair { float value[3]; int count; };

__attribute__((constant)) float table[4] = { 1, 2, 3, 4.5f };
__attribute__((device)) int counter;
__attribute__((device)) int *pointers[2] = { &counter, &counter };

DEVICE float power(float a, int n)
{
    float s = 1;
    for (int i = 0; i < n; i++)
        s *= a;
    return s;
}

DEVICE struct pair next(struct pair p, int k)
{
    p.value[k] += 1;
    p.count = k;
    return p;
}

KERNEL saxpy(float *y, const float *x, float a, int n)
{
    int i = __nvvm_read_ptx_sreg_ctaid_x() * __nvvm_read_ptx_sreg_ntid_x() + THREAD;
    if (i < n)
        y[i] = a * x[i] + y[i];
}

KERNEL sums(float *p, int n, struct pair q, double d, unsigned char u, short s)
{
    SHARED float tile[256];
    float local[16];
    for (int i = 0; i < 16; i++)
        local[i] = p[i * n];
    tile[THREAD] = local[n & 15];
    __nvvm_bar_sync(0);
    p[0] = power(tile[THREAD ^ 1], n) + table[n & 3];
    p[1] = next(q, n).value[2] + (float)d + u + s;
    p[2] = __nvvm_ex2_approx_f(p[3]) / p[4] + __builtin_sqrtf(p[5]);
    p[6] = __nvvm_shfl_sync_bfly_f32(0xffffffff, p[7], 1, 31);
    *pointers[n & 1] = __nvvm_vote_ballot_sync(0xffffffff, p[8] > 3);
    __nvvm_atom_add_gen_i(&counter, 1);
}

KERNEL whole(int *p, long long *q, short *h, int n)
{
    switch (n) {
    case 0: p[0] = 1; break;
    case 1: p[1] = 5; break;
    case 5: p[2] = 7; break;
    default: p[3] = 9; break;
    }
    p[4] = __builtin_popcount(p[5]) + __builtin_clz(p[6]) + p[7] / n + p[8] % n;
    p[9] = ((unsigned)p[10] << 7 | (unsigned)p[10] >> 25) + __builtin_bswap32(p[11]);
    q[0] = q[1] * q[2] + q[3] / n;
    h[0] = h[1] * h[2] >> 3;
}

KERNEL halves(_Float16 *a, const _Float16 *b, int n)
{
    a[THREAD] = a[n] * b[n] + b[THREAD];
    if (a[n] > b[n])
        a[0] = (float)b[0] + n;
}

KERNEL tensor(int *a, int *b, float *c, int n)
{
    int fa[8], fb[8];
    float fc[8];
    __hmma_m16n16k16_ld_a(fa, a, n, 0);
    __hmma_m16n16k16_ld_b(fb, b, n, 1);
    __hmma_m16n16k16_ld_c_f32(fc, c, n, 0);
    __hmma_m16n16k16_mma_f32f32(fc, fa, fb, fc, 1, 0);
    __hmma_m16n16k16_st_c_f32(c, fc, n, 0);
}

#if __CUDA_ARCH__ >= 800
KERNEL pipeline(unsigned *p, float *f, unsigned long long from)
{
    SHARED unsigned tile[512];
    unsigned at = (unsigned)(unsigned long long)(__attribute__((address_space(3))) unsigned *)tile;
    unsigned a, b, c, d;
    float x = f[0], y = f[1], z = f[2], w = f[3];
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16;" :: "r"(at), "l"(from));
    asm volatile("cp.async.commit_group;\n\tcp.async.wait_group %0;" :: "n"(0) : "memory");
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(a), "=r"(b), "=r"(c), "=r"(d) : "r"(at));
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, "
                 "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(x), "+f"(y), "+f"(z), "+f"(w)
                 : "r"(a), "r"(b), "r"(c), "r"(d), "r"(a), "r"(b));
    asm volatile("{ .reg .pred p; .reg .b32 t<2>;\n\t"
                 "  setp.ne.u32 p, %1, 0; mov.u32 t1, 3;\n\t"
                 "  AGAIN: @p add.u32 t1, t1, 1; @p bra DONE; bra.uni AGAIN; DONE:\n\t"
                 "  cvt.rn.bf16x2.f32 %0, %2, %3; }" : "=r"(a) : "r"(b), "f"(x), "f"(y));
    asm volatile("{ .reg .pred p; AGAIN: setp.ne.u32 p, %1, 0; @p bra AGAIN; mov.b32 %0, %1; }"
                 : "=r"(c) : "r"(d));
    p[0] = a + c;
    f[0] = x + y + z + w;
}
#endif
