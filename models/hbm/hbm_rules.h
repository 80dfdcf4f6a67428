/* hbm_rules.h - every JEDEC time as one row: after `first`, `then` must wait.
 *
 *     where       the two commands meet in the same
 *     BANK        bank
 *     GROUP       bank group of a pseudo-channel
 *     PSEUDO      pseudo-channel
 *     FOURTH      pseudo-channel, counting from the fourth `first` before (tFAW)
 *
 * `wait` is a field of struct hbm_timing, in clocks.  PREA closes all banks of a
 * pseudo-channel and counts as a PRE of each.  An access with auto-precharge is an access
 * and, as soon as the rules let it, a PRE that needs no bus.
 *
 * JESD235D, section 9 and its tables of speed bins, names the times.  How they follow from
 * a data sheet's is in hbm_timing.c.
 */
#ifndef MODELS_HBM_RULES_H
#define MODELS_HBM_RULES_H

#include "models/block.h"
#include "models/hbm/hbm_params.h"

enum hbm_command { HBM_ACT, HBM_PRE, HBM_RD, HBM_WR, HBM_REF, HBM_COMMANDS };

#define HBM_RULES(X)                                                                    \
    /*first then  where   wait       JEDEC                                           */ \
    X(ACT,  RD,   BANK,   rcd_rd,   "tRCDRD")                                           \
    X(ACT,  WR,   BANK,   rcd_wr,   "tRCDWR")                                           \
    X(ACT,  PRE,  BANK,   ras,      "tRAS")                                             \
    X(ACT,  ACT,  BANK,   rc,       "tRC")                                              \
    X(PRE,  ACT,  BANK,   rp,       "tRP")                                              \
    X(RD,   PRE,  BANK,   rtp,      "tRTP")                                             \
    X(WR,   PRE,  BANK,   wr_pre,   "tCWL + burst + tWR")                               \
    X(RD,   RD,   GROUP,  ccd_l,    "tCCD_L")                                           \
    X(WR,   WR,   GROUP,  ccd_l,    "tCCD_L")                                           \
    X(WR,   RD,   GROUP,  wr_rd_l,  "tCWL + burst + tWTR_L")                            \
    X(ACT,  ACT,  GROUP,  rrd_l,    "tRRD_L")                                           \
    X(RD,   RD,   PSEUDO, ccd_s,    "tCCD_S, or the burst")                             \
    X(WR,   WR,   PSEUDO, ccd_s,    "tCCD_S, or the burst")                             \
    X(WR,   RD,   PSEUDO, wr_rd_s,  "tCWL + burst + tWTR_S")                            \
    X(RD,   WR,   PSEUDO, rd_wr,    "tCL + burst + turn - tCWL")                        \
    X(ACT,  ACT,  PSEUDO, rrd_s,    "tRRD_S")                                           \
    X(ACT,  ACT,  FOURTH, faw,      "tFAW")                                             \
    X(PRE,  REF,  PSEUDO, rp,       "tRP")                                              \
    X(ACT,  REF,  PSEUDO, rc,       "tRC")                                              \
    X(REF,  ACT,  PSEUDO, rfc,      "tRFC")                                             \
    X(REF,  REF,  PSEUDO, rfc,      "tRFC")

struct hbm_timing {
    uint32_t burst, cl, cwl;
    uint32_t rcd_rd, rcd_wr, ras, rc, rp, rtp, wr_pre;
    uint32_t ccd_s, ccd_l, wr_rd_s, wr_rd_l, rd_wr, rrd_s, rrd_l, faw;
    uint32_t rfc, refi, act_bus, pre_bus, front;
};

/* In clocks of `clock`, each rounded up; nothing is less than 1. */
struct hbm_timing hbm_timing(const struct hbm_config *config, const struct clock *clock);

#endif
