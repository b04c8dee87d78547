
/*
 * Calls to a shop with values and answers of anybody's making.  Of the input,
 * pieces between bytes 0x1e are the values from the user on, then answers: two
 * bytes for the status and how it came, and the body.
 *
 * Aims at: order/b24_call.c order/b24_call_request.c
 * Aims at: order/b24_call_answer.c order/b24_call_said.c
 */


#include "exchange.h"
#include "b24_call.h"
#include "b24_rules_int.h"


#define SITE   "https://shop.example:8443"
#define STEPS  40


static const char  conf[] =
    "b24_shop s {"
    " write login { method GET; url \"%{site}/x/%{id}/y?a=%{id}&b=%{user}\"; header Authorization \"Basic %{basic}\"; accept status =200;"
    "  accept response:/no !; learn t response:/t; learn u response: ~u=(.*); learn v header:Set-Cookie; }"
    " write form { when status \"!=%{previous}\"; url \"%{site}/f/%{t}\"; header Cookie \"%{u}=%{t}\"; expired response:/expired response: ~login; body \"a=%{id}&b=%{t}&c=%{u}\"; accept response:/ok; }"
    " write json { when paid; url \"%{site}/j\"; body '{\"a\":\"%{id}\",\"b\":[%{row},\"x%{status}y\"],\"%{t}\":\"z\"}'; accept response:/s \"=%{status}\"; }"
    " write xml { when status !~^no; url \"%{site}?%{row}\"; body '<a b=\"%{id}\">%{t}</a>'; accept \"response:/%{row}/[k=%{t}]\" response: ~ok; }"
    " write plain { when \"%{canceled}%{shipped}\" =YY; method PUT; url \"%{site}/p\"; header Content-Type text/plain; header V \"%{v}\"; body \"%{id}\"; accept response: ; }"
    "}";


static const unsigned  statuses[] = {
    200, 200, 200, 201, 204, 301, 302, 400, 401, 403, 404, 429, 500, 0
};


static const b24_shop_t *
call_shop(void)
{
    b24_str_t                 name;
    b24_pool_t               *pool;
    b24_rules_t              *rules;
    static const b24_shop_t  *shop;

    if (shop) {
        return shop;
    }

    pool = b24_pool_create(0);
    rules = b24_rules_create(pool);

    ABORT_UNLESS(conf_load(pool, rules, conf) == B24_OK);

    name.data = (u_char *) "s";
    name.len = 1;
    shop = b24_rules_find(rules, &name);

    return shop;
}


static size_t
count(const b24_str_t *s, u_char c)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < s->len; i++) {
        n += s->data[i] == c;
    }

    return n;
}


static int
holds(const b24_str_t *text, const b24_str_t *part)
{
    size_t     i;
    b24_str_t  here;

    for (i = 0; i + part->len <= text->len; i++) {
        here.data = text->data + i;
        here.len = part->len;

        if (b24_str_caseeq(&here, part)) {
            return 1;
        }
    }

    return 0;
}


/* as a server reads it: decoded before its segments are looked at */
static void
check_path(b24_pool_t *pool, const b24_str_t *url, size_t from)
{
    size_t     i;
    u_char     c;
    b24_buf_t  buf;
    b24_str_t  path;

    b24_buf_init(&buf, pool);

    for (i = from; i < url->len && url->data[i] != '?'; i++) {
        c = url->data[i];

        if (c == '%') {
            ABORT_UNLESS(i + 2 < url->len);
            c = (u_char) (b24_hex(url->data[i + 1]) * 16
                          + b24_hex(url->data[i + 2]));
            i += 2;
        }

        b24_buf_addc(&buf, c == '\\' ? '/' : c);
    }

    b24_buf_addc(&buf, '/');

    if (b24_buf_str(&buf, &path) == B24_OK) {
        ABORT_UNLESS(b24_str_find(&path, 0, "/../") == -1);
        ABORT_UNLESS(b24_str_find(&path, 0, "/./") == -1);
    }
}


/* values change no structure, whatever they are */
static void
check_request(b24_pool_t *pool, const b24_call_request_t *req)
{
    size_t             i, from;
    b24_str_t          s;
    b24_node_t        *root;
    const b24_pair_t  *h;

    s = req->url;
    from = sizeof(SITE) - 1;

    ABORT_UNLESS(s.len > from && memcmp(s.data, SITE, from) == 0);
    ABORT_UNLESS(s.data[from] == '/' || s.data[from] == '?');

    for (i = 0; i < s.len; i++) {
        ABORT_UNLESS(s.data[i] > ' ' && s.data[i] < 0x7f
                     && s.data[i] != '#' && s.data[i] != '\\');
    }

    check_path(pool, &s, from);

    for (h = req->headers; h; h = h->next) {

        for (i = 0; i < h->value.len; i++) {
            ABORT_UNLESS(h->value.data[i] >= ' ' && h->value.data[i] != 0x7f);
        }
    }

    if (b24_str_eqs(&req->block, "login")) {
        ABORT_UNLESS(count(&s, '/') == 5 && count(&s, '?') == 1
                     && count(&s, '&') == 1 && count(&s, '=') == 2);
        ABORT_UNLESS(!req->has_body);

    } else if (b24_str_eqs(&req->block, "form")) {
        ABORT_UNLESS(count(&s, '/') == 4);
        ABORT_UNLESS(b24_form_parse(pool, &req->body, &root) == B24_OK);
        ABORT_UNLESS(root->count == 3);

    } else if (b24_str_eqs(&req->block, "json")) {
        i = (size_t) b24_json_parse(pool, &req->body, 0, &root);
        ABORT_UNLESS(i == B24_OK || i == (size_t) B24_ERROR);

        if (i == B24_OK) {
            ABORT_UNLESS(root->count == 3 || root->count == 2);
            ABORT_UNLESS(b24_utf8_valid(&req->body));
        }

    } else if (b24_str_eqs(&req->block, "xml")) {
        ABORT_UNLESS(count(&req->body, '<') == 2);
        ABORT_UNLESS(count(&req->body, '>') == 2);
        ABORT_UNLESS(count(&req->body, '"') == 2);
    }
}


static void
check_verdict(const b24_call_verdict_t *v, const b24_str_t *secret)
{
    b24_str_t  masks = b24_string("(secret) (hidden)");

    ABORT_UNLESS(v->reason.len && v->reason.len < 512);
    ABORT_UNLESS(b24_utf8_valid(&v->reason) && b24_utf8_valid(&v->said));
    ABORT_UNLESS(v->said.len <= 200);

    /* one that can't be made up by what masks others */

    if (secret->len && count(secret, '(') + count(secret, ')') == 0
        && !holds(&masks, secret))
    {
        ABORT_UNLESS(!holds(&v->said, secret));
    }
}


static void
piece(const uint8_t **data, size_t *size, b24_str_t *s)
{
    const uint8_t  *end;

    s->data = (u_char *) *data;
    end = *size ? memchr(*data, 0x1e, *size) : NULL;

    if (end == NULL) {
        s->len = *size;
        *data += *size;
        *size = 0;
        return;
    }

    s->len = (size_t) (end - *data);
    *size -= s->len + 1;
    *data = end + 1;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                   i, steps;
    b24_str_t             s, values[B24_CALL_NVALUES];
    b24_pair_t            header;
    b24_pool_t           *pool;
    b24_input_t           in;
    b24_call_run_t       *run;
    b24_call_request_t    req;
    b24_call_verdict_t    v;

    pool = b24_pool_create(1 << 24);
    memset(values, 0, sizeof(values));
    memset(&header, 0, sizeof(header));

    values[B24_CALL_SITE].data = (u_char *) SITE "/";
    values[B24_CALL_SITE].len = sizeof(SITE);

    for (i = B24_CALL_USER; i < B24_CALL_NVALUES; i++) {

        if (i != B24_CALL_BASIC && i != B24_CALL_KEY) {
            piece(&data, &size, &values[i]);
        }
    }

    if (b24_call_begin(pool, call_shop(), values, &run) != B24_OK) {
        b24_pool_destroy(pool);
        return 0;
    }

    header.name.data = (u_char *) "Set-Cookie";
    header.name.len = 10;

    for (steps = 0; (i = b24_call_next(run, &req, &v)) == B24_OK; steps++) {

        ABORT_UNLESS(steps < STEPS);
        check_request(pool, &req);

        piece(&data, &size, &s);
        memset(&in, 0, sizeof(in));
        in.answer_max = 1 << 18;

        if (s.len >= 2) {
            in.status = statuses[s.data[0] % (sizeof(statuses)
                                              / sizeof(statuses[0]))];
            in.answer_state = exchange_state(s.data[1]);
            in.answer.data = s.data + 2;
            in.answer.len = s.len - 2;

            header.value = in.answer;
            in.headers = &header;
        }

        i = b24_call_answer(run, &in, &v);

        if (i != B24_OK) {
            ABORT_UNLESS(i == B24_ERROR);
            break;
        }

        check_verdict(&v, &values[B24_CALL_PASSWORD]);
    }

    if (i == B24_DECLINED) {
        check_verdict(&v, &values[B24_CALL_PASSWORD]);
        ABORT_UNLESS(v.result != B24_CALL_OK && v.result != B24_CALL_AUTH);
    }

    b24_pool_destroy(pool);

    return 0;
}
