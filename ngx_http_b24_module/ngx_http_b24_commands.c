
/* The directives, and the lines of the rule language. */


#include "ngx_http_b24_session.h"


#define NGX_HTTP_B24_SRV   NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF
#define NGX_HTTP_B24_LOC   NGX_HTTP_B24_SRV|NGX_HTTP_LOC_CONF

/* a line, or a block, of the rule language */
#define ngx_http_b24_rule(name, ctx)                                          \
    { ngx_string(name), (ctx)|NGX_CONF_ANY, ngx_http_b24_shop_line,           \
      NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL }

#define ngx_http_b24_rule_block(name, ctx)                                    \
    { ngx_string(name), (ctx)|NGX_CONF_ANY|NGX_CONF_BLOCK,                    \
      ngx_http_b24_shop_line, NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL }


/* not const: ngx_http_b24_shop_peek() sets NGX_CONF_BLOCK by what follows */
ngx_command_t  ngx_http_b24_commands[] = {

    { ngx_string("b24_queue"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_b24_conf_queue,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_shop"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_1MORE,
      ngx_http_b24_shop,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_sessions"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_b24_conf_sessions,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_webhook"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE12,
      ngx_http_b24_conf_webhook,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_origin"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE1,
      ngx_http_b24_conf_origin,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_rate"),
      NGX_HTTP_B24_SRV|NGX_CONF_1MORE,
      ngx_http_b24_conf_rate,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_retry"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE123,
      ngx_http_b24_conf_retry,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_api"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE1,
      ngx_http_b24_conf_api,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_product"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE1,
      ngx_http_b24_conf_product,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_category"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE1,
      ngx_http_b24_conf_category,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_stage"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE12,
      ngx_http_b24_conf_stage,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_stage_back"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE2,
      ngx_http_b24_conf_stage_back,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_match"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE12,
      ngx_http_b24_conf_match,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_phone_code"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE1,
      ngx_http_b24_conf_phone_code,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_requisite_preset"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE1,
      ngx_http_b24_conf_requisite_preset,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_trusted_certificate"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE1,
      ngx_http_b24_conf_certificate,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_database"),
      NGX_HTTP_B24_SRV|NGX_CONF_1MORE,
      ngx_http_b24_conf_database,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_import"),
      NGX_HTTP_B24_SRV|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_b24_srv_conf_t, imports),
      NULL },

    { ngx_string("b24_alert"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE1234,
      ngx_http_b24_conf_alert,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_site"),
      NGX_HTTP_SRV_CONF|NGX_CONF_TAKE123,
      ngx_http_b24_conf_site,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_update"),
      NGX_HTTP_B24_SRV|NGX_CONF_TAKE1,
      ngx_http_b24_conf_update,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_mirror"),
      NGX_HTTP_B24_LOC|NGX_CONF_TAKE1,
      ngx_http_b24_conf_mirror,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_journal"),
      NGX_HTTP_B24_LOC|NGX_CONF_TAKE1,
      ngx_http_b24_conf_journal,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_capture"),
      NGX_HTTP_B24_LOC|NGX_CONF_TAKE123,
      ngx_http_b24_conf_capture,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_deal"),
      NGX_HTTP_B24_LOC|NGX_CONF_TAKE2,
      ngx_http_b24_conf_field,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_b24_loc_conf_t, deal),
      NULL },

    { ngx_string("b24_contact"),
      NGX_HTTP_B24_LOC|NGX_CONF_TAKE2,
      ngx_http_b24_conf_field,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_b24_loc_conf_t, contact),
      NULL },

    { ngx_string("b24_company"),
      NGX_HTTP_B24_LOC|NGX_CONF_TAKE2,
      ngx_http_b24_conf_field,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_b24_loc_conf_t, company),
      NULL },

    { ngx_string("b24_events"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_b24_conf_events,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("b24_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_http_b24_conf_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    /* inside b24_shop */

    ngx_http_b24_rule("session",
                      NGX_HTTP_B24_SHOP_CONF|NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("stage", NGX_HTTP_B24_SHOP_CONF),
    ngx_http_b24_rule("default_status", NGX_HTTP_B24_SHOP_CONF),
    ngx_http_b24_rule_block("order", NGX_HTTP_B24_SHOP_CONF),
    ngx_http_b24_rule_block("collect", NGX_HTTP_B24_SHOP_CONF),
    ngx_http_b24_rule_block("status", NGX_HTTP_B24_SHOP_CONF),
    ngx_http_b24_rule_block("database", NGX_HTTP_B24_SHOP_CONF),
    ngx_http_b24_rule_block("write", NGX_HTTP_B24_SHOP_CONF),

    /* inside order, collect and status; some inside items, database, write */

    ngx_http_b24_rule("uri", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("method",
                      NGX_HTTP_B24_RULE_CONF|NGX_HTTP_B24_WRITE_CONF),
    ngx_http_b24_rule("when", NGX_HTTP_B24_RULE_CONF|NGX_HTTP_B24_ITEMS_CONF
                              |NGX_HTTP_B24_WRITE_CONF),
    ngx_http_b24_rule("accept",
                      NGX_HTTP_B24_RULE_CONF|NGX_HTTP_B24_WRITE_CONF),
    ngx_http_b24_rule("learn",
                      NGX_HTTP_B24_RULE_CONF|NGX_HTTP_B24_WRITE_CONF),
    ngx_http_b24_rule("deal", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("contact", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("company_field", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule_block("items", NGX_HTTP_B24_RULE_CONF),

    ngx_http_b24_rule("id", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("row", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("name",
                      NGX_HTTP_B24_RULE_CONF|NGX_HTTP_B24_ITEMS_CONF),
    ngx_http_b24_rule("first_name", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("second_name", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("last_name", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("phone", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("email", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("company", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("inn", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("kpp", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("address", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("comment", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("total", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("currency", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("delivery", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("discount",
                      NGX_HTTP_B24_RULE_CONF|NGX_HTTP_B24_ITEMS_CONF),
    ngx_http_b24_rule("tax", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("minor_units", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("status", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("canceled", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("paid", NGX_HTTP_B24_RULE_CONF),
    ngx_http_b24_rule("shipped", NGX_HTTP_B24_RULE_CONF),

    ngx_http_b24_rule("price", NGX_HTTP_B24_ITEMS_CONF),
    ngx_http_b24_rule("sum", NGX_HTTP_B24_ITEMS_CONF),
    ngx_http_b24_rule("quantity", NGX_HTTP_B24_ITEMS_CONF),
    ngx_http_b24_rule("product_id", NGX_HTTP_B24_ITEMS_CONF),
    ngx_http_b24_rule("xml_id", NGX_HTTP_B24_ITEMS_CONF),
    ngx_http_b24_rule("tax_rate", NGX_HTTP_B24_ITEMS_CONF),
    ngx_http_b24_rule("tax_included", NGX_HTTP_B24_ITEMS_CONF),
    ngx_http_b24_rule("measure", NGX_HTTP_B24_ITEMS_CONF),

    ngx_http_b24_rule("order", NGX_HTTP_B24_DB_CONF),
    ngx_http_b24_rule("items", NGX_HTTP_B24_DB_CONF),
    ngx_http_b24_rule("changes", NGX_HTTP_B24_DB_CONF),
    ngx_http_b24_rule("link", NGX_HTTP_B24_DB_CONF),

    ngx_http_b24_rule("url", NGX_HTTP_B24_WRITE_CONF),
    ngx_http_b24_rule("header", NGX_HTTP_B24_WRITE_CONF),
    ngx_http_b24_rule("body", NGX_HTTP_B24_WRITE_CONF),
    ngx_http_b24_rule("expired", NGX_HTTP_B24_WRITE_CONF),

      ngx_null_command
};
