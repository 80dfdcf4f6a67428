/* ptx_lines.h - the text of a kernel's PTX, line by line, for who shows where a warp is. */
#ifndef SIM_PTX_LINES_H
#define SIM_PTX_LINES_H

#include "models/gpu/kernel.h"
#include "traces/diag.h"

struct ptx_lines;

/* Of one of our own kernels (path NULL), or of a user's file, PTX or CUDA C.  NULL with the reason
 * in `d`. */
struct ptx_lines *ptx_lines_new(const struct gpu_kernel *k, const char *path, struct diag *d);
void              ptx_lines_free(struct ptx_lines *p);

/* Line `number`, from 1, without blanks at its ends and with one at most within; "": none. */
const char *ptx_line(const struct ptx_lines *p, uint32_t number);

#endif
