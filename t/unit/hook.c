
/* The portal's outgoing webhook: what it says, and whether it is the portal. */


#include "tap.h"
#include "b24_hook.h"


#define TOKEN  "k7tz0w4q9b2m8s5x"
#define AUTH   "&auth[application_token]=" TOKEN


static const struct {
    const char  *body;
    const char  *token;
    int64_t      deal;
} cases[] = {
    { "event=ONCRMDEALUPDATE&data[FIELDS][ID]=17" AUTH, TOKEN, 17 },
    { "event=oncrmdealadd&data%5BFIELDS%5D%5BID%5D=17&ts=1" AUTH, TOKEN, 17 },
    { "event=ONCRMDEALDELETE&data[FIELDS][ID]=1", "", 1 },
    { "event=ONCRMDEALMOVETOCATEGORY&data[FIELDS][ID]=9" AUTH, TOKEN, 9 },
    { "event=ONCRMLEADADD&data[FIELDS][ID]=17" AUTH, TOKEN, 0 },
    { "event=ONCRMDEALADD&data[FIELDS]=17" AUTH, TOKEN, 0 },
    { "event=ONCRMDEALADD&data[FIELDS][ID]=-17" AUTH, TOKEN, 0 },
    { "event=ONCRMDEALADD&data[FIELDS][ID][]=17" AUTH, TOKEN, 0 },
    { "event=ONCRMDEALADD&data[FIELDS][ID]=99999999999999999999" AUTH, TOKEN, 0 },
    { "event[]=ONCRMDEALADD&data[FIELDS][ID]=17", "", 0 },
    { "auth=" TOKEN, "", 0 },
    { "auth[application_token][]=" TOKEN, "", 0 },
    { "", "", 0 },
};


static void
known(const char *text, size_t n, int want, const char *name)
{
    b24_str_t  token = str(text), tokens[2];

    tokens[0] = str("abcdefgh");
    tokens[1] = str(TOKEN);

    is_int(b24_hook_known(tokens, n, &token), want, name);
}


int
main(void)
{
    size_t       i;
    b24_str_t    body;
    b24_pool_t  *pool;
    b24_hook_t   hook;

    pool = b24_pool_create(0);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        body = str(cases[i].body);

        is_int(b24_hook_read(pool, &body, &hook), B24_OK, cases[i].body);
        is_str(&hook.token, cases[i].token, "its token");
        is_int(hook.deal, cases[i].deal, "its deal");
    }

    known(TOKEN, 2, 1, "the token");
    known("abcdefgh", 2, 1, "another one");
    known(TOKEN TOKEN, 2, 0, "twice is none");
    known("abcdefghabcdefgh", 2, 0, "nor is the other");
    known("k7tz0w4q9b2m8s5", 2, 0, "its beginning");
    known("k7tz0w4q9b2m8s5y", 2, 0, "a letter is another");
    known("", 2, 0, "an empty one");
    known(TOKEN, 1, 0, "one that isn't configured");
    known(TOKEN, 0, 0, "where none is");

    b24_pool_destroy(pool);

    return done_testing();
}
