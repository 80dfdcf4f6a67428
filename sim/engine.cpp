/* engine.cpp - SystemC owns time; everything else is in C.
 *
 * A block is a module with one event, its alarm.  In the evaluate phase the module's
 * process only queues the block.  The engine is a channel whose update phase, once a
 * window, runs the queued blocks, settles the links and sets the alarms:
 *
 *     alarm -> process: queue the block -> update: run, settle, notify -> alarm ...
 *
 * Events carry nothing.  Of several notifications SystemC keeps the earliest; whatever
 * that drops is worked out again when the block has run (wiring.c).
 */
#include <systemc>

#include <cassert>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <vector>

extern "C" {
#include "sim/engine.h"
#include "sim/pool.h"
#include "sim/wiring.h"
}

namespace {

using wall = std::chrono::steady_clock;

constexpr std::chrono::milliseconds progress_interval(250);
constexpr uint64_t windows_between_looks = 16;      /* at the wall clock */

class Engine;

class Module : public sc_core::sc_module {
public:
    Module(sc_core::sc_module_name name, Engine &engine, uint32_t block);

    sc_core::sc_event alarm;

private:
    void due();

    Engine  &engine_;
    uint32_t block_;
};

class Engine : public sc_core::sc_prim_channel {
public:
    Engine(const engine_config &config, engine_result &result);
    ~Engine() override;

    void queue(uint32_t block);
    void simulate();

private:
    void update() override;
    void set_alarms();
    void show_progress();
    static void run_block(void *engine, uint32_t i);

    const engine_config &config_;
    engine_result       &result_;
    const tick_t window_, limit_;
    tick_t       start_ = 0, end_ = 0;  /* of the window that is running */
    wiring      *wiring_;
    pool        *pool_;
    std::vector<std::unique_ptr<Module>> modules_;
    std::vector<uint32_t> queued_;
    wall::time_point shown_ = wall::now();
};

Module::Module(sc_core::sc_module_name name, Engine &engine, uint32_t block)
    : sc_module(name), alarm("alarm"), engine_(engine), block_(block)
{
    SC_HAS_PROCESS(Module);
    SC_METHOD(due);
    sensitive << alarm;
    dont_initialize();
}

void Module::due()
{
    engine_.queue(block_);
}

Engine::Engine(const engine_config &config, engine_result &result)
    : config_(config), result_(result),
      window_(wiring_window(&config)), limit_(wiring_limit(&config)),
      wiring_(wiring_new(&config)), pool_(pool_new(config.threads))
{
    queued_.reserve(config.block_count);
    for (uint32_t b = 0; b < config.block_count; b++) {
        const char *name = sc_core::sc_gen_unique_name("block");
        modules_.push_back(std::make_unique<Module>(name, *this, b));
        modules_[b]->alarm.notify(sc_core::SC_ZERO_TIME);
    }
}

Engine::~Engine()
{
    pool_free(pool_);
    wiring_free(wiring_);
}

void Engine::queue(uint32_t block)
{
    queued_.push_back(block);
    request_update();
}

void Engine::run_block(void *self, uint32_t i)
{
    Engine &engine = *static_cast<Engine *>(self);
    uint32_t b = engine.queued_[i];
    const block &block = engine.config_.blocks[b];
    engine.wiring_->wake[b] = block.run(block.self, engine.end_);
}

void Engine::update()
{
    uint32_t count = static_cast<uint32_t>(queued_.size());
    start_ = sc_core::sc_time_stamp().value();
    end_   = tick_min(start_ + window_, limit_);

    pool_run(pool_, count, run_block, this);    /* any order, any number of threads */
    wiring_settle(wiring_, queued_.data(), count, end_);
    set_alarms();

    queued_.clear();
    result_.windows++;
    result_.activations += count;
    show_progress();
}

void Engine::set_alarms()
{
    for (uint32_t i = 0; i < wiring_->changed_count; i++) {
        uint32_t b = wiring_->changed[i];
        tick_t wake = wiring_->wake[b];
        if (wake < limit_)
            modules_[b]->alarm.notify(
                sc_core::sc_time::from_value(wake / window_ * window_ - start_));
    }
}

void Engine::show_progress()
{
    if (!config_.progress || result_.windows % windows_between_looks != 0)
        return;
    if (wall::now() - shown_ < progress_interval)
        return;
    shown_ = wall::now();
    config_.progress(config_.progress_arg, start_);
}

void Engine::simulate()
{
    sc_core::sc_start();
    result_.end = wiring_end(&config_, start_);
    for (uint32_t b = 0; b < config_.block_count; b++)
        if (wiring_->wake[b] != TICK_NEVER)
            result_.limited = true;
}

/* sc_main takes no argument of ours, so what it needs stands here. */
struct {
    const engine_config *config;
    engine_result       *result;
} job;

}

extern "C" int sc_main(int, char *[])
{
    sc_core::sc_set_time_resolution(1, sc_core::SC_FS);
    Engine engine(*job.config, *job.result);
    engine.simulate();
    return 0;
}

bool engine_run(const engine_config *config, engine_result *result)
{
    static bool used;
    assert(!used && "SystemC runs once in a process");
    used = true;

    *result = {};
    job = { config, result };
    setenv("SC_COPYRIGHT_MESSAGE", "DISABLE", 1);   /* stdout carries results only */
    char name[] = "simaccel", *arguments[] = { name, nullptr };
    int failed = sc_core::sc_elab_and_sim(1, arguments);
    assert(!failed);

    bool left = wiring_stuck(config, result->stuck, sizeof result->stuck);
    result->quiet_with_work = left && !result->limited;
    return !left;
}
