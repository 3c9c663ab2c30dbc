# Reads the functions of C files as ctags tells them and then the files themselves; prints what is
# over the limits, or with `statistics` the shape of the whole and where it is out of bounds.
# Input: `ctags -u --kinds-C=f --fields=+neS -o -`, then every file.
BEGIN { FS = "\t" }

# A parameter list in brackets: the commas outside of inner brackets, and one.
function parameters(list,    i, depth, count, character)
{
    if (list == "()" || list == "(void)") return 0
    # The shape of SQLite's authorizer is SQLite's, that of mmap and of sendto POSIX's; and libsodium's
    # is that of what tests put in its place.
    if (list ~ /^\(void \* [a-z]+,int [a-z]+(,const char \* [a-z]+)+\)$/) return 2
    if (list == "(void * addr,size_t len,int prot,int flags,int fd,off_t offset)") return 2
    if (list ~ /^\(int [a-z]+,const void \* [a-z]+,size_t [a-z]+,int [a-z]+,const struct sockaddr \* /) return 2
    if (list ~ /,unsigned long long passes,size_t memory,int algorithm\)$/) return 2
    count = 1
    for (i = 1; i <= length(list); i++) {
        character = substr(list, i, 1)
        if (character == "(") depth++
        else if (character == ")") depth--
        else if (character == "," && depth == 1) count++
    }
    return count
}

function sort(list, count,    i, j, value)
{
    for (i = 2; i <= count; i++) {
        value = list[i]
        for (j = i - 1; j > 0 && list[j] > value; j--) list[j + 1] = list[j]
        list[j + 1] = value
    }
}

# The smallest value that at least `percent` of the sorted list do not exceed.
function percentile(list, count, percent,    at)
{
    at = int((count * percent + 99) / 100)
    return count ? list[at] : 0
}

function over(what, value, limit)
{
    if (value > limit) print "src: " what " is " value " lines; at most " limit
}

FILENAME == "-" {
    line = end = 0
    list = "()"
    for (i = 4; i <= NF; i++) {
        if ($i ~ /^line:/) line = substr($i, 6)
        if ($i ~ /^end:/) end = substr($i, 5)
        if ($i ~ /^signature:/) list = substr($i, 11)
    }
    lines = end - line + 1
    function_lines[++functions] = lines
    if (!statistics && lines > 80)
        print $2 ":" line ": " $1 " has " lines " lines; at most 80"
    if (!statistics && parameters(list) > 5)
        print $2 ":" line ": " $1 " has " parameters(list) " parameters; at most 5"
    next
}

FNR == 1 { files++ }
{ file_lines[files] = FNR; name[files] = FILENAME }
/[^ ]/ { written++ }
# clang-format indents by four: what stands at sixteen is the fourth within another.
!statistics && /^                +(if|for|while|switch|do|else|} else)([^A-Za-z0-9_]|$)/ {
    print FILENAME ":" FNR ": more than three levels within one another"
}

END {
    for (i = 1; !statistics && i <= files; i++)
        if (file_lines[i] > 600) print name[i] ": has " file_lines[i] " lines; at most 600"
    if (!statistics) exit
    # Headers are manuals, not part of the files' shape.
    for (i = 1; i <= files; i++) if (name[i] ~ /\.c$/) source_lines[++sources] = file_lines[i]
    sort(function_lines, functions)
    sort(source_lines, sources)
    printf "statistics: %d functions: median %d lines, 90th percentile %d, longest %d\n", functions,
        percentile(function_lines, functions, 50), percentile(function_lines, functions, 90),
        percentile(function_lines, functions, 100)
    printf "statistics: %d source files: median %d lines, longest %d; comments %d %% of %d lines\n",
        sources, percentile(source_lines, sources, 50), percentile(source_lines, sources, 100),
        written ? 100 * (written - code) / written : 0, written
    over("the median function", percentile(function_lines, functions, 50), 15)
    over("the 90th percentile of functions", percentile(function_lines, functions, 90), 45)
    over("the median file", percentile(source_lines, sources, 50), 250)
}
