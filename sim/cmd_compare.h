/* cmd_compare.h - `simaccel compare`: a trace on several machines, side by side. */
#ifndef SIM_CMD_COMPARE_H
#define SIM_CMD_COMPARE_H

int cmd_compare(int argc, char **argv);

#endif
