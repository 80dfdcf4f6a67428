/* cmd_plot.h - `simaccel plot`. */
#ifndef SIM_CMD_PLOT_H
#define SIM_CMD_PLOT_H

int cmd_plot(int argc, char **argv);

#endif
