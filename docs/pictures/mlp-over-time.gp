# gnuplot mlp-over-time.gp
subject = 'mlp'
options = ''
data = 'mlp-over-time.dat'
if (!exists('picture')) picture = 'mlp-over-time.svg'
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

# over_time.gp - how busy each class of units was over time: a column a result, a strip a class,
# from 0 to 100 %, its mean behind it; above them the phases of the ops.
#
# data: for each result two blocks (index 0 and 1, 2 and 3, ...): its name and the classes' names,
#       then two rows a bin, its start_s or end_s and the share of each class, of cores their mean;
#       then the result's phases: from_s to_s phase

stats data using 1 nooutput
columns = STATS_blocks / 2
set multiplot title (subject eq '' ? 'Busy over time' : subject . ': busy over time') \
    . ', each strip from 0 to 100 %' noenhanced
set style fill solid 1 noborder
array color[6] = [ '#56b4e9', '#cc79a7', '#0072b2', '#e69f00', '#009e73', '#999999' ]
array phase[6] = [ 'forward', 'loss', 'backward', 'update', 'communicate', 'other' ]
array strip[8] = [ '#0072b2', '#e69f00', '#009e73', '#d55e00', '#56b4e9', '#cc79a7', '#444444', \
    '#8a7700' ]
set format y '%g %%'
set yrange [0:100]

present = ''
do for [i = 0:columns - 1] {
    do for [p = 0:5] {
        stats data index 2 * i + 1 using ($3 == p ? 1 : 0) nooutput
        if (STATS_max > 0 && strstrt(present, sprintf(' %d', p)) == 0) {
            present = present . sprintf(' %d', p)
        }
    }
}
# A round number of about x.
ten(x) = 10 ** floor(log10(x))
step(x) = ten(x) * (x / ten(x) < 1.5 ? 1 : x / ten(x) < 3.5 ? 2 : x / ten(x) < 7.5 ? 5 : 10)
names = 0.17 * (columns > 1 ? 0.95 : 1)
width = 0.98 / columns
do for [i = 0:columns - 1] {
    set xrange [*:*]
    stats data index 2 * i using 1 nooutput
    to = times(STATS_max)
    unit = prefix(STATS_max) . 's'
    end = to * STATS_max
    rows = STATS_records
    stats data index 2 * i every ::0::0 using (name = strcol(1), 1) nooutput
    strips = STATS_columns - 1
    set xrange [0:end]
    set lmargin at screen 0.01 + i * width + names
    set rmargin at screen 0.01 + (i + 1) * width - 0.055
    set format x ''
    unset xlabel
    set border 0
    unset tics
    unset grid
    unset label
    set tmargin at screen 0.875
    set bmargin at screen 0.85
    set title name noenhanced offset 0, -0.4
    unset key
    plot for [p in present] data index 2 * i + 1 \
        using ($3 == int(p) ? to * $1 : NaN):(0):(to * $1):(to * $2):(0):(100) with boxxyerror \
        linecolor rgb color[int(p) + 1] notitle
    unset title
    set border 3
    set grid ytics linecolor rgb '#dddddd'
    set ytics 0, 50, 100 nomirror format '' scale 0.5
    set xtics 0, step(end * columns / 5.0) nomirror scale 0.5
    set label 3 'mean' at graph 1.01, graph 1.25 left
    high = 0.73 / strips
    do for [c = 1:strips] {
        set tmargin at screen 0.84 - (c - 1) * high
        set bmargin at screen 0.84 - c * high + 0.012
        if (c == strips) {
            set format x '%g ' . unit
            set xlabel 'simulated time' offset 0, 0.4
        }
        stats data index 2 * i every ::0::0 using (what = strcol(c + 1), 1) nooutput
        stats data index 2 * i using 1:(column(c + 1)) every ::1 nooutput
        weighted = 0.0
        before = 0.0
        share = 0.0
        stats data index 2 * i every ::1 using (weighted = weighted + share * (to * $1 - before), \
            before = to * $1, share = column(c + 1), 1) nooutput
        set label 1 what at graph -0.02, graph 0.5 right noenhanced
        mean = 100 * weighted / end
        set label 2 sprintf(mean < 9.95 ? '%.2g %%' : '%.0f %%', mean) at graph 1.01, graph 0.5 left
        plot data index 2 * i every ::1 \
            using (to * $1):(100 * column(c + 1)) with filledcurves y=0 linecolor rgb strip[(c - 1) % 8 + 1] notitle
        unset label 3
    }
}
# The legend of the phases.
set lmargin at screen 0.02
set rmargin at screen 0.98
set tmargin at screen 0.9
set bmargin at screen 0.1
set border 0
unset tics
unset grid
unset label
unset xlabel
set xrange [0:1]
set key at screen 0.5, 0.038 center top vertical maxrows 1 Left reverse noenhanced samplen 1 width 1
plot for [p in present] NaN with boxes linecolor rgb color[int(p) + 1] title phase[int(p) + 1]
unset multiplot
