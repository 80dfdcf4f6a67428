/* cmd_run.h - `simaccel run`, `gemm`, `disasm` and `kernel`: a trace or a kernel on a machine. */
#ifndef SIM_CMD_RUN_H
#define SIM_CMD_RUN_H

int cmd_run(int argc, char **argv);         /* runs a trace or network */
int cmd_gemm(int argc, char **argv);        /* runs one matrix product, or a list of them */
int cmd_disasm(int argc, char **argv);      /* prints the program of a trace */
int cmd_kernel(int argc, char **argv);      /* runs a user's kernel on a GPU */

#endif
