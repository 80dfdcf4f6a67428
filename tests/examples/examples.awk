# examples.awk - the commands of a page, and what the page says that they print.
#
#     awk -f examples.awk PAGE.md
#
# A command is a line of a code block that begins with "simaccel" or "build/simaccel", behind "$ "
# or not, with what follows a "\" at its end; or the code that begins a paragraph and ends in ":"
# or " prints".  A synopsis (FILE, NAME, [options]) is none.  Out come lines:
#
#     C LINE COMMAND     a command, with the line of the page that it is on
#     S TEXT             a line that is shown below it

function out_command(text, line)
{
    sub(/^\$ /, "", text)
    sub(/^build\//, "", text)
    gsub(/&$/, "\\& wait", text)
    print "C", line, text
}

function is_synopsis(text)
{
    return text ~ /\[|(^|[ =,|])(FILE|NAME|PLAN|COMMAND|STREAM|NETWORK|KIND|RESULT|OP|A|B)([ ,.|=]|$)|\| --help/
}

function command(text, line)
{
    shows = text ~ /^\$ /
    if (!is_synopsis(text))
        out_command(text, line)
}

# Of a code block, without its indentation.
function code(text)
{
    if (joined != "") {
        sub(/^ +/, "", text)
        text = joined text
        joined = ""
    } else
        first = FNR
    if (text ~ /^(\$ )?(build\/)?simaccel / && text ~ /\\$/) {
        sub(/\\$/, "", text)
        joined = text
    } else if (text ~ /^(\$ )?(build\/)?simaccel /)
        command(text, first)
    else if (shows)
        print "S", text
}

/^```/  { fenced = !fenced; if (!fenced) shows = 0; next }
fenced  { code($0); next }
/^    / { code(substr($0, 5)); next }
/^`build\/simaccel [^`]*`/ {
    match($0, /^`[^`]*`/)
    out_command(substr($0, 2, RLENGTH - 2), FNR)
    shows = $0 ~ /(:|prints)/ ? 2 : 0
    next
}
/^#/    { shows = 0 }
/^$/    { if (shows == 1) shows = 0 }
