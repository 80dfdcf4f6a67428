/* cmd_sweep.h - `simaccel sweep`: one network or trace at many points. */
#ifndef SIM_CMD_SWEEP_H
#define SIM_CMD_SWEEP_H

int cmd_sweep(int argc, char **argv);

#endif
