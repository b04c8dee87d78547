
/*
 * Before the first order: what a portal says of itself, and what of our
 * configuration it does not know.  An order never waits for that: without the
 * book stages are sent as they are configured, and the deal is read back.
 */


#include "ngx_http_b24_courier.h"


#define NGX_HTTP_B24_BOOK_DAY    86400      /* s until it is asked anew */
#define NGX_HTTP_B24_BOOK_LATER  600        /* s after an answer in part */
#define NGX_HTTP_B24_BOOK_SOON   60         /* s after a failure */


/* one line of the warnings: ORIGIN, a tab, what is wrong */
typedef struct {
    u_char                    text[NGX_HTTP_B24_WARNINGS];
    u_char                   *last;
    ngx_http_b24_book_t      *book;
    ngx_http_b24_origin_t    *origin;   /* whose shop's lines are looked at */
    b24_str_t                *shop;
    b24_str_t                 told;     /* the line before was about it */
} ngx_http_b24_warnings_t;


static ngx_int_t ngx_http_b24_book_pages(ngx_http_b24_book_t *book);
static ngx_int_t ngx_http_b24_book_lines(ngx_http_b24_book_t *book,
    ngx_http_b24_origin_t *o);
static ngx_http_b24_srv_conf_t *ngx_http_b24_book_webhook(
    ngx_http_b24_book_t *book);
static ngx_int_t ngx_http_b24_book_send(ngx_http_b24_book_t *book);
static ngx_int_t ngx_http_b24_book_again(ngx_http_b24_book_t *book);
static void ngx_http_b24_book_answer(ngx_http_b24_transfer_t *t);
static void ngx_http_b24_book_drop(ngx_http_b24_book_t *book);
static void ngx_http_b24_book_take(ngx_http_b24_book_t *book);
static void ngx_http_b24_book_check_self(ngx_http_b24_warnings_t *w,
    ngx_http_b24_origin_t *o);
static int ngx_http_b24_book_check_currency(void *data,
    const b24_str_t *code);
static void ngx_http_b24_book_check_stages(ngx_http_b24_warnings_t *w,
    ngx_http_b24_origin_t *o, b24_str_t *shop);
static void ngx_http_b24_book_check_lines(ngx_http_b24_warnings_t *w,
    ngx_http_b24_origin_t *o);
static void ngx_http_b24_book_warn(ngx_http_b24_warnings_t *w,
    ngx_http_b24_origin_t *o, const char *fmt, ...);


ngx_uint_t
ngx_http_b24_book_due(ngx_http_b24_book_t *book)
{
    return book->transfer.data == NULL && ngx_time() >= book->due;
}


ngx_int_t
ngx_http_b24_book_fetch(ngx_http_b24_book_t *book)
{
    ngx_http_b24_book_drop(book);

    book->next_pool = b24_pool_create(0);
    if (book->next_pool == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_b24_book_pages(book) != NGX_OK
        || ngx_http_b24_book_send(book) != NGX_OK)
    {
        ngx_http_b24_portal_result(book->portal, B24_NET_UNSENT, NULL);
        ngx_http_b24_book_drop(book);
        book->due = ngx_time() + NGX_HTTP_B24_BOOK_LATER;
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* the other method, at once: one request more, once a day */

static ngx_int_t
ngx_http_b24_book_again(ngx_http_b24_book_t *book)
{
    if (ngx_http_b24_portal_take(book->portal) != 0) {
        return NGX_DECLINED;
    }

    if (ngx_http_b24_book_send(book) != NGX_OK) {
        ngx_http_b24_portal_result(book->portal, B24_NET_UNSENT, NULL);
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_http_b24_book_free(ngx_http_b24_book_t *book)
{
    ngx_http_b24_book_drop(book);

    if (book->pool) {
        b24_pool_destroy(book->pool);
        book->pool = NULL;
        ngx_memzero(&book->book, sizeof(b24_book_t));
    }
}


/* empty pages: the pipelines of all origins, the catalogue if one needs it,
 * and what their lines are checked against */

static ngx_int_t
ngx_http_b24_book_pages(ngx_http_b24_book_t *book)
{
    ngx_uint_t                i;
    b24_pipeline_t           *p;
    ngx_http_b24_origin_t   **op;
    ngx_http_b24_srv_conf_t  *bscf;

    ngx_memzero(&book->next, sizeof(b24_book_t));

    book->next.want_self = 1;

    op = book->portal->origins.elts;

    for (i = 0; i < book->portal->origins.nelts; i++) {
        bscf = op[i]->conf;

        if (bscf->product == B24_PRODUCT_XML_ID) {
            book->next.want_catalog = 1;
        }

        if (ngx_http_b24_book_lines(book, op[i]) != NGX_OK) {
            return NGX_ERROR;
        }

        if (b24_book_pipeline(&book->next, (int) bscf->category)) {
            continue;
        }

        p = b24_pcalloc(book->next_pool, sizeof(b24_pipeline_t));
        if (p == NULL) {
            return NGX_ERROR;
        }

        p->category = (int) bscf->category;
        p->next = book->next.pipelines;
        book->next.pipelines = p;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_b24_book_lines(ngx_http_b24_book_t *book, ngx_http_b24_origin_t *o)
{
    ngx_uint_t            i;
    ngx_http_b24_line_t  *l;

    if (o->lines == NULL) {
        return NGX_OK;
    }

    l = o->lines->elts;

    for (i = 0; i < o->lines->nelts; i++) {
        if (b24_book_want(book->next_pool, &book->next, o->conf->api,
                          &l[i].line)
            != B24_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* any of the portal's will do; one that also sends, where there is one */

static ngx_http_b24_srv_conf_t *
ngx_http_b24_book_webhook(ngx_http_b24_book_t *book)
{
    ngx_uint_t               i;
    ngx_http_b24_origin_t  **op;

    op = book->portal->origins.elts;

    for (i = 0; i < book->portal->origins.nelts; i++) {

        if (!op[i]->conf->webhook->dry) {
            return op[i]->conf;
        }
    }

    return op[0]->conf;
}


static ngx_int_t
ngx_http_b24_book_send(ngx_http_b24_book_t *book)
{
    b24_batch_t               batch;
    ngx_http_b24_srv_conf_t  *bscf;
    ngx_http_b24_transfer_t  *t;

    bscf = ngx_http_b24_book_webhook(book);

    b24_batch_init(&batch, book->next_pool, 0);

    t = &book->transfer;

    ngx_memzero(t, sizeof(ngx_http_b24_transfer_t));

    if (ngx_http_b24_portal_url(book->portal, bscf->webhook, "batch",
                                book->next_pool, &t->url)
        != NGX_OK
        || b24_book_ask(&batch, &book->next) != B24_OK
        || b24_batch_print(&batch, &t->body) != B24_OK)
    {
        return NGX_ERROR;
    }

    t->certificate = bscf->certificate;
    t->done = ngx_http_b24_book_answer;
    t->data = book;

    if (ngx_http_b24_curl_send(t) != NGX_OK) {
        t->data = NULL;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_b24_book_answer(ngx_http_b24_transfer_t *t)
{
    ngx_http_b24_book_t  *book = t->data;

    int            rc, again;
    b24_answer_t   answer;
    b24_verdict_t  verdict;

    if (ngx_http_b24_portal_follow(book->portal, t, book->next_pool)
        == NGX_OK)
    {
        return;
    }

    t->data = NULL;
    again = 0;

    rc = b24_answer_parse(book->next_pool, t->net, (unsigned) t->http,
                          &t->answer, &answer);

    ngx_http_b24_portal_result(book->portal, t->net,
                               rc == B24_OK ? &answer.verdict : NULL);

    if (rc != B24_OK
        || b24_book_read(book->next_pool, &answer, &book->next, &verdict,
                         &again)
           != B24_OK)
    {
        book->due = ngx_time() + NGX_HTTP_B24_BOOK_LATER;
        goto done;
    }

    if (answer.verdict.class != B24_CLASS_OK) {
        ngx_http_b24_portal_refused(book->portal,
                                    ngx_http_b24_book_webhook(book), t,
                                    &verdict);

        book->due = ngx_time() + NGX_HTTP_B24_BOOK_SOON;
        goto done;
    }

    if (again && ngx_http_b24_book_again(book) == NGX_OK) {
        return;
    }

    book->due = ngx_time() + (verdict.class == B24_CLASS_OK && !again
                              ? NGX_HTTP_B24_BOOK_DAY
                              : NGX_HTTP_B24_BOOK_LATER);

    /* it proves that the portal answers, not that it takes orders; in a trial
     * run nothing else will */

    if (book->portal->sh->state != NGX_HTTP_B24_PORTAL_BLOCKED
        || ngx_http_b24_book_webhook(book)->webhook->dry)
    {
        ngx_http_b24_portal_good(book->portal);
    }

    ngx_http_b24_book_take(book);

    book->done(book->data);
    return;

done:

    ngx_http_b24_book_drop(book);

    book->done(book->data);
}


static void
ngx_http_b24_book_drop(ngx_http_b24_book_t *book)
{
    if (book->next_pool) {
        b24_pool_destroy(book->next_pool);
        book->next_pool = NULL;
    }
}


/* no order is under way on the lane, so nobody holds the old one */

static void
ngx_http_b24_book_take(ngx_http_b24_book_t *book)
{
    if (book->pool) {
        b24_pool_destroy(book->pool);
    }

    book->pool = book->next_pool;
    book->book = book->next;
    book->next_pool = NULL;

    book->portal->sh->checked = (ngx_atomic_uint_t) ngx_time();

    ngx_http_b24_book_check(book);
}


/* ---- what the portal does not know ---- */

void
ngx_http_b24_book_check(ngx_http_b24_book_t *book)
{
    ngx_uint_t                i, j;
    b24_str_t                *shops;
    const b24_pipeline_t     *p;
    ngx_http_b24_origin_t   **op;
    ngx_http_b24_srv_conf_t  *bscf;
    ngx_http_b24_warnings_t   w;

    w.last = w.text;
    w.text[0] = '\0';
    w.book = book;

    op = book->portal->origins.elts;

    for (i = 0; i < book->portal->origins.nelts; i++) {
        bscf = op[i]->conf;

        if (book->portal->moved.len) {
            ngx_http_b24_book_warn(&w, op[i], "the portal has moved to \"%V\": "
                                   "correct b24_webhook", &book->portal->moved);
        }

        ngx_http_b24_book_check_self(&w, op[i]);

        p = b24_book_pipeline(&book->book, (int) bscf->category);

        if (p == NULL || !p->known) {
            continue;
        }

        if (p->nstages == 0) {
            ngx_http_b24_book_warn(&w, op[i], "the portal has no pipeline %i: "
                                   "correct b24_category", bscf->category);

        } else if (bscf->shops) {
            shops = bscf->shops->elts;

            for (j = 0; j < bscf->shops->nelts; j++) {
                ngx_http_b24_book_check_stages(&w, op[i], &shops[j]);
            }
        }

        if (bscf->product != B24_PRODUCT_XML_ID) {
            continue;
        }

        if (book->book.refused.len) {
            ngx_http_b24_book_warn(&w, op[i], "the portal's catalogue can't be "
                                   "read (%V): give the webhook the "
                                   "permission \"catalog\"; until then "
                                   "products are free rows",
                                   &book->book.refused);

        } else if (book->book.catalog_known && book->book.niblocks == 0) {
            ngx_http_b24_book_warn(&w, op[i], "the portal has no catalogue: "
                                   "products are free rows");
        }
    }

    /* last, since the page may have no room for all */

    for (i = 0; i < book->portal->origins.nelts; i++) {
        ngx_http_b24_book_check_lines(&w, op[i]);
    }

    ngx_http_b24_sh_warnings(book->portal->sh, w.text);
}


static void
ngx_http_b24_book_check_self(ngx_http_b24_warnings_t *w,
    ngx_http_b24_origin_t *o)
{
    b24_str_t         *shops;
    ngx_uint_t         i;
    const b24_shop_t  *shop;
    const b24_book_t  *book;

    book = &w->book->book;

    if (book->scope_known && !book->scope_crm) {
        ngx_http_b24_book_warn(w, o, "the webhook lacks the permission "
                               "\"crm\": tick CRM in the webhook's settings; "
                               "until then no order can be sent");

    } else if (book->denied.len) {
        ngx_http_b24_book_warn(w, o, "the portal refuses to tell its stages "
                               "(%V): give the user of the webhook rights to "
                               "read and add contacts, companies and deals",
                               &book->denied);
    }

    if (o->conf->product == B24_PRODUCT_XML_ID && book->scope_known
        && !book->scope_catalog && book->refused.len == 0)
    {
        ngx_http_b24_book_warn(w, o, "the webhook lacks the permission "
                               "\"catalog\", which b24_product xml_id needs: "
                               "tick it in the webhook's settings; until then "
                               "products are free rows");
    }

    if (o->conf->shops == NULL) {
        return;
    }

    shops = o->conf->shops->elts;

    w->origin = o;
    ngx_str_null(&w->told);

    for (i = 0; i < o->conf->shops->nelts; i++) {
        shop = b24_rules_find(ngx_http_b24_main->rules, &shops[i]);

        if (shop) {
            w->shop = &shops[i];
            (void) b24_shop_currencies(shop, ngx_http_b24_book_check_currency,
                                       w);
        }
    }
}


static int
ngx_http_b24_book_check_currency(void *data, const b24_str_t *code)
{
    ngx_http_b24_warnings_t  *w = data;

    /* most shops say the same in each of their blocks */

    if (b24_book_currency(&w->book->book, code)
        || b24_str_eq(&w->told, code))
    {
        return 0;
    }

    w->told = *code;

    ngx_http_b24_book_warn(w, w->origin, "the portal has no currency \"%V\", "
                           "which the shop \"%V\" uses: add it in the CRM's "
                           "settings, or correct the currency line; such "
                           "orders are parked", code, w->shop);

    return 0;
}


static void
ngx_http_b24_book_check_stages(ngx_http_b24_warnings_t *w,
    ngx_http_b24_origin_t *o, b24_str_t *shop)
{
    b24_str_t            stage;
    b24_pool_t          *pool;
    const b24_pair_t    *pair;
    b24_crm_settings_t   set;

    pool = b24_pool_create(0);
    if (pool == NULL) {
        return;
    }

    ngx_memzero(&set, sizeof(b24_crm_settings_t));

    if (ngx_http_b24_crm_settings(pool, o, shop, &set) != NGX_OK) {
        b24_pool_destroy(pool);
        return;
    }

    set.book = &w->book->book;

    for (pair = set.stages; pair; pair = pair->next) {

        if (pair->value.len == 0
            || b24_crm_stage_id(pool, &set, &pair->value, &stage) != B24_OK
            || b24_crm_stage_known(&set, &stage))
        {
            continue;
        }

        ngx_http_b24_book_warn(w, o, "the portal has no stage \"%V\" (of the "
                               "status \"%V\") in pipeline %d: correct the "
                               "stage line of the shop \"%V\" or add a "
                               "b24_stage; such orders go to the pipeline's "
                               "first stage",
                               &stage, &pair->name, set.category, shop);
    }

    if (set.stages && set.default_status.len
        && b24_pair_get(set.stages, &set.default_status) == NULL)
    {
        ngx_http_b24_book_warn(w, o, "the default_status \"%V\" of the shop "
                               "\"%V\" has no stage line",
                               &set.default_status, shop);
    }

    b24_pool_destroy(pool);
}


static void
ngx_http_b24_book_check_lines(ngx_http_b24_warnings_t *w,
    ngx_http_b24_origin_t *o)
{
    b24_str_t             text;
    b24_pool_t           *pool;
    ngx_uint_t            i;
    ngx_http_b24_line_t  *l;

    if (o->lines == NULL) {
        return;
    }

    pool = b24_pool_create(0);
    if (pool == NULL) {
        return;
    }

    l = o->lines->elts;

    for (i = 0; i < o->lines->nelts; i++) {

        if (b24_book_line_wrong(pool, &w->book->book, o->conf->api,
                                &l[i].line, &text)
            != B24_OK)
        {
            break;
        }

        if (text.len == 0) {
            continue;
        }

        if (l[i].shop) {
            ngx_http_b24_book_warn(w, o, "%s %V of the shop \"%V\": %V",
                                   l[i].directive, &l[i].line.field,
                                   l[i].shop, &text);

        } else {
            ngx_http_b24_book_warn(w, o, "%s %V: %V", l[i].directive,
                                   &l[i].line.field, &text);
        }
    }

    b24_pool_destroy(pool);
}


/* to the log, and to the page as long as there is room */

static void
ngx_http_b24_book_warn(ngx_http_b24_warnings_t *w, ngx_http_b24_origin_t *o,
    const char *fmt, ...)
{
    u_char   *p, *end, text[NGX_MAX_ERROR_STR / 2];
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(text, text + sizeof(text) - 1, fmt, args);
    va_end(args);

    *p = '\0';

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "b24: portal \"%V\", origin \"%V\": %s",
                  &w->book->portal->host, &o->name, text);

    end = w->text + NGX_HTTP_B24_WARNINGS - 1;

    if ((size_t) (end - w->last) < o->name.len + (p - text) + 2) {
        return;
    }

    w->last = ngx_slprintf(w->last, end, "%V\t%s\n", &o->name, text);
    *w->last = '\0';
}


/* ---- settings ---- */

ngx_int_t
ngx_http_b24_crm_settings(b24_pool_t *pool, ngx_http_b24_origin_t *o,
    b24_str_t *shop_name, b24_crm_settings_t *set)
{
    ngx_uint_t                i;
    const b24_pair_t         *pair;
    const b24_shop_t         *shop;
    ngx_http_b24_srv_conf_t  *bscf;

    bscf = o->conf;

    ngx_memzero(set, sizeof(b24_crm_settings_t));

    set->origin = o->name;
    set->category = (int) bscf->category;
    set->universal = bscf->api;
    set->match = (b24_match_e) bscf->match;
    set->phone_code = bscf->phone_code;
    set->requisite_preset = (int) bscf->requisite_preset;
    set->product = (b24_product_e) bscf->product;
    set->update = (b24_update_e) bscf->update;

    shop = b24_rules_find(ngx_http_b24_main->rules, shop_name);

    if (shop) {
        set->default_status = *b24_shop_default_status(shop);
    }

    if (shop && !bscf->stages_none) {

        for (pair = b24_shop_stages(shop); pair; pair = pair->next) {
            if (b24_pair_set(pool, &set->stages, &pair->name, &pair->value)
                != B24_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    if (bscf->stage_back) {
        set->back = bscf->stage_back->elts;
    }

    if (bscf->stages == NULL) {
        return NGX_OK;
    }

    pair = bscf->stages->elts;

    for (i = 0; i < bscf->stages->nelts; i++) {
        if (b24_pair_set(pool, &set->stages, &pair[i].name, &pair[i].value)
            != B24_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
