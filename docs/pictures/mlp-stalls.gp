# gnuplot mlp-stalls.gp
subject = 'mlp'
options = ''
data = 'mlp-stalls.dat'
if (!exists('picture')) picture = 'mlp-stalls.svg'
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

# stalls.gp - what units did or waited for: a panel a kind of unit, a bar a result.
#
# data: a block a kind (index 0, 1, ...): its name and its states, the longest first, then "other";
#       then a row a bar: its name, the shares of the states

stats data using 2 nooutput
panels = STATS_blocks
set multiplot title (subject eq '' ? 'What units did' : subject . ': what units did') noenhanced
set border 1
set tics nomirror
set xtics out
set format x '%g %%'
set lmargin at screen 0.20
set rmargin at screen 0.54
set style fill solid 1 border rgb '#444444'
set ytics noenhanced scale 0 font ',11'
# A state has the same colour on every picture; work is blue, nothing to do is grey, waiting for
# memory red.
table = ' stream=#0072b2 busy=#0072b2 issued=#0072b2 read=#0072b2 write=#56b4e9' \
    . ' idle=#bbbbbb no_request=#bbbbbb no_warp=#bbbbbb other=#eeeeee' \
    . ' wait_load=#d55e00 hbm=#d55e00 row=#d55e00' \
    . ' wait_op=#e69f00 dependency=#e69f00 activation=#e69f00 full=#e69f00' \
    . ' wait_matrix=#cc79a7 pipe_busy=#cc79a7 turnaround=#cc79a7 ports=#cc79a7' \
    . ' wait_vector=#009e73 shared=#009e73 row_bus=#009e73 drain=#009e73' \
    . ' wait_link=#f0e442 lsu_busy=#f0e442 bank_group=#f0e442 swap=#f0e442' \
    . ' wait_transpose=#555555 barrier=#555555 refresh=#555555 l1=#56b4e9 weights=#56b4e9' \
    . ' l2=#882255 tail=#882255 fetch=#332288 branch=#999933 '
hue(s) = (at = strstrt(table, ' ' . s . '='), \
    at > 0 ? table[at + strlen(s) + 2:at + strlen(s) + 8] : '#ddcc77')

# A panel is as high as it has bars, and never too low for its legend.
height(n) = n > 4 ? n : 4
gap = 1.9
all = 0.0
do for [i = 0:panels - 1] {
    stats data index i using 2 nooutput
    all = all + height(STATS_records) + gap
}
line = 0.87 / all
top = 0.93
upto(c) = c < 2 ? 0 : 100 * (sum [k = 2:c] column(k))
do for [i = 0:panels - 1] {
    set xrange [*:*]
    set yrange [*:*]
    stats data index i every ::0::0 using (name = strcol(1), 1) nooutput
    stats data index i using 2 nooutput
    bars = STATS_records
    states = STATS_columns - 1
    stats data index i using (column(states + 1)) nooutput
    shown = STATS_max > 0 ? states : states - 1
    array color[states]
    do for [c = 1:states] {
        stats data index i every ::0::0 using (state = strcol(c + 1), 1) nooutput
        color[c] = hue(state)
    }
    set tmargin at screen top - gap * line
    top = top - (height(bars) + gap) * line
    set bmargin at screen top
    set key at screen 0.56, top + height(bars) * line left top vertical maxrows 4 \
        Left reverse noenhanced samplen 0.5 spacing 0.8
    set xtics scale (i < panels - 1 ? 0 : 1)
    set format x (i < panels - 1 ? '' : '%g %%')
    set xrange [0:100]
    pad = (height(bars) - bars) / 4.0
    set yrange [bars - 0.5 + pad:-0.5 - pad]
    set title name offset 0, -0.6 noenhanced
    plot for [c = 2:shown + 1] data index i \
        using (0):0:(upto(c - 1)):(upto(c)):($0 - 0.38):($0 + 0.38):ytic(1) with boxxyerror \
        linecolor rgb color[c - 1] title columnheader(c)
}
unset multiplot
