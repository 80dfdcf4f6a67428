/* hbm_params.c - the parameter table as data. */
#include "models/hbm/hbm_params.h"

#define ENTRY(...) PARAM_ENTRY(hbm_config, __VA_ARGS__)
const struct param hbm_params[] = { HBM_PARAMS(ENTRY) };
const size_t       hbm_params_count = sizeof hbm_params / sizeof hbm_params[0];
