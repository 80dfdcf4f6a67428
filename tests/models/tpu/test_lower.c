/* test_lower.c - what goes together, where it lies, and what moves. */
#include "models/tpu/lower_parts.h"

#include "tests/sim/hostile.h"
#include "tests/suites.h"

static struct machine *machine_of(const char *name, const char *const *sets)
{
    struct diag d = { .text = "" };
    struct machine *m = machine_find(&figures_schema, name, &d);
    ck_assert_msg(m != NULL, "%s", d.text);
    for (; sets && *sets; sets++)
        ck_assert_msg(machine_set(m, *sets, "test", &d), "%s", d.text);
    return m;
}

/* One trace on one machine, lowered. */
struct lowered {
    struct machine  *machine;
    struct trace    *trace;
    struct tpu_plan *plan;
    struct diag      diag;
};

static struct lowered lower(const char *machine, const char *const *sets, const char *text)
{
    struct lowered x = { .machine = machine_of(machine, sets) };
    char whole[4096];
    snprintf(whole, sizeof whole, "simaccel-trace 1\nname t\n%s", text);
    x.trace = trace_read_memory(whole, strlen(whole), &x.diag);
    ck_assert_msg(x.trace != NULL, "%u:%u: %s", x.diag.line, x.diag.column, x.diag.text);
    const struct figures *f = machine_figures(x.machine);
    x.plan = tpu_lower(&f->tpu, &f->hbm, x.trace, &(struct tpu_lower_options){ 0 }, &x.diag);
    return x;
}

static void drop(struct lowered *x)
{
    tpu_plan_free(x->plan);
    trace_free(x->trace);
    machine_free(x->machine);
}

static uint64_t moved(const struct tpu_program *p, enum tpu_unit unit)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < p->count; i++)
        if (p->uops[i].unit == unit)
            bytes += unit == TPU_LINK ? p->uops[i].send.bytes
                   : (uint64_t)p->uops[i].transfer.rows * p->uops[i].transfer.row_bytes;
    return bytes;
}

/* ---- fusion */

static const char layer[] =
    "tensor x input f32 16x24\ntensor w weight f32 24x40\ntensor b weight f32 40\n"
    "tensor p activation f32 16x40\ntensor z activation f32 16x40\ntensor h output f32 16x40\n"
    "forward matmul p = x w compute=bf16\nforward bias z = p b\nforward relu h = z\n";

START_TEST(a_layer_is_one_group_and_what_nobody_else_reads_stays)
{
    struct lowered x = lower("tpu-mini", NULL, layer);
    ck_assert_uint_eq(x.plan->group_count, 1);
    ck_assert_str_eq(x.plan->groups[0].name, "p = matmul + bias + relu");
    ck_assert_uint_eq(moved(x.plan->programs[0], TPU_LOAD), 4 * (16 * 24 + 24 * 40 + 40));
    ck_assert_uint_eq(moved(x.plan->programs[0], TPU_STORE), 4 * 16 * 40);
    drop(&x);
}
END_TEST

START_TEST(a_gradient_and_its_optimizer_are_groups_of_their_own)
{
    struct lowered x = lower("tpu-mini", NULL,
        "tensor x input f32 16x24\ntensor d input f32 16x40\ntensor w weight f32 24x40\n"
        "tensor g gradient f32 24x40\ntensor s gradient f32 40\ntensor b weight f32 40\n"
        "backward matmul g = x d transpose_a compute=bf16\nbackward sum_rows s = d\n"
        "update sgd w = w g lr=0.1\nupdate sgd b = b s lr=0.1\n");
    ck_assert_uint_eq(x.plan->group_count, 4);
    drop(&x);
}
END_TEST

/* What is scaled before it is rounded is not written down unscaled. */
START_TEST(the_scale_of_a_loss_joins_the_group_of_its_gradient)
{
    struct lowered x = lower("tpu-mini", NULL,
        "tensor z input bf16 16x40\ntensor t target i32 16\n"
        "tensor dloss delta f32 16x40\ntensor dz output bf16 16x40\n"
        "loss softmax_cross_entropy_grad dloss = z t\nloss scale dz = dloss factor=1024\n");
    ck_assert_uint_eq(x.plan->group_count, 1);
    ck_assert_uint_eq(moved(x.plan->programs[0], TPU_STORE), 2 * 16 * 40);
    drop(&x);
}
END_TEST

/* The mean is known only when all of x has been seen; the bias must see it once more. */
START_TEST(what_reads_a_sum_does_not_join_the_group_that_makes_it)
{
    struct lowered x = lower("tpu-mini", NULL,
        "tensor x input f32 64x8\ntensor m activation f32 8\ntensor y output f32 64x8\n"
        "forward mean_rows m = x\nforward bias y = x m\n");
    ck_assert_uint_eq(x.plan->group_count, 2);
    ck_assert_uint_eq(moved(x.plan->programs[0], TPU_LOAD), 4 * (64 * 8 + 64 * 8 + 8));
    drop(&x);
}
END_TEST

/* ---- bytes */

/* tpu-mini lays 8 x 8 elements together: 5 x 130 becomes 8 x 136, 130 x 7 becomes 136 x 8. */
START_TEST(a_matmul_moves_its_padded_operands_once)
{
    struct lowered x = lower("tpu-mini", NULL,
        "tensor x input f32 5x130\ntensor w weight bf16 130x7\ntensor y output bf16 5x7\n"
        "forward matmul y = x w compute=bf16\n");
    ck_assert_uint_eq(moved(x.plan->programs[0], TPU_LOAD), 8 * 136 * 4 + 136 * 8 * 2);
    ck_assert_uint_eq(moved(x.plan->programs[0], TPU_STORE), 8 * 8 * 2);
    drop(&x);
}
END_TEST

/* Where k is cut into chunks, each panel begins anew and adds up the rest of its k. */
START_TEST(chunks_of_k_are_added_up)
{
    struct lowered x = lower("tpu-mini", NULL,
        "tensor x input f32 100x1000\ntensor w weight f32 1000x90\ntensor y output f32 100x90\n"
        "forward matmul y = x w compute=bf16\n");
    const struct tpu_program *p = x.plan->programs[0];
    uint64_t results = 0, macs = 0, depth = 1000;
    uint32_t chunks = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        const struct tpu_product *u = &p->uops[i].product;
        if (p->uops[i].unit != TPU_MATRIX)
            continue;
        ck_assert_int_eq(u->accumulate, depth < 1000);
        results += u->accumulate ? 0 : (uint64_t)u->m * u->n;
        macs += (uint64_t)u->m * u->k * u->n;
        depth = u->accumulate ? depth + u->k : u->k;
        chunks += u->accumulate;
    }
    ck_assert_uint_gt(chunks, 0);
    ck_assert_uint_eq(results, 100 * 90);
    ck_assert_uint_eq(macs, 100 * 1000 * 90);
    drop(&x);
}
END_TEST

/* Three matrices of 5 x 8 lie under each other: rows 0-4, 5-9 and 10-14 are in pieces of
 * eight 0, 0 and 1, and 1, so that four pieces are fetched. */
START_TEST(a_part_that_begins_within_a_piece_takes_all_pieces_it_touches)
{
    struct lowered x = lower("tpu-mini", NULL,
        "tensor x input f32 3x5x8\ntensor y output f32 3x8x5\nforward transpose y = x\n");
    ck_assert_uint_eq(moved(x.plan->programs[0], TPU_LOAD), 4 * 8 * 8 * 4);
    drop(&x);
}
END_TEST

START_TEST(a_tensor_on_chip_moves_no_bytes)
{
    static const char *const stay[] = { "lower.residence=vmem", "lower.tile_bytes=32768", NULL };
    static const char two[] =
        "tensor x input f32 16x24\ntensor w weight f32 24x40\ntensor v weight f32 40x8\n"
        "tensor h activation f32 16x40\ntensor y output f32 16x8\n"
        "forward matmul h = x w compute=bf16\nforward matmul y = h v compute=bf16\n";
    struct lowered away = lower("tpu-mini", NULL, two), here = lower("tpu-mini", stay, two);
    for (int u = TPU_LOAD; u <= TPU_STORE; u++)
        ck_assert_uint_eq(moved(away.plan->programs[0], u) - moved(here.plan->programs[0], u),
                          16 * 40 * 4);
    ck_assert_uint_eq(here.plan->resident_bytes, 16 * 40 * 4);
    drop(&away);
    drop(&here);
}
END_TEST

/* ---- several cores */

/* The gradient of 24 x 700 weights is 24 x 704 x 4 = 67584 bytes, in whole 4 KiB 69632.  A
 * share is a core's part of that in whole 4 KiB, the last has what is left.  Each goes from
 * every other core that has rows of the batch to its owner, and summed to all; a word for
 * each tile tells who gives that there is room.  Tiles are of 2048 bytes, but with 5 cores
 * 49152 / 26 buffers = 1888. */
static const struct { unsigned cores, batch; uint64_t sent, words; } sums[] = {
    { 2, 40, 2 * 1 * 69632, 4 * 1 * (17 + 17) },
    { 3, 40, 2 * 2 * 69632, 4 * 2 * (12 + 12 + 10) },
    { 5, 40, 2 * 4 * 69632, 4 * 4 * (9 + 9 + 9 + 9 + 3) },
    { 4,  5, 3 * 69632 + 3 * 2 * 20480 + 3 * 8192, 4 * ((3 * 2 * 10) + 3 * 4) },   /* 2 2 1 0 */
    { 2,  1, 1 * 69632 + 32768, 4 * 16 },                                           /* 1 0 */
};

START_TEST(an_all_reduce_sends_what_there_is_and_the_sum_to_all)
{
    char cores[32], stacks[32], text[512];
    snprintf(cores, sizeof cores, "chip.cores=%u", sums[_i].cores);
    snprintf(stacks, sizeof stacks, "hbm.stacks=%u", sums[_i].cores);
    snprintf(text, sizeof text, "batch %u\ntensor x input f32 %ux24\ntensor d input f32 %ux700\n"
             "tensor g output f32 24x700\nbackward matmul g = x d transpose_a compute=bf16\n",
             sums[_i].batch, sums[_i].batch, sums[_i].batch);
    const char *const sets[] = { cores, stacks, NULL };
    struct lowered x = lower("tpu-mini", sets, text);
    uint64_t sent = 0, words = 0;
    ck_assert_uint_eq(x.plan->group_count, 2);
    for (uint32_t c = 0; c < sums[_i].cores; c++) {
        const struct tpu_program *p = x.plan->programs[c];
        for (uint32_t i = 0; i < p->count; i++)
            if (p->uops[i].unit == TPU_LINK)
                *(p->uops[i].send.bytes == 4 ? &words : &sent) += p->uops[i].send.bytes;
    }
    ck_assert_uint_eq(sent, sums[_i].sent);
    ck_assert_uint_eq(words, sums[_i].words);
    drop(&x);
}
END_TEST

/* Five rows on four cores: three have some, and the fourth only adds up what they give. */
START_TEST(who_has_no_summand_copies_the_first_that_comes)
{
    static const char *const four[] = { "chip.cores=4", "hbm.stacks=4", NULL };
    struct lowered x = lower("tpu-mini", four,
        "batch 5\ntensor x input f32 5x24\ntensor d input f32 5x700\n"
        "tensor g output f32 24x700\nbackward matmul g = x d transpose_a compute=bf16\n");
    const struct tpu_program *p = x.plan->programs[3];
    uint32_t copies = 0, adds = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        const struct tpu_arithmetic *a = &p->uops[i].arithmetic;
        if (p->uops[i].unit != TPU_VECTOR)
            continue;
        ck_assert_uint_eq(a->loads, a->alu == 0 ? a->stores : 2 * a->stores);
        *(a->alu == 0 ? &copies : &adds) += 1;
    }
    ck_assert_uint_eq(copies, 8192 / 2048);
    ck_assert_uint_eq(adds, 2 * copies);
    ck_assert_uint_eq(moved(p, TPU_LOAD), 0);
    drop(&x);
}
END_TEST

static const struct { const char *text, *words; } unshared[] = {
    { "batch 8\ntensor x input f32 8x4\ntensor w weight f32 8x4\ntensor y output f32 8x4\n"
      "forward add y = x w\n", "rows of one operand are shared" },
    { "batch 8\ntensor x input f32 8x8\ntensor b input f32 8\ntensor y output f32 8x8\n"
      "forward bias y = x b\n", "rows of one operand are shared" },
    { "batch 8\ntensor x input f32 8x4\ntensor w weight f32 8x4\nupdate sgd w = w x lr=1\n",
      "rows of one operand are shared" },
    { "batch 8\ntensor x input f32 8x4x6\ntensor y output f32 32x6\nforward reshape y = x\n",
      "moves rows" },
    { "batch 8\ntensor x input f32 8x4\ntensor y output f32 4x8\nforward transpose y = x\n",
      "moves rows" },
    { "batch 8\ntensor x input f32 8x4\ntensor w weight f32 5x8\ntensor y output f32 5x4\n"
      "forward matmul y = w x compute=bf16\n", "right operand" },
};

START_TEST(what_cannot_be_shared_is_refused_by_name)
{
    struct lowered x = lower("tpu-v3", NULL, unshared[_i].text);
    ck_assert_ptr_null(x.plan);
    ck_assert_msg(strstr(x.diag.text, unshared[_i].words) != NULL, "%s", x.diag.text);
    ck_assert_msg(strstr(x.diag.text, "--cores 1") != NULL, "%s", x.diag.text);
    ck_assert_uint_gt(x.diag.line, 0);
    drop(&x);
}
END_TEST

/* ---- room */

/* Adam on rows of 1000: 8 rows of its 7 operands, twice, are 448 kB; parts of rows do. */
START_TEST(rows_too_wide_for_a_tile_go_in_parts)
{
    struct lowered x = lower("tpu-mini", NULL,
        "tensor w weight f32 9x1000\ntensor m state f32 9x1000\ntensor v state f32 9x1000\n"
        "tensor g input f32 9x1000\n"
        "update adam w m v = w m v g lr=0.1 beta1=0.9 beta2=0.99 epsilon=0 step=1\n");
    ck_assert_msg(x.plan != NULL, "%s", x.diag.text);
    ck_assert_uint_le(x.plan->vmem_bytes, 49152);
    ck_assert_uint_eq(moved(x.plan->programs[0], TPU_LOAD), 4 * 16 * 1000 * 4);
    ck_assert_uint_eq(moved(x.plan->programs[0], TPU_STORE), 3 * 16 * 1000 * 4);
    drop(&x);
}
END_TEST

START_TEST(a_transpose_takes_no_more_than_its_tile)
{
    struct lowered x = lower("tpu-mini", NULL,
        "tensor x input f32 70x3000\ntensor y output f32 3000x70\nforward transpose y = x\n");
    ck_assert_msg(x.plan != NULL, "%s", x.diag.text);
    ck_assert_uint_le(x.plan->vmem_bytes, 49152);
    ck_assert_uint_eq(moved(x.plan->programs[0], TPU_LOAD), 72 * 3000 * 4);
    ck_assert_uint_eq(moved(x.plan->programs[0], TPU_STORE), 3000 * 72 * 4);
    drop(&x);
}
END_TEST

/* A row of 2^31 would be 8 GiB in one transfer. */
START_TEST(a_tile_that_no_transfer_can_name_is_refused)
{
    static const char *const huge[] = { "vmem.capacity_bytes=17179869184",
        "lower.tile_bytes=268435457", "lower.vector_bytes=17179869184", "hbm.capacity_gib=1024",
        NULL };
    static const char *const most[] = { "vmem.capacity_bytes=17179869184",
        "lower.tile_bytes=268435456", "lower.vector_bytes=17179869184", "hbm.capacity_gib=1024",
        NULL };
    static const char row[] = "tensor x input f32 2147483648\ntensor y output f32 2147483648\n"
                              "forward relu y = x\n";
    struct lowered x = lower("tpu-mini", huge, row), y = lower("tpu-mini", most, row);
    ck_assert_ptr_null(x.plan);
    ck_assert_msg(strstr(x.diag.text, "expected at most 268435456") != NULL, "%s", x.diag.text);
    ck_assert_uint_eq(moved(y.plan->programs[0], TPU_LOAD), UINT64_C(1) << 33);
    drop(&x);
    drop(&y);
}
END_TEST

/* 16384 x 16384 x 16384 in tiles of 32 on each side is 134 million of them. */
START_TEST(a_program_of_too_many_tiles_is_refused)
{
    struct lowered x = lower("tpu-mini", (const char *const[]){ "hbm.capacity_gib=1024", NULL },
        "tensor x input f32 16384x16384\ntensor w weight f32 16384x16384\n"
        "tensor y output f32 16384x16384\nforward matmul y = x w compute=bf16\n");
    ck_assert_ptr_null(x.plan);
    ck_assert_msg(strstr(x.diag.text, "y = matmul: with it the program has") != NULL, "%s",
                  x.diag.text);
    drop(&x);
}
END_TEST

START_TEST(more_groups_than_a_message_can_name_are_refused)
{
    struct trace *t = trace_new("many");
    struct machine *m = machine_of("tpu-mini", NULL);
    const struct figures *f = machine_figures(m);
    struct diag d = { .text = "" };
    uint64_t shape[] = { 8, 8 };
    for (uint32_t i = 0; i < 66000; i++) {
        struct trace_op op = { .kind = TRACE_TRANSPOSE, .ins = 1, .outs = 1 };
        op.in[0] = i == 0 ? hostile_tensor(t, ROLE_INPUT, TRACE_F32, 2, shape) : i;
        op.out[0] = hostile_tensor(t, ROLE_ACTIVATION, TRACE_F32, 2, shape);
        ck_assert(trace_add_op(t, &op, NULL, &d));
    }
    ck_assert_ptr_null(tpu_lower(&f->tpu, &f->hbm, t, &(struct tpu_lower_options){ 0 }, &d));
    ck_assert_msg(strstr(d.text, "more than 65000 groups") != NULL, "%s", d.text);
    trace_free(t);
    machine_free(m);
}
END_TEST

/* ---- places, over random traces and machines */

static bool live_together(const struct lower_tensor *a, bool a_given, const struct lower_tensor *b,
                          bool b_given)
{
    return a_given || b_given || (a->first <= b->last && b->first <= a->last);
}

static void check_places(const struct lower *l, uint64_t seed)
{
    for (uint32_t i = 0; i < l->trace->tensor_count; i++) {
        const struct lower_tensor *a = &l->tensors[i];
        bool a_given = trace_role_given(l->trace->tensors[i].role);
        ck_assert_msg(a->on_chip || a->address + a->bytes <= l->plan->hbm_bytes || !a->used,
                      "seed %llu", (unsigned long long)seed);
        for (uint32_t j = 0; j < i; j++) {
            const struct lower_tensor *b = &l->tensors[j];
            bool b_given = trace_role_given(l->trace->tensors[j].role);
            if (!a->used || !b->used || a->on_chip || b->on_chip
                || !live_together(a, a_given, b, b_given))
                continue;
            ck_assert_msg(a->address + a->bytes <= b->address
                          || b->address + b->bytes <= a->address, "seed %llu: %s and %s",
                          (unsigned long long)seed, l->trace->tensors[i].name,
                          l->trace->tensors[j].name);
        }
    }
}

START_TEST(no_two_tensors_that_live_together_overlap)
{
    struct dice d = { (uint64_t)_i + 71 };
    struct machine *m = hostile_machine(&d);
    struct trace *t = _i % 2 ? hostile_net(&d) : hostile_chain(&d);
    const struct figures *f = machine_figures(m);
    struct diag why = { .text = "" };
    struct tpu_plan *plan = calloc(1, sizeof *plan);
    struct lower_tensor *tensors = calloc(t->tensor_count + 1, sizeof *tensors);
    struct lower l = { .config = &f->tpu, .hbm = &f->hbm, .trace = t, .plan = plan,
                       .tensors = tensors, .diag = &why,
                       .options = { .cores = f->tpu.chip.cores } };
    l.shared = f->tpu.chip.hbm_sharing == TPU_HBM_SHARED && l.options.cores > 1;
    plan->cores = l.options.cores;
    if (lower_fuse(&l) && lower_place(&l))
        check_places(&l, d.state);
    free(tensors);
    tpu_plan_free(plan);
    trace_free(t);
    machine_free(m);
}
END_TEST

static void check_transfers(const struct tpu_plan *plan, int seed)
{
    for (uint32_t c = 0; c < plan->cores; c++)
        for (uint32_t i = 0; i < plan->programs[c]->count; i++) {
            const struct tpu_uop *u = &plan->programs[c]->uops[i];
            const struct tpu_transfer *x = &u->transfer;
            if (u->unit != TPU_LOAD && u->unit != TPU_STORE)
                continue;
            ck_assert_msg(x->rows > 0 && x->row_bytes > 0, "seed %d", seed);
            ck_assert_msg(x->address + (x->rows - 1) * x->stride + x->row_bytes
                          <= plan->hbm_bytes, "seed %d: core %u, operation %u of %s", seed, c, i,
                          plan->groups[u->group].name);
        }
}

START_TEST(nothing_is_moved_from_or_to_where_no_tensor_is)
{
    struct dice d = { (uint64_t)_i + 1031 };
    struct machine *m = hostile_machine(&d);
    struct trace *t = _i % 3 ? hostile_chain(&d) : hostile_net(&d);
    const struct figures *f = machine_figures(m);
    struct diag why = { .text = "" };
    struct tpu_plan *plan = tpu_lower(&f->tpu, &f->hbm, t, &(struct tpu_lower_options){ 0 }, &why);
    if (plan)
        check_transfers(plan, _i);
    else
        ck_assert_str_ne(why.text, "");
    tpu_plan_free(plan);
    trace_free(t);
    machine_free(m);
}
END_TEST

Suite *lower_suite(void)
{
    Suite *s = suite_create("lower");
    TCase *t = tcase_create("groups");
    tcase_add_test(t, a_layer_is_one_group_and_what_nobody_else_reads_stays);
    tcase_add_test(t, a_gradient_and_its_optimizer_are_groups_of_their_own);
    tcase_add_test(t, the_scale_of_a_loss_joins_the_group_of_its_gradient);
    tcase_add_test(t, what_reads_a_sum_does_not_join_the_group_that_makes_it);
    suite_add_tcase(s, t);
    t = tcase_create("bytes");
    tcase_add_test(t, a_matmul_moves_its_padded_operands_once);
    tcase_add_test(t, chunks_of_k_are_added_up);
    tcase_add_test(t, a_part_that_begins_within_a_piece_takes_all_pieces_it_touches);
    tcase_add_test(t, a_tensor_on_chip_moves_no_bytes);
    tcase_add_loop_test(t, an_all_reduce_sends_what_there_is_and_the_sum_to_all, 0,
                        COUNT_OF(sums));
    tcase_add_test(t, who_has_no_summand_copies_the_first_that_comes);
    suite_add_tcase(s, t);
    t = tcase_create("room");
    tcase_add_loop_test(t, what_cannot_be_shared_is_refused_by_name, 0, COUNT_OF(unshared));
    tcase_add_test(t, rows_too_wide_for_a_tile_go_in_parts);
    tcase_add_test(t, a_transpose_takes_no_more_than_its_tile);
    tcase_add_test(t, a_tile_that_no_transfer_can_name_is_refused);
    tcase_add_test(t, a_program_of_too_many_tiles_is_refused);
    tcase_add_test(t, more_groups_than_a_message_can_name_are_refused);
    tcase_add_loop_test(t, no_two_tensors_that_live_together_overlap, 0, 200);
    tcase_add_loop_test(t, nothing_is_moved_from_or_to_where_no_tensor_is, 0, 300);
    suite_add_tcase(s, t);
    return s;
}
