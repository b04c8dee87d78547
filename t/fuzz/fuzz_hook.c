
/*
 * Bodies of the portal's outgoing webhook, from anybody: only the very token
 * passes, and a deal is what the event of a deal says.
 *
 * Aims at: crm/b24_hook.c order/b24_form.c
 */


#include "fuzz.h"
#include "b24_hook.h"
#include "b24_node.h"
#include "b24_text.h"


#define TOKEN  "k7tz0w4q9b2m8s5x1c6v3n0j7h4g2f5d"


static const char *const  keys[] = {
    "event", "data[FIELDS][ID]", "auth[application_token]", "data", "auth",
    "data[FIELDS]", "data[ID]", "auth[application_token][]", "ts",
    "auth[domain]", "event[]", "data[FIELDS][ID][]", "auth[access_token]", "",
    "auth[application_token", "data%5BFIELDS%5D%5BID%5D", "EVENT"
};

static const char *const  values[] = {
    "ONCRMDEALADD", "ONCRMDEALUPDATE", "ONCRMDEALDELETE", "oncrmdealupdate",
    "ONCRMDEALMOVETOCATEGORY", "ONCRMLEADADD", "1", "17", "0", "-1", "1e3",
    "99999999999999999999", "999999999999999999", TOKEN, TOKEN TOKEN,
    "k7tz0w4q9b2m8s5x", "", "%00", "+17", "017", "%31%37", TOKEN "%00", "k"
};

static b24_str_t  tokens[] = {
    b24_string("abcdefgh"), b24_string(TOKEN)
};


static b24_str_t
form(fuzz_t *f)
{
    unsigned   n;
    b24_buf_t  buf;
    b24_str_t  s;

    b24_buf_init(&buf, f->pool);

    for (n = fuzz_below(f, 10); n && fuzz_more(f); n--) {
        s = fuzz_pick(f, keys, sizeof(keys) / sizeof(keys[0]));
        b24_buf_addstr(&buf, &s);
        b24_buf_addc(&buf, '=');

        if (fuzz_below(f, 8)) {
            s = fuzz_pick(f, values, sizeof(values) / sizeof(values[0]));
            b24_buf_addstr(&buf, &s);

        } else {
            s = fuzz_str(f);
            b24_text_escape(&buf, &s);
        }

        b24_buf_addc(&buf, '&');
    }

    ABORT_UNLESS(b24_buf_str(&buf, &s) == B24_OK);

    return s;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int          rc, known, same;
    size_t       i;
    fuzz_t       f;
    b24_str_t    body;
    b24_hook_t   hook;
    b24_node_t  *root;

    fuzz_init(&f, data, size);

    body = fuzz_below(&f, 4) ? form(&f) : fuzz_rest(&f);
    rc = b24_hook_read(f.pool, &body, &hook);

    if (rc != B24_OK) {
        ABORT_UNLESS(b24_form_parse(f.pool, &body, &root) != B24_OK);
        b24_pool_destroy(f.pool);
        return 0;
    }

    ABORT_UNLESS(hook.deal >= 0 && hook.deal < 1000000000000000000);

    same = 0;

    for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        same |= b24_str_eq(&tokens[i], &hook.token);
    }

    known = b24_hook_known(tokens, 2, &hook.token);
    ABORT_UNLESS(known == same);
    ABORT_UNLESS(!b24_hook_known(tokens, 0, &hook.token));

    b24_pool_destroy(f.pool);

    return 0;
}
