/* Random programs, compiled and run, against the same programs run by a few lines of C: with
 * registers to spare and with so few that most values live in local memory. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/compile.h"
#include "models/gpu/interpret.h"
#include "tests/models/gpu/gpu_figures.h"
#include "tests/suites.h"

#define SMALL    14             /* variables of 32 bits */
#define WIDE      5             /* of 64 */
#define THREADS  70             /* two warps and a part */
#define CODE    600
#define LOOPS    40

/* What both understand: PTX is printed from it, and C executes it. */
enum what { ADD, SUB, MUL, AND, OR, XOR, SHL, SHR, MIN, MAX, MAD, SELECT, MOVE, NUMBER, /* 32 */
            ADD64, MUL64, SHL64, WIDEN, NARROW, MULADD64, MIX64,                      /* 64 */
            COMPARE, JUMP, LABEL, COUNT_IS, COUNT_DOWN };

struct step {
    enum what what;
    unsigned dst, a, b, c;      /* variables; JUMP: c: label, a: 0: if not, 1: if, 2: always */
    uint32_t number;
    int guard;                  /* 0: none, 1: if p, -1: if not p */
};

struct program {
    struct step steps[CODE];
    unsigned count, labels, loops;
    uint64_t random;
};

static uint32_t pick(struct program *p, uint32_t below)
{
    p->random = p->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(p->random >> 33) % below;
}

static struct step *put(struct program *p, enum what what)
{
    ck_assert_uint_lt(p->count, CODE);
    struct step *s = &p->steps[p->count++];
    *s = (struct step){ .what = what };
    return s;
}

static void put_operation(struct program *p)
{
    struct step *s = put(p, (enum what)pick(p, COMPARE));
    bool to_wide = s->what >= ADD64 && s->what != NARROW;
    bool from_wide = s->what == ADD64 || s->what == MIX64 || s->what == SHL64
                  || s->what == NARROW;
    s->dst = pick(p, to_wide ? WIDE : SMALL);
    s->a = pick(p, from_wide ? WIDE : SMALL);
    s->b = pick(p, s->what == ADD64 || s->what == MIX64 ? WIDE : SMALL);
    s->c = pick(p, s->what == MULADD64 ? WIDE : SMALL);
    s->number = s->what == NUMBER ? pick(p, UINT32_MAX) : pick(p, 40);
    s->guard = pick(p, 4) ? 0 : pick(p, 2) ? 1 : -1;
}

static void put_jump(struct program *p, unsigned when, unsigned label)
{
    struct step *s = put(p, JUMP);
    s->a = when;
    s->c = label;
}

static void put_compare(struct program *p)
{
    struct step *s = put(p, COMPARE);
    s->a = pick(p, SMALL);
    s->b = pick(p, SMALL);
    s->number = pick(p, 3);
}

static void put_statements(struct program *p, unsigned depth);

static void put_if(struct program *p, unsigned depth)
{
    unsigned other = p->labels++, end = p->labels++;
    put_compare(p);
    put_jump(p, 0, other);
    put_statements(p, depth + 1);
    put_jump(p, 2, end);
    put(p, LABEL)->c = other;
    if (pick(p, 2))
        put_statements(p, depth + 1);
    put(p, LABEL)->c = end;
}

/* As often as a few bits of a variable say: not the same in all threads. */
static void put_loop(struct program *p, unsigned depth)
{
    unsigned loop = p->loops++, label = p->labels++;
    struct step *s = put(p, COUNT_IS);
    s->dst = loop;
    s->a = pick(p, SMALL);
    s->number = pick(p, 2) ? 3 : 0;
    put(p, LABEL)->c = label;
    put_statements(p, depth + 1);
    s = put(p, COUNT_DOWN);
    s->dst = loop;
    s->c = label;
}

static void put_statements(struct program *p, unsigned depth)
{
    for (uint32_t n = 2 + pick(p, 5); n; n--) {
        uint32_t kind = pick(p, 8);
        if (kind == 0 && depth < 3 && p->count < CODE / 2)
            put_if(p, depth);
        else if (kind == 1 && depth < 3 && p->count < CODE / 2 && p->loops < LOOPS)
            put_loop(p, depth);
        else
            put_operation(p);
    }
}

/* One thread, in C. */
struct state { uint32_t small[SMALL]; uint64_t wide[WIDE]; uint32_t left[LOOPS]; bool p; };

static void execute(struct state *t, const struct step *s)
{
    uint32_t a = t->small[s->a % SMALL], b = t->small[s->b % SMALL], *d = &t->small[s->dst % SMALL];
    uint64_t *e = &t->wide[s->dst % WIDE], x = t->wide[s->a % WIDE];
    switch (s->what) {
    case ADD:      *d = a + b; break;
    case SUB:      *d = a - b; break;
    case MUL:      *d = a * b; break;
    case AND:      *d = a & b; break;
    case OR:       *d = a | b; break;
    case XOR:      *d = a ^ b; break;
    case SHL:      *d = s->number < 32 ? a << s->number : 0; break;
    case SHR:      *d = s->number < 32 ? a >> s->number : 0; break;
    case MIN:      *d = a < b ? a : b; break;
    case MAX:      *d = (int32_t)a > (int32_t)b ? a : b; break;
    case MAD:      *d = a * b + t->small[s->c]; break;
    case SELECT:   *d = t->p ? a : b; break;
    case MOVE:     *d = a; break;
    case NUMBER:   *d = s->number; break;
    case ADD64:    *e = x + t->wide[s->b]; break;
    case MUL64:    *e = (uint64_t)a * b; break;
    case SHL64:    *e = x << s->number; break;
    case WIDEN:    *e = (uint64_t)(int64_t)(int32_t)a; break;
    case NARROW:   *d = (uint32_t)x; break;
    case MULADD64: *e = (uint64_t)((int64_t)(int32_t)a * (int32_t)b) + t->wide[s->c]; break;
    case MIX64:    *e = x ^ t->wide[s->b]; break;
    case COMPARE:  t->p = s->number == 0 ? a < b : s->number == 1 ? a == b : (int32_t)a >= (int32_t)b;
                   break;
    case COUNT_IS: t->left[s->dst] = (t->small[s->a] & s->number) + 1; break;
    case JUMP: case LABEL: case COUNT_DOWN: break;
    }
}

static unsigned find_label(const struct program *p, unsigned label)
{
    for (unsigned n = 0; n < p->count; n++)
        if (p->steps[n].what == LABEL && p->steps[n].c == label)
            return n;
    ck_abort_msg("no label");
    return 0;
}

static void run_in_c(const struct program *p, struct state *t)
{
    for (unsigned pc = 0; pc < p->count; pc++) {
        const struct step *s = &p->steps[pc];
        if (s->what == JUMP && (s->a == 2 || s->a == t->p))
            pc = find_label(p, s->c);
        else if (s->what == COUNT_DOWN && --t->left[s->dst])
            pc = find_label(p, s->c);
        else if (!s->guard || (s->guard > 0) == t->p)
            execute(t, s);
    }
}

/* The same as PTX. */
static void print_step(const struct step *s, FILE *f)
{
    static const char *const compares[] = { "lt.u32", "eq.u32", "ge.s32" };
    static const char *const jumps[] = { "@!%p1 ", "@%p1 ", "" };
    static const char *const forms[] = {
        [ADD] = "add.u32 %%r%u, %%r%u, %%r%u;",   [SUB] = "sub.u32 %%r%u, %%r%u, %%r%u;",
        [MUL] = "mul.lo.u32 %%r%u, %%r%u, %%r%u;", [AND] = "and.b32 %%r%u, %%r%u, %%r%u;",
        [OR]  = "or.b32 %%r%u, %%r%u, %%r%u;",    [XOR] = "xor.b32 %%r%u, %%r%u, %%r%u;",
        [MIN] = "min.u32 %%r%u, %%r%u, %%r%u;",   [MAX] = "max.s32 %%r%u, %%r%u, %%r%u;",
        [MAD] = "mad.lo.u32 %%r%u, %%r%u, %%r%u, %%r%u;",
        [SELECT] = "selp.b32 %%r%u, %%r%u, %%r%u, %%p1;", [MOVE] = "mov.u32 %%r%u, %%r%u;",
        [ADD64] = "add.s64 %%d%u, %%d%u, %%d%u;",
        [MUL64] = "mul.wide.u32 %%d%u, %%r%u, %%r%u;",
        [WIDEN] = "cvt.s64.s32 %%d%u, %%r%u;",    [NARROW] = "cvt.u32.u64 %%r%u, %%d%u;",
        [MULADD64] = "mad.wide.s32 %%d%u, %%r%u, %%r%u, %%d%u;",
        [MIX64] = "xor.b64 %%d%u, %%d%u, %%d%u;",
    };
    fputs(s->guard > 0 ? "@%p1 " : s->guard < 0 ? "@!%p1 " : "", f);
    switch (s->what) {
    case SHL:     fprintf(f, "shl.b32 %%r%u, %%r%u, %u;", s->dst, s->a, s->number); break;
    case SHR:     fprintf(f, "shr.u32 %%r%u, %%r%u, %u;", s->dst, s->a, s->number); break;
    case SHL64:   fprintf(f, "shl.b64 %%d%u, %%d%u, %u;", s->dst, s->a, s->number); break;
    case NUMBER:  fprintf(f, "mov.u32 %%r%u, %u;", s->dst, s->number); break;
    case COMPARE: fprintf(f, "setp.%s %%p1, %%r%u, %%r%u;", compares[s->number], s->a, s->b); break;
    case JUMP:    fprintf(f, "%sbra L%u;", jumps[s->a], s->c); break;
    case LABEL:   fprintf(f, "L%u:", s->c); break;
    case COUNT_IS:
        fprintf(f, "and.b32 %%c%u, %%r%u, %u; add.u32 %%c%u, %%c%u, 1;", s->dst, s->a, s->number,
                s->dst, s->dst);
        break;
    case COUNT_DOWN:
        fprintf(f, "sub.u32 %%c%u, %%c%u, 1; setp.ne.u32 %%p2, %%c%u, 0; @%%p2 bra L%u;", s->dst,
                s->dst, s->dst, s->c);
        break;
    default:
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        fprintf(f, forms[s->what], s->dst, s->a, s->b, s->c);
#pragma GCC diagnostic pop
    }
    fputc('\n', f);
}

/* Variable k of a thread is word k of its row: it begins with what the input says there. */
static char *print_program(const struct program *p, size_t *size)
{
    char *text;
    FILE *f = open_memstream(&text, size);
    fprintf(f, ".version 7.0\n.target sm_70\n.address_size 64\n.entry same(.param .u64 rows)\n{\n"
            ".reg .pred %%p<3>; .reg .b32 %%r<%d>; .reg .b64 %%d<%d>; .reg .b32 %%c<%d>;\n"
            ".reg .b64 %%at; .reg .b32 %%me;\nld.param.u64 %%at, [rows];\nmov.u32 %%me, %%tid.x;\n"
            "mad.wide.u32 %%at, %%me, %d, %%at;\nsetp.ne.u32 %%p1, %%me, 0;\n",
            SMALL, WIDE, LOOPS, 4 * SMALL + 8 * WIDE);
    for (int k = 0; k < SMALL; k++)
        fprintf(f, "ld.global.u32 %%r%d, [%%at + %d];\n", k, 8 * WIDE + 4 * k);
    for (int k = 0; k < WIDE; k++)
        fprintf(f, "ld.global.u64 %%d%d, [%%at + %d];\n", k, 8 * k);
    for (unsigned n = 0; n < p->count; n++)
        print_step(&p->steps[n], f);
    for (int k = 0; k < SMALL; k++)
        fprintf(f, "st.global.u32 [%%at + %d], %%r%d;\n", 8 * WIDE + 4 * k, k);
    for (int k = 0; k < WIDE; k++)
        fprintf(f, "st.global.u64 [%%at + %d], %%d%d;\n", 8 * k, k);
    fputs("ret;\n}\n", f);
    fclose(f);
    return text;
}

struct row { uint64_t wide[WIDE]; uint32_t small[SMALL]; } __attribute__((packed));

static void run_compiled(const struct gpu_config *c, const char *text, size_t size,
                         struct row rows[THREADS])
{
    struct diag d = { .text = "" };
    struct ptx_module *m = ptx_read(text, size, "random.ptx", &d);
    struct gpu_kernel *k = m ? gpu_compile(c, m, ptx_entry(m, NULL, &d), &d) : NULL;
    ck_assert_msg(k, "%u: %s", d.line, d.text);
    ck_assert_uint_le(k->registers, c->sm.max_registers);

    struct gpu_memory *memory = gpu_memory_new(true);
    uint64_t at = gpu_memory_add(memory, "rows", THREADS * sizeof rows[0]);
    uint8_t *bytes = gpu_memory_at(memory, at, THREADS * sizeof rows[0], NULL);
    memcpy(bytes, rows, THREADS * sizeof rows[0]);
    struct gpu_launch l = { .kernel = k, .grid = { 1, 1, 1 }, .block = { THREADS, 1, 1 },
                            .params = (uint8_t *)&at };
    struct gpu_interpreted r;
    ck_assert_msg(gpu_interpret(c, &l, memory, 10000000, &r, &d), "%u: %s", d.line, d.text);
    memcpy(rows, bytes, THREADS * sizeof rows[0]);
    gpu_memory_free(memory);
    gpu_kernel_free(k);
    ptx_free(m);
}

static void check_same(const struct row *want, const struct row *got, uint32_t registers,
                       uint64_t seed)
{
    for (int t = 0; t < THREADS; t++)
        ck_assert_msg(!memcmp(&want[t], &got[t], sizeof want[t]),
                      "seed %llu, %u registers: thread %d differs", (unsigned long long)seed,
                      registers, t);
}

START_TEST(a_random_program_computes_the_same_with_few_registers_and_with_many)
{
    static struct program p;
    static struct row given[THREADS], want[THREADS], got[THREADS];
    static const uint32_t registers[] = { 255, 32, 16, 11 };
    uint64_t seed = 1 + (uint64_t)_i;
    p = (struct program){ .random = seed * UINT64_C(0x9e3779b97f4a7c15) };
    put_statements(&p, 0);
    put_statements(&p, 0);
    for (int t = 0; t < THREADS; t++) {
        for (int k = 0; k < SMALL; k++)
            given[t].small[k] = pick(&p, 3) ? pick(&p, UINT32_MAX) : pick(&p, 4);
        for (int k = 0; k < WIDE; k++)
            given[t].wide[k] = (uint64_t)pick(&p, UINT32_MAX) << pick(&p, 32);
        struct state s = { .p = t != 0 };
        memcpy(s.small, given[t].small, sizeof s.small);
        memcpy(s.wide, given[t].wide, sizeof s.wide);
        run_in_c(&p, &s);
        memcpy(want[t].small, s.small, sizeof s.small);
        memcpy(want[t].wide, s.wide, sizeof s.wide);
    }
    size_t size;
    char *text = print_program(&p, &size);
    for (size_t n = 0; n < COUNT_OF(registers); n++) {
        struct gpu_config c = gpu_v100();
        c.sm.max_registers = registers[n];
        memcpy(got, given, sizeof got);
        run_compiled(&c, text, size, got);
        check_same(want, got, registers[n], seed);
    }
    free(text);
}
END_TEST

/* A thread's word: what a function makes of arguments that stay in registers, one that
 * returns early; and of one whose address it takes, which lies in local memory. */
#define CALL_HEAD ".version 7.0\n.target sm_70\n.address_size 64\n"
#define CALL_ENTRY ".entry k(.param .u64 p)\n{ .reg .b64 %d<6>; .reg .b32 %r<9>; .reg .pred %p; " \
    "ld.param.u64 %d1, [p]; mov.u32 %r1, %tid.x;\n"
#define CALL_EXIT "mad.wide.u32 %d2, %r1, 4, %d1; st.global.u32 [%d2], %r2; ret; }\n"

static const struct { const char *text; uint32_t local_bytes; } calls[] = {
    { CALL_HEAD ".func (.param .b32 o) f(.param .b32 a, .param .align 8 .b8 s[16])\n"
      "{ .reg .b32 %r<9>; .reg .b64 %d<4>; .reg .pred %p;\nld.param.u32 %r1, [a]; setp.gt.s32 "
      "%p, %r1, 3; @%p bra X;\nld.param.b64 %d1, [s+8]; cvt.u32.u64 %r2, %d1; st.param.b32 [o], "
      "%r2; ret;\nX: ld.param.v2.b32 {%r3, %r4}, [s]; add.s32 %r5, %r3, %r4; st.param.b32 [o], "
      "%r5; ret; }\n" CALL_ENTRY
      "{ .param .b32 a; .param .align 8 .b8 s[16]; .param .b32 o; cvt.u64.u32 %d5, %r1; add.s64 "
      "%d5, %d5, 1000; st.param.b32 [a], %r1;\nst.param.v2.b32 [s], {%r1, 7}; st.param.b64 [s+8], "
      "%d5; call (o), f, (a, s); ld.param.b32 %r2, [o]; }\n" CALL_EXIT, 0 },
    { CALL_HEAD ".func (.param .b32 o) g(.param .align 4 .b8 s[16], .param .b32 i)\n"
      "{ .reg .b32 %r<9>; .reg .b64 %d<4>; ld.param.u32 %r1, [i]; mov.b64 %d1, s;\nmad.wide.u32 "
      "%d1, %r1, 4, %d1; ld.param.u32 %r2, [%d1]; st.param.b32 [o], %r2; ret; }\n"
      ".func (.param .b32 o) f(.param .b32 t)\n{ .reg .b32 %r<9>; ld.param.u32 %r1, [t]; and.b32 "
      "%r3, %r1, 3;\n{ .param .align 4 .b8 s[16]; .param .b32 i; .param .b32 q; st.param.b32 [s], "
      "%r1; st.param.b32 [s+4], 10; st.param.b8 [s+8], 20;\nst.param.b8 [s+9], 1; st.param.b16 "
      "[s+10], 0; st.param.b32 [s+12], 30; st.param.b32 [i], %r3; call (q), g, (s, i); "
      "ld.param.b32 %r2, [q]; }\nst.param.b32 [o], %r2; ret; }\n" CALL_ENTRY
      "mov.u32 %r2, 5; setp.ne.u32 %p, %r1, 6;\n{ .param .b32 t; .param .b32 o; st.param.b32 [t], "
      "%r1; st.param.b32 [o], 77; @%p call (o), f, (t); ld.param.b32 %r2, [o]; }\n" CALL_EXIT, 16 },
};

static uint32_t called(int which, uint32_t t)
{
    const uint32_t words[] = { t, 10, 20 + 256, 30 };
    return which == 0 ? (t > 3 ? t + 7 : 1000 + t) : t == 6 ? 77 : words[t & 3];
}

/* The word that each thread leaves; what a thread has of local memory. */
static uint32_t run_words(const char *text, uint32_t words[THREADS])
{
    struct gpu_config c = gpu_a100();
    struct diag d = { .text = "" };
    struct ptx_module *m = ptx_read(text, strlen(text), "words.ptx", &d);
    struct gpu_kernel *k = m ? gpu_compile(&c, m, ptx_entry(m, "k", &d), &d) : NULL;
    ck_assert_msg(k, "%u:%u: %s", d.line, d.column, d.text);
    struct gpu_memory *memory = gpu_memory_new(true);
    uint64_t at = gpu_memory_add(memory, "out", THREADS * 4);
    struct gpu_launch l = { .kernel = k, .grid = { 1, 1, 1 }, .block = { THREADS, 1, 1 },
                            .params = (uint8_t *)&at };
    struct gpu_interpreted r;
    ck_assert_msg(gpu_interpret(&c, &l, memory, 100000, &r, &d), "%u: %s", d.line, d.text);
    memcpy(words, gpu_memory_at(memory, at, THREADS * 4, NULL), THREADS * 4);
    uint32_t local_bytes = k->local_bytes;
    gpu_memory_free(memory);
    gpu_kernel_free(k);
    ptx_free(m);
    return local_bytes;
}

START_TEST(a_called_function_gets_what_was_passed)
{
    uint32_t words[THREADS];
    ck_assert_uint_eq(run_words(calls[_i].text, words), calls[_i].local_bytes);
    for (uint32_t t = 0; t < THREADS; t++)
        ck_assert_uint_eq(words[t], called(_i, t));
}
END_TEST

/* Copies of what is written later, or never but by each other.  All leave %r2 as 0. */
static const char *const unwritten[] = {
    "mov.u32 %r2, %r2;",
    "mov.u32 %r3, %r2; mov.u32 %r2, %r3;",
    "mov.u32 %r2, %r3; mov.u32 %r4, %r2; mov.u32 %r3, %r4;",
    "mov.u32 %r2, %r3; mov.u32 %r3, 5;",
    "mov.u32 %r2, %r3; bar.sync 0; mov.u32 %r3, %r1; setp.ne.u32 %p, %r3, 9;",
    "bra A; L: mov.u32 %r2, %r3; mov.u32 %r3, %r4; mov.u32 %r4, %r2; bra L; A:",
    "cvta.to.global.u64 %d4, %d4; cvt.u32.u64 %r2, %d4;",
};

START_TEST(a_register_that_is_not_written_is_zero)
{
    char text[1000];
    uint32_t words[THREADS];
    snprintf(text, sizeof text, "%s%s\n%s", CALL_HEAD CALL_ENTRY, unwritten[_i], CALL_EXIT);
    run_words(text, words);
    for (uint32_t t = 0; t < THREADS; t++)
        ck_assert_uint_eq(words[t], 0);
}
END_TEST

Suite *compile_same_suite(void)
{
    Suite *s = suite_create("compile_same");
    TCase *t = tcase_create("random");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, a_random_program_computes_the_same_with_few_registers_and_with_many,
                        0, 300);
    suite_add_tcase(s, t);
    t = tcase_create("calls");
    tcase_add_loop_test(t, a_called_function_gets_what_was_passed, 0, COUNT_OF(calls));
    tcase_add_loop_test(t, a_register_that_is_not_written_is_zero, 0, COUNT_OF(unwritten));
    suite_add_tcase(s, t);
    return s;
}
