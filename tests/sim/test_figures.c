/* test_figures.c - the schema of the program, and the machines that come with it. */
#include <stdlib.h>
#include <string.h>

#include "sim/cpu_roof.h"
#include "sim/figures.h"
#include "tests/suites.h"

START_TEST(no_two_figures_share_a_byte_or_a_name)
{
    char *used = calloc(1, figures_schema.size);
    static const size_t sizes[] = { sizeof(uint32_t), sizeof(uint64_t), sizeof(double),
                                    sizeof(uint32_t), PARAM_TEXT };
    for (size_t i = 0; i < figures_schema.count; i++) {
        const struct section *s = &figures_schema.sections[i];
        for (size_t j = 0; j < s->count; j++) {
            const struct param *p = &s->params[j];
            ck_assert_ptr_eq(param_find(s->params, s->count, p->name), p);
            for (size_t b = 0; b < sizes[p->type]; b++) {
                size_t at = s->offset + p->offset + b;
                ck_assert_uint_lt(at, figures_schema.size);
                ck_assert_msg(!used[at], "%s.%s", s->name, p->name);
                used[at] = 1;
            }
        }
    }
    free(used);
}
END_TEST

START_TEST(every_range_fits_its_type)
{
    for (size_t i = 0; i < figures_schema.count; i++) {
        const struct section *s = &figures_schema.sections[i];
        for (size_t j = 0; j < s->count; j++) {
            const struct param *p = &s->params[j];
            bool count = p->type == PARAM_COUNT || p->type == PARAM_SIZE;
            ck_assert_msg(p->min <= p->max || p->type == PARAM_CHOICE, "%s", p->name);
            ck_assert_msg(!count || p->min >= 0, "%s", p->name);
            ck_assert_msg(p->type != PARAM_COUNT || p->max <= UINT32_MAX, "%s", p->name);
            /* What JSON can say exactly, and a double too. */
            ck_assert_msg(p->type != PARAM_SIZE || p->max <= 0x1p53, "%s", p->name);
        }
    }
}
END_TEST

/* A machine that is simulated, or a CPU's roofline. */
static void check_one(void *self, const char *name, const char *path)
{
    struct diag     d = { .text = "" };
    const struct schema *schema = &figures_schema;
    struct machine *m = machine_read(schema, path, &d);
    int            *n = self;
    if (!m && strstr(d.text, "no cpu model"))
        m = machine_read(schema = &cpu_schema, path, &d);
    ck_assert_msg(m != NULL, "%s:%u:%u: %s", d.file, d.line, d.column, d.text);
    ck_assert_str_eq(machine_name(m), name);
    ck_assert_str_ne(machine_description(m), "");
    char  *text;
    size_t size;
    FILE  *out = open_memstream(&text, &size);
    machine_print(m, out);
    fclose(out);
    struct machine *back = machine_read_text(schema, text, size, "printed", &d);
    ck_assert_msg(back != NULL, "%s: %u:%u: %s", name, d.line, d.column, d.text);
    ck_assert_mem_eq(machine_figures(m), machine_figures(back), schema->size);
    machine_free(back);
    machine_free(m);
    free(text);
    ++*n;
}

/* Section `energy` of each kind is another one, at another place. */
START_TEST(a_section_of_two_kinds_is_that_of_the_machine)
{
    struct diag d = { .text = "" };
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    struct machine *gpu = machine_find(&figures_schema, "gpu", &d);
    struct machine *tpu = machine_find(&figures_schema, "tpu", &d);
    ck_assert_str_eq(machine_name(gpu), "v100");
    ck_assert(machine_set(gpu, "energy.hbm_read_pj=1.5", "--set", &d));
    ck_assert(machine_set(tpu, "energy.hbm_read_pj=2.5", "--set", &d));
    const struct figures *g = machine_figures(gpu), *t = machine_figures(tpu);
    ck_assert_double_eq(g->gpu_energy.hbm_read_pj, 1.5);
    ck_assert_double_eq(g->energy.hbm_read_pj, 0);
    ck_assert_double_eq(t->energy.hbm_read_pj, 2.5);
    ck_assert_double_eq(t->gpu_energy.hbm_read_pj, 0);
    ck_assert_str_eq(machine_source(gpu, "energy.hbm_read_pj"), "--set");
    ck_assert(!machine_set(gpu, "energy.mac_pj=1", "--set", &d));
    ck_assert(!machine_set(tpu, "energy.tensor_pj=1", "--set", &d));
    json_t *j = machine_json(gpu);
    json_t *price = json_object_get(json_object_get(j, "energy"), "hbm_read_pj");
    ck_assert_double_eq(json_real_value(json_object_get(price, "value")), 1.5);
    json_decref(j);
    machine_free(gpu);
    machine_free(tpu);
}
END_TEST

START_TEST(each_machine_that_comes_with_it_is_whole)
{
    int n = 0;
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    machine_list(check_one, &n);
    ck_assert_int_ge(n, 1);
}
END_TEST

/* Columns of a real memory keep up with its pins: the peak is that of its data sheet, to the bit. */
static void check_pins(void *self, const char *name, const char *path)
{
    struct diag d = { .text = "" };
    struct machine *m = machine_read(&figures_schema, path, &d);
    if (m) {                                            /* else a CPU */
        const struct figures *f = machine_figures(m);
        const struct hbm_config *h = &f->hbm;
        ck_assert_msg(hbm_peak_bytes_per_s(h)
                      == (double)h->channels * h->channel_bits * h->pin_gbps * 1e9 / 8, "%s", name);
        ++*(int *)self;
    }
    machine_free(m);
}

START_TEST(the_peak_of_each_memory_is_its_pins)
{
    int n = 0;
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    machine_list(check_pins, &n);
    ck_assert_int_ge(n, 10);
}
END_TEST

Suite *figures_suite(void)
{
    Suite *s = suite_create("figures");
    TCase *t = tcase_create("schema");
    tcase_add_test(t, no_two_figures_share_a_byte_or_a_name);
    tcase_add_test(t, every_range_fits_its_type);
    tcase_add_test(t, a_section_of_two_kinds_is_that_of_the_machine);
    tcase_add_test(t, each_machine_that_comes_with_it_is_whole);
    tcase_add_test(t, the_peak_of_each_memory_is_its_pins);
    suite_add_tcase(s, t);
    return s;
}
