/* front.c - see front.h.
 *
 * Which SM has the fewest blocks is read off a table of bits: a row for each number of
 * blocks, a bit for each SM.  All is 0 blocks again when a launch has ended, so a launch
 * costs what its blocks cost, however many SMs there are.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/gpu/config.h"
#include "models/gpu/front_inside.h"
#include "models/zeroed.h"

#define NO_SM UINT32_MAX
#define WORD 64
#define AHEAD 1                 /* blocks dispatched to an SM before there is a place */
#define WAVES 4096              /* of a launch that are looked at for steadiness */

struct gpu_front {
    struct gpu_front_config_run run;
    tick_t    interval;         /* between two blocks */
    uint32_t  launch;           /* the current one */
    bool      begun;            /* its start has been worked out */
    uint64_t  next, done;       /* blocks of it: the next to go; ended */
    uint64_t  skipped;
    tick_t    now;              /* of the last thing that happened */
    tick_t    next_at;          /* the next block may go from then on */
    tick_t    previous_end;
    tick_t    added;            /* by sampling, so far */
    struct gpu_launch_times *times;
    uint32_t *count;            /* [sms] blocks of this launch, there or on their way */
    uint32_t *told;             /* [sms] 1 + the last launch that it was told of */
    uint32_t  rows, words;
    uint64_t *bits;             /* [rows][words] */
    uint32_t *members;          /* [rows] */
    struct front_waves waves;
};

/* ---- which SM */

static void move(struct gpu_front *f, uint32_t sm, uint32_t blocks)
{
    uint64_t bit = UINT64_C(1) << sm % WORD;
    f->bits[f->count[sm] * f->words + sm / WORD] &= ~bit;
    f->members[f->count[sm]]--;
    f->bits[blocks * f->words + sm / WORD] |= bit;
    f->members[blocks]++;
    f->count[sm] = blocks;
}

/* How many an SM may have, there or on their way.  Those of the last wave go where there is a
 * place: one that waited would end late if others find a place first. */
static uint32_t places_of(const struct gpu_front *f)
{
    uint32_t fit = f->run.occupancy[f->launch].blocks;
    bool last = f->times[f->launch].blocks - f->next <= (uint64_t)f->run.sms * fit;
    return fit + (last ? 0 : AHEAD);
}

/* The SM with the fewest blocks, the first of several; NO_SM if none has a place. */
static uint32_t pick(const struct gpu_front *f)
{
    uint32_t places = places_of(f);
    for (uint32_t row = 0; row < places; row++) {
        if (!f->members[row])
            continue;
        const uint64_t *bits = f->bits + row * f->words;
        uint32_t word = 0;
        while (!bits[word])
            word++;
        return word * WORD + (uint32_t)__builtin_ctzll(bits[word]);
    }
    return NO_SM;
}

/* ---- launches, one after the other */

static uint64_t blocks_of(const struct gpu_front *f)
{
    return gpu_launch_blocks(&f->run.launches[f->launch]);
}

/* The host asks for a launch every host_us, whatever the chip does; what sampling left out
 * has passed for it too. */
static void begin_launch(struct gpu_front *f)
{
    const struct gpu_launch_config *c = &f->run.config->launch;
    struct gpu_launch_times *t = &f->times[f->launch];
    tick_t asked = ticks_ns(c->host_us * 1000 * f->launch);
    t->asked = asked > f->added ? asked - f->added : 0;
    t->start = t->asked + ticks_ns(c->first_us * 1000);
    if (f->launch > 0)
        t->start = tick_max(t->start, f->previous_end + ticks_ns(c->next_us * 1000));
    t->blocks = t->simulated = blocks_of(f);
    f->next = f->done = f->skipped = 0;
    f->next_at = t->start;
    f->begun = true;
    uint64_t wave = (uint64_t)f->run.sms * f->run.occupancy[f->launch].blocks;
    front_waves_begin(&f->waves, t->start, f->run.sample ? wave : 0);
}

static void end_launch(struct gpu_front *f)
{
    f->times[f->launch].end = f->previous_end = f->now;
    f->launch++;
    f->begun = false;
    if (f->launch < f->run.launch_count)
        begin_launch(f);
}

static void sample(struct gpu_front *f)
{
    struct gpu_launch_times *t = &f->times[f->launch];
    tick_t added;
    uint64_t skip = front_waves_skip(&f->waves, f->done, t->blocks - f->next, f->now, &added);
    f->next += skip;
    f->skipped += skip;
    f->added += added;
    t->simulated -= skip;
    t->added += added;
}

/* ---- blocks */

/* When the next message can go to `sm`; TICK_NEVER: not before something comes. */
static tick_t dispatch_at(const struct gpu_front *f, uint32_t *sm)
{
    if (!f->begun || f->next == f->times[f->launch].blocks || (*sm = pick(f)) == NO_SM)
        return TICK_NEVER;
    return link_send_at(f->run.to_sm[*sm], 0, tick_max(f->next_at, f->now));
}

static void dispatch(struct gpu_front *f, uint32_t sm, tick_t now)
{
    struct message m = { .address = f->launch, .id = f->next,
                         .group = f->run.launches[f->launch].group };
    bool told = f->told[sm] == f->launch + 1;
    m.kind = told ? GPU_FRONT_BLOCK : GPU_FRONT_LAUNCH;
    link_send(f->run.to_sm[sm], 0, now, &m);
    f->told[sm] = f->launch + 1;
    if (!told)
        return;
    move(f, sm, f->count[sm] + 1);
    f->next++;
    f->next_at = now + f->interval;
}

static void take_done(struct gpu_front *f)
{
    uint32_t sm;
    const struct message *m = link_peek(f->run.from_sms, f->now, &sm);
    assert(m->kind == GPU_SM_BLOCK_DONE && m->address == f->launch);
    assert(f->count[sm] > 0);
    link_take(f->run.from_sms, f->now);
    move(f, sm, f->count[sm] - 1);
    f->done++;
    if (f->done + f->skipped == blocks_of(f))
        end_launch(f);
    else
        sample(f);
}

static tick_t run(void *self, tick_t end)
{
    struct gpu_front *f = self;
    for (;;) {
        uint32_t sm = NO_SM;
        tick_t done = link_arrival(f->run.from_sms), send = dispatch_at(f, &sm);
        if (tick_min(done, send) >= end)
            return send;
        f->now = tick_min(done, send);
        if (done <= send)
            take_done(f);
        else
            dispatch(f, sm, send);
    }
}

static bool idle(const void *self)
{
    const struct gpu_front *f = self;
    return f->launch == f->run.launch_count;
}

static void describe(const void *self, char *text, size_t size)
{
    const struct gpu_front *f = self;
    const struct gpu_launch_times *t = &f->times[f->launch];
    snprintf(text, size, "launch %u (%s): %llu of %llu blocks dispatched, %llu ended",
             f->launch, f->run.launches[f->launch].kernel->name, (unsigned long long)f->next,
             (unsigned long long)t->blocks, (unsigned long long)f->done);
}

struct block gpu_front_block(struct gpu_front *f)
{
    return (struct block){ .name = "front", .self = f, .run = run, .idle = idle,
                           .describe = describe };
}

/* ---- building */

static void init_table(struct gpu_front *f)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < f->run.launch_count; i++)
        most = f->run.occupancy[i].blocks > most ? f->run.occupancy[i].blocks : most;
    f->rows = most + AHEAD + 1;
    f->words = (f->run.sms + WORD - 1) / WORD;
    f->bits = zeroed((size_t)f->rows * f->words, sizeof *f->bits);
    f->members = zeroed(f->rows, sizeof *f->members);
    for (uint32_t sm = 0; sm < f->run.sms; sm++)
        f->bits[sm / WORD] |= UINT64_C(1) << sm % WORD;
    f->members[0] = f->run.sms;
}

struct gpu_front *gpu_front_new(const struct gpu_front_config_run *c)
{
    assert(c->sms > 0);
    struct gpu_front *f = zeroed(1, sizeof *f);
    f->run = *c;
    f->interval = ticks_ns(c->config->launch.dispatch_cycles * 1000 / c->config->gpu.clock_mhz);
    f->times = zeroed(c->launch_count, sizeof *f->times);
    f->count = zeroed(c->sms, sizeof *f->count);
    f->told = zeroed(c->sms, sizeof *f->told);
    f->waves.places = c->sample ? WAVES : 1;
    f->waves.end = zeroed(f->waves.places, sizeof *f->waves.end);
    init_table(f);
    if (c->launch_count > 0)
        begin_launch(f);
    return f;
}

void gpu_front_free(struct gpu_front *f)
{
    if (!f)
        return;
    void *arrays[] = { f->times, f->count, f->told, f->bits, f->members, f->waves.end, f };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        free(arrays[i]);
}

struct gpu_launch_times gpu_front_times(const struct gpu_front *f, uint32_t launch)
{
    assert(launch < f->run.launch_count);
    return f->times[launch];
}
