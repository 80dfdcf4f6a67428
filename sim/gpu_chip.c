/* gpu_chip.c - see gpu_chip.h. */
#include "sim/gpu_chip.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/zeroed.h"

#define NAME 32
#define LEAST_FAR_NS ((double)ENGINE_LEAST_WINDOW / TICKS_PER_NS)
#define DISPATCHED 2            /* messages to an SM besides its blocks: a launch, one ahead */

struct route { const struct gpu_l2_map *map; uint32_t partition; };

struct parts {
    struct link **requests;     /* [l2s], from all SMs */
    struct link **answers;      /* [sms], from all L2 blocks */
    struct link **to_memory;    /* [stacks], from the L2 blocks in front of it */
    struct link **from_memory;  /* [l2s] */
    struct link **to_other;     /* [l2s], or NULL */
    struct link **to_sm;        /* [sms] */
    struct link  *from_sms;
    struct gpu_payload **payloads;  /* [sms], or NULL */
    struct route  route[2];     /* of a partition's SMs */
    uint32_t     *numbers;      /* blocks in their order: who sends on a link is a part of it */
    uint32_t     *in_front;     /* [stacks][partitions]: L2 blocks */
    char        (*names)[NAME];
};

/* ---- figures that do not go together */

static bool power_of_two(uint64_t n) { return n > 0 && (n & (n - 1)) == 0; }

static bool check_lines(const struct gpu_l2_config *l2, struct diag *d)
{
    if (l2->sector_bytes != GPU_SECTOR)
        return diag_set(d, 0, 0, "l2.sector_bytes: %u is not what SMs ask for; expected %u",
                        l2->sector_bytes, GPU_SECTOR);
    if (!power_of_two(l2->line_bytes) || l2->line_bytes < GPU_LINE)
        return diag_set(d, 0, 0, "l2.line_bytes: %u is not a power of two, at least %u; expected "
                        "one", l2->line_bytes, GPU_LINE);
    if (!power_of_two(l2->fill_sectors))
        return diag_set(d, 0, 0, "l2.fill_sectors: %u does not divide a line; expected 1, 2 or 4",
                        l2->fill_sectors);
    return true;
}

static bool check_slices(const struct gpu_l2_config *l2, const struct hbm_config *hbm,
                         struct diag *d)
{
    uint32_t groups = l2->partitions * hbm->stacks;
    uint64_t sets = (uint64_t)l2->slices * l2->ways * l2->line_bytes;
    if (l2->slices % groups != 0)
        return diag_set(d, 0, 0, "l2.slices: %u cannot be spread over %u partitions and %u "
                        "stacks; expected a multiple of %u", l2->slices, l2->partitions,
                        hbm->stacks, groups);
    if (l2->bytes % sets != 0)
        return diag_set(d, 0, 0, "l2.bytes: %llu are not whole sets in each slice; expected a "
                        "multiple of slices x ways x line_bytes, %llu",
                        (unsigned long long)l2->bytes, (unsigned long long)sets);
    if ((uint64_t)l2->slices / groups * l2->mshrs >= 1u << 24)
        return diag_set(d, 0, 0, "l2.mshrs: %u in each of %u slices are too many; expected less "
                        "than %u in front of a stack", l2->mshrs, l2->slices, 1u << 24);
    return true;
}

static bool check(const struct gpu_config *c, const struct hbm_config *hbm, struct diag *d)
{
    if (c->l2.partitions > 1 && c->crossbar.far_ns < LEAST_FAR_NS)
        return diag_set(d, 0, 0, "crossbar.far_ns: %g is too short for two partitions; expected "
                        "at least %g", c->crossbar.far_ns, LEAST_FAR_NS);
    if (c->sm.count < c->l2.partitions)
        return diag_set(d, 0, 0, "sm.count: %u cannot be spread over %u partitions; expected at "
                        "least one each", c->sm.count, c->l2.partitions);
    return check_lines(&c->l2, d) && check_slices(&c->l2, hbm, d);
}

static bool check_map(const struct gpu_config *c, const struct hbm_config *hbm,
                      struct hbm_map *map, struct diag *d)
{
    struct diag why = { .text = "" };
    if (!hbm_check(hbm, map, &why))
        return diag_set(d, 0, 0, "hbm: %s", why.text);      /* a figure's, of no line of a file */
    if (hbm_map_run_bytes(map) < c->l2.line_bytes)
        return diag_set(d, 0, 0, "hbm.map: only %llu bytes in a row stay in a stack; expected "
                        "a line of l2.line_bytes, %u", (unsigned long long)hbm_map_run_bytes(map),
                        c->l2.line_bytes);
    return true;
}

bool gpu_chip_check(const struct gpu_config *c, const struct hbm_config *hbm, struct diag *d)
{
    struct hbm_map map;
    return check(c, hbm, d) && check_map(c, hbm, &map, d);
}

/* ---- who is joined to whom */

static uint32_t sm_block(uint32_t sm) { return sm; }
static uint32_t l2_block(const struct gpu_chip *c, uint32_t l2) { return c->sms + l2; }
static uint32_t stack_block(const struct gpu_chip *c, uint32_t s) { return c->sms + c->l2s + s; }
static uint32_t front_block(const struct gpu_chip *c) { return c->sms + c->l2s + c->stacks; }

/* Neighbours by number are on different sides, so that a grid of few blocks, which fills SMs in
 * the order of their numbers, has half of them on each. */
static uint32_t partition_of(const struct gpu_chip *c, uint32_t sm)
{
    return sm % c->l2_map.partitions;
}

/* Credits for the link never to hold up a sender: rate times both ways, and one.  Each L2
 * block's share of the sectors that can enter an SM, or all of it in whole lines. */
static uint32_t depth(double messages_per_s, double ns)
{
    return (uint32_t)ceil(messages_per_s * 2 * ns * 1e-9) + 1;
}

static struct link *make_link(struct gpu_chip *c, const char *name, double ns, uint32_t senders,
                              uint32_t slots, uint32_t receiver, const uint32_t *members)
{
    struct link_config config = { .name = name, .latency = ticks_ns(ns), .senders = senders,
                                  .depth = slots };
    struct link *l = link_new(&config);
    c->links[c->link_count++] = (struct engine_link){ l, receiver, members };
    return l;
}

static void wire_crossbar(struct gpu_chip *c)
{
    struct parts *p = c->parts;
    const struct gpu_config *g = c->run.config;
    double ns = g->crossbar.latency_ns;
    double bytes_per_s = g->crossbar.answer_bytes * g->gpu.clock_mhz * 1e6;
    double answers_per_s = fmax(bytes_per_s / GPU_SECTOR / c->stacks, bytes_per_s / GPU_LINE);
    for (uint32_t l = 0; l < c->l2s; l++)
        p->requests[l] = make_link(c, "requests", ns, c->sms, g->l2.queue, l2_block(c, l),
                                   p->numbers);
    for (uint32_t s = 0; s < c->sms; s++)
        p->answers[s] = make_link(c, "answers", ns, c->l2s, depth(answers_per_s, ns),
                                  sm_block(s), p->numbers + c->sms);
}

static void wire_memory(struct gpu_chip *c)
{
    struct parts *p = c->parts;
    const struct gpu_l2_config *l2 = &c->run.config->l2;
    double fills_per_s = hbm_peak_bytes_per_s(c->run.hbm) / (l2->fill_sectors * GPU_SECTOR);
    uint32_t slots = depth(fills_per_s, l2->memory_ns), partitions = l2->partitions;
    for (uint32_t s = 0; s < c->stacks; s++) {
        for (uint32_t i = 0; i < partitions; i++)
            p->in_front[s * partitions + i] = l2_block(c, i * c->stacks + s);
        p->to_memory[s] = make_link(c, "runs", l2->memory_ns, partitions, slots,
                                    stack_block(c, s), p->in_front + s * partitions);
    }
    for (uint32_t l = 0; l < c->l2s; l++)
        p->from_memory[l] = make_link(c, "fills", l2->memory_ns, 1, slots + c->run.hbm->runs,
                                      l2_block(c, l), p->numbers + stack_block(c, l % c->stacks));
}

static void wire_partitions(struct gpu_chip *c)
{
    struct parts *p = c->parts;
    const struct gpu_config *g = c->run.config;
    if (g->l2.partitions == 1)
        return;
    uint32_t slots = depth(c->l2_map.slices * g->l2.clock_mhz * 1e6, g->crossbar.far_ns);
    for (uint32_t l = 0; l < c->l2s; l++)
        p->to_other[l] = make_link(c, "far", g->crossbar.far_ns, 1, slots,
                                   l2_block(c, (l + c->stacks) % c->l2s),
                                   p->numbers + l2_block(c, l));
}

static void wire_front(struct gpu_chip *c)
{
    struct parts *p = c->parts;
    const struct gpu_config *g = c->run.config;
    for (uint32_t s = 0; s < c->sms; s++)
        p->to_sm[s] = make_link(c, "blocks", g->launch.link_ns, 1, g->sm.blocks + DISPATCHED,
                                sm_block(s), p->numbers + front_block(c));
    p->from_sms = make_link(c, "ends", g->launch.link_ns, c->sms, g->sm.blocks, front_block(c),
                            p->numbers);
}

/* ---- the blocks */

static uint32_t port(const void *route, uint64_t address)
{
    const struct route *r = route;
    return gpu_l2_map_group(r->map, r->partition, address);
}

/* Each SM has local memory for the launch that needs most; false: there is no room.  A thread
 * may have 512 KiB and touch a few words of it. */
static bool place_local(struct gpu_chip *c, struct diag *d)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < c->run.launch_count; i++) {
        uint64_t bytes = gpu_local_bytes(&c->run.launches[i], &c->occupancy[i]);
        most = bytes > most ? bytes : most;
    }
    c->local_bytes = (most + GPU_LINE - 1) / GPU_LINE * GPU_LINE;
    if (most > 0)
        c->local_base = gpu_memory_add_sparse(c->run.memory, "local memory",
                                              c->local_bytes * c->sms);
    return most == 0 || c->local_base > 0
        || diag_set(d, 0, 0, "no memory for %llu bytes of local memory in each SM; expected a "
                    "kernel that takes less", (unsigned long long)c->local_bytes);
}

static void build_sms(struct gpu_chip *c)
{
    struct parts *p = c->parts;
    for (uint32_t i = 0; i < c->sms; i++) {
        snprintf(p->names[i], NAME, "sm%u", i);
        c->sm[i] = gpu_sm_new(&(struct gpu_sm_config_run){
            .name = p->names[i], .config = c->run.config, .launches = c->run.launches,
            .occupancy = c->occupancy, .launch_count = c->run.launch_count,
            .groups = c->run.groups, .number = i, .partition = partition_of(c, i),
            .values = c->run.values, .memory = c->run.memory,
            .local_base = c->local_base ? c->local_base + i * c->local_bytes : 0,
            .from_front = p->to_sm[i],
            .to_front = p->from_sms, .front_sender = i, .requests = p->requests,
            .answers = p->answers[i], .port = port, .map = &p->route[partition_of(c, i)],
        });
        c->blocks[sm_block(i)] = gpu_sm_block(c->sm[i]);
        if (c->run.values)
            p->payloads[i] = gpu_sm_payloads(c->sm[i]);
    }
}

static void build_l2(struct gpu_chip *c)
{
    struct parts *p = c->parts;
    for (uint32_t l = 0; l < c->l2s; l++) {
        uint32_t partition = l / c->stacks, stack = l % c->stacks;
        char *name = p->names[l2_block(c, l)];
        snprintf(name, NAME, "l2.%u.%u", partition, stack);
        c->l2[l] = gpu_l2_new(&(struct gpu_l2_config_run){
            .name = name, .config = c->run.config, .map = &c->l2_map, .partition = partition,
            .stack = stack, .sms = c->sms, .groups = c->run.groups, .requests = p->requests[l],
            .answers = p->answers, .payloads = c->run.values ? p->payloads : NULL,
            .memory = c->run.memory, .to_memory = p->to_memory[stack],
            .from_memory = p->from_memory[l], .memory_sender = partition,
            .to_other = p->to_other[l], .from_other = p->to_other[(l + c->stacks) % c->l2s],
        });
        c->blocks[l2_block(c, l)] = gpu_l2_block(c->l2[l]);
    }
}

static void build_stacks(struct gpu_chip *c)
{
    struct parts *p = c->parts;
    for (uint32_t s = 0; s < c->stacks; s++) {
        char *name = p->names[stack_block(c, s)];
        struct link *answers[2];        /* as many as there are partitions */
        for (uint32_t i = 0; i < c->l2_map.partitions; i++)
            answers[i] = p->from_memory[i * c->stacks + s];
        snprintf(name, NAME, "hbm%u", s);
        c->stack[s] = hbm_block_new(name, c->run.hbm, &c->map, c->run.groups, p->to_memory[s],
                                    answers);
        c->blocks[stack_block(c, s)] = hbm_block_block(c->stack[s]);
    }
}

static void build_front(struct gpu_chip *c)
{
    struct parts *p = c->parts;
    c->front = gpu_front_new(&(struct gpu_front_config_run){
        .config = c->run.config, .launches = c->run.launches, .occupancy = c->occupancy,
        .launch_count = c->run.launch_count, .sms = c->sms, .to_sm = p->to_sm,
        .from_sms = p->from_sms, .sample = c->run.sample,
    });
    c->blocks[front_block(c)] = gpu_front_block(c->front);
}

static void allocate(struct gpu_chip *c)
{
    struct parts *p = c->parts = zeroed(1, sizeof *p);
    c->block_count = c->sms + c->l2s + c->stacks + 1;
    p->requests = zeroed(c->l2s, sizeof *p->requests);
    p->answers = zeroed(c->sms, sizeof *p->answers);
    p->to_memory = zeroed(c->stacks, sizeof *p->to_memory);
    p->from_memory = zeroed(c->l2s, sizeof *p->from_memory);
    p->to_other = zeroed(c->l2s, sizeof *p->to_other);
    p->to_sm = zeroed(c->sms, sizeof *p->to_sm);
    p->payloads = zeroed(c->sms, sizeof *p->payloads);
    p->numbers = zeroed(c->block_count, sizeof *p->numbers);
    p->in_front = zeroed(c->l2s, sizeof *p->in_front);
    p->names = zeroed(c->block_count, sizeof *p->names);
    c->sm = zeroed(c->sms, sizeof *c->sm);
    c->l2 = zeroed(c->l2s, sizeof *c->l2);
    c->stack = zeroed(c->stacks, sizeof *c->stack);
    c->blocks = zeroed(c->block_count, sizeof *c->blocks);
    c->links = zeroed(2 * (size_t)c->sms + 3 * (size_t)c->l2s + c->stacks + 1, sizeof *c->links);
    for (uint32_t b = 0; b < c->block_count; b++)
        p->numbers[b] = b;
    for (uint32_t i = 0; i < c->l2_map.partitions; i++)
        p->route[i] = (struct route){ &c->l2_map, i };
}

static bool fit_launches(struct gpu_chip *c, struct diag *d)
{
    c->occupancy = zeroed(c->run.launch_count, sizeof *c->occupancy);
    for (uint32_t i = 0; i < c->run.launch_count; i++)
        if (!gpu_occupancy(c->run.config, &c->run.launches[i], &c->occupancy[i], d))
            return false;
    return true;
}

struct gpu_chip *gpu_chip_new(const struct gpu_chip_config_run *run, struct diag *d)
{
    struct gpu_chip *c = zeroed(1, sizeof *c);
    const struct gpu_config *g = run->config;
    c->run = *run;
    c->sms = g->sm.count;
    if (!check(g, run->hbm, d) || !check_map(g, run->hbm, &c->map, d) || !fit_launches(c, d)
        || !place_local(c, d)) {
        free(c->occupancy);
        free(c);
        return NULL;
    }
    gpu_l2_map_init(&c->l2_map, g, &c->map);
    c->clock.hz = (uint64_t)(g->gpu.clock_mhz * 1e6 + 0.5);
    c->stacks = run->hbm->stacks;
    c->l2s = g->l2.partitions * c->stacks;
    allocate(c);
    wire_crossbar(c);
    wire_memory(c);
    wire_partitions(c);
    wire_front(c);
    build_sms(c);
    build_l2(c);
    build_stacks(c);
    build_front(c);
    c->engine = (struct engine_config){ .blocks = c->blocks, .block_count = c->block_count,
                                        .links = c->links, .link_count = c->link_count };
    return c;
}

void gpu_chip_free(struct gpu_chip *c)
{
    if (!c)
        return;
    struct parts *p = c->parts;
    for (uint32_t i = 0; i < c->sms; i++)
        gpu_sm_free(c->sm[i]);
    for (uint32_t i = 0; i < c->l2s; i++)
        gpu_l2_free(c->l2[i]);
    for (uint32_t s = 0; s < c->stacks; s++)
        hbm_block_free(c->stack[s]);
    gpu_front_free(c->front);
    for (uint32_t l = 0; l < c->link_count; l++)
        link_free(c->links[l].link);
    void *arrays[] = { p->requests, p->answers, p->to_memory, p->from_memory, p->to_other,
                       p->to_sm, p->payloads, p->numbers, p->in_front, p->names, p, c->occupancy,
                       c->sm, c->l2, c->stack, c->blocks, c->links, c };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        free(arrays[i]);
}

tick_t gpu_chip_end(const struct gpu_chip *c)
{
    uint32_t launches = c->run.launch_count;
    return launches ? gpu_front_times(c->front, launches - 1).end : 0;
}

const char *gpu_chip_fault(const struct gpu_chip *c)
{
    const char *fault = NULL;
    for (uint32_t i = 0; i < c->sms && !fault; i++)
        fault = gpu_sm_fault(c->sm[i]);
    return fault;
}
