# Finds secrets that stay on the stack: variables of functions, of types and sizes that bear secrets,
# that no call wipes. Input: "FILE:LINE:code" of tools/code.awk. One that is const holds nothing that
# was put there.
BEGIN {
    types = "^ +struct (token|user|sign_in|visitor|attempt_result|keyring_content|keyring_secret|key_set|session_row|user_change|material|piece|[a-z0-9_]+_ctx) "
    bytes = "^ +(char|uint8_t|unsigned char) "
    sizes = "\\[(PASSWORD_[A-Z]+_MAX|LINE_ROOM|TOKEN_(TEXT_MAX|ID_BYTES)|CSRF_TEXT_LEN|LINK_CODE_[A-Z]+|KEY_BYTES|MAC_BYTES|BYTES_MAX|SECRET_LEN|USER_SALT_BYTES|DEVICE_ID_BYTES|BOND_BYTES)[^]]*\\]"
}

{
    match($0, /^[^:]*:[0-9]+:/)
    place = substr($0, 1, RLENGTH - 1)
    code = substr($0, RLENGTH + 1)
}

code ~ /^[{}]/ {
    for (name in declared) {
        print declared[name] ": " name " bears a secret, and nothing wipes it"
        delete declared[name]
    }
    inside = code ~ /^{/
}

inside && code ~ /;/ && (code ~ types || (code ~ bytes && code ~ sizes)) {
    name = code
    sub(types, "", name)
    sub(bytes, "", name)
    sub(/[^a-z0-9_].*/, "", name)
    if (name != "") declared[name] = place
    next
}

code ~ /_wipe\(/ {
    for (name in declared) if (code ~ "_wipe\\(&?" name "[^a-z0-9_]") delete declared[name]
}
