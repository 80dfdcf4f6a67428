/* ports.h - the calendar of what a core's units share, cycle by cycle.
 *
 * Vector memory has finite ports, the vector unit finite issue slots, and several matrix
 * units share push and pop slots.  A tile of a matrix unit reserves what it needs for its
 * whole duration when it starts (it waits before, never within).  Whoever can go at any
 * pace (DMA, the vector unit) takes what is left.
 *
 *     read    ....####====####....        capacity
 *             ^now    ^ reserved from here
 *
 * Slots are counted in 64ths, so that one push every 16 cycles can be written down.
 *
 * Not modelled: banks of the vector memory and their conflicts.
 */
#ifndef MODELS_TPU_PORTS_H
#define MODELS_TPU_PORTS_H

#include "models/block.h"

#define TPU_PORTS_SLOT 64       /* a whole slot, each cycle */

#define TPU_PORTS(X) \
    X(READ,  "bytes read from vector memory") \
    X(WRITE, "bytes written to vector memory") \
    X(ALU,   "vector arithmetic instructions, in 64ths") \
    X(PUSH,  "pushes to matrix units, in 64ths") \
    X(POP,   "results popped from them, in 64ths")

enum tpu_port {
#define PORT(name, what) TPU_PORT_##name,
    TPU_PORTS(PORT)
#undef PORT
    TPU_PORTS_COUNT
};

/* So much of each, each cycle. */
struct tpu_demand { uint32_t of[TPU_PORTS_COUNT]; };

struct tpu_ports;

struct tpu_ports *tpu_ports_new(const struct tpu_demand *capacity);
void              tpu_ports_free(struct tpu_ports *p);
struct tpu_demand tpu_ports_capacity(const struct tpu_ports *p);

/* Nobody will ask for cycles before `now` again. */
void tpu_ports_forget(struct tpu_ports *p, cycle_t now);

/* The first cycle from `now` on in which `demand` is free for `duration` cycles;
 * CYCLE_NEVER if it exceeds the capacity.  */
cycle_t tpu_ports_at(struct tpu_ports *p, cycle_t now, cycle_t duration,
                     const struct tpu_demand *demand);
/* Takes it; requires that it is free. */
void    tpu_ports_reserve(struct tpu_ports *p, cycle_t start, cycle_t duration,
                          const struct tpu_demand *demand);

/* Takes `amount` of one port from what is left, from `now` on and at most `rate` a cycle;
 * returns the first cycle after the last of it. */
cycle_t tpu_ports_fill(struct tpu_ports *p, cycle_t now, enum tpu_port port,
                       uint64_t amount, uint32_t rate);

#endif
