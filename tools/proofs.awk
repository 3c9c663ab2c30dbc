# For the rule "proofs" of tools/lint: reads tests, then the documents that name them.
#
# A proof stands in a document as `FILE: TITLE`, or as `FILE` where all of a file is meant. A table
# has proofs when the last cell of its head is "Proof".

function add(title,    key) {
    key = FILENAME ": " title
    if (key in place) twice[key] = FILENAME ":" FNR
    else place[key] = FILENAME ":" FNR
}

FNR == 1 { files[FILENAME] = 1; in_table = 0 }

FILENAME ~ /\.c$/ {
    if (/^static void [a-z0-9_]+\(void \*\*state\)( |$)/) add(substr($3, 1, index($3, "(") - 1))
    next
}

FILENAME ~ /\.mjs$/ {
    if (match($0, /^ *(it|test)\([\047"`]/)) {
        quote = substr($0, RLENGTH, 1)
        title = substr($0, RLENGTH + 1)
        gsub("\\\\" quote, "\001", title)
        title = substr(title, 1, index(title, quote) - 1)
        gsub("\001", quote, title)
        gsub(/\$\{[^}]*\}/, "…", title)
        add(title)
    }
    next
}

FILENAME ~ /lint$/ {
    if (/^rule_[a-z_]+\(\)/) add(substr($1, 6, index($1, "(") - 6))
    next
}

/^\|/ {
    if (!in_table) has_proofs = /\| *Proof *\|$/
    else if (has_proofs && in_table > 1 && !/`(tests|tools)\/|\]\(|\| Not met|\| Does not apply/)
        print FILENAME ":" FNR ": neither a proof nor why there is none"
    in_table++
}

!/^\|/ { in_table = 0 }

{
    rest = $0
    while (match(rest, /`(tests|tools)\/[^`]*`/)) {
        proof = substr(rest, RSTART + 1, RLENGTH - 2)
        rest = substr(rest, RSTART + RLENGTH)
        if (index(proof, ": ") == 0) {
            if (!(proof in files)) print FILENAME ":" FNR ": there is no test file " proof
        } else if (!(proof in place)) {
            print FILENAME ":" FNR ": there is no test " proof
        } else if (proof in twice) {
            print twice[proof] ": has the title of another test, and is named as a proof"
        }
    }
}
