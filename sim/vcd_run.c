/* vcd_run.c - see vcd_run.h. */
#include "sim/vcd_run.h"

#include <inttypes.h>
#include <string.h>

#include "models/zeroed.h"
#include "sim/report_field.h"
#include "sim/vcd.h"

#define OP_CHARACTERS 32

/* What the two numbers of work are called, by the part of a track's name behind its unit. */
static const struct work_names { const char *block, *unit, *part, *number, *tile; } work_names[] = {
    { "core", "mxu",  "",        "operation",         "tile" },
    { "core", "mxu",  "weights", "weights_operation", "weights_tile" },
    { "core", "",     "",        "operation",         NULL },
    { "sm",   "warp", "",        "launch",            "block" },
    { "sm",   "warp", "op",      "ptx_line",          "operation" },
};

/* The variables of a track; several use the same scope. */
struct track_vars {
    uint32_t value;                     /* STATE, LEVEL */
    const struct work_names *names;     /* WORK; NULL: not drawn */
    uint32_t op, number, tile;
    bool     has_op, begun;
    cycle_t  until;                     /* where the last entry ended */
};

struct drawing {
    const struct recorded *run;
    struct vcd *vcd;
    tick_t from, to;
    bool   shows;                       /* what the save file shows of the block at hand */
    char **ops;                         /* short names of the trace's groups */
    uint32_t groups;
};

static const char *chip_name(const struct recorded *r)
{
    const char *name = report_string(r->result, "machine");
    return name[0] != '\0' ? name : r->tpu ? "tpu" : "gpu";
}

/* "l1.product" of "l1.product = matmul + bias". */
static char *short_name(const char *name)
{
    size_t n = strcspn(name, " ");
    return strndup(name, n < OP_CHARACTERS ? n : OP_CHARACTERS);
}

static void name_ops(struct drawing *d)
{
    const struct recorded *r = d->run;
    d->groups = r->tpu ? r->tpu->plan->group_count : r->gpu_plan->group_count;
    d->ops = zeroed(d->groups, sizeof *d->ops);
    for (uint32_t g = 0; g < d->groups; g++)
        d->ops[g] = short_name(r->tpu ? r->tpu->plan->groups[g].name : r->gpu_plan->groups[g].name);
}

/* ---- variables ---- */

static unsigned bits_for(uint64_t most)
{
    unsigned bits = 1;
    while (bits < 64 && most >> bits)
        bits++;
    return bits;
}

static unsigned longest(const struct record_track *t)
{
    size_t n = 1;
    for (uint32_t i = 0; i < t->state_count; i++)
        n = strlen(t->states[i]) > n ? strlen(t->states[i]) : n;
    return (unsigned)n;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static const struct work_names *names_of(const char *block, const char *unit, const char *part)
{
    for (size_t i = 0; i < sizeof work_names / sizeof work_names[0]; i++)
        if (begins(block, work_names[i].block) && begins(unit, work_names[i].unit)
            && strcmp(part, work_names[i].part) == 0)
            return &work_names[i];
    return NULL;
}

static void add_work(struct drawing *d, uint32_t scope, const char *part, struct track_vars *v)
{
    const struct work_names *n = v->names;
    v->has_op = part[0] == '\0';
    if (v->has_op)
        v->op = vcd_text(d->vcd, scope, "op", OP_CHARACTERS);
    v->number = vcd_number(d->vcd, scope, n->number, 32);
    if (n->tile)
        v->tile = vcd_number(d->vcd, scope, n->tile, 32);
}

/* The save file shows what did work. */
static void show_work(struct drawing *d, const struct track_vars *v)
{
    if (v->has_op)
        vcd_show(d->vcd, v->op);
    vcd_show(d->vcd, v->number);
    if (v->names->tile)
        vcd_show(d->vcd, v->tile);
}

/* The scope of a unit: that of the track before, mostly. */
static uint32_t scope_of(struct drawing *d, uint32_t block, const char *unit, char *last,
                         uint32_t *last_scope)
{
    if (strcmp(unit, last) != 0) {
        snprintf(last, RECORD_NAME, "%s", unit);
        *last_scope = vcd_scope(d->vcd, block, unit);
    }
    return *last_scope;
}

static int by_unit(const void *a, const void *b)
{
    const struct record_track *const *x = a, *const *y = b;
    size_t n = strcspn((*x)->name, "."), m = strcspn((*y)->name, ".");
    int order = strncmp((*x)->name, (*y)->name, n > m ? n : m);
    return n == m && order == 0 ? (*x > *y) - (*x < *y) : strverscmp((*x)->name, (*y)->name);
}

/* Tracks in the order of their units, those of a unit as they were added. */
static const struct record_track **sorted_tracks(const struct record *r)
{
    uint32_t count = record_tracks(r);
    const struct record_track **t = zeroed(count, sizeof(struct record_track *));
    for (uint32_t i = 0; i < count; i++)
        t[i] = record_track(r, i);
    qsort(t, count, sizeof(struct record_track *), by_unit);
    return t;
}

static void add_track(struct drawing *d, const char *block, uint32_t scope,
                      const struct record_track *t, const char *part, struct track_vars *v)
{
    char unit[RECORD_NAME];
    snprintf(unit, sizeof unit, "%.*s", (int)strcspn(t->name, "."), t->name);
    if (t->kind == RECORD_STATE)
        v->value = vcd_text(d->vcd, scope, "state", longest(t));
    else if (t->kind == RECORD_LEVEL)
        v->value = vcd_number(d->vcd, scope, part, bits_for(t->full));
    if (d->shows && (t->kind == RECORD_STATE || t->kind == RECORD_LEVEL))
        vcd_show(d->vcd, v->value);
    if (t->kind == RECORD_WORK && (v->names = names_of(block, unit, part)) != NULL)
        add_work(d, scope, part, v);
}

/* Variables of a block's tracks; `vars` has an element a track. */
static void add_vars(struct drawing *d, const struct record *r, struct track_vars *vars)
{
    const char *block = record_config(r)->name;
    const struct record_track **tracks = sorted_tracks(r), *first = record_track(r, 0);
    uint32_t block_scope = vcd_scope(d->vcd, VCD_TOP, block), scope = 0;
    char last[RECORD_NAME] = "", unit[RECORD_NAME];
    for (uint32_t i = 0; i < record_tracks(r); i++) {
        const struct record_track *t = tracks[i];
        if (t->kind == RECORD_AMOUNT)
            continue;
        size_t n = strcspn(t->name, ".");
        snprintf(unit, sizeof unit, "%.*s", (int)n, t->name);
        scope = scope_of(d, block_scope, unit, last, &scope);
        add_track(d, block, scope, t, t->name[n] == '.' ? t->name + n + 1 : "",
                  &vars[t - first]);
    }
    free(tracks);
}

/* ---- changes ---- */

static void put_idle(struct drawing *d, const struct track_vars *v, tick_t at)
{
    if (v->has_op)
        vcd_set_text(d->vcd, v->op, at, "");
    vcd_set_nothing(d->vcd, v->number, at);
    if (v->names->tile)
        vcd_set_nothing(d->vcd, v->tile, at);
}

static void put_work(struct drawing *d, struct track_vars *v, const struct clock *clock,
                     const struct record_entry *e)
{
    tick_t at = clock_tick(clock, e->start);
    if (!v->names || e->start == e->end)
        return;
    if (!v->begun && d->shows)
        show_work(d, v);
    if (!v->begun || v->until < e->start)
        put_idle(d, v, v->begun ? clock_tick(clock, v->until) : d->from);
    if (v->has_op)
        vcd_set_text(d->vcd, v->op, at, e->group < d->groups ? d->ops[e->group] : "?");
    vcd_set_number(d->vcd, v->number, at, e->number);
    if (v->names->tile)
        vcd_set_number(d->vcd, v->tile, at, e->part);
    v->until = e->end;
    v->begun = true;
}

static void put_value(struct drawing *d, struct track_vars *v, const struct clock *clock,
                      const struct record_track *t, const struct record_entry *e)
{
    if (v->begun && v->until < e->start)
        vcd_set_unknown(d->vcd, v->value, clock_tick(clock, v->until));
    tick_t at = clock_tick(clock, e->start);
    if (t->kind == RECORD_STATE)
        vcd_set_text(d->vcd, v->value, at, t->states[e->part]);
    else
        vcd_set_number(d->vcd, v->value, at, e->part);
    v->until = e->end;
    v->begun = true;
}

static void put_unknown(struct drawing *d, const struct track_vars *v, tick_t at)
{
    if (v->has_op)
        vcd_set_unknown(d->vcd, v->op, at);
    vcd_set_unknown(d->vcd, v->number, at);
    if (v->names->tile)
        vcd_set_unknown(d->vcd, v->tile, at);
}

/* Nothing is under way behind the last entry, until the limit has left one out. */
static void put_end_of_work(struct drawing *d, struct track_vars *v, const struct clock *clock,
                            cycle_t lost, cycle_t end)
{
    if (!v->begun || v->until < end)
        put_idle(d, v, v->begun ? clock_tick(clock, v->until) : d->from);
    if (lost < end && v->until < end)
        put_unknown(d, v, tick_max(clock_tick(clock, cycle_max(lost, v->until)), d->from));
}

/* Where a track's entries end before the window does. */
static void put_end(struct drawing *d, struct track_vars *v, const struct clock *clock,
                    const struct record_track *t, cycle_t lost, cycle_t end)
{
    if (t->kind == RECORD_WORK && v->names)
        put_end_of_work(d, v, clock, lost, end);
    else if ((t->kind == RECORD_STATE || t->kind == RECORD_LEVEL) && v->begun && v->until < end)
        vcd_set_unknown(d->vcd, v->value, clock_tick(clock, v->until));
}

static void draw_block(struct drawing *d, const struct record *r)
{
    const struct clock clock = record_config(r)->clock;
    struct track_vars *vars = zeroed(record_tracks(r), sizeof *vars);
    add_vars(d, r, vars);
    for (size_t i = 0; i < record_entries(r); i++) {
        const struct record_entry *e = record_entry(r, i);
        const struct record_track *t = record_track(r, e->track);
        if (t->kind == RECORD_WORK)
            put_work(d, &vars[e->track], &clock, e);
        else
            put_value(d, &vars[e->track], &clock, t, e);
    }
    for (uint32_t i = 0; i < record_tracks(r); i++)
        put_end(d, &vars[i], &clock, record_track(r, i), record_until(r),
                clock_cycle(&clock, d->to));
    free(vars);
}

/* The window, as far as the run went, in whole cycles of those that keep entries. */
static void set_window(struct drawing *d)
{
    const struct recording *x = d->run->recording;
    const struct clock *clock = d->run->tpu ? &d->run->tpu->clock : &d->run->gpu->clock;
    d->to = tick_min(clock_tick(clock, clock_cycle(clock, d->run->end)), x->ask.to);
    d->from = tick_min(clock_tick(clock, clock_cycle(clock, x->ask.from)), d->to);
}

static void begin(struct drawing *d, const struct recorded *r)
{
    const struct recording *x = r->recording;
    uint32_t drawn = 0;
    *d = (struct drawing){ .run = r, .vcd = vcd_new(chip_name(r)) };
    set_window(d);
    name_ops(d);
    for (uint32_t b = 0; b < x->count; b++)
        if (x->record[b] && record_config(x->record[b])->entries) {
            d->shows = r->tpu || drawn == 0;    /* of SMs one: others are alike */
            draw_block(d, x->record[b]);
            drawn++;
        }
}

static void end(struct drawing *d)
{
    vcd_free(d->vcd);
    for (uint32_t g = 0; g < d->groups; g++)
        free(d->ops[g]);
    free(d->ops);
}

static struct vcd_head head_of(const struct drawing *d, char *comment, size_t size)
{
    snprintf(comment, size, "%s, %s.  op, state: text, 8 bits a character.  z: nothing is under "
             "way; x: not recorded.", chip_name(d->run), report_string(d->run->result, "trace"));
    for (char *c = strchr(comment, '$'); c != NULL; c = strchr(c, '$'))
        *c = '_';
    return (struct vcd_head){ .comment = comment, .from = d->from, .to = d->to };
}

void vcd_run_write(const struct recorded *r, void *arg, FILE *out)
{
    struct drawing d;
    char comment[256];
    (void)arg;
    begin(&d, r);
    struct vcd_head head = head_of(&d, comment, sizeof comment);
    vcd_write(d.vcd, &head, out);
    end(&d);
}

void vcd_run_write_save(const struct recorded *r, void *waves, FILE *out)
{
    struct drawing d;
    char comment[256];
    begin(&d, r);
    struct vcd_head head = head_of(&d, comment, sizeof comment);
    vcd_write_save(d.vcd, &head, waves, out);
    end(&d);
}
