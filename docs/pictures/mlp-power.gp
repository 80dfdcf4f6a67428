# gnuplot mlp-power.gp
subject = 'mlp'
options = ''
data = 'mlp-power.dat'
if (!exists('picture')) picture = 'mlp-power.svg'
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

# power.gp - watts over time, a line a result; the means in dots, the power limit dashed.
#
# data: a block a result (index 0, 1, ...), its name first; then
#       start_s power_w average_power_w power_limit_w (0: none)

set title (subject eq '' ? 'Power' : 'Power of ' . subject) noenhanced
set border 3
set tics nomirror
set rmargin 5
set grid ytics linecolor rgb '#cccccc'
set xlabel 'simulated time'
set ylabel 'power (W)'
set xrange [0:*]
set yrange [0:*]
set key above noenhanced samplen 3
array color[8] = [ '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', \
    '#000000', '#f0e442' ]

stats data using 1 nooutput
to = times(STATS_max)
last = STATS_blocks - 1
set format x '%g ' . prefix(STATS_max) . 's'
limits = ''
array limit[last + 1]
do for [i = 0:last] {
    stats data index i using 4 nooutput
    limit[i + 1] = STATS_max
    if (STATS_max > 0) { limits = limits . sprintf(' %d', i) }
}
nth(i) = int('0' . word(limits, i))
plot for [i = 0:last] data index i using (to * $1):2 with steps linewidth 1.5 \
        linecolor rgb color[i + 1] title columnheader(1), \
    for [i = 0:last] data index i using (to * $1):3 with lines linewidth 1.5 dashtype 3 \
        linecolor rgb color[i + 1] title (i == last ? 'means' : ''), \
    for [i = 1:words(limits)] data index nth(i) \
        using (to * $1):4 with lines linewidth 2 dashtype 2 linecolor rgb color[nth(i) + 1] \
        title sprintf('limit, %g W', limit[nth(i) + 1])
