/* cmd_validate.h - `simaccel validate`: beside measured chips. */
#ifndef SIM_CMD_VALIDATE_H
#define SIM_CMD_VALIDATE_H

int cmd_validate(int argc, char **argv);

#endif
