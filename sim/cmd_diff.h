/* cmd_diff.h - `simaccel diff`: what changed between two results. */
#ifndef SIM_CMD_DIFF_H
#define SIM_CMD_DIFF_H

int cmd_diff(int argc, char **argv);

#endif
