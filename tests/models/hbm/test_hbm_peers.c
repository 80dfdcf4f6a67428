/* test_hbm_peers.c - the same streams as other simulators, and nearly their answers.
 *
 * tests/reference/hbm_peers.csv holds what they answered.  Each row here is one of their
 * configurations with the greatest difference allowed; docs/hbm.md says why it is that. */
#include <math.h>
#include <string.h>

#include "tests/models/hbm/peers.h"
#include "tests/suites.h"

enum stream { A, B, C1, C2, C3, D, STREAMS };

/* Differences of the fraction of peak and of activates a KiB, relative, by stream. */
static const struct row {
    const char *id, *machine;
    uint32_t    channels;
    double      peak[STREAMS], activates[STREAMS];
} rows[] = {
    { "D1-default",   "d1", 1, { .02, .02, .05, .05, .15, .05 }, { .05, .05, .05, .05, .05, .05 } },
    { "D1-default",   "d1", 8, { .02, .02, .05, .05, .15, .05 }, { .05, .05, .05, .05, .15, .05 } },
    { "D2-finegrain", "d2", 1, { .02, .02, .05, .05, .15, .05 }, { .05, .05, .05, .11, .10, .05 } },
    { "D2-finegrain", "d2", 8, { .02, .02, .05, .05, .15, .05 }, { .05, .05, .05, .11, .10, .05 } },
    { "D3-closepage", "d3", 1, { .02, .02, .05, .05, .15, .05 }, { .05, .05, .05, .05, .05, .05 } },
    { "R1-RoBaRaCoCh", "r1", 1, { .02, .02, .05, .05, .15, .05 }, { .05, .05, .05, .05, .05, .05 } },
    { "R1-RoBaRaCoCh", "r1", 8, { .02, .02, .05, .05, .15, .05 }, { .05, .05, .05, .05, .05, .05 } },
    { "R2-MOP4CLXOR", "r2", 1, { .02, .02, .05, .05, .15, .05 }, { .05, .05, .10, .05, .05, .05 } },
    { "R2-MOP4CLXOR", "r2", 8, { .02, .02, .05, .05, .15, .05 }, { .05, .05, .10, .05, .05, .05 } },
    { "R3-finegrain", "r3", 1, { .02, .02, .05, .05, .15, .05 }, { .05, .05, .05, .10, .10, .05 } },
    { "R3-finegrain", "r3", 8, { .02, .02, .05, .05, .15, .05 }, { .05, .05, .05, .10, .10, .05 } },
    { "R6-norefresh", "r6", 1, { .02, .02, .05, .05, .15, .05 }, { .05, .05, .10, .05, .05, .05 } },
    { "R7-buffers64", "r7", 1, { .02, .02, .05, .05, .15, .05 }, { .05, .05, .10, .05, .05, .05 } },
};

struct answer { double requests, peak, latency_ns, hits, activates; };

static double number(const char *line, int column)
{
    for (; column > 0; column--)
        line = strchr(line, ',') + 1;
    return strtod(line, NULL);
}

/* What the peer answered; false if it was not asked. */
static bool answered(const struct row *row, const char *stream, struct answer *a)
{
    FILE *in = fopen("tests/reference/hbm_peers.csv", "r");
    ck_assert(in != NULL);
    char line[1024], id[32], name[64], simulator[32], standard[16];
    unsigned channels;
    bool found = false;
    while (!found && fgets(line, sizeof line, in)) {
        if (sscanf(line, "%31[^,],%31[^,],%15[^,],%u,%63[^,]", simulator, id, standard,
                   &channels, name) != 5)
            continue;
        found = strcmp(id, row->id) == 0 && channels == row->channels
             && strcmp(name, stream) == 0;
    }
    fclose(in);
    if (found)
        *a = (struct answer){ number(line, 5), number(line, 8), number(line, 10),
                              number(line, 11), number(line, 12) };
    return found;
}

/* A third of the peer's requests: enough for its figures, and soon done. */
static struct hbm_driven drive(const struct memory *m, const struct hbm_stream *stream,
                               double requests)
{
    return hbm_drive(&m->config, &m->map, &(struct hbm_drive){
        .stream = stream, .requests = (uint64_t)requests / 3, .run_bytes = 64 });
}

START_TEST(streams_take_as_long_as_they_do_in_other_simulators)
{
    const struct row *row = &rows[_i];
    struct memory *m = peer(row->machine, row->channels, NULL);
    int asked = 0;
    for (size_t i = 0; i < STREAMS; i++) {
        struct answer a;
        const struct hbm_stream *s = &hbm_streams[i];
        if (!answered(row, s->name, &a))
            continue;
        asked++;
        struct hbm_driven r = drive(m, s, a.requests);
        double peak = hbm_driven_fraction_of_peak(&r, &m->config);
        double activates = hbm_driven_activates_per_kib(&r);
        double hits = hbm_driven_hit_fraction(&r);
        ck_assert_msg(fabs(peak / a.peak - 1) <= row->peak[i],
                      "%s, %u channels, %s: %.3f of peak, not %.3f", row->id, row->channels,
                      s->name, peak, a.peak);
        ck_assert_msg(fabs(activates / a.activates - 1) <= row->activates[i],
                      "%s, %u channels, %s: %.3f activates a KiB, not %.3f", row->id,
                      row->channels, s->name, activates, a.activates);
        /* A hit fraction of 0.6 with activates 6 % off is off by 0.024. */
        double slack = row->activates[i] * (1 - a.hits);
        ck_assert_msg(fabs(hits - a.hits) <= (slack > 0.02 ? slack : 0.02),
                      "%s, %u channels, %s: hits %.3f, not %.3f", row->id, row->channels,
                      s->name, hits, a.hits);
    }
    ck_assert_int_ge(asked, 3);
    free(m);
}
END_TEST

START_TEST(one_request_at_a_time_waits_as_long_as_in_other_simulators)
{
    const struct row *row = &rows[_i];
    struct memory *m = peer(row->machine, row->channels, NULL);
    for (size_t i = STREAMS; i < hbm_streams_count; i++) {
        struct answer a;
        if (!answered(row, hbm_streams[i].name, &a))
            continue;
        struct hbm_driven r = drive(m, &hbm_streams[i], a.requests);
        ck_assert_msg(fabs(hbm_driven_latency_ns(&r) - a.latency_ns) <= 4,
                      "%s, %u channels, %s: %.1f ns, not %.1f", row->id, row->channels,
                      hbm_streams[i].name, hbm_driven_latency_ns(&r), a.latency_ns);
    }
    free(m);
}
END_TEST

/* Bounds worked out from the figures alone, of the fraction of peak.  `c` has 1 channel. */
static double refresh_bound(const struct hbm_config *c)
{
    return c->refresh == HBM_REFRESH_NONE ? 1 : 1 - c->rfc_ns / c->refi_ns;
}

static double activates_a_second(const struct hbm_config *c)     /* of a channel */
{
    double faw = 4 / c->faw_ns * c->pseudo_channels;
    double ns = c->clock_bits / c->pin_gbps;
    double bus = 1 / (ns * (c->act_cycles + c->pre_cycles));
    return (faw < bus ? faw : bus) * 1e9;
}

START_TEST(no_stream_is_faster_than_its_bound)
{
    const struct row *row = &rows[_i];
    struct memory *m = peer(row->machine, row->channels, NULL);
    for (size_t i = 0; i < STREAMS; i++) {
        struct hbm_driven r = drive(m, &hbm_streams[i], 90000.0 * row->channels);
        double peak = hbm_driven_fraction_of_peak(&r, &m->config);
        double bound = refresh_bound(&m->config);
        ck_assert_double_le(peak, bound + 0.005);   /* the end of a short run has none */
        double rows_a_second = activates_a_second(&m->config) * m->config.channels * bound;
        double opened = (double)r.stats.activates / ((double)r.time / (double)TICKS_PER_S);
        ck_assert_double_le(opened, rows_a_second * 1.005);
    }
    free(m);
}
END_TEST

START_TEST(random_reads_reach_the_bound_of_their_activates)
{
    /* d1: 4 activates a tFAW of 30 ns, 64 bytes each, of 32 GB/s; r3: 32 bytes an activate,
     * and ACT and PRE take 3 of the row bus's clocks of 1 ns. */
    const struct { const char *machine; double bound; } cases[] = {
        { "d1", 4 * 64 / 30.0 / 32 }, { "r3", 32 / 3.0 / 32 },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct memory *m = peer(cases[i].machine, 1, NULL);
        struct hbm_driven r = drive(m, hbm_stream_find("d"), 120000);
        double peak = hbm_driven_fraction_of_peak(&r, &m->config);
        double bound = cases[i].bound * refresh_bound(&m->config);
        ck_assert_double_le(peak, bound * 1.001);
        ck_assert_double_ge(peak, bound * 0.97);
        free(m);
    }
}
END_TEST

Suite *hbm_peers_suite(void)
{
    Suite *s = suite_create("hbm_peers");
    TCase *t = tcase_create("peers");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, streams_take_as_long_as_they_do_in_other_simulators, 0,
                        COUNT_OF(rows));
    tcase_add_loop_test(t, one_request_at_a_time_waits_as_long_as_in_other_simulators, 0,
                        COUNT_OF(rows));
    tcase_add_loop_test(t, no_stream_is_faster_than_its_bound, 0, COUNT_OF(rows));
    tcase_add_test(t, random_reads_reach_the_bound_of_their_activates);
    suite_add_tcase(s, t);
    return s;
}
