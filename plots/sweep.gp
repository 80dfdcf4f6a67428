# sweep.gp - speed-up over the first point, and energy, over a swept parameter; a line for each
# value of the others.
#
# data: the parameter's name (index 0); then a block a line, its name first; then
#       value speed-up energy_j

stats data every ::0::0 index 0 using (parameter = strcol(1), 1) nooutput
stats data using 1 nooutput
least = STATS_min
most = STATS_max
lines = STATS_blocks
set multiplot layout 1, 2 margins 0.09, 0.97, 0.28, 0.88 spacing 0.13, 0 \
    title 'Sweep of ' . subject noenhanced
set border 3
set tics nomirror
set grid ytics linecolor rgb '#cccccc'
set xlabel parameter noenhanced
set key at screen 0.53, 0.13 center top maxrows 3 Left reverse noenhanced samplen 2
array color[8] = [ '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', \
    '#000000', '#f0e442' ]
if (least > 0 && most / least >= 8) { set logscale x 2 }
set yrange [0:*]
set title 'speed-up over the first point'
plot for [i = 1:lines] data index i using 1:2 with linespoints pointtype (5 + 2 * (i % 6)) \
    linewidth 2 linecolor rgb color[(i - 1) % 8 + 1] title columnheader(1)
unset key
set title 'energy'
set format y '%.1s %cJ'
plot for [i = 1:lines] data index i using 1:3 with linespoints pointtype (5 + 2 * (i % 6)) \
    linewidth 2 linecolor rgb color[(i - 1) % 8 + 1] notitle
unset multiplot
