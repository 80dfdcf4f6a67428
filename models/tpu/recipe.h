/* recipe.h - what a group of ops has each unit of a core do, summed up.
 *
 * The operations of a group are few kinds, each many times: tiles of one size, and those at the
 * edges.  For each unit the recipe says how many of each kind it does, and what must be done
 * before its first one and after its last:
 *
 *     load      ####                        lead of the matrix units: these loads
 *     matrix        ##########              work
 *     vector                  ##            tail: what follows their last operation
 *     store                     ##
 *
 * So whoever wants a unit's time by hand adds lead, work and tail, and the longest is the
 * group's, if nothing else holds it up.
 *
 * A load that goes on beside a product (a bias) leads nothing that waits for both.
 *
 * Loads after the last one that the matrix units need (a bias) are `rest`: what follows them is
 * little, and the tail is that of the loads before.  So are transposes of nothing but operands:
 * they are in the lead of the matrix units.
 *
 * Not modelled: what waits in the middle, for a buffer to be free.
 */
#ifndef MODELS_TPU_RECIPE_H
#define MODELS_TPU_RECIPE_H

#include "models/tpu/program.h"

#define TPU_RECIPE_KINDS 48

struct tpu_recipe_unit { uint32_t work, rest, lead, tail; };   /* how many of a kind */

struct tpu_recipe {
    uint32_t       count;                       /* of kinds; 0: nothing to do, or too many */
    struct tpu_uop kinds[TPU_RECIPE_KINDS];     /* the first of each */
    struct tpu_recipe_unit of[TPU_UNITS_COUNT][TPU_RECIPE_KINDS];
};

void tpu_recipe(struct tpu_recipe *r, const struct tpu_program *p, uint32_t group);

#endif
