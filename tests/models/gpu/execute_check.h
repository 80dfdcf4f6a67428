/* execute_check.h - an instruction against what it should do to one lane's numbers.
 *
 *     REFERENCE(add_u16, (uint16_t)(a + b))      what comes out of operands a, b, c, d
 *     static const struct execute_case cases[] = { { "add.u16 %h0, %h1, %h2;", add_u16 } };
 *
 * Operands are as wide as their registers; those of 16 bits come with zeros above.
 */
#ifndef TESTS_MODELS_GPU_EXECUTE_CHECK_H
#define TESTS_MODELS_GPU_EXECUTE_CHECK_H

#include "tests/models/gpu/execute_rig.h"

typedef uint64_t (*execute_reference)(uint64_t a, uint64_t b, uint64_t c, uint64_t d);
struct execute_case { const char *text; execute_reference reference; };

#define REFERENCE(name, expression)                                                 \
    static uint64_t name(uint64_t a, uint64_t b, uint64_t c, uint64_t d)            \
    {                                                                               \
        (void)a, (void)b, (void)c, (void)d;                                         \
        return (uint64_t)(expression);                                              \
    }

/* Words of each source operand: 2, 1, or 0 for half a word's. */
static inline unsigned execute_widths(const struct execute_rig *r, unsigned bits[4])
{
    unsigned count = 0;
    for (uint32_t o = 1; o < r->i->operands && count < 4; o++) {
        if (r->i->operand[o].kind != PTX_REGISTER)
            continue;
        enum ptx_type t = r->module->functions[0].registers[r->i->operand[o].number].type;
        if (t != PTX_PRED)
            bits[count++] = 8 * ptx_type_bytes(t);
    }
    return count;
}

static inline void execute_check(const struct execute_case *c, uint64_t seed, int rounds)
{
    struct execute_random random = { seed };
    struct execute_rig *r = execute_rig_new(c->text);
    unsigned bits[4] = { 0 }, count = execute_widths(r, bits);
    for (int round = 0; round < rounds; round++) {
        uint64_t in[GPU_LANES][4] = { { 0 } };
        uint32_t mask = round % 3 ? UINT32_MAX : execute_random_word(&random);
        for (unsigned l = 0; l < GPU_LANES; l++)
            for (unsigned o = 0, word = 0; o < count; o++) {
                uint32_t low = execute_random_word(&random), high = 0;
                if (bits[o] == 16)
                    low &= 0xffff;
                execute_rig_source(r, word++)[l] = low;
                if (bits[o] == 64)
                    execute_rig_source(r, word++)[l] = high = execute_random_word(&random);
                in[l][o] = low | (uint64_t)high << 32;
            }
        execute_rig_run(r, mask);
        for (unsigned l = 0; l < GPU_LANES; l++) {
            if (!(mask >> l & 1))
                continue;
            uint64_t got = execute_rig_dest(r, 0)[l], *x = in[l];
            if (r->op.dsts == 2)
                got |= (uint64_t)execute_rig_dest(r, 1)[l] << 32;
            uint64_t expected = c->reference(x[0], x[1], x[2], x[3]);
            if (r->op.dsts == 1)
                expected = (uint32_t)expected;
            ck_assert_msg(got == expected, "%s of %llx, %llx, %llx, %llx: %llx, expected %llx "
                          "(seed %llu)", c->text, (unsigned long long)x[0],
                          (unsigned long long)x[1], (unsigned long long)x[2],
                          (unsigned long long)x[3], (unsigned long long)got,
                          (unsigned long long)expected, (unsigned long long)seed);
        }
    }
    execute_rig_free(r);
}

#endif
