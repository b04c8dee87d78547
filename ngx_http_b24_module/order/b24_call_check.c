
/* Blocks "write" when their shop is closed: heirs, checks, names they use. */


#include "b24_rules_int.h"
#include "b24_call.h"

#include <stdio.h>


#define B24_CALL_TITLE  (B24_RULES_NAME + 16)


/* which names a block may use: those of every run, and learned before it */
typedef struct {
    b24_rules_t       *rules;
    const b24_shop_t  *shop;
    const b24_call_t  *call;
} b24_call_check_t;


static b24_call_t *b24_call_heir(b24_rules_t *rules, const b24_call_t *base,
    const b24_call_t *own);
static int b24_call_drops(b24_rules_t *rules, b24_shop_t *shop);
static int b24_call_whole(b24_rules_t *rules, b24_call_t *call);
static int b24_call_last(b24_rules_t *rules, const b24_call_t *call);
static int b24_call_kind(b24_rules_t *rules, b24_call_t *call);
static int b24_call_kind_type(b24_rules_t *rules, b24_call_t *call,
    const b24_source_t *type);
static int b24_call_known(void *data, const char *what,
    const b24_str_t *name);
static const char *b24_call_title(const b24_call_t *call,
    char buf[B24_CALL_TITLE]);
static int b24_call_source_names(const b24_source_t *source, const char *what,
    b24_call_name_pt fn, void *data);
static int b24_call_value_names(const b24_value_t *value, const char *what,
    b24_call_name_pt fn, void *data);


/* ---- heirs ---- */

/* the base's, with the heir's lines over them; then the heir's own: what they
 * need was learned by then */
int
b24_call_heirs(b24_rules_t *rules, b24_shop_t *shop)
{
    int                rc;
    b24_call_t        *own, *call, *list, **last;
    const b24_call_t  *base;

    rc = b24_call_drops(rules, shop);
    if (rc != B24_OK) {
        return rc;
    }

    list = NULL;
    last = &list;
    base = shop->calls_off ? NULL : shop->base->calls;

    for ( /* void */ ; base; base = base->next) {

        own = b24_call_find(shop->calls, &base->name);

        if (own && own->off) {
            continue;
        }

        call = b24_call_heir(rules, base, own);
        if (call == NULL) {
            return B24_ERROR;
        }

        *last = call;
        last = &call->next;
    }

    for (own = shop->calls; own; own = call) {
        call = own->next;

        if (own->off || b24_call_find(list, &own->name)) {
            continue;
        }

        own->next = NULL;
        *last = own;
        last = &own->next;
    }

    shop->calls = list;

    return B24_OK;
}


static int
b24_call_drops(b24_rules_t *rules, b24_shop_t *shop)
{
    const b24_call_t  *own;

    if (shop->calls_off && shop->base->calls == NULL) {
        return b24_rules_fail(rules, "\"write off\": the base \"%.*s\" has no "
                              "such block, leave the line out",
                              b24_rules_arg(&shop->base->name));
    }

    for (own = shop->calls; own; own = own->next) {

        if (own->off && b24_call_find(shop->base->calls, &own->name) == NULL) {
            return b24_rules_fail(rules, "\"write %.*s off\": the base "
                                  "\"%.*s\" has no such block, leave the line "
                                  "out", b24_rules_arg(&own->name),
                                  b24_rules_arg(&shop->base->name));
        }
    }

    return B24_OK;
}


static b24_call_t *
b24_call_heir(b24_rules_t *rules, const b24_call_t *base,
    const b24_call_t *own)
{
    b24_call_t  *copy;

    copy = b24_palloc(rules->pool, sizeof(b24_call_t));
    if (copy == NULL) {
        return NULL;
    }

    *copy = *base;
    copy->next = NULL;

    if (own == NULL) {
        return copy;
    }

    copy->method = own->method.len ? own->method : base->method;
    copy->url = own->url ? own->url : base->url;
    copy->body = own->body ? own->body : base->body;
    copy->when = own->when ? own->when : base->when;
    copy->accept = own->accept ? own->accept : base->accept;
    copy->expired = own->expired ? own->expired : base->expired;
    copy->headers = own->headers;
    copy->learn = own->learn;

    if (b24_heir_pairs(rules, &copy->headers, base->headers, b24_str_caseeq)
        != B24_OK
        || b24_heir_pairs(rules, &copy->learn, base->learn, b24_str_eq)
           != B24_OK)
    {
        return NULL;
    }

    return copy;
}


/* ---- checks ---- */

int
b24_call_check(b24_rules_t *rules, b24_shop_t *shop)
{
    int                rc;
    unsigned           n;
    b24_call_t        *call;
    b24_call_check_t   check;

    check.rules = rules;
    check.shop = shop;
    n = 0;

    for (call = shop->calls; call; call = call->next) {

        if (++n > B24_SHOP_CALLS) {
            return b24_rules_fail(rules, "\"b24_shop %.*s\" has too many "
                                  "\"write\" blocks with those of its base: a "
                                  "shop takes at most %d",
                                  b24_rules_arg(&shop->name), B24_SHOP_CALLS);
        }

        rc = b24_call_whole(rules, call);

        if (rc == B24_OK) {
            check.call = call;
            rc = b24_call_names(call, b24_call_known, &check);
        }

        if (rc == B24_OK) {
            rc = b24_call_last(rules, call);
        }

        if (rc != B24_OK) {
            return rc;
        }
    }

    return B24_OK;
}


static int
b24_call_whole(b24_rules_t *rules, b24_call_t *call)
{
    char       title[B24_CALL_TITLE];
    b24_str_t  post = b24_string("POST");

    if (call->url == NULL) {
        return b24_rules_fail(rules, "\"%s\" has no \"url\": say what is "
                              "called, such as url "
                              "\"%%{site}/api/orders/%%{id}\"",
                              b24_call_title(call, title));
    }

    if (call->accept == NULL) {
        return b24_rules_fail(rules, "\"%s\" has no \"accept\": say how the "
                              "shop's answer tells that it did it, such as "
                              "accept response:/status \"=%%{status}\"",
                              b24_call_title(call, title));
    }

    if (call->method.len == 0) {
        call->method = post;
    }

    if (call->body && b24_str_eqs(&call->method, "GET")) {
        return b24_rules_fail(rules, "\"%s\" has a \"body\", and a GET has "
                              "none: add \"method POST\" or the like",
                              b24_call_title(call, title));
    }

    return call->body ? b24_call_kind(rules, call) : B24_OK;
}


/* what learns is called for the sake of another one */
static int
b24_call_last(b24_rules_t *rules, const b24_call_t *call)
{
    char               title[B24_CALL_TITLE];
    const b24_call_t  *next;

    for (next = call; next && next->learn; next = next->next) {
        /* void */
    }

    if (next) {
        return B24_OK;
    }

    return b24_rules_fail(rules, "\"%s\" learns for blocks after it, and none "
                          "of them is without \"learn\": it would never be "
                          "called, leave its \"learn\" lines out or add the "
                          "block that writes", b24_call_title(call, title));
}


/* by its Content-Type, else by what it begins with */
static int
b24_call_kind(b24_rules_t *rules, b24_call_t *call)
{
    b24_str_t           text;
    const b24_named_t  *header;

    for (header = call->headers; header; header = header->next) {

        if (b24_str_caseeqs(&header->name, "Content-Type")
            && header->value.alts)
        {
            return b24_call_kind_type(rules, call,
                                      header->value.alts->sources);
        }
    }

    text = call->body->text;
    b24_str_trim(&text);

    call->kind = B24_CALL_FORM;

    if (call->body->type == B24_SOURCE_TEXT && text.len) {

        if (text.data[0] == '{' || text.data[0] == '[') {
            call->kind = B24_CALL_JSON;

        } else if (text.data[0] == '<') {
            call->kind = B24_CALL_XML;
        }
    }

    return B24_OK;
}


static int
b24_call_kind_type(b24_rules_t *rules, b24_call_t *call,
    const b24_source_t *type)
{
    size_t     i;
    char       title[B24_CALL_TITLE];
    b24_str_t  media;

    media = type->text;

    for (i = 0; i < media.len; i++) {

        if (media.data[i] == ';') {
            media.len = i;
        }
    }

    b24_str_trim(&media);

    if (type->type == B24_SOURCE_TEXT && type->next == NULL) {

        if (b24_str_caseeqs(&media, "application/x-www-form-urlencoded")) {
            call->kind = B24_CALL_FORM;
            return B24_OK;
        }

        if (b24_str_caseeqs(&media, "application/json")
            || (media.len > 5 && memcmp(media.data + media.len - 5, "+json", 5)
                                 == 0))
        {
            call->kind = B24_CALL_JSON;
            return B24_OK;
        }

        if (b24_str_caseeqs(&media, "application/xml")
            || b24_str_caseeqs(&media, "text/xml")
            || (media.len > 4 && memcmp(media.data + media.len - 4, "+xml", 4)
                                 == 0))
        {
            call->kind = B24_CALL_XML;
            return B24_OK;
        }

        if (b24_str_caseeqs(&media, "text/plain")) {
            call->kind = B24_CALL_PLAIN;
            return B24_OK;
        }
    }

    return b24_rules_fail(rules, "\"%s\" has a \"Content-Type\" in which "
                          "values can't be put safely: use "
                          "application/x-www-form-urlencoded, "
                          "application/json, application/xml or text/plain",
                          b24_call_title(call, title));
}


/* b24_call_name_pt: it is one of every run, or learned before */
static int
b24_call_known(void *data, const char *what, const b24_str_t *name)
{
    b24_call_check_t  *check = data;

    char                title[B24_CALL_TITLE];
    const b24_call_t   *call;
    const b24_named_t  *learn;

    if (b24_call_name(name)) {
        return B24_OK;
    }

    for (call = check->shop->calls; call != check->call; call = call->next) {

        for (learn = call->learn; learn; learn = learn->next) {

            if (b24_str_eq(&learn->name, name)) {
                return B24_OK;
            }
        }
    }

    return b24_rules_fail(check->rules, "\"%s\" of \"%s\" uses \"%.*s\", which "
                          "no call has and no block before it learns: check "
                          "its spelling, or add \"learn %.*s VALUE\" there",
                          what, b24_call_title(check->call, title),
                          b24_rules_arg(name), b24_rules_arg(name));
}


static const char *
b24_call_title(const b24_call_t *call, char buf[B24_CALL_TITLE])
{
    snprintf(buf, B24_CALL_TITLE, "write%s%.*s", call->name.len ? " " : "",
             b24_rules_arg(&call->name));

    return buf;
}


/* ---- names that lines use ---- */

int
b24_call_names(const b24_call_t *call, b24_call_name_pt fn, void *data)
{
    int                 rc;
    const b24_named_t  *named;

    rc = b24_call_cond_names(call->when, "when", fn, data);

    if (rc == 0) {
        rc = b24_call_source_names(call->url, "url", fn, data);
    }

    if (rc == 0) {
        rc = b24_call_source_names(call->body, "body", fn, data);
    }

    for (named = call->headers; rc == 0 && named; named = named->next) {
        rc = b24_call_value_names(&named->value, "header", fn, data);
    }

    if (rc == 0) {
        rc = b24_call_cond_names(call->accept, "accept", fn, data);
    }

    if (rc == 0) {
        rc = b24_call_cond_names(call->expired, "expired", fn, data);
    }

    for (named = call->learn; rc == 0 && named; named = named->next) {
        rc = b24_call_value_names(&named->value, "learn", fn, data);
    }

    return rc;
}


int
b24_call_cond_names(const b24_cond_t *cond, const char *what,
    b24_call_name_pt fn, void *data)
{
    int  rc;

    for (rc = 0; rc == 0 && cond; cond = cond->next) {
        rc = b24_call_value_names(&cond->value, what, fn, data);

        if (rc == 0) {
            rc = b24_call_source_names(cond->with, what, fn, data);
        }
    }

    return rc;
}


static int
b24_call_value_names(const b24_value_t *value, const char *what,
    b24_call_name_pt fn, void *data)
{
    int               rc;
    const b24_alt_t  *alt;

    for (rc = 0, alt = value->alts; rc == 0 && alt; alt = alt->next) {
        rc = b24_call_source_names(alt->sources, what, fn, data);
    }

    return rc;
}


static int
b24_call_source_names(const b24_source_t *source, const char *what,
    b24_call_name_pt fn, void *data)
{
    int                rc;
    const b24_step_t  *step;

    for (rc = 0; rc == 0 && source; source = source->next) {

        if (source->type == B24_SOURCE_GIVEN) {
            rc = fn(data, what, &source->text);
        }

        for (step = source->ptr.steps; rc == 0 && step; step = step->next) {

            if (step->type == B24_STEP_LEARNED) {
                rc = fn(data, what, &step->key);

            } else if (step->type == B24_STEP_MATCH && step->learned_value) {
                rc = fn(data, what, &step->value);
            }
        }
    }

    return rc;
}
