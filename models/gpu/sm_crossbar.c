/* sm_crossbar.c - the SM's port: requests leave in order, answers come in one after the other.
 *
 * A message that can go within the window at hand is sent at once, for the time at which it
 * goes; others wait, and behind one that finds no credit all do.
 */
#include <assert.h>

#include "models/gpu/sm_inside.h"

static struct link *link_of(const struct gpu_sm *sm, uint32_t port)
{
    return sm->run.requests[port];
}

void sm_out_look(struct gpu_sm *sm, cycle_t now)
{
    sm->out_at = CYCLE_NEVER;
    if (sm->out_count == 0)
        return;
    const struct sm_out *o = &sm->out[sm->out_first];
    cycle_t at = cycle_max(cycle_max(o->at, sm->out_ready), now);
    tick_t tick = link_send_at(link_of(sm, o->port), sm->run.number, clock_tick(&sm->clock, at));
    sm->out_at = clock_cycle(&sm->clock, tick);
}

void sm_out_run(struct gpu_sm *sm, cycle_t now)
{
    tick_t tick = clock_tick(&sm->clock, now);
    while (sm->out_count > 0) {
        const struct sm_out *o = &sm->out[sm->out_first];
        if (cycle_max(o->at, sm->out_ready) > now ||
            !link_can_send(link_of(sm, o->port), sm->run.number, tick))
            break;
        link_send(link_of(sm, o->port), sm->run.number, tick, &o->m);
        sm->out_ready = now + o->cycles;
        sm->out_first = (sm->out_first + 1) % sm->out_room;
        sm->out_count--;
    }
    sm_out_look(sm, now);
}

void sm_send(struct gpu_sm *sm, const struct message *m, cycle_t at, uint32_t cycles)
{
    uint32_t port = sm->run.port(sm->run.map, m->address);
    if (sm->out_count == 0) {
        at = cycle_max(at, sm->out_ready);
        tick_t tick = clock_tick(&sm->clock, at);
        if (at < sm->limit && link_can_send(link_of(sm, port), sm->run.number, tick)) {
            link_send(link_of(sm, port), sm->run.number, tick, m);
            sm->out_ready = at + cycles;
            return;
        }
    }
    assert(sm->out_count < sm->out_room);
    if (sm->out_count == 0)
        sm->out_first = 0;
    sm->out[(sm->out_first + sm->out_count++) % sm->out_room] =
        (struct sm_out){ .at = at, .cycles = cycles, .port = port, .m = *m };
    if (sm->out_count == 1) {
        sm_out_look(sm, at);
        sm_look(sm);
    }
}

/* What the answers after the next will touch is asked for now: of one its miss and its set,
 * and when the miss is there who waits for it. */
static void prefetch_answers(const struct gpu_sm *sm)
{
    const struct message *far = link_look(sm->run.answers, 2);
    const struct message *near = link_look(sm->run.answers, 1);
    if (far && far->kind == GPU_READ) {
        __builtin_prefetch(&sm->l1.misses[far->id]);
        sm_l1_prefetch(sm, far->address);
    }
    if (near && near->kind == GPU_READ)
        __builtin_prefetch(&sm->flights[sm->l1.misses[near->id].first.flight]);
}

void sm_answers_look(struct gpu_sm *sm)
{
    sm->answer_at = clock_cycle(&sm->clock, link_arrival(sm->run.answers));
    if (sm->answer_at != CYCLE_NEVER)
        prefetch_answers(sm);
}

void sm_answers_run(struct gpu_sm *sm, cycle_t now)
{
    tick_t tick = clock_tick(&sm->clock, now);
    const struct message *m;
    while (sm->in_free <= now && (m = link_peek(sm->run.answers, tick, NULL)) != NULL) {
        struct message answer = *m;
        link_take(sm->run.answers, tick);
        sm_l1_answer(sm, &answer, now);
    }
    sm_answers_look(sm);
}
