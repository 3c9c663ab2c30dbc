/* The target is judged each time it is shown and each time it is used: a form's hidden field is as
 * much the client's as a query is. A target that does not count is replaced in silence, for telling
 * more would only help those who try. */
#include "web/return_target.h"

#include "http/form.h"
#include "http/url.h"

/* The address of the login page, and behind it a target of which each byte may be escaped. */
#define LOCATION_MAX (3 * URL_TARGET_MAX + 512)

/* Sent there, a browser would sign in only to be asked again, or to be asked to leave. Web servers
 * find the pages however their path is escaped. A path that cannot be read leads nowhere. */
static bool is_sign_in_or_out(const struct request *request, struct text target,
                              const struct config *config)
{
    struct text path;
    if (form_decode_path(text_cut(&target, '?'), request->arena, &path) != OK) {
        return true;
    }
    return text_cut_prefix(&path, text_of(config->site.path)) &&
           (text_has_prefix(path, TEXT("/login")) || text_has_prefix(path, TEXT("/logout")));
}

struct text return_target_get(const struct request *request, const struct config *config)
{
    struct fields fields = request->method == METHOD_POST ? request->form : request->fields;
    struct text target = fields_get(fields, "next");
    if (target.len == 0 ||
        !url_is_allowed_target(target, request->host, &config->site.return_hosts) ||
        is_sign_in_or_out(request, target, config)) {
        return (struct text){0};
    }
    return target;
}

void return_target_ask(const struct request *request, const struct config *config, int status,
                       struct response *response)
{
    struct buffer location;
    buffer_init(&location, LOCATION_MAX);
    buffer_print(&location, "%s/login", config->site.path);
    if (request->uri.len <= URL_TARGET_MAX) {
        buffer_add_string(&location, "?next=");
        buffer_add_percent(&location, request->uri);
    }
    if (!location.failed) {
        response_redirect(response, status, buffer_text(&location));
    }
    buffer_clear(&location);
}
