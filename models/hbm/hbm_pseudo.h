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

struct hbm_ready { cycle_t at[HBM_COMMANDS]; };

struct hbm_bank {
    struct hbm_ready ready;
    uint32_t row;
    bool     open;
};

struct hbm_pseudo {
    struct hbm_ready ready;
    struct hbm_ready groups[HBM_GROUPS_MAX];
    struct hbm_bank  banks[HBM_BANKS_MAX];
    cycle_t  fourth[4];         /* of the last four ACTs: when its tFAW is over */
    uint64_t activates, precharges, refreshes;
    cycle_t  closed_since;      /* when the last bank closed, if none is open */
    cycle_t  closed_cycles;     /* with all banks closed, before that */
    uint32_t open_banks;
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
    return cycle_max(p->ready.at[command],
                     cycle_max(p->groups[bank >> p->bank_bits].at[command],
                               p->banks[bank].ready.at[command]));
}

static inline void hbm_pseudo_fourth(struct hbm_pseudo *p, enum hbm_command then, cycle_t at)
{
    p->fourth[p->activates % 4] = at;
    hbm_later(&p->ready.at[then], p->fourth[(p->activates + 1) % 4]);
}

/* `command` goes at `now`, which is legal.  One function, expanded from the rules for each
 * constant `command`. */
static inline void hbm_pseudo_apply(struct hbm_pseudo *p, const struct hbm_timing *t,
                                    enum hbm_command command, uint32_t bank, cycle_t now)
{
#define BANK(then, wait)   hbm_later(&p->banks[bank].ready.at[HBM_##then], now + (wait))
#define GROUP(then, wait)  hbm_later(&p->groups[bank >> p->bank_bits].at[HBM_##then], now + (wait))
#define PSEUDO(then, wait) hbm_later(&p->ready.at[HBM_##then], now + (wait))
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
    assert(!p->banks[bank].open);
    assert(now >= hbm_pseudo_at(p, HBM_ACT, bank));
    hbm_pseudo_apply(p, t, HBM_ACT, bank, now);
    p->activates++;
    p->banks[bank].open = true;
    p->banks[bank].row = row;
    /* A bank that closes by itself may do so later than this. */
    if (p->open_banks++ == 0 && now > p->closed_since)
        p->closed_cycles += now - p->closed_since;
}

static inline void hbm_pseudo_pre(struct hbm_pseudo *p, const struct hbm_timing *t,
                                  uint32_t bank, cycle_t now)
{
    assert(p->banks[bank].open);
    assert(now >= hbm_pseudo_at(p, HBM_PRE, bank));
    hbm_pseudo_apply(p, t, HBM_PRE, bank, now);
    p->precharges++;
    p->banks[bank].open = false;
    p->open_banks--;
    hbm_later(&p->closed_since, now);
}

static inline void hbm_pseudo_access(struct hbm_pseudo *p, const struct hbm_timing *t,
                                     bool write, uint32_t bank, cycle_t now)
{
    assert(p->banks[bank].open);
    assert(now >= hbm_pseudo_at(p, write ? HBM_WR : HBM_RD, bank));
    if (write)
        hbm_pseudo_apply(p, t, HBM_WR, bank, now);
    else
        hbm_pseudo_apply(p, t, HBM_RD, bank, now);
}

static inline void hbm_pseudo_ref(struct hbm_pseudo *p, const struct hbm_timing *t, cycle_t now)
{
    assert(p->open_banks == 0);
    assert(now >= p->ready.at[HBM_REF]);
    hbm_pseudo_apply(p, t, HBM_REF, 0, now);
    p->refreshes++;
}

#endif
