/* hbm_timing.c - a data sheet's nanoseconds as clocks between commands. */
#include "models/hbm/hbm.h"
#include "models/hbm/hbm_rules.h"

static uint32_t later(uint32_t a, uint32_t b) { return a > b ? a : b; }

struct hbm_timing hbm_timing(const struct hbm_config *config, const struct clock *clock)
{
#define CLOCKS(name) later(1, (uint32_t)clock_cycles_ns(clock, config->name##_ns))
    struct hbm_timing t = {
        .burst  = later(1, (config->burst_length + config->clock_bits - 1) / config->clock_bits),
        .cl     = CLOCKS(cl),     .cwl    = CLOCKS(cwl),
        .rcd_rd = CLOCKS(rcd_rd), .rcd_wr = CLOCKS(rcd_wr),
        .ras    = CLOCKS(ras),    .rc     = CLOCKS(rc),    .rp = CLOCKS(rp),
        .rtp    = CLOCKS(rtp),
        .rrd_s  = CLOCKS(rrd_s),  .rrd_l  = CLOCKS(rrd_l), .faw = CLOCKS(faw),
        .rfc    = CLOCKS(rfc),    .refi   = CLOCKS(refi),
        .act_bus = config->act_cycles, .pre_bus = config->pre_cycles,
        .front  = (uint32_t)clock_cycles_ns(clock, config->front_ns),
    };
    /* Whatever the data sheet says, two bursts cannot be on the pins at once. */
    t.ccd_s   = later(CLOCKS(ccd_s), t.burst);
    t.ccd_l   = later(CLOCKS(ccd_l), t.ccd_s);
    t.wr_pre  = t.cwl + t.burst + CLOCKS(wr);
    t.wr_rd_s = t.cwl + t.burst + CLOCKS(wtr_s);
    t.wr_rd_l = t.cwl + t.burst + CLOCKS(wtr_l);
    uint32_t read_data_ends = t.cl + t.burst + (uint32_t)clock_cycles_ns(clock, config->turn_ns);
    t.rd_wr   = later(t.burst, read_data_ends > t.cwl ? read_data_ends - t.cwl : 0);
#undef CLOCKS
    return t;
}

double hbm_peak_bytes_per_s(const struct hbm_config *c)
{
    struct clock clock = { .hz = hbm_clock_hz(c) };
    struct hbm_timing t = hbm_timing(c, &clock);
    uint32_t bits = (c->bank_groups > 1 ? t.ccd_s : t.ccd_l) * c->clock_bits;
    double pins = (double)c->channels * c->channel_bits * c->pin_gbps * 1e9 / 8;
    return bits > c->burst_length ? pins * c->burst_length / bits : pins;
}
