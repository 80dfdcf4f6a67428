/* terminal.c - see terminal.h.
 *
 * Signals that we take are blocked but while a key is waited for, so nothing is half drawn.
 */
#include "sim/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE        27
#define ESCAPE_WAIT_S 0.05          /* the rest of a key's sequence comes with it */

#define SHOW_PAGE "\033[?1049h\033[?25l"
#define HIDE_PAGE "\033[?25h\033[?1049l"

static const int taken[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH };
static const int crashes[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static bool             is_open;
static struct termios   before;
static sigset_t         mask_before, mask_while_waiting;
static struct sigaction taken_before[COUNT(taken)], crashes_before[COUNT(crashes)];
static volatile sig_atomic_t ended_by, stopped, continued, resized;

bool terminal_can(void)
{
    const char *term = getenv("TERM");
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && term[0] != '\0'
        && strcmp(term, "dumb") != 0;
}

/* Also from a signal's handler. */
static void say(const char *text)
{
    size_t size = strlen(text);
    while (size > 0) {
        ssize_t n = write(STDOUT_FILENO, text, size);
        if (n < 0 && errno != EINTR)
            return;
        text += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
}

static void put_back(void)
{
    say(HIDE_PAGE);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
}

static bool make_raw(void)
{
    struct termios raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);      /* ISIG stays: ^C and ^Z are signals */
    raw.c_iflag &= ~(tcflag_t)ICRNL;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) != 0)
        return false;
    say(SHOW_PAGE);
    return true;
}

/* ---- signals ---- */

static void take(int number)
{
    if (number == SIGTSTP)
        stopped = 1;
    else if (number == SIGCONT)
        continued = 1;
    else if (number == SIGWINCH)
        resized = 1;
    else
        ended_by = number;
}

static void crash(int number)
{
    put_back();
    signal(number, SIG_DFL);
    raise(number);
}

/* One that whoever started us has switched off stays so. */
static void take_signals(void)
{
    struct sigaction mine = { .sa_handler = take }, fatal = { .sa_handler = crash };
    sigset_t mask;
    sigemptyset(&mask);
    for (size_t i = 0; i < COUNT(taken); i++) {
        sigaction(taken[i], NULL, &taken_before[i]);
        if (taken_before[i].sa_handler == SIG_IGN)
            continue;
        sigaction(taken[i], &mine, NULL);
        sigaddset(&mask, taken[i]);
    }
    sigprocmask(SIG_BLOCK, &mask, &mask_before);
    mask_while_waiting = mask_before;
    for (size_t i = 0; i < COUNT(taken); i++)
        sigdelset(&mask_while_waiting, taken[i]);
    for (size_t i = 0; i < COUNT(crashes); i++)
        sigaction(crashes[i], &fatal, &crashes_before[i]);
}

static void give_signals_back(void)
{
    for (size_t i = 0; i < COUNT(taken); i++)
        sigaction(taken[i], &taken_before[i], NULL);
    for (size_t i = 0; i < COUNT(crashes); i++)
        sigaction(crashes[i], &crashes_before[i], NULL);
    sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

/* SIGTSTP, done by hand: the shell gets its terminal as it was. */
static void stop(void)
{
    struct sigaction usual = { .sa_handler = SIG_DFL }, mine;
    sigset_t only, was;
    stopped = 0;
    put_back();
    sigemptyset(&only);
    sigaddset(&only, SIGTSTP);
    sigaction(SIGTSTP, &usual, &mine);
    raise(SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &only, &was);          /* here it stops, and here it goes on */
    sigprocmask(SIG_SETMASK, &was, NULL);
    sigaction(SIGTSTP, &mine, NULL);
    continued = 1;
}

/* ---- open and close ---- */

bool terminal_open(void)
{
    if (is_open || tcgetattr(STDIN_FILENO, &before) != 0)
        return is_open;
    fflush(stdout);
    ended_by = stopped = continued = resized = 0;
    take_signals();
    if (!make_raw()) {
        give_signals_back();
        return false;
    }
    static bool told;
    if (!told)
        atexit(terminal_close);
    told = is_open = true;
    return true;
}

void terminal_close(void)
{
    if (!is_open)
        return;
    is_open = false;
    put_back();
    give_signals_back();
    if (ended_by != 0)
        raise(ended_by);
}

/* ---- the page ---- */

void terminal_size(unsigned *columns, unsigned *rows)
{
    struct winsize w = { 0 };
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 && w.ws_row > 0;
    *columns = known ? w.ws_col : 80;
    *rows = known ? w.ws_row : 24;
}

/* Over what stands there, each line cleared behind its end: nothing flickers. */
void terminal_draw(const char *const *lines, size_t count)
{
    unsigned columns, rows;
    char *page = NULL;
    size_t size = 0;
    terminal_size(&columns, &rows);
    FILE *out = open_memstream(&page, &size);
    if (!out)
        abort();
    fputs("\033[H", out);
    for (size_t i = 0; i < count && i < rows; i++)
        fprintf(out, "%s%.*s\033[K", i > 0 ? "\r\n" : "", (int)columns, lines[i]);
    fputs("\033[J", out);
    fclose(out);
    say(page);
    free(page);
}

/* ---- keys ---- */

/* Another byte, -1: none within `wait` s (below 0: for ever).  A signal ends the wait. */
static int byte_within(double wait)
{
    struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
    struct timespec t = { .tv_nsec = (long)(wait * 1e9) };
    unsigned char c;
    int ready = ppoll(&in, 1, wait < 0 ? NULL : &t, &mask_while_waiting);
    if (ready < 0 && errno == EINTR)
        return -1;
    if (ready == 0)
        return -1;
    ssize_t n = ready < 0 ? -1 : read(STDIN_FILENO, &c, 1);
    if (n == 1)
        return c;
    ended_by = n < 0 && errno == EINTR ? ended_by : SIGHUP;     /* nobody is there */
    return -1;
}

static const struct { char final; unsigned number; int key; } sequences[] = {
    { 'D', 0, TERMINAL_LEFT },  { 'C', 0, TERMINAL_RIGHT }, { 'A', 0, TERMINAL_UP },
    { 'B', 0, TERMINAL_DOWN },  { 'H', 0, TERMINAL_HOME },  { 'F', 0, TERMINAL_END },
    { '~', 1, TERMINAL_HOME },  { '~', 7, TERMINAL_HOME },  { '~', 4, TERMINAL_END },
    { '~', 8, TERMINAL_END }, { '~', 5, TERMINAL_PAGE_UP }, { '~', 6, TERMINAL_PAGE_DOWN },
};

/* Behind ESC: "[C", "OC", "[5~"; ESC alone, and what is not known, is OTHER. */
static int sequence(void)
{
    int c = byte_within(ESCAPE_WAIT_S);
    unsigned number = 0;
    if (c != '[' && c != 'O')
        return TERMINAL_OTHER;
    while ((c = byte_within(ESCAPE_WAIT_S)) >= '0' && c <= '9')
        number = number < 100 ? number * 10 + (unsigned)(c - '0') : number;
    for (size_t i = 0; i < COUNT(sequences); i++)
        if (c == sequences[i].final && number == sequences[i].number)
            return sequences[i].key;
    return TERMINAL_OTHER;
}

int terminal_key(void)
{
    for (;;) {
        bool told = ended_by || stopped || continued || resized;
        int c = told ? -1 : byte_within(-1);
        if (ended_by)
            return TERMINAL_OVER;
        if (stopped)
            stop();
        if (continued)                  /* who went on meanwhile may have set it otherwise */
            make_raw();
        if (continued || resized) {
            continued = resized = 0;
            return TERMINAL_RESIZED;
        }
        if (c >= 0)
            return c == ESCAPE ? sequence() : c;
    }
}
