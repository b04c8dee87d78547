
/*
 * What an order becomes in the portal, and when it is tried again: b24_retry,
 * b24_match, b24_api, b24_product, b24_category, b24_requisite_preset,
 * b24_phone_code, b24_stage, b24_deal and its like.
 */


#include "ngx_http_b24_module.h"


static ngx_uint_t ngx_http_b24_portal_id(ngx_conf_t *cf, ngx_int_t *id,
    ngx_int_t min);
static ngx_uint_t ngx_http_b24_field_name(ngx_str_t *name);


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
        if (b24_str_eq(&pair[i].name, name)) {
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
        if (b24_str_eq(&f[i].name, &value[1])) {
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
