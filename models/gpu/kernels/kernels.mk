# The GPU kernels' PTX: kept in the tree, so that building needs no clang-19.

KERNELS  := models/gpu/kernels
CLANG19  ?= clang-19
CUDA     = $(CLANG19) -x cuda --cuda-device-only -nocudainc -nocudalib -std=c++17 -O2 \
    -fcuda-short-ptr -mllvm --nvptx-short-ptr -Wall -Wextra -Werror -Wno-unknown-cuda-version -S -o -
# What is left out (comments, blanks) is a third of it, and differs between versions.
SHORTEN  = sed -e 's:[ \t]*//.*::' -e 's/ \t/ /' -e 's/, /,/g' -e '/^[ \t]*$$/d'

# name.sm_80.ptx is name.cu compiled for sm_80.
PTX := $(wildcard $(KERNELS)/*.ptx)


## ptx: compile the GPU kernels again (needs clang-19)
ptx:
	@for f in $(PTX); do \
	    arch=$${f%.ptx}; arch=$${arch##*.}; from=$${f%.$$arch.ptx}.cu; \
	    echo "$$from for $$arch"; \
	    $(CUDA) --cuda-gpu-arch=$$arch $$from | $(SHORTEN) > $$f.new && \
	        mv $$f.new $$f || exit 1; \
	done

## ptx-same: check that the PTX in the tree is what clang-19 makes of the kernels
ptx-same:
	@if ! command -v $(CLANG19) > /dev/null; then \
	    echo "ptx-same: skipped, no $(CLANG19)"; exit 0; fi; \
	mkdir -p $(BUILD)/ptx; \
	for f in $(PTX); do \
	    arch=$${f%.ptx}; arch=$${arch##*.}; from=$${f%.$$arch.ptx}.cu; \
	    $(CUDA) --cuda-gpu-arch=$$arch $$from | $(SHORTEN) > $(BUILD)/ptx/$${f##*/}; \
	    cmp $(BUILD)/ptx/$${f##*/} $$f || exit 1; \
	done; \
	echo "ptx-same: $(words $(PTX)) files of PTX are what $(CLANG19) makes of the kernels"

# The PTX is built in by the assembler, which the compiler's dependencies do not tell.
$(BUILD)/$(KERNELS)/text.c.o: $(PTX)

.PHONY: ptx ptx-same
