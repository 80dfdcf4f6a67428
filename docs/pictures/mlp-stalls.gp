# gnuplot mlp-stalls.gp
subject = 'mlp'
data = 'mlp-stalls.dat'
if (!exists('picture')) picture = 'mlp-stalls.svg'
set encoding utf8
set terminal svg size 900,600 dynamic background 'white' font 'sans,14'
set output picture

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
set ytics noenhanced scale 0
array color[8] = [ '#0072b2', '#e69f00', '#56b4e9', '#d55e00', '#009e73', '#f0e442', \
    '#cc79a7', '#bbbbbb' ]

# A panel is as high as it has bars, and never too low for its legend.
height(n) = n > 4 ? n : 4
gap = 1.5
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
