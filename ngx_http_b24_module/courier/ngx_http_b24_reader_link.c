
/* The deal's number into the shop's database, once there is a deal.  Part of
 * the reader. */


#include "ngx_http_b24_reader.h"


ngx_int_t
ngx_http_b24_reader_link(ngx_http_b24_origin_t *o, b24_pool_t *pool,
    b24_order_t *order, b24_str_t *data)
{
    b24_order_t        link;
    const b24_shop_t  *shop;

    ngx_str_null(data);

    if (o->reader == NULL) {
        return NGX_OK;
    }

    shop = b24_rules_find(ngx_http_b24_main->rules, &order->shop);

    if (shop == NULL || b24_shop_statement(shop, B24_STATEMENT_LINK) == NULL) {
        return NGX_OK;
    }

    /* what the statement needs; the buyer is not written down again */

    ngx_memzero(&link, sizeof(b24_order_t));

    link.shop = order->shop;
    link.generated = order->generated;
    link.fields[B24_ORDER_ID] = order->fields[B24_ORDER_ID];
    link.fields[B24_ORDER_ROW] = order->fields[B24_ORDER_ROW];

    return b24_order_print(pool, &link, data) == B24_OK ? NGX_OK : NGX_ERROR;
}


/* in the database's thread */

void
ngx_http_b24_link_run(ngx_http_b24_ask_t *ask, b24_database_t *db)
{
    ngx_http_b24_read_t  *read = ask->data;

    b24_buf_t               buf;
    b24_str_t               values[B24_NBINDS];
    const b24_statement_t  *statement;

    ask->rc = B24_DATABASE_UNASKED;

    statement = read->shop ? b24_shop_statement(read->shop,
                                                B24_STATEMENT_LINK)
                           : NULL;

    if (statement == NULL || read->job.deal_id == 0) {
        return;
    }

    b24_order_binds(read->order, values);

    b24_buf_init(&buf, read->pool);
    b24_buf_addi(&buf, read->job.deal_id);

    if (b24_buf_str(&buf, &values[B24_BIND_DEAL]) != B24_OK) {
        return;
    }

    ask->rc = b24_database_write(db, statement, values, &read->affected);
}


void
ngx_http_b24_link_done(ngx_http_b24_ask_t *ask)
{
    ngx_http_b24_read_t  *read = ask->data;

    ngx_http_b24_origin_t  *o;

    static const u_char  note[] =
        "the shop has no place for the number of a deal: for 1C-Bitrix add an "
        "order property with the code B24_DEAL_ID for each type of buyer";

    o = read->reader->origin;
    read->now = ngx_http_b24_now();
    read->read.state = B24_STATE_DELIVERED;

    switch (ask->rc) {

    case B24_DATABASE_UNASKED:
        break;

    case B24_DATABASE_OK:

        if (read->affected) {
            o->sh->db[NGX_HTTP_B24_DB_LINKED]++;
            break;
        }

        /* fall through */

    case B24_DATABASE_NONE:

        if (ngx_http_b24_sh_note(o->sh, note)) {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "b24: %s of \"%V\" is delivered, but the shop's "
                          "database has no place for its deal's number",
                          read->job.key, &o->name);
        }

        ngx_http_b24_read_words(read, "the deal's number is not in the shop: "
                                "its \"link\" statement found no row",
                                "for 1C-Bitrix add an order property with the "
                                "code B24_DEAL_ID for the type of buyer; else "
                                "compare the statement with the tables");
        break;

    case B24_DATABASE_SQL:
    case B24_DATABASE_LARGE:

        /* no other try would help; the deal is there */

        ngx_http_b24_read_words(read, ask->cause, ask->advice);
        break;

    default:
        ngx_http_b24_read_later(read, ask);
        return;
    }

    ngx_http_b24_read_end(read);
}
