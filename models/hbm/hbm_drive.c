/* hbm_drive.c - the streams, and the queues in front of the channels. */
#include "models/hbm/hbm_drive.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { REQUEST_BYTES = 64, QUEUE_REQUESTS = 64, STEP_CYCLES = 16 };

#define SEED UINT64_C(0x9E3779B97F4A7C15)

/* ---- the streams ---- */

static struct hbm_request at(uint64_t address, bool write)
{
    return (struct hbm_request){ .address = address, .bytes = REQUEST_BYTES, .write = write };
}

static struct hbm_request a(uint64_t i, uint64_t channels, uint64_t *random)
{
    (void)channels;
    (void)random;
    return at(64 * i, false);
}

static struct hbm_request b(uint64_t i, uint64_t channels, uint64_t *random)
{
    (void)channels;
    (void)random;
    return at(64 * i, true);
}

static struct hbm_request c1(uint64_t i, uint64_t channels, uint64_t *random)
{
    (void)channels;
    (void)random;
    return at(64 * i, i % 3 == 2);
}

/* Three streams 64 MiB apart; `shift` moves each into other banks than the one before. */
static struct hbm_request three(uint64_t i, uint64_t shift)
{
    uint64_t stream = i % 3;
    return at((stream << 26) + stream * shift + 64 * (i / 3), stream == 2);
}

static struct hbm_request c2(uint64_t i, uint64_t channels, uint64_t *random)
{
    (void)random;
    return three(i, 5120 * channels);
}

static struct hbm_request c3(uint64_t i, uint64_t channels, uint64_t *random)
{
    (void)channels;
    (void)random;
    return three(i, 0);
}

static uint64_t xorshift64star(uint64_t *x)
{
    *x ^= *x >> 12;
    *x ^= *x << 25;
    *x ^= *x >> 27;
    return *x * UINT64_C(2685821657736338717);
}

static struct hbm_request d(uint64_t i, uint64_t channels, uint64_t *random)
{
    (void)i;
    return at(64 * (xorshift64star(random) % ((UINT64_C(1) << 23) * channels)), false);
}

const struct hbm_stream hbm_streams[] = {
    { "a_sequential_read",  "read 64 i", a, false },
    { "b_sequential_write", "write 64 i", b, false },
    { "c1_one_stream_2r1w", "64 i, every third a write", c1, false },
    { "c2_three_streams_2r1w_staggered", "two read streams and a written one", c2, false },
    { "c3_three_streams_2r1w_aligned", "the same, all three in one bank", c3, false },
    { "d_random_read", "random reads", d, false },
    { "latency_random_read", "d, one outstanding", d, true },
    { "latency_sequential_read", "a, one outstanding", a, true },
};
const size_t hbm_streams_count = sizeof hbm_streams / sizeof hbm_streams[0];

const struct hbm_stream *hbm_stream_find(const char *name)
{
    for (size_t i = 0; i < hbm_streams_count; i++) {
        const char *full = hbm_streams[i].name;
        size_t letters = strcspn(full, "_");
        bool is_short = strlen(name) == letters && strncmp(name, full, letters) == 0
                     && !hbm_streams[i].one_outstanding;
        if (is_short || strcmp(name, full) == 0)
            return &hbm_streams[i];
    }
    return NULL;
}

/* ---- feeding them ---- */

struct feeder {
    const struct hbm_drive *drive;
    struct hbm_config config;
    const struct hbm_map *map;
    struct hbm **stacks;
    uint64_t sent, random, answered;
    struct hbm_request next;
    bool     has_next;
    uint32_t next_stack, next_channel;
    tick_t   now, last_answer;
    struct hbm_driven result;
};

/* Looks at the stream's next request, made once. */
static bool has_next(struct feeder *f)
{
    if (f->has_next)
        return true;
    if (f->sent >= f->drive->requests)
        return false;
    uint64_t channels = (uint64_t)f->config.channels * f->config.stacks;
    f->next = f->drive->stream->request(f->sent, channels, &f->random);
    if (f->drive->run_bytes > REQUEST_BYTES) {
        uint64_t left = (f->drive->requests - f->sent) * REQUEST_BYTES;
        f->next.bytes = (uint32_t)(left < f->drive->run_bytes ? left : f->drive->run_bytes);
    }
    uint64_t local = hbm_map_local(f->map, f->next.address);
    f->next_stack = hbm_map_stack(f->map, f->next.address);
    f->next_channel = HBM_CODE_CHANNEL(hbm_map_code(f->map, local));
    f->has_next = true;
    return true;
}

static bool fits(const struct feeder *f)
{
    struct hbm *stack = f->stacks[f->next_stack];
    if (!hbm_can_take(stack))
        return false;
    if (f->drive->stream->one_outstanding)
        return f->answered == f->sent;
    uint32_t burst = hbm_burst_bytes(&f->config);
    uint32_t bursts = (REQUEST_BYTES + burst - 1) / burst;
    return hbm_waiting(stack, f->next_channel) + bursts <= QUEUE_REQUESTS * bursts;
}

static void feed(struct feeder *f)
{
    while (has_next(f) && fits(f)) {
        f->next.id = f->now;
        hbm_take(f->stacks[f->next_stack], f->now, &f->next);
        f->sent += (f->next.bytes + REQUEST_BYTES - 1) / REQUEST_BYTES;
        f->result.bytes += f->next.bytes;
        f->has_next = false;
    }
}

static void collect(struct feeder *f, struct hbm *stack, tick_t end)
{
    struct hbm_answer answer;
    while (hbm_answer(stack, end, &answer)) {
        f->answered++;
        f->last_answer = tick_max(f->last_answer, answer.tick);
        if (answer.write)
            continue;
        f->result.read_requests++;
        f->result.latency += answer.tick - answer.id;
    }
}

/* A step of some clocks; with one outstanding, to the tick after the next answer. */
static void advance(struct feeder *f, tick_t step)
{
    tick_t end = f->now + step;
    for (uint32_t s = 0; s < f->config.stacks; s++) {
        tick_t next = hbm_run(f->stacks[s], end);
        while (f->drive->stream->one_outstanding && !hbm_idle(f->stacks[s])) {
            end = tick_max(end, next + 1);
            next = hbm_run(f->stacks[s], end);
            collect(f, f->stacks[s], end);
        }
        collect(f, f->stacks[s], end);
    }
    f->now = f->drive->stream->one_outstanding ? f->last_answer : end;
}

static bool finished(struct feeder *f)
{
    if (has_next(f))
        return false;
    for (uint32_t s = 0; s < f->config.stacks; s++)
        if (!hbm_idle(f->stacks[s]))
            return false;
    return true;
}

static void add(struct hbm_stats *sum, const struct hbm_stats *s)
{
#define ADD(name, unit, what) sum->name += s->name;
    HBM_STATS(ADD)
#undef ADD
    for (int i = 0; i < HBM_CAUSES_COUNT; i++)
        sum->cycles[i] += s->cycles[i];
}

struct hbm_driven hbm_drive(const struct hbm_config *config, const struct hbm_map *map,
                            const struct hbm_drive *drive)
{
    struct feeder f = { .drive = drive, .config = *config, .map = map, .random = SEED };
    uint32_t places = QUEUE_REQUESTS + config->read_queue + config->write_queue
                    + config->bank_queue * config->bank_groups * config->banks;
    uint64_t runs = (uint64_t)config->channels * config->pseudo_channels * places;
    f.config.runs = runs < 65000 ? (uint32_t)runs : 65000;
    struct clock clock = { hbm_clock_hz(config) };
    f.stacks = calloc(config->stacks, sizeof *f.stacks);
    assert(f.stacks);
    for (uint32_t s = 0; s < config->stacks; s++)
        f.stacks[s] = hbm_new(&f.config, map, 1);
    while (!finished(&f)) {
        feed(&f);
        advance(&f, clock_tick(&clock, STEP_CYCLES));
    }
    /* Writes are answered before they are written: they count until the last step. */
    f.result.time = tick_max(f.now, f.last_answer);
    for (uint32_t s = 0; s < config->stacks; s++) {
        struct hbm_stats stats = hbm_stats(f.stacks[s], f.result.time);
        add(&f.result.stats, &stats);
        hbm_free(f.stacks[s]);
    }
    free(f.stacks);
    return f.result;
}

/* ---- what to compare ---- */

double hbm_driven_fraction_of_peak(const struct hbm_driven *r, const struct hbm_config *c)
{
    double peak = hbm_peak_bytes_per_s(c) * c->stacks;
    return (double)r->bytes / ((double)r->time / (double)TICKS_PER_S) / peak;
}

double hbm_driven_hit_fraction(const struct hbm_driven *r)
{
    double accesses = (double)r->stats.reads + (double)r->stats.writes;
    return 1 - (double)r->stats.activates / accesses;
}

double hbm_driven_activates_per_kib(const struct hbm_driven *r)
{
    return (double)r->stats.activates * 1024 / (double)r->bytes;
}

double hbm_driven_latency_ns(const struct hbm_driven *r)
{
    return (double)r->latency / (double)r->read_requests / (double)TICKS_PER_NS;
}
