# gnuplot mlp-heat.gp
subject = 'mlp'
options = ''
data = 'mlp-heat.dat'
if (!exists('picture')) picture = 'mlp-heat.svg'
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

# heat.gp - a row a unit, time to the right, the colour is how busy it was: a panel of SMs or
# matrix units, and one of HBM channels.
#
# data: first a block a panel: a row a unit, the percent of each bin (numbers alone, or gnuplot
#       warns); then a block a panel: bin_s bins its name; then a block a panel: its units' names

stats data using 0 nooutput
panels = STATS_blocks / 3
set multiplot title (subject eq '' ? 'Busy, unit by unit' : subject . ': busy, unit by unit') \
    noenhanced
set border 3
set tics nomirror out
set lmargin at screen 0.12
set rmargin at screen 0.87
set palette defined (0 '#440154', 0.13 '#482878', 0.25 '#3e4a89', 0.38 '#31688e', \
    0.5 '#26828e', 0.63 '#1f9e89', 0.75 '#35b779', 0.88 '#6ece58', 1 '#fde725')
set cbtics format '%g %%'
unset key
set ytics noenhanced

# A panel is as high as it has rows, within limits.
height(n) = n < 12 ? 12 : n > 24 ? 24 : n
gap = 0.13
all = 0.0
array units[panels]
do for [i = 0:panels - 1] {
    stats data index 2 * panels + i using 0 nooutput
    units[i + 1] = STATS_records
    all = all + height(STATS_records)
}
line = (0.92 - panels * gap) / all
top = 0.93
do for [i = 0:panels - 1] {
    set xrange [*:*]
    set yrange [*:*]
    stats data index panels + i using (bin = $1, bins = $2, name = strcol(3), 1) nooutput
    stats data index i matrix using 3 nooutput
    most = STATS_max > 90 ? 100 : STATS_max > 10 ? 10 * ceil(STATS_max / 10) : 10
    unset ytics
    set ytics noenhanced scale 0.5
    step = (units[i + 1] + 11) / 12
    do for [r = 0:units[i + 1] - 1:step] {
        stats data index 2 * panels + i every ::r::r using (unit = strcol(1), 1) nooutput
        if (r == 0) { set ytics (unit r) } else { set ytics add (unit r) }
    }
    top = top - 0.3 * gap
    set tmargin at screen top
    set bmargin at screen top - height(units[i + 1]) * line
    top = top - height(units[i + 1]) * line - 0.7 * gap
    set title name noenhanced offset 0, -0.5
    to = times(bins * bin)
    set format x '%g ' . prefix(bins * bin) . 's'
    set xlabel (i == panels - 1 ? 'simulated time' : '') offset 0, 0.4
    set xrange [0:to * bins * bin]
    set yrange [units[i + 1] - 0.5:-0.5]
    set cbrange [0:most]
    # Of one unit there are two rows, each half as high.
    row(y) = units[i + 1] > 1 ? y : y / 2 - 0.25
    plot data index i matrix using (($1 + 0.5) * bin * to):(row($2)):3 with image
}
unset multiplot
