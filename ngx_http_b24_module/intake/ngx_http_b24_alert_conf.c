
/* Who is told when something needs a person: b24_alert. */


#include "ngx_http_b24_module.h"

#include <sys/un.h>


static char *ngx_http_b24_alert_target(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_b24_alert_t *alert);
static char *ngx_http_b24_alert_url(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_b24_alert_t *alert);
static char *ngx_http_b24_alert_socket(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_b24_alert_t *alert);
static char *ngx_http_b24_alert_time(ngx_conf_t *cf, ngx_str_t *arg,
    ngx_http_b24_alert_t *alert);


static struct {
    ngx_str_t                   name;
    size_t                      offset;
    time_t                      usual;
    unsigned                    off:1;      /* it may be switched off: 0 */
}  ngx_http_b24_alert_times[] = {

    { ngx_string("age="), offsetof(ngx_http_b24_alert_t, age), 15 * 60, 0 },
    { ngx_string("again="), offsetof(ngx_http_b24_alert_t, again),
      6 * 60 * 60, 1 },
    { ngx_string("gap="), offsetof(ngx_http_b24_alert_t, gap), 5 * 60, 0 },

    { ngx_null_string, 0, 0, 0 }
};

#define ngx_http_b24_alert_at(alert, i)                                       \
    ((time_t *) ((u_char *) (alert) + ngx_http_b24_alert_times[i].offset))


/* b24_alert TARGET [age=TIME] [again=TIME|off] [gap=TIME];  b24_alert off; */

char *
ngx_http_b24_conf_alert(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    char                  *rv;
    ngx_str_t             *value, text;
    ngx_uint_t             i;
    ngx_http_b24_alert_t  *alert;

    if (bscf->alert != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    rv = ngx_http_b24_conf_address(cf, &text, "address that is told");
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (text.data == NULL) {
        bscf->alert = NULL;
        return NGX_CONF_OK;
    }

    alert = ngx_pcalloc(cf->pool, sizeof(ngx_http_b24_alert_t));
    if (alert == NULL) {
        return NGX_CONF_ERROR;
    }

    rv = ngx_http_b24_alert_target(cf, &text, alert);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    for (i = 0; ngx_http_b24_alert_times[i].name.len; i++) {
        *ngx_http_b24_alert_at(alert, i) = NGX_CONF_UNSET;
    }

    value = cf->args->elts;

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_http_b24_alert_time(cf, &value[i], alert);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    for (i = 0; ngx_http_b24_alert_times[i].name.len; i++) {
        ngx_conf_init_value(*ngx_http_b24_alert_at(alert, i),
                            ngx_http_b24_alert_times[i].usual);
    }

    bscf->alert = alert;

    return NGX_CONF_OK;
}


/* the sentences never show it: there may be a secret in it */

static char *
ngx_http_b24_alert_target(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_b24_alert_t *alert)
{
    if (text->len >= 5 && ngx_strncmp(text->data, "unix:", 5) == 0) {
        return ngx_http_b24_alert_socket(cf, text, alert);
    }

    return ngx_http_b24_alert_url(cf, text, alert);
}


static char *
ngx_http_b24_alert_url(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_b24_alert_t *alert)
{
    char        *rv;
    u_char      *p, *last, *slash, *args;
    ngx_str_t    host, name;
    ngx_uint_t   tls;

    host.data = ngx_http_b24_conf_scheme(text, &tls);

    if (host.data == NULL) {
        return "must be told https://HOST/PATH, unix:/PATH, file:PATH or off";
    }

    last = text->data + text->len;

    for (p = host.data; p < last; p++) {

        if (*p == '#' || *p == '$') {
            return "takes an address without \"#\" and \"$\": "
                   "percent-encode them, there are no variables in it";
        }

        if (*p <= ' ' || *p >= 0x7f || ngx_strchr("\"<>\\^`{|}", *p)) {
            return "takes an address of plain characters: percent-encode the "
                   "others";
        }
    }

    for (slash = host.data; slash < last; slash++) {
        if (*slash == '/' || *slash == '?') {
            break;
        }
    }

    host.len = slash - host.data;

    rv = ngx_http_b24_conf_host(cf, &host, tls, &name);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    args = ngx_strlchr(slash, last, '?');

    if (slash < last && *slash == '/'
        && ngx_http_b24_conf_dots(slash, args ? args : last))
    {
        return "must have no \".\" or \"..\" in its path";
    }

    alert->name.data = ngx_pnalloc(cf->pool, sizeof("https://") + name.len);
    alert->url.data = ngx_pnalloc(cf->pool, sizeof("https:///") + name.len
                                            + (last - slash));

    if (alert->name.data == NULL || alert->url.data == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_sprintf(alert->name.data, "http%s://%V", tls ? "s" : "", &name);
    alert->name.len = p - alert->name.data;

    p = ngx_sprintf(alert->url.data, "%V%s%*s%Z", &alert->name,
                    (slash < last && *slash == '/') ? "" : "/",
                    (size_t) (last - slash), slash);
    alert->url.len = p - alert->url.data - 1;

    return NGX_CONF_OK;
}


/* it may be made later, by whoever listens there */

static char *
ngx_http_b24_alert_socket(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_b24_alert_t *alert)
{
    struct sockaddr_un  addr;

    if (text->len < sizeof("unix:/x") - 1 || text->data[5] != '/') {
        return "needs the whole path of a socket after \"unix:\", such as "
               "unix:/run/b24-alert.sock";
    }

    if (text->len - 5 >= sizeof(addr.sun_path)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"b24_alert\" has a path of %uz bytes, a socket "
                           "can have one of %uz: give a shorter one",
                           text->len - 5, sizeof(addr.sun_path) - 1);
        return NGX_CONF_ERROR;
    }

    alert->local = 1;
    alert->name = *text;

    alert->url.len = text->len - 5;
    alert->url.data = ngx_pnalloc(cf->pool, alert->url.len + 1);
    if (alert->url.data == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_cpystrn(alert->url.data, text->data + 5, alert->url.len + 1);

    return NGX_CONF_OK;
}


static char *
ngx_http_b24_alert_time(ngx_conf_t *cf, ngx_str_t *arg,
    ngx_http_b24_alert_t *alert)
{
    time_t      time, *slot;
    ngx_str_t   s, *name;
    ngx_uint_t  i;

    name = &ngx_http_b24_alert_times[0].name;

    for (i = 0; name->len; name = &ngx_http_b24_alert_times[++i].name) {

        if (ngx_strncmp(arg->data, name->data, name->len) == 0) {
            break;
        }
    }

    if (name->len == 0) {

        /* it might be a part of the address: it isn't shown */

        return "takes one address and then only age=TIME, again=TIME and "
               "gap=TIME";
    }

    slot = ngx_http_b24_alert_at(alert, i);

    if (*slot != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    s.data = arg->data + name->len;
    s.len = arg->len - name->len;

    if (ngx_http_b24_alert_times[i].off && s.len == 3
        && ngx_strncmp(s.data, "off", 3) == 0)
    {
        *slot = 0;
        return NGX_CONF_OK;
    }

    time = ngx_parse_time(&s, 1);

    if (time == (time_t) NGX_ERROR || time < 1 || time > 30 * 24 * 60 * 60) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"b24_alert\" has \"%V\": a time is 1s to 30d%s",
                           arg, ngx_http_b24_alert_times[i].off
                                ? ", or off" : "");
        return NGX_CONF_ERROR;
    }

    *slot = time;

    return NGX_CONF_OK;
}
