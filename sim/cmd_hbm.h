/* cmd_hbm.h - `simaccel hbm`: feed a machine's memory, alone, with a known stream. */
#ifndef SIM_CMD_HBM_H
#define SIM_CMD_HBM_H

int cmd_hbm(int argc, char **argv);

#endif
