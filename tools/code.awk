# Prints the C code of files as "FILE:LINE:code": comments become a space, and string and character
# literals become "" unless `literals` is set. So a rule does not trip over what a comment tells.
FNR == 1 { inside = 0 }
{
    rest = $0
    code = ""
    while (rest != "") {
        if (inside) {
            end = index(rest, "*/")
            rest = end ? substr(rest, end + 2) : ""
            inside = !end
        } else if (match(rest, /"([^"\\]|\\.)*"|'([^'\\]|\\.)*'|\/\*|\/\//)) {
            token = substr(rest, RSTART, RLENGTH)
            code = code substr(rest, 1, RSTART - 1)
            rest = substr(rest, RSTART + RLENGTH)
            if (token == "/*") {
                inside = 1
                code = code " "
            } else if (token == "//") {
                rest = ""
            } else {
                code = code (literals ? token : "\"\"")
            }
        } else {
            code = code rest
            rest = ""
        }
    }
    print FILENAME ":" FNR ":" code
}
