
/* The shop's database: b24_database, b24_import, b24_update. */


#include "ngx_http_b24_module.h"


typedef struct {
    ngx_str_t                   name;
    size_t                      offset;
    ngx_msec_t                  least;
    ngx_msec_t                  usual;
} ngx_http_b24_database_time_t;


#define ngx_http_b24_database_at(database, t)                                 \
    ((ngx_msec_t *) ((char *) (database) + (t)->offset))


static char *ngx_http_b24_database_time(ngx_conf_t *cf, ngx_str_t *arg,
    ngx_http_b24_database_t *database);


static ngx_http_b24_database_time_t  ngx_http_b24_database_times[] = {
    { ngx_string("connect="), offsetof(ngx_http_b24_database_t, connect),
      1000, B24_DATABASE_CONNECT * 1000 },
    { ngx_string("read="), offsetof(ngx_http_b24_database_t, read),
      1000, B24_DATABASE_READ * 1000 },
    { ngx_string("wait="), offsetof(ngx_http_b24_database_t, wait),
      0, 60000 },
    { ngx_string("absent="), offsetof(ngx_http_b24_database_t, absent),
      1000, 600000 },
    { ngx_string("poll="), offsetof(ngx_http_b24_database_t, poll),
      1000, 10000 },
    { ngx_string("traffic="), offsetof(ngx_http_b24_database_t, traffic),
      0, 60000 },
    { ngx_null_string, 0, 0, 0 }
};


/* b24_database URL [TIMES];  b24_database file:PATH [TIMES] */

char *
ngx_http_b24_conf_database(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    int                            rc;
    char                          *rv;
    const char                    *wrong;
    ngx_uint_t                     i;
    ngx_str_t                     *value, text;
    ngx_http_b24_main_conf_t      *bmcf;
    ngx_http_b24_database_t       *database;
    ngx_http_b24_database_time_t  *t;

    if (bscf->database != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    rv = ngx_http_b24_conf_address(cf, &text, "address of the database");
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (text.data == NULL) {
        bscf->database = NULL;
        return NGX_CONF_OK;
    }

    database = ngx_pcalloc(cf->pool, sizeof(ngx_http_b24_database_t));
    if (database == NULL) {
        return NGX_CONF_ERROR;
    }

    bmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_b24_module);

    rc = b24_database_url(bmcf->rules_pool, &text, &database->url, &wrong);

    if (rc == B24_DECLINED) {

        /* the words never show the address: it has the password */

        return (char *) wrong;
    }

    if (rc != B24_OK) {
        return NGX_CONF_ERROR;
    }

    if (database->url.ca.len
        && access((char *) database->url.ca.data, R_OK) == -1)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "\"b24_database\" cannot open file \"%V\" of "
                           "ssl_ca: correct the path, and let the workers' "
                           "user read it", &database->url.ca);
        return NGX_CONF_ERROR;
    }

    for (t = ngx_http_b24_database_times; t->name.len; t++) {
        *ngx_http_b24_database_at(database, t) = NGX_CONF_UNSET_MSEC;
    }

    value = cf->args->elts;

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_http_b24_database_time(cf, &value[i], database);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    for (t = ngx_http_b24_database_times; t->name.len; t++) {
        ngx_conf_init_msec_value(*ngx_http_b24_database_at(database, t),
                                 t->usual);
    }

    database->text = text;
    ngx_http_b24_place(cf, &database->place);

    bscf->database = database;

    return NGX_CONF_OK;
}


static char *
ngx_http_b24_database_time(ngx_conf_t *cf, ngx_str_t *arg,
    ngx_http_b24_database_t *database)
{
    ngx_int_t                      ms;
    ngx_str_t                      s;
    ngx_http_b24_database_time_t  *t;

    for (t = ngx_http_b24_database_times; t->name.len; t++) {

        if (ngx_strncmp(arg->data, t->name.data, t->name.len) != 0) {
            continue;
        }

        s.data = arg->data + t->name.len;
        s.len = arg->len - t->name.len;

        ms = ngx_parse_time(&s, 0);

        if (ms == NGX_ERROR || ms < (ngx_int_t) t->least
            || ms > 24 * 60 * 60 * 1000)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"b24_database\" has \"%V\": a time is %Ms "
                               "to 24h", arg, t->least / 1000);
            return NGX_CONF_ERROR;
        }

        if (*ngx_http_b24_database_at(database, t) != NGX_CONF_UNSET_MSEC) {
            return "is duplicate";
        }

        *ngx_http_b24_database_at(database, t) = (ngx_msec_t) ms;

        return NGX_CONF_OK;
    }

    /* it might be a part of the password: it isn't shown */

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"b24_database\" takes one address and then only "
                       "connect=TIME, read=TIME, wait=TIME, absent=TIME, "
                       "poll=TIME and traffic=TIME: quote an address with "
                       "blanks or \";\"");

    return NGX_CONF_ERROR;
}


/* b24_update off | total | rows */

char *
ngx_http_b24_conf_update(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    static char  *forms[] = { "off", "total", "rows" };

    if (bscf->update != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {

        if (ngx_strcmp(value[1].data, forms[i]) == 0) {
            bscf->update = B24_UPDATE_OFF + i;
            return NGX_CONF_OK;
        }
    }

    return "takes \"off\" (deals follow statuses only), \"total\" (and the "
           "order's total) or \"rows\" (its goods, too)";
}


/* how many origins have one; a thread for each, as far as that is sensible */

ngx_uint_t
ngx_http_b24_databases(ngx_http_b24_main_conf_t *bmcf)
{
    ngx_uint_t               i, n;
    ngx_http_b24_origin_t  **op;

    op = bmcf->origins.elts;

    for (i = 0, n = 0; i < bmcf->origins.nelts; i++) {
        n += (op[i]->conf->database != NULL);
    }

    return n;
}


const b24_shop_t *
ngx_http_b24_database_shop(ngx_http_b24_main_conf_t *bmcf,
    ngx_http_b24_origin_t *o)
{
    b24_str_t         *name;
    ngx_uint_t         i;
    const b24_shop_t  *shop;

    if (o->conf->shops == NULL) {
        return NULL;
    }

    name = o->conf->shops->elts;

    for (i = 0; i < o->conf->shops->nelts; i++) {
        shop = b24_rules_find(bmcf->rules, &name[i]);

        if (shop && b24_shop_statement(shop, B24_STATEMENT_ORDER)) {
            return shop;
        }
    }

    return NULL;
}


/* a database that no rule asks is a mistake, but no danger */

void
ngx_http_b24_database_check(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf)
{
    ngx_uint_t                i;
    ngx_http_b24_origin_t   **op;
    ngx_http_b24_database_t  *database;

    op = bmcf->origins.elts;

    for (i = 0; i < bmcf->origins.nelts; i++) {
        database = op[i]->conf->database;

        if (database && op[i]->conf->shops
            && ngx_http_b24_database_shop(bmcf, op[i]) == NULL)
        {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "\"b24_database\" is of no use to the origin "
                          "\"%V\": its shop has no \"database\" block with an "
                          "\"order\" statement in %V:%ui", &op[i]->name,
                          &database->place.file, database->place.line);
        }
    }
}
