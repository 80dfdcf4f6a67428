/* l2_bench.h - L2 groups with their links and stacks, and SMs that only send what they are
 * told, for tests.
 *
 * An SM sends its requests in order, each not before its time and not before fewer than
 * `under_way` are; slot i of its payloads belongs to request i.
 */
#ifndef TESTS_MODELS_GPU_L2_BENCH_H
#define TESTS_MODELS_GPU_L2_BENCH_H

#include <check.h>
#include <stdlib.h>

#include "models/gpu/l2.h"
#include "models/hbm/hbm_block.h"
#include "sim/loop.h"
#include "tests/models/gpu/gpu_figures.h"

#define NS TICKS_PER_NS

enum { L2_SMS = 8, L2_GROUPS = 16, L2_STACKS = 8, L2_BLOCKS = L2_SMS + L2_GROUPS + L2_STACKS };

struct l2_request {
    tick_t   at;                    /* not sent before */
    uint64_t address;
    uint32_t bytes;                 /* as in a message */
    uint8_t  kind;
    uint16_t group;
    tick_t   sent, answered;
    uint8_t  from;
};

struct l2_sm {
    struct l2_bench *bench;
    uint32_t number, partition, count, room, next, answers, under_way;
    tick_t   gap, ready;            /* between two requests; when the next may go */
    struct l2_request  *requests;
    struct gpu_payload *payloads;
};

struct l2_bench {
    struct gpu_config config;
    struct hbm_config hbm;
    struct hbm_map    map;
    struct gpu_l2_map l2_map;
    struct gpu_memory *memory;      /* or NULL */
    uint32_t sms, groups, stacks, trace_groups;
    struct l2_sm sm[L2_SMS];
    struct link *requests[L2_GROUPS], *answers[L2_SMS], *to_memory[L2_STACKS];
    struct link *from_memory[L2_GROUPS], *to_other[L2_GROUPS];
    struct gpu_payload *payloads[L2_SMS];
    struct gpu_l2    *l2[L2_GROUPS];
    struct hbm_block *stack[L2_STACKS];
    tick_t end;                     /* the last answer */
};

/* A clock of 1 ns everywhere.  A sector is read from a closed row in 10 + 14 + 15 + 2 = 41 ns,
 * each further one of the row 2 ns later; it never refreshes. */
static inline struct hbm_config l2_bench_hbm(uint32_t stacks)
{
    return (struct hbm_config){
        .stacks = stacks, .capacity_gib = 1, .channels = 4, .channel_bits = 128,
        .pseudo_channels = 2, .bank_groups = 4, .banks = 4, .row_bytes = 1024,
        .burst_length = 4, .pin_gbps = 2, .clock_bits = 2,
        .map = "offset column:3 pseudo channel stack column group bank row; "
               "channel ^= row[0:1]; pseudo ^= row[2]; bank ^= row[3:4]; group ^= row[5:6]",
        .rcd_rd_ns = 14, .rcd_wr_ns = 12, .rp_ns = 13, .ras_ns = 34, .rc_ns = 48, .ccd_s_ns = 2,
        .ccd_l_ns = 2, .rrd_s_ns = 4, .rrd_l_ns = 4, .faw_ns = 16, .cl_ns = 15, .cwl_ns = 5,
        .wr_ns = 16, .rtp_ns = 5, .wtr_s_ns = 6, .wtr_l_ns = 8, .turn_ns = 2,
        .refresh = HBM_REFRESH_NONE, .rfc_ns = 160, .refi_ns = 3900, .act_cycles = 2,
        .pre_cycles = 1, .read_queue = 128, .write_queue = 128, .write_high = 104,
        .write_low = 26, .hit_cap = 65535, .front_ns = 10, .runs = 1024,
    };
}

/* 3 sets of 5 lines in each of `slices` slices of a group. */
static inline struct gpu_config l2_bench_figures(uint32_t partitions, uint32_t stacks,
                                                 uint32_t slices)
{
    struct gpu_config c = gpu_v100();
    c.crossbar.latency_ns = 43;
    c.crossbar.far_ns = partitions == 2 ? 71 : 0;
    c.l2.clock_mhz = 1000;
    c.l2.partitions = partitions;
    c.l2.slices = partitions * stacks * slices;
    c.l2.ways = 5;
    c.l2.bytes = (uint64_t)c.l2.slices * 3 * 5 * 128;
    c.l2.fill_sectors = 1;
    c.l2.hit_cycles = 37;
    c.l2.bytes_per_cycle = 32;
    c.l2.mshrs = 16;
    c.l2.queue = 16;
    c.l2.memory_ns = 23;
    return c;
}

static inline void l2_bench_start(struct l2_bench *b, const struct gpu_config *config,
                                  uint32_t stacks, uint32_t sms)
{
    struct diag d = { .text = "" };
    *b = (struct l2_bench){ .config = *config, .hbm = l2_bench_hbm(stacks), .sms = sms,
                            .stacks = stacks, .groups = config->l2.partitions * stacks,
                            .trace_groups = 3 };
    ck_assert_msg(hbm_check(&b->hbm, &b->map, &d), "%s", d.text);
    gpu_l2_map_init(&b->l2_map, &b->config, &b->map);
    for (uint32_t i = 0; i < sms; i++)
        b->sm[i] = (struct l2_sm){ .bench = b, .number = i, .under_way = UINT32_MAX, .gap = NS,
                                   .partition = i * config->l2.partitions / sms };
}

/* One more request of an SM.  Its number. */
static inline uint32_t l2_bench_add(struct l2_bench *b, uint32_t sm, struct l2_request r)
{
    struct l2_sm *s = &b->sm[sm];
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 64;
        s->requests = realloc(s->requests, s->room * sizeof *s->requests);
        ck_assert_ptr_nonnull(s->requests);
    }
    s->requests[s->count] = r;
    return s->count++;
}

static inline uint32_t l2_bench_read(struct l2_bench *b, uint32_t sm, tick_t at, uint64_t address,
                                     uint32_t sectors)
{
    return l2_bench_add(b, sm, (struct l2_request){ .at = at, .address = address,
                                                    .bytes = sectors, .kind = GPU_READ });
}

static inline uint32_t l2_bench_write(struct l2_bench *b, uint32_t sm, tick_t at,
                                      uint64_t address, uint32_t sectors, uint32_t full)
{
    return l2_bench_add(b, sm, (struct l2_request){ .at = at, .address = address,
                                                    .bytes = sectors | full << 4,
                                                    .kind = GPU_WRITE });
}

static inline void l2_bench_take(struct l2_sm *s, tick_t now)
{
    struct link *l = s->bench->answers[s->number];
    const struct message *m = link_peek(l, now, NULL);
    struct l2_request *r = &s->requests[m->id];
    ck_assert_uint_lt(m->id, s->count);
    ck_assert_uint_eq(m->address, r->address);
    ck_assert_uint_eq(m->bytes, r->bytes);
    ck_assert_uint_eq(m->kind, r->kind);
    ck_assert_uint_eq(r->answered, 0);
    r->answered = now;
    r->from = m->port;
    link_take(l, now);
    s->answers++;
    s->bench->end = tick_max(s->bench->end, now);
}

static inline tick_t l2_bench_run_sm(void *self, tick_t end)
{
    struct l2_sm *s = self;
    struct l2_bench *b = s->bench;
    for (;;) {
        tick_t answer = link_arrival(b->answers[s->number]), send = TICK_NEVER;
        struct link *l = NULL;
        if (s->next < s->count && s->next - s->answers < s->under_way) {
            struct l2_request *r = &s->requests[s->next];
            l = b->requests[gpu_l2_map_group(&b->l2_map, s->partition, r->address)];
            send = link_send_at(l, s->number, tick_max(r->at, s->ready));
        }
        if (tick_min(answer, send) >= end)
            return send;
        if (answer <= send) {
            l2_bench_take(s, answer);
            s->ready = tick_max(s->ready, answer);
            continue;
        }
        struct l2_request *r = &s->requests[s->next];
        struct message m = { .address = r->address, .id = s->next++, .bytes = r->bytes,
                             .group = r->group, .kind = r->kind, .port = (uint8_t)s->partition };
        link_send(l, s->number, send, &m);
        r->sent = send;
        s->ready = send + s->gap;
    }
}

static inline bool l2_bench_sm_idle(const void *self)
{
    const struct l2_sm *s = self;
    return s->answers == s->count;
}

struct l2_bench_wires {
    struct engine_link links[L2_SMS + 4 * L2_GROUPS];
    uint32_t link_count, numbers[L2_BLOCKS], in_front[L2_STACKS][2];
};

static inline struct link *l2_bench_link(struct l2_bench_wires *w, double ns, uint32_t senders,
                                         uint32_t depth, uint32_t receiver,
                                         const uint32_t *members)
{
    struct link *l = link_new(&(struct link_config){ .name = "link", .latency = ticks_ns(ns),
                                                     .senders = senders, .depth = depth });
    w->links[w->link_count++] = (struct engine_link){ l, receiver, members };
    return l;
}

/* Blocks: SMs, groups, stacks. */
static inline void l2_bench_wire(struct l2_bench *b, struct l2_bench_wires *w)
{
    const struct gpu_config *c = &b->config;
    uint32_t l2 = b->sms, hbm = b->sms + b->groups, partitions = c->l2.partitions;
    for (uint32_t i = 0; i < L2_BLOCKS; i++)
        w->numbers[i] = i;
    for (uint32_t g = 0; g < b->groups; g++)
        b->requests[g] = l2_bench_link(w, c->crossbar.latency_ns, b->sms, c->l2.queue, l2 + g,
                                       w->numbers);
    for (uint32_t s = 0; s < b->sms; s++)
        b->answers[s] = l2_bench_link(w, c->crossbar.latency_ns, b->groups, 300, s,
                                      w->numbers + l2);
    for (uint32_t s = 0; s < b->stacks; s++) {
        for (uint32_t p = 0; p < partitions; p++)
            w->in_front[s][p] = l2 + p * b->stacks + s;
        b->to_memory[s] = l2_bench_link(w, c->l2.memory_ns, partitions, 100, hbm + s,
                                        w->in_front[s]);
    }
    for (uint32_t g = 0; g < b->groups; g++) {
        b->from_memory[g] = l2_bench_link(w, c->l2.memory_ns, 1, 1200, l2 + g,
                                          w->numbers + hbm + g % b->stacks);
        if (partitions == 2)
            b->to_other[g] = l2_bench_link(w, c->crossbar.far_ns, 1, 64,
                                           l2 + (g + b->stacks) % b->groups, w->numbers + l2 + g);
    }
}

static inline void l2_bench_build(struct l2_bench *b, struct block *blocks)
{
    for (uint32_t s = 0; s < b->sms; s++) {
        struct l2_sm *sm = &b->sm[s];
        blocks[s] = (struct block){ .name = "sm", .self = sm, .run = l2_bench_run_sm,
                                    .idle = l2_bench_sm_idle };
        b->payloads[s] = sm->payloads;
    }
    for (uint32_t g = 0; g < b->groups; g++) {
        b->l2[g] = gpu_l2_new(&(struct gpu_l2_config_run){
            .name = "l2", .config = &b->config, .map = &b->l2_map, .partition = g / b->stacks,
            .stack = g % b->stacks, .sms = b->sms, .groups = b->trace_groups,
            .requests = b->requests[g], .answers = b->answers,
            .payloads = b->memory ? b->payloads : NULL, .memory = b->memory,
            .to_memory = b->to_memory[g % b->stacks], .from_memory = b->from_memory[g],
            .memory_sender = g / b->stacks, .to_other = b->to_other[g],
            .from_other = b->to_other[(g + b->stacks) % b->groups] });
        blocks[b->sms + g] = gpu_l2_block(b->l2[g]);
    }
    for (uint32_t s = 0; s < b->stacks; s++) {
        struct link *answers[2] = { b->from_memory[s] };
        if (b->groups > b->stacks)
            answers[1] = b->from_memory[b->stacks + s];
        b->stack[s] = hbm_block_new("hbm", &b->hbm, &b->map, b->trace_groups, b->to_memory[s],
                                    answers);
        blocks[b->sms + b->groups + s] = hbm_block_block(b->stack[s]);
    }
}

/* Runs until all is answered, in windows of the largest one's n-th part. */
static inline void l2_bench_go(struct l2_bench *b, uint32_t part)
{
    struct l2_bench_wires w = { .link_count = 0 };
    struct block blocks[L2_BLOCKS];
    struct engine_result r;
    l2_bench_wire(b, &w);
    l2_bench_build(b, blocks);
    struct engine_config c = { .blocks = blocks, .block_count = b->sms + b->groups + b->stacks,
                               .links = w.links, .link_count = w.link_count };
    c.window = engine_window(&c) / part;
    ck_assert_msg(loop_run(&c, &r), "%s", r.stuck);
    for (uint32_t i = 0; i < w.link_count; i++)
        link_free(w.links[i].link);
}

static inline struct gpu_l2_stats l2_bench_stats(const struct l2_bench *b)
{
    struct gpu_l2_stats sum = { 0 };
    for (uint32_t g = 0; g < b->groups; g++)
        for (uint32_t t = 0; t < b->trace_groups; t++) {
            struct gpu_l2_stats s = gpu_l2_stats(b->l2[g], t);
#define STAT(name, unit, what) sum.name += s.name;
            GPU_L2_STATS(STAT)
#undef STAT
        }
    return sum;
}

static inline struct hbm_stats l2_bench_memory(const struct l2_bench *b, tick_t now)
{
    struct hbm_stats sum = { 0 };
    for (uint32_t i = 0; i < b->stacks; i++) {
        struct hbm_stats s = hbm_stats(hbm_block_hbm(b->stack[i]), now);
        sum.read_bytes += s.read_bytes;
        sum.written_bytes += s.written_bytes;
    }
    return sum;
}

static inline void l2_bench_stop(struct l2_bench *b)
{
    for (uint32_t g = 0; g < b->groups; g++)
        gpu_l2_free(b->l2[g]);
    for (uint32_t s = 0; s < b->stacks; s++)
        hbm_block_free(b->stack[s]);
    for (uint32_t s = 0; s < b->sms; s++) {
        free(b->sm[s].requests);
        free(b->sm[s].payloads);
    }
}

static inline uint64_t l2_bench_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

#endif
