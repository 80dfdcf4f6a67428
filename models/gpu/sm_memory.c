/* sm_memory.c - a memory operation issues: its lanes' addresses become banks or lines.
 *
 * What it touches is worked out here, for its registers may have changed by the time that the
 * unit comes to it.  A generic address is looked at lane by lane.
 *
 * Not modelled: an access of one lane across two sectors (it is not aligned: a fault).
 */
#include <assert.h>
#include <inttypes.h>

#include "models/gpu/sm_inside.h"

static const char *verb(const struct gpu_op *op)
{
    switch ((enum gpu_kind)op->kind) {
    case GPU_STORE:  return "a store";
    case GPU_ATOMIC: return "an atomic operation";
    case GPU_COPY:   return "a copy";
    default:         return "a load";
    }
}

static void bad_address(struct gpu_sm *sm, const struct sm_warp *w, const struct gpu_op *op,
                        unsigned lane, uint64_t address)
{
    char where[200];
    if (address & (op->access.bytes - 1u)) {
        sm_fault(sm, w, op, "lane %u: %s of %u bytes at 0x%" PRIx64 ", which is not aligned",
                 lane, verb(op), op->access.bytes, address);
        return;
    }
    if (gpu_address_space(address) == GPU_SPACE_LOCAL)
        snprintf(where, sizeof where, "%" PRIu64 " bytes into its thread's local memory, which "
                 "has %" PRIu32, address - GPU_LOCAL_WINDOW, w->w.kernel->local_bytes);
    else
        gpu_memory_describe(sm->run.memory, address, where, sizeof where);
    sm_fault(sm, w, op, "lane %u: %s of %u bytes at 0x%" PRIx64 ": %s", lane, verb(op),
             op->access.bytes, address, where);
}

/* ---- lines */

/* Which bytes of each line are written. */
struct cover { uint64_t bytes[GPU_LINE / 64]; };

static uint32_t find_line(struct sm_request *r, uint64_t line, struct cover *cover)
{
    for (uint32_t i = r->count; i > 0; i--)
        if (r->line[i - 1].address == line)
            return i - 1;
    r->line[r->count] = (struct sm_line){ .address = line };
    cover[r->count] = (struct cover){ { 0 } };
    return r->count++;
}

static uint8_t full_sectors(const struct cover *c)
{
    uint8_t full = 0;
    for (unsigned i = 0; i < GPU_LINE / GPU_SECTOR; i++)
        if ((uint32_t)(c->bytes[i / 2] >> (i % 2 * GPU_SECTOR)) == UINT32_MAX)
            full |= (uint8_t)(1u << i);
    return full;
}

static void add_lane(struct sm_request *r, uint64_t address, uint32_t bytes, struct cover *cover)
{
    uint32_t at = (uint32_t)(address % GPU_LINE);
    uint32_t i = find_line(r, address - at, cover);
    r->line[i].sectors |= (uint8_t)(1u << at / GPU_SECTOR);
    if (r->op->kind == GPU_ATOMIC)
        r->line[i].full++;
    else
        cover[i].bytes[at / 64] |= ((UINT64_C(1) << bytes) - 1) << at % 64;
}

static bool in_bounds(struct gpu_sm *sm, const struct sm_request *r, uint32_t mask,
                      const uint64_t address[GPU_LANES], uint64_t low, uint64_t high)
{
    uint32_t bytes = r->op->access.bytes;
    uint32_t *hint = &sm->hints[(r->op - r->warp->w.kernel->ops) % 16];
    if (gpu_memory_has(sm->run.memory, low, high - low + bytes, hint))
        return true;
    for (unsigned lane = 0; lane < GPU_LANES; lane++)
        if (mask >> lane & 1 && !gpu_memory_has(sm->run.memory, address[lane], bytes, hint)) {
            bad_address(sm, r->warp, r->op, lane, address[lane]);
            return false;
        }
    return true;
}

/* Lanes to lines; false: an address is not legal, and the fault says which. */
static bool coalesce(struct gpu_sm *sm, struct sm_request *r, uint32_t mask,
                     const uint64_t address[GPU_LANES])
{
    struct cover cover[GPU_LANES];
    uint32_t bytes = r->op->access.bytes;
    uint64_t low = UINT64_MAX, high = 0;
    for (uint32_t rest = mask; rest; rest &= rest - 1) {
        unsigned lane = (unsigned)__builtin_ctz(rest);
        uint64_t a = address[lane];
        if (a & (bytes - 1)) {
            bad_address(sm, r->warp, r->op, lane, a);
            return false;
        }
        low = a < low ? a : low;
        high = a > high ? a : high;
        add_lane(r, a, bytes, cover);
    }
    if (r->op->kind == GPU_STORE)
        for (uint32_t i = 0; i < r->count; i++)
            r->line[i].full = full_sectors(&cover[i]);
    return mask == 0 || in_bounds(sm, r, mask, address, low, high);
}

static void count_lines(struct gpu_sm *sm, struct sm_request *r, uint32_t mask)
{
    uint32_t sectors = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        sectors += sm_sectors(r->line[i].sectors);
        sm_l1_prefetch(sm, r->line[i].address);
    }
    uint32_t ideal = (sm_lanes(mask) * r->op->access.bytes + GPU_SECTOR - 1) / GPU_SECTOR;
    sm->stats->global_accesses++;
    sm->stats->sectors += sectors;
    sm->stats->ideal_sectors += ideal < sectors ? ideal : sectors;
    r->parts = sectors * GPU_SECTOR;
}

/* ---- spaces */

static bool shared_part(struct gpu_sm *sm, struct sm_request *r, uint32_t mask,
                        const uint64_t address[GPU_LANES])
{
    const struct gpu_shared_config *c = &sm->c->shared;
    uint32_t ideal;
    if (!sm_shared_passes(sm, r, mask, address, &r->passes, &ideal))
        return false;
    r->latency = r->op->kind == GPU_MATRIX ? sm->c->lsu.matrix_latency
               : r->op->kind == GPU_STORE ? c->store_latency : c->load_latency;
    sm->stats->shared_accesses++;
    sm->stats->shared_passes += r->passes;
    sm->stats->shared_ideal += ideal;
    sm->energy[GPU_EVENT_SHARED] += (uint64_t)sm_lanes(mask) *
                                    (r->op->kind == GPU_MATRIX ? 16u : r->op->access.bytes);
    return true;
}

static bool global_part(struct gpu_sm *sm, struct sm_request *r, uint32_t mask,
                        const uint64_t address[GPU_LANES])
{
    if (!coalesce(sm, r, mask, address))
        return false;
    count_lines(sm, r, mask);
    return true;
}

/* Constants, or parameters, by a generic address: they are read when the operation issues. */
static bool constant_lanes(struct gpu_sm *sm, struct sm_request *r, uint32_t mask,
                           const uint64_t address[GPU_LANES], enum gpu_space space)
{
    const struct gpu_warp *w = &r->warp->w;
    if (mask == 0)
        return true;
    bool param = space == GPU_SPACE_PARAM;
    const uint8_t *bytes = param ? w->block->launch->params : w->kernel->const_bytes;
    uint32_t size = param ? w->kernel->param_bytes : w->kernel->const_size;
    for (unsigned lane = 0; lane < GPU_LANES; lane++) {
        uint64_t at = address[lane] - (param ? GPU_PARAM_WINDOW : GPU_CONST_WINDOW);
        if (!(mask >> lane & 1))
            continue;
        if (at & (r->op->access.bytes - 1u)) {
            bad_address(sm, r->warp, r->op, lane, address[lane]);
            return false;
        }
        if (r->op->kind != GPU_LOAD || at + r->op->access.bytes > size) {
            sm_fault(sm, r->warp, r->op, "lane %u: %s of %u bytes at 0x%" PRIx64
                     " of %s, which are %" PRIu32 " bytes", lane, verb(r->op),
                     r->op->access.bytes, at, param ? "parameters" : "constants", size);
            return false;
        }
        gpu_warp_load_bytes(&r->warp->w, r->op, lane, bytes + at);
    }
    r->passes = 1;
    r->latency = sm->c->l1.constant_latency;
    return true;
}

/* The lanes of each space by their own rules; local addresses become global ones. */
static bool generic_parts(struct gpu_sm *sm, struct sm_request *r, uint64_t address[GPU_LANES])
{
    uint32_t of[GPU_SPACE_PARAM + 1] = { 0 };
    for (uint32_t rest = r->mask; rest; rest &= rest - 1) {
        unsigned lane = (unsigned)__builtin_ctz(rest);
        enum gpu_space space = gpu_address_space(address[lane]);
        if (space == GPU_SPACE_LOCAL) {
            address[lane] = gpu_warp_local(&r->warp->w, lane, address[lane] - GPU_LOCAL_WINDOW);
            space = GPU_SPACE_GLOBAL;
        }
        of[space] |= UINT32_C(1) << lane;
    }
    uint32_t others = of[GPU_SPACE_GLOBAL];
    return constant_lanes(sm, r, of[GPU_SPACE_CONST], address, GPU_SPACE_CONST) &&
           constant_lanes(sm, r, of[GPU_SPACE_PARAM], address, GPU_SPACE_PARAM) &&
           (!of[GPU_SPACE_SHARED] || shared_part(sm, r, of[GPU_SPACE_SHARED], address)) &&
           (!others || global_part(sm, r, others, address));
}

/* A copy reads what its lanes' source sizes say and writes all of it to shared memory. */
static bool copy_parts(struct gpu_sm *sm, struct sm_request *r, uint64_t address[GPU_LANES])
{
    uint32_t readers = 0, bytes = r->op->access.bytes;
    uint64_t to[GPU_LANES];
    for (unsigned lane = 0; lane < GPU_LANES; lane++) {
        uint32_t read = 0;
        to[lane] = r->mask >> lane & 1 ? gpu_warp_copy_to(&r->warp->w, r->op, lane, &read) : 0;
        readers |= (uint32_t)(read > 0) << lane;
    }
    uint32_t passes, ideal;
    if (!sm_shared_passes(sm, r, r->mask, to, &passes, &ideal) ||
        !global_part(sm, r, readers, address))
        return false;
    sm->flights[r->flight].passes = passes;
    sm->stats->shared_accesses++;
    sm->stats->shared_passes += passes;
    sm->stats->shared_ideal += ideal;
    sm->energy[GPU_EVENT_SHARED] += (uint64_t)sm_lanes(r->mask) * bytes;
    return true;
}

static bool parts(struct gpu_sm *sm, struct sm_request *r, uint64_t address[GPU_LANES])
{
    if (r->op->kind == GPU_COPY)
        return copy_parts(sm, r, address);
    switch ((enum gpu_space)r->op->access.space) {
    case GPU_SPACE_SHARED: return shared_part(sm, r, r->mask, address);
    case GPU_SPACE_GENERIC: return generic_parts(sm, r, address);
    case GPU_SPACE_GLOBAL: case GPU_SPACE_LOCAL: return global_part(sm, r, r->mask, address);
    case GPU_SPACE_CONST: case GPU_SPACE_PARAM: break;      /* COMPUTE, not memory operations */
    }
    assert(!"a memory operation of a space that has none");
    return false;
}

/* ---- issue */

static void pending(struct sm_warp *w, const struct gpu_op *op, unsigned cause)
{
    const uint16_t *list = w->w.kernel->operands + op->operands;
    for (unsigned i = 0; i < op->dsts; i++)
        w->ready[list[i]] = UNKNOWN | cause;
    for (unsigned i = 0; i < 2; i++)
        if (op->pdst[i] != GPU_NO_PREDICATE)
            w->ready[w->w.kernel->registers + op->pdst[i]] = UNKNOWN | cause;
}

static bool leaves_sm(const struct gpu_op *op)
{
    return op->access.space != GPU_SPACE_SHARED || op->kind == GPU_COPY;
}

static void begin_flight(struct gpu_sm *sm, struct sm_request *r)
{
    struct sm_warp *w = r->warp;
    r->flight = sm_flight_new(sm, w, r->op, r->mask);
    if (r->op->kind == GPU_COPY) {
        sm->flights[r->flight].group = w->group;
        w->copies[w->group % COPY_GROUPS]++;
    } else if (r->op->kind != GPU_LOAD && leaves_sm(r->op)) {
        w->stores++;
    }
}

static struct sm_request *request(struct gpu_sm *sm, struct sm_subcore *s, struct sm_warp *w,
                                  const struct gpu_op *op, uint32_t mask, cycle_t now)
{
    struct sm_request *r = sm_request_new(sm);
    r->warp = w;
    r->op = op;
    r->mask = mask;
    r->flight = NONE;
    r->subcore = (uint32_t)(s - sm->subcores);
    r->number = s->lsu_ops++;
    r->issued = now;
    r->begun = false;
    r->passes = r->latency = r->count = r->at = r->parts = 0;
    return r;
}

void sm_memory_issue(struct gpu_sm *sm, struct sm_subcore *s, struct sm_warp *w,
                     const struct gpu_op *op, uint32_t mask, cycle_t now)
{
    if (mask == 0)
        return;
    uint64_t address[GPU_LANES];
    struct sm_request *r = request(sm, s, w, op, mask, now);
    if (leaves_sm(op) || sm->compute)
        begin_flight(sm, r);
    gpu_warp_addresses(&w->w, op, mask, address);
    pending(w, op, leaves_sm(op) ? GPU_CAUSE_L2 : GPU_CAUSE_SHARED);
    if (!parts(sm, r, address))
        return;                     /* a fault: the SM goes no further */
    if (sm->compute)
        sm_values_take(sm, r->flight, address);
    sm_request_issue(sm, r);
}

void sm_shuffle_issue(struct gpu_sm *sm, struct sm_subcore *s, struct sm_warp *w,
                      const struct gpu_op *op, uint32_t mask, cycle_t now)
{
    struct sm_request *r = request(sm, s, w, op, mask, now);
    pending(w, op, GPU_CAUSE_DEPENDENCY);
    r->passes = 1;
    r->latency = sm->c->lsu.shuffle_latency;
    sm_request_issue(sm, r);
}
