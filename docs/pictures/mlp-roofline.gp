# gnuplot mlp-roofline.gp
subject = 'mlp'
options = ''
data = 'mlp-roofline.dat'
if (!exists('picture')) picture = 'mlp-roofline.svg'
set encoding utf8
set terminal svg size 900,600 dynamic background 'white' font 'sans,14'
set output picture

# What every script begins with: a prefix for numbers up to x, and what to multiply them by, so that
# the tics of an axis are whole digits of one unit.
thousands(x) = x > 0 ? int(floor(log10(x) / 3 + 1e-9)) : 0
times(x) = 1000.0 ** -thousands(x)
micro = GPVAL_TERM eq 'dumb' ? 'u' : 'µ'
prefix(x) = thousands(x) == 0 ? '' : \
    word('a f p n ' . micro . ' m - k M G T P', thousands(x) + 7)

# roofline.gp - FLOP/s over FLOPs a byte of HBM traffic: a roof a machine, a point an op.
#
# data: two blocks a result, each with its name first: the roof (index 0, 2, ...),
#       flops_per_byte flops_per_s; the ops (index 1, 3, ...), the same, share of time, name

set title (subject eq '' ? 'Roofline' : 'Roofline of ' . subject) noenhanced
set border 3
set tics nomirror
set grid xtics ytics linecolor rgb '#cccccc'
set logscale xy
set xlabel 'arithmetic intensity (FLOP per byte of HBM traffic)'
set ylabel 'rate'
set format x '%g'
set format y '%.0s %cFLOP/s'
set key above noenhanced samplen 3
set label 1 'area of a point: share of time' at graph 0.02, 0.96
array color[8] = [ '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', \
    '#000000', '#f0e442' ]
array pale[8]                   # half seen through: points lie on each other
do for [i = 1:8] { hue = color[i]; pale[i] = '#60' . hue[2:7] }
array shape[8] = [ 7, 5, 9, 13, 11, 15, 7, 5 ]

stats data using 1 nooutput
last = STATS_blocks / 2 - 1
stats data index 0 using 1 nooutput
set xrange [STATS_min:STATS_max]
stats data using 2 nooutput
set yrange [STATS_min / 2:STATS_max * 3]
size(share) = 0.8 + 4 * sqrt(share)
plot for [i = 0:last] data index 2 * i using 1:2 with lines linewidth 2 \
        dashtype i + 1 linecolor rgb color[i + 1] notitle, \
    for [i = 0:last] data index 2 * i + 1 using 1:2:(size($3)) with points pointsize variable \
        pointtype shape[i + 1] linecolor rgb pale[i + 1] \
        title columnheader(1)
