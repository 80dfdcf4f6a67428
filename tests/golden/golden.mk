# golden.mk - whole reports, kept in tests/golden and compared byte for byte.
#
# `make golden` remakes them; the commit says why they changed.  The figures in force are
# left out of the JSON: a source that is worded better changes no result.

GOLDEN := mlp-tpu-v3.txt keras-tpu-mini.json gemm-tpu-v5e.txt keras-v100.txt keras-gpu-mini.json \
    gemm-a100.txt

GOLDEN_mlp-tpu-v3.txt      = --arch tpu-v3 workloads/mlp.trace
GOLDEN_keras-tpu-mini.json = --arch tpu-mini workloads/keras.trace --json - | sed '/^ "parameters"/,$$d'
GOLDEN_gemm-tpu-v5e.txt    = gemm 513x1000x777 --arch tpu-v5e --transpose nt
GOLDEN_keras-v100.txt      = --arch v100 workloads/keras.trace
GOLDEN_keras-gpu-mini.json = --arch gpu-mini workloads/keras.trace --json - | sed '/^ "parameters"/,$$d'
GOLDEN_gemm-a100.txt       = gemm 129x100x77 --arch a100 --type bf16

## golden: remake the whole reports of tests/golden
golden: $(GOLDEN:%=$(BUILD)/golden/%)
	cp $^ tests/golden

## golden-check: compare whole reports with those of tests/golden
golden-check: $(GOLDEN:%=$(BUILD)/golden/%)
	@failed=0; for g in $(GOLDEN); do \
	    diff -u tests/golden/$$g $(BUILD)/golden/$$g > $(BUILD)/golden/diff \
	        || { failed=$$((failed + 1)); head -n 20 $(BUILD)/golden/diff; }; \
	done; \
	echo "$$(($(words $(GOLDEN)) - failed)) passed, $$failed failed"; [ $$failed -eq 0 ]

$(BUILD)/golden/%: $(BUILD)/simaccel FORCE
	@mkdir -p $(@D)
	SIMACCEL_MACHINES=models/machines $(BUILD)/simaccel $(GOLDEN_$*) > $@

PARTS += golden-check

.PHONY: golden golden-check
