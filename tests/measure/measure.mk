# Measuring on a real card: the same launches as the model's.

## gpu-measure: time the project's kernels on a GPU, if there is one (MEASURED=file.csv)
MEASURED ?= $(BUILD)/gpu-measured.csv
MEASURE_OBJ := $(call obj,$(filter-out tests/measure/driver.c,$(wildcard tests/measure/*.c)))

gpu-measure: $(BUILD)/gpu-measure
	$< $(MEASURED)

$(BUILD)/gpu-measure: $(MEASURE_OBJ) $(call obj,tests/measure/driver.c) $(LIB_OBJ) $(BUILD)/flags
	$(CXX) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS) -ldl

## gpu-measure-twin: measure the model in the place of a card, and compare the model with that
gpu-measure-twin: $(BUILD)/gpu-measure-twin $(BUILD)/simaccel
	SIMACCEL_MACHINES=models/machines $< $(BUILD)/twin.csv 1.1e8 1
	$(BUILD)/simaccel validate measured --measured $(BUILD)/twin.csv

$(BUILD)/gpu-measure-twin: $(MEASURE_OBJ) $(call obj,tests/measure/twin/driver.c) $(LIB_OBJ) \
    $(BUILD)/flags
	$(CXX) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS)

.PHONY: gpu-measure gpu-measure-twin
