/* emit.h - what the parts of the last pass share; private to them. */
#ifndef MODELS_GPU_COMPILE_EMIT_H
#define MODELS_GPU_COMPILE_EMIT_H

#include "models/gpu/compile/code.h"
#include "models/gpu/events.h"

void emit_params(const struct code *c, struct gpu_kernel *k);
void emit_variables(const struct code *c, struct gpu_kernel *k);   /* .const and .global */

#endif
