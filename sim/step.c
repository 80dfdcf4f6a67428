/* step.c - see step.h. */
#include "sim/step.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/terminal.h"

#define FRAMES_MOST 10000
#define LINE        256

/* Where one is. */
struct place { cycle_t cycle; unsigned view; };

static bool whole(const char **text, cycle_t *value)
{
    char *end;
    errno = 0;
    if (!isdigit((unsigned char)**text))
        return false;
    *value = strtoull(*text, &end, 10);
    *text = end;
    return errno == 0;
}

bool step_range(const struct step_subject *s, const char *text, cycle_t *from, cycle_t *to,
                struct diag *d)
{
    const char *at = text;
    bool ok = whole(&at, from);
    *to = *from;
    if (ok && strncmp(at, "..", 2) == 0) {
        at += 2;
        ok = whole(&at, to);
    }
    if (!ok || *at != '\0' || *to < *from)
        return diag_set(d, 0, 0, "%.40s is no range of cycles; expected FROM..TO, as 0..20", text);
    if (*from < s->first || *to > s->last)
        return diag_set(d, 0, 0, "%.40s: there is no such cycle; expected %" PRIu64 " to %" PRIu64,
                        text, s->first, s->last);
    if (*to - *from >= FRAMES_MOST)
        return diag_set(d, 0, 0, "%.40s are %" PRIu64 " frames; expected at most %d", text,
                        *to - *from + 1, FRAMES_MOST);
    return true;
}

static void print(const struct step_subject *s, const struct place *p, FILE *out)
{
    s->frame(s->self, p->cycle, p->view, out);
    fputc('\n', out);
}

void step_frames(const struct step_subject *s, cycle_t from, cycle_t to, FILE *out)
{
    for (struct place p = { from, 0 }; p.cycle <= to; p.cycle++)
        print(s, &p, out);
}

/* ---- moves ---- */

static void go(const struct step_subject *s, struct place *p, cycle_t cycle)
{
    p->cycle = cycle < s->first ? s->first : cycle > s->last ? s->last : cycle;
}

static void forward(const struct step_subject *s, struct place *p, cycle_t by)
{
    go(s, p, by > s->last - p->cycle ? s->last : p->cycle + by);
}

static void back(const struct step_subject *s, struct place *p, cycle_t by)
{
    go(s, p, by > p->cycle ? s->first : p->cycle - by);
}

/* ---- commands by line ---- */

static const char help_lines[] =
    "n [COUNT]  forward      b [COUNT]  back         g CYCLE    go there\n"
    "home       first cycle  end        last cycle   v          next view\n"
    "q          quit         ?          this\n";

enum outcome { MOVED, STAYED, QUIT };

struct command {
    const char *name, *key;
    enum { FORWARD, BACK, GO, HOME, END, VIEW, LEAVE, HELP } what;
};

static const struct command commands[] = {
    { "n", "next", FORWARD }, { "b", "back", BACK }, { "g", "go", GO },      { "home", "h", HOME },
    { "end", "e", END },      { "v", "view", VIEW }, { "q", "quit", LEAVE }, { "?", "help", HELP },
};

static const struct command *find(const char *word)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(word, commands[i].name) == 0 || strcmp(word, commands[i].key) == 0)
            return &commands[i];
    return NULL;
}

static enum outcome act(const struct step_subject *s, struct place *p, const struct command *c,
                        cycle_t number, FILE *out)
{
    switch (c->what) {
    case FORWARD: forward(s, p, number); return MOVED;
    case BACK:    back(s, p, number); return MOVED;
    case GO:      go(s, p, number); return MOVED;
    case HOME:    go(s, p, s->first); return MOVED;
    case END:     go(s, p, s->last); return MOVED;
    case VIEW:    p->view = (p->view + 1) % s->views; return MOVED;
    case LEAVE:   return QUIT;
    case HELP:    fputs(help_lines, out); return STAYED;
    }
    return STAYED;
}

/* "", "n", "b 3", "g 12". */
static enum outcome obey(const struct step_subject *s, struct place *p, char *line, FILE *out)
{
    char *rest, *word = strtok_r(line, " \t\r\n", &rest);
    const char *number = word ? strtok_r(NULL, " \t\r\n", &rest) : NULL;
    const struct command *c = find(word ? word : "n");
    cycle_t value = 1;
    bool counts = c && (c->what == FORWARD || c->what == BACK || c->what == GO);
    bool read = number && whole(&number, &value) && *number == '\0';
    if (counts && ((number && !read) || (!number && c->what == GO))) {
        fprintf(out, "%.40s%s%.40s: expected %s, a whole number from 0 on\n", word ? word : "",
                number ? " " : "", number ? number : "",
                c->what == GO ? "a cycle" : "how many cycles");
        return STAYED;
    }
    if (!c || (number && !counts) || (number && strtok_r(NULL, " \t\r\n", &rest))) {
        fprintf(out, "%.40s: no such command; expected one of these\n%s", word ? word : "",
                help_lines);
        return STAYED;
    }
    return act(s, p, c, value, out);
}

void step_lines(const struct step_subject *s, FILE *in, FILE *out)
{
    char line[LINE];
    struct place p = { s->start, 0 };
    enum outcome o = MOVED;
    while (o != QUIT) {
        if (o == MOVED)
            print(s, &p, out);
        fflush(out);
        if (!fgets(line, sizeof line, in))
            return;
        o = obey(s, &p, line, out);
    }
}

/* ---- keys ---- */

static const char *const help_page[] = {
    "n  space  right     forward, a cycle",
    "b  p  left          back, a cycle",
    "g                   go to a cycle: its number, then Enter",
    "home, end           the first, the last cycle",
    "v                   the next view",
    "up, down, page up, page down    where the frame is higher than the terminal",
    "?                   this",
    "q                   quit",
    "",
    "Any key goes back.",
};

/* A frame on the terminal, and what is asked below it. */
struct page {
    const struct step_subject *s;
    struct place place;
    size_t top;                     /* of the frame's lines, the first that is shown */
    bool   help;
    bool   asking;                  /* which cycle to go to */
    char   asked[20];
};

/* Lines of text, cut apart in place. */
static size_t cut(char *text, const char **lines, size_t most)
{
    size_t count = 0;
    for (char *at = text; *at != '\0' && count < most; ) {
        char *end = strchrnul(at, '\n');
        lines[count++] = at;
        at = *end == '\0' ? end : end + 1;
        *end = '\0';
    }
    return count;
}

static void status(const struct page *p, size_t hidden, char *text, size_t size)
{
    if (p->asking)
        snprintf(text, size, "go to cycle (%" PRIu64 " to %" PRIu64 "): %s_", p->s->first,
                 p->s->last, p->asked);
    else
        snprintf(text, size, "[n]ext [b]ack [g]o%s [?] [q]uit%s", p->s->views > 1 ? " [v]iew" : "",
                 hidden > 0 ? "  more: up, down" : "");
}

/* The frame's lines from `top` on, and the last line of the terminal for what is asked. */
static void draw_frame(struct page *p, const char **lines, size_t count)
{
    unsigned columns, rows;
    char below[128];
    terminal_size(&columns, &rows);
    size_t room = rows > 1 ? rows - 1 : 0, widest = 0;
    size_t hidden = count > room ? count - room : 0;
    for (size_t i = 0; i < count; i++)
        widest = strlen(lines[i]) > widest ? strlen(lines[i]) : widest;
    p->top = p->top > hidden ? hidden : p->top;
    const char *shown[room + 1];
    size_t n = 0;
    for (; n < room && p->top + n < count; n++)
        shown[n] = lines[p->top + n];
    status(p, hidden, below, sizeof below);
    if (widest > columns)
        snprintf(below, sizeof below, "too narrow: %u columns, the frame has %zu%s", columns,
                 widest, p->s->views > 1 ? "; [v]iew, [q]uit" : "; [q]uit");
    shown[n++] = below;
    terminal_draw(shown, n);
}

static void draw(struct page *p)
{
    const char *lines[512];
    char *text = NULL;
    size_t size = 0;
    if (p->help) {
        terminal_draw(help_page, sizeof help_page / sizeof help_page[0]);
        return;
    }
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    p->s->frame(p->s->self, p->place.cycle, p->place.view, out);
    fclose(out);
    draw_frame(p, lines, cut(text, lines, sizeof lines / sizeof lines[0]));
    free(text);
}

/* A key while a cycle is asked for. */
static void ask(struct page *p, int key)
{
    size_t n = strlen(p->asked);
    const char *text = p->asked;
    cycle_t cycle;
    if (key >= '0' && key <= '9' && n + 1 < sizeof p->asked) {
        p->asked[n] = (char)key;
        p->asked[n + 1] = '\0';
        return;
    }
    if ((key == '\b' || key == 127) && n > 0) {
        p->asked[n - 1] = '\0';
        return;
    }
    if ((key == '\r' || key == '\n') && whole(&text, &cycle))
        go(p->s, &p->place, cycle);
    p->asking = key >= '0' && key <= '9';
}

static void scroll(struct page *p, int key)
{
    unsigned columns, rows;
    terminal_size(&columns, &rows);
    size_t by = key == TERMINAL_UP || key == TERMINAL_DOWN ? 1 : rows > 2 ? rows - 2 : 1;
    if (key == TERMINAL_DOWN || key == TERMINAL_PAGE_DOWN)
        p->top += by;
    else
        p->top = p->top > by ? p->top - by : 0;
}

/* False: enough. */
static bool press(struct page *p, int key)
{
    if (p->help || p->asking) {
        p->help = p->help && key == TERMINAL_RESIZED;
        if (p->asking && key != TERMINAL_RESIZED)
            ask(p, key);
        return true;
    }
    switch (key) {
    case 'n': case ' ': case '\r': case '\n':
    case TERMINAL_RIGHT:                     forward(p->s, &p->place, 1); break;
    case 'b': case 'p': case TERMINAL_LEFT:  back(p->s, &p->place, 1); break;
    case 'h': case TERMINAL_HOME:            go(p->s, &p->place, p->s->first); break;
    case 'e': case TERMINAL_END:             go(p->s, &p->place, p->s->last); break;
    case 'v': p->place.view = (p->place.view + 1) % p->s->views; break;
    case 'g': p->asking = true; p->asked[0] = '\0'; break;
    case '?': p->help = true; break;
    case 'q': return false;
    case TERMINAL_UP: case TERMINAL_DOWN: case TERMINAL_PAGE_UP: case TERMINAL_PAGE_DOWN:
        scroll(p, key);
        break;
    default: break;
    }
    return true;
}

void step_terminal(const struct step_subject *s)
{
    struct page p = { .s = s, .place = { s->start, 0 } };
    int key;
    if (!terminal_open()) {
        step_lines(s, stdin, stdout);
        return;
    }
    do {
        draw(&p);
        key = terminal_key();
    } while (key != TERMINAL_OVER && press(&p, key));
    terminal_close();
}
