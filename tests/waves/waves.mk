## waves: let GTKWave's own programs read VCD files; skipped without them
waves: $(BUILD)/simaccel
	@SIMACCEL_MACHINES=models/machines sh tests/waves/run $<

PARTS += waves

.PHONY: waves
