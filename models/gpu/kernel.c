/* kernel.c - see kernel.h. */
#include "models/gpu/kernel.h"

#include <stdlib.h>

void gpu_kernel_free(struct gpu_kernel *k)
{
    if (!k)
        return;
    free(k->ops);
    free(k->operands);
    free(k->constants);
    free(k->params);
    free(k->const_bytes);
    free(k->global_bytes);
    free(k);
}
