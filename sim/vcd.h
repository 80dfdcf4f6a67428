/* vcd.h - waves in the format of IEEE 1364, value change dump, and a save file for GTKWave.
 *
 *     struct vcd *v = vcd_new();
 *     uint32_t s = vcd_scope(v, VCD_TOP, "core0");
 *     uint32_t x = vcd_text(v, s, "state", 16);
 *     vcd_change_text(v, x, 0, "idle");           and so on, each variable forward in time
 *     vcd_write(v, &head, stdout);
 *
 * Kinds of variables:
 *
 *     number   a vector of so many bits
 *     text     a vector of 8 bits a character, the first highest: plain VCD, which GTKWave (by the
 *              save file) and others show as text
 *     real
 *
 * A variable is unknown (x) before its first change; a number may be nothing (z).  The time scale
 * is the coarsest of 1 ns, 1 ps, 1 fs in which every time is whole, so nothing is rounded.
 */
#ifndef SIM_VCD_H
#define SIM_VCD_H

#include <stdio.h>

#include "models/block.h"

#define VCD_TOP  0                  /* the scope that is there from the start */
#define VCD_NAME 32

struct vcd;

struct vcd *vcd_new(const char *top);           /* names: what no identifier has becomes '_' */
void        vcd_free(struct vcd *v);

uint32_t vcd_scope(struct vcd *v, uint32_t parent, const char *name);
uint32_t vcd_number(struct vcd *v, uint32_t scope, const char *name, unsigned bits);
uint32_t vcd_text(struct vcd *v, uint32_t scope, const char *name, unsigned characters);
uint32_t vcd_real(struct vcd *v, uint32_t scope, const char *name);

/* At a time not before that of the variable's last change; the last of one time holds. */
void vcd_set_number(struct vcd *v, uint32_t var, tick_t at, uint64_t value);
void vcd_set_text(struct vcd *v, uint32_t var, tick_t at, const char *borrowed);
void vcd_set_real(struct vcd *v, uint32_t var, tick_t at, double value);
void vcd_set_nothing(struct vcd *v, uint32_t var, tick_t at);
void vcd_set_unknown(struct vcd *v, uint32_t var, tick_t at);

struct vcd_head {
    const char *comment;            /* a line or some; no "$end" in it */
    tick_t from, to;                /* of the window; changes lie within */
};

/* Variables that are to be seen at first in GTKWave; others can be chosen in its tree. */
void vcd_show(struct vcd *v, uint32_t var);

void vcd_write(const struct vcd *v, const struct vcd_head *head, FILE *out);
void vcd_write_save(const struct vcd *v, const struct vcd_head *head, const char *waves,
                    FILE *out);     /* `waves`: the name of the VCD file, beside it */

/* "mlp.vcd", "mlp.vcd.gz" -> "mlp.gtkw".  The caller frees it. */
char *vcd_save_name(const char *path);

#endif
