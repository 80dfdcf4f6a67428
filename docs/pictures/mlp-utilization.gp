# gnuplot mlp-utilization.gp
subject = 'mlp'
options = ''
data = 'mlp-utilization.dat'
if (!exists('picture')) picture = 'mlp-utilization.svg'
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

# utilization.gp - share of peak over time, op by op, a panel a result: of the matrix units in
# the colour of the op's phase, of HBM's bandwidth as a line.
#
# An op's bytes may move in part in the time of another: a share of more than 100 % says so.
#
# data: a block a result (index 0, 1, ...), its name first; then
#       from_s to_s mxu_utilization share_of_hbm_peak phase op

stats data using 1 nooutput
panels = STATS_blocks
set multiplot layout panels, 1 margins 0.10, 0.97, 0.20, 0.86 spacing 0, 0.16 \
    title (subject eq '' ? 'Share of peak' : subject . ': share of peak') noenhanced
set border 3
set tics nomirror
set grid ytics linecolor rgb '#cccccc'
set style fill solid 1 noborder
array color[6] = [ '#56b4e9', '#cc79a7', '#0072b2', '#e69f00', '#009e73', '#999999' ]
array phase[6] = [ 'forward', 'loss', 'backward', 'update', 'communicate', 'other' ]
set format y '%g %%'
unset key
set key at screen 0.53, 0.10 center top maxrows 2 Left reverse noenhanced samplen 1.5

present = ''
do for [p = 0:5] {
    stats data using ($5 == p ? $3 : 0) nooutput
    if (STATS_max > 0) { present = present . sprintf(' %d', p) }
}
do for [i = 0:panels - 1] {
    set xrange [*:*]
    set yrange [*:*]
    stats data index i using 4 nooutput
    top = STATS_max > 1 ? 100 * STATS_max : 100
    stats data index i using 2 nooutput
    to = times(STATS_max)
    end = to * STATS_max
    set format x '%g ' . prefix(STATS_max) . 's'
    if (panels > 2) { set ytics 50 }
    stats data index i every ::0::0 using (name = strcol(1), 1) nooutput
    set title name noenhanced
    set xrange [0:end]
    set yrange [0:top]
    plot for [p in present] data index i \
            using ($5 == int(p) ? to * $1 : NaN):(0):(to * $1):(to * $2):(0):(100 * $3) \
            with boxxyerror linecolor rgb color[int(p) + 1] \
            title (i == 0 ? 'matrix units, ' . phase[int(p) + 1] : ''), \
        data index i using (to * $1):(100 * $4) with steps linewidth 2 linecolor rgb '#000000' \
            title (i == 0 ? 'HBM bandwidth' : '')
}
unset multiplot
