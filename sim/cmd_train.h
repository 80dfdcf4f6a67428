/* cmd_train.h - `simaccel train`: a network learns on simulated machines. */
#ifndef SIM_CMD_TRAIN_H
#define SIM_CMD_TRAIN_H

int cmd_train(int argc, char **argv);

#endif
