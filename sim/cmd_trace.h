/* cmd_trace.h - `simaccel trace FILE`: a trace or a network in figures, or written out. */
#ifndef SIM_CMD_TRACE_H
#define SIM_CMD_TRACE_H

/* argv[0] is "trace".  Returns the exit status: 0 done, 1 failed, 2 wrong input or use. */
int cmd_trace(int argc, char **argv);

#endif
