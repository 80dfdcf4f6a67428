/* cmd_explain.h - `simaccel explain`: one op of a result by hand. */
#ifndef SIM_CMD_EXPLAIN_H
#define SIM_CMD_EXPLAIN_H

int cmd_explain(int argc, char **argv);

#endif
