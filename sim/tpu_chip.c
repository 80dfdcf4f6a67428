/* tpu_chip.c - see tpu_chip.h. */
#include "sim/tpu_chip.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/zeroed.h"

#define LEAST_RUN 512           /* bytes: what credits of a link are reckoned for */
#define NAME 32
#define F32_BYTES 4

struct parts {
    struct link **requests;     /* [stacks] */
    struct link **reach;        /* [cores][reached]: requests, as each core sees them */
    struct link **answers;      /* [cores][reached] */
    struct link **peers;        /* [from][to] */
    struct link **to, **from;   /* [cores][cores], as each core sees them */
    uint32_t     *sender;       /* [cores][reached]: this core's number on a request link */
    uint32_t     *members;      /* blocks that send on a link, for the engine */
    char        (*names)[NAME];
};

/* A tile's rows, and the sums over K that they are added to, must get through in time. */
static bool check_ports(const struct tpu_config *t, struct diag *d)
{
    uint32_t pace = t->mxu.row_cycles, bytes = F32_BYTES;
    uint32_t reads = ((t->mxu.rows + t->mxu.cols) * bytes + pace - 1) / pace;
    uint32_t writes = (t->mxu.cols * bytes + pace - 1) / pace;
    if (t->vmem.read_bytes < reads)
        return diag_set(d, 0, 0, "vmem.read_bytes: %u is less than a matrix unit reads in a "
                        "cycle; expected at least %u", t->vmem.read_bytes, reads);
    if (t->vmem.write_bytes < writes)
        return diag_set(d, 0, 0, "vmem.write_bytes: %u is less than a matrix unit writes in a "
                        "cycle; expected at least %u", t->vmem.write_bytes, writes);
    return true;
}

static bool check(const struct figures *f, struct diag *d)
{
    char expected[160];
    if (!tpu_mxu_config_check(&f->tpu.mxu, expected, sizeof expected))
        return diag_set(d, 0, 0, "the figures of mxu do not go together; expected %s", expected);
    if (f->tpu.chip.hbm_sharing == TPU_HBM_SPLIT && f->hbm.stacks % f->tpu.chip.cores != 0)
        return diag_set(d, 0, 0, "hbm.stacks: %u cannot be split over %u cores; expected a "
                        "multiple", f->hbm.stacks, f->tpu.chip.cores);
    return check_ports(&f->tpu, d);
}

/* Credits for the link never to hold up a sender: rate times both ways, and one. */
static uint32_t depth(double bytes_per_s, double ns)
{
    return (uint32_t)ceil(bytes_per_s * 2 * ns * 1e-9 / LEAST_RUN) + 1;
}

static struct link *make_link(struct tpu_chip *c, const char *name, double ns, uint32_t senders,
                              uint32_t slots, uint32_t receiver, const uint32_t *members)
{
    struct link_config config = { .name = name, .latency = ticks_ns(ns), .senders = senders,
                                  .depth = slots };
    struct link *l = link_new(&config);
    c->links[c->link_count++] = (struct engine_link){ l, receiver, members };
    return l;
}

/* Which core is sender `s` of a stack's requests, and how many there are. */
static uint32_t senders_of(const struct tpu_chip *c)
{
    return c->reached == c->stacks ? c->cores : 1;      /* all, or the one that owns it */
}

static uint32_t core_of(const struct tpu_chip *c, uint32_t stack, uint32_t s)
{
    return c->reached == c->stacks ? s : stack / c->reached;
}

static void wire_memory(struct tpu_chip *c)
{
    struct parts *p = c->parts;
    const struct tpu_config *t = &c->figures->tpu;
    double ns = t->chip.fabric_ns;
    uint32_t slots = depth((t->dma.load_bytes + t->dma.store_bytes) * t->chip.clock_mhz * 1e6, ns);
    for (uint32_t s = 0; s < c->stacks; s++) {
        uint32_t *members = p->members + s * c->cores, senders = senders_of(c);
        for (uint32_t i = 0; i < senders; i++)
            members[i] = core_of(c, s, i);
        p->requests[s] = make_link(c, "requests", ns, senders, slots, c->cores + s, members);
    }
    for (uint32_t core = 0; core < c->cores; core++)
        for (uint32_t r = 0; r < c->reached; r++) {
            uint32_t s = c->reached == c->stacks ? r : core * c->reached + r;
            uint32_t *member = p->members + (c->stacks + core * c->reached + r) * c->cores;
            member[0] = c->cores + s;
            p->answers[core * c->reached + r] =
                make_link(c, "answers", ns, 1, slots + c->figures->hbm.runs, core, member);
            p->sender[core * c->reached + r] = c->reached == c->stacks ? core : 0;
        }
}

static void wire_peers(struct tpu_chip *c)
{
    struct parts *p = c->parts;
    const struct tpu_ici_config *ici = &c->figures->tpu.ici;
    uint32_t *member = p->members + (c->stacks + c->cores * c->reached) * c->cores;
    for (uint32_t a = 0; a < c->cores; a++)
        for (uint32_t b = 0; b < c->cores; b++) {
            if (a == b)
                continue;
            *member = a;
            struct link *l = make_link(c, "ici", ici->latency_ns, 1,
                                       depth(ici->gb_per_s * 1e9, ici->latency_ns), b, member++);
            p->peers[a * c->cores + b] = l;
            p->to[a * c->cores + b] = l;
            p->from[b * c->cores + a] = l;
        }
}

static void build_cores(struct tpu_chip *c, enum tpu_mxu_form form)
{
    struct parts *p = c->parts;
    for (uint32_t i = 0; i < c->cores; i++) {
        struct link **requests = p->reach + i * c->reached;
        for (uint32_t r = 0; r < c->reached; r++)
            requests[r] = p->requests[c->reached == c->stacks ? r : i * c->reached + r];
        struct tpu_memory memory = { &c->map, requests, p->sender + i * c->reached,
                                     p->answers + i * c->reached };
        struct tpu_peers peers = { c->cores, i, p->to + i * c->cores, p->from + i * c->cores };
        snprintf(p->names[i], NAME, "core%u", i);
        c->core[i] = tpu_core_new(p->names[i], &c->figures->tpu, c->plan->programs[i], &memory,
                                  &peers, form);
        c->blocks[i] = tpu_core_block(c->core[i]);
    }
}

static void build_stacks(struct tpu_chip *c)
{
    struct parts *p = c->parts;
    for (uint32_t s = 0; s < c->stacks; s++) {
        char *name = p->names[c->cores + s];
        struct link *answers[64];       /* as many as chip.cores can be */
        for (uint32_t i = 0; i < senders_of(c); i++) {
            uint32_t core = core_of(c, s, i);
            answers[i] = p->answers[core * c->reached + s % c->reached];
        }
        snprintf(name, NAME, "hbm%u", s);
        c->stack[s] = hbm_block_new(name, &c->figures->hbm, &c->map, c->plan->group_count,
                                    p->requests[s], answers);
        c->blocks[c->cores + s] = hbm_block_block(c->stack[s]);
    }
}

static void allocate(struct tpu_chip *c)
{
    size_t cores = c->cores, wires = cores * c->reached;
    struct parts *p = c->parts = zeroed(1, sizeof *p);
    p->requests = zeroed(c->stacks, sizeof *p->requests);
    p->reach = zeroed(wires, sizeof *p->reach);
    p->answers = zeroed(wires, sizeof *p->answers);
    p->sender = zeroed(wires, sizeof *p->sender);
    p->peers = zeroed(cores * cores, sizeof *p->peers);
    p->to = zeroed(cores * cores, sizeof *p->to);
    p->from = zeroed(cores * cores, sizeof *p->from);
    p->members = zeroed((c->stacks + wires) * cores + cores * cores, sizeof *p->members);
    p->names = zeroed(cores + c->stacks, sizeof *p->names);
    c->core = zeroed(cores, sizeof *c->core);
    c->stack = zeroed(c->stacks, sizeof *c->stack);
    c->blocks = zeroed(cores + c->stacks, sizeof *c->blocks);
    c->links = zeroed(c->stacks + wires + cores * cores, sizeof *c->links);
}

/* The memory as a core reaches it. */
static struct hbm_config reached_memory(const struct figures *f)
{
    struct hbm_config reached = f->hbm;
    if (f->tpu.chip.hbm_sharing == TPU_HBM_SPLIT)
        reached.stacks /= f->tpu.chip.cores;
    return reached;
}

static bool check_all(const struct figures *f, struct hbm_map *map, struct diag *d)
{
    struct diag why = { .text = "" };
    if (!check(f, d))
        return false;
    struct hbm_config reached = reached_memory(f);
    return hbm_check(&reached, map, &why)
        || diag_set(d, 0, 0, "hbm: %s", why.text);  /* a figure's, of no line of the trace */
}

bool tpu_chip_check(const struct figures *f, struct diag *d)
{
    struct hbm_map map;
    return check_all(f, &map, d);
}

struct tpu_chip *tpu_chip_new(const struct figures *f, const struct tpu_plan *plan,
                              enum tpu_mxu_form form, struct diag *d)
{
    struct tpu_chip *c = zeroed(1, sizeof *c);
    bool split = f->tpu.chip.hbm_sharing == TPU_HBM_SPLIT;
    if (!check_all(f, &c->map, d)) {
        free(c);
        return NULL;
    }
    c->reached = reached_memory(f).stacks;
    c->figures = f;
    c->plan = plan;
    c->clock.hz = (uint64_t)(f->tpu.chip.clock_mhz * 1e6 + 0.5);
    c->cores = plan->cores;
    c->stacks = split ? c->reached * c->cores : c->reached;
    allocate(c);
    wire_memory(c);
    wire_peers(c);
    build_cores(c, form);
    build_stacks(c);
    c->engine = (struct engine_config){ .blocks = c->blocks, .block_count = c->cores + c->stacks,
                                        .links = c->links, .link_count = c->link_count };
    return c;
}

void tpu_chip_free(struct tpu_chip *c)
{
    if (!c)
        return;
    struct parts *p = c->parts;
    for (uint32_t i = 0; i < c->cores; i++)
        tpu_core_free(c->core[i]);
    for (uint32_t s = 0; s < c->stacks; s++)
        hbm_block_free(c->stack[s]);
    for (uint32_t l = 0; l < c->link_count; l++)
        link_free(c->links[l].link);
    void *arrays[] = { p->requests, p->reach, p->answers, p->sender, p->peers, p->to, p->from,
                       p->members, p->names, p, c->core, c->stack, c->blocks, c->links, c };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        free(arrays[i]);
}

tick_t tpu_chip_end(const struct tpu_chip *c)
{
    tick_t end = 0;
    for (uint32_t i = 0; i < c->cores; i++)
        end = tick_max(end, tpu_core_end(c->core[i]));
    return end;
}
