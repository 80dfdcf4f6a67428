/* hbm_block.c - between the links and the port. */
#include "models/hbm/hbm_block.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct hbm_block {
    const char   *name;
    struct hbm   *stack;
    struct link  *requests;
    struct link **answers;
    struct message *messages;       /* of each run in the stack, by its number */
    uint32_t *free;
    uint32_t  free_count;
    tick_t    at;                   /* the stack has run up to here, */
    bool     ran;                   /* and its answers until then have left */
    tick_t    next;                 /* when it has something to do */
    struct hbm_answer waiting;      /* for its link */
    bool      has_waiting;
    tick_t    waits_until;
};

struct hbm_block *hbm_block_new(const char *name, const struct hbm_config *config,
                                const struct hbm_map *map, uint32_t groups,
                                struct link *requests, struct link *const *answers)
{
    uint32_t senders = link_config(requests)->senders;
    struct hbm_block *b = calloc(1, sizeof *b);
    assert(b);
    *b = (struct hbm_block){
        .name = name, .requests = requests, .next = TICK_NEVER, .waits_until = TICK_NEVER,
        .stack    = hbm_new(config, map, groups),
        .answers  = calloc(senders, sizeof *b->answers),
        .messages = calloc(config->runs, sizeof *b->messages),
        .free     = calloc(config->runs, sizeof *b->free),
    };
    assert(b->answers && b->messages && b->free);
    for (uint32_t s = 0; s < senders; s++)
        b->answers[s] = answers[s];
    for (uint32_t i = config->runs; i > 0; i--)
        b->free[b->free_count++] = i - 1;
    return b;
}

void hbm_block_free(struct hbm_block *b)
{
    if (!b)
        return;
    hbm_free(b->stack);
    free(b->answers);
    free(b->messages);
    free(b->free);
    free(b);
}

struct hbm *hbm_block_hbm(struct hbm_block *b) { return b->stack; }

/* The message that has arrived goes to the stack at `now`. */
static void take(struct hbm_block *b, tick_t now)
{
    uint32_t sender, number = b->free[--b->free_count];
    const struct message *m = link_peek(b->requests, now, &sender);
    assert(m && (m->kind == HBM_READ_RUN || m->kind == HBM_WRITE_RUN));
    b->messages[number] = *m;
    hbm_take(b->stack, now, &(struct hbm_request){
        .address = m->address, .id = number, .bytes = m->bytes, .group = m->group,
        .sender = (uint16_t)sender, .write = m->kind == HBM_WRITE_RUN,
    });
    link_take(b->requests, now);
}

/* False if the link has no place for it before `end`. */
static bool send(struct hbm_block *b, const struct hbm_answer *a, tick_t end)
{
    struct link *link = b->answers[a->sender];
    b->waits_until = link_send_at(link, 0, a->tick);
    if (b->waits_until >= end)
        return false;
    link_send(link, 0, b->waits_until, &b->messages[a->id]);
    b->free[b->free_count++] = (uint32_t)a->id;
    b->waits_until = TICK_NEVER;
    return true;
}

/* Answers leave in order; one that must wait for its link holds up those behind it. */
static void send_answers(struct hbm_block *b, tick_t end)
{
    while (b->has_waiting || hbm_answer(b->stack, end, &b->waiting)) {
        b->has_waiting = !send(b, &b->waiting, end);
        if (b->has_waiting)
            return;
    }
}

static tick_t run(void *self, tick_t end)
{
    struct hbm_block *b = self;
    for (;;) {
        tick_t arrival = tick_max(link_arrival(b->requests), b->at);
        bool full = b->free_count == 0 || !hbm_can_take(b->stack);
        if (!full && arrival < end) {
            take(b, arrival);
            b->next = b->at = arrival;
            b->ran = false;
            continue;
        }
        /* A message that waits for a place must see each answer leave, those before it too. */
        if (!full || arrival >= end)
            b->at = end;
        else if (b->ran)
            b->at = tick_min(end, tick_max(b->next, b->at) + 1);
        b->next = hbm_run(b->stack, b->at);
        b->ran = true;
        send_answers(b, b->at);
        if (b->at == end)
            return tick_min(b->next, tick_max(b->waits_until, end));
    }
}

static bool idle(const void *self)
{
    const struct hbm_block *b = self;
    return hbm_idle(b->stack) && !b->has_waiting;
}

static void describe(const void *self, char *text, size_t size)
{
    const struct hbm_block *b = self;
    snprintf(text, size, "%s: %u runs under way%s", b->name, hbm_held(b->stack),
             b->has_waiting ? "; an answer waits for a place on its link" : "");
}

struct block hbm_block_block(struct hbm_block *b)
{
    return (struct block){ .name = b->name, .self = b, .run = run, .idle = idle,
                           .describe = describe };
}
