/* Refusals of the trace reader, and reading what was written. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "tests/suites.h"
#include "traces/net.h"
#include "traces/trace.h"

#define HEAD "simaccel-trace 1\n"
/* Lines 2 to 6; a case's own line is the 7th. */
#define FIVE HEAD                       \
    "tensor x input f32 3x5\n"          \
    "tensor w weight f32 5x7\n"         \
    "tensor y output f32 3x7\n"         \
    "tensor g gradient f32 5x7\n"       \
    "tensor labels target i32 3\n"

static const struct { const char *text; unsigned line, column; const char *says; } refused[] = {
    { "",                               1,  1, "empty" },
    { "\n" HEAD,                        1,  1, "first line is not 'simaccel-trace 1'" },
    { "simaccel-trace",                 1, 15, "version is missing" },
    { "simaccel-trace 2\n",             1, 16, "version 2 is not known; expected 1" },
    { "simaccel-trace 1 x\n",           1, 18, "'x' is too much" },
    { "\x1f\x8b\x08",                   1,  1, "byte 0x1f is not text" },
    { HEAD,                             1,  1, "there is no op" },
    { HEAD "tensro x input f32 3\n",    2,  1, "'tensro' is no line; did you mean 'tensor'?" },
    { HEAD "tensor\n",                  2,  7, "name is missing" },
    { HEAD "tensor x\n",                2,  9, "role is missing" },
    { HEAD "tensor x inptu f32 3\n",    2, 10, "did you mean 'input'?" },
    { HEAD "tensor x input f31 3\n",    2, 16, "did you mean 'f32'?" },
    { HEAD "tensor x input f32\n",      2, 19, "no shape" },
    { HEAD "tensor x input f32 3x\n",   2, 20, "no shape" },
    { HEAD "tensor x input f32 x3\n",   2, 20, "no shape" },
    { HEAD "tensor x input f32 -3\n",   2, 20, "no shape" },
    { HEAD "tensor x input f32 3,4\n",  2, 20, "no shape" },
    { HEAD "tensor x input f32 3x0\n",  2, 20, "dimension 2 of x is 0" },
    { HEAD "tensor x input f32 1x1x1x1x1x1x1\n", 2, 20, "no shape" },
    { HEAD "tensor x input f32 4294967296x4294967296\n", 2, 20, "more than 2^43 bytes" },
    { HEAD "tensor x input f32 99999999999999999999\n",  2, 20, "no shape" },
    { HEAD "tensor x input f32 3 4\n",  2, 22, "'4' is too much" },
    { HEAD "tensor 3 input f32 3\n",    2,  8, "'3' is no name" },
    { HEAD "tensor a=b input f32 3\n",  2,  8, "is no name" },
    { HEAD "tensor x input f32 3\n  tensor x weight f32 3\n", 3, 10, "x is defined twice" },
    { HEAD "name a\nname b\n",          3,  1, "a second name" },
    { HEAD "batch\n",                   2,  6, "batch is missing" },
    { HEAD "batch 0\n",                 2,  7, "0 is out of range" },
    { HEAD "batch 4294967296\n",        2,  7, "out of range" },
    { HEAD "batch 1e3\n",               2,  7, "no whole number" },
    { HEAD "batch 8\nbatch 8\n",        3,  1, "a second batch" },
    { HEAD "name a\x80\n",              2,  7, "byte 0x80 is not text" },
    { FIVE "forward matmull y = x w compute=bf16\n",  7,  9, "did you mean 'matmul'?" },
    { FIVE "forward\n",                               7,  8, "op is missing" },
    { FIVE "forward matmul\n",                        7, 15, "0 outputs; expected 1" },
    { FIVE "forward matmul y\n",                      7, 17, "expected '='" },
    { FIVE "forward matmul y x w compute=f32\n",      7, 18, "expected '='" },
    { FIVE "forward matmul y = x compute=f32\n",      7, 22, "1 input; expected 2" },
    { FIVE "forward matmul y = x w x compute=f32\n",  7, 24, "'x' is no attribute" },
    { FIVE "forward matmul y = x ww compute=f32\n",   7, 22, "no tensor 'ww'; did you mean 'w'?" },
    { FIVE "forward matmul y = x lebals compute=f32\n", 7, 22, "did you mean 'labels'?" },
    { FIVE "forward matmul y = x w\n",                7, 23, "missing its compute type" },
    { FIVE "forward matmul y = x w compute=i32\n",    7,  9, "cannot compute in i32" },
    { FIVE "forward matmul y = x w compute=f64\n",    7, 24, "'f64' is no type" },
    { FIVE "forward matmul y = x w compute\n",        7, 24, "takes a value" },
    { FIVE "forward matmul y = x w compute=f32 compute=f32\n", 7, 36, "given twice" },
    { FIVE "forward matmul y = x w compute=f32 transpose_b=1\n", 7, 36, "takes no value" },
    { FIVE "forward matmul y = x w compute=f32 transpose_c\n", 7, 36, "mean transpose_" },
    { FIVE "forward matmul y = x w compute=f32 transpose_b\n", 7, 22,
      "w is f32 of shape 5x7; expected f32, bf16 or f16 of shape nx5" },
    { FIVE "forward matmul y = x w compute=f32 transpose_a\n", 7, 22, "of shape 3xn" },
    { FIVE "forward matmul y = x w compute=f32 lr=1\n", 7, 9, "matmul takes no lr" },
    { FIVE "forward matmul g = x w compute=f32\n",    7, 16, "expected f32, bf16 or f16 of shape 3x7" },
    { FIVE "forward matmul y = x g compute=f32\n",    7, 22, "g is used before it has a value" },
    { FIVE "forward matmul y = labels w compute=f32\n", 7, 20, "labels is i32 of shape 3" },
    { FIVE "forward matmul w = x w compute=f32\n",    7, 16, "w is a weight and cannot be written" },
    { FIVE "forward relu g = w compute=f32\n",        7,  9, "takes no compute type" },
    { FIVE "forward relu g = w transpose_a\n",        7,  9, "takes no transpose_a" },
    { FIVE "forward relu g = w\nforward relu g = w\n", 8, 14, "written a second time" },
    { FIVE "forward scale g = w\n",                   7,  9, "missing its factor" },
    { FIVE "forward scale g = w factor=\n",           7, 21, "'' is no number" },
    { FIVE "forward scale g = w factor=0x10\n",       7, 21, "'0x10' is no number" },
    { FIVE "forward scale g = w factor=nan\n",        7, 21, "'nan' is no number" },
    { FIVE "forward scale g = w factor=1e999\n",      7, 21, "out of range" },
    { FIVE "forward scale g = w factor=1e31\n",       7,  9, "out of range" },
    { FIVE "forward relu g = w\nupdate sgd g = g w lr=1\n", 8, 12, "expected a weight or state" },
    { FIVE "update sgd x = w w lr=1\n",               7, 12, "changes w in place, not x" },
    { FIVE "update sgd w = w x lr=1\n",               7, 18, "expected f32, bf16 or f16 of shape 5x7" },
    { FIVE "update momentum w w = w w w lr=1 momentum=0\n", 7, 19, "written twice by one op" },
    { FIVE "communicate all_reduce w = w\n",          7, 24, "expected something made in this step" },
    { FIVE "forward reshape y = w\n",                 7,  9, "differ in type or number" },
    { FIVE "forward bias y = x x\n",                  7, 20, "of shape 5" },
    { FIVE "forward transpose y = labels\n",          7, 23, "...xmxn" },
    { FIVE "loss softmax_cross_entropy y = x labels\n", 7, 28, "of shape 1" },
    { FIVE "loss softmax_cross_entropy y = x w\n",    7, 34, "of shape 3x5 or i32 of shape 3" },
    { HEAD "tensor a input f32 1048576x1048576\ntensor b output f32 1048576x1048576\n"
      "forward matmul b = a a compute=f32\n",         4,  9, "matmul does more than 2^60 operations" },
    { HEAD "tensor a input f32 1048576x1048576\ntensor b input f32 1048576x262144\n"
      "tensor c activation f32 1048576x262144\ntensor d activation f32 1048576x262144\n"
      "tensor e activation f32 1048576x262144\n"
      "forward matmul c = a b compute=f32\n"          /* 2^59 operations each */
      "forward matmul d = a b compute=f32\n"
      "forward matmul e = a b compute=f32\n",         9,  9, "the trace does more than 2^60" },
    { HEAD "tensor a input i32 3\ntensor y output f32 3\nforward relu y = a\n", 4, 18,
      "a is i32 of shape 3; expected f32, bf16 or f16 of shape ..." },
};

START_TEST(what_is_wrong_is_refused_at_its_place)
{
    struct diag d = { .text = "" };
    struct trace *t = trace_read_memory(refused[_i].text, strlen(refused[_i].text), &d);
    ck_assert_ptr_null(t);
    ck_assert_msg(strstr(d.text, refused[_i].says), "'%s' should say '%s'", d.text, refused[_i].says);
    ck_assert_msg(d.line == refused[_i].line && d.column == refused[_i].column,
                  "%u:%u: %s, but expected at %u:%u", d.line, d.column, d.text,
                  refused[_i].line, refused[_i].column);
}
END_TEST

START_TEST(a_nul_byte_and_an_endless_line_are_refused)
{
    static const char nul[] = HEAD "name a\0b\n";
    struct diag d = { .text = "" };
    ck_assert_ptr_null(trace_read_memory(nul, sizeof nul - 1, &d));
    ck_assert_uint_eq(d.line, 2);
    ck_assert_uint_eq(d.column, 7);

    char *text = malloc(1 << 20);
    memset(text, 'a', 1 << 20);
    memcpy(text, HEAD, strlen(HEAD));
    d = (struct diag){ .text = "" };
    ck_assert_ptr_null(trace_read_memory(text, 1 << 20, &d));
    ck_assert_uint_eq(d.line, 2);
    ck_assert_uint_eq(d.column, 1025);
    free(text);
}
END_TEST

START_TEST(every_beginning_of_a_trace_is_read_or_refused)
{
    static const char whole[] = FIVE "name n\nbatch 3 # rows\n"
        "forward matmul y = x w compute=bf16\nforward scale g = w factor=2.5e-3\n"
        "update sgd w = w g lr=0.1\n";
    for (size_t n = 0; n < sizeof whole; n++) {
        struct diag d = { .text = "" };
        struct trace *t = trace_read_memory(whole, n, &d);
        ck_assert(!t == (d.text[0] != '\0'));
        trace_free(t);
    }
}
END_TEST

static char *written(const struct trace *t)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    trace_write(t, out);
    fclose(out);
    return text;
}

/* A tensor that fits one operand of a pattern; the star is `lead`, letters are `size`. */
static uint32_t fitting(struct trace *t, const char *p, const uint64_t *lead, uint32_t leads,
                        const uint64_t *size, enum trace_role role)
{
    static const enum trace_type types[] = { TRACE_F32, TRACE_BF16, TRACE_F16 };
    uint64_t shape[TRACE_RANK];
    uint32_t rank = 0;
    char name[TRACE_NAME];
    enum trace_type type = *p == '#' ? TRACE_I32 : types[rand() % 3];
    size_t length = strcspn(p, ",>/");
    for (size_t i = 0; i < length; i++) {
        if (p[i] == '*')
            for (uint32_t k = 0; k < leads; k++)
                shape[rank++] = lead[k];
        else if (p[i] != '#')
            shape[rank++] = p[i] == '1' ? 1 : p[i] == '?' ? 12 : size[p[i] - 'a'];
    }
    if (p[0] == '?')
        type = TRACE_F32;
    if (rank == 0)
        shape[rank++] = 1;
    snprintf(name, sizeof name, "t%u", t->tensor_count);
    return trace_tensor(t, name, role, type, rank, shape);
}

static double random_in(double min, double max)
{
    double r = (double)rand() / RAND_MAX;
    return rand() % 4 == 0 ? (rand() % 2 ? min : max) : min + r * (max - min);
}

/* A random op of the given kind on new tensors of random shapes. */
static struct trace_op random_op(struct trace *t, enum trace_op_kind kind)
{
    const struct op_row *row = &op_rows[kind];
    struct trace_op op = { .kind = kind, .phase = (enum trace_phase)(rand() % TRACE_PHASES_COUNT),
                           .ins = op_ins(kind), .outs = op_outs(kind) };
    uint64_t lead[3], size[26];
    uint32_t leads = (uint32_t)(rand() % 4);
    const char *p = row->shapes;
    bool collective = row->class == OP_COLLECTIVE;
    if (strcmp(p, "*>*") == 0 || strncmp(p, "*,*", 3) == 0 || strcmp(p, "*>1") == 0)
        leads = 1 + (uint32_t)(rand() % 3);     /* `*` alone is at least one dimension */
    for (int i = 0; i < 3; i++)
        lead[i] = 1 + (uint64_t)(rand() % 9);
    for (int i = 0; i < 26; i++)
        size[i] = 1 + (uint64_t)(rand() % 9);
    for (uint32_t i = 0; i < op.ins; i++, p += strcspn(p, ",>") + 1) {
        const char *pick = strchr(p, '/') && strchr(p, '/') < p + strcspn(p, ",>") && rand() % 2
                         ? strchr(p, '/') + 1 : p;
        op.in[i] = fitting(t, pick, lead, leads, size, collective ? ROLE_GRADIENT
                           : row->in_place ? ROLE_STATE : ROLE_INPUT);
    }
    for (uint32_t i = 0; i < op.outs; i++, p += strcspn(p, ",>") + 1)
        op.out[i] = i < row->in_place ? op.in[i]
                  : fitting(t, p, lead, leads, size, ROLE_ACTIVATION);
    op.given = row->attributes;
    for (int a = 0; a < OP_ATTRIBUTES_COUNT; a++)
        if (op.given >> a & 1)
            op.attr[a] = op_attributes[a].whole ? 1 + rand() % 100
                       : random_in(op_attributes[a].min, op_attributes[a].max);
    op.compute = kind == TRACE_MATMUL ? (enum trace_type)(rand() % 3) : TRACE_F32;
    return op;
}

/* Gradients of an all_reduce must have been written before. */
static void give_value(struct trace *t, uint32_t tensor)
{
    struct diag d = { .text = "" };
    char name[TRACE_NAME];
    const struct trace_tensor x = t->tensors[tensor];
    snprintf(name, sizeof name, "t%u", t->tensor_count);
    uint32_t from = trace_tensor(t, name, ROLE_CONSTANT, x.type, x.rank, x.shape);
    struct trace_op op = { .kind = TRACE_CAST, .ins = 1, .outs = 1, .in = { from },
                           .out = { tensor } };
    ck_assert_msg(trace_add_op(t, &op, NULL, &d), "%s", d.text);
}

static struct trace *random_trace(int ops)
{
    struct trace *t = trace_new("random");
    t->batch   = (uint64_t)(rand() % 3);
    t->samples = (uint64_t)(rand() % 3);
    t->epochs  = (uint64_t)(rand() % 3);
    for (int i = 0; i < ops; i++) {
        struct diag d = { .text = "" };
        struct trace_op op = random_op(t, (enum trace_op_kind)(i % TRACE_OPS_COUNT));
        if (op.kind == TRACE_ALL_REDUCE)
            give_value(t, op.in[0]);
        ck_assert_msg(trace_add_op(t, &op, NULL, &d), "%s: %s", op_rows[op.kind].name, d.text);
    }
    return t;
}

static void assert_same(const struct trace *a, const struct trace *b)
{
    ck_assert_str_eq(a->name, b->name);
    ck_assert(a->batch == b->batch && a->samples == b->samples && a->epochs == b->epochs);
    ck_assert_uint_eq(a->tensor_count, b->tensor_count);
    ck_assert_uint_eq(a->op_count, b->op_count);
    ck_assert_uint_eq(a->flops, b->flops);
    for (uint32_t i = 0; i < a->tensor_count; i++) {
        const struct trace_tensor *x = &a->tensors[i], *y = &b->tensors[i];
        ck_assert_str_eq(x->name, y->name);
        ck_assert(x->role == y->role && x->type == y->type && x->rank == y->rank);
        ck_assert_mem_eq(x->shape, y->shape, x->rank * sizeof *x->shape);
        ck_assert(x->writer == y->writer && x->last_use == y->last_use && x->reads == y->reads);
    }
    for (uint32_t i = 0; i < a->op_count; i++) {
        const struct trace_op *x = &a->ops[i], *y = &b->ops[i];
        ck_assert(x->kind == y->kind && x->phase == y->phase && x->compute == y->compute);
        ck_assert(x->transpose_a == y->transpose_a && x->transpose_b == y->transpose_b);
        ck_assert_mem_eq(x->in, y->in, x->ins * sizeof *x->in);
        ck_assert_mem_eq(x->out, y->out, x->outs * sizeof *x->out);
        ck_assert(x->given == y->given);
        ck_assert_mem_eq(x->attr, y->attr, sizeof x->attr);
    }
}

START_TEST(what_was_written_reads_back_the_same)
{
    srand((unsigned)_i);
    struct diag d = { .text = "" };
    struct trace *t = random_trace(3 * TRACE_OPS_COUNT);
    char *once = written(t);
    struct trace *again = trace_read_memory(once, strlen(once), &d);
    ck_assert_msg(again != NULL, "seed %d: %u:%u: %s", _i, d.line, d.column, d.text);
    assert_same(t, again);
    char *twice = written(again);
    ck_assert_str_eq(once, twice);
    free(once);
    free(twice);
    trace_free(t);
    trace_free(again);
}
END_TEST

START_TEST(spaces_comments_and_line_ends_do_not_count)
{
    static const char plain[] = FIVE "forward matmul y = x w compute=f32\n";
    static const char odd[] = HEAD "# a comment\r\n\n \t tensor\tx   input f32 3x5# and one\r\n"
        "tensor w weight f32 5x7\ntensor y output f32 3x7\ntensor g gradient f32 5x7\n"
        "tensor labels target i32 3\nforward matmul y =  x w compute=f32";
    struct diag d = { .text = "" };
    struct trace *a = trace_read_memory(plain, strlen(plain), &d);
    struct trace *b = trace_read_memory(odd, strlen(odd), &d);
    ck_assert_msg(a && b, "%s", d.text);
    assert_same(a, b);
    trace_free(a);
    trace_free(b);
}
END_TEST

static void save_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *out = fopen(path, "wb");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(bytes, 1, size, out), size);
    fclose(out);
}

static size_t load_bytes(const char *path, char *bytes, size_t room)
{
    FILE *in = fopen(path, "rb");
    ck_assert_ptr_nonnull(in);
    size_t size = fread(bytes, 1, room, in);
    fclose(in);
    return size;
}

START_TEST(a_gzipped_trace_is_the_same_and_a_part_of_one_is_refused)
{
    char folder[] = "/tmp/simaccel-test-XXXXXX", plain[64], zipped[64], bytes[1 << 16];
    struct diag d = { .text = "" };
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(plain, sizeof plain, "%s/a.trace", folder);
    snprintf(zipped, sizeof zipped, "%s/a.trace.gz", folder);
    srand(7);
    struct trace *t = random_trace(TRACE_OPS_COUNT);
    char *text = written(t);
    gzFile out = gzopen(zipped, "wb");
    gzputs(out, text);
    gzclose(out);
    save_bytes(plain, text, strlen(text));
    free(text);
    struct trace *a = trace_load(plain, NULL, &d), *b = trace_load(zipped, NULL, &d);
    ck_assert_msg(a && b, "%s", d.text);
    assert_same(t, a);
    assert_same(t, b);

    size_t size = load_bytes(zipped, bytes, sizeof bytes);
    ck_assert(bytes[0] == '\x1f');
    for (size_t part = 0; part < size; part++) {
        d = (struct diag){ .text = "" };
        save_bytes(zipped, bytes, part);
        ck_assert_msg(!trace_load(zipped, NULL, &d), "%zu of %zu bytes were read", part, size);
        ck_assert_str_eq(d.file, zipped);
        ck_assert(d.text[0] != '\0');
    }
    unlink(plain);
    unlink(zipped);
    rmdir(folder);
    trace_free(t);
    trace_free(a);
    trace_free(b);
}
END_TEST

/* 80 MiB of blanks take 80 KiB gzipped. */
START_TEST(a_file_that_unpacks_without_end_is_refused)
{
    char path[] = "/tmp/simaccel-test-XXXXXX";
    static char blanks[1 << 20];
    struct diag d = { .text = "" };
    memset(blanks, '\n', sizeof blanks);
    gzFile out = gzdopen(mkstemp(path), "wb");
    gzputs(out, HEAD);
    for (int i = 0; i < 80; i++)
        gzwrite(out, blanks, sizeof blanks);
    gzclose(out);
    ck_assert_ptr_null(trace_load(path, NULL, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "more than 64 MiB"));
    unlink(path);
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
    static const char *const paths[] = { "/nonexistent/x.trace", "/tmp", "/dev/null", "" };
    struct diag d = { .text = "" };
    ck_assert_ptr_null(trace_load(paths[_i], NULL, &d));
    ck_assert(d.text[0] != '\0');
}
END_TEST

START_TEST(a_trace_takes_no_options_of_a_network)
{
    struct net_options options = { .batch = 8 };
    struct diag d = { .text = "" };
    ck_assert_ptr_null(trace_load("workloads/keras.trace", &options, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "expected a network"));
}
END_TEST

START_TEST(a_tensor_that_nothing_reads_is_dead)
{
    static const char text[] = FIVE "forward matmul y = x w compute=f32\nforward relu g = w\n";
    static const struct { const char *name; bool dead; } expected[] = {
        { "x", false }, { "w", false }, { "y", false }, { "g", true }, { "labels", true },
    };
    struct diag d = { .text = "" };
    struct trace *t = trace_read_memory(text, strlen(text), &d);
    ck_assert_ptr_nonnull(t);
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        ck_assert(trace_dead(t, trace_find(t, expected[i].name)) == expected[i].dead);
    trace_free(t);
}
END_TEST

Suite *trace_suite(void)
{
    Suite *s = suite_create("trace");
    TCase *t = tcase_create("reading");
    tcase_add_loop_test(t, what_is_wrong_is_refused_at_its_place, 0, COUNT_OF(refused));
    tcase_add_test(t, a_nul_byte_and_an_endless_line_are_refused);
    tcase_add_test(t, every_beginning_of_a_trace_is_read_or_refused);
    tcase_add_loop_test(t, what_was_written_reads_back_the_same, 0, 20);
    tcase_add_test(t, spaces_comments_and_line_ends_do_not_count);
    tcase_add_test(t, a_tensor_that_nothing_reads_is_dead);
    suite_add_tcase(s, t);
    t = tcase_create("files");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_gzipped_trace_is_the_same_and_a_part_of_one_is_refused);
    tcase_add_test(t, a_file_that_unpacks_without_end_is_refused);
    tcase_add_loop_test(t, what_is_no_file_is_refused, 0, 4);
    tcase_add_test(t, a_trace_takes_no_options_of_a_network);
    suite_add_tcase(s, t);
    return s;
}
