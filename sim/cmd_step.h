/* cmd_step.h - `simaccel step`: a machine looked at cycle by cycle. */
#ifndef SIM_CMD_STEP_H
#define SIM_CMD_STEP_H

int cmd_step(int argc, char **argv);

#endif
