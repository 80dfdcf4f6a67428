# gnuplot mlp-energy.gp
subject = 'mlp'
options = ''
data = 'mlp-energy.dat'
if (!exists('picture')) picture = 'mlp-energy.svg'
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

# energy.gp - where the energy went, a bar a result: in joules, and as shares of the whole.
#
# data: the names of the groups; then a row a result: its name, joules a group

set datafile columnheaders
set multiplot layout 1, 2 margins 0.10, 0.97, 0.31, 0.86 spacing 0.11, 0 \
    title (subject eq '' ? 'Energy' : 'Energy of ' . subject) noenhanced
set border 3
set tics nomirror
set grid ytics linecolor rgb '#cccccc'
set style fill solid 1 border rgb '#444444'
array color[9] = [ '#0072b2', '#56b4e9', '#009e73', '#f0e442', '#cc79a7', '#d55e00', \
    '#e69f00', '#bbbbbb', '#000000' ]

stats data using 2 nooutput
rows = STATS_records
groups = STATS_columns - 1
upto(g) = sum [c = 2:g + 1] column(c)
stats data using (upto(groups)) nooutput
most = STATS_max

# A group that nobody has needs no line in the legend.
present = ''
do for [g = 1:groups] {
    stats data using (column(g + 1)) nooutput
    if (STATS_max > 0) { present = present . sprintf(' %d', g) }
}
group(i) = int(word(present, i))

set boxwidth 0.6
set xrange [-0.6:rows - 0.4]
set yrange [0:*]
set xtics noenhanced scale 0
if (rows > 2) { set xtics rotate by 20 right }
set title 'energy'
set format y '%g ' . prefix(most) . 'J'
# The legend of both stands below them.
set key at screen 0.53, 0.18 center top maxrows 3 noenhanced samplen 1.5 \
    Left reverse width 2
plot for [i = words(present):1:-1] data using 0:(times(most) * upto(group(i))):xtic(1) with boxes \
    linecolor rgb color[group(i)] title columnheader(group(i) + 1)
unset key
set title 'share'
set format y '%g %%'
set yrange [0:100]
plot for [i = words(present):1:-1] data using 0:(100 * upto(group(i)) / upto(groups)):xtic(1) \
    with boxes linecolor rgb color[group(i)]
unset multiplot
