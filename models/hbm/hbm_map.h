/* hbm_map.h - which stack, channel, bank, row and column an address is in.
 *
 * The map is text in the machine file: fields from the lowest address bit up, each with
 * its bits, then, after semicolons, bits to be exclusive-ored into a field:
 *
 *     offset column:1 channel pseudo group column stack bank row;
 *     channel ^= row[0:2]; bank ^= row[3:4]; group ^= row[5:6]
 *
 * Fields: offset (in a burst), column, pseudo, group, bank, channel, row, stack.  A field
 * may come in parts; together they must have the bits that the geometry asks for; without a
 * number a field takes all it still lacks, so one map serves one channel and eight.
 * `stack` has no number: the address above it is divided by the number of stacks, so that
 * five stacks are as good as four.
 * field[low:high] names bits of a field (as they are before any hash), field[n] one.
 * The left side is a whole field or some of its bits; both sides have as many bits.
 * Only channel, pseudo, group, bank and stack can be hashed, the last as a number of as many
 * bits as its count needs; where stacks is no power of two that is added, modulo stacks.
 * A hash reads any other field but offset and stack.
 *
 * Not modelled: addresses past the capacity; rows wrap round.
 */
#ifndef MODELS_HBM_MAP_H
#define MODELS_HBM_MAP_H

#include "models/hbm/hbm_params.h"
#include "traces/diag.h"

#define HBM_MAP_BYTES 6                 /* of an address inside a stack: 256 TiB */

struct hbm_place {
    uint32_t stack, channel, pseudo, group, bank, column;
    uint32_t row;
};

struct hbm_map {
    uint32_t stacks;
    uint32_t stack_low;                 /* the lowest address bit above the stack digit */
    uint32_t channel_bits, pseudo_bits, group_bits, bank_bits, column_bits, offset_bits;
    uint64_t bytes;                     /* of one stack, up to a power of two */
    uint8_t  column_at[32];             /* the address bits of the column */
    /* Exclusive-or of one entry for each byte of the address inside a stack; see
     * hbm_map_code.  The map is linear, so this is the whole of it, hashes included. */
    uint64_t code[HBM_MAP_BYTES][256];
    uint8_t  stack_hash[HBM_MAP_BYTES][256];
};

/* Reads config->map.  On failure `d` has the column in the text (line 1), the map is
 * not to be used. */
bool hbm_map_parse(struct hbm_map *map, const struct hbm_config *config, struct diag *d);

/* The stack of an address, from 0. */
uint32_t hbm_map_stack(const struct hbm_map *map, uint64_t address);

/* The most bytes that stay in one stack from any address that is a multiple of them: a
 * power of two.  A run that does not cross such a boundary, nor one of 4096 bytes, can
 * be sent to hbm_map_stack of its first byte. */
uint64_t hbm_map_run_bytes(const struct hbm_map *map);

/* The address without its stack. */
uint64_t hbm_map_local(const struct hbm_map *map, uint64_t address);

struct hbm_place hbm_map_place(const struct hbm_map *map, uint64_t address);

/* A place in a stack in one word: bits 0-15 the bank of the channel (pseudo, group and
 * bank side by side, bank lowest), 16-23 the channel, 24-31 nothing, 32-63 the row.  The
 * code of a ^ b is the code of a ^ the code of b. */
static inline uint64_t hbm_map_code(const struct hbm_map *map, uint64_t local)
{
    _Static_assert(HBM_MAP_BYTES == 6, "a term for each byte");
    return map->code[0][local & 0xff]       ^ map->code[1][local >> 8 & 0xff]
         ^ map->code[2][local >> 16 & 0xff] ^ map->code[3][local >> 24 & 0xff]
         ^ map->code[4][local >> 32 & 0xff] ^ map->code[5][local >> 40 & 0xff];
}

#define HBM_CODE_BANK(code)    ((uint32_t)(code) & 0xffff)
#define HBM_CODE_CHANNEL(code) ((uint32_t)(code) >> 16 & 0xff)
#define HBM_CODE_ROW(code)     ((uint32_t)((code) >> 32))

#endif
