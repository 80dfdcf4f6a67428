/* timed_memory.h - HBM2 of a V100's kind with all its times, for tests of a whole chip. */
#ifndef TESTS_MODELS_GPU_TIMED_MEMORY_H
#define TESTS_MODELS_GPU_TIMED_MEMORY_H

#include "models/hbm/hbm_params.h"

static inline struct hbm_config timed_memory(uint32_t stacks)
{
    return (struct hbm_config){
        .stacks = stacks, .capacity_gib = 4, .channels = 8, .channel_bits = 128,
        .pseudo_channels = 2, .bank_groups = 4, .banks = 4, .row_bytes = 1024,
        .burst_length = 4, .pin_gbps = 1.758, .clock_bits = 2,
        .map = "offset column:3 pseudo channel stack column group bank row; "
               "channel ^= row[0:2]; pseudo ^= row[3]; bank ^= row[4:5]; group ^= row[6:7]",
        .rcd_rd_ns = 14, .rcd_wr_ns = 12, .rp_ns = 14, .ras_ns = 34, .rc_ns = 48, .ccd_s_ns = 2,
        .ccd_l_ns = 2, .rrd_s_ns = 4, .rrd_l_ns = 4, .faw_ns = 15, .cl_ns = 14, .cwl_ns = 5,
        .wr_ns = 16, .rtp_ns = 5, .wtr_s_ns = 6, .wtr_l_ns = 8, .turn_ns = 2, .rfc_ns = 160,
        .refi_ns = 3900, .act_cycles = 2, .pre_cycles = 1, .read_queue = 128,
        .write_queue = 128, .write_high = 104, .write_low = 26, .hit_cap = 65535,
        .front_ns = 10, .runs = 1024,
    };
}

#endif
