
/* The way back into the shop: b24_site, b24_stage_back. */


#include "ngx_http_b24_module.h"
#include "b24_call.h"


static char *ngx_http_b24_site_url(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_b24_site_t *site);
static ngx_uint_t ngx_http_b24_site_path(u_char *p, u_char *last);
static char *ngx_http_b24_site_user(ngx_str_t *arg,
    ngx_http_b24_site_t *site);
static char *ngx_http_b24_site_password(ngx_conf_t *cf, ngx_str_t *arg,
    ngx_http_b24_site_t *site);
static ngx_int_t ngx_http_b24_site_origin(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf, ngx_http_b24_origin_t *o);
static ngx_int_t ngx_http_b24_site_shop(ngx_conf_t *cf,
    ngx_http_b24_site_t *site, const b24_shop_t *shop);


/* which of a site's words a value of calls is made of */
static struct {
    const char                 *value;
    unsigned                    user:1;
    unsigned                    password:1;
}  ngx_http_b24_site_values[] = {
    { "user", 1, 0 },
    { "password", 0, 1 },
    { "basic", 1, 1 },
    { "key", 0, 1 }
};


/* b24_site URL [user=NAME] [password=file:PATH] */

char *
ngx_http_b24_conf_site(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    char                 *rv;
    ngx_str_t            *value;
    ngx_uint_t            i;
    ngx_http_b24_site_t  *site;

    if (bscf->site) {
        return "is duplicate";
    }

    site = ngx_pcalloc(cf->pool, sizeof(ngx_http_b24_site_t));
    if (site == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_b24_place(cf, &site->place);

    value = cf->args->elts;

    rv = ngx_http_b24_site_url(cf, &value[1], site);

    for (i = 2; rv == NGX_CONF_OK && i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "user=", 5) == 0) {
            rv = ngx_http_b24_site_user(&value[i], site);

        } else if (ngx_strncmp(value[i].data, "password=", 9) == 0) {
            rv = ngx_http_b24_site_password(cf, &value[i], site);

        } else {

            /* it might be a password: it isn't shown */

            rv = "takes one address and then only user=NAME and "
                 "password=file:PATH: quote what has blanks or \";\"";
        }
    }

    if (rv == NGX_CONF_OK) {
        bscf->site = site;
    }

    return rv;
}


/* the sentences don't show it: somebody may have put a password into it */

static char *
ngx_http_b24_site_url(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_b24_site_t *site)
{
    char        *rv;
    u_char      *p, *last, *slash;
    ngx_str_t    host;
    ngx_uint_t   tls;

    last = text->data + text->len;
    host.data = ngx_http_b24_conf_scheme(text, &tls);

    if (host.data == NULL) {
        return "must look like https://HOST or https://HOST/PATH";
    }

    for (p = host.data; p < last; p++) {

        if (*p == '?' || *p == '#' || *p == '$' || *p == '@') {
            return "takes an address alone: leave out \"?\", \"#\", \"$\" and "
                   "\"@\"; who logs in is said by user= and password=";
        }
    }

    slash = ngx_strlchr(host.data, last, '/');
    if (slash == NULL) {
        slash = last;
    }

    host.len = slash - host.data;

    rv = ngx_http_b24_conf_host(cf, &host, tls, &site->host);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    while (last > slash && last[-1] == '/') {
        last--;
    }

    if (!ngx_http_b24_site_path(slash, last)) {
        return "must have a path of plain characters, others "
               "percent-encoded, without \".\" and \"..\" in it";
    }

    site->url.data = ngx_pnalloc(cf->pool, sizeof("https://") + site->host.len
                                           + (last - slash));
    if (site->url.data == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_sprintf(site->url.data, "http%s://%V%*s%Z", tls ? "s" : "",
                    &site->host, (size_t) (last - slash), slash);

    site->url.len = p - site->url.data - 1;

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_http_b24_site_path(u_char *p, u_char *last)
{
    u_char  *q;

    for (q = p; q < last; q++) {

        if (*q <= ' ' || *q >= 0x7f || ngx_strchr("\"<>\\^`{|}", *q)) {
            return 0;
        }

        if (*q == '%' && (last - q < 3 || ngx_hextoi(q + 1, 2) < ' ')) {
            return 0;
        }
    }

    return !ngx_http_b24_conf_dots(p, last);
}


/* it could not be told from the password in HTTP's Basic login with a ":" */

static char *
ngx_http_b24_site_user(ngx_str_t *arg, ngx_http_b24_site_t *site)
{
    size_t  i;

    if (site->user.data) {
        return "has user= twice";
    }

    site->user.data = arg->data + 5;
    site->user.len = arg->len - 5;

    if (site->user.len == 0) {
        return "needs a name after user=";
    }

    for (i = 0; i < site->user.len; i++) {

        if (site->user.data[i] == ':') {
            return "needs a user= without \":\": the password has a place of "
                   "its own, password=file:PATH";
        }

        if (site->user.data[i] < ' ' || site->user.data[i] == 0x7f) {
            return "has a user= with a control character: leave it out";
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_b24_site_password(ngx_conf_t *cf, ngx_str_t *arg,
    ngx_http_b24_site_t *site)
{
    ngx_str_t  path;

    if (site->password.data) {
        return "has password= twice";
    }

    if (ngx_strncmp(arg->data + 9, "file:", 5) != 0) {
        return "takes the password from a file only: put it into one of mode "
               "0600 and say password=file:PATH";
    }

    path.data = arg->data + 14;
    path.len = arg->len - 14;

    return ngx_http_b24_secret_file(cf, &path, &site->password,
                                    "password of the shop's user", 1);
}


/* b24_stage_back STAGE STATUS */

char *
ngx_http_b24_conf_stage_back(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    ngx_str_t   *value;
    const char  *cure;

    value = cf->args->elts;

    if (value[1].len == 0 || value[2].len == 0) {
        return "needs a stage and a status";
    }

    cure = b24_stage_wrong(&value[1]);

    if (cure) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"b24_stage_back\" has a bad deal stage \"%V\": %s",
                           &value[1], cure);
        return NGX_CONF_ERROR;
    }

    switch (ngx_http_b24_conf_pair(cf, &bscf->stage_back, &value[1],
                                   &value[2]))
    {

    case NGX_OK:
        return NGX_CONF_OK;

    case NGX_DECLINED:
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"b24_stage_back\" has a status for the stage "
                           "\"%V\" already", &value[1]);
    }

    return NGX_CONF_ERROR;
}


void
ngx_http_b24_conf_list(ngx_array_t *pairs)
{
    ngx_uint_t   i;
    b24_pair_t  *pair;

    if (pairs == NULL) {
        return;
    }

    pair = pairs->elts;

    for (i = 0; i < pairs->nelts; i++) {
        pair[i].next = (i + 1 < pairs->nelts) ? &pair[i + 1] : NULL;
    }
}


ngx_int_t
ngx_http_b24_site_check(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf)
{
    ngx_uint_t               i;
    ngx_http_b24_origin_t  **op;

    op = bmcf->origins.elts;

    for (i = 0; i < bmcf->origins.nelts; i++) {

        if (op[i]->conf->site
            && ngx_http_b24_site_origin(cf, bmcf, op[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* what can't ever be called is a mistake of the configuration: nobody would
 * hear of it before the first manager wonders */

static ngx_int_t
ngx_http_b24_site_origin(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf,
    ngx_http_b24_origin_t *o)
{
    b24_str_t                   *name;
    ngx_uint_t                   i, j;
    const b24_shop_t            *shop;
    ngx_http_b24_site_t         *site;
    ngx_http_b24_srv_conf_t     *bscf;
    ngx_http_core_srv_conf_t   **cscfp;
    ngx_http_core_main_conf_t   *cmcf;

    site = o->conf->site;

    if (o->portal == NULL) {
        ngx_http_b24_conf_error(cf->log, &site->place,
                                "\"b24_site\" of the origin \"%V\" has no "
                                "\"b24_webhook\" beside it, so that nothing "
                                "comes back from the CRM: add one or leave "
                                "the line out", &o->name);
        return NGX_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    cscfp = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        bscf = ngx_http_get_module_srv_conf(cscfp[i]->ctx,
                                            ngx_http_b24_module);

        if (bscf->o != o || bscf->shops == NULL) {
            continue;
        }

        name = bscf->shops->elts;

        for (j = 0; j < bscf->shops->nelts; j++) {
            shop = b24_rules_find(bmcf->rules, &name[j]);

            if (shop == NULL || !b24_shop_writes(shop)) {
                continue;
            }

            if (ngx_http_b24_site_shop(cf, site, shop) != NGX_OK) {
                return NGX_ERROR;
            }

            if (o->writes == NULL) {
                o->writes = shop;
            }
        }
    }

    if (o->writes == NULL) {
        ngx_http_b24_conf_error(cf->log, &site->place,
                                "\"b24_site\" of the origin \"%V\" would "
                                "never be called, its \"b24_shop\" has no "
                                "\"write\" block: add some or leave the line "
                                "out", &o->name);
        return NGX_ERROR;
    }

    /* without webhooks the portal's history tells of it, somewhat later */

    if (o->portal->watch == 0) {
        o->portal->watch = NGX_HTTP_B24_EVENTS_POLL;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_b24_site_shop(ngx_conf_t *cf, ngx_http_b24_site_t *site,
    const b24_shop_t *shop)
{
    char        *missing;
    ngx_uint_t   i;

    for (i = 0;
         i < sizeof(ngx_http_b24_site_values)
             / sizeof(ngx_http_b24_site_values[0]);
         i++)
    {
        missing = NULL;

        if (ngx_http_b24_site_values[i].user && site->user.len == 0) {
            missing = "user=NAME";

        } else if (ngx_http_b24_site_values[i].password
                   && site->password.len == 0)
        {
            missing = "password=file:PATH";
        }

        if (missing
            && b24_shop_writes_use(shop, ngx_http_b24_site_values[i].value))
        {
            ngx_http_b24_conf_error(cf->log, &site->place,
                                    "\"b24_site\" has no %s, and the \"write\" "
                                    "blocks of \"b24_shop %V\" need it: add it "
                                    "behind the address", missing,
                                    b24_shop_name(shop));
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
