## terminal: step through an array on a real terminal, tmux's; skipped without tmux
terminal: $(BUILD)/simaccel
	@SIMACCEL_MACHINES=models/machines sh tests/terminal/run $<

PARTS += terminal

.PHONY: terminal
