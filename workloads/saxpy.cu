/* saxpy.cu - y = a x + y, for docs/gpu.md: the same sums, asked of memory in two ways.
 *
 *     saxpy           neighbours in a warp take neighbours in memory: 4 sectors a warp
 *     saxpy_strided   they are 8 floats apart: 32 sectors a warp, an eighth of each wanted
 *     saxpy_loop      as saxpy, by as many blocks as there are: each takes every so-manieth part
 */
extern "C" __global__ void saxpy(float a, const float *x, float *y, unsigned n)
{
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        y[i] = a * x[i] + y[i];
}

/* n is a multiple of 8; the same n elements in another order. */
extern "C" __global__ void saxpy_strided(float a, const float *x, float *y, unsigned n)
{
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    unsigned j = i % (n / 8) * 8 + i / (n / 8);
    if (i < n)
        y[j] = a * x[j] + y[j];
}

extern "C" __global__ void saxpy_loop(float a, const float *x, float *y, unsigned n)
{
    for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        y[i] = a * x[i] + y[i];
}
