## slurm: send a sweep to a Slurm of its own, which the test installs and starts
slurm: $(BUILD)/simaccel
	tests/slurm/run $(BUILD)/simaccel

.PHONY: slurm
