/* hbm_params.h - the figures of an HBM memory: section `hbm` of a machine file.
 *
 * A stack has channels; a channel has one controller and one or more pseudo-channels, each
 * with its own data pins; a pseudo-channel has bank groups of banks.
 *
 *     stack --+-- channel --+-- pseudo-channel --+-- bank group --+-- bank (one open row)
 *             +-- channel   +-- pseudo-channel   +-- bank group   +-- bank
 *
 * Times are in ns as a data sheet gives them; a model turns each into clocks once,
 * rounding up.  The clock is pin_gbps / clock_bits.  A burst moves burst_length bits on
 * each of channel_bits / pseudo_channels pins: 32 bytes in HBM2 (64 pins, 4 bits).
 *
 * Energy prices are not here: the model counts, models/energy/ concludes.
 */
#ifndef MODELS_HBM_PARAMS_H
#define MODELS_HBM_PARAMS_H

#include "models/param.h"

#define HBM_PARAMS(X) \
    /*      name            min     max  what                                          */ \
    X(COUNT,  stacks,          1,     16, "stacks of the chip")                            \
    X(REAL,   capacity_gib, 1e-3,   1024, "capacity of a stack")                           \
    X(COUNT,  channels,        1,     64, "channels in a stack")                           \
    X(COUNT,  channel_bits,    8,   1024, "data pins of a channel")                        \
    X(COUNT,  pseudo_channels, 1,      4, "pseudo-channels that share a channel's pins")   \
    X(COUNT,  bank_groups,     1,      8, "bank groups in a pseudo-channel")               \
    X(COUNT,  banks,           1,     16, "banks in a bank group")                         \
    X(COUNT,  row_bytes,      64,  16384, "bytes in an open row of a pseudo-channel")      \
    X(COUNT,  burst_length,    1,     32, "bits that a pin moves for a column command")    \
    X(REAL,   pin_gbps,     0.01,     64, "data rate of a pin")                            \
    X(COUNT,  clock_bits,      1,      8, "bits that a pin moves in a clock: HBM2 2, HBM3 4") \
    X(TEXT,   map,             "",     0, "address bits from low to high, then hashes")    \
    X(REAL,   rcd_rd_ns,       0,   1000, "ACT to RD, same bank (tRCDRD)")                 \
    X(REAL,   rcd_wr_ns,       0,   1000, "ACT to WR, same bank (tRCDWR)")                 \
    X(REAL,   rp_ns,           0,   1000, "PRE to ACT, same bank (tRP)")                   \
    X(REAL,   ras_ns,          0,   1000, "ACT to PRE, same bank (tRAS)")                  \
    X(REAL,   rc_ns,           0,   1000, "ACT to ACT, same bank (tRC)")                   \
    X(REAL,   ccd_s_ns,        0,    100, "RD to RD and WR to WR, other bank group (tCCD_S)") \
    X(REAL,   ccd_l_ns,        0,    100, "RD to RD and WR to WR, same bank group (tCCD_L)")  \
    X(REAL,   rrd_s_ns,        0,    100, "ACT to ACT, other bank group (tRRD_S)")         \
    X(REAL,   rrd_l_ns,        0,    100, "ACT to ACT, same bank group (tRRD_L)")          \
    X(REAL,   faw_ns,          0,   1000, "first to fifth ACT of a pseudo-channel (tFAW)") \
    X(REAL,   cl_ns,           0,    200, "RD to its first data (read latency)")           \
    X(REAL,   cwl_ns,          0,    200, "WR to its first data (write latency)")          \
    X(REAL,   wr_ns,           0,    200, "last written data to PRE (tWR)")                \
    X(REAL,   rtp_ns,          0,    200, "RD to PRE, same bank (tRTP)")                   \
    X(REAL,   wtr_s_ns,        0,    200, "last written data to RD, other bank group (tWTR_S)") \
    X(REAL,   wtr_l_ns,        0,    200, "last written data to RD, same bank group (tWTR_L)")  \
    X(REAL,   turn_ns,         0,    100, "pins idle between read and written data")       \
    X(CHOICE, refresh, "all_bank|none", 1, "how rows are refreshed")                       \
    X(REAL,   rfc_ns,          0,  10000, "REF to the next ACT (tRFC)")                    \
    X(REAL,   refi_ns,       100, 100000, "REF to REF, on average (tREFI)")                \
    X(COUNT,  act_cycles,      1,      8, "clocks that an ACT holds the row-command bus")  \
    X(COUNT,  pre_cycles,      1,      8, "clocks that a PRE holds the row-command bus")   \
    X(CHOICE, row_bus, "channel|pseudo_channel", 1, "who shares a row-command bus")        \
    X(CHOICE, page, "open|closed|access", 2, "a row closes: for another row; when no request waits for it; after each access") \
    X(COUNT,  read_queue,      1,    256, "read bursts that a channel's controller reorders")  \
    X(COUNT,  write_queue,     1,    256, "written bursts that a channel's controller holds")  \
    X(COUNT,  write_high,      1,    256, "waiting written bursts that start a batch")     \
    X(COUNT,  write_low,       0,    256, "waiting written bursts that end it")            \
    X(COUNT,  bank_queue,      0,    256, "bursts in a bank's own queue behind these; 0: there is none") \
    X(COUNT,  hit_cap,         0,  65535, "accesses after which an older request may close a row that others hit; 65535: never") \
    X(REAL,   front_ns,        0,   1000, "from a request's arrival until the controller can act on it") \
    X(COUNT,  runs,            1,   4096, "runs that a stack holds, waiting or under way")

struct hbm_config { HBM_PARAMS(PARAM_FIELD) };

enum hbm_refresh { HBM_REFRESH_ALL_BANK, HBM_REFRESH_NONE };
enum hbm_row_bus { HBM_ROW_BUS_CHANNEL, HBM_ROW_BUS_PSEUDO_CHANNEL };
enum hbm_page    { HBM_PAGE_OPEN, HBM_PAGE_CLOSED, HBM_PAGE_ACCESS };

extern const struct param hbm_params[];
extern const size_t       hbm_params_count;

/* Bytes that a column command moves. */
static inline uint32_t hbm_burst_bytes(const struct hbm_config *c)
{
    return c->channel_bits / c->pseudo_channels * c->burst_length / 8;
}

/* Bytes that a pseudo-channel moves at a time; at least one. */
static inline uint32_t hbm_beat_bytes(const struct hbm_config *c)
{
    uint32_t bytes = c->channel_bits / c->pseudo_channels / 8;
    return bytes ? bytes : 1;
}

/* Bytes a second of a stack: a burst for each column command, which follow each other as fast as
 * the pins and tCCD_S (of a single bank group tCCD_L) allow.  That is the pins' rate unless tCCD,
 * in whole clocks, is longer than a burst.  Rows, turns and refreshes take their part of it. */
double hbm_peak_bytes_per_s(const struct hbm_config *c);

#endif
