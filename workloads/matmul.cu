/* matmul.cu - c = a b in f32, for docs/article.md: what tiers of memory are worth.
 *
 *     matmul          each thread reads its row of a and column of b from global memory
 *     matmul_shared   a block's tiles of 32 x 32 pass through shared memory
 *     matmul_columns  as the first, but threads of a warp take neighbouring rows: not coalesced
 *
 * n is a multiple of 32; blocks of 32 x 32 threads, grid n/32 x n/32.
 */
#define TILE 32

extern "C" __global__ void matmul(float *c, const float *a, const float *b, unsigned n)
{
    unsigned column = blockIdx.x * TILE + threadIdx.x, row = blockIdx.y * TILE + threadIdx.y;
    float sum = 0;
    for (unsigned k = 0; k < n; k++)
        sum += a[row * n + k] * b[k * n + column];
    c[row * n + column] = sum;
}

extern "C" __global__ void matmul_columns(float *c, const float *a, const float *b, unsigned n)
{
    unsigned row = blockIdx.x * TILE + threadIdx.x, column = blockIdx.y * TILE + threadIdx.y;
    float sum = 0;
    for (unsigned k = 0; k < n; k++)
        sum += a[row * n + k] * b[k * n + column];
    c[row * n + column] = sum;
}

extern "C" __global__ void matmul_shared(float *c, const float *a, const float *b, unsigned n)
{
    __shared__ float of_a[TILE][TILE], of_b[TILE][TILE];
    unsigned x = threadIdx.x, y = threadIdx.y;
    unsigned column = blockIdx.x * TILE + x, row = blockIdx.y * TILE + y;
    float sum = 0;
    for (unsigned k = 0; k < n; k += TILE) {
        of_a[y][x] = a[row * n + k + x];
        of_b[y][x] = b[(k + y) * n + column];
        __syncthreads();
        for (unsigned i = 0; i < TILE; i++)
            sum += of_a[y][i] * of_b[i][x];
        __syncthreads();
    }
    c[row * n + column] = sum;
}
