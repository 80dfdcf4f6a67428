/* transpose.cu - a tile of 32 x 32 through shared memory, for docs/gpu.md.
 *
 *     transpose          a column of the tile lies in one bank: 32 passes to read it
 *     transpose_padded   rows are 33 words long, so that a column meets all banks: one pass
 *
 * n is a multiple of 32; blocks of 32 x 8 threads, grid n/32 x n/32.
 */
template <int WIDTH>
static __device__ __forceinline__ void turn(float *y, const float *x, unsigned n,
                                            float (*tile)[WIDTH])
{
    unsigned column = blockIdx.x * 32 + threadIdx.x, row = blockIdx.y * 32 + threadIdx.y;
    for (unsigned k = 0; k < 32; k += 8)
        tile[threadIdx.y + k][threadIdx.x] = x[(row + k) * n + column];
    __syncthreads();
    column = blockIdx.y * 32 + threadIdx.x;
    row = blockIdx.x * 32 + threadIdx.y;
    for (unsigned k = 0; k < 32; k += 8)
        y[(row + k) * n + column] = tile[threadIdx.x][threadIdx.y + k];
}

extern "C" __global__ void transpose(float *y, const float *x, unsigned n)
{
    __shared__ float tile[32][32];
    turn<32>(y, x, n, tile);
}

extern "C" __global__ void transpose_padded(float *y, const float *x, unsigned n)
{
    __shared__ float tile[32][33];
    turn<33>(y, x, n, tile);
}
