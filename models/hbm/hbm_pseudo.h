/* hbm_pseudo.h - the banks of a pseudo-channel, and when a command to them is legal.
 *
 * For each place that a rule names (bank, bank group, pseudo-channel) it keeps the first
 * clock at which each command may go.  A command moves those clocks by the rules that begin
 * with it; a command is legal from the latest of its three clocks on.
 *
 * Not modelled here: the buses that bring the commands; which row a request wants.
 */
#ifndef MODELS_HBM_PSEUDO_H
#define MODELS_HBM_PSEUDO_H

#include <assert.h>

#include "models/hbm/hbm_rules.h"

#define HBM_BANKS_MAX  64       /* of a pseudo-channel: a bit each in a mask */
#define HBM_GROUPS_MAX 8

/* When commands are legal lies by command, for the walk over the banks that want one. */
struct hbm_pseudo {
    uint64_t open;              /* a bit a bank */
    cycle_t  ready[HBM_COMMANDS];
    cycle_t  groups[HBM_COMMANDS][HBM_GROUPS_MAX];
    cycle_t  banks[HBM_COMMANDS][HBM_BANKS_MAX];
    uint32_t rows[HBM_BANKS_MAX];
    cycle_t  fourth[4];         /* of the last four ACTs: when its tFAW is over */
    uint64_t activates, precharges, refreshes;
    cycle_t  closed_since;      /* when the last bank closed, if none is open */
    cycle_t  closed_cycles;     /* with all banks closed, before that */
    uint32_t bank_bits;         /* of the bank in its group */
};

static inline void hbm_later(cycle_t *at, cycle_t t)
{
    if (*at < t)
        *at = t;
}

/* The first clock at which `command` is legal. */
static inline cycle_t hbm_pseudo_at(const struct hbm_pseudo *p, enum hbm_command command,
                                    uint32_t bank)
{
    return cycle_max(p->ready[command],
                     cycle_max(p->groups[command][bank >> p->bank_bits],
                               p->banks[command][bank]));
}

static inline uint64_t hbm_bit(uint32_t bank) { return UINT64_C(1) << bank; }

static inline bool hbm_pseudo_open(const struct hbm_pseudo *p, uint32_t bank)
{
    return p->open >> bank & 1;
}

static inline void hbm_pseudo_fourth(struct hbm_pseudo *p, enum hbm_command then, cycle_t at)
{
    p->fourth[p->activates % 4] = at;
    hbm_later(&p->ready[then], p->fourth[(p->activates + 1) % 4]);
}

/* Whether any rule makes `command` wait for others of its bank group. */
static inline bool hbm_ruled_by_group(enum hbm_command command)
{
    enum { BANK, GROUP, PSEUDO, FOURTH };
#define RULE(first, then, where, wait, jedec) || (where == GROUP && command == HBM_##then)
    return false HBM_RULES(RULE);
#undef RULE
}

/* `command` goes at `now`, which is legal.  One function, expanded from the rules for each
 * constant `command`. */
static inline void hbm_pseudo_apply(struct hbm_pseudo *p, const struct hbm_timing *t,
                                    enum hbm_command command, uint32_t bank, cycle_t now)
{
#define BANK(then, wait)   hbm_later(&p->banks[HBM_##then][bank], now + (wait))
#define GROUP(then, wait)  hbm_later(&p->groups[HBM_##then][bank >> p->bank_bits], now + (wait))
#define PSEUDO(then, wait) hbm_later(&p->ready[HBM_##then], now + (wait))
#define FOURTH(then, wait) hbm_pseudo_fourth(p, HBM_##then, now + (wait))
#define RULE(first, then, where, wait, jedec) \
    if (command == HBM_##first)               \
        where(then, t->wait);
    HBM_RULES(RULE)
#undef RULE
#undef BANK
#undef GROUP
#undef PSEUDO
#undef FOURTH
}

static inline void hbm_pseudo_act(struct hbm_pseudo *p, const struct hbm_timing *t,
                                  uint32_t bank, uint32_t row, cycle_t now)
{
    assert(!hbm_pseudo_open(p, bank));
    assert(now >= hbm_pseudo_at(p, HBM_ACT, bank));
    hbm_pseudo_apply(p, t, HBM_ACT, bank, now);
    p->activates++;
    /* A bank that closes by itself may do so later than this. */
    if (p->open == 0 && now > p->closed_since)
        p->closed_cycles += now - p->closed_since;
    p->open |= hbm_bit(bank);
    p->rows[bank] = row;
}

static inline void hbm_pseudo_pre(struct hbm_pseudo *p, const struct hbm_timing *t,
                                  uint32_t bank, cycle_t now)
{
    assert(hbm_pseudo_open(p, bank));
    assert(now >= hbm_pseudo_at(p, HBM_PRE, bank));
    hbm_pseudo_apply(p, t, HBM_PRE, bank, now);
    p->precharges++;
    p->open &= ~hbm_bit(bank);
    hbm_later(&p->closed_since, now);
}

static inline void hbm_pseudo_access(struct hbm_pseudo *p, const struct hbm_timing *t,
                                     bool write, uint32_t bank, cycle_t now)
{
    assert(hbm_pseudo_open(p, bank));
    assert(now >= hbm_pseudo_at(p, write ? HBM_WR : HBM_RD, bank));
    if (write)
        hbm_pseudo_apply(p, t, HBM_WR, bank, now);
    else
        hbm_pseudo_apply(p, t, HBM_RD, bank, now);
}

static inline void hbm_pseudo_ref(struct hbm_pseudo *p, const struct hbm_timing *t, cycle_t now)
{
    assert(p->open == 0);
    assert(now >= p->ready[HBM_REF]);
    hbm_pseudo_apply(p, t, HBM_REF, 0, now);
    p->refreshes++;
}

#endif
