/* cuda.h - CUDA C to PTX, through a clang that is found when it is needed.
 *
 * The user's file is compiled for the device alone, behind sim/cuda_user.cuh, which is built
 * into the program; no vendor's SDK is asked for.
 *
 * Not done: several files, -D and -I of the user, the host's side.
 */
#ifndef SIM_CUDA_H
#define SIM_CUDA_H

#include "models/gpu/config.h"
#include "traces/diag.h"

/* The PTX of a .cu for a generation; the caller frees it.  NULL: `d` has clang's first error,
 * or that there is no clang. */
char *cuda_compile(const char *path, enum gpu_generation generation, struct diag *d);

#endif
