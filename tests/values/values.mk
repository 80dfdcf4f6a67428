# values.mk - the long form of "values move no cycle": all workloads (test_value_run.c has the
# small ones).  A GPU's largest would take days: it has those of up to some 10 GFLOP.

VALUES_GPU := $(addprefix workloads/,keras.trace digits.trace iris.trace mlp.trace deep.trace \
    paradnn-128x4-b32.trace paradnn-128x4-b256.trace paradnn-128x16-b32.trace \
    paradnn-128x16-b256.trace paradnn-512x4-b32.trace paradnn-512x4-b256.trace \
    paradnn-512x16-b32.trace)

## values: compare runs of all workloads with and without values (an hour)
values: $(BUILD)/simaccel
	SIMACCEL_MACHINES=models/machines sh tests/values/run $< tpu-v3 $(wildcard workloads/*.trace)
	SIMACCEL_MACHINES=models/machines sh tests/values/run $< v100 $(VALUES_GPU)

.PHONY: values
