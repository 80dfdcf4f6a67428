# examples.mk - the commands of the documents, run as they stand there.

## examples: run the commands of README.md and docs, but for long ones
examples: $(BUILD)/simaccel
	@tests/examples/run $<

## examples-all: run them all (minutes)
examples-all: $(BUILD)/simaccel
	@EXAMPLES=all tests/examples/run $<

PARTS += examples

.PHONY: examples examples-all
