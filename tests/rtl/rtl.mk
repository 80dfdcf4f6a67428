# rtl.mk - the RTL twin of the matrix unit, built for six awkward sizes; `make rtl` runs it.
#
#              rows cols sets swap rows-a-cycle
RTL_1x1     := 1    1    2    0    1
RTL_3x5     := 3    5    1    0    1
RTL_8x8     := 8    8    2    0    2
RTL_7x2     := 7    2    2    3    1
RTL_2x7     := 2    7    1    0    2
RTL_5x8     := 5    8    2    1    2
RTL_SIZES   := 1x1 3x5 8x8 7x2 2x7 5x8

RTL_C_OBJ := $(call obj,$(wildcard models/tpu/mxu*.c) models/numerics/bf16.c models/record.c \
    models/energy/ledger.c models/block.c)
RTL_LIB   := $(addprefix $(BUILD)/rtl/,verilated.o verilated_threads.o)

rtl_figure = $(word $(1),$(RTL_$*))
rtl_define = -$(1)ROWS=$(call rtl_figure,1) -$(1)COLS=$(call rtl_figure,2) \
    -$(1)BUFFERS=$(call rtl_figure,3) -$(1)SWAP=$(call rtl_figure,4) \
    -$(1)PER_CYCLE=$(call rtl_figure,5)

# In one piece, for most of the time goes into reading Verilator's headers; unoptimised,
# for it runs for a second or two.
VERILATOR_ROOT = $(shell verilator --getenv VERILATOR_ROOT)
VERILATE = verilator --cc -Wall -Wno-DECLFILENAME -Wno-UNUSED --Mdir $(@D)
RTL_CXX  = $(CXX) -std=c++17 -O0 -ffp-contract=off -I. \
    -isystem $(VERILATOR_ROOT)/include -isystem $(VERILATOR_ROOT)/include/vltstd

## rtl: compare the matrix unit's Verilog twin with the C forms (six sizes, in parallel)
rtl:
	+@$(AGAIN) rtl-run

rtl-run: $(patsubst %,$(BUILD)/rtl/%/passed,fp $(RTL_SIZES))

$(BUILD)/rtl/%/passed: $(BUILD)/rtl/%/twin
	$<
	@touch $@

$(BUILD)/rtl/fp/twin: tests/rtl/fp.v tests/rtl/fp_rtl.cpp tests/rtl/rtl.mk \
    models/numerics/bf16.h $(RTL_LIB) $(RTL_C_OBJ)
	@mkdir -p $(@D)
	$(VERILATE) --top-module bf16_multiply_add --prefix Vfp $(filter %.v,$^)
	cat $(@D)/*.cpp > $(@D)/all.cc
	$(RTL_CXX) -I$(@D) $(LDFLAGS) -o $@ $(filter %.cpp,$^) $(@D)/all.cc $(filter %.o,$^)

$(BUILD)/rtl/%/twin: tests/rtl/mxu.v tests/rtl/fp.v tests/rtl/mxu_rtl.cpp tests/rtl/rtl.mk \
    models/tpu/mxu.h $(RTL_LIB) $(RTL_C_OBJ)
	@mkdir -p $(@D)
	$(VERILATE) --top-module mxu --prefix Vmxu $(call rtl_define,G) $(filter %.v,$^)
	cat $(@D)/*.cpp > $(@D)/all.cc
	$(RTL_CXX) -I$(@D) $(call rtl_define,D) $(LDFLAGS) -o $@ $(filter %.cpp,$^) \
	    $(@D)/all.cc $(filter %.o,$^)

$(RTL_LIB):
	@mkdir -p $(@D)
	$(RTL_CXX) -c -o $@ $(VERILATOR_ROOT)/include/$(@F:.o=.cpp)

.PHONY: rtl rtl-run
.PRECIOUS: $(BUILD)/rtl/%/twin
