
/* Blocks "status": which orders an exchange names, how far they are, and which
 * stage of the deal that means. */


#include "shop.h"
#include "b24_crm.h"
#include "b24_text.h"


static const char *const  no_vars[] = { NULL };


/* "ID/ROW ... status canceled paid shipped", or the outcome's name */
static void
told(const char *target, const char *body, const char *answer, const char *want,
    const char *name)
{
    int             field;
    uint64_t        set;
    b24_buf_t       out;
    b24_str_t       got, path;
    b24_pair_t     *pair;
    b24_event_t     event;
    b24_input_t     in;
    b24_partial_t  *partial;

    memset(&in, 0, sizeof(b24_input_t));
    shop_vars = no_vars;

    in.method = str("POST");
    path = str(target);
    (void) b24_text_target(pool, &path, &in.path, &in.args);

    in.content_type = str("application/x-www-form-urlencoded");
    in.body = str(body ? body : "");
    in.body_state = body ? B24_BODY_FULL : B24_BODY_NONE;
    in.var = shop_var;
    in.status = answer ? 200 : 0;
    in.answer = str(answer ? answer : "");
    in.answer_max = 1 << 20;
    in.answer_state = answer ? B24_BODY_FULL : B24_BODY_UNSEEN;

    set = b24_shop_candidates(pool, shop, &in);

    b24_buf_init(&out, pool);

    if (set == 0 || b24_extract_request(pool, shop, set, &in, &partial) != B24_OK) {
        b24_buf_adds(&out, "none");

    } else if (b24_extract_answer(pool, shop, partial, &in, &event) != B24_OK) {
        b24_buf_adds(&out, "error");

    } else if (event.outcome != B24_OUTCOME_ACCEPTED) {
        b24_buf_adds(&out, event.outcome == B24_OUTCOME_REJECTED ? "rejected" : "unconfirmed");

    } else {
        for (pair = event.targets; pair; pair = pair->next) {
            b24_buf_addstr(&out, &pair->name);
            b24_buf_addc(&out, '/');
            b24_buf_addstr(&out, &pair->value);
            b24_buf_addc(&out, ' ');
        }

        for (field = B24_ORDER_STATUS; field < B24_ORDER_NFIELDS; field++) {
            b24_buf_addc(&out, field == B24_ORDER_STATUS ? '|' : ' ');

            if (event.order->fields[field].len) {
                b24_buf_addstr(&out, &event.order->fields[field]);

            } else {
                b24_buf_addc(&out, '-');
            }
        }
    }

    (void) b24_buf_str(&out, &got);
    is_str(&got, want, name);
}


static void
test_blocks(void)
{
    shop_load("order place { uri /buy; id response:/id; }"
              " status admin { uri /admin; when request:/action; accept response:/RESULT =OK;"
              "   id request:/id query:/id; row request:/row; status request:/status;"
              "   canceled response:/CANCELED; paid request:/paid; shipped request:/shipped; }"
              " status late { uri /late; id response:/order; }");

    told("/admin", "action=s&id=57&status=P", "{\"RESULT\":\"OK\"}", "57/ |P - - -", "a status");
    told("/admin", "action=s&row=57&paid=Y", "{\"RESULT\":\"OK\",\"CANCELED\":\"N\"}", "/57 |- N Y -", "flags of both sides");
    told("/admin", "action=s&id=57&paid=on&shipped=No", "{\"RESULT\":\"OK\",\"CANCELED\":true}", "57/ |- Y Y N", "words of flags");
    told("/admin", "action=s&id=57&paid=maybe&shipped=", "{\"RESULT\":\"OK\",\"CANCELED\":false}", "57/ |- N - -", "what isn't told; false is");
    told("/admin", "action=s&id=57&paid=0&shipped=1", "{\"RESULT\":\"OK\",\"CANCELED\":\"off\"}", "57/ |- N N Y", "0 and 1");
    told("/admin", "action=s&id[]=57&id[]=58&status=P", "{\"RESULT\":\"OK\"}", "57/ 58/ |P - - -", "a list");
    told("/admin", "action=s&id[]=57&id[]=58&row[]=1&status=P", "{\"RESULT\":\"OK\"}", "57/1 58/ |P - - -", "two lists");
    told("/admin", "action=s&id[]=A-1&id[]=&id[]=A-3&row[]=1&row[]=2&row[]=3", "{\"RESULT\":\"OK\"}", "A-1/1 /2 A-3/3 |- - - -", "two lists, with a gap");
    told("/admin", "action=s&row[]=5%FF&row[]=\xd0\xaf", "{\"RESULT\":\"OK\"}", "/5\xd1\x8f /\xd0\xaf |- - - -", "a list in another charset");
    told("/admin", "action=s&id[]=A-1&id[]=A-2&row[]=&row[]=2", "{\"RESULT\":\"OK\"}", "A-1/ A-2/2 |- - - -", "a gap in the other");
    told("/admin", "action=s&id[57][CANCELED]=Y&id[58][PAYED]=Y", "{\"RESULT\":\"OK\"}", "57/ 58/ |- - - -", "names of members");
    told("/admin", "action=s&id[]=&id[]=+58+", "{\"RESULT\":\"OK\"}", "58/ |- - - -", "nothing empty");
    told("/admin?id=9", "action=s&status=P", "{\"RESULT\":\"OK\"}", "9/ |P - - -", "of the query");
    told("/admin", "action=s&status=P", "{\"RESULT\":\"OK\"}", "|P - - -", "none named");
    told("/admin", "action=s&id=57&status=P", "{\"RESULT\":\"ERROR\"}", "rejected", "refused");
    told("/admin", "action=s&id=57&status=P", "{\"RESU", "unconfirmed", "unreadable");
    told("/admin", "action=s&id=57&status=P", NULL, "unconfirmed", "not seen");
    told("/admin", "id=57&status=P", "{\"RESULT\":\"OK\"}", "none", "no when line holds");
    told("/late", "", "{\"order\":[5,6]}", "5/ 6/ |- - - -", "of the answer");
    told("/late", "", "{\"order\":{}}", "|- - - -", "an empty one");
}


/* as many as are taken, and one more of each kind */
static void
test_many(void)
{
    size_t          i, n;
    uint64_t        set;
    b24_buf_t       buf;
    b24_str_t       path;
    b24_pair_t     *pair;
    b24_event_t     event;
    b24_input_t     in;
    b24_partial_t  *partial;

    memset(&in, 0, sizeof(b24_input_t));
    shop_vars = no_vars;

    b24_buf_init(&buf, pool);
    b24_buf_adds(&buf, "{\"order\":[0");

    for (i = 1; i < 1003; i++) {
        b24_buf_addc(&buf, ',');
        b24_buf_addi(&buf, (int64_t) i);
    }

    b24_buf_adds(&buf, "]}");

    in.method = str("POST");
    path = str("/late");
    (void) b24_text_target(pool, &path, &in.path, &in.args);
    in.body_state = B24_BODY_NONE;
    in.var = shop_var;
    in.status = 200;
    in.answer_max = 1 << 20;
    in.answer_state = B24_BODY_FULL;
    (void) b24_buf_str(&buf, &in.answer);

    set = b24_shop_candidates(pool, shop, &in);

    if (b24_extract_request(pool, shop, set, &in, &partial) != B24_OK
        || b24_extract_answer(pool, shop, partial, &in, &event) != B24_OK)
    {
        ok(0, "an error");
        return;
    }

    for (n = 0, pair = event.targets; pair; pair = pair->next) {
        n++;
    }

    is_int((long long) n, 1000, "a thousand are taken");
    is_int((long long) event.over, 3, "the others are counted");
}


static void
stage(const char *table, const char *usual, const char *state, const char *want)
{
    int                i;
    char               text[256], name[128], *p;
    b24_str_t          us, value;
    b24_order_t        order;
    const b24_pair_t  *line;
    const char        *v[4] = { "", "", "", "" };

    snprintf(name, sizeof(name), "%s of \"%s\" at %s", state, usual, table);
    snprintf(text, sizeof(text), "%s", state);

    for (i = 0, p = strtok(text, "/"); p && i < 4; p = strtok(NULL, "/"), i++) {
        v[i] = strcmp(p, "-") == 0 ? "" : p;
    }

    snprintf(name + strlen(name), sizeof(name) - strlen(name), ": %.20s", want);

    shop_load(table);

    memset(&order, 0, sizeof(b24_order_t));
    us = str(usual);

    for (i = 0; i < 4; i++) {
        (void) b24_pstrdup(pool, &order.fields[B24_ORDER_STATUS + i], (const u_char *) v[i], strlen(v[i]));
    }

    line = b24_order_stage(&order, b24_shop_stages(shop), &us);
    value = line ? line->value : str("none");
    is_str(&value, want, name);
}


#define TABLE   "order { id response:/id; } stage N NEW; stage P PREPARATION; stage PAID INVOICE; stage A EXECUTING; stage SHIPPED SENT; stage F WON; stage CANCELED LOSE;"
#define BARE    "order { id response:/id; } stage N NEW; stage F WON;"

static void
test_stages(void)
{
    stage(TABLE, "N", "P", "PREPARATION");
    stage(TABLE, "N", "-", "NEW");
    stage(TABLE, "", "-", "none");
    stage(TABLE, "N", "Q", "none");
    stage(TABLE, "N", "Q/-/Y", "INVOICE");
    stage(TABLE, "N", "P/-/Y", "INVOICE");
    stage(TABLE, "N", "A/-/Y", "EXECUTING");
    stage(TABLE, "N", "A/-/Y/Y", "SENT");
    stage(TABLE, "N", "F/-/Y/Y", "WON");
    stage(TABLE, "N", "P/-/N/N", "PREPARATION");
    stage(TABLE, "N", "F/Y/Y/Y", "LOSE");
    stage(TABLE, "N", "F/N/Y/Y", "WON");
    stage(TABLE, "N", "-/-/-/Y", "SENT");
    stage(BARE, "N", "F/Y", "WON");
    stage(BARE, "N", "Q/Y", "none");
    stage(BARE, "N", "N/-/Y/Y", "NEW");

    /* a flag's line means the same wherever it stands, but for PAID, SHIPPED */

    stage("order { id response:/id; } stage N NEW; stage CANCELED LOSE; stage C LOST; stage F WON;", "N", "F/Y", "LOSE");
    stage("order { id response:/id; } stage N NEW; stage CANCELED LOSE; stage C LOST; stage F WON;", "N", "C", "LOST");
}


/* lines: "STAGE STATUS ..." of b24_stage_back */
static void
back(const char *table, const char *lines, const char *wanted, const char *want)
{
    size_t            n;
    char              text[256], name[256], *stage_of, *status_of;
    b24_str_t         of, got;
    b24_pair_t        pairs[4];
    const b24_str_t  *status;

    snprintf(name, sizeof(name), "%s, \"%s\" at %.150s", wanted, lines, table);
    snprintf(text, sizeof(text), "%s", lines);
    memset(pairs, 0, sizeof(pairs));
    n = 0;

    for (stage_of = strtok(text, " "); stage_of && n < 4; stage_of = strtok(NULL, " ")) {
        status_of = strtok(NULL, " ");

        pairs[n].name = str(stage_of);
        pairs[n].value = str(status_of);

        if (n) {
            pairs[n - 1].next = &pairs[n];
        }

        n++;
    }

    shop_load(table);

    of = str(wanted);
    status = b24_order_status_of(n ? pairs : NULL, b24_shop_stages(shop), &of);
    got = status ? *status : str("none");
    is_str(&got, want, name);
}


static void
test_back(void)
{
    back(TABLE, "", "NEW", "N");
    back(TABLE, "", "WON", "F");
    back(TABLE, "", "LOSE", "CANCELED");
    back(TABLE, "", "INVOICE", "PAID");
    back(TABLE, "", "SENT", "SHIPPED");
    back(TABLE, "", "APOLOGY", "none");
    back(TABLE, "", "won", "none");
    back(TABLE, "", "", "none");
    back("order { id response:/id; }", "", "NEW", "none");

    /* several statuses of one stage: the first line counts */

    back("order { id response:/id; } stage P NEW; stage N NEW; stage Q NEW;", "", "NEW", "P");
    back("order { id response:/id; } stage CANCELED LOSE; stage C LOSE;", "", "LOSE", "CANCELED");

    /* b24_stage_back goes before it */

    back(TABLE, "WON P", "WON", "P");
    back(TABLE, "WON P", "NEW", "N");
    back(TABLE, "LOSE X APOLOGY CANCELED", "APOLOGY", "CANCELED");
    back(TABLE, "LOSE X APOLOGY CANCELED", "LOSE", "X");
    back(TABLE, "LOSE X LOSE Y", "LOSE", "X");
    back("order { id response:/id; }", "NEW N", "NEW", "N");
    back("order { id response:/id; }", "NEW N", "N", "none");
}


/* what the CRM has against what the shop wants */

#define T  ((int64_t) 1700000000)

/* sent, held and seen are times against T, as moved is */
static void
move_at(const char *at, const char *sent, int64_t sent_at, const char *held, int64_t held_at, int64_t seen_at, int64_t moved, b24_move_e want, const char *name)
{
    b24_str_t           to = b24_string("PREPARATION");
    b24_crm_deal_t      deal;
    b24_queue_seen_t    seen;
    b24_crm_settings_t  set;

    memset(&set, 0, sizeof(set));
    memset(&deal, 0, sizeof(deal));
    memset(&seen, 0, sizeof(seen));

    deal.id = 7;
    deal.stage = str(at);
    deal.final = strcmp(at, "WON") == 0;
    deal.moved = moved;
    seen.sent = str(sent);
    seen.sent_time = sent_at * 1000;
    seen.held = str(held);
    seen.held_time = held_at * 1000;
    seen.moved = seen_at * 1000;

    is_int(b24_crm_move(&set, &deal, &to, &seen, T * 1000), want, name);
}


/* the CRM has told last where it is, nobody was seen to move it */
static void
move(const char *at, const char *sent, const char *held, int64_t moved, b24_move_e want, const char *name)
{
    move_at(at, sent, T - 20, held, held[0] ? T - 19 : 0, 0, moved, want, name);
}


static void
test_moves(void)
{
    b24_str_t           to = b24_string("PREPARATION");
    b24_crm_deal_t      deal;
    b24_queue_seen_t    seen;
    b24_crm_settings_t  set;

    move("NEW", "NEW", "", T + 9, B24_MOVE_DO, "as it was sent");
    move("NEW", "EXECUTING", "NEW", T + 9, B24_MOVE_DO, "as it was seen");
    move("NEW", "EXECUTING", "", T - 9, B24_MOVE_OVER, "moved before");
    move("NEW", "EXECUTING", "", T + 9, B24_MOVE_NEWER, "moved after");
    move("NEW", "", "", T - 9, B24_MOVE_OVER, "nothing is known of it");
    move("NEW", "", "", 0, B24_MOVE_OVER, "no time is told");
    move("NEW", "", "", T, B24_MOVE_OVER, "in the same second");
    move("PREPARATION", "", "", T + 9, B24_MOVE_THERE, "it is there");
    move("WON", "WON", "WON", T + 9, B24_MOVE_DO, "closed after, by us, for what the shop had told before");
    move("WON", "NEW", "NEW", T + 9, B24_MOVE_CLOSED, "by somebody");
    move("WON", "WON", "WON", T - 9, B24_MOVE_DO, "closed before, by us");
    move("WON", "NEW", "NEW", T - 9, B24_MOVE_OVER, "by somebody");

    /* nobody knows whether our last move has come there */

    move_at("NEW", "WON", T - 5, "NEW", T - 9, 0, T - 30, B24_MOVE_DO, "it hasn't");
    move_at("WON", "WON", T - 5, "NEW", T - 9, 0, T + 9, B24_MOVE_DO, "it has, late");
    move_at("LOSE", "WON", T - 5, "NEW", T - 9, 0, T + 9, B24_MOVE_NEWER, "somebody has");

    /* it was seen elsewhere since */

    move_at("NEW", "NEW", T - 9, "EXECUTING", T - 5, T - 6, T + 9, B24_MOVE_NEWER, "back at what we had sent, after");
    move_at("NEW", "NEW", T - 9, "EXECUTING", T - 5, T - 6, T - 4, B24_MOVE_OVER, "before");
    move_at("EXECUTING", "NEW", T - 9, "EXECUTING", T + 5, T + 4, T + 4, B24_MOVE_NEWER, "where it was seen, after");
    move_at("WON", "NEW", T - 9, "WON", T + 5, T + 4, T + 4, B24_MOVE_CLOSED, "an end, after");
    move_at("WON", "NEW", T - 9, "WON", T + 5, T - 4, T - 4, B24_MOVE_OVER, "an end, before");
    move_at("EXECUTING", "NEW", T - 9, "EXECUTING", T + 5, T + 1, T - 1, B24_MOVE_NEWER, "later than a portal's clock has it");
    move_at("EXECUTING", "NEW", T - 9, "EXECUTING", T + 5, T + 1, 0, B24_MOVE_NEWER, "by a portal that tells no time");
    move_at("EXECUTING", "NEW", T + 3600, "EXECUTING", T + 3600, T + 3601, T - 4, B24_MOVE_OVER, "our clock was an hour ahead");

    memset(&set, 0, sizeof(set));
    memset(&deal, 0, sizeof(deal));
    memset(&seen, 0, sizeof(seen));

    is_int(b24_crm_move(&set, &deal, &to, &seen, T * 1000), B24_MOVE_GONE, "gone");

    deal.id = 7;
    deal.category = 3;
    deal.stage = str("C3:NEW");
    is_int(b24_crm_move(&set, &deal, &to, &seen, T * 1000), B24_MOVE_PIPELINE, "in another pipeline");
}


static void
read_deal(unsigned universal, const char *answer, int64_t id, const char *at, int64_t moved, unsigned final, const char *name)
{
    b24_str_t           text;
    b24_answer_t        a;
    b24_verdict_t       verdict;
    b24_crm_deal_t      deal;
    b24_crm_known_t     known;
    b24_crm_settings_t  set;

    memset(&set, 0, sizeof(set));
    memset(&known, 0, sizeof(known));
    set.universal = universal & 1;

    text = str(answer);

    if (b24_answer_parse(pool, B24_NET_OK, 200, &text, &a) != B24_OK
        || b24_crm_deal_read(pool, &a, &set, &known, T, &deal, &verdict) != B24_OK)
    {
        ok(0, "%s: an error", name);
        return;
    }

    if (id < 0) {
        ok(verdict.class != B24_CLASS_OK, "%s: no answer", name);
        return;
    }

    is_int(verdict.class, B24_CLASS_OK, name);
    is_int(deal.id, id, "its id");

    if (id) {
        is_str(&deal.stage, at, "its stage");
        is_int(deal.moved, moved, "when it was moved");
        is_int(deal.final, final, "whether it is at an end");
    }
}


#define CLASSIC(fields)    "{\"result\":{\"result\":{\"deal\":[" fields "]},\"result_error\":[]}}"
#define UNIVERSAL(fields)  "{\"result\":{\"result\":{\"deal\":{\"items\":[" fields "]}},\"result_error\":[]},\"time\":{\"finish\":1700003600.5}}"

static void
test_reading(void)
{
    read_deal(0, CLASSIC("{\"ID\":\"7\",\"STAGE_ID\":\"C3:WON\",\"CATEGORY_ID\":\"3\",\"STAGE_SEMANTIC_ID\":\"S\",\"MOVED_TIME\":\"2023-11-15T01:13:20+03:00\"}"), 7, "C3:WON", T, 1, "classic");
    read_deal(0, CLASSIC("{\"ID\":7,\"STAGE_ID\":\"NEW\",\"MOVED_TIME\":null,\"DATE_MODIFY\":\"2023-11-14T20:13:20-02:00\"}"), 7, "NEW", T, 0, "without the time of a move");
    read_deal(0, CLASSIC("{\"ID\":7,\"STAGE_ID\":\"LOSE\",\"STAGE_SEMANTIC_ID\":\"F\",\"MOVED_TIME\":\"yesterday\"}"), 7, "LOSE", 0, 1, "with no time");
    read_deal(0, CLASSIC("{\"ID\":7,\"STAGE_ID\":\"NEW\",\"MOVED_TIME\":\"2023-11-14T22:13:20Z\"}"), 7, "NEW", T, 0, "in UTC");
    read_deal(1, UNIVERSAL("{\"id\":7,\"stageId\":\"NEW\",\"categoryId\":0,\"stageSemanticId\":\"P\",\"movedTime\":\"2023-11-14T23:13:20+00:00\"}"), 7, "NEW", T, 0, "universal, by our clock");
    read_deal(1, UNIVERSAL("{\"id\":7,\"stageId\":\"NEW\",\"updatedTime\":\"2023-11-14T23:13:20+00:00\"}"), 7, "NEW", T, 0, "universal, when it was changed");
    read_deal(0, CLASSIC(""), 0, "", 0, 0, "a deal that is gone");
    read_deal(1, UNIVERSAL(""), 0, "", 0, 0, "universal, gone");
    read_deal(0, CLASSIC("{\"ID\":7}"), -1, "", 0, 0, "without a stage");
    read_deal(0, CLASSIC("7"), -1, "", 0, 0, "no deal");
    read_deal(0, "{\"result\":{\"result\":{\"deal\":true},\"result_error\":[]}}", -1, "", 0, 0, "no list");
    read_deal(1, CLASSIC(""), -1, "", 0, 0, "no items");
    read_deal(0, "{\"result\":{\"result\":[],\"result_error\":[]}}", -1, "", 0, 0, "left out");
    read_deal(0, "{\"result\":{\"result\":[],\"result_error\":{\"deal\":{\"error\":\"\",\"error_description\":\"Access denied\"}}}}", -1, "", 0, 0, "refused");
}


int
main(void)
{
    pool = b24_pool_create(0);

    test_blocks();
    test_many();
    test_stages();
    test_back();
    test_moves();
    test_reading();

    b24_pool_destroy(pool);

    return done_testing();
}
