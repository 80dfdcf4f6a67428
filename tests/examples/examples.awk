# examples.awk - the commands of a page, and what the page says that they print.
#
#     awk -f examples.awk PAGE.md
#
# A command is a line of a code block that begins with "simaccel" or "build/simaccel", behind "$ "
# or not, with what follows a "\" at its end; or the code that begins a paragraph.  What is shown of
# it is what follows a "$ " command in its block, and a fenced block right behind one command's own
# block, or behind such a paragraph.  A synopsis (FILE, NAME, [options]) is none.  Out come lines:
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
    commands++
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

/^```/ && !fenced {
    fenced = 1
    shows = shows == 2 || commands == 1
    commands = 0
    next
}
/^```/  { fenced = shows = 0; next }
fenced  { code($0); next }
/^    / { code(substr($0, 5)); next }
/^`build\/simaccel [^`]*`/ {
    match($0, /^`[^`]*`/)
    out_command(substr($0, 2, RLENGTH - 2), FNR)
    shows = $0 ~ /(:|prints)/ ? 2 : 0
    next
}
/^#/    { shows = 0 }
/^$/    { if (shows == 1) shows = 0; next }
        { commands = 0 }
