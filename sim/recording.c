/* recording.c - see recording.h. */
#include "sim/recording.h"

#include "models/zeroed.h"

static struct recording *begin(const struct recording_ask *a, uint32_t blocks)
{
    struct recording *x = zeroed(1, sizeof *x);
    x->ask = *a;
    x->count = blocks;
    x->record = zeroed(blocks, sizeof(struct record *));
    return x;
}

/* A recorder for a block, one of `sharing` that keep entries; 0: it keeps none.  A share of no
 * entry is a limit, too, so that what is left out is counted. */
static struct record *add(struct recording *x, uint32_t block, const char *name,
                          uint64_t clock_hz, uint32_t sharing)
{
    const struct recording_ask *a = &x->ask;
    bool keeps = a->entries && sharing > 0;
    return x->record[block] = record_new(&(struct record_config){
        .name = name, .clock = { clock_hz }, .entries = keeps, .detail = keeps && a->detail,
        .no_levels = a->no_levels, .from = a->from, .to = a->to,
        .most = sharing > 0 ? a->most / sharing : 0 });
}

static void add_stacks(struct recording *x, struct hbm_block *const *stack, uint32_t stacks,
                       const struct block *blocks, uint32_t first, const struct hbm_config *hbm)
{
    for (uint32_t s = 0; s < stacks; s++)
        hbm_record(hbm_block_hbm(stack[s]),
                   add(x, first + s, blocks[first + s].name, hbm_clock_hz(hbm), 0));
}

struct recording *recording_tpu(struct tpu_chip *c, const struct recording_ask *a)
{
    struct recording *x = begin(a, c->engine.block_count);
    for (uint32_t i = 0; i < c->cores; i++)
        tpu_core_record(c->core[i], add(x, i, c->blocks[i].name, c->clock.hz, c->cores));
    add_stacks(x, c->stack, c->stacks, c->blocks, c->cores, &c->figures->hbm);
    return x;
}

struct recording *recording_gpu(struct gpu_chip *c, const struct recording_ask *a)
{
    struct recording *x = begin(a, c->engine.block_count);
    uint32_t every = a->every > 0 ? a->every : (c->sms + RECORDING_SMS - 1) / RECORDING_SMS;
    uint32_t chosen = (c->sms + every - 1) / every;
    for (uint32_t i = 0; i < c->sms; i++)
        gpu_sm_record(c->sm[i], add(x, i, c->blocks[i].name, c->clock.hz,
                                    i % every == 0 ? chosen : 0));
    for (uint32_t i = 0; i < c->l2s; i++) {
        uint32_t block = c->sms + i;
        double hz = c->run.config->l2.clock_mhz * 1e6;
        gpu_l2_record(c->l2[i], add(x, block, c->blocks[block].name, (uint64_t)(hz + 0.5), 0));
    }
    add_stacks(x, c->stack, c->stacks, c->blocks, c->sms + c->l2s, c->run.hbm);
    return x;
}

void recording_close(struct recording *x, tick_t end)
{
    for (uint32_t b = 0; x && b < x->count; b++)
        if (x->record[b])
            record_close(x->record[b], clock_cycle(&record_config(x->record[b])->clock, end));
}

void recording_free(struct recording *x)
{
    if (!x)
        return;
    for (uint32_t b = 0; b < x->count; b++)
        record_free(x->record[b]);
    free(x->record);
    free(x);
}

uint64_t recording_left_out(const struct recording *x, tick_t *until)
{
    uint64_t sum = 0;
    *until = TICK_NEVER;
    for (uint32_t b = 0; b < x->count; b++) {
        const struct record *r = x->record[b];
        if (!r)
            continue;
        sum += record_left_out(r);
        *until = tick_min(*until, clock_tick(&record_config(r)->clock, record_until(r)));
    }
    return sum;
}
