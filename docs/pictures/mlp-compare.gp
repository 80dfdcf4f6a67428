# gnuplot mlp-compare.gp
subject = 'mlp'
options = ''
data = 'mlp-compare.dat'
if (!exists('picture')) picture = 'mlp-compare.svg'
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

# compare.gp - time by phase, and energy by what it was for, of machines side by side.
#
# data: index 0 the results' names, then a row a phase: its name, seconds of each result; index 1 the
#       same of groups of components, joules.  The last row of each is the whole.

stats data index 0 every ::1 using 2 nooutput
results = STATS_columns - 1
set multiplot layout 2, 1 margins 0.09, 0.97, 0.20, 0.89 spacing 0, 0.16 \
    title (subject eq '' ? 'Side by side' : subject . ', side by side') \
    . (options eq '' ? '' : "\nwith " . options) noenhanced
set border 3
set tics nomirror
set grid ytics linecolor rgb '#cccccc'
set style fill solid 1 border rgb '#444444'
set style histogram clustered gap 1
set style data histograms
array color[8] = [ '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', \
    '#f0e442', '#999999' ]
set xtics noenhanced scale 0 font ',11'
set yrange [0:*]
# The legend of both stands below them.
set key at screen 0.53, 0.07 center top maxrows 2 noenhanced samplen 1.5 Left reverse width 2
set title 'time by phase' offset 0, -0.5
most = 0
do for [i = 1:results] {
    stats data index 0 every ::1 using (column(i + 1)) nooutput
    if (STATS_max > most) { most = STATS_max }
}
set format y '%g ' . prefix(most) . 's'
plot for [i = 1:results] data index 0 using (times(most) * column(i + 1)):xtic(1) \
    linecolor rgb color[i] title columnheader(i + 1)
unset key
set title 'energy by what it was for'
most = 0
do for [i = 1:results] {
    stats data index 1 every ::1 using (column(i + 1)) nooutput
    if (STATS_max > most) { most = STATS_max }
}
set format y '%g ' . prefix(most) . 'J'
set xtics rotate by 12 right
plot for [i = 1:results] data index 1 using (times(most) * column(i + 1)):xtic(1) \
    linecolor rgb color[i] title columnheader(i + 1)
unset multiplot
