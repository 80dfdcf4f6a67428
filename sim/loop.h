/* loop.h - the engine's twin: the same blocks and links, a plain loop, no SystemC.
 *
 * It keeps no lists and no alarms: it looks at every block and link to find the next
 * window with something to do, runs every block through it, and publishes every link.
 * Slow with many blocks, simple enough to trust, and usable many times in a process.
 * Blocks must come out of it as they come out of engine_run.
 *
 * Not modelled: threads, progress; activations count every block of every window.
 */
#ifndef SIM_LOOP_H
#define SIM_LOOP_H

#include "sim/engine.h"

bool loop_run(const struct engine_config *config, struct engine_result *result);

#endif
