# The GPU kernels' PTX: kept in the tree, so that building needs no clang-19.

KERNELS  := models/gpu/kernels
CLANG19  ?= clang-19
CUDA     = $(CLANG19) -x cuda --cuda-device-only -nocudainc -nocudalib -std=c++17 -O2 \
    -fcuda-short-ptr -mllvm --nvptx-short-ptr -Wall -Wextra -Werror -Wno-unknown-cuda-version
# What is left out (comments, blanks) is a third of it, and differs between versions.
SHORTEN  = sed -e 's:[ \t]*//.*::' -e 's/ \t/ /' -e 's/, /,/g' -e '/^[ \t]*$$/d'

# name.sm_80.ptx is name.cu compiled for sm_80.  A new one begins as an empty file.
PTX := $(wildcard $(KERNELS)/*.ptx)
NEW_PTX := $(PTX:%=$(BUILD)/%)

## ptx: compile the GPU kernels again (needs clang-19)
ptx: $(NEW_PTX)
	@for f in $(PTX); do cmp -s $(BUILD)/$$f $$f || cp -v $(BUILD)/$$f $$f; done

## ptx-same: check that the PTX in the tree is what clang-19 makes of the kernels
ptx-same:
	@if ! command -v $(CLANG19) > /dev/null; then \
	    echo "ptx-same: skipped, there is no $(CLANG19)"; \
	else \
	    $(MAKE) --no-print-directory $(NEW_PTX) && \
	    for f in $(PTX); do cmp $(BUILD)/$$f $$f || { $(CLANG19) --version; exit 1; }; done && \
	    echo "ptx-same: $(words $(PTX)) files of PTX are what $(CLANG19) makes of the kernels"; \
	fi

PARTS += ptx-same

$(NEW_PTX): $(wildcard $(KERNELS)/*.cu $(KERNELS)/*.cuh) $(KERNELS)/kernels.mk
	@mkdir -p $(@D)
	$(CUDA) --cuda-gpu-arch=$(subst .,,$(suffix $(@:.ptx=))) \
	    -S -o $@.long $(patsubst $(BUILD)/%,%,$(basename $(@:.ptx=))).cu
	@$(SHORTEN) $@.long > $@ && rm $@.long

# The PTX is built in by the assembler, which the compiler's dependencies do not tell.
$(BUILD)/$(KERNELS)/text.c.o: $(PTX)

.PHONY: ptx ptx-same
