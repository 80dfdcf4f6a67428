# gnuplot digits.gp
subject = 'digits'
data = 'digits.dat'
if (!exists('picture')) picture = 'digits.svg'
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

# training.gp - loss against simulated time and energy, one line a machine.
#
# data: blocks (index 0, 1, ...) of a machine each, its name first; then
#       time_s energy_j loss

set multiplot layout 1, 2 margins 0.10, 0.97, 0.14, 0.88 spacing 0.12, 0 \
    title subject . ": loss while it learns" noenhanced
set border 3
set tics nomirror
set grid ytics linecolor rgb '#cccccc'
set key top right noenhanced
set ylabel 'loss'
set format y '%g'
array color[6] = [ '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00' ]

set xrange [0:*]

stats data using 1 nooutput
machines = STATS_blocks
size = STATS_records > 60 * machines ? 0 : 0.6      # many points make a line of their own

set xlabel 'simulated time (ms)'
plot for [i = 0:machines - 1] data index i using ($1 * 1e3):3 with linespoints \
    pointtype (5 + 2 * i) pointsize size linewidth 2 linecolor rgb color[i % 6 + 1] \
    title columnheader(1)
unset ylabel
set xlabel 'energy (J)'
plot for [i = 0:machines - 1] data index i using 2:3 with linespoints \
    pointtype (5 + 2 * i) pointsize size linewidth 2 linecolor rgb color[i % 6 + 1] \
    title columnheader(1)
unset multiplot
