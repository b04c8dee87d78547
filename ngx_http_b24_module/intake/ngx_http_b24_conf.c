
/*
 * Directives with parsers of their own, and the checks that need the whole
 * configuration.  Nothing here has an effect outside the configuration:
 * "nginx -t" and "nginx -s reload" run it too.
 */


#include "ngx_http_b24_module.h"


/* exported by nginx, declared in none of its headers */
extern ngx_module_t  ngx_http_copy_filter_module;


static char *ngx_http_b24_origin_wrong(ngx_str_t *name);
static void ngx_http_b24_first_filter(ngx_cycle_t *cycle);
static ngx_uint_t ngx_http_b24_portal_id(ngx_conf_t *cf, ngx_int_t *id,
    ngx_int_t min);
static ngx_uint_t ngx_http_b24_field_name(ngx_str_t *name);
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


static ngx_uint_t
ngx_http_b24_same(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || ngx_memcmp(a->data, b->data, a->len) == 0);
}


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

static char *
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


/*
 * b24_retry [first=1s] [max=10m] [unknown=65s]: pause after the first failure,
 * doubled up to max; unknown is the pause before an outcome nobody knows is
 * looked up (the portal may work on a request for 60 s)
 */

char *
ngx_http_b24_conf_retry(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    ngx_str_t   *value, s;
    ngx_int_t    ms;
    ngx_uint_t   i;
    ngx_msec_t  *slot;

    if (bscf->retry_place.file.len) {
        return "is duplicate";
    }

    ngx_http_b24_place(cf, &bscf->retry_place);

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "first=", 6) == 0) {
            slot = &bscf->retry_first;
            s.data = value[i].data + 6;

        } else if (ngx_strncmp(value[i].data, "max=", 4) == 0) {
            slot = &bscf->retry_max;
            s.data = value[i].data + 4;

        } else if (ngx_strncmp(value[i].data, "unknown=", 8) == 0) {
            slot = &bscf->retry_unknown;
            s.data = value[i].data + 8;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"b24_retry\" has \"%V\": it takes "
                               "first=TIME, max=TIME and unknown=TIME",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        if (*slot != NGX_CONF_UNSET_MSEC) {
            return "is duplicate";
        }

        s.len = value[i].data + value[i].len - s.data;

        ms = ngx_parse_time(&s, 0);

        if (ms == NGX_ERROR || ms < 1 || ms > 24 * 60 * 60 * 1000) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"b24_retry\" has \"%V\": a time is 1ms "
                               "to 24h", &value[i]);
            return NGX_CONF_ERROR;
        }

        *slot = ms;
    }

    return NGX_CONF_OK;
}


/* b24_match phone email | email phone | phone | email | none */

char *
ngx_http_b24_conf_match(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i, two;

    static struct {
        char         *first;
        char         *second;
        b24_match_e   match;
    }  forms[] = {
        { "phone", "email", B24_MATCH_PHONE_EMAIL },
        { "email", "phone", B24_MATCH_EMAIL_PHONE },
        { "phone", NULL, B24_MATCH_PHONE },
        { "email", NULL, B24_MATCH_EMAIL },
        { "none", NULL, B24_MATCH_NONE }
    };

    if (bscf->match != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    two = (cf->args->nelts == 3);

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {

        if (ngx_strcmp(value[1].data, forms[i].first) != 0
            || two != (forms[i].second != NULL)
            || (two && ngx_strcmp(value[2].data, forms[i].second) != 0))
        {
            continue;
        }

        bscf->match = forms[i].match;
        return NGX_CONF_OK;
    }

    return "takes \"phone email\", \"email phone\", \"phone\", \"email\" or "
           "\"none\"";
}


/* b24_api classic | universal */

char *
ngx_http_b24_conf_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    ngx_str_t  *value;

    if (bscf->api != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "classic") == 0) {
        bscf->api = 0;

    } else if (ngx_strcmp(value[1].data, "universal") == 0) {
        bscf->api = 1;

    } else {
        return "takes \"classic\" (crm.deal.add and its family) or "
               "\"universal\" (crm.item.add)";
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


/* b24_product none | id | xml_id */

char *
ngx_http_b24_conf_product(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    static char  *forms[] = { "none", "id", "xml_id" };

    if (bscf->product != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {

        if (ngx_strcmp(value[1].data, forms[i]) == 0) {
            bscf->product = B24_PRODUCT_NONE + i;
            return NGX_CONF_OK;
        }
    }

    return "takes \"none\", \"id\" (the shop's own id is the portal's) or "
           "\"xml_id\" (looked up in the portal's catalogue)";
}


/* b24_category ID: a pipeline, 0 is the portal's first one */

char *
ngx_http_b24_conf_category(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    if (bscf->category != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    return ngx_http_b24_portal_id(cf, &bscf->category, 0)
               ? NGX_CONF_OK
               : "needs the number of a pipeline, 0 (the general one) or "
                 "more";
}


/* b24_requisite_preset ID: of crm.requisite.preset.list */

char *
ngx_http_b24_conf_requisite_preset(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    if (bscf->requisite_preset != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    return ngx_http_b24_portal_id(cf, &bscf->requisite_preset, 1)
               ? NGX_CONF_OK
               : "needs the number of a requisite preset, 1 or more "
                 "(crm.requisite.preset.list names them)";
}


/* an id of the portal, which keeps them in 32 bits; 0: it is none */

static ngx_uint_t
ngx_http_b24_portal_id(ngx_conf_t *cf, ngx_int_t *id, ngx_int_t min)
{
    ngx_int_t   n;
    ngx_str_t  *value;

    value = cf->args->elts;
    n = ngx_atoi(value[1].data, value[1].len);

    if (n == NGX_ERROR || n < min || n > NGX_MAX_INT32_VALUE) {
        return 0;
    }

    *id = n;

    return 1;
}


char *
ngx_http_b24_conf_phone_code(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    size_t      i;
    ngx_str_t  *value;

    if (bscf->phone_code.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 0; i < value[1].len; i++) {
        if (value[1].data[i] < '0' || value[1].data[i] > '9') {
            break;
        }
    }

    /* E.164: a country code has one to three digits and no leading zero */

    if (value[1].len == 0 || value[1].len > 3 || i != value[1].len
        || value[1].data[0] == '0')
    {
        return "needs a country code of one to three digits, such as 7";
    }

    bscf->phone_code = value[1];

    return NGX_CONF_OK;
}


/* b24_stage STATUS STAGE;  b24_stage none; */

char *
ngx_http_b24_conf_stage(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_b24_srv_conf_t  *bscf = conf;

    ngx_str_t   *value;
    const char  *cure;

    value = cf->args->elts;

    if (cf->args->nelts == 2) {

        if (ngx_strcmp(value[1].data, "none") != 0) {
            return "takes \"STATUS STAGE\" or \"none\"";
        }

        if (bscf->stages_none != NGX_CONF_UNSET) {
            return "is duplicate";
        }

        bscf->stages_none = 1;
        return NGX_CONF_OK;
    }

    if (value[1].len == 0 || value[2].len == 0) {
        return "needs a status and a stage";
    }

    cure = b24_stage_wrong(&value[2]);

    if (cure) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"b24_stage\" has a bad deal stage \"%V\": %s",
                           &value[2], cure);
        return NGX_CONF_ERROR;
    }

    switch (ngx_http_b24_conf_pair(cf, &bscf->stages, &value[1], &value[2])) {

    case NGX_OK:
        return NGX_CONF_OK;

    case NGX_DECLINED:
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"b24_stage\" has a stage for the status \"%V\" "
                           "already", &value[1]);
    }

    return NGX_CONF_ERROR;
}


/* a line of a table; NGX_DECLINED: there is one of this name */

ngx_int_t
ngx_http_b24_conf_pair(ngx_conf_t *cf, ngx_array_t **pairs, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_uint_t   i;
    b24_pair_t  *pair;

    if (*pairs == NULL) {
        *pairs = ngx_array_create(cf->pool, 8, sizeof(b24_pair_t));
        if (*pairs == NULL) {
            return NGX_ERROR;
        }
    }

    pair = (*pairs)->elts;

    for (i = 0; i < (*pairs)->nelts; i++) {
        if (ngx_http_b24_same(&pair[i].name, name)) {
            return NGX_DECLINED;
        }
    }

    pair = ngx_array_push(*pairs);
    if (pair == NULL) {
        return NGX_ERROR;
    }

    pair->name = *name;
    pair->value = *value;
    pair->next = NULL;

    return NGX_OK;
}


/*
 * CRM fields are upper-case letters, digits and "_"; "[N]" behind a user field
 * is a place in a multiple one.
 */

static ngx_uint_t
ngx_http_b24_field_name(ngx_str_t *name)
{
    size_t  i, n;
    u_char  c;

    if (name->len == 0 || name->len > 64
        || name->data[0] < 'A' || name->data[0] > 'Z')
    {
        return 0;
    }

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_') {
            break;
        }
    }

    if (i == name->len) {
        return 1;
    }

    if (ngx_strncmp(name->data, "UF_", 3) != 0) {
        return 0;
    }

    for (n = i + 1; n < name->len; n++) {

        if (name->data[n] < '0' || name->data[n] > '9') {
            break;
        }
    }

    return name->data[i] == '[' && n > i + 1 && n <= i + 5
           && n == name->len - 1 && name->data[n] == ']';
}


/* b24_deal FIELD VALUE, b24_contact, b24_company */

char *
ngx_http_b24_conf_field(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    size_t                             i;
    ngx_str_t                         *value;
    ngx_array_t                      **fields;
    ngx_http_b24_field_t              *f;
    ngx_http_b24_main_conf_t          *bmcf;
    ngx_http_compile_complex_value_t   ccv;

    static char  *ours[] = {
        "ID", "ORIGINATOR_ID", "ORIGIN_ID", "STAGE_ID", "CATEGORY_ID",
        "OPPORTUNITY", "IS_MANUAL_OPPORTUNITY", "CONTACT_ID", "CONTACT_IDS",
        "COMPANY_ID", NULL
    };

    fields = (ngx_array_t **) (p + cmd->offset);
    value = cf->args->elts;

    if (!ngx_http_b24_field_name(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" needs a CRM field of upper-case letters, "
                           "digits and \"_\", not \"%V\"",
                           &cmd->name, &value[1]);
        return NGX_CONF_ERROR;
    }

    for (i = 0; ours[i]; i++) {
        if (ngx_strcmp(value[1].data, ours[i]) == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" cannot set %V: the module itself sets "
                               "it, leave the line out",
                               &cmd->name, &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    if (*fields == NGX_CONF_UNSET_PTR) {
        *fields = ngx_array_create(cf->pool, 4, sizeof(ngx_http_b24_field_t));
        if (*fields == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    f = (*fields)->elts;

    for (i = 0; i < (*fields)->nelts; i++) {
        if (ngx_http_b24_same(&f[i].name, &value[1])) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V %V\" is duplicate on this level",
                               &cmd->name, &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    f = ngx_array_push(*fields);
    if (f == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(f, sizeof(ngx_http_b24_field_t));

    f->name = value[1];
    f->text = value[2];
    f->late = ngx_http_b24_template_late(&value[2]);

    if (f->text.len == 0) {
        return NGX_CONF_OK;
    }

    f->value = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (f->value == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[2];
    ccv.complex_value = f->value;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    bmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_b24_module);

    if (ngx_http_b24_conf_uses(cf, bmcf, &value[2]) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_b24_conf_uses(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf,
    ngx_str_t *text)
{
    ngx_str_t           *value;
    ngx_http_b24_use_t  *use;

    value = cf->args->elts;

    use = ngx_array_push(&bmcf->uses);
    if (use == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(use, sizeof(ngx_http_b24_use_t));

    use->text = *text;
    use->directive = value[0];
    ngx_http_b24_place(cf, &use->place);

    return NGX_OK;
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
            if (ngx_http_b24_same(&op[j]->name, &shown[i].origin)) {
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

        if (ngx_http_b24_same(&op[i]->name, &bscf->origin)) {
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
        || !ngx_http_b24_same(&o->conf->database->text,
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
        || (a->webhook && (!ngx_http_b24_same(&a->webhook->url,
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

    if (!ngx_http_b24_same(&a->phone_code, &b->phone_code)) {
        return "b24_phone_code";
    }

    if (a->requisite_preset != b->requisite_preset) {
        return "b24_requisite_preset";
    }

    if (!ngx_http_b24_same(&a->certificate, &b->certificate)) {
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
            && (!ngx_http_b24_same(&a->site->url, &b->site->url)
                || !ngx_http_b24_same(&a->site->user, &b->site->user)
                || !ngx_http_b24_same(&a->site->password,
                                      &b->site->password))))
    {
        return "b24_site";
    }

    if ((a->database == NULL) != (b->database == NULL)
        || (a->database
            && (!ngx_http_b24_same(&a->database->text, &b->database->text)
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
            && (!ngx_http_b24_same(&a->alert->url, &b->alert->url)
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
            if (ngx_http_b24_same(&pa[i].name, &pb[j].name)
                && ngx_http_b24_same(&pa[i].value, &pb[j].value))
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

        if (!ngx_http_b24_same(&portal->host, &bscf->webhook->host)) {
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
