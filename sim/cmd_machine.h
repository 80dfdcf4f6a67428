/* cmd_machine.h - `simaccel machine`: which machines there are, and all of one. */
#ifndef SIM_CMD_MACHINE_H
#define SIM_CMD_MACHINE_H

int cmd_machine(int argc, char **argv);

#endif
