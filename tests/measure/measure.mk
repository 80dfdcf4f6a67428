# Measuring on a real card: the same launches as the model's.

## gpu-measure: time the project's kernels on a GPU, if there is one (MEASURED=file.csv)
MEASURED ?= $(BUILD)/gpu-measured.csv

gpu-measure: $(BUILD)/gpu-measure
	$< $(MEASURED)

$(BUILD)/gpu-measure: $(call obj,$(wildcard tests/measure/*.c)) $(LIB_OBJ) $(BUILD)/flags
	$(CXX) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS) -ldl

.PHONY: gpu-measure
