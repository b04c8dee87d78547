
/* A run of a shop's blocks "write": what it begins with, the next call. */


#include "b24_call_int.h"


static int b24_call_origin(const b24_str_t *site, b24_str_t *origin);
static int b24_call_basic(b24_pool_t *pool, const b24_str_t *user,
    const b24_str_t *password, b24_str_t *basic);
static b24_is_e b24_call_wanted(b24_call_run_t *run, const b24_call_t *call,
    int maybe);
static int b24_call_later(void *data, const char *what,
    const b24_str_t *name);
static b24_is_e b24_call_useful(b24_call_run_t *run);
static int b24_call_end(b24_call_run_t *run, b24_call_verdict_t *v);


#define B24_X(id, name, cure)  { name, cure },

const b24_call_value_t  b24_call_values[B24_CALL_NVALUES] = {
    B24_CALL_VALUES(B24_X)
};

#undef B24_X


static const b24_input_t  b24_call_nothing;


int
b24_shop_writes(const b24_shop_t *shop)
{
    return shop->calls != NULL;
}


/* b24_call_name_pt: stops at a name */
static int
b24_call_uses(void *data, const char *what, const b24_str_t *name)
{
    (void) what;

    return b24_str_eqs(name, data);
}


int
b24_shop_writes_use(const b24_shop_t *shop, const char *name)
{
    const b24_call_t  *call;

    for (call = shop->calls; call; call = call->next) {

        if (b24_call_names(call, b24_call_uses, (void *) name)) {
            return 1;
        }
    }

    return 0;
}


int
b24_call_begin(b24_pool_t *pool, const b24_shop_t *shop,
    const b24_str_t values[B24_CALL_NVALUES], b24_call_run_t **run)
{
    int              i, rc;
    b24_str_t        none, *site;
    b24_call_run_t  *r;

    r = b24_pcalloc(pool, sizeof(b24_call_run_t));
    if (r == NULL) {
        return B24_ERROR;
    }

    r->pool = pool;
    r->shop = shop;

    for (i = 0; i < B24_CALL_NVALUES; i++) {

        if (b24_pstrdup(pool, &r->known[i], values[i].data, values[i].len)
            != B24_OK)
        {
            return B24_ERROR;
        }
    }

    site = &r->known[B24_CALL_SITE];

    while (site->len && site->data[site->len - 1] == '/') {
        site->len--;
    }

    memset(&none, 0, sizeof(b24_str_t));

    rc = b24_call_basic(pool, &r->known[B24_CALL_USER],
                        &r->known[B24_CALL_PASSWORD],
                        &r->known[B24_CALL_BASIC]);

    if (rc == B24_OK) {
        rc = b24_call_basic(pool, &r->known[B24_CALL_PASSWORD], &none,
                            &r->known[B24_CALL_KEY]);
    }

    if (rc == B24_OK) {
        b24_call_reset(r, &rc);
    }

    if (rc != B24_OK) {
        return rc;
    }

    *run = r;

    if (site->len && b24_call_origin(site, &r->origin) != B24_OK) {
        return b24_call_verdict(r, &r->verdict, B24_CALL_REFUSED,
                                "give it as https://HOST or http://HOST, "
                                "without a user in it",
                                "b24_site is no address that can be called");
    }

    return B24_OK;
}


/* to the first call, with nothing learned */
void
b24_call_reset(b24_call_run_t *run, int *rc)
{
    int        i;
    b24_str_t  name;

    run->values = NULL;
    run->session = 0;
    run->sent = 0;
    run->call = run->shop->calls;
    run->n = 0;

    for (i = 0; *rc == B24_OK && i < B24_CALL_NVALUES; i++) {
        name.data = (u_char *) b24_call_values[i].name;
        name.len = strlen(b24_call_values[i].name);

        *rc = b24_pair_set(run->pool, &run->values, &name, &run->known[i]);
    }
}


/* scheme://host[:port]; a user in it would make another host of it */
static int
b24_call_origin(const b24_str_t *site, b24_str_t *origin)
{
    u_char     c;
    size_t     i, start;
    b24_str_t  scheme;

    scheme = *site;

    for (start = 0; start < site->len && site->data[start] != ':'; start++) {
        /* void */
    }

    scheme.len = start;

    if ((!b24_str_caseeqs(&scheme, "https")
         && !b24_str_caseeqs(&scheme, "http"))
        || b24_str_find(site, start, "://") != (ssize_t) start)
    {
        return B24_DECLINED;
    }

    start += sizeof("://") - 1;

    for (i = start; i < site->len; i++) {
        c = b24_tolower(site->data[i]);

        if (c == '/') {
            break;
        }

        if (!b24_isdigit(c) && (c < 'a' || c > 'z')
            && (c == '\0' || strchr("-._:[]", c) == NULL))
        {
            return B24_DECLINED;
        }
    }

    origin->data = site->data;
    origin->len = i;

    return i > start ? B24_OK : B24_DECLINED;
}


/* RFC 7617, RFC 4648; empty without a user, or with one that it can't carry */
static int
b24_call_basic(b24_pool_t *pool, const b24_str_t *user,
    const b24_str_t *password, b24_str_t *basic)
{
    size_t              i;
    uint32_t            bits;
    b24_buf_t           in, out;
    b24_str_t           text;
    static const char   digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789+/";

    memset(basic, 0, sizeof(b24_str_t));

    if (user->len == 0 || memchr(user->data, ':', user->len)) {
        return B24_OK;
    }

    b24_buf_init(&in, pool);
    b24_buf_init(&out, pool);

    b24_buf_addstr(&in, user);
    b24_buf_addc(&in, ':');
    b24_buf_addstr(&in, password);

    if (b24_buf_str(&in, &text) != B24_OK) {
        return B24_ERROR;
    }

    for (i = 0; i < text.len; i += 3) {
        bits = (uint32_t) text.data[i] << 16;

        if (i + 1 < text.len) {
            bits |= (uint32_t) text.data[i + 1] << 8;
        }

        if (i + 2 < text.len) {
            bits |= text.data[i + 2];
        }

        b24_buf_addc(&out, (u_char) digits[bits >> 18]);
        b24_buf_addc(&out, (u_char) digits[bits >> 12 & 63]);
        b24_buf_addc(&out, i + 1 < text.len ? (u_char) digits[bits >> 6 & 63]
                                            : '=');
        b24_buf_addc(&out, i + 2 < text.len ? (u_char) digits[bits & 63]
                                            : '=');
    }

    return b24_buf_str(&out, basic);
}


/* ---- the next call ---- */

int
b24_call_next(b24_call_run_t *run, b24_call_request_t *request,
    b24_call_verdict_t *verdict)
{
    b24_is_e           is;
    const b24_call_t  *call;

    memset(request, 0, sizeof(b24_call_request_t));
    memset(verdict, 0, sizeof(b24_call_verdict_t));

    if (run->sent) {

        /* nobody told what came of it */

        return b24_call_lost(run, 0, verdict) == B24_OK ? B24_DECLINED
                                                        : B24_ERROR;
    }

    while (!run->over && run->call) {
        call = run->call;
        is = B24_IS_EMPTY;

        if (!(run->done & 1ULL << run->n)) {
            is = b24_call_wanted(run, call, 0);
        }

        /* a login for nothing that follows is none of ours */

        if (is == B24_IS_SET && call->learn) {
            is = b24_call_useful(run);
        }

        if (is == B24_IS_SET) {
            return b24_call_render(run, request, verdict);
        }

        if (is == B24_IS_ERROR) {
            return B24_ERROR;
        }

        if (is != B24_IS_EMPTY) {
            return b24_call_verdict(run, verdict, B24_CALL_REFUSED,
                                    "simplify the regexes of this block",
                                    "a regex of \"when\" took too long")
                   == B24_OK ? B24_DECLINED : B24_ERROR;
        }

        run->call = call->next;
        run->n++;
    }

    return b24_call_end(run, verdict);
}


static int
b24_call_end(b24_call_run_t *run, b24_call_verdict_t *v)
{
    int  rc;

    if (run->over) {
        *v = run->verdict;
        return B24_DECLINED;
    }

    rc = run->done
         ? b24_call_verdict(run, v, B24_CALL_DONE, "",
                            "the shop has made the change")
         : b24_call_verdict(run, v, B24_CALL_SKIPPED,
                            "give a \"write\" block whose \"when\" lines hold "
                            "for it, or leave it if the shop shall not follow",
                            "no \"write\" block is for this change");

    return rc == B24_OK ? B24_DECLINED : B24_ERROR;
}


/* maybe: a line with a value that is still to be learned counts as holding */
static b24_is_e
b24_call_wanted(b24_call_run_t *run, const b24_call_t *call, int maybe)
{
    b24_is_e           is;
    b24_eval_t         ev;
    b24_cond_t         line;
    const b24_cond_t  *cond;

    b24_eval_init(&ev, run->pool, &b24_call_nothing, 0);
    ev.whole = 1;
    ev.fresh = run->values;

    for (cond = call->when; cond; cond = cond->next) {

        line = *cond;
        line.next = NULL;

        if (maybe && b24_call_cond_names(&line, "", b24_call_later, run)) {
            continue;
        }

        is = b24_call_holds(run, &ev, cond);

        if (is != B24_IS_SET) {
            return is;
        }
    }

    return B24_IS_SET;
}


/* b24_call_name_pt: stops at what is not there yet */
static int
b24_call_later(void *data, const char *what, const b24_str_t *name)
{
    b24_call_run_t  *run = data;

    int  i;

    (void) what;

    for (i = 0; i < B24_CALL_NVALUES; i++) {

        if (b24_str_eqs(name, b24_call_values[i].name)) {
            return 0;
        }
    }

    return b24_pair_get(run->values, name) == NULL;
}


/* of a block that learns: one without comes after it */
static b24_is_e
b24_call_useful(b24_call_run_t *run)
{
    unsigned           n;
    b24_is_e           is;
    const b24_call_t  *call;

    n = run->n + 1;

    for (call = run->call->next; call; call = call->next, n++) {

        if (call->learn || (run->done & 1ULL << n)) {
            continue;
        }

        is = b24_call_wanted(run, call, 1);

        if (is != B24_IS_EMPTY) {
            return is;
        }
    }

    return B24_IS_EMPTY;
}
