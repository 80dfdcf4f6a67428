# gnuplot mlp-crossover.gp
subject = 'mlp'
options = ''
data = 'mlp-crossover.dat'
if (!exists('picture')) picture = 'mlp-crossover.svg'
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

# crossover.gp - which of two machines is faster, and which takes less energy a sample, over a grid.
#
# data: index 0 the machines, the axes, their steps; 1 and 2 the steps of each axis; 3 column row
#       time_ratio energy_ratio, of the second machine over the first; 4 and 5 lines x y dx dy where
#       they cross 1; 6 column row mark, where there is no ratio

stats data index 0 using (a = strcol(1), b = strcol(2), x = strcol(3), y = strcol(4), \
    columns = $5, rows = $6, 0) nooutput
stats data index 3 using (abs(log($3) / log(2))) nooutput
most = STATS_max
stats data index 3 using (abs(log($4) / log(2))) nooutput
most = STATS_max > most ? STATS_max : most
most = most < 1 ? 1 : ceil(most)

set multiplot layout 1, 2 margins 0.09, 0.85, 0.27, 0.85 spacing 0.07, 0 \
    title a . ' against ' . b . (subject eq '' ? '' : ': ' . subject) \
    . (options eq '' ? '' : "\nwith " . options) noenhanced
set border 3
set tics nomirror scale 0 font ',11'
set xrange [-0.5:columns - 0.5]
set yrange [-0.5:rows - 0.5]
set xlabel x noenhanced
set ylabel y noenhanced
if (y eq '') { unset ytics; unset ylabel }
if (columns > 8) { set xtics rotate by 45 right }
# Purple and orange can be told apart by all; white is equal.
set palette defined (-1 '#e66101', -0.5 '#fdb863', 0 '#f7f7f7', 0.5 '#b2abd2', 1 '#5e3c99')
set cbrange [-most:most]
unset colorbox
unset key
mark(k) = word('- ... 1 2 12 !', int(k) + 1)
array count[5]
do for [k = 1:5] {
    stats data index 6 using ($3 == k ? 1 : 0) nooutput
    count[k] = STATS_sum
}
said = (count[1] > 0 ? '...  left out, too dear     ' : '') \
    . (count[2] > 0 ? '1  does not fit ' . a . '     ' : '') \
    . (count[3] > 0 ? '2  does not fit ' . b . '     ' : '') \
    . (count[4] > 0 ? '12  fits neither     ' : '') . (count[5] > 0 ? '!  failed' : '')
set label 1 said at screen 0.09, 0.025 noenhanced font ',11'
set label 3 'times are the device''s, without launch and host; energies are at each machine''s own level ' \
    . 'of prices (package or board)' at screen 0.09, 0.06 noenhanced font ',11'
set label 2 'purple: ' . a . ' is better, by the factor at the right; orange: ' . b \
    . '; between points on either side of the black line they are equal' \
    at screen 0.09, 0.095 noenhanced font ',11'
do for [p = 1:2] {
    set title p == 1 ? 'time' : 'energy a sample'
    if (p == 2) {
        unset ylabel
        set colorbox user origin 0.875, 0.27 size 0.025, 0.58
        step = most > 8 ? 4 : most > 4 ? 2 : 1
        set cbtics nomirror font ',11' ('equal' 0)
        do for [k = step:most:step] {
            set cbtics add (sprintf('%d x', 2**k) k, sprintf('%d x', 2**k) -k)
        }
    }
    plot data index 3 using 1:2:(log(column(p + 2)) / log(2)) with image pixels, \
        data index 1 using 0:(0):xtic(1) with points pointtype -1, \
        data index 2 using (0):0:ytic(1) with points pointtype -1, \
        data index 3 + p using 1:2:3:4 with vectors nohead linewidth 2.5 linecolor rgb 'black', \
        data index 6 using 1:2:(mark($3)) with labels font ',11' textcolor rgb '#444444'
    unset label
}
unset multiplot
