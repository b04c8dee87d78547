
/*
 * What was captured of an order, value by value, each with the request that
 * gave it.  Who bought is shown where b24_status has "reveal" only.
 */


#include "ngx_http_b24_desk.h"
#include "b24_preview.h"


static ngx_int_t ngx_http_b24_captured_field(ngx_http_b24_desk_t *desk,
    ngx_uint_t field);
static ngx_int_t ngx_http_b24_captured_items(ngx_http_b24_desk_t *desk);
static ngx_int_t ngx_http_b24_captured_pairs(ngx_http_b24_desk_t *desk,
    const char *list, const b24_pair_t *pair);
static ngx_http_b24_value_t *ngx_http_b24_captured_add(
    ngx_http_b24_desk_t *desk, const b24_from_t *from);
static ngx_int_t ngx_http_b24_captured_mask(ngx_http_b24_desk_t *desk,
    ngx_uint_t field, const b24_str_t *value, b24_str_t *shown);
static ngx_uint_t ngx_http_b24_captured_personal(ngx_uint_t field);


#define ngx_http_b24_captured_hidden  "\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2"


/* in the thread; nothing is left of what was dropped */

void
ngx_http_b24_desk_captured(ngx_http_b24_desk_t *desk)
{
    size_t               n;
    ngx_uint_t           i;
    b24_order_t         *order;
    const b24_pair_t    *pair, *lists[3];
    b24_queue_record_t  *record;

    static const char  *names[] = { "deal.", "contact.", "company." };

    record = &desk->records[0];

    if (record->data.len == 0
        || b24_order_parse(desk->pool, &record->data, &order) != B24_OK)
    {
        return;
    }

    lists[0] = order->deal;
    lists[1] = order->contact;
    lists[2] = order->company;

    n = B24_ORDER_NFIELDS + 1;

    for (i = 0; i < 3; i++) {
        for (pair = lists[i]; pair; pair = pair->next) {
            n++;
        }
    }

    desk->values = b24_pcalloc(desk->pool, n * sizeof(ngx_http_b24_value_t));
    if (desk->values == NULL) {
        return;
    }

    desk->order = order;
    desk->nplaces = b24_order_places(order, desk->places,
                                     NGX_HTTP_B24_PLACES);

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {

        if (order->fields[i].len
            && ngx_http_b24_captured_field(desk, i) != NGX_OK)
        {
            goto failed;
        }
    }

    if (order->items && ngx_http_b24_captured_items(desk) != NGX_OK) {
        goto failed;
    }

    for (i = 0; i < 3; i++) {
        if (ngx_http_b24_captured_pairs(desk, names[i], lists[i]) != NGX_OK) {
            goto failed;
        }
    }

    return;

failed:

    /* rather nothing than a part of it */

    desk->order = NULL;
    desk->nvalues = 0;
}


static ngx_int_t
ngx_http_b24_captured_field(ngx_http_b24_desk_t *desk, ngx_uint_t field)
{
    b24_order_t           *order;
    ngx_http_b24_value_t  *value;

    order = desk->order;

    value = ngx_http_b24_captured_add(desk, &order->from[field]);

    value->field = field;
    value->name = b24_order_names[field];
    value->text = order->fields[field];

    if (desk->reveal || !ngx_http_b24_captured_personal(field)) {
        return NGX_OK;
    }

    value->masked = 1;

    return ngx_http_b24_captured_mask(desk, field, &order->fields[field],
                                      &value->text);
}


static ngx_int_t
ngx_http_b24_captured_items(ngx_http_b24_desk_t *desk)
{
    b24_buf_t              out;
    ngx_http_b24_value_t  *value;

    value = ngx_http_b24_captured_add(desk,
                                      &desk->order->from[B24_ORDER_NFIELDS]);

    value->field = NGX_HTTP_B24_VALUE_ITEMS;
    ngx_str_set(&value->name, "items");

    b24_buf_init(&out, desk->pool);
    b24_buf_addi(&out, (int64_t) desk->order->nitems);

    return b24_buf_str(&out, &value->text) == B24_OK ? NGX_OK : NGX_ERROR;
}


/* fields of the CRM may hold anything */

static ngx_int_t
ngx_http_b24_captured_pairs(ngx_http_b24_desk_t *desk, const char *list,
    const b24_pair_t *pair)
{
    b24_buf_t              out;
    ngx_http_b24_value_t  *value;

    for ( /* void */ ; pair; pair = pair->next) {
        value = ngx_http_b24_captured_add(desk, &pair->from);

        value->field = NGX_HTTP_B24_VALUE_PAIR;
        value->text = pair->value;

        b24_buf_init(&out, desk->pool);
        b24_buf_adds(&out, list);
        b24_buf_addstr(&out, &pair->name);

        if (b24_buf_str(&out, &value->name) != B24_OK) {
            return NGX_ERROR;
        }

        if (desk->reveal) {
            continue;
        }

        value->masked = 1;

        b24_buf_init(&out, desk->pool);
        b24_preview_mask(&out, &pair->value);

        if (b24_buf_str(&out, &value->text) != B24_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_http_b24_value_t *
ngx_http_b24_captured_add(ngx_http_b24_desk_t *desk, const b24_from_t *from)
{
    size_t                 i;
    ngx_http_b24_value_t  *value;

    value = &desk->values[desk->nvalues++];

    value->part = from->part;
    value->place = NULL;

    for (i = 0; from->place && i < desk->nplaces; i++) {
        if (b24_place_same(desk->places[i], from->place)) {
            value->place = desk->places[i];
            break;
        }
    }

    return value;
}


/* of a phone the last two digits help to tell one buyer from another */

static ngx_int_t
ngx_http_b24_captured_mask(ngx_http_b24_desk_t *desk, ngx_uint_t field,
    const b24_str_t *value, b24_str_t *shown)
{
    b24_buf_t  out;

    b24_buf_init(&out, desk->pool);
    b24_buf_adds(&out, ngx_http_b24_captured_hidden);

    if (field == B24_ORDER_PHONE && value->len > 6
        && b24_isdigit(value->data[value->len - 1])
        && b24_isdigit(value->data[value->len - 2]))
    {
        b24_buf_add(&out, value->data + value->len - 2, 2);
    }

    return b24_buf_str(&out, shown) == B24_OK ? NGX_OK : NGX_ERROR;
}


static ngx_uint_t
ngx_http_b24_captured_personal(ngx_uint_t field)
{
    switch (field) {

    case B24_ORDER_NAME:
    case B24_ORDER_FIRST_NAME:
    case B24_ORDER_SECOND_NAME:
    case B24_ORDER_LAST_NAME:
    case B24_ORDER_PHONE:
    case B24_ORDER_EMAIL:
    case B24_ORDER_COMPANY:
    case B24_ORDER_INN:
    case B24_ORDER_KPP:
    case B24_ORDER_ADDRESS:
    case B24_ORDER_COMMENT:
        return 1;

    default:
        return 0;
    }
}


/* a directive's value goes before what was captured, and is no request's */

ngx_uint_t
ngx_http_b24_captured_configured(ngx_http_b24_desk_t *desk,
    ngx_http_b24_value_t *value)
{
    return value->field == NGX_HTTP_B24_VALUE_PAIR && value->place == NULL
           && desk->nplaces;
}
