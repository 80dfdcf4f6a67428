/* micro.c - single units of a real card, and its power in some states. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "models/gpu/interpret.h"
#include "sim/gpu_states.h"
#include "sim/micro.h"
#include "tests/measure/card.h"
#include "tests/measure/work.h"

#define TRIALS   5
#define STATE_S  3.0            /* that a state lasts: NVML may tell a mean of the last second */
#define CLOCK_LOOPS 100000      /* of an addition and a branch: some hundred us */

struct place {
    struct driver *driver;
    bool     checking;          /* values, in the model's own loops; else times */
    uint64_t words, wrong;
};

/* ---- memory ---- */

/* Addresses of the model in a ring become the card's. */
static void write_ring(const struct work *w, const struct micro_launch *l)
{
    uint64_t size = l->places * l->apart;
    uint32_t hint = 0;
    uint8_t *copy = malloc(size);
    const uint8_t *bytes = gpu_memory_at(l->memory, l->ring, size, &hint);
    if (!copy || !bytes)
        abort();
    memcpy(copy, bytes, size);
    for (uint64_t i = 0; i < l->places; i++) {
        uint64_t at;
        memcpy(&at, copy + i * l->apart, sizeof at);
        at = work_address(w, at, 0);
        memcpy(copy + i * l->apart, &at, sizeof at);
    }
    driver_write(w->driver, work_address(w, l->ring, 0), copy, size);
    free(copy);
}

/* Writes more than L2 holds. */
static void cool(struct driver *d, const struct figures *f)
{
    uint64_t bytes = 4 * f->gpu.l2.bytes;
    device_address a = driver_allocate(d, bytes);
    driver_fill(d, a, 0, bytes / 4);
    driver_wait(d);
    driver_free(d, a);
}

/* ---- values ---- */

/* The sink beside the interpreter's; a ring's words are addresses. */
static bool check(struct place *p, const struct micro_place *m, const struct work *w,
                  const struct micro_launch *l, struct diag *d)
{
    struct gpu_interpreted result;
    uint64_t words = gpu_launch_blocks(&l->launch) * gpu_launch_threads(&l->launch);
    uint32_t hint = 0, moved = l->ring ? (uint32_t)(w->arena[0] - GPU_MEMORY_BASE) : 0;
    if (!gpu_interpret(&m->figures->gpu, &l->launch, l->memory, 0, &result, d))
        return false;
    uint32_t *card = malloc(4 * words);
    const uint8_t *model = gpu_memory_at(l->memory, l->sink, 4 * words, &hint);
    if (!card || !model)
        abort();
    driver_read(w->driver, card, work_address(w, l->sink, 0), 4 * words);
    for (uint64_t i = 0; i < words; i++) {
        uint32_t word;
        memcpy(&word, model + 4 * i, 4);
        p->wrong += card[i] != word + moved;
    }
    p->words += words;
    free(card);
    return true;
}

/* ---- times ---- */

static uint64_t cycles_of(const struct work *w, const struct micro_launch *l)
{
    uint64_t cycles;
    driver_read(w->driver, &cycles, work_address(w, l->cycles, 0), sizeof cycles);
    return cycles;
}

static bool run(const struct micro_place *m, const struct micro_launch *l, struct micro_time *t,
                struct diag *d)
{
    struct place *p = m->self;
    struct work w;
    bool ok = true;
    work_open(&w, p->driver, &l->launch, 1, l->memory, 0);
    w.address_params = l->address_params;
    if (l->ring)
        write_ring(&w, l);
    *t = (struct micro_time){ INFINITY, INFINITY };
    for (int trial = 0; trial < (p->checking ? 1 : TRIALS); trial++) {
        cool(p->driver, m->figures);
        t->seconds = fmin(t->seconds, work_seconds(&w, 1));
        t->cycles = fmin(t->cycles, (double)cycles_of(&w, l));
    }
    if (p->checking)
        ok = check(p, m, &w, l, d);
    work_close(&w);
    return ok;
}

/* ---- rows ---- */

/* What an SM counts in a second, while it is as busy as with a chain. */
static double clock_mhz(const struct card *c)
{
    const struct figures *f = machine_figures(c->machine);
    struct diag d = { .text = "" };
    struct gpu_plan *p = gpu_state_plan(f, gpu_state_find("active idle 1 thread spin"), 1,
                                        CLOCK_LOOPS * c->longer, &d);
    struct work w;
    uint64_t cycles, at;
    if (!p)
        return -1;
    work_open(&w, c->driver, p->launches, p->launch_count, p->memory, 0);
    double seconds = work_seconds(&w, 1);
    memcpy(&at, p->launches[0].params + p->launches[0].kernel->params[1].offset, sizeof at);
    driver_read(c->driver, &cycles, work_address(&w, at, 0), sizeof cycles);
    work_close(&w);
    gpu_plan_free(p);
    return (double)cycles / seconds / 1e6;
}

static void measure(const struct card *c, const struct micro_quantity *q)
{
    struct figures f = *(const struct figures *)machine_figures(c->machine);
    struct place p = { .driver = c->driver, .checking = true };
    struct micro_place place = { .figures = &f, .longer = 1, .run = run, .self = &p };
    struct measured_row r = { .kind = MEASURED_MICRO, .power_w = -1 };
    struct diag d = { .text = "" };
    q->run(&place, &d);
    r.clock_mhz = f.gpu.gpu.clock_mhz = clock_mhz(c);
    p.checking = false;
    place.longer = c->longer;
    r.value = d.text[0] ? NAN : q->run(&place, &d);
    if (!d.text[0]) {
        snprintf(r.name, sizeof r.name, "%s", q->name);
        snprintf(r.unit, sizeof r.unit, "%s", q->unit);
        r.error = (double)p.wrong / (double)p.words;
        card_write(c, &r);
    } else {
        diag_print(&d, stderr);
    }
}

void card_micro(const struct card *c)
{
    const struct figures *f = machine_figures(c->machine);
    for (size_t i = 0; i < micro_quantity_count; i++)
        if (!micro_quantities[i].model_only
            && f->gpu.gpu.generation >= micro_quantities[i].since)
            measure(c, &micro_quantities[i]);
}

/* At rest nothing runs: the card is asked as long as it would. */
static void rest(const struct card *c, struct measured_row *r)
{
    struct timespec part = { 0, 10000000 };
    uint32_t parts = (uint32_t)(STATE_S / 0.01);
    r->value = 0;
    for (uint32_t i = 0; i < parts; i++) {
        nanosleep(&part, NULL);
        if (i >= parts / 2)
            r->value += driver_power_w(c->driver) / (parts - parts / 2);
    }
    r->clock_mhz = driver_clock_mhz(c->driver);
}

static void measure_state(const struct card *c, const struct gpu_state *s)
{
    struct measured_row r = { .kind = MEASURED_STATE, .unit = "W" };
    struct diag d = { .text = "" };
    snprintf(r.name, sizeof r.name, "%s", s->name);
    if (s == &gpu_states[0]) {
        rest(c, &r);
    } else {
        struct gpu_plan *p = gpu_state_plan(machine_figures(c->machine), s, 1, c->longer * s->many,
                                            &d);
        struct work w;
        if (!p) {
            diag_print(&d, stderr);
            return;
        }
        work_open(&w, c->driver, p->launches, p->launch_count, p->memory, 0);
        struct work_time t = work_watch(&w, STATE_S);
        work_close(&w);
        gpu_plan_free(p);
        r.value = t.power_w;
        r.clock_mhz = t.clock_mhz;
    }
    r.power_w = r.value;
    if (r.value > 0)
        card_write(c, &r);
}

void card_states(const struct card *c)
{
    if (driver_power_w(c->driver) < 0)
        return;
    for (size_t i = 0; i < gpu_state_count; i++)
        measure_state(c, &gpu_states[i]);
}
