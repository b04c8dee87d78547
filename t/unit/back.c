
/* The way back: what a deal's stage means for the order in its shop. */


#include "tap.h"
#include "b24_crm.h"

#include <string.h>


static b24_pool_t          *pool;
static b24_crm_settings_t   set;
static b24_order_t          order;
static b24_queue_seen_t     seen;


static void
line(b24_pair_t **list, const char *name, const char *value)
{
    b24_pair_t  *pair;

    while (*list) {
        list = &(*list)->next;
    }

    pair = b24_pcalloc(pool, sizeof(b24_pair_t));

    if (pair) {
        pair->name = str(name);
        pair->value = str(value);
    }

    *list = pair;
}


/* an order with status N, whose deal was moved to WON at 2000 */
static void
begin(void)
{
    memset(&set, 0, sizeof(set));
    memset(&order, 0, sizeof(order));
    memset(&seen, 0, sizeof(seen));

    line(&set.stages, "N", "NEW");
    line(&set.stages, "P", "PREPARATION");
    line(&set.stages, "Q", "PREPARATION");
    line(&set.stages, "F", "WON");
    line(&set.stages, "CANCELED", "LOSE");
    line(&set.stages, "C", "LOSE");

    order.fields[B24_ORDER_STATUS] = str("N");
    order.fields[B24_ORDER_CANCELED] = str("N");

    seen.status = str("N");
    seen.canceled = str("N");
    seen.time = 1000;
    seen.sent = str("NEW");
    seen.sent_time = 1001;
    seen.held = str("WON");
    seen.moved = 2000;
    seen.settled = 1;
}


static const char *
back(void)
{
    b24_str_t    status, text;
    const char  *advice;
    b24_back_e   e;

    static char         said[256];
    static const char  *names[] = {
        "nothing", "there", "write", "older", "pipeline", "unknown", "error"
    };

    e = b24_crm_back(pool, &set, &order, &seen, &status);

    if (b24_crm_back_words(pool, e, &seen, &status, &text, &advice) != B24_OK
        || text.len == 0)
    {
        return "no words";
    }

    snprintf(said, sizeof(said), "%s %.*s%s", names[e], (int) status.len,
             (char *) status.data, advice ? ", advice" : "");

    return said;
}


static void
is_back(const char *want, const char *name)
{
    b24_str_t  s = str(back());

    is_str(&s, want, name);
}


static void
test_status(void)
{
    begin();
    is_back("write F", "the status of that stage");

    seen.held = str("PREPARATION");
    is_back("write P", "the first one");

    line(&set.back, "PREPARATION", "Q");
    is_back("write Q", "the one that is named");

    order.fields[B24_ORDER_STATUS] = str("P");
    is_back("there ", "the shop has one of them already");

    begin();
    seen.held = str("LOSE");
    is_back("write CANCELED", "a flag");
    order.fields[B24_ORDER_CANCELED] = str("Y");
    is_back("there ", "which it has");

    begin();
    order.fields[B24_ORDER_CANCELED] = str("Y");
    seen.held = str("NEW");
    is_back("write N", "out of it");

    begin();
    seen.held = str("APOLOGY");
    is_back("unknown , advice", "a stage without a status");
    line(&set.back, "APOLOGY", "CANCELED");
    is_back("write CANCELED", "named");

    begin();
    seen.held = str("APOLOGY");
    line(&set.back, "APOLOGY", "N");
    is_back("there ", "a stage of the status that it has");
    order.fields[B24_ORDER_CANCELED] = str("Y");
    is_back("write N", "out of another flag");

    begin();
    line(&set.stages, "PAID", "EXECUTING");
    order.fields[B24_ORDER_PAID] = str("Y");
    seen.held = str("NEW");
    is_back("there ", "a flag stays, and the status is there");

    begin();
    set.stages = NULL;
    is_back("unknown , advice", "no table at all");
}


static void
test_newer(void)
{
    begin();
    seen.moved = 1001;
    is_back("nothing ", "moved by us");

    begin();
    seen.moved = 0;
    is_back("nothing ", "moved by nobody");

    begin();
    memset(&seen.held, 0, sizeof(b24_str_t));
    is_back("nothing ", "nobody knows where it is");

    begin();
    seen.time = 3000;
    is_back("write F", "what has come to the deal was there before");
    seen.settled = 0;
    is_back("older , advice", "the shop's is newer");
    seen.time = 2000;
    is_back("older , advice", "the same second");
    seen.time = 1999;
    is_back("write F, advice", "the shop's is older, and not told yet");
}


static void
test_pipeline(void)
{
    begin();
    set.category = 7;
    seen.held = str("C7:WON");
    is_back("write F", "stages of the pipeline");
    seen.held = str("WON");
    is_back("pipeline , advice", "out of it");
    seen.held = str("C12:WON");
    is_back("pipeline , advice", "into another one");
    line(&set.back, "C12:WON", "Q");
    is_back("write Q", "which is named");
    seen.held = str("C7:APOLOGY");
    is_back("unknown , advice", "no status");
    line(&set.back, "APOLOGY", "P");
    is_back("write P", "named without its pipeline");

    begin();
    seen.held = str("CX:WON");
    is_back("unknown , advice", "no pipeline's number");
    seen.held = str("C:");
    is_back("unknown , advice", "none");
    seen.held = str("C999999999999:WON");
    is_back("unknown , advice", "too large");
}


/* a call whose end nobody knows: what is there may be its doing */
static void
test_ours(void)
{
    b24_str_t  won = str("F"), canceled = str("CANCELED");

    begin();
    is_int(b24_crm_back_ours(&order, &seen, &won), 1, "nothing was done");

    order.fields[B24_ORDER_STATUS] = str("F");
    is_int(b24_crm_back_ours(&order, &seen, &won), 1, "it was done");
    is_int(b24_crm_back_ours(&order, &seen, &canceled), 0,
           "a status that it doesn't set");

    order.fields[B24_ORDER_STATUS] = str("N");
    order.fields[B24_ORDER_CANCELED] = str("Y");
    is_int(b24_crm_back_ours(&order, &seen, &won), 0,
           "somebody has canceled it since");
    is_int(b24_crm_back_ours(&order, &seen, &canceled), 1,
           "the call was to cancel it");

    seen.canceled = str("Y");
    is_int(b24_crm_back_ours(&order, &seen, &won), 1, "it was so before");
    order.fields[B24_ORDER_CANCELED] = str("N");
    is_int(b24_crm_back_ours(&order, &seen, &won), 1, "half is done");
    order.fields[B24_ORDER_PAID] = str("Y");
    is_int(b24_crm_back_ours(&order, &seen, &won), 1, "never told of");
    seen.paid = str("N");
    is_int(b24_crm_back_ours(&order, &seen, &won), 0, "it was paid since");
}


static void
test_there(void)
{
    b24_str_t  status;

    begin();
    status = str("N");
    is_int(b24_crm_back_there(&order, &status), 1, "it has the status");
    status = str("P");
    is_int(b24_crm_back_there(&order, &status), 0, "it has another one");
    status = str("CANCELED");
    is_int(b24_crm_back_there(&order, &status), 0, "it isn't canceled");
    order.fields[B24_ORDER_CANCELED] = str("Y");
    is_int(b24_crm_back_there(&order, &status), 1, "it is");
    status = str("N");
    is_int(b24_crm_back_there(&order, &status), 0,
           "the status of a canceled order counts for nothing");
    status = str("PAID");
    is_int(b24_crm_back_there(&order, &status), 0, "nothing is paid");
    order.fields[B24_ORDER_PAID] = str("Y");
    is_int(b24_crm_back_there(&order, &status), 1, "it is");
    status = str("SHIPPED");
    is_int(b24_crm_back_there(&order, &status), 0, "nothing is shipped");
    order.fields[B24_ORDER_SHIPPED] = str("Y");
    is_int(b24_crm_back_there(&order, &status), 1, "it is");

    begin();
    is_int(b24_crm_back_same(&order, &seen), 1, "as it was told");
    order.fields[B24_ORDER_PAID] = str("Y");
    is_int(b24_crm_back_same(&order, &seen), 1, "what nobody has told");
    seen.paid = str("N");
    is_int(b24_crm_back_same(&order, &seen), 0, "another flag");
    order.fields[B24_ORDER_PAID] = str("");
    is_int(b24_crm_back_same(&order, &seen), 1, "one that isn't known now");
    order.fields[B24_ORDER_STATUS] = str("P");
    is_int(b24_crm_back_same(&order, &seen), 0, "another status");
}


int
main(void)
{
    pool = b24_pool_create(0);

    test_ours();
    test_status();
    test_newer();
    test_pipeline();
    test_there();

    b24_pool_destroy(pool);

    return done_testing();
}
