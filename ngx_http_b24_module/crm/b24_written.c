
/*
 * The answer to a write batch, command by command: what is done now, what the
 * portal did not take as it was sent, and whether there is another way to try
 * at once.
 */


#include <stdio.h>

#include "b24_crm_int.h"
#include "b24_text.h"


/* what a command answers when it is done */
typedef enum {
    B24_ANSWER_ID = 0,              /* crm.*.add */
    B24_ANSWER_NUMBER,              /* an id in both families of methods */
    B24_ANSWER_TRUE,                /* anything but null and false */
    B24_ANSWER_ANY                  /* false: was so already */
} b24_answer_e;


/* one answer and all that it is read with */
typedef struct {
    b24_pool_t                *pool;
    const b24_answer_t        *answer;
    const b24_crm_api_t       *api;
    const b24_crm_settings_t  *set;
    b24_order_t               *order;
    b24_crm_known_t           *known;
    b24_crm_facts_t            facts;
    b24_plan_t                 plan;
    int64_t                    id[B24_DO_N];    /* not 0: done */
    b24_do_e                   failed;          /* the first; B24_DO_N: none */
    b24_verdict_t             *verdict;         /* of that one */
} b24_written_t;


static void b24_written_steps(b24_written_t *w);
static int b24_written_step(b24_written_t *w, b24_do_e step,
    b24_verdict_t *verdict);
static void b24_written_known(b24_written_t *w);
static int b24_written_deal(b24_written_t *w);
static int b24_written_again(b24_written_t *w);
static void b24_written_gone(b24_written_t *w);
static void b24_written_stale(b24_written_t *w);
static const char *b24_step_method(const b24_crm_api_t *api, b24_do_e step);
static int b24_email_refused(const b24_verdict_t *verdict);
static int b24_read_back_links(b24_pool_t *pool, const b24_crm_api_t *api,
    b24_order_t *order, const b24_crm_known_t *known, const b24_node_t *deal);
static int b24_is_status_field(const char *field);
static int b24_differs(b24_pool_t *pool, b24_order_t *order,
    const b24_crm_api_t *api, const b24_node_t *deal, const char *field,
    const b24_str_t *sent, const char *what);
static int b24_same_text(const char *field, const b24_str_t *a,
    const b24_str_t *b);


static const b24_answer_e  b24_kinds[B24_DO_N] = {
    B24_ANSWER_TRUE,
    B24_ANSWER_TRUE,
    B24_ANSWER_ID,
    B24_ANSWER_ID,
    B24_ANSWER_ID,
    B24_ANSWER_TRUE,
    B24_ANSWER_TRUE,
    B24_ANSWER_NUMBER,
    B24_ANSWER_TRUE,
    B24_ANSWER_ANY,
    B24_ANSWER_TRUE,
    B24_ANSWER_TRUE
};


int
b24_crm_written(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_settings_t *set, b24_order_t *order,
    b24_crm_known_t *known, b24_verdict_t *verdict, const char **method)
{
    int            rc;
    b24_written_t  w;

    *method = NULL;
    *verdict = answer->verdict;
    known->again = B24_AGAIN_NO;

    if (verdict->class != B24_CLASS_OK) {
        return B24_OK;
    }

    memset(&w, 0, sizeof(b24_written_t));
    w.pool = pool;
    w.answer = answer;
    w.api = b24_crm_api(set);
    w.set = set;
    w.order = order;
    w.known = known;
    w.verdict = verdict;

    rc = b24_crm_facts(pool, set, order, known, &w.facts);
    if (rc != B24_OK) {
        return rc;
    }

    if (b24_crm_plan(pool, w.api, order, known, &w.facts, &w.plan) != B24_OK)
    {
        return B24_ERROR;
    }

    b24_written_steps(&w);
    b24_written_known(&w);

    if (b24_written_deal(&w) != B24_OK) {
        return B24_ERROR;
    }

    if (w.failed == B24_DO_N) {
        return B24_OK;
    }

    *method = b24_step_method(w.api, w.failed);

    return b24_written_again(&w);
}


/* goes on after a failure: an id that is told is never forgotten */

static void
b24_written_steps(b24_written_t *w)
{
    unsigned       i;
    b24_verdict_t  v;

    w->failed = B24_DO_N;

    for (i = 0; i < B24_DO_N; i++) {

        if (!w->plan.want[i] || b24_written_step(w, i, &v)) {
            continue;
        }

        /* the deal is as it is, whether it can be read or not, and a contact
         * that refuses an e-mail is no failure of the order */

        if (w->failed == B24_DO_N && i < B24_DO_READ) {
            *w->verdict = v;
            w->failed = i;
        }
    }
}


/* 1 and its id not 0 when the command is done; otherwise verdict tells */

static int
b24_written_step(b24_written_t *w, b24_do_e step, b24_verdict_t *verdict)
{
    int64_t          id;
    b24_node_t      *result;
    b24_cmd_state_e  state;

    state = b24_answer_command(w->pool, w->answer, b24_crm_do_name(step),
                               &result, verdict);

    if (state == B24_CMD_FAILED) {
        return 0;
    }

    if (state == B24_CMD_NOT_RUN) {
        b24_crm_failed(verdict, B24_CLASS_CHECK, "NOT_RUN",
                       "the portal left a command out of its answer");
        return 0;
    }

    switch (b24_kinds[step]) {

    case B24_ANSWER_ID:
        id = b24_crm_added(w->api, result);
        break;

    case B24_ANSWER_NUMBER:
        id = b24_node_id(result);
        break;

    case B24_ANSWER_TRUE:
        id = (result->type != B24_NULL && result->type != B24_FALSE);
        break;

    default:
        id = 1;
    }

    if (id == 0) {
        b24_crm_failed(verdict, B24_CLASS_CHECK, "UNEXPECTED",
                       "a command was answered in a form the module does not"
                       " know");
        return 0;
    }

    w->id[step] = id;

    return 1;
}


static void
b24_written_known(b24_written_t *w)
{
    b24_crm_known_t  *known;

    known = w->known;

    if (w->id[B24_DO_CONTACT]) {
        known->contact = w->id[B24_DO_CONTACT];
        known->contact_made = known->literal;
        known->phone_fits = w->facts.by_phone;
        known->email_fits = w->facts.by_email;
        known->phone_alone = w->facts.by_phone;
        known->email_alone = w->facts.by_email;
        known->add_phone = 0;
        known->add_email = 0;
    }

    if (w->id[B24_DO_COMPANY]) {
        known->company = w->id[B24_DO_COMPANY];
        known->company_made = known->literal;
    }

    if (w->id[B24_DO_DEAL]) {
        known->deal = w->id[B24_DO_DEAL];
        known->read_due = known->literal && !w->api->universal;

    } else if (w->plan.want[B24_DO_READ]) {

        /* once, whether it could be read or not */

        known->read_due = 0;
    }

    if (w->id[B24_DO_RELINK]) {
        known->relink = 0;
    }

    if (known->contact || !w->facts.buyer || (known->deal && !known->relink)) {
        known->contact_done = 1;
    }

    if (w->id[B24_DO_ROWS] || w->plan.nrows == 0) {
        known->rows_done = 1;
    }

    if (w->id[B24_DO_REQUISITE]) {
        known->requisite_done = 1;
    }

    if (w->failed == B24_DO_N && !w->plan.part && !known->relink) {
        known->company_done = 1;
    }

    if (w->id[B24_DO_ENRICH]) {
        known->phone_fits |= known->add_phone;
        known->email_fits |= known->add_email;
        known->phone_alone |= known->add_phone;
        known->email_alone |= known->add_email;
    }

    if (w->plan.want[B24_DO_ENRICH] && known->deal) {

        /* once: a second time would add a copy */

        known->add_phone = 0;
        known->add_email = 0;
    }

    if (w->id[B24_DO_ASK_CONTACT]) {
        b24_written_stale(w);
    }

    if (w->id[B24_DO_ASK_COMPANY]) {
        known->recalled_company = 0;
    }
}


/* the contact is there: is it still the one with that phone and e-mail? */

static void
b24_written_stale(b24_written_t *w)
{
    b24_node_t       *contact;
    b24_verdict_t     v;
    b24_crm_known_t  *known;

    known = w->known;
    known->recalled_contact = 0;

    (void) b24_answer_command(w->pool, w->answer,
                              b24_crm_do_name(B24_DO_ASK_CONTACT), &contact,
                              &v);

    if (b24_crm_contact_fits(w->pool, w->set, &w->facts, known, contact)) {
        return;
    }

    known->gone_contact = known->contact;
    known->hint = 0;
    known->contact = 0;
    known->contact_done = 0;
    known->phone_fits = 0;
    known->email_fits = 0;
    known->add_phone = 0;
    known->add_email = 0;
    known->relink = (known->deal != 0);
    known->again = B24_AGAIN_LOOKUP;
}


/* how the portal has taken the deal */

static int
b24_written_deal(b24_written_t *w)
{
    b24_do_e        step;
    b24_str_t       item = b24_string("item");
    b24_node_t     *deal, *stage;
    b24_verdict_t   v;

    step = (w->api->universal && w->id[B24_DO_DEAL]) ? B24_DO_DEAL
                                                      : B24_DO_READ;

    if (w->id[step] == 0 || w->known->deal == 0) {
        return B24_OK;
    }

    (void) b24_answer_command(w->pool, w->answer, b24_crm_do_name(step), &deal,
                              &v);

    if (w->api->universal) {
        deal = b24_node_get(deal, &item);
    }

    stage = deal ? b24_crm_field(w->api, deal, "STAGE_ID") : NULL;

    if (stage && b24_node_text(stage, &w->known->stage) != B24_OK) {
        w->known->stage.len = 0;
    }

    return b24_crm_read_back(w->pool, w->set, w->order, w->known, deal);
}


/* a command failed: is there another way to go on at once? */

static int
b24_written_again(b24_written_t *w)
{
    size_t            n;
    b24_crm_known_t  *known;

    known = w->known;

    if (known->again != B24_AGAIN_NO || w->verdict->class == B24_CLASS_RETRY
        || w->verdict->class == B24_CLASS_WAIT
        || w->verdict->class == B24_CLASS_CHECK)
    {
        return B24_OK;
    }

    if (w->failed == B24_DO_ASK_CONTACT || w->failed == B24_DO_ASK_COMPANY) {
        b24_written_gone(w);
        return B24_OK;
    }

    /* ERROR_CORE is the database's, too */

    if (b24_str_caseeqs(&w->verdict->code, "ERROR_CORE")) {

        if (b24_order_narrow(w->pool, w->order, &n) != B24_OK) {
            return B24_ERROR;
        }

        if (n) {
            known->again = B24_AGAIN_WRITE;
            return b24_order_remark(w->pool, w->order, "narrow",
                                    "the portal can't keep some characters"
                                    " (emoji): they were left out");
        }
    }

    if (w->failed == B24_DO_CONTACT && w->facts.email.len
        && b24_email_refused(w->verdict))
    {
        known->drop_email = 1;
        known->email_fits = 0;
        known->again = B24_AGAIN_WRITE;
        return B24_OK;
    }

    if (!b24_crm_api_refused(w->api, w->verdict)) {
        return B24_OK;
    }

    if (!known->other_api) {
        known->other_api = 1;
        known->again = B24_AGAIN_WRITE;

    } else if (w->verdict->class == B24_CLASS_PERMANENT) {

        /* both families want the field: no order of this shop has it */

        w->verdict->class = B24_CLASS_OPERATOR;
        w->verdict->advice = "The portal demands a field the order has not;"
                             " make it optional there or set it by b24_deal"
                             " or b24_contact.";
    }

    return B24_OK;
}


/* what was remembered is no more, or may not be read: nothing was written */

static void
b24_written_gone(b24_written_t *w)
{
    b24_crm_known_t  *known;

    known = w->known;

    if (w->failed == B24_DO_ASK_CONTACT) {
        known->gone_contact = known->contact;
        known->unreadable = (w->verdict->class == B24_CLASS_OPERATOR);

    } else {
        known->gone_company = known->company;
    }

    /* the other one was not asked, or is: both are looked up anew */

    known->hint = 0;
    known->contact = 0;
    known->contact_done = 0;
    known->company = 0;
    known->company_done = 0;
    known->requisite_done = 0;
    known->recalled_contact = 0;
    known->recalled_company = 0;
    known->phone_fits = 0;
    known->email_fits = 0;
    known->again = B24_AGAIN_LOOKUP;
}


static const char *
b24_step_method(const b24_crm_api_t *api, b24_do_e step)
{
    switch (step) {

    case B24_DO_ASK_CONTACT:
        return api->get[B24_ENTITY_CONTACT];

    case B24_DO_ASK_COMPANY:
        return api->get[B24_ENTITY_COMPANY];

    case B24_DO_CONTACT:
        return api->add[B24_ENTITY_CONTACT];

    case B24_DO_COMPANY:
        return api->add[B24_ENTITY_COMPANY];

    case B24_DO_DEAL:
        return api->add[B24_ENTITY_DEAL];

    case B24_DO_ROWS:
        return api->rows_set;

    case B24_DO_REQUISITE:
        return "crm.requisite.add";

    case B24_DO_RELINK:
        return api->update[B24_ENTITY_DEAL];

    case B24_DO_ENRICH:
        return api->update[B24_ENTITY_CONTACT];

    case B24_DO_MARK:
        return api->update[B24_ENTITY_COMPANY];

    default:
        return "crm.contact.company.add";
    }
}


/*
 * The portal's texts are in its own language: ERROR_CORE on a contact with an
 * e-mail is enough of a hint to try once more without it, other codes must
 * speak of mail.
 */

static int
b24_email_refused(const b24_verdict_t *verdict)
{
    return verdict->class == B24_CLASS_PERMANENT
           && (b24_str_caseeqs(&verdict->code, "ERROR_CORE")
               || b24_str_find(&verdict->text, 0, "mail") >= 0
               || b24_str_find(&verdict->text, 0, "EMAIL") >= 0
               || b24_str_find(&verdict->text, 0, "E-MAIL") >= 0);
}


/*
 * Universal methods check what an administrator made mandatory, classic ones
 * mostly don't; a portal may have dropped the classic ones, or its plan forbid
 * the universal ones.  The classic error has no code: its text speaks of a
 * required field, in the portal's language.
 */

int
b24_crm_api_refused(const b24_crm_api_t *api, const b24_verdict_t *verdict)
{
    size_t              i;
    const b24_str_t    *code;
    static const char  *words[] = {
        "required", "mandatory",
        "\xD0\xB1\xD1\x8F\xD0\xB7\xD0\xB0\xD1\x82\xD0\xB5\xD0\xBB",   /* ru */
        "\xD0\xB1\xD0\xBE\xD0\xB2\xE2\x80\x99\xD1\x8F",               /* uk */
        "\xD0\xB1\xD0\xBE\xD0\xB2'\xD1\x8F\xD0\xB7",
        "pflicht", "obligat", "erforderlich", NULL
    };

    code = &verdict->code;

    if (b24_str_caseeqs(code, "CRM_FIELD_ERROR_REQUIRED")
        || b24_str_caseeqs(code, "ERROR_METHOD_NOT_FOUND")
        || b24_str_caseeqs(code, "CREATE_DYNAMIC_ITEM_RESTRICTED")
        || b24_str_caseeqs(code, "UPDATE_DYNAMIC_ITEM_RESTRICTED"))
    {
        return 1;
    }

    if (api->universal || verdict->class != B24_CLASS_PERMANENT
        || (code->len && !b24_str_caseeqs(code, "ERROR_CORE")))
    {
        return 0;
    }

    for (i = 0; words[i]; i++) {

        if (b24_str_find(&verdict->text, 0, words[i]) >= 0) {
            return 1;
        }
    }

    return 0;
}


/* ---- the deal read back ---- */

int
b24_crm_read_back(b24_pool_t *pool, const b24_crm_settings_t *set,
    b24_order_t *order, const b24_crm_known_t *known, const b24_node_t *deal)
{
    char                  number[B24_DECIMAL_LEN];
    char                  field[64];
    b24_str_t             sent;
    b24_decimal_t         total;
    const b24_pair_t     *pair;
    const b24_crm_api_t  *api;

    api = b24_crm_api(set);

    if (deal == NULL || deal->type != B24_OBJECT) {
        return B24_OK;
    }

    if (b24_crm_stage(pool, set, order, &sent) != B24_OK
        || b24_differs(pool, order, api, deal, "STAGE_ID", &sent,
                       "the stage") != B24_OK)
    {
        return B24_ERROR;
    }

    sent.data = (u_char *) number;
    sent.len = (size_t) snprintf(number, sizeof(number), "%d", set->category);

    if (b24_differs(pool, order, api, deal, "CATEGORY_ID", &sent,
                    "the pipeline") != B24_OK)
    {
        return B24_ERROR;
    }

    sent = order->fields[B24_ORDER_TOTAL];

    if (sent.len && b24_decimal_parse(&sent, &total) == B24_OK
        && b24_decimal_round(&total, 2) == B24_OK)
    {
        sent.len = b24_decimal_print(&total, 2, number);
        sent.data = (u_char *) number;

        if (b24_differs(pool, order, api, deal, "OPPORTUNITY", &sent,
                        "the total") != B24_OK)
        {
            return B24_ERROR;
        }
    }

    if (b24_differs(pool, order, api, deal, "CURRENCY_ID",
                    &order->fields[B24_ORDER_CURRENCY], "the currency")
        != B24_OK)
    {
        return B24_ERROR;
    }

    for (pair = order->deal; pair; pair = pair->next) {

        if (pair->name.len >= sizeof(field)) {
            continue;
        }

        memcpy(field, pair->name.data, pair->name.len);
        field[pair->name.len] = '\0';

        if (b24_is_status_field(field)
            && b24_differs(pool, order, api, deal, field, &pair->value, NULL)
               != B24_OK)
        {
            return B24_ERROR;
        }
    }

    if (known->contact || known->company) {
        return b24_read_back_links(pool, api, order, known, deal);
    }

    return B24_OK;
}


/* a link to somebody who is gone is left out without a word */

static int
b24_read_back_links(b24_pool_t *pool, const b24_crm_api_t *api,
    b24_order_t *order, const b24_crm_known_t *known, const b24_node_t *deal)
{
    const b24_node_t  *contact, *company;

    contact = b24_crm_field(api, deal, "CONTACT_ID");
    company = b24_crm_field(api, deal, "COMPANY_ID");

    if (known->contact && !known->relink && contact
        && b24_node_id(contact) != known->contact
        && b24_order_remark(pool, order, "contact", "the portal did not link"
                            " the deal to its contact") != B24_OK)
    {
        return B24_ERROR;
    }

    if (known->company && company && b24_node_id(company) != known->company) {
        return b24_order_remark(pool, order, "company", "the portal did not"
                                " link the deal to its company");
    }

    return B24_OK;
}


/* fields whose wrong values the portal drops without an error */

static int
b24_is_status_field(const char *field)
{
    int                 i;
    static const char  *fields[] = {
        "SOURCE_ID", "TYPE_ID", "ASSIGNED_BY_ID", NULL
    };

    for (i = 0; fields[i]; i++) {

        if (strcmp(fields[i], field) == 0) {
            return 1;
        }
    }

    return 0;
}


/* what: plain words, NULL: the field's name will do */

static int
b24_differs(b24_pool_t *pool, b24_order_t *order, const b24_crm_api_t *api,
    const b24_node_t *deal, const char *field, const b24_str_t *sent,
    const char *what)
{
    char               text[256], code[64];
    b24_str_t          held;
    const b24_node_t  *node;

    node = b24_crm_field(api, deal, field);

    if (sent->len == 0 || node == NULL) {
        return B24_OK;
    }

    if (b24_node_text(node, &held) != B24_OK) {
        held.len = 0;
    }

    if (b24_same_text(field, sent, &held)) {
        return B24_OK;
    }

    /* values may be a buyer's: they are not repeated, stages are our own */

    if (strcmp(field, "STAGE_ID") == 0) {
        b24_text_cut(&held, 50);
        (void) snprintf(text, sizeof(text), "the portal did not take the stage"
                        " \"%.*s\", the deal is at \"%.*s\"",
                        (int) sent->len, (char *) sent->data,
                        (int) held.len, (char *) held.data);

    } else {
        (void) snprintf(text, sizeof(text), "the portal did not take %s of"
                        " the deal as it was sent", what ? what : field);
    }

    (void) snprintf(code, sizeof(code), "read_%s", field);

    return b24_order_remark(pool, order, code, text);
}


/* amounts compare by their value: "1990" is "1990.00" */

static int
b24_same_text(const char *field, const b24_str_t *a, const b24_str_t *b)
{
    b24_decimal_t  x, y;

    if (strcmp(field, "OPPORTUNITY") == 0
        && b24_decimal_parse(a, &x) == B24_OK
        && b24_decimal_parse(b, &y) == B24_OK)
    {
        return b24_decimal_cmp(&x, &y) == 0;
    }

    return b24_str_eq(a, b);
}


int
b24_crm_remarks(b24_pool_t *pool, const b24_order_t *order, b24_str_t *text)
{
    b24_buf_t          buf;
    const b24_pair_t  *pair;

    b24_buf_init(&buf, pool);

    for (pair = order->remarks; pair; pair = pair->next) {

        if (buf.len) {
            b24_buf_adds(&buf, "; ");
        }

        b24_buf_addstr(&buf, &pair->value);
    }

    return b24_buf_str(&buf, text);
}
