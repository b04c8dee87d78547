
/*
 * Orders written in rounds of literal ids: the portal gets the commands that it
 * gets in one batch with references, and the same is known of it afterwards.
 */


#include <stdlib.h>

#include "tap.h"
#include "b24_crm.h"


#define COMMANDS  40
#define MANY      400


/* a portal that answers what it is asked for, but for one command */
typedef struct {
    const char  *fails;             /* the command's name, NULL: none */
    const char  *error;             /* what it says */
    int          times;
    const char  *contact;           /* what "g" tells, classic */
    const char  *found;             /* to a look-up */
} portal_t;


/* what an order is at first, and what came of it */
typedef struct {
    b24_order_t      *order;
    b24_crm_known_t   known;
    b24_class_e       class;
    int               batches;
    char             *sent[COMMANDS];       /* "name method?query", sorted */
    int               nsent;
    char              names[128];           /* as they came, rounds with "|" */
} run_t;


static b24_pool_t           *pool;
static b24_crm_settings_t    set;


#define CONTACT_SAME   "{\"ID\":\"55\",\"PHONE\":[{\"VALUE\":\"+79123456789\"}],\"EMAIL\":[{\"VALUE\":\"ivan@example.com\"}]}"
#define CONTACT_OTHER  "{\"ID\":\"55\",\"PHONE\":[{\"VALUE\":\"+79990000000\"}]}"
#define NOT_FOUND      "{\"error\":\"\",\"error_description\":\"Not found\"}"
#define NOBODY         "\"deal\":[],\"phone\":[],\"email\":[],\"inn\":[],\"firm\":[],\"title\":[]"


static void
pair(b24_pair_t **list, const char *name, const char *value)
{
    b24_str_t  n = str(name), v = str(value);

    (void) b24_pair_set(pool, list, &n, &v);
}


static b24_order_t *
order_new(void)
{
    b24_item_t   *item;
    b24_order_t  *order = b24_order_create(pool);

    order->origin = str("shop");
    order->fields[B24_ORDER_ID] = str("1001");
    order->fields[B24_ORDER_FIRST_NAME] = str("Ivan");
    order->fields[B24_ORDER_PHONE] = str("+79123456789");
    order->fields[B24_ORDER_EMAIL] = str("ivan@example.com");
    order->fields[B24_ORDER_TOTAL] = str("1990");
    order->fields[B24_ORDER_CURRENCY] = str("RUB");
    order->fields[B24_ORDER_STATUS] = str("N");

    item = b24_order_add_item(pool, order);
    item->fields[B24_ITEM_NAME] = str("Mug $result[c]");
    item->fields[B24_ITEM_PRICE] = str("995.00");
    item->fields[B24_ITEM_QUANTITY] = str("2");

    return order;
}


static b24_order_t *
order_firm(void)
{
    b24_order_t  *order = order_new();

    order->fields[B24_ORDER_COMPANY] = str("Romashka");
    order->fields[B24_ORDER_INN] = str("7707083893");

    return order;
}


/* ---- the portal ---- */

/* references of one batch become ids, as the server resolves them */

static char *
resolved(const b24_node_t *cmd)
{
    char         *text, *out, *to;
    size_t        i;
    const char   *refs[][2] = { { "%24result%5Bc%5D", "55" }, { "%24result%5Bk%5D", "9" }, { "%24result%5Bd%5D", "412" }, { NULL, NULL } };
    const char   *tail = "%5Bitem%5D%5Bid%5D";

    text = b24_pnalloc(pool, cmd->key.len + cmd->value.len + 2);
    out = to = b24_pnalloc(pool, cmd->key.len + cmd->value.len + 2);
    (void) sprintf(text, "%.*s %.*s", (int) cmd->key.len, cmd->key.data, (int) cmd->value.len, cmd->value.data);

    while (*text) {

        for (i = 0; refs[i][0] && strncmp(text, refs[i][0], strlen(refs[i][0])) != 0; i++) { /* void */ }

        if (refs[i][0] == NULL) {
            *to++ = *text++;
            continue;
        }

        to += sprintf(to, "%s", refs[i][1]);
        text += strlen(refs[i][0]);

        if (strncmp(text, tail, strlen(tail)) == 0) {
            text += strlen(tail);
        }
    }

    *to = '\0';

    return out;
}


static const char *
answer_to(const portal_t *portal, char name)
{
    switch (name) {

    case 'g': return set.universal
        ? "{\"item\":{\"id\":55,\"fm\":[{\"typeId\":\"PHONE\",\"value\":\"+79123456789\"},{\"typeId\":\"EMAIL\",\"value\":\"ivan@example.com\"}]}}"
        : portal->contact ? portal->contact : CONTACT_SAME;
    case 'h': return "{\"ID\":\"9\"}";
    case 'c': return set.universal ? "{\"item\":{\"id\":55}}" : "55";
    case 'k': return set.universal ? "{\"item\":{\"id\":9}}" : "9";
    case 'd': return set.universal ? "{\"item\":{\"id\":412,\"stageId\":\"LOST\",\"categoryId\":0}}" : "412";
    case 'q': return "27";
    case 'b': return "{\"ID\":\"412\",\"STAGE_ID\":\"LOST\",\"CATEGORY_ID\":\"0\",\"OPPORTUNITY\":\"1990.00\"}";
    default:  return "true";
    }
}


/* runs a batch, keeps what was sent and answers */

static void
execute(portal_t *portal, const b24_str_t *json, run_t *run, b24_answer_t *answer)
{
    int          halt;
    b24_buf_t    done, failed, body;
    b24_str_t    s, k = str("cmd");
    b24_node_t  *root, *cmd;

    halt = b24_str_find(json, 0, "{\"halt\":1") == 0;
    (void) b24_json_parse(pool, json, 0, &root);
    b24_buf_init(&done, pool);
    b24_buf_init(&failed, pool);

    if (run->names[0]) { strcat(run->names, "|"); }

    for (cmd = b24_node_get(root, &k)->first; cmd; cmd = cmd->next) {
        run->sent[run->nsent++] = resolved(cmd);
        strncat(run->names, (char *) cmd->key.data, 1);

        if (portal->fails && portal->times && b24_str_eqs(&cmd->key, portal->fails)) {
            portal->times--;
            b24_buf_adds(&failed, "\"");
            b24_buf_addstr(&failed, &cmd->key);
            b24_buf_adds(&failed, "\":");
            b24_buf_adds(&failed, portal->error);

            if (halt) { break; }

            continue;
        }

        if (done.len) { b24_buf_adds(&done, ","); }

        b24_buf_adds(&done, "\"");
        b24_buf_addstr(&done, &cmd->key);
        b24_buf_adds(&done, "\":");
        b24_buf_adds(&done, answer_to(portal, (char) cmd->key.data[0]));
    }

    b24_buf_init(&body, pool);
    b24_buf_adds(&body, "{\"result\":{\"result\":{");
    (void) b24_buf_str(&done, &s);
    b24_buf_addstr(&body, &s);
    b24_buf_adds(&body, "},\"result_error\":{");
    (void) b24_buf_str(&failed, &s);
    b24_buf_addstr(&body, &s);
    b24_buf_adds(&body, "}}}");
    (void) b24_buf_str(&body, &s);
    (void) b24_answer_parse(pool, B24_NET_OK, 200, &s, answer);
}


static int
compare(const void *one, const void *two)
{
    return strcmp(*(char *const *) one, *(char *const *) two);
}


static int
looked_up(portal_t *portal, run_t *run)
{
    b24_buf_t       buf;
    b24_str_t       s;
    b24_answer_t    answer;
    b24_verdict_t   verdict;

    b24_buf_init(&buf, pool);
    b24_buf_adds(&buf, "{\"result\":{\"result\":{");
    b24_buf_adds(&buf, portal->found ? portal->found : NOBODY);
    b24_buf_adds(&buf, "},\"result_error\":[]}}");
    (void) b24_buf_str(&buf, &s);
    (void) b24_answer_parse(pool, B24_NET_OK, 200, &s, &answer);
    strcat(run->names, "?");

    return b24_crm_looked_up(pool, &answer, &set, run->order, &run->known, &verdict) == B24_OK && verdict.class == B24_CLASS_OK;
}


/* to the end, as the courier does it */

static void
deliver(portal_t portal, run_t *run)
{
    unsigned        mask;
    b24_str_t       json;
    const char     *method;
    b24_batch_t     batch;
    b24_answer_t    answer;
    b24_verdict_t   verdict;

    for (run->batches = 0; run->batches < 12; run->batches++) {
        b24_batch_init(&batch, pool, !run->known.literal);

        if (b24_crm_write(&batch, &set, run->order, &run->known, &mask) != B24_OK || (batch.count && b24_batch_print(&batch, &json) != B24_OK)) {
            ok(0, "the batch prints");
            break;
        }

        if (batch.count == 0) { break; }

        execute(&portal, &json, run, &answer);
        (void) b24_crm_written(pool, &answer, &set, run->order, &run->known, &verdict, &method);
        run->class = verdict.class;

        if (run->known.other_api && run->known.again != B24_AGAIN_NO) {
            set.universal = !set.universal;
        }

        if (run->known.again == B24_AGAIN_LOOKUP) {

            if (!looked_up(&portal, run)) {
                ok(0, "the look-up is read");
                break;
            }

        } else if (run->known.again == B24_AGAIN_NO && verdict.class != B24_CLASS_OK) {
            break;
        }
    }

    qsort(run->sent, (size_t) run->nsent, sizeof(char *), compare);
}


static b24_str_t
known_text(run_t *run)
{
    char                   *text = b24_pnalloc(pool, 600);
    b24_str_t               remarks = b24_null_string;
    const b24_crm_known_t  *k = &run->known;

    (void) b24_crm_remarks(pool, run->order, &remarks);
    (void) sprintf(text, "class %d deal %lld contact %lld company %lld found %d done %d%d%d requisite %d email %d recalled %d%d fits %d%d alone %d%d relink %d add %d%d api %d gone %lld %lld again %d stage %.*s; %.*s",
        (int) run->class, (long long) k->deal, (long long) k->contact, (long long) k->company, k->deal_found, k->contact_done, k->company_done, k->rows_done, k->requisite_done, k->drop_email,
        k->recalled_contact, k->recalled_company, k->phone_fits, k->email_fits, k->phone_alone, k->email_alone, k->relink, k->add_phone, k->add_email, k->other_api,
        (long long) k->gone_contact, (long long) k->gone_company, (int) k->again, (int) k->stage.len, k->stage.data, (int) remarks.len, remarks.data);

    return str(text);
}


static void
reset(void)
{
    memset(&set, 0, sizeof(set));
    set.origin = str("shop");
    set.phone_code = str("7");
    set.requisite_preset = 1;
    pair(&set.stages, "N", "NEW");
}


/* one batch and rounds: the same; names: of the commands, round by round */

static void
same(const char *name, b24_order_t *(*make)(void), const b24_crm_known_t *known, const portal_t *portal, int universal, const char *names)
{
    int             i, differ;
    run_t           one, rounds;
    b24_str_t       a, b;
    static char     text[600];

    memset(&one, 0, sizeof(one));
    memset(&rounds, 0, sizeof(rounds));

    one.order = make();
    one.known = *known;
    reset();
    set.universal = universal ? 1 : 0;
    deliver(*portal, &one);

    rounds.order = make();
    rounds.known = *known;
    rounds.known.literal = 1;
    reset();
    set.universal = universal ? 1 : 0;
    deliver(*portal, &rounds);

    differ = one.nsent != rounds.nsent;

    for (i = 0; !differ && i < one.nsent; i++) {
        differ = strcmp(one.sent[i], rounds.sent[i]) != 0;
    }

    ok(!differ, "%s%s: the same commands", name, universal ? ", universal" : "");

    for (i = 0; differ && i < COMMANDS; i++) {
        printf("# %s\n# %s\n", i < one.nsent ? one.sent[i] : "-", i < rounds.nsent ? rounds.sent[i] : "-");
    }

    a = known_text(&one);
    b = known_text(&rounds);
    (void) snprintf(text, sizeof(text), "%.*s", (int) a.len, a.data);
    is_str(&b, text, "the same is known");
    a = str(rounds.names);
    is_str(&a, names, "in these rounds");
    is_int(rounds.known.read_due, 0, "nothing is left to be read");
}


static b24_order_t *
order_nobody(void)
{
    b24_order_t  *order = order_firm();

    order->fields[B24_ORDER_FIRST_NAME] = str("");
    order->fields[B24_ORDER_PHONE] = str("");
    order->fields[B24_ORDER_EMAIL] = str("");

    return order;
}


static b24_order_t *
order_many(void)
{
    int           i;
    b24_item_t   *item;
    b24_order_t  *order = order_new();

    for (i = 0; i < MANY; i++) {
        item = b24_order_add_item(pool, order);
        item->fields[B24_ITEM_NAME] = str("Thing");
        item->fields[B24_ITEM_PRICE] = str("1");
    }

    return order;
}


static void
test_same(void)
{
    portal_t         fine, gone, mail, other, rows, requisite;
    b24_crm_known_t  none, k;

    memset(&fine, 0, sizeof(fine));
    memset(&none, 0, sizeof(none));

    same("a new buyer", order_new, &none, &fine, 0, "c|d|rb");
    same("a new buyer", order_new, &none, &fine, 1, "c|d|r");
    same("a new firm", order_firm, &none, &fine, 0, "ck|d|rqlb");
    same("a new firm", order_firm, &none, &fine, 1, "ck|d|rql");
    same("a firm without a contact", order_nobody, &none, &fine, 0, "k|d|rqb");
    same("rows too many", order_many, &none, &fine, 0, "c|d|b");
    same("rows too many", order_many, &none, &fine, 1, "c|d");

    k = none;
    k.contact = 275;
    k.contact_done = 1;
    same("a known buyer", order_new, &k, &fine, 0, "d|rb");
    same("a known buyer", order_new, &k, &fine, 1, "d|r");
    k.add_email = 1;
    k.phone_fits = 1;
    same("who gets an e-mail", order_new, &k, &fine, 0, "d|rbe");
    same("who gets an e-mail", order_new, &k, &fine, 1, "d|re");
    k.add_email = 0;
    k.company = 9;
    same("a firm made without an INN", order_firm, &k, &fine, 0, "d|rqulb");
    k.requisite_done = 1;
    same("a known firm", order_firm, &k, &fine, 0, "d|rlb");

    k = none;
    k.contact = 55;
    k.contact_done = 1;
    k.recalled_contact = 1;
    k.phone_fits = 1;
    k.email_fits = 1;
    same("a remembered buyer", order_new, &k, &fine, 0, "g|d|rb");
    same("a remembered buyer", order_new, &k, &fine, 1, "g|d|r");

    gone = fine;
    gone.fails = "g";
    gone.error = NOT_FOUND;
    gone.times = 1;
    same("who has gone", order_new, &k, &gone, 0, "g?|c|d|rb");
    gone.error = "{\"error\":\"OPERATION_TIME_LIMIT\"}";
    same("who can't be asked for now", order_new, &k, &gone, 0, "g");
    k.add_phone = 1;
    k.phone_fits = 0;
    same("remembered by the e-mail alone", order_new, &k, &fine, 0, "g|d|rbe");
    k.add_phone = 0;
    k.phone_fits = 1;
    k.company = 9;
    k.recalled_company = 1;
    k.requisite_done = 1;
    same("a remembered firm", order_firm, &k, &fine, 0, "gh|d|rlb");

    k = none;
    k.deal = 412;
    k.deal_found = 1;
    k.contact_done = 1;
    k.company_done = 1;
    same("a deal that was found", order_new, &k, &fine, 0, "r");
    k.rows_done = 1;
    same("with its rows", order_new, &k, &fine, 0, "");

    k = none;
    k.deal = 412;
    k.rows_done = 1;
    k.relink = 1;
    same("a deal that is another's", order_new, &k, &fine, 0, "c|t");
    same("a deal that is another's", order_new, &k, &fine, 1, "c|t");
    same("a firm's deal that is another's", order_firm, &k, &fine, 0, "ck|tql");

    mail = fine;
    mail.fails = "c";
    mail.error = "{\"error\":\"ERROR_CORE\",\"error_description\":\"invalid e-mail\"}";
    mail.times = 1;
    same("an e-mail that is refused", order_new, &none, &mail, 0, "c|c|d|rb");

    other = mail;
    other.fails = "d";
    other.error = "{\"error\":\"\",\"error_description\":\"The field POST is required.\"}";
    same("the other methods", order_new, &none, &other, 0, "c|d|d|r");
    other.error = "{\"error\":\"CRM_FIELD_ERROR_REQUIRED\",\"error_description\":\"POST\"}";
    same("the other methods", order_new, &none, &other, 1, "c|d|d|rb");
    other.error = "{\"error\":\"\",\"error_description\":\"Access denied\"}";
    same("a deal that is refused", order_new, &none, &other, 0, "c|d");

    requisite = fine;
    requisite.fails = "l";
    requisite.error = "{\"error\":\"\",\"error_description\":\"Access denied\"}";
    requisite.times = 1;
    same("a link that is refused", order_firm, &none, &requisite, 1, "ck|d|rql");

    rows = requisite;
    rows.fails = "r";
    rows.error = "{\"error\":\"OPERATION_TIME_LIMIT\"}";
    same("rows that have to wait", order_new, &none, &rows, 1, "c|d|r");
    rows.fails = "b";
    rows.error = NOT_FOUND;
    same("a deal that can't be read", order_new, &none, &rows, 0, "c|d|rb");
}


/* where a batch with halt:1 stops, others go on; what follows is the same */

static void
test_goes_on(void)
{
    run_t      run;
    portal_t   portal;
    b24_str_t  s;

    memset(&portal, 0, sizeof(portal));
    memset(&run, 0, sizeof(run));
    reset();
    run.order = order_new();
    run.known.literal = 1;
    run.known.contact = 55;
    run.known.contact_done = 1;
    run.known.recalled_contact = 1;
    run.known.phone_fits = 1;
    portal.contact = CONTACT_OTHER;
    deliver(portal, &run);
    s = str(run.names);
    is_str(&s, "g?|c|d|rb", "who has another phone now is nobody's contact before there is a deal");
    ok(run.known.gone_contact == 55 && run.known.deal == 412 && !run.known.relink, "and nothing has to be linked anew");

    memset(&portal, 0, sizeof(portal));
    memset(&run, 0, sizeof(run));
    reset();
    run.order = order_firm();
    run.known.literal = 1;
    portal.fails = "q";
    portal.error = "{\"error\":\"\",\"error_description\":\"Access denied\"}";
    portal.times = 1;
    deliver(portal, &run);
    s = str(run.names);
    is_str(&s, "ck|d|rqlb", "a requisite that is refused stops nobody");
    ok(run.class == B24_CLASS_OPERATOR && run.known.deal == 412 && run.known.rows_done && !run.known.requisite_done && !run.known.company_done, "all else is done");
    portal.fails = NULL;
    deliver(portal, &run);
    s = str(run.names);
    is_str(&s, "ck|d|rqlb|ql", "it is made the next time");
    ok(run.known.company_done && run.class == B24_CLASS_OK, "and all is done");

    memset(&portal, 0, sizeof(portal));
    memset(&run, 0, sizeof(run));
    reset();
    run.order = order_firm();
    run.known.literal = 1;
    portal.fails = "c";
    portal.error = "{\"error\":\"ERROR_CORE\",\"error_description\":\"invalid e-mail\"}";
    portal.times = 1;
    deliver(portal, &run);
    s = str(run.names);
    is_str(&s, "ck|c|d|rqlb", "a company beside a refused e-mail is made once");
}


int
main(void)
{
    pool = b24_pool_create(0);

    test_same();
    test_goes_on();

    b24_pool_destroy(pool);

    return done_testing();
}
