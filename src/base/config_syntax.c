/* Forms of names.
 *
 * Each accepts one plain spelling of what it names and nothing else, because these texts end in
 * cookies, Location headers, decisions about addresses and paths: what is read in two ways there is
 * refused here, where a person can still mend it. */
#include "base/config_syntax.h"

#include "base/address.h"

#define HOST_MAX  253
#define LABEL_MAX 63
#define PORT_MAX  65535

static bool is_label(struct text label)
{
    return label.len >= 1 && label.len <= LABEL_MAX && text_consists_of(label, "-") &&
           label.data[0] != '-' && label.data[label.len - 1] != '-';
}

bool config_is_host(struct text text)
{
    if (text.len == 0 || text.len > HOST_MAX) {
        return false;
    }
    struct text rest = text;
    while (rest.data != NULL) {
        if (!is_label(text_cut(&rest, '.'))) {
            return false;
        }
    }
    return true;
}

bool config_is_domain(struct text text)
{
    struct text last = {0};
    struct text rest = text;
    while (rest.data != NULL) {
        last = text_cut(&rest, '.');
    }
    uint64_t number = 0; /* browsers read a host that ends in a number as an address */
    return config_is_host(text) && text_parse_number(last, UINT64_MAX, &number) != OK;
}

bool config_is_return_host(struct text text)
{
    struct text port = text;
    struct text host = text_cut(&port, ':');
    uint64_t number = 0;
    if (port.data != NULL && (port.len == 0 || port.data[0] == '0' ||
                              text_parse_number(port, PORT_MAX, &number) != OK)) {
        return false;
    }
    return text_cut_prefix(&host, TEXT("*.")) ? config_is_domain(host) : config_is_host(host);
}

bool config_is_proxy(struct text text)
{
    struct address_block block;
    return text_is(text, "unix:") || address_parse_block(text, &block) == OK;
}

bool config_is_mount(struct text text)
{
    struct text rest = text;
    if (text.len == 0 || text_cut(&rest, '/').len != 0 || rest.data == NULL) {
        return false;
    }
    while (rest.data != NULL) {
        struct text segment = text_cut(&rest, '/');
        if (segment.len == 0 || !text_consists_of(segment, "-._~") || text_is(segment, ".") ||
            text_is(segment, "..")) {
            return false;
        }
    }
    return true;
}

bool config_is_database(struct text text)
{
    struct text path = text;
    struct text scheme = text_cut(&path, ':');
    return text_is(scheme, "sqlite") && path.len > 0 && path.data[0] != ':' &&
           path.data[path.len - 1] != '/' && !text_has_byte(path, '?');
}

bool config_is_origin(struct text text)
{
    struct text host = text;
    bool has_scheme =
        text_cut_prefix(&host, TEXT("https://")) || text_cut_prefix(&host, TEXT("http://"));
    return has_scheme && !text_has_prefix(host, TEXT("*")) && config_is_return_host(host);
}

bool config_is_account(struct text text)
{
    return text.len > 0 && text_consists_of(text, "._-") && text.data[0] != '-' &&
           text.data[0] != '.';
}
