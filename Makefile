# simaccel: everything that can be done.  `make help` lists it.

BUILD    ?= build
PREFIX   ?= /usr/local
CFLAGS   ?= -O2 -g
CXXFLAGS ?= $(CFLAGS)
CK_FORK  ?= yes
JOBS     ?= $(shell nproc)
SIZE     ?= default
FUZZ_RUNS ?= 100000

# make's own default is cc; the environment and the command line may say otherwise.
ifeq ($(origin CC),default)
CC  := gcc
endif
ifeq ($(origin CXX),default)
CXX := g++
endif

VERSION := 0.1.0

WARN = -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
WARNXX = -Wall -Wextra -Wpedantic -Werror
# No contraction: a fused multiply-add would make values differ between processors.
# No path of this machine in what is built: the same sources give the same bytes.
SAME = -ffp-contract=off -ffile-prefix-map=$(CURDIR)=.
CSTD = -std=c17 -D_GNU_SOURCE -I. -DSIMACCEL_VERSION='"$(VERSION)"' $(SAME)
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=undefined
LIBS = -lyaml -ljansson -lz -lsystemc -lm -lpthread

TRACE_SRC := $(wildcard traces/*.c)
MODEL_SRC := $(wildcard models/*.c models/*/*.c models/*/*/*.c)
SIM_SRC   := $(filter-out sim/main.c,$(wildcard sim/*.c)) $(wildcard sim/*.cpp)
TEST_SRC  := tests/main.c $(sort $(wildcard tests/*/test_*.c tests/*/*/test_*.c tests/*/*/*/test_*.c))
FOLDERS   := traces models models/* models/*/* sim tests tests/* tests/*/* tests/*/*/*
HEADERS   := $(sort $(wildcard $(FOLDERS:%=%/*.h)))

obj = $(patsubst %,$(BUILD)/%.o,$(1))
LIB_OBJ := $(call obj,$(TRACE_SRC) $(MODEL_SRC) $(SIM_SRC))

# Make this one again with its own variables, in parallel unless told how already.
AGAIN = $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS))

## all: build build/simaccel (the default)
all: $(BUILD)/simaccel

$(BUILD)/simaccel: $(call obj,sim/main.c) $(LIB_OBJ) $(BUILD)/flags
	$(CXX) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS)

## setup: install the Debian packages of .ci/packages.txt that are missing
setup:
	@.ci/setup

## demo: set up, build, and run one training step of a small network on a TPU
demo: setup
	+@$(AGAIN) all
	$(BUILD)/simaccel --arch tpu workloads/mlp.trace

## check: set up, build, and run every check below that is quick; ends with the totals
check: setup
	@rm -rf $(BUILD)/check && mkdir -p $(BUILD)/check
	+@{ $(AGAIN) -k all $(BUILD)/run-tests $(FUZZERS) 2>&1; echo "exit $$?"; } | \
	    tee $(BUILD)/check/build.log
	+@$(AGAIN) $(PARTS:%=$(BUILD)/check/%.log)
	@.ci/total $(BUILD)/check

PARTS = test refusals fuzz headers lint $(if $(wildcard tests/rtl/rtl.mk),rtl)

# A part that fails must not keep the others from running: .ci/total tells.
$(BUILD)/check/%.log: FORCE
	@mkdir -p $(@D)
	@echo "check: $*"
	@{ $(MAKE) --no-print-directory $* 2>&1; echo "exit $$?"; } > $@

## test: build and run every unit test (CK_RUN_SUITE=mxu runs one)
test: $(BUILD)/run-tests
	CK_FORK=$(CK_FORK) CK_DEFAULT_TIMEOUT=60 SIMACCEL_MACHINES=models/machines $<

$(BUILD)/run-tests: $(call obj,$(TEST_SRC)) $(LIB_OBJ) $(BUILD)/flags
	$(CXX) $(LDFLAGS) -o $@ $(filter %.o,$^) $$(pkg-config --libs check) $(LIBS)

## refusals: use the program wrongly in every way, and look at its answers
refusals: $(BUILD)/simaccel
	tests/refusals/run $(BUILD)/simaccel

## asan: test and refusals under the address and undefined-behaviour sanitizers
# (gcc warns of what it cannot follow through the checks it has put in.)
asan:
	+@$(AGAIN) test refusals BUILD=$(BUILD)/asan CFLAGS="-O1 -g $(SANITIZE) -Wno-error" \
	    LDFLAGS="$(SANITIZE)" CK_FORK=no

## clang: build with clang, without a warning
clang:
	+@$(AGAIN) all $(BUILD)/clang/run-tests BUILD=$(BUILD)/clang CC=clang CXX=clang++

## headers: check that each header stands alone
headers:
	@for h in $(HEADERS); do \
	    echo "#include \"$$h\"" | $(CC) $(CSTD) $(WARN) -fsyntax-only -xc - || exit 1; \
	done

## lint: read the sources with cppcheck
lint:
	cppcheck --quiet --std=c11 --language=c -j $(JOBS) -I. -D_GNU_SOURCE \
	    -DSIMACCEL_VERSION='"$(VERSION)"' --enable=warning,performance,portability \
	    --inline-suppr --suppressions-list=.ci/cppcheck.txt --error-exitcode=1 \
	    $(TRACE_SRC) $(MODEL_SRC) $(filter %.c,$(SIM_SRC)) sim/main.c

FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

## fuzz: feed random input to every reader (FUZZ_RUNS=1000000 takes its time)
fuzz: $(FUZZERS:%=%.run)

# The fuzzers link what they use of everything that does not need the engine.
fuzz-objects:
	+@$(AGAIN) BUILD=$(BUILD)/fuzz CC=clang CXX=clang++ \
	    CFLAGS="-O1 -g $(SANITIZE) -fsanitize=fuzzer-no-link" LDFLAGS= \
	    $(BUILD)/fuzz/readers.a $(FUZZERS:$(BUILD)/fuzz/%=$(BUILD)/fuzz/tests/fuzz/%.c.o)

$(BUILD)/readers.a: $(filter-out %.cpp.o,$(LIB_OBJ))
	rm -f $@ && ar rcsD $@ $^

$(FUZZERS): fuzz-objects
	clang $(SANITIZE) -fsanitize=fuzzer -o $@ $(BUILD)/fuzz/tests/fuzz/$(@F).c.o \
	    $(BUILD)/fuzz/readers.a -lyaml -ljansson -lz -lm

# What it finds stays in build/fuzz; the seeds in the tree are not added to.
$(BUILD)/fuzz/%.run: $(BUILD)/fuzz/%
	@mkdir -p $(BUILD)/fuzz/found/$*
	$< -runs=$(FUZZ_RUNS) -seed=1 -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
	    $(addprefix -dict=,$(wildcard tests/fuzz/$*.dict)) \
	    -verbosity=0 -print_final_stats=1 -artifact_prefix=$(BUILD)/fuzz/$*- \
	    $(BUILD)/fuzz/found/$* $(or $(wildcard tests/fuzz/seeds/$*),workloads)

SHARE = $(DESTDIR)$(PREFIX)/share/simaccel

BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/bench_*.c))

## bench: measure how fast it is (alone: not beside other work)
bench: $(BUILD)/simaccel $(BENCHES) $(BUILD)/bench/unpaid
	@for b in $(BENCHES) $(wildcard tests/bench/bench_*.sh); do \
	    echo "---- $$(basename $$b)"; SIMACCEL=$< $$b || exit 1; \
	done

$(BUILD)/bench/%: $(BUILD)/tests/bench/%.c.o $(LIB_OBJ) $(BUILD)/flags
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS)

# The program without a ledger of energy, beside which bench_gpu puts the program.
$(BUILD)/bench/unpaid: $(call obj,sim/main.c tests/bench/unpaid.c) $(LIB_OBJ) $(BUILD)/flags
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS) -Wl,--wrap=ledger_add -o $@ $(filter %.o,$^) $(LIBS)

## validate: compare with measured chips (SIZE=quick, default or all)
validate: $(BUILD)/simaccel
	$< validate --size $(SIZE)

## install: put the program, its machines and workloads under PREFIX (and DESTDIR)
install: $(BUILD)/simaccel $(BUILD)/simaccel.1 $(BUILD)/simaccel.bash
	install -D -m 755 $< $(DESTDIR)$(PREFIX)/bin/simaccel
	install -D -m 644 $(BUILD)/simaccel.1 $(DESTDIR)$(PREFIX)/share/man/man1/simaccel.1
	install -D -m 644 $(BUILD)/simaccel.bash \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/simaccel
	install -d $(SHARE)/machines $(SHARE)/workloads/data
	install -m 644 $(wildcard models/machines/*.yaml) $(SHARE)/machines
	install -m 644 $(wildcard workloads/*.net workloads/*.trace* workloads/*.cu) $(SHARE)/workloads
	install -m 644 $(wildcard workloads/data/*) $(SHARE)/workloads/data

## uninstall: remove what install put there
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/simaccel $(DESTDIR)$(PREFIX)/share/man/man1/simaccel.1
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/simaccel
	rm -rf $(SHARE)

## clean: remove everything generated
clean:
	rm -rf $(BUILD)

## help: show this list
help:
	@sed -n 's/^## /  /p' $(MAKEFILE_LIST)

# What was built with other flags is built again.
$(BUILD)/flags: export FLAGS = $(CC) $(CXX) $(CSTD) $(WARN) $(CFLAGS) $(CXXFLAGS) $(LDFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo "$$FLAGS" | cmp -s - $@ || echo "$$FLAGS" > $@

$(BUILD)/%.c.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CSTD) $(WARN) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.cpp.o: %.cpp $(BUILD)/flags
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -I. $(SAME) $(WARNXX) $(CXXFLAGS) -MMD -MP -c -o $@ $<

# The assembler puts it in, which the compiler's dependencies do not tell.
$(BUILD)/sim/cuda.c.o: sim/cuda_user.cuh

FORCE:

# More targets: the RTL twin, benchmarks, validation, plots.
include $(wildcard tests/*/*.mk models/*/*/*.mk plots/*.mk workloads/*.mk)
-include $(wildcard $(BUILD)/*/*.d $(BUILD)/*/*/*.d $(BUILD)/*/*/*/*.d $(BUILD)/*/*/*/*/*.d)

.DEFAULT_GOAL := all
.PHONY: all setup demo check test refusals asan clang headers lint fuzz fuzz-objects \
    bench validate install uninstall clean help FORCE
.DELETE_ON_ERROR:
.PRECIOUS: $(BUILD)/%.c.o $(BUILD)/%.cpp.o
