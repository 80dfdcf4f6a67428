/* mxu_rtl.cpp - the Verilog array beside the two C forms, cycle by cycle.
 *
 * All three get the same random loads and streams.  Compared are, in every cycle: what may
 * begin, the state, and whether a row's results come out; and every bit of the results.
 * Built once for each size; the size comes from the Makefile fragment. */
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "Vmxu.h"
#include "verilated.h"

extern "C" {
#include "models/tpu/mxu.h"
}

static uint64_t seed;

static uint32_t below(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % n);
}

static uint16_t number()
{
    static const uint16_t special[] = { 0x0000, 0x8000, 0x0001, 0x807f, 0x0080, 0x7f7f, 0xff7f,
                                        0x7f80, 0xff80, 0x7fc1, 0x3f80, 0xbf80, 0x1f80, 0x9f81 };
    if (below(80) == 0)
        return special[below(sizeof special / sizeof special[0])];
    return (uint16_t)(below(2) << 15 | (117 + below(20)) << 7 | below(128));
}

static std::vector<uint16_t> numbers(size_t count)
{
    std::vector<uint16_t> n(count);
    for (uint16_t &x : n)
        x = number();
    return n;
}

/* One stream: its operands, and the results in each form. */
struct Tile {
    tpu_mxu_tile tile;
    std::vector<uint16_t> activations;
    std::vector<float> fast, exact;
    cycle_t first_result_at, last_result_at;
};

static Vmxu *rtl;
static tpu_mxu *fast, *exact;
static cycle_t now;
static std::vector<uint16_t> weights;           /* pushed last */
static std::deque<std::unique_ptr<Tile>> tiles; /* results still to come, oldest first */
static Tile *streaming;                         /* the latest of them */

static void expect(bool same, const char *what)
{
    if (same)
        return;
    std::fprintf(stderr, "mxu %d x %d: cycle %" PRIu64 ": rtl and C differ in %s\n",
                 ROWS, COLS, now, what);
    std::exit(1);
}

static void put(uint32_t *words, unsigned index, uint16_t x)
{
    words[index / 2] |= (uint32_t)x << index % 2 * 16;
}

/* The data that the array asks for in this cycle. */
static void answer()
{
    std::memset(&rtl->weights[0], 0, 32);
    std::memset(&rtl->row[0], 0, 16);
    for (unsigned l = 0; rtl->push && l < PER_CYCLE; l++) {
        unsigned r = rtl->push_index * PER_CYCLE + l;
        for (unsigned c = 0; r < ROWS && c < COLS; c++)
            put(&rtl->weights[0], l * 8 + c, weights[r * COLS + c]);
    }
    for (unsigned r = 0; rtl->enter && r < ROWS; r++)
        put(&rtl->row[0], r, streaming->activations[rtl->row_index * ROWS + r]);
    rtl->eval();
}

/* A row of results, or none, as the promise of the oldest tile has it. */
static void check_results()
{
    Tile *t = tiles.empty() ? nullptr : tiles.front().get();
    bool due = t && now >= t->first_result_at;
    expect(rtl->result_valid == due, "when results come out");
    if (!due)
        return;
    size_t row = now - t->first_result_at;
    expect(std::memcmp(&rtl->results[0], &t->fast[row * COLS], COLS * 4) == 0, "result bits");
    if (now < t->last_result_at)
        return;
    tpu_mxu_stats(exact, now);
    expect(std::memcmp(t->exact.data(), t->fast.data(), t->fast.size() * 4) == 0,
           "exact result bits");
    tiles.pop_front();
    if (tiles.empty())
        streaming = nullptr;
}

static void start_stream(bool reuse)
{
    std::unique_ptr<Tile> t(new Tile());
    uint32_t depth = 1 + below(below(3) ? 4 : 30);
    t->activations = numbers(depth * ROWS);
    t->fast.resize(depth * COLS);
    t->exact.resize(depth * COLS);
    t->tile = tpu_mxu_tile();
    t->tile.depth = depth, t->tile.used_rows = ROWS, t->tile.used_cols = COLS;
    t->tile.reuse = reuse;
    t->tile.activations = t->activations.data();
    t->tile.results = t->fast.data();
    tpu_mxu_stream(fast, now, &t->tile);
    t->tile.results = t->exact.data();
    tpu_mxu_stream(exact, now, &t->tile);
    t->first_result_at = tpu_mxu_first_result_at(fast);
    t->last_result_at = tpu_mxu_last_result_at(fast);
    rtl->stream = 1, rtl->reuse = reuse, rtl->depth = (uint16_t)depth;
    streaming = t.get();
    tiles.push_back(std::move(t));
}

static void commands(unsigned patience)
{
    tpu_mxu_tile t = tpu_mxu_tile();
    t.depth = 1;
    rtl->eval();
    expect(rtl->can_stream == tpu_mxu_can_stream(fast, now, &t), "can_stream");
    expect(rtl->can_stream == tpu_mxu_can_stream(exact, now, &t), "can_stream (exact)");
    t.reuse = true;
    expect(rtl->can_reuse == tpu_mxu_can_stream(fast, now, &t), "can_reuse");
    if ((rtl->can_stream || rtl->can_reuse) && below(patience) == 0)
        start_stream(!rtl->can_stream || (rtl->can_reuse && below(4) == 0));
    rtl->eval();
    expect(rtl->can_load == tpu_mxu_can_load(fast, now), "can_load");
    expect(rtl->can_load == tpu_mxu_can_load(exact, now), "can_load (exact)");
    if (rtl->can_load && below(patience) == 0) {
        weights = numbers(ROWS * COLS);
        tpu_mxu_load(fast, now, weights.data());
        tpu_mxu_load(exact, now, weights.data());
        rtl->load = 1;
    }
    rtl->eval();
}

/* The state of this cycle is the one whose count it raises. */
static void check_state()
{
    struct tpu_mxu_stats before = tpu_mxu_stats(fast, now);
    struct tpu_mxu_stats after = tpu_mxu_stats(fast, now + 1);
    struct tpu_mxu_stats twin = tpu_mxu_stats(exact, now + 1);
    expect(after.cycles[rtl->state] == before.cycles[rtl->state] + 1, "state");
    expect(std::memcmp(&after, &twin, sizeof after) == 0, "counts (exact)");
}

static void tick()
{
    rtl->clock = 1;
    rtl->eval();
    rtl->clock = 0;
    rtl->load = rtl->stream = rtl->reuse = 0;
    rtl->eval();
}

int main(int argc, char **argv)
{
    Verilated::commandArgs(argc, argv);
    seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
    rtl = new Vmxu;
    tpu_mxu_config c = tpu_mxu_config();
    c.rows = ROWS, c.cols = COLS, c.weight_buffers = BUFFERS, c.swap_cycles = SWAP;
    c.weight_rows_per_cycle = PER_CYCLE, c.push_rows = 1, c.row_cycles = 1;
    fast = tpu_mxu_new(&c, TPU_MXU_FAST);
    exact = tpu_mxu_new(&c, TPU_MXU_EXACT);

    rtl->reset = 1;
    for (int i = 0; i < 2 * (ROWS + COLS); i++)     /* until what was inside is out */
        tick();
    rtl->reset = 0;
    enum { CYCLES = 40000 };
    unsigned patience = 1;
    for (now = 0; now < CYCLES; now++) {
        if (now % 500 == 0)
            patience = below(2) ? 1 : 1 + below(20);
        commands(patience);
        answer();
        check_results();
        check_state();
        tick();
    }
    struct tpu_mxu_stats s = tpu_mxu_stats(fast, now);
    std::printf("mxu rtl %d x %d, %d set%s of weights: %d cycles, %" PRIu64 " tiles, %" PRIu64
                " rows equal in rtl, exact and fast\n", ROWS, COLS, BUFFERS,
                BUFFERS == 1 ? "" : "s", CYCLES, s.streams, s.rows_streamed);
    tpu_mxu_free(fast);
    tpu_mxu_free(exact);
    delete rtl;
    return 0;
}
