/* prices.h - what each event costs: section `energy` of a TPU's machine file.
 *
 * Energy is count times price, plus static power times time.  All prices of a file are at
 * one level, so that nothing is counted twice: `device` is the circuit alone, `package`
 * adds what the chip's package loses, `board` its regulators too.
 *
 * Where data matter (`zero` and `random`) models/energy/data.h says how.
 *
 * Not modelled: dependence on temperature, on voltage; on data of anything else (vector unit,
 * vector memory, wires).
 */
#ifndef MODELS_ENERGY_PRICES_H
#define MODELS_ENERGY_PRICES_H

#include "models/param.h"

#define ENERGY_PARAMS(X) \
    X(CHOICE, level, "device|package|board", 0, "what the prices include") \
    X(REAL, mac_pj,          0, 1e6, "a multiply-accumulate of a matrix unit") \
    X(REAL, mac_zero_pj,     0, 1e6, "mac_pj on operands that never change, with --values") \
    X(REAL, mac_random_pj,   0, 1e6, "the same, of whose bits half change") \
    X(REAL, mac_pad_pj,      0, 1e6, "the same on padding") \
    X(REAL, weight_pj,       0, 1e6, "a weight pushed into a matrix unit") \
    X(REAL, vpu_pj,          0, 1e6, "an operation of one lane of the vector unit") \
    X(REAL, eup_pj,          0, 1e6, "an operation of one lane of the transcendental unit") \
    X(REAL, xlu_pj,          0, 1e6, "a byte through the transpose units") \
    X(REAL, vmem_read_pj,    0, 1e6, "a byte read from vector memory") \
    X(REAL, vmem_write_pj,   0, 1e6, "a byte written to vector memory") \
    X(REAL, dma_pj,          0, 1e6, "a byte carried between vector memory and HBM's pins") \
    X(REAL, ici_pj,          0, 1e6, "a byte sent to another core") \
    X(REAL, hbm_activate_pj, 0, 1e6, "a row opened and closed") \
    X(REAL, hbm_read_pj,     0, 1e6, "a bit read from HBM") \
    X(REAL, hbm_write_pj,    0, 1e6, "a bit written to HBM") \
    X(REAL, hbm_read_zero_pj,    0, 1e6, "a bit read where the bus never changes, with --values") \
    X(REAL, hbm_read_random_pj,  0, 1e6, "where half of its bits do") \
    X(REAL, hbm_write_zero_pj,   0, 1e6, "a bit written where the bus never changes, with --values") \
    X(REAL, hbm_write_random_pj, 0, 1e6, "where half of its bits do") \
    X(REAL, hbm_refresh_pj,  0, 1e9, "a refresh of all banks of a pseudo-channel") \
    X(REAL, hbm_closed_w,    0, 1e3, "a pseudo-channel with all its rows closed") \
    X(REAL, hbm_open_w,      0, 1e3, "a pseudo-channel with rows open") \
    X(REAL, mxu_static_w,    0, 1e4, "a matrix unit, whatever it does") \
    X(REAL, vpu_static_w,    0, 1e4, "a core's vector unit, whatever it does") \
    X(REAL, chip_static_w,   0, 1e4, "the rest of the chip, whatever it does") \
    X(REAL, idle_extra_w,    0, 1e4, "more at rest than the parts explain: 0 leaves it out")

struct energy_config { ENERGY_PARAMS(PARAM_FIELD) };

#endif
