/* test_sm_rig.c - see sm_rig.h; no suite of its own. */
#include "tests/models/gpu/sm_rig.h"

struct rig_entry rig_entries[RIG_LOG];
uint32_t rig_count;
uint32_t rig_tables[RIG_OPS][GPU_LANES];

static void write_down(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    (void)op;
    (void)mask;
    ck_assert(rig_count < RIG_LOG);
    rig_entries[rig_count++] = (struct rig_entry){ w->block->clock, w->pc, w->number,
                                                   w->block->index };
}

static void fill(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    uint32_t *to = w->registers[w->kernel->operands[op->operands]];
    for (unsigned lane = 0; lane < GPU_LANES; lane++)
        if (mask >> lane & 1)
            to[lane] = rig_tables[op->mode[0] | op->mode[1] << 8][lane];
}

struct rig *rig_new(void)
{
    struct rig *r = calloc(1, sizeof *r);
    ck_assert(r);
    rig_count = 0;
    memset(rig_tables, 0, sizeof rig_tables);   /* tests may run in one process */
    r->config = gpu_v100();
    r->config.gpu.clock_mhz = 1000;
    r->cycle = 1000 * 1000;
    r->config.launch.block_cycles = 0;
    r->config.fetch.l0_miss_cycles = r->config.fetch.l1_miss_cycles = 0;
    r->l2_cycles = 100;
    r->from = GPU_FROM_L2;
    r->kernel = (struct gpu_kernel){ .name = "k", .file = "k.ptx", .ops = r->ops,
                                     .operands = r->operands, .registers = 64, .predicates = 4,
                                     .shared_bytes = 4096, .oblivious = true };
    r->launch = (struct gpu_launch){ .kernel = &r->kernel };
    return r;
}

static struct link *link_of(const char *name, uint32_t cycles, uint32_t depth, uint32_t senders)
{
    return link_new(&(struct link_config){ .name = name, .latency = cycles * 1000 * 1000,
                                           .senders = senders, .depth = depth });
}

void rig_start(struct rig *r, uint32_t blocks, uint32_t threads)
{
    struct diag d = { .text = "" };
    r->launch.grid[0] = blocks;
    r->launch.grid[1] = r->launch.grid[2] = r->launch.block[1] = r->launch.block[2] = 1;
    r->launch.block[0] = threads;
    ck_assert_msg(gpu_occupancy(&r->config, &r->launch, &r->occupancy, &d), "%s", d.text);
    r->memory = gpu_memory_new(r->values);
    r->buffer = gpu_memory_add(r->memory, "x", RIG_BYTES);
    r->to_sm    = link_of("to_sm", 40, 64, 1);
    r->from_sm  = link_of("from_sm", 40, 64, 1);
    r->requests = link_of("requests", 40, 256, 1);
    r->answers  = link_of("answers", 40, RIG_MESSAGES, 1);
}

static uint32_t the_only_port(const void *map, uint64_t address)
{
    (void)map;
    (void)address;
    return 0;
}

/* ---- what stands in for L2 and the block scheduler */

static void serve(struct rig *r, const struct message *m)
{
    if (!r->values)
        return;
    struct gpu_payload *p = &gpu_sm_payloads(r->sm)[m->id];
    uint8_t *line = gpu_memory_at(r->memory, m->address, GPU_LINE, NULL);
    ck_assert(line);
    for (uint32_t i = 0; m->kind == GPU_REDUCE && i < p->atomics; i++)
        gpu_atomic_apply(&p->atomic[i], line + p->at[i], p->old[i]);
    for (unsigned i = 0; m->kind == GPU_WRITE && i < GPU_LINE; i++)
        if (p->mask[i / 64] >> i % 64 & 1)
            line[i] = p->data[i];
    if (m->kind == GPU_READ)
        memcpy(p->data, line, GPU_LINE);
}

static void take_requests(struct rig *r, tick_t end)
{
    while (link_arrival(r->requests) < end) {
        tick_t at = link_arrival(r->requests);
        struct message m = *link_peek(r->requests, at, NULL);
        link_take(r->requests, at);
        ck_assert(r->seen_count < RIG_MESSAGES);
        r->seen[r->seen_count++] = (struct rig_message){ at, m };
        serve(r, &m);
        m.port = r->from;
        r->answer[r->answer_count++] = (struct rig_message){ at + r->l2_cycles * r->cycle, m };
    }
    while (r->answer_first < r->answer_count && r->answer[r->answer_first].at < end) {
        const struct rig_message *a = &r->answer[r->answer_first++];
        link_send(r->answers, 0, a->at, &a->m);
    }
}

/* As many as run and one that waits; the others when it hears that one is done. */
static void send_blocks(struct rig *r, tick_t now)
{
    while (r->blocks_sent < r->launch.grid[0] &&
           r->blocks_sent - r->blocks_done <= r->occupancy.blocks) {
        struct message m = { .kind = GPU_FRONT_BLOCK, .id = r->blocks_sent++ };
        link_send(r->to_sm, 0, now, &m);
    }
}

static void schedule(struct rig *r, tick_t from, tick_t end)
{
    if (r->blocks_sent == 0)
        send_blocks(r, from);
    while (link_arrival(r->from_sm) < end) {
        tick_t at = link_arrival(r->from_sm);
        ck_assert_int_eq(link_peek(r->from_sm, at, NULL)->kind, GPU_SM_BLOCK_DONE);
        r->done_at = at / r->cycle - 40;
        r->blocks_done++;
        link_take(r->from_sm, at);
        send_blocks(r, at);
    }
}

void rig_step(struct rig *r, tick_t from, tick_t end)
{
    schedule(r, from, end);
    take_requests(r, end);
    r->block.run(r->block.self, end);
    link_publish(r->to_sm);
    link_publish(r->from_sm);
    link_publish(r->requests);
    link_publish(r->answers);
}

void rig_run(struct rig *r, uint32_t cycles)
{
    struct gpu_sm_config_run run = {
        .name = "sm0", .config = &r->config, .launches = &r->launch,
        .occupancy = &r->occupancy, .launch_count = 1, .groups = 1, .values = r->values,
        .memory = r->memory, .from_front = r->to_sm, .to_front = r->from_sm,
        .requests = &r->requests, .answers = r->answers, .port = the_only_port,
    };
    r->sm = gpu_sm_new(&run);
    r->block = gpu_sm_block(r->sm);
    tick_t window = cycles * r->cycle, late = r->late * r->cycle;
    if (late > 0)
        r->block.run(r->block.self, late);
    for (tick_t now = late; r->blocks_done < r->launch.grid[0] && !gpu_sm_fault(r->sm);
         now += window) {
        ck_assert_msg(now < late + 2000000 * r->cycle, "it never ends");
        rig_step(r, now, now + window);
    }
}

void rig_free(struct rig *r)
{
    gpu_sm_free(r->sm);
    gpu_memory_free(r->memory);
    link_free(r->to_sm);
    link_free(r->from_sm);
    link_free(r->requests);
    link_free(r->answers);
    free(r);
}

/* ---- operations */

uint32_t rig_op(struct rig *r, struct gpu_op op, const int *dsts, const int *srcs)
{
    static const uint8_t none = GPU_NO_PREDICATE;
    uint32_t at = r->kernel.operand_count;
    op.operands = at;
    for (op.dsts = 0; dsts && dsts[op.dsts] >= 0; op.dsts++)
        r->operands[at++] = (uint16_t)dsts[op.dsts];
    for (op.srcs = 0; srcs && srcs[op.srcs] >= 0; op.srcs++)
        r->operands[at++] = (uint16_t)srcs[op.srcs];
    r->kernel.operand_count = at;
    if (op.guard == 0)
        op.guard = none;
    op.pdst[0] = op.pdst[1] = op.psrc[0] = op.psrc[1] = op.psrc[2] = none;
    op.line = r->kernel.count + 1;
    ck_assert(r->kernel.count < RIG_OPS);
    r->ops[r->kernel.count] = op;
    return r->kernel.count++;
}

uint32_t rig_compute(struct rig *r, enum gpu_pipe pipe, uint32_t interval, uint32_t latency,
                     int d, int a, int b)
{
    return rig_op(r, (struct gpu_op){ .kind = GPU_COMPUTE, .pipe = (uint8_t)pipe,
                                      .interval = (uint16_t)(interval * 16),
                                      .latency = (uint16_t)latency, .event = GPU_EVENT_FP32,
                                      .flops = 2 },
                  (const int[]){ d, -1 }, (const int[]){ a, a < 0 ? -1 : b, -1 });
}

uint32_t rig_log_reading(struct rig *r, int a)
{
    return rig_op(r, (struct gpu_op){ .kind = GPU_COMPUTE, .pipe = GPU_PIPE_CONTROL,
                                      .flags = GPU_OP_CONTROL, .execute = write_down,
                                      .latency = 1, .event = GPU_EVENTS_COUNT },
                  NULL, (const int[]){ a, -1 });
}

uint32_t rig_log(struct rig *r) { return rig_log_reading(r, -1); }

uint32_t rig_table(struct rig *r, int d, unsigned table)
{
    return rig_op(r, (struct gpu_op){ .kind = GPU_COMPUTE, .pipe = GPU_PIPE_CONTROL,
                                      .flags = GPU_OP_CONTROL, .execute = fill, .latency = 1,
                                      .event = GPU_EVENTS_COUNT, .mode = { (uint8_t)table, (uint8_t)(table >> 8) } },
                  (const int[]){ d, -1 }, NULL);
}

static uint32_t memory_op(struct rig *r, enum gpu_kind kind, struct gpu_access a, int d,
                          int address)
{
    int registers[] = { d, -1, -1, -1, -1 }, sources[8], n = 0;
    for (int i = 0; i < (a.bytes + 3) / 4; i++)
        registers[i] = d < 0 ? -1 : d + i;
    for (int i = 0; i < a.address_words; i++)
        sources[n++] = address + i;
    a.data_at = (uint8_t)n;
    for (int i = 0; kind != GPU_LOAD && d >= 0 && i < (a.bytes + 3) / 4; i++)
        sources[n++] = d + i;
    sources[n] = -1;
    return rig_op(r, (struct gpu_op){ .kind = (uint8_t)kind, .pipe = GPU_PIPE_LSU,
                                      .interval = (uint16_t)(r->config.lsu.interval * 16),
                                      .number = 4, .event = GPU_EVENTS_COUNT, .access = a },
                  kind == GPU_LOAD || kind == GPU_MATRIX ? registers : NULL, sources);
}

uint32_t rig_shared(struct rig *r, enum gpu_kind kind, uint32_t bytes, int d, int address)
{
    return memory_op(r, kind, (struct gpu_access){
        .space = GPU_SPACE_SHARED, .bytes = (uint8_t)bytes, .address_words = 1,
        .element_bytes = (uint8_t)(bytes < 4 ? bytes : 4) }, d, address);
}

uint32_t rig_global(struct rig *r, enum gpu_kind kind, enum gpu_cache cache, uint32_t bytes,
                    int d, int address)
{
    return memory_op(r, kind, (struct gpu_access){
        .space = GPU_SPACE_GLOBAL, .cache = (uint8_t)cache, .bytes = (uint8_t)bytes,
        .address_words = 2, .element_bytes = (uint8_t)(bytes < 4 ? bytes : 4) }, d, address);
}

uint32_t rig_simple(struct rig *r, enum gpu_kind kind, uint32_t number)
{
    return rig_op(r, (struct gpu_op){ .kind = (uint8_t)kind, .pipe = GPU_PIPE_CONTROL,
                                      .number = (uint8_t)number, .event = GPU_EVENTS_COUNT },
                  NULL, NULL);
}

cycle_t rig_at(uint64_t block, uint32_t warp, uint32_t n)
{
    for (uint32_t i = 0; i < rig_count; i++)
        if (rig_entries[i].block == block && rig_entries[i].warp == warp && n-- == 0)
            return rig_entries[i].at;
    ck_abort_msg("it did not issue");
    return 0;
}
