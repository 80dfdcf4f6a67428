# gnuplot sweep-sms.gp
subject = 'mlp.net'
options = ''
data = 'sweep-sms.dat'
if (!exists('picture')) picture = 'sweep-sms.svg'
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

# sweep.gp - speed-up over the first point, energy, and shares of peak over a swept parameter; a
# line for each value of the others.  A point that is not done leaves a gap.
#
# data: the parameter's name, 1 if it has words, 1 if time and energy are of a sample and not of a
#       step, the first point's time, points not done, the parameter whose number tells lines apart
#       (index 0); then a block a line, its name and number first; then
#       value speed-up energy_j mxu_utilization share_of_hbm_peak "value"

stats data index 0 every ::0::0 \
    using (parameter = strcol(1), words = $2, by_sample = $3, first = $4, lost = $5, \
    shade = strcol(6), 1) nooutput
stats data using 1 nooutput
lines = STATS_blocks - 1
least = 1e300
most = -1e300
do for [i = 1:lines] {
    stats data index i every ::1 using 1 nooutput
    if (STATS_min < least) { least = STATS_min }
    if (STATS_max > most) { most = STATS_max }
}
legend = lines > 1 ? 0.26 : 0.13
# More lines than colours go from dark to bright.
array number[lines]
do for [i = 1:lines] {
    stats data index i every ::0::0 using (nr = $2, 1) nooutput
    number[i] = nr
}
set multiplot layout 2, 2 margins 0.09, 0.97, legend, 0.86 spacing 0.13, 0.17 \
    title 'Sweep of ' . subject . (lost > 0 ? sprintf(' (%d not done)', lost) : '') noenhanced
set border 3
set tics nomirror font ',11'
set grid ytics linecolor rgb '#cccccc'
of = by_sample == 1 ? 'sample' : 'step'
array color[8] = [ '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', \
    '#000000', '#999999' ]
array shape[8] = [ 7, 5, 9, 11, 13, 6, 4, 8 ]
colour = lines > 8 ? 'palette cb number[i]' : 'rgb color[i]'
if (lines > 8) {
    set palette defined (0 '#440154', 0.25 '#3e4a89', 0.5 '#26828e', 0.75 '#35b779', 1 '#fde725')
    set cbrange [number[1]:number[lines]]
    set colorbox horizontal user origin 0.3, 0.09 size 0.4, 0.025
    set cblabel shade noenhanced offset 0, 0.5
    set cbtics font ',11'
    if (number[1] > 0) { if (number[lines] / number[1] >= 8) { set logscale cb 2 } }
}
set style data linespoints
if (words == 1) {
    set xrange [least - 0.5:most + 0.5]
} else {
    # By factors or by steps: where the middle one of the first line stands.
    stats data index 1 every ::1 using 1 nooutput
    if (least > 0) {
        if (abs(STATS_median - sqrt(least * most)) < abs(STATS_median - (least + most) / 2)) {
            set logscale x 2
        }
    }
    set xrange [least:most]
    set offsets graph 0.03, graph 0.03, 0, 0
}
if (lines > 1 && lines <= 8) {
    set key at screen 0.53, 0.13 center top maxrows 4 Left reverse noenhanced samplen 2
} else { unset key }

do for [panel = 2:5] {
    if (panel == 2) {
        set title sprintf('speed-up over the first point (%.4g %ss a %s)', \
                          first * times(first), prefix(first), of)
    }
    if (panel == 3) { set title 'energy a ' . of }
    if (panel == 4) { set title 'matrix units, share of peak'; set format y '%g %%' }
    if (panel == 5) { set title 'HBM bandwidth, share of peak' }
    if (panel >= 4) { set xlabel parameter noenhanced }
    top = 0
    do for [i = 1:lines] {
        stats data index i every ::1 using panel nooutput
        if (STATS_max > top) { top = STATS_max }
    }
    scale = panel >= 4 ? 100.0 : panel == 3 ? times(top) : 1.0
    if (panel == 3) { set format y '%g ' . prefix(top) . 'J' }
    if (top > 0) { set yrange [0:*] } else { set yrange [0:1] }
    if (words == 1) {
        plot for [i = 1:lines] data index i using 1:(scale * column(panel)):xtic(6) \
            pointtype shape[(i - 1) % 8 + 1] linewidth 2 linecolor @colour title columnheader(1)
    } else {
        plot for [i = 1:lines] data index i using 1:(scale * column(panel)) \
            pointtype shape[(i - 1) % 8 + 1] linewidth 2 linecolor @colour title columnheader(1)
    }
    unset key
    unset colorbox
}
unset multiplot
