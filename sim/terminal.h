/* terminal.h - a terminal that shows one page and gives keys one by one.
 *
 *     if (terminal_can() && terminal_open()) {
 *         terminal_draw(lines, count);
 *         int key = terminal_key();            waits
 *         terminal_close();
 *     }
 *
 * While it is open, characters are not echoed and not gathered into lines, the cursor is hidden
 * and a second screen is shown; terminal_close, and every way in which the program can end but
 * SIGKILL, put everything back.  SIGINT, SIGTERM, SIGHUP and SIGQUIT arrive as TERMINAL_OVER:
 * who gets it closes, and terminal_close then lets the signal do what it would have done.
 * SIGTSTP puts back, stops, and goes on with TERMINAL_RESIZED, as a new size does.
 *
 * Needs of the terminal: ESC [ H, J, K, ? 25, ? 1049, as all since the VT220 and xterm have.
 */
#ifndef SIM_TERMINAL_H
#define SIM_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Beyond characters. */
enum terminal_key {
    TERMINAL_LEFT = 256, TERMINAL_RIGHT, TERMINAL_UP, TERMINAL_DOWN, TERMINAL_HOME, TERMINAL_END,
    TERMINAL_PAGE_UP, TERMINAL_PAGE_DOWN, TERMINAL_OTHER,
    TERMINAL_RESIZED,               /* draw again */
    TERMINAL_OVER                    /* a signal, or nobody is there any more */
};

bool terminal_can(void);            /* stdin and stdout are one, and TERM is not dumb */
bool terminal_open(void);           /* false: it cannot be set */
void terminal_close(void);

/* At least 1; a terminal that does not know has 80 x 24. */
void terminal_size(unsigned *columns, unsigned *rows);

/* The page: lines without newlines, each cut at the right; those that do not fit are left out. */
void terminal_draw(const char *const *lines, size_t count);

int terminal_key(void);             /* a character, or one of the above */

#endif
