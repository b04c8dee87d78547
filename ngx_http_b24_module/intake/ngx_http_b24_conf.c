
/*
 * What is watched, where it is kept and where it is shown: b24_queue,
 * b24_origin, b24_mirror, b24_capture, b24_journal, b24_status.  No directive
 * has an effect outside the configuration: "nginx -t" and "nginx -s reload" run
 * it too.
 */


#include "ngx_http_b24_module.h"


/* exported by nginx, declared in none of its headers */
extern ngx_module_t  ngx_http_copy_filter_module;


static void ngx_http_b24_first_filter(ngx_cycle_t *cycle);


/* b24_queue PATH [keep=30d] [max=1000000] */

char *
ngx_http_b24_conf_queue(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_main_conf_t  *bmcf = conf;

    time_t       keep;
    ngx_int_t    n;
    ngx_str_t   *value, s;
    ngx_uint_t   i, keeps, maxs;

    if (bmcf->queue_set) {
        return "is duplicate";
    }

    bmcf->queue_set = 1;

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "needs the path of a folder";
    }

    if (ngx_strlchr(value[1].data, value[1].data + value[1].len, '=')
        && (ngx_strncmp(value[1].data, "keep=", 5) == 0
            || ngx_strncmp(value[1].data, "max=", 4) == 0))
    {
        return "needs the path of a folder first";
    }

    bmcf->queue = value[1];
    ngx_http_b24_place(cf, &bmcf->queue_place);

    keeps = 0;
    maxs = 0;

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "keep=", 5) == 0) {

            if (keeps++) {
                return "is duplicate";
            }

            s.data = value[i].data + 5;
            s.len = value[i].len - 5;

            keep = ngx_parse_time(&s, 1);

            if (keep == (time_t) NGX_ERROR || keep < 60) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"b24_queue\" has \"%V\": keep is a time "
                                   "of at least one minute, such as 30d",
                                   &value[i]);
                return NGX_CONF_ERROR;
            }

            bmcf->keep = keep;
            continue;
        }

        if (ngx_strncmp(value[i].data, "max=", 4) == 0) {

            if (maxs++) {
                return "is duplicate";
            }

            n = ngx_atoi(value[i].data + 4, value[i].len - 4);

            if (n == NGX_ERROR || n < 100) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"b24_queue\" has \"%V\": max is a number "
                                   "of records, at least 100", &value[i]);
                return NGX_CONF_ERROR;
            }

            bmcf->max = n;
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"b24_queue\" has \"%V\": only keep=TIME and "
                           "max=NUMBER may follow the path", &value[i]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* b24_origin NAME */

char *
ngx_http_b24_conf_origin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    char       *wrong;
    ngx_str_t  *value;

    if (bscf->origin.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    wrong = ngx_http_b24_origin_wrong(&value[1]);
    if (wrong) {
        return wrong;
    }

    bscf->origin = value[1];
    ngx_http_b24_place(cf, &bscf->origin_place);

    return NGX_CONF_OK;
}


/* why a name can't be an origin, NULL: it can */

char *
ngx_http_b24_origin_wrong(ngx_str_t *name)
{
    size_t      i;
    ngx_str_t   text;
    ngx_uint_t  digits;

    text = *name;
    b24_str_trim(&text);

    digits = 1;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            digits = 0;
        }
    }

    /* the portal matches numeric originators with its own external shops */

    if (digits) {
        return "needs a name that is not a number";
    }

    if (name->len > 255) {
        return "is longer than the 255 characters of ORIGINATOR_ID";
    }

    for (i = 0; i < name->len; i++) {

        if (name->data[i] == '$') {
            return "takes no variables: write one name for all orders, "
                   "without \"$\"";
        }

        if (name->data[i] < ' ' || name->data[i] == 0x7f
            || name->data[i] == '"' || name->data[i] == '\\')
        {
            return "has a character that is not allowed in a name";
        }
    }

    if (!b24_utf8_valid(name)) {
        return "is not in UTF-8: save the file in that encoding";
    }

    return NULL;
}


/* b24_mirror SHOP;  b24_mirror off; */

char *
ngx_http_b24_conf_mirror(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_loc_conf_t  *blcf = conf;

    ngx_str_t                 *value;
    ngx_http_b24_srv_conf_t   *bscf;
    ngx_http_b24_main_conf_t  *bmcf;

    if (blcf->mirror != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 3 && ngx_strcmp(value[1].data, "off") == 0) {
        blcf->mirror = 0;
        return NGX_CONF_OK;
    }

    bmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_b24_module);

    blcf->shop = b24_rules_find(bmcf->rules, &value[1]);

    if (blcf->shop == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"b24_mirror\" names the shop \"%V\", but no "
                           "\"b24_shop %V { ... }\" stands before it",
                           &value[1], &value[1]);
        return NGX_CONF_ERROR;
    }

    blcf->mirror = 1;
    bmcf->mirrors++;

    ngx_http_b24_first_filter(cf->cycle);

    bscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_b24_module);
    ngx_http_b24_place(cf, &bscf->mirror_place);

    return NGX_CONF_OK;
}


/*
 * Filters run in the reverse order of the list of modules.  Another dynamic
 * filter that is loaded later would get between the copy filter and us, and its
 * changes would be taken for the shop's answer.  So our place is taken again,
 * right before the copy filter, once no module can be loaded any more.  Nobody
 * walks the list now but for the directive at hand, and indices of
 * configurations don't depend on it.
 */

static void
ngx_http_b24_first_filter(ngx_cycle_t *cycle)
{
    ngx_uint_t      i, self, copy;
    ngx_module_t  **modules;

    modules = cycle->modules;

    self = 0;
    copy = 0;

    for (i = 0; modules[i]; i++) {

        if (modules[i] == &ngx_http_b24_module) {
            self = i;

        } else if (modules[i] == &ngx_http_copy_filter_module) {
            copy = i;
        }
    }

    if (self + 1 >= copy) {
        return;
    }

    ngx_memmove(&modules[self], &modules[self + 1],
                (copy - self - 1) * sizeof(ngx_module_t *));

    modules[copy - 1] = &ngx_http_b24_module;
}


/* b24_capture [body=SIZE] [answer=SIZE] [total=SIZE] */

char *
ngx_http_b24_conf_capture(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_loc_conf_t  *blcf = conf;

    size_t      *slot;
    ssize_t      size;
    ngx_str_t   *value, s;
    ngx_uint_t   i;

    if (blcf->body_max != NGX_CONF_UNSET_SIZE
        || blcf->answer_max != NGX_CONF_UNSET_SIZE
        || blcf->total_max != NGX_CONF_UNSET_SIZE)
    {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "body=", 5) == 0) {
            slot = &blcf->body_max;
            s.data = value[i].data + 5;

        } else if (ngx_strncmp(value[i].data, "answer=", 7) == 0) {
            slot = &blcf->answer_max;
            s.data = value[i].data + 7;

        } else if (ngx_strncmp(value[i].data, "total=", 6) == 0) {
            slot = &blcf->total_max;
            s.data = value[i].data + 6;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"b24_capture\" has \"%V\": it takes "
                               "body=SIZE, answer=SIZE and total=SIZE",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        if (*slot != NGX_CONF_UNSET_SIZE) {
            return "is duplicate";
        }

        s.len = value[i].data + value[i].len - s.data;

        size = ngx_parse_size(&s);

        if (size == NGX_ERROR || size < 1024 || size > 1024 * 1024 * 1024) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"b24_capture\" has \"%V\": a size is 1k "
                               "to 1024m", &value[i]);
            return NGX_CONF_ERROR;
        }

        *slot = size;
    }

    return NGX_CONF_OK;
}


/* b24_journal off | async | sync */

char *
ngx_http_b24_conf_journal(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_loc_conf_t  *blcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    static char  *forms[] = { "off", "async", "sync" };

    if (blcf->journal != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {

        if (ngx_strcmp(value[1].data, forms[i]) == 0) {
            blcf->journal = NGX_HTTP_B24_JOURNAL_OFF + i;
            return NGX_CONF_OK;
        }
    }

    return "takes \"off\", \"async\" (written down while the shop works) or "
           "\"sync\" (before it gets the request)";
}


/* b24_status [origin=NAME ...] [reveal] */

char *
ngx_http_b24_conf_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_loc_conf_t  *blcf = conf;

    ngx_str_t                 *value, *name;
    ngx_uint_t                 i;
    ngx_http_b24_shown_t      *shown;
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_b24_main_conf_t  *bmcf;

    if (blcf->desk) {
        return "is duplicate";
    }

    bmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_b24_module);

    blcf->desk = ngx_array_create(cf->pool, 1, sizeof(ngx_str_t));
    if (blcf->desk == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "reveal") == 0) {
            blcf->reveal = 1;
            continue;
        }

        if (value[i].len > 7
            && ngx_strncmp(value[i].data, "origin=", 7) == 0)
        {
            name = ngx_array_push(blcf->desk);
            if (name == NULL) {
                return NGX_CONF_ERROR;
            }

            name->data = value[i].data + 7;
            name->len = value[i].len - 7;

            shown = ngx_array_push(&bmcf->shown);
            if (shown == NULL) {
                return NGX_CONF_ERROR;
            }

            ngx_memzero(shown, sizeof(ngx_http_b24_shown_t));

            shown->origin = *name;
            ngx_http_b24_place(cf, &shown->place);
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"b24_status\" has \"%V\": it takes origin=NAME "
                           "and \"reveal\"", &value[i]);
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_b24_status_handler;

    bmcf->desks++;

    return NGX_CONF_OK;
}
