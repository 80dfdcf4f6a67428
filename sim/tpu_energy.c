/* tpu_energy.c - see tpu_energy.h. */
#include "sim/tpu_energy.h"

#include <string.h>

#include "models/energy/data.h"
#include "models/tpu/events.h"

#define PJ 1e-12

const char *const tpu_component_names[TPU_COMPONENTS_COUNT] = {
#define NAME(id, name, what) name,
    TPU_COMPONENTS(NAME)
#undef NAME
};

/* Which component and price each event of a core has. */
#define PRICES(X) \
    X(MAC,        MATRIX,    mac_pj) \
    X(MAC_PAD,    MATRIX,    mac_pad_pj) \
    X(WEIGHT,     MATRIX,    weight_pj) \
    X(VPU,        VECTOR,    vpu_pj) \
    X(EUP,        VECTOR,    eup_pj) \
    X(XLU,        TRANSPOSE, xlu_pj) \
    X(VMEM_READ,  VMEM,      vmem_read_pj) \
    X(VMEM_WRITE, VMEM,      vmem_write_pj) \
    X(DMA,        DMA,       dma_pj) \
    X(ICI,        LINK,      ici_pj)

static const struct price {
    enum tpu_event     event;
    enum tpu_component component;
    size_t             offset;
} prices[] = {
#define PRICE(event, component, field) \
    { TPU_EVENT_##event, TPU_ENERGY_##component, offsetof(struct energy_config, field) },
    PRICES(PRICE)
#undef PRICE
};
#define PRICE_COUNT (sizeof prices / sizeof prices[0])

static double price_of(const struct tpu_chip *c, const struct price *p)
{
    double price;
    memcpy(&price, (const char *)&c->figures->energy + p->offset, sizeof price);
    return price * PJ;
}

double tpu_energy_sum(const struct tpu_energy *e)
{
    double sum = 0;
    for (int i = 0; i < TPU_COMPONENTS_COUNT; i++)
        sum += e->j[i];
    return sum;
}

/* What the data of a group make of the price of an event. */
static double data_of(const struct tpu_bill *b, uint32_t group, enum tpu_event event)
{
    const struct energy_config *p = &b->chip->figures->energy;
    if (!b->toggles || event != TPU_EVENT_MAC)
        return 1;
    return data_factor((struct data_price){ p->mac_pj, p->mac_zero_pj, p->mac_random_pj },
                       b->toggles[group].of[TOGGLES_MATRIX]);
}

static void price_events(const struct tpu_bill *b, uint32_t group, struct tpu_energy *e)
{
    const struct tpu_chip *c = b->chip;
    for (uint32_t i = 0; i < c->cores; i++)
        for (size_t p = 0; p < PRICE_COUNT; p++)
            e->j[prices[p].component] += price_of(c, &prices[p])
                * data_of(b, group, prices[p].event)
                * (double)ledger_group(tpu_core_ledger(c->core[i]), prices[p].event, group);
}

static void price_memory(const struct tpu_bill *b, uint32_t group, struct tpu_energy *e)
{
    const struct energy_config *p = &b->chip->figures->energy;
    struct toggles_count bus = b->toggles ? b->toggles[group].of[TOGGLES_HBM]
                                          : (struct toggles_count){ 0, 0 };
    double read = p->hbm_read_pj * PJ * data_factor((struct data_price){
        p->hbm_read_pj, p->hbm_read_zero_pj, p->hbm_read_random_pj }, bus);
    double write = p->hbm_write_pj * PJ * data_factor((struct data_price){
        p->hbm_write_pj, p->hbm_write_zero_pj, p->hbm_write_random_pj }, bus);
    for (uint32_t s = 0; s < b->chip->stacks; s++) {
        struct hbm_group_stats g = hbm_group_stats(hbm_block_hbm(b->chip->stack[s]), group);
        e->j[TPU_ENERGY_ACTIVATE] += (double)g.activates * p->hbm_activate_pj * PJ;
        e->j[TPU_ENERGY_READ] += (double)g.read_bytes * 8 * read;
        e->j[TPU_ENERGY_WRITE] += (double)g.written_bytes * 8 * write;
    }
}

/* What passes with time, whoever does what. */
static void price_time(const struct tpu_chip *c, struct tpu_energy *e, double seconds)
{
    const struct energy_config *p = &c->figures->energy;
    const struct hbm_config *h = &c->figures->hbm;
    const struct tpu_config *t = &c->figures->tpu;
    double clock = (double)hbm_clock_hz(h), open_s = 0, closed_s = 0, refreshes = 0;
    for (uint32_t s = 0; s < c->stacks; s++) {
        struct hbm_stats stats = hbm_stats(hbm_block_hbm(c->stack[s]), tpu_chip_end(c));
        closed_s += (double)stats.closed_cycles / clock;
        open_s += (double)(stats.total_cycles - stats.closed_cycles) / clock;
        refreshes += (double)stats.refreshes;
    }
    double resting = (double)(h->stacks - c->stacks) * h->channels * h->pseudo_channels;
    closed_s += resting * seconds;
    if (h->refresh != HBM_REFRESH_NONE)
        refreshes += resting * seconds / (h->refi_ns * 1e-9);
    e->j[TPU_ENERGY_REFRESH] += refreshes * p->hbm_refresh_pj * PJ;
    e->j[TPU_ENERGY_BACKGROUND] += open_s * p->hbm_open_w + closed_s * p->hbm_closed_w;
    double watts = p->chip_static_w + t->chip.cores * (p->vpu_static_w
                 + t->core.mxus * p->mxu_static_w);
    e->j[TPU_ENERGY_STATIC] += watts * seconds;
    e->j[TPU_ENERGY_EXTRA] += p->idle_extra_w * seconds;
}

/* Of all cores, whatever the data. */
static double usual_events(const struct tpu_chip *c)
{
    double sum = 0;
    for (uint32_t i = 0; i < c->cores; i++)
        for (size_t p = 0; p < PRICE_COUNT; p++)
            sum += price_of(c, &prices[p])
                 * (double)ledger_total(tpu_core_ledger(c->core[i]), prices[p].event);
    return sum;
}

struct tpu_bill tpu_energy_bill(const struct tpu_chip *c, double seconds,
                                const struct toggles *toggles)
{
    struct tpu_bill b = { .chip = c, .toggles = toggles, .seconds = seconds, .data_share = 1 };
    struct tpu_energy events = { { 0 } };
    double usual = usual_events(c);
    price_time(c, &b.resting, seconds);
    for (uint32_t g = 0; g < c->plan->group_count; g++)
        price_events(&b, g, &events);
    if (usual > 0)
        b.data_share = tpu_energy_sum(&events) / usual;
    for (uint32_t g = 0; g < c->plan->group_count; g++)
        price_memory(&b, g, &events);
    for (int i = 0; i < TPU_COMPONENTS_COUNT; i++)
        b.total.j[i] = b.resting.j[i] + events.j[i];
    return b;
}

struct tpu_energy tpu_energy_group(const struct tpu_bill *b, uint32_t group, double share)
{
    struct tpu_energy e = { { 0 } };
    price_events(b, group, &e);
    price_memory(b, group, &e);
    for (int i = 0; i < TPU_COMPONENTS_COUNT; i++)
        e.j[i] += b->resting.j[i] * share;
    return e;
}

double tpu_energy_power(const struct tpu_bill *b, uint32_t number, tick_t interval)
{
    const double *j = b->total.j;
    double memory = j[TPU_ENERGY_ACTIVATE] + j[TPU_ENERGY_READ] + j[TPU_ENERGY_WRITE];
    double bytes = 0, here = 0, joules = 0, s = (double)interval / TICKS_PER_S;
    for (uint32_t i = 0; i < b->chip->cores; i++) {
        const struct ledger *l = tpu_core_ledger(b->chip->core[i]);
        bytes += (double)ledger_total(l, TPU_EVENT_DMA);
        here += (double)ledger_at(l, TPU_EVENT_DMA, number);
        for (size_t p = 0; p < PRICE_COUNT; p++)
            joules += price_of(b->chip, &prices[p]) * b->data_share
                    * (double)ledger_at(l, prices[p].event, number);
    }
    if (bytes > 0)
        joules += memory * here / bytes;
    double left = b->seconds - number * s, length = left < s ? left : s;
    return joules / length + tpu_energy_sum(&b->resting) / b->seconds;
}
