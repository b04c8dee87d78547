
/*
 * The checks that need the whole configuration: origins and portals are made of
 * the servers here.
 */


#include "ngx_http_b24_module.h"


static void ngx_http_b24_check_desks(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);
static ngx_int_t ngx_http_b24_check_uses(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);
static ngx_uint_t ngx_http_b24_variable(ngx_http_core_main_conf_t *cmcf,
    ngx_str_t *name);
static ngx_int_t ngx_http_b24_check_server(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf, ngx_http_core_srv_conf_t *cscf,
    ngx_http_b24_srv_conf_t *bscf);
static ngx_int_t ngx_http_b24_origin_name(ngx_conf_t *cf,
    ngx_http_core_srv_conf_t *cscf, ngx_http_b24_srv_conf_t *bscf);
static ngx_int_t ngx_http_b24_origin_lines(ngx_conf_t *cf,
    ngx_http_b24_origin_t *o, ngx_http_b24_srv_conf_t *bscf);
static void ngx_http_b24_origin_twice(ngx_conf_t *cf,
    ngx_http_b24_origin_t *o, ngx_http_b24_srv_conf_t *bscf);
static ngx_int_t ngx_http_b24_origin_same(ngx_conf_t *cf,
    ngx_http_b24_origin_t *o, ngx_http_b24_srv_conf_t *bscf);
static char *ngx_http_b24_origin_differs(ngx_http_b24_srv_conf_t *a,
    ngx_http_b24_srv_conf_t *b);
static ngx_uint_t ngx_http_b24_pairs_differ(ngx_array_t *a, ngx_array_t *b);
static ngx_int_t ngx_http_b24_portal_add(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf, ngx_http_b24_origin_t *o);


/*
 * After merging: origins of all servers with a mirror, one portal a host, and
 * what must agree between them.
 */

ngx_int_t
ngx_http_b24_conf_check(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf)
{
    ngx_uint_t                   i;
    ngx_http_b24_srv_conf_t     *bscf;
    ngx_http_core_srv_conf_t   **cscfp;
    ngx_http_core_main_conf_t   *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    cscfp = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {

        bscf = ngx_http_get_module_srv_conf(cscfp[i]->ctx,
                                            ngx_http_b24_module);

        if (bscf->mirrors == 0) {
            continue;
        }

        if (ngx_http_b24_check_server(cf, bmcf, cscfp[i], bscf) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ngx_http_b24_check_desks(cf, bmcf);

    if (ngx_http_b24_events_check(cf, bmcf) != NGX_OK
        || ngx_http_b24_site_check(cf, bmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_b24_check_uses(cf, bmcf);
}


/* no error: a shop that is gone may have left records that wait for a person */

static void
ngx_http_b24_check_desks(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf)
{
    ngx_uint_t               i, j;
    ngx_http_b24_shown_t    *shown;
    ngx_http_b24_origin_t  **op;

    shown = bmcf->shown.elts;
    op = bmcf->origins.elts;

    for (i = 0; i < bmcf->shown.nelts; i++) {

        for (j = 0; j < bmcf->origins.nelts; j++) {
            if (b24_str_eq(&op[j]->name, &shown[i].origin)) {
                break;
            }
        }

        if (j == bmcf->origins.nelts) {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "\"b24_status\" shows the origin \"%V\", but no "
                          "server with \"b24_mirror\" has it: only what is "
                          "left of it in the queue is shown in %V:%ui",
                          &shown[i].origin, &shown[i].place.file,
                          shown[i].place.line);
        }
    }
}


/*
 * nginx looks for variables after all modules' postconfiguration, and then
 * knows no line any more.  All that can define one has done so by now: lines of
 * the configuration, and preconfiguration.
 */

static ngx_int_t
ngx_http_b24_check_uses(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf)
{
    size_t                      pos;
    ngx_str_t                   name;
    ngx_uint_t                  i;
    ngx_http_b24_use_t         *use;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    use = bmcf->uses.elts;

    for (i = 0; i < bmcf->uses.nelts; i++) {

        for (pos = 0; b24_template_next(&use[i].text, &pos, &name); /**/ ) {

            if (ngx_http_b24_variable(cmcf, &name)) {
                continue;
            }

            ngx_http_b24_conf_error(cf->log, &use[i].place,
                                    "\"%V\" has the variable \"$%V\", which "
                                    "nothing defines: correct its name",
                                    &use[i].directive, &name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* whether there is such a variable, or it is a capture of a regex */

static ngx_uint_t
ngx_http_b24_variable(ngx_http_core_main_conf_t *cmcf, ngx_str_t *name)
{
    ngx_uint_t            i;
    ngx_hash_key_t       *key;
    ngx_http_variable_t  *v;

    if (name->len == 0 || (name->data[0] >= '0' && name->data[0] <= '9')) {
        return 1;
    }

    key = cmcf->variables_keys->keys.elts;

    for (i = 0; i < cmcf->variables_keys->keys.nelts; i++) {

        if (key[i].key.len == name->len
            && ngx_strncasecmp(key[i].key.data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    v = cmcf->prefix_variables.elts;

    for (i = 0; i < cmcf->prefix_variables.nelts; i++) {

        if (v[i].name.len <= name->len
            && ngx_strncasecmp(v[i].name.data, name->data, v[i].name.len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_b24_check_server(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf,
    ngx_http_core_srv_conf_t *cscf, ngx_http_b24_srv_conf_t *bscf)
{
    ngx_uint_t               i;
    ngx_http_b24_origin_t   *o, **op;

    if (ngx_http_b24_origin_name(cf, cscf, bscf) != NGX_OK) {
        return NGX_ERROR;
    }

    op = bmcf->origins.elts;

    for (i = 0; i < bmcf->origins.nelts; i++) {

        if (b24_str_eq(&op[i]->name, &bscf->origin)) {
            bscf->o = op[i];

            if (ngx_http_b24_origin_same(cf, op[i], bscf) != NGX_OK) {
                return NGX_ERROR;
            }

            return ngx_http_b24_origin_lines(cf, op[i], bscf);
        }

        ngx_http_b24_origin_twice(cf, op[i], bscf);
    }

    o = ngx_pcalloc(cf->pool, sizeof(ngx_http_b24_origin_t));
    if (o == NULL) {
        return NGX_ERROR;
    }

    o->name = bscf->origin;
    o->conf = bscf;
    o->place = bscf->place;

    op = ngx_array_push(&bmcf->origins);
    if (op == NULL) {
        return NGX_ERROR;
    }

    *op = o;
    bscf->o = o;

    if (ngx_http_b24_origin_lines(cf, o, bscf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (bscf->webhook == NULL) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "b24: the server \"%V\" has \"b24_mirror\" but no "
                      "\"b24_webhook\": its orders are kept and wait in %V:%ui",
                      &o->name, &bscf->place.file, bscf->place.line);
        return NGX_OK;
    }

    return ngx_http_b24_portal_add(cf, bmcf, o);
}


static ngx_int_t
ngx_http_b24_origin_name(ngx_conf_t *cf, ngx_http_core_srv_conf_t *cscf,
    ngx_http_b24_srv_conf_t *bscf)
{
    size_t                   i;
    ngx_str_t                name;
    ngx_http_server_name_t  *sn;

    if (bscf->origin.data) {
        return NGX_OK;
    }

    ngx_str_null(&name);

    if (cscf->server_names.nelts) {
        sn = cscf->server_names.elts;
        name = sn[0].name;

#if (NGX_PCRE)
        if (sn[0].regex) {
            name.len = 0;
        }
#endif
    }

    for (i = 0; i < name.len; i++) {
        if (name.data[i] != '.' && (name.data[i] < '0' || name.data[i] > '9'))
        {
            break;
        }
    }

    if (name.len == 0 || i == name.len || name.data[0] == '.'
        || (name.len == 1 && name.data[0] == '_')
        || ngx_strlchr(name.data, name.data + name.len, '*')
        || ngx_strlchr(name.data, name.data + name.len, ':')
        || ngx_http_b24_origin_wrong(&name))
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "the server in %V:%ui has \"b24_mirror\", but its first "
                      "server_name can't name its orders: add "
                      "\"b24_origin NAME;\"",
                      &bscf->place.file, bscf->place.line);
        return NGX_ERROR;
    }

    bscf->origin = name;

    return NGX_OK;
}


/* orders of one shop, by two names: each would import those of the other */

static void
ngx_http_b24_origin_twice(ngx_conf_t *cf, ngx_http_b24_origin_t *o,
    ngx_http_b24_srv_conf_t *bscf)
{
    if (o->conf->database == NULL || bscf->database == NULL
        || !o->conf->imports || !bscf->imports
        || !b24_str_eq(&o->conf->database->text,
                              &bscf->database->text))
    {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                  "b24: the origins \"%V\" and \"%V\" have one "
                  "\"b24_database\", and each brings the orders of the other "
                  "once more: give their servers one \"b24_origin\", or one "
                  "of them \"b24_import off\" in %V:%ui",
                  &o->name, &bscf->origin, &bscf->place.file,
                  bscf->place.line);
}


static ngx_int_t
ngx_http_b24_origin_same(ngx_conf_t *cf, ngx_http_b24_origin_t *o,
    ngx_http_b24_srv_conf_t *bscf)
{
    char  *what;

    what = ngx_http_b24_origin_differs(o->conf, bscf);

    if (what == NULL) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "the servers in %V:%ui and %V:%ui share the origin \"%V\" "
                  "but differ in \"%s\": make the lines equal or give one "
                  "server another \"b24_origin\"",
                  &o->place.file, o->place.line,
                  &bscf->place.file, bscf->place.line, &o->name, what);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_b24_origin_lines(ngx_conf_t *cf, ngx_http_b24_origin_t *o,
    ngx_http_b24_srv_conf_t *bscf)
{
    ngx_uint_t            i;
    ngx_http_b24_line_t  *l;

    if (bscf->lines == NULL) {
        return NGX_OK;
    }

    l = bscf->lines->elts;

    for (i = 0; i < bscf->lines->nelts; i++) {
        if (ngx_http_b24_line_add(cf->pool, &o->lines, &l[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* the directive in which two servers of one origin differ, NULL: none */

static char *
ngx_http_b24_origin_differs(ngx_http_b24_srv_conf_t *a,
    ngx_http_b24_srv_conf_t *b)
{
    if ((a->webhook == NULL) != (b->webhook == NULL)
        || (a->webhook && (!b24_str_eq(&a->webhook->url,
                                              &b->webhook->url)
                           || a->webhook->dry != b->webhook->dry)))
    {
        return "b24_webhook";
    }

    if (!ngx_http_b24_limits_same(&a->limits, &b->limits)) {
        return "b24_rate";
    }

    if (a->category != b->category) {
        return "b24_category";
    }

    if (a->match != b->match) {
        return "b24_match";
    }

    if (a->api != b->api) {
        return "b24_api";
    }

    if (a->product != b->product) {
        return "b24_product";
    }

    if (!b24_str_eq(&a->phone_code, &b->phone_code)) {
        return "b24_phone_code";
    }

    if (a->requisite_preset != b->requisite_preset) {
        return "b24_requisite_preset";
    }

    if (!b24_str_eq(&a->certificate, &b->certificate)) {
        return "b24_trusted_certificate";
    }

    if (a->stages_none != b->stages_none
        || ngx_http_b24_pairs_differ(a->stages, b->stages))
    {
        return "b24_stage";
    }

    if (ngx_http_b24_pairs_differ(a->stage_back, b->stage_back)) {
        return "b24_stage_back";
    }

    if ((a->site == NULL) != (b->site == NULL)
        || (a->site
            && (!b24_str_eq(&a->site->url, &b->site->url)
                || !b24_str_eq(&a->site->user, &b->site->user)
                || !b24_str_eq(&a->site->password,
                                      &b->site->password))))
    {
        return "b24_site";
    }

    if ((a->database == NULL) != (b->database == NULL)
        || (a->database
            && (!b24_str_eq(&a->database->text, &b->database->text)
                || a->database->connect != b->database->connect
                || a->database->read != b->database->read
                || a->database->wait != b->database->wait
                || a->database->absent != b->database->absent
                || a->database->poll != b->database->poll
                || a->database->traffic != b->database->traffic)))
    {
        return "b24_database";
    }

    if (a->imports != b->imports) {
        return "b24_import";
    }

    if (a->update != b->update) {
        return "b24_update";
    }

    if ((a->alert == NULL) != (b->alert == NULL)
        || (a->alert
            && (!b24_str_eq(&a->alert->url, &b->alert->url)
                || a->alert->age != b->alert->age
                || a->alert->again != b->alert->again
                || a->alert->gap != b->alert->gap)))
    {
        return "b24_alert";
    }

    if (a->retry_first != b->retry_first || a->retry_max != b->retry_max
        || a->retry_unknown != b->retry_unknown)
    {
        return "b24_retry";
    }

    return NULL;
}


static ngx_uint_t
ngx_http_b24_pairs_differ(ngx_array_t *a, ngx_array_t *b)
{
    ngx_uint_t   i, j;
    b24_pair_t  *pa, *pb;

    if (a == b) {
        return 0;
    }

    if (a == NULL || b == NULL || a->nelts != b->nelts) {
        return 1;
    }

    pa = a->elts;
    pb = b->elts;

    for (i = 0; i < a->nelts; i++) {

        for (j = 0; j < b->nelts; j++) {
            if (b24_str_eq(&pa[i].name, &pb[j].name)
                && b24_str_eq(&pa[i].value, &pb[j].value))
            {
                break;
            }
        }

        if (j == b->nelts) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_b24_portal_add(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf,
    ngx_http_b24_origin_t *o)
{
    ngx_uint_t                i;
    ngx_http_b24_origin_t   **op;
    ngx_http_b24_portal_t    *portal, **pp;
    ngx_http_b24_srv_conf_t  *bscf;

    bscf = o->conf;

    pp = bmcf->portals.elts;

    for (i = 0; i < bmcf->portals.nelts; i++) {
        portal = pp[i];

        if (!b24_str_eq(&portal->host, &bscf->webhook->host)) {
            continue;
        }

        if (!ngx_http_b24_limits_same(&portal->limits, &bscf->limits)) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "the servers in %V:%ui and %V:%ui deliver to the "
                          "portal \"%V\" but differ in \"b24_rate\": one "
                          "portal has one limit, make the lines equal",
                          &portal->place.file, portal->place.line,
                          &bscf->place.file, bscf->place.line, &portal->host);
            return NGX_ERROR;
        }

        goto found;
    }

    portal = ngx_pcalloc(cf->pool, sizeof(ngx_http_b24_portal_t));
    if (portal == NULL
        || ngx_array_init(&portal->origins, cf->pool, 2,
                          sizeof(ngx_http_b24_origin_t *))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    portal->host = bscf->webhook->host;
    portal->limits = bscf->limits;
    portal->place = bscf->place;

    pp = ngx_array_push(&bmcf->portals);
    if (pp == NULL) {
        return NGX_ERROR;
    }

    *pp = portal;

found:

    op = ngx_array_push(&portal->origins);
    if (op == NULL) {
        return NGX_ERROR;
    }

    *op = o;
    o->portal = portal;

    return NGX_OK;
}
