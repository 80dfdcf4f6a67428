/* gpu_energy.c - see gpu_energy.h. */
#include "sim/gpu_energy.h"

#include <stdlib.h>
#include <string.h>

#include "models/energy/data.h"

#define PJ 1e-12

const char *const gpu_component_names[GPU_COMPONENTS_COUNT] = {
#define NAME(id, name, what, scales) name,
    GPU_COMPONENTS(NAME)
#undef NAME
};

static const bool scales[GPU_COMPONENTS_COUNT] = {
#define SCALES(id, name, what, scales) scales,
    GPU_COMPONENTS(SCALES)
#undef SCALES
};

static const struct price { enum gpu_component component; size_t offset; } prices[] = {
#define PRICE(id, field, component, unit, what) \
    [GPU_EVENT_##id] = { GPU_ENERGY_##component, offsetof(struct gpu_energy_config, field) },
#define OF_ISSUE         ISSUE
#define OF_OPERAND_READ  REGISTERS
#define OF_OPERAND_WRITE REGISTERS
#define OF_FP32          FLOAT
#define OF_INT           INTEGER
#define OF_IMAD          INTEGER
#define OF_FP16          FLOAT
#define OF_FP64          SPECIAL
#define OF_SFU           SPECIAL
#define OF_CONVERT       SPECIAL
#define OF_TENSOR        TENSOR
#define OF_SHARED        SHARED
#define OF_L1_TAG        L1
#define OF_L1            L1
#define OF_CROSSBAR      CROSSBAR
#define OF_L2_TAG        L2
#define OF_L2            L2
#define OF_FAR           CROSSBAR
#define OF_FETCH         ISSUE
#define EVENT(id, field, unit, what) EVENT_AS(id, field, OF_##id, unit, what)
#define EVENT_AS(id, field, component, unit, what) PRICE(id, field, component, unit, what)
    GPU_EVENTS(EVENT)
};

double gpu_energy_sum(const struct gpu_energy *e)
{
    double sum = 0;
    for (int i = 0; i < GPU_COMPONENTS_COUNT; i++)
        sum += e->j[i];
    return sum;
}

static double price_of(const struct gpu_bill *b, int event)
{
    double price;
    memcpy(&price, (const char *)b->run.prices + prices[event].offset, sizeof price);
    return price * PJ * b->run.volts * b->run.volts;
}

/* ---- what was counted ---- */

static double more_of(const struct gpu_bill *b, uint32_t group)
{
    return b->run.more ? b->run.more[group] : 1;
}

static void add_counts(struct gpu_bill *b, const struct ledger *l)
{
    for (uint32_t g = 0; g < b->run.chip->run.groups; g++)
        for (uint32_t e = 0; e < GPU_EVENTS_COUNT; e++)
            b->counts[g * GPU_EVENTS_COUNT + e] += (double)ledger_group(l, e, g);
}

/* What the data of a group make of the price of an event. */
static double data_of(const struct gpu_bill *b, uint32_t group, int event)
{
    const struct gpu_energy_config *p = b->run.prices;
    const struct toggles *t = b->run.toggles ? &b->run.toggles[group] : NULL;
    if (t && event == GPU_EVENT_TENSOR)
        return data_factor((struct data_price){ p->tensor_pj, p->tensor_zero_pj,
                                                p->tensor_random_pj }, t->of[TOGGLES_MATRIX]);
    if (t && event == GPU_EVENT_FP32)
        return data_factor((struct data_price){ p->fp32_pj, p->fp32_zero_pj, p->fp32_random_pj },
                           t->of[TOGGLES_LANES]);
    return 1;
}

static void price_events(const struct gpu_bill *b, uint32_t group, struct gpu_energy *e)
{
    for (int i = 0; i < GPU_EVENTS_COUNT; i++)
        e->j[prices[i].component] += price_of(b, i) * data_of(b, group, i)
            * b->counts[(size_t)group * GPU_EVENTS_COUNT + i] * more_of(b, group);
}

static void price_memory(const struct gpu_bill *b, uint32_t group, struct gpu_energy *e)
{
    const struct gpu_energy_config *p = b->run.prices;
    struct toggles_count bus = b->run.toggles ? b->run.toggles[group].of[TOGGLES_HBM]
                                              : (struct toggles_count){ 0, 0 };
    double more = more_of(b, group) * PJ;
    double read = p->hbm_read_pj * data_factor((struct data_price){
        p->hbm_read_pj, p->hbm_read_zero_pj, p->hbm_read_random_pj }, bus);
    double write = p->hbm_write_pj * data_factor((struct data_price){
        p->hbm_write_pj, p->hbm_write_zero_pj, p->hbm_write_random_pj }, bus);
    for (uint32_t s = 0; s < b->run.chip->stacks; s++) {
        struct hbm_group_stats g = hbm_group_stats(hbm_block_hbm(b->run.chip->stack[s]), group);
        e->j[GPU_ENERGY_ACTIVATE] += (double)g.activates * p->hbm_activate_pj * more;
        e->j[GPU_ENERGY_READ] += (double)g.read_bytes * 8 * read * more;
        e->j[GPU_ENERGY_WRITE] += (double)g.written_bytes * 8 * write * more;
    }
}

/* ---- what passes with time ---- */

/* From the first block of each launch to its last. */
static double awake_s(const struct gpu_chip *c)
{
    tick_t sum = 0;
    for (uint32_t l = 0; l < c->run.launch_count; l++) {
        struct gpu_launch_times t = gpu_front_times(c->front, l);
        sum += t.end - t.start + t.added;
    }
    return (double)sum / TICKS_PER_S;
}

static void price_time(const struct gpu_bill *b, struct gpu_energy *e)
{
    const struct gpu_chip *c = b->run.chip;
    const struct gpu_energy_config *p = b->run.prices;
    double clock = (double)hbm_clock_hz(c->run.hbm), square = b->run.volts * b->run.volts;
    double end = (double)gpu_chip_end(c) / TICKS_PER_S;
    double more = end > 0 ? b->run.seconds / end : 1, busy = 0;
    for (uint32_t s = 0; s < c->stacks; s++) {
        struct hbm_stats h = hbm_stats(hbm_block_hbm(c->stack[s]), gpu_chip_end(c));
        double closed = (double)h.closed_cycles / clock * more;
        double open = (double)(h.total_cycles - h.closed_cycles) / clock * more;
        e->j[GPU_ENERGY_REFRESH] += (double)h.refreshes * p->hbm_refresh_pj * PJ * more;
        e->j[GPU_ENERGY_BACKGROUND] += open * p->hbm_open_w + closed * p->hbm_closed_w;
    }
    for (uint32_t i = 0; i < c->sms; i++)
        busy += (double)gpu_sm_busy(c->sm[i]) / TICKS_PER_S * more;
    e->j[GPU_ENERGY_SM_STATIC] += square * (p->idle_sm_w * c->sms * b->run.seconds
                                            + p->sm_static_w * busy);
    e->j[GPU_ENERGY_L2_STATIC] += square * (p->l2_static_w * b->run.seconds
                                            + p->l2_awake_w * awake_s(c));
    e->j[GPU_ENERGY_CONSTANT] += p->constant_w * b->run.seconds;
}

/* ---- the bill ---- */

/* Energy of events as the bill takes them, over what the chip counted at usual prices. */
static double moved(const struct gpu_bill *b)
{
    double as_counted = 0, as_taken = 0;
    for (uint32_t g = 0; g < b->run.chip->run.groups; g++) {
        struct gpu_energy e = { { 0 } };
        price_events(b, g, &e);
        as_taken += gpu_energy_sum(&e);
        for (int i = 0; i < GPU_EVENTS_COUNT; i++)
            as_counted += price_of(b, i) * b->counts[(size_t)g * GPU_EVENTS_COUNT + i];
    }
    return as_counted > 0 ? as_taken / as_counted : 1;
}

struct gpu_bill *gpu_bill_new(const struct gpu_bill_run *run)
{
    struct gpu_bill *b = calloc(1, sizeof *b);
    uint32_t groups = run->chip->run.groups;
    if (!b)
        abort();
    b->run = *run;
    b->counts = calloc((size_t)(groups ? groups : 1) * GPU_EVENTS_COUNT, sizeof *b->counts);
    if (!b->counts)
        abort();
    for (uint32_t i = 0; i < run->chip->sms; i++)
        if (gpu_sm_busy(run->chip->sm[i]) > 0)
            add_counts(b, gpu_sm_ledger(run->chip->sm[i]));
    for (uint32_t i = 0; i < run->chip->l2s; i++)
        add_counts(b, gpu_l2_ledger(run->chip->l2[i]));
    price_time(b, &b->resting);
    b->total = b->resting;
    for (uint32_t g = 0; g < groups; g++) {
        price_events(b, g, &b->total);
        price_memory(b, g, &b->total);
    }
    b->moved = moved(b);
    return b;
}

void gpu_bill_free(struct gpu_bill *b)
{
    if (b)
        free(b->counts);
    free(b);
}

struct gpu_energy gpu_bill_group(const struct gpu_bill *b, uint32_t group, double share)
{
    struct gpu_energy e = { { 0 } };
    price_events(b, group, &e);
    price_memory(b, group, &e);
    for (int i = 0; i < GPU_COMPONENTS_COUNT; i++)
        e.j[i] += b->resting.j[i] * share;
    return e;
}

struct gpu_run_power gpu_bill_split(const struct gpu_bill *b, double mhz)
{
    struct gpu_run_power r = { .mhz = mhz, .seconds = b->run.seconds };
    for (int i = 0; i < GPU_COMPONENTS_COUNT; i++) {
        double events = b->total.j[i] - b->resting.j[i], rest = b->resting.j[i] / r.seconds;
        r.chip_j += scales[i] ? events : 0;
        r.chip_w += scales[i] ? rest : 0;
        r.other_j += scales[i] ? 0 : events;
        r.other_w += scales[i] ? 0 : rest;
    }
    return r;
}

/* ---- power over time ---- */

struct curve { const struct gpu_bill *bill; double *joules, *bytes, interval; uint32_t count; };

/* Adds what is between `from` and `to` (in intervals of the curve) to them, by length. */
static void spread(double *to_add, uint32_t count, double from, double to, double amount)
{
    for (uint32_t i = (uint32_t)from; i < count && (double)i < to; i++) {
        double begin = (double)i > from ? i : from, end = i + 1.0 < to ? i + 1.0 : to;
        to_add[i] += amount * (end - begin) / (to - from);
    }
}

static void add_ledger(const struct curve *k, const struct ledger *l)
{
    double length = (double)ledger_interval(l) / TICKS_PER_S / k->interval;
    for (uint32_t i = 0; i < ledger_intervals(l); i++) {
        double joules = 0, end = (i + 1) * length < k->count ? (i + 1) * length : k->count;
        for (int e = 0; e < GPU_EVENTS_COUNT; e++)
            joules += price_of(k->bill, e) * (double)ledger_at(l, (uint32_t)e, i);
        if (i * length >= end)      /* what came after the end is put before it */
            end = k->count;
        double from = i * length < end ? i * length : k->count - 1.0;
        spread(k->joules, k->count, from, end, joules * k->bill->moved);
        spread(k->bytes, k->count, from, end, (double)ledger_at(l, GPU_EVENT_L2, i));
    }
}

static void add_memory(const struct curve *k)
{
    const double *j = k->bill->total.j;
    double memory = j[GPU_ENERGY_ACTIVATE] + j[GPU_ENERGY_READ] + j[GPU_ENERGY_WRITE], bytes = 0;
    for (uint32_t i = 0; i < k->count; i++)
        bytes += k->bytes[i];
    for (uint32_t i = 0; i < k->count; i++)
        k->joules[i] += bytes > 0 ? memory * k->bytes[i] / bytes : memory / k->count;
}

void gpu_bill_power(const struct gpu_bill *b, uint32_t count, double *watts)
{
    const struct gpu_chip *c = b->run.chip;
    struct curve k = { .bill = b, .joules = watts, .count = count,
                       .bytes = calloc(count, sizeof(double)),
                       .interval = (double)gpu_chip_end(c) / TICKS_PER_S / count };
    if (!k.bytes)
        abort();
    memset(watts, 0, count * sizeof *watts);
    for (uint32_t i = 0; i < c->sms; i++)
        if (gpu_sm_busy(c->sm[i]) > 0)
            add_ledger(&k, gpu_sm_ledger(c->sm[i]));
    for (uint32_t i = 0; i < c->l2s; i++)
        add_ledger(&k, gpu_l2_ledger(c->l2[i]));
    add_memory(&k);
    for (uint32_t i = 0; i < count; i++)
        watts[i] = watts[i] / (b->run.seconds / count)
                 + gpu_energy_sum(&b->resting) / b->run.seconds;
    free(k.bytes);
}
