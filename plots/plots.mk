# plots.mk - the pictures in docs/pictures, each with its data and script beside it.

## plots: draw the pictures of the docs again
plots: $(BUILD)/simaccel
	@mkdir -p docs/pictures
	SIMACCEL_MACHINES=models/machines $< train workloads/digits.net --arch both --epochs 10 \
	    --plot docs/pictures/digits.svg

.PHONY: plots
