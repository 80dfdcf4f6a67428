# manual.mk - the manual page and completions.

## manual: make the manual page and the completions of bash, in the build folder
manual: $(BUILD)/simaccel.1 $(BUILD)/simaccel.bash

$(BUILD)/simaccel.1: $(BUILD)/simaccel
	$< help --man > $@

$(BUILD)/simaccel.bash: $(BUILD)/simaccel
	$< help --completion > $@

## manual-check: lint the page with mandoc, complete words with bash
manual-check: $(BUILD)/simaccel
	@SIMACCEL_MACHINES=models/machines bash tests/manual/run $<

PARTS += manual-check

.PHONY: manual manual-check
