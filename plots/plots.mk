# plots.mk - the pictures in docs/pictures, each with its data and script beside it.

## plots: draw the pictures of the docs again
plots: $(BUILD)/simaccel
	@mkdir -p docs/pictures
	SIMACCEL_MACHINES=models/machines $< train workloads/digits.net --arch both --epochs 10 \
	    --plot docs/pictures/digits.svg
	@mkdir -p $(BUILD)/plots
	for m in tpu-v3 v100; do \
	    SIMACCEL_MACHINES=models/machines $< --arch $$m workloads/mlp.net \
	        --over-time --json $(BUILD)/plots/$$m.json > /dev/null || exit 1; \
	done
	for k in compare energy stalls power roofline utilization over-time; do \
	    $< plot $$k $(BUILD)/plots/tpu-v3.json $(BUILD)/plots/v100.json \
	        -o docs/pictures/mlp-$$k.svg || exit 1; \
	done
	$< plot heat $(BUILD)/plots/v100.json -o docs/pictures/mlp-heat.svg
	SIMACCEL_MACHINES=models/machines $< sweep workloads/mlp.net --arch tpu \
	    --over 'mxu.rows,mxu.cols=32..512:*2' --over batch=64,256,1024 \
	    --json $(BUILD)/plots/array.json --csv /dev/null
	SIMACCEL_MACHINES=models/machines $< sweep workloads/mlp.net --arch v100 \
	    --over sm.count=10..80:+10 --json $(BUILD)/plots/sms.json --csv /dev/null
	SIMACCEL_MACHINES=models/machines $< compare workloads/mlp.net --limit 3 \
	    --over 'batch=1..1024:*2,width=64..1024:*2' --plot docs/pictures/mlp-crossover.svg
	for s in array sms; do \
	    $< plot sweep $(BUILD)/plots/$$s.json -o docs/pictures/sweep-$$s.svg || exit 1; \
	done

.PHONY: plots

# The scripts are inside the program.
$(patsubst plots/%.gp,$(BUILD)/sim/plot_%.c.o,$(wildcard plots/*.gp)): $(BUILD)/sim/plot_%.c.o: plots/%.gp
