/* gpu_prices.h - what each event of a GPU costs: section `energy` of its machine file.
 *
 * A price for each line of models/gpu/events.h, those of HBM, and what passes with time.
 * All prices of a file are at one level, so that nothing is counted twice: `device` is the
 * circuit alone, `package` adds what the chip's package loses, `board` its regulators too.
 *
 * They hold at 1 V of the chip's curve (power.voltages): its own prices and static powers go
 * with the square of the voltage; those of HBM and `constant_w` stay, for they have supplies
 * of their own.
 *
 * Where data matter (`zero` and `random`) models/energy/data.h says how.
 *
 * Not modelled: dependence on temperature; on data of anything else (registers, shared memory,
 * caches, crossbar, integers).
 */
#ifndef MODELS_ENERGY_GPU_PRICES_H
#define MODELS_ENERGY_GPU_PRICES_H

#include "models/gpu/events.h"
#include "models/param.h"

#define GPU_ENERGY_LEVEL(X) \
    X(CHOICE, level, "device|package|board", 0, "what the prices include")

/* The prices of events are lines of events.h; these are the others. */
#define GPU_ENERGY_PARAMS(X) \
    X(REAL, tensor_zero_pj,   0, 1e6, "tensor_pj on operands that never change, with --values") \
    X(REAL, tensor_random_pj, 0, 1e6, "the same, of whose bits half change") \
    X(REAL, fp32_zero_pj,     0, 1e6, "fp32_pj on operands that never change, with --values") \
    X(REAL, fp32_random_pj,   0, 1e6, "the same, of whose bits half change") \
    X(REAL, hbm_activate_pj, 0, 1e6, "a row opened and closed") \
    X(REAL, hbm_read_pj,     0, 1e6, "a bit read from HBM, its controller and pins included") \
    X(REAL, hbm_write_pj,    0, 1e6, "a bit written to HBM, the same") \
    X(REAL, hbm_read_zero_pj,    0, 1e6, "a bit read where the bus never changes, with --values") \
    X(REAL, hbm_read_random_pj,  0, 1e6, "where half of its bits do") \
    X(REAL, hbm_write_zero_pj,   0, 1e6, "a bit written where the bus never changes, with --values") \
    X(REAL, hbm_write_random_pj, 0, 1e6, "where half of its bits do") \
    X(REAL, hbm_refresh_pj,  0, 1e9, "a refresh of all banks of a pseudo-channel") \
    X(REAL, hbm_closed_w,    0, 1e3, "a pseudo-channel with all its rows closed") \
    X(REAL, hbm_open_w,      0, 1e3, "a pseudo-channel with rows open") \
    X(REAL, idle_sm_w,       0, 1e3, "an SM, whatever it does") \
    X(REAL, sm_static_w,     0, 1e3, "more of an SM while it has a block") \
    X(REAL, l2_static_w,     0, 1e3, "L2 and crossbar, whatever they do") \
    X(REAL, l2_awake_w,      0, 1e3, "more of them while a launch is under way") \
    X(REAL, constant_w,      0, 1e4, "the rest of the chip or board, whatever it does")

#define GPU_ENERGY_FIELD(id, price, unit, what) double price;

struct gpu_energy_config {
    GPU_ENERGY_LEVEL(PARAM_FIELD)
    GPU_EVENTS(GPU_ENERGY_FIELD)
    GPU_ENERGY_PARAMS(PARAM_FIELD)
};

#endif
