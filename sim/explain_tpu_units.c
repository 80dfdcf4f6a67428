/* explain_tpu_units.c - a TPU's units beside each other: which is the longest with what must
 * come before and after, and what the simulated time has beyond it. */
#include <stdio.h>
#include <string.h>

#include "sim/explain_tpu.h"

#define TEXT 200

const char *explain_tpu_letter(size_t kind)
{
    static char names[4][24];
    static unsigned next;
    char *name = names[next++ % 4];
    if (kind < 26)
        snprintf(name, sizeof names[0], "%c", (char)('A' + kind));
    else
        snprintf(name, sizeof names[0], "A%zu", kind);
    return name;
}

/* "2 C + D" of a list. */
static void add_letters(const json_t *list, char text[TEXT])
{
    struct explain_tpu_part p;
    for (size_t i = 0; explain_tpu_part(list, i, &p); i++) {
        size_t used = strlen(text);
        if (p.count > 1)
            snprintf(text + used, TEXT - used, "%s%s %s", i ? " + " : "", D(p.count),
                     explain_tpu_letter(p.kind));
        else
            snprintf(text + used, TEXT - used, "%s%s", i ? " + " : "", explain_tpu_letter(p.kind));
    }
    if (json_array_size(list) == 0)
        snprintf(text, TEXT, "0");
}

static void consider(struct explain_tpu *y, const char *what, const char *unit, double cycles,
                     double work)
{
    if (cycles <= y->x->cycles)
        return;
    y->x->cycles = cycles;
    y->x->limit = what;
    y->longest = unit;
    y->work = work;
}

static void unit_line(struct explain_tpu *y, enum tpu_unit unit, const char *what)
{
    const json_t *of = json_object_get(y->units, tpu_unit_names[unit]);
    const json_t *lead = json_object_get(of, "lead"), *tail = json_object_get(of, "tail");
    const json_t *list = json_object_get(of, "work");
    char before[TEXT] = "", own[TEXT] = "", after[TEXT] = "", formula[3 * TEXT + 32];
    double one, work = explain_tpu_list(y, list, unit, &one);
    if (work == 0)
        return;
    add_letters(lead, before);
    add_letters(list, own);
    add_letters(tail, after);
    double first = explain_tpu_chain(y, lead), last = explain_tpu_chain(y, tail);
    snprintf(formula, sizeof formula, "before (%s) + own (%s) + after (%s)", before, own, after);
    consider(y, what, tpu_unit_names[unit],
             explain_line(y->x, what, first + work + last, "cycles", formula, "%s + %s + %s",
                          D(first), D(work), D(last)), work);
}

/* A list without its products. */
static json_t *no_products(const struct explain_tpu *y, const json_t *list)
{
    json_t *rest = json_array();
    struct explain_tpu_part p;
    for (size_t i = 0; explain_tpu_part(list, i, &p); i++) {
        const json_t *o = json_array_get(y->operations, p.kind);
        if (strcmp(report_string(o, "unit"), tpu_unit_names[TPU_MATRIX]) == 0)
            continue;
        json_array_append(rest, json_array_get(list, 2 * i));
        json_array_append(rest, json_array_get(list, 2 * i + 1));
    }
    return rest;
}

/* What comes after the last load of all, which no product needs. */
static void rest_line(struct explain_tpu *y)
{
    const json_t *of = json_object_get(y->units, "load"), *rest = json_object_get(of, "rest");
    json_t *after = no_products(y, json_object_get(of, "tail"));
    char own[TEXT] = "", formula[2 * TEXT + 32], tail[TEXT] = "";
    double one, work = explain_tpu_list(y, json_object_get(of, "work"), TPU_LOAD, &one);
    double more = explain_tpu_list(y, rest, TPU_LOAD, &one), last = explain_tpu_chain(y, after);
    if (work > 0 && more > 0) {
        more -= y->load_latency;
        add_letters(rest, own);
        add_letters(after, tail);
        snprintf(formula, sizeof formula, "own + rest (%s) + after (%s)", own, tail);
        consider(y, "load, with the rest", "load",
                 explain_line(y->x, "load, with the rest", work + more + last, "cycles", formula,
                              "%s + %s + %s", D(work), D(more), D(last)), work + more);
    }
    json_decref(after);
}

/* Of what a unit has of a list. */
static double bytes_in(const struct explain_tpu *y, const json_t *list, enum tpu_unit unit)
{
    struct explain_tpu_part p;
    double sum = 0;
    for (size_t i = 0; explain_tpu_part(list, i, &p); i++) {
        const json_t *o = json_array_get(y->operations, p.kind);
        if (strcmp(report_string(o, "unit"), tpu_unit_names[unit]) == 0)
            sum += report_number(o, "bytes") * p.count;
    }
    return sum;
}

static double bytes_of(const struct explain_tpu *y, enum tpu_unit unit, const char *part)
{
    const json_t *of = json_object_get(y->units, tpu_unit_names[unit]);
    return bytes_in(y, json_object_get(of, part), unit);
}

static void memory_line(struct explain_tpu *y)
{
    double loads = bytes_of(y, TPU_LOAD, "work") + bytes_of(y, TPU_LOAD, "rest");
    double stores = bytes_of(y, TPU_STORE, "work");
    if (loads + stores == 0)
        return;
    double latency = loads > 0 ? y->load_latency : y->store_latency;
    consider(y, "HBM, loads and stores together", NULL,
             explain_line(y->x, "HBM, loads and stores together",
                          latency + (loads + stores) / y->hbm_rate, "cycles",
                          "latency + (loads + stores) / rate", "%s + (%s + %s) / %s", D(latency),
                          D(loads), D(stores), D(y->hbm_rate)), 0);
}

/* While the last loads come, HBM takes stores of tiles before, too, in turn: as many bytes as
 * there are, or as the loads have left when the first store begins. */
static void loads_among_stores(struct explain_tpu *y)
{
    const json_t *load = json_object_get(y->units, "load"), *tail = json_object_get(load, "tail");
    const json_t *lead = json_object_get(json_object_get(y->units, "store"), "lead");
    double one, alone = explain_tpu_list(y, json_object_get(load, "work"), TPU_LOAD, &one);
    double stores = bytes_of(y, TPU_STORE, "work") - bytes_in(y, tail, TPU_STORE);
    double begin = explain_tpu_chain(y, lead), after = explain_tpu_chain(y, tail);
    if (alone <= begin || stores == 0)
        return;
    consider(y, "loads among the stores of tiles before", NULL,
             explain_line(y->x, "loads among the stores of tiles before",
                          alone + fmin(stores / y->hbm_rate, alone - begin) + after, "cycles",
                          "own loads + min(those stores / rate, what is left of the loads when "
                          "they begin) + after", "%s + min(%s / %s, %s - %s) + %s", D(alone),
                          D(stores), D(y->hbm_rate), D(alone), D(begin), D(after)), 0);
}

/* The last operation of a unit's work, its own cycles and those paid once in a row. */
struct last { size_t kind; double own, once; };

static struct last last_of(const struct explain_tpu *y, enum tpu_unit unit)
{
    const json_t *work = json_object_get(json_object_get(y->units, tpu_unit_names[unit]), "work");
    struct explain_tpu_part p;
    struct last last = { 0, 0, 0 };
    double one;
    for (size_t i = 0; explain_tpu_part(work, i, &p); i++)
        if (p.kind < json_array_size(y->operations))
            last = (struct last){ p.kind, y->cycles[p.kind], 0 };
    if (explain_tpu_list(y, work, unit, &one) > 0)
        last.once = one - last.own;
    return last;
}

/* A part goes to the core that owns it, is added there, and comes back. */
static void round_trip(struct explain_tpu *y)
{
    struct last load = last_of(y, TPU_LOAD), link = last_of(y, TPU_LINK);
    struct last add = last_of(y, TPU_VECTOR), store = last_of(y, TPU_STORE);
    char formula[TEXT];
    if (link.own == 0)
        return;
    snprintf(formula, sizeof formula, "load (%s + latency) + 2 x send (%s + latency) + add (%s) + "
             "store (%s + latency)", explain_tpu_letter(load.kind), explain_tpu_letter(link.kind),
             explain_tpu_letter(add.kind), explain_tpu_letter(store.kind));
    consider(y, "a tile's way to another core and back", NULL,
             explain_line(y->x, "a tile's way to another core and back",
                          load.own + load.once + 2 * (link.own + link.once) + add.own + store.own
                          + store.once, "cycles", formula,
                          "(%s + %s) + 2 x (%s + %s) + %s + (%s + %s)", D(load.own), D(load.once),
                          D(link.own), D(link.once), D(add.own), D(store.own), D(store.once)), 0);
}

void explain_tpu_units(struct explain_tpu *y, const char *const words[TPU_UNITS_COUNT])
{
    struct explain *x = y->x;
    bool last = x->number + 1 == json_array_size(json_object_get(x->result, "ops"));
    double start = y->t->core.op_cycles;
    explain_section(x, "The units, each with what must come before and after");
    explain_note(x, "In a row, the latency of loads, of stores%s and the drain count once, on top "
                 "of the letters. Of what comes before or after, one operation of each unit counts, "
                 "and of one unit all.", json_object_get(y->units, "link") ? ", of a link" : "");
    for (int u = 0; u < TPU_UNITS_COUNT; u++)
        unit_line(y, u, words[u]);
    rest_line(y);
    memory_line(y);
    loads_among_stores(y);
    round_trip(y);
    if (y->x->cycles == 0)
        x->limit = "the fixed cost of an op";
    if (json_array_size(y->operations) == 0 && report_number(x->op, "hbm_bytes") > 0)
        explain_note(x, "The result does not say what the units did: more kinds of tile than it "
                     "lists (docs/results.md).");
    explain_note(x, "The longest: %s.", x->limit);
    explain_section(x, "The time by hand");
    x->cycles = explain_line(x, "time", (last ? 2 : 1) * start + x->cycles, "cycles",
                             last ? "op_cycles to begin + the longest + op_cycles to end the run"
                                  : "op_cycles to begin + the longest",
                             last ? "%s + %s + %s" : "%s + %s", D(start), D(x->cycles), D(start));
}

static void busy_line(struct explain_tpu *y, enum tpu_unit unit)
{
    struct explain *x = y->x;
    char name[64];
    const json_t *of = json_object_get(y->units, tpu_unit_names[unit]);
    double one, own = explain_tpu_list(y, json_object_get(of, "work"), unit, &one);
    double rest = explain_tpu_list(y, json_object_get(of, "rest"), unit, &one);
    double busy = explain_at(x->op, "busy_s", tpu_unit_names[unit]) * x->hz;
    if (rest > 0)
        own += own > 0 ? rest - (unit == TPU_LOAD ? y->load_latency : 0) : rest;
    if (busy == 0 && own == 0)
        return;
    snprintf(name, sizeof name, "%s busy, by hand less simulated", tpu_unit_names[unit]);
    explain_line(x, name, own - busy, "cycles", "own + rest - busy_s x clock", "%s - %s", D(own),
                 D(busy));
}

/* What the longest one's queue did in the op's own time. */
static void say_states(struct explain_tpu *y)
{
    const char *state;
    json_t *states = json_object_get(json_object_get(y->x->op, "states"),
                                     y->longest ? y->longest : "load"), *seconds;
    if (json_object_size(states) == 0)
        return;
    explain_note(y->x, "In the op's time the queue of the %s unit was (the mean of the cores)",
                 y->longest ? y->longest : "load");
    json_object_foreach(states, state, seconds) {
        char name[64];
        snprintf(name, sizeof name, "    %.40s", state);
        explain_line(y->x, name, json_number_value(seconds) * y->x->hz, "cycles", "", " ");
    }
}

/* A channel's full queue of bursts to be written, at its rate. */
static double queued_cycles(const struct explain_tpu *y)
{
    const struct hbm_config *h = &y->x->f->hbm;
    double channel = hbm_peak_bytes_per_s(h) / h->channels / y->x->hz;
    return (double)h->write_queue * hbm_burst_bytes(h) / channel;
}

/* Which parts are longer or shorter than by hand. */
void explain_tpu_difference(struct explain_tpu *y)
{
    struct explain *x = y->x;
    double span = report_number(x->op, "span_s") * x->hz;
    double time = report_number(x->op, "time_s") * x->hz;
    const struct hbm_config *h = &x->f->hbm;
    explain_difference(x);
    explain_line(x, "of it, between ops", x->f->tpu.core.op_cycles - (time - span), "cycles",
                 "op_cycles - (time_s - span_s) x clock", "%u - (%s - %s)",
                 x->f->tpu.core.op_cycles, D(time), D(span));
    for (int u = 0; u < TPU_UNITS_COUNT; u++)
        busy_line(y, u);
    say_states(y);
    explain_note(x, "Left out by hand:");
    if (h->refresh != HBM_REFRESH_NONE)
        explain_note(x, "  - when refreshes fall: each stops HBM for %s cycles; the rate has them "
                     "evenly", D(h->rfc_ns * x->hz / 1e9));
    explain_note(x, "  - what HBM's queues still hold to be written from the op before: up to %s "
                 "cycles", D(queued_cycles(y)));
    explain_note(x, "  - rows of HBM that must be closed first, turns between reads and writes, "
                 "loads and stores at the same time");
    explain_note(x,
                 "  - waiting for a buffer to be free, for ports of vector memory and for slots");
    if (x->cores > 1)
        explain_note(x, "  - cores that do not begin and end at the same moment");
}
