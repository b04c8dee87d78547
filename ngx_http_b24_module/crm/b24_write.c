
/*
 * Writing an order: one batch with halt:1 that adds contact, company, deal and
 * rows, each referring to what was added before it.  Requisite and link of the
 * company come last, so that they can't keep an order from its deal.  What is
 * only remembered of contact and company is asked for first: the batch stops
 * there when it is gone.  b24_written.c reads the answer.
 */


#include <stdio.h>

#include "b24_write_int.h"


#define B24_CODE_CHARS    50        /* STAGE_ID, CURRENCY_ID ... */


/* what is read of a record that is got */
static const char *const  b24_read_fields[3][10] = {

    { "PHONE", "EMAIL", NULL },     /* b24_crm_contact_fits() */

    { NULL },

    { "STAGE_ID", "CATEGORY_ID", "OPPORTUNITY", "CURRENCY_ID", "SOURCE_ID",
      "TYPE_ID", "ASSIGNED_BY_ID", "CONTACT_ID", "COMPANY_ID",
      NULL }                        /* b24_crm_read_back() */
};


static void b24_plan_literal(b24_plan_t *plan);
static unsigned b24_plan_ready(const b24_plan_t *plan, b24_do_e step);
static void b24_write_ask_contact(b24_write_t *w);
static void b24_write_ask_company(b24_write_t *w);
static void b24_write_ask(b24_write_t *w, b24_do_e step, b24_entity_e entity,
    int64_t id);
static void b24_write_select(b24_write_t *w, b24_entity_e entity);
static void b24_write_contact(b24_write_t *w);
static void b24_write_names(b24_write_t *w);
static void b24_write_company(b24_write_t *w);
static void b24_write_deal(b24_write_t *w);
static void b24_write_title(b24_write_t *w);
static void b24_write_stage(b24_write_t *w);
static void b24_write_money(b24_write_t *w);
static void b24_write_deal_links(b24_write_t *w);
static void b24_write_rows(b24_write_t *w);
static void b24_write_relink(b24_write_t *w);
static void b24_write_requisite(b24_write_t *w);
static void b24_write_mark(b24_write_t *w);
static void b24_write_link(b24_write_t *w);
static void b24_write_read(b24_write_t *w);
static void b24_write_enrich(b24_write_t *w);
static void b24_write_begin(b24_write_t *w, b24_do_e step,
    b24_entity_e entity, const b24_pair_t *pairs);
/* names of the results; b24_crm_apis[].ref uses those of what is added */
static const char  *b24_names[B24_DO_N] = {
    "g", "h", "c", "k", "d", "r", "t", "q", "u", "l", "b", "e"
};

static void (*const b24_writers[B24_DO_N])(b24_write_t *w) = {
    b24_write_ask_contact,
    b24_write_ask_company,
    b24_write_contact,
    b24_write_company,
    b24_write_deal,
    b24_write_rows,
    b24_write_relink,
    b24_write_requisite,
    b24_write_mark,
    b24_write_link,
    b24_write_read,
    b24_write_enrich
};

/* a step of the delivery for each of them; B24_NSTEPS: creates nothing */
static const b24_delivery_step_e  b24_steps[B24_DO_N] = {
    B24_NSTEPS,
    B24_NSTEPS,
    B24_STEP_CONTACT,
    B24_STEP_COMPANY,
    B24_STEP_DEAL,
    B24_STEP_ROWS,
    B24_STEP_DEAL,
    B24_STEP_COMPANY,
    B24_STEP_COMPANY,
    B24_STEP_COMPANY,
    B24_NSTEPS,
    B24_STEP_CONTACT
};


const char *
b24_crm_do_name(b24_do_e step)
{
    return b24_names[step];
}


int
b24_crm_write(b24_batch_t *batch, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known, unsigned *mask)
{
    int              i, rc;
    b24_plan_t       plan;
    b24_write_t      w;
    b24_crm_facts_t  facts;

    *mask = 0;

    rc = b24_crm_facts(batch->pool, set, order, known, &facts);
    if (rc != B24_OK) {
        return rc;
    }

    memset(&w, 0, sizeof(b24_write_t));
    w.batch = batch;
    w.api = b24_crm_api(set);

    if (b24_crm_plan(batch->pool, w.api, order, known, &facts, &plan)
        != B24_OK)
    {
        return B24_ERROR;
    }

    w.set = set;
    w.order = order;
    w.known = known;
    w.facts = &facts;
    w.plan = &plan;

    for (i = 0; i < B24_DO_N; i++) {

        if (!plan.want[i]) {
            continue;
        }

        b24_writers[i](&w);

        if (b24_steps[i] != B24_NSTEPS) {
            *mask |= 1u << b24_steps[i];
        }
    }

    return batch->failed ? B24_ERROR : B24_OK;
}


unsigned
b24_crm_makes(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known, unsigned mask)
{
    int              i;
    unsigned         makes;
    b24_plan_t       plan;
    b24_crm_facts_t  facts;

    makes = mask & (1u << B24_STEP_CONTACT | 1u << B24_STEP_COMPANY);

    if (makes == 0
        || b24_crm_facts(pool, set, order, known, &facts) != B24_OK
        || b24_crm_plan(pool, b24_crm_api(set), order, known, &facts, &plan)
           != B24_OK)
    {
        return makes;
    }

    makes = 0;

    for (i = 0; i < B24_DO_N; i++) {

        if (plan.want[i] && i != B24_DO_LINK && b24_steps[i] != B24_NSTEPS) {
            makes |= 1u << b24_steps[i];
        }
    }

    return makes & (1u << B24_STEP_CONTACT | 1u << B24_STEP_COMPANY);
}


int
b24_crm_plan(b24_pool_t *pool, const b24_crm_api_t *api,
    const b24_order_t *order, const b24_crm_known_t *known,
    const b24_crm_facts_t *facts, b24_plan_t *plan)
{
    unsigned  open, firm, *want;

    memset(plan, 0, sizeof(b24_plan_t));

    if (b24_crm_rows(pool, order, &plan->rows, &plan->nrows, &plan->diff)
        != B24_OK)
    {
        return B24_ERROR;
    }

    want = plan->want;

    want[B24_DO_ASK_CONTACT] = known->recalled_contact && known->deal == 0;
    want[B24_DO_ASK_COMPANY] = known->recalled_company && known->deal == 0;

    want[B24_DO_ROWS] = !known->rows_done && plan->nrows
                        && b24_crm_rows_vars(plan->rows, plan->nrows)
                           <= B24_COMMAND_VARS;

    want[B24_DO_DEAL] = known->deal == 0;

    /* a contact or company made after its deal would hang in the air */

    open = known->deal == 0 || known->relink;

    want[B24_DO_CONTACT] = open && facts->buyer && !known->contact_done
                           && known->contact == 0;

    firm = facts->company && !known->company_done;

    want[B24_DO_COMPANY] = firm && open && known->company == 0;

    firm = firm && (known->company || want[B24_DO_COMPANY]);

    want[B24_DO_RELINK] = known->relink && known->deal;
    want[B24_DO_REQUISITE] = firm && facts->inn.len && !known->requisite_done;
    want[B24_DO_MARK] = want[B24_DO_REQUISITE] && known->company
                        && !known->company_made;
    want[B24_DO_LINK] = firm && (known->contact || want[B24_DO_CONTACT]);

    /* crm.item.add answers the whole deal by itself */

    want[B24_DO_READ] = (want[B24_DO_DEAL] && !api->universal)
                        || (known->read_due && known->deal);

    /* not before the contact has been seen to be the one it is taken for */

    want[B24_DO_ENRICH] = known->contact && !known->recalled_contact
                          && (known->add_phone || known->add_email);

    if (known->literal) {
        b24_plan_literal(plan);
    }

    return B24_OK;
}


/* leaves what needs no answer of the same batch */

static void
b24_plan_literal(b24_plan_t *plan)
{
    unsigned    i;
    b24_plan_t  whole;

    whole = *plan;

    for (i = 0; i < B24_DO_N; i++) {

        if (whole.want[i] && !b24_plan_ready(&whole, i)) {
            plan->want[i] = 0;
            plan->part = 1;
        }
    }
}


static unsigned
b24_plan_ready(const b24_plan_t *plan, b24_do_e step)
{
    const unsigned  *want;

    want = plan->want;

    if (step == B24_DO_ASK_CONTACT || step == B24_DO_ASK_COMPANY) {
        return 1;
    }

    /* nothing stops the batch when what was remembered has gone */

    if (want[B24_DO_ASK_CONTACT] || want[B24_DO_ASK_COMPANY]) {
        return 0;
    }

    if (step == B24_DO_CONTACT || step == B24_DO_COMPANY) {
        return 1;
    }

    if (step == B24_DO_ROWS || step == B24_DO_READ) {
        return !want[B24_DO_DEAL];
    }

    if (want[B24_DO_CONTACT] || want[B24_DO_COMPANY]) {
        return 0;
    }

    return step == B24_DO_DEAL || !want[B24_DO_DEAL];
}


static void
b24_write_ask_contact(b24_write_t *w)
{
    b24_write_ask(w, B24_DO_ASK_CONTACT, B24_ENTITY_CONTACT,
                  w->known->contact);
}


static void
b24_write_ask_company(b24_write_t *w)
{
    b24_write_ask(w, B24_DO_ASK_COMPANY, B24_ENTITY_COMPANY,
                  w->known->company);
}


static void
b24_write_read(b24_write_t *w)
{
    b24_write_ask(w, B24_DO_READ, B24_ENTITY_DEAL, w->known->deal);
}


/*
 * Last of all: whoever buys with the phone today and with the e-mail tomorrow
 * is one buyer.  Items without an ID are added, so it is sent only when the
 * look-up has shown that nobody has them.
 */

static void
b24_write_enrich(b24_write_t *w)
{
    w->cmd = b24_batch_add(w->batch, b24_names[B24_DO_ENRICH],
                           w->api->update[B24_ENTITY_CONTACT]);
    w->pairs = NULL;
    w->fm = 0;
    w->fm_new = "n";
    memset(w->multi, 0, sizeof(w->multi));

    if (w->api->universal) {
        b24_command_int(w->batch, w->cmd, "entityTypeId",
                        w->api->type[B24_ENTITY_CONTACT]);
    }

    b24_command_int(w->batch, w->cmd, "id", w->known->contact);

    if (w->known->add_phone) {
        b24_write_multi(w, "PHONE", &w->facts->phone);
    }

    if (w->known->add_email) {
        b24_write_multi(w, "EMAIL", &w->facts->email);
    }
}


static void
b24_write_ask(b24_write_t *w, b24_do_e step, b24_entity_e entity, int64_t id)
{
    w->cmd = b24_batch_add(w->batch, b24_names[step], w->api->get[entity]);

    if (w->api->universal) {
        b24_command_int(w->batch, w->cmd, "entityTypeId",
                        w->api->type[entity]);
    }

    if (id == 0) {
        b24_write_id(w, "id", entity, id);
        return;
    }

    b24_command_record(w->batch, w->cmd, id, w->api->list[entity],
                       w->api->universal ? "id" : "ID", w->api->items);
    b24_write_select(w, entity);
}


static void
b24_write_select(b24_write_t *w, b24_entity_e entity)
{
    char                key[B24_CRM_KEY];
    const char *const  *field;

    /* phones and e-mails of crm.item.list can't be named */

    if (w->api->universal && entity == B24_ENTITY_CONTACT) {
        b24_command_select(w->batch, w->cmd, "*");
        return;
    }

    b24_command_select(w->batch, w->cmd, w->api->universal ? "id" : "ID");

    for (field = b24_read_fields[entity]; *field; field++) {
        b24_crm_key(w->api, key, NULL, "", *field);
        b24_command_select(w->batch, w->cmd, key);
    }
}


static void
b24_write_contact(b24_write_t *w)
{
    b24_write_begin(w, B24_DO_CONTACT, B24_ENTITY_CONTACT, w->order->contact);
    b24_write_names(w);
    b24_write_chars(w, "TYPE_ID", "CLIENT");
    b24_write_origin(w, &w->facts->id);

    if (w->facts->phone.len) {
        b24_write_multi(w, "PHONE", &w->facts->phone);
    }

    if (w->facts->email.len) {
        b24_write_multi(w, "EMAIL", &w->facts->email);
    }

    b24_write_pairs(w, 1);
}


static void
b24_write_names(b24_write_t *w)
{
    b24_str_t  first, second, last;

    b24_crm_name(w->order, &first, &second, &last);

    /* a contact without any name shows as a bare number in lists */

    if (first.len == 0 && last.len == 0) {
        first = w->facts->phone.len ? w->facts->phone : w->facts->email;
    }

    if (first.len == 0 && last.len == 0) {
        first = w->order->fields[w->order->fields[B24_ORDER_PHONE].len
                                 ? B24_ORDER_PHONE : B24_ORDER_EMAIL];
    }

    b24_write_field(w, "NAME", B24_NAME_CHARS, &first);
    b24_write_field(w, "SECOND_NAME", B24_NAME_CHARS, &second);
    b24_write_field(w, "LAST_NAME", B24_NAME_CHARS, &last);
}


static void
b24_write_company(b24_write_t *w)
{
    b24_write_begin(w, B24_DO_COMPANY, B24_ENTITY_COMPANY, w->order->company);
    b24_write_field(w, "TITLE", B24_TITLE_CHARS, &w->facts->title);
    b24_write_chars(w, "COMPANY_TYPE", "CUSTOMER");
    b24_write_origin(w, &w->facts->firm);
    b24_write_pairs(w, 1);
}


static void
b24_write_deal(b24_write_t *w)
{
    char       key[B24_CRM_KEY];
    b24_str_t  text;

    b24_write_begin(w, B24_DO_DEAL, B24_ENTITY_DEAL, w->order->deal);
    b24_write_title(w);
    b24_write_stage(w);
    b24_write_money(w);
    b24_write_origin(w, &w->facts->id);
    b24_write_deal_links(w);

    if (b24_crm_comments(w->batch->pool, w->facts, w->order, w->known,
                         &w->plan->diff, &text)
        != B24_OK)
    {
        w->batch->failed = 1;
        return;
    }

    if (text.len) {
        b24_crm_key(w->api, key, "fields", "", "COMMENTS");
        b24_command_text(w->batch, w->cmd, key, &text);
    }

    b24_write_pairs(w, 0);

    if (!w->api->universal) {
        b24_command_chars(w->batch, w->cmd, "params[REGISTER_SONET_EVENT]",
                          "Y");
    }
}


static void
b24_write_title(b24_write_t *w)
{
    b24_buf_t         buf;
    b24_str_t         text;
    const b24_str_t  *id;

    id = &w->order->fields[B24_ORDER_ID];

    b24_buf_init(&buf, w->batch->pool);

    if (id->len) {
        b24_buf_adds(&buf, "Order #");
        b24_buf_addstr(&buf, id);

    } else {
        b24_buf_adds(&buf, "Order without a number");
    }

    if (b24_buf_str(&buf, &text) != B24_OK) {
        w->batch->failed = 1;
        return;
    }

    b24_write_field(w, "TITLE", B24_TITLE_CHARS, &text);
}


static void
b24_write_stage(b24_write_t *w)
{
    char       category[16];
    b24_str_t  stage;

    if (b24_crm_stage(w->batch->pool, w->set, w->order, &stage) != B24_OK) {
        w->batch->failed = 1;
        return;
    }

    b24_write_field(w, "STAGE_ID", B24_CODE_CHARS, &stage);

    (void) snprintf(category, sizeof(category), "%d", w->set->category);
    b24_write_chars(w, "CATEGORY_ID", category);
}


/* without a total the portal sums the rows itself */

static void
b24_write_money(b24_write_t *w)
{
    char           amount[B24_DECIMAL_LEN];
    b24_str_t      text;
    b24_decimal_t  total;

    text = w->order->fields[B24_ORDER_TOTAL];

    if (text.len && b24_decimal_parse(&text, &total) == B24_OK
        && b24_decimal_round(&total, 2) == B24_OK)
    {
        text.len = b24_decimal_print(&total, 2, amount);
        text.data = (u_char *) amount;

        b24_write_field(w, "OPPORTUNITY", B24_DECIMAL_LEN, &text);
        b24_write_chars(w, "IS_MANUAL_OPPORTUNITY", "Y");
    }

    b24_write_field(w, "CURRENCY_ID", B24_CODE_CHARS,
                    &w->order->fields[B24_ORDER_CURRENCY]);
}


static void
b24_write_deal_links(b24_write_t *w)
{
    if (w->known->contact || w->plan->want[B24_DO_CONTACT]) {
        b24_write_id(w, w->api->universal ? "fields[contactIds][0]"
                                          : "fields[CONTACT_IDS][0]",
                     B24_ENTITY_CONTACT, w->known->contact);
    }

    if (w->known->company || w->plan->want[B24_DO_COMPANY]) {
        b24_write_id(w, w->api->universal ? "fields[companyId]"
                                          : "fields[COMPANY_ID]",
                     B24_ENTITY_COMPANY, w->known->company);
    }
}


static void
b24_write_rows(b24_write_t *w)
{
    w->cmd = b24_batch_add(w->batch, b24_names[B24_DO_ROWS],
                           w->api->rows_set);

    if (w->api->universal) {
        b24_command_chars(w->batch, w->cmd, "ownerType", "D");
    }

    b24_write_id(w, w->api->universal ? "ownerId" : "id", B24_ENTITY_DEAL,
                 w->known->deal);

    b24_crm_rows_put(w->batch, w->cmd, w->api, w->plan->rows, w->plan->nrows);
}


/* the update replaces the list of contacts: the deal is our own of just now */

static void
b24_write_relink(b24_write_t *w)
{
    w->cmd = b24_batch_add(w->batch, b24_names[B24_DO_RELINK],
                           w->api->update[B24_ENTITY_DEAL]);

    if (w->api->universal) {
        b24_command_int(w->batch, w->cmd, "entityTypeId",
                        w->api->type[B24_ENTITY_DEAL]);
    }

    b24_command_int(w->batch, w->cmd, "id", w->known->deal);
    b24_write_deal_links(w);
}


static void
b24_write_requisite(b24_write_t *w)
{
    w->cmd = b24_batch_add(w->batch, b24_names[B24_DO_REQUISITE],
                           "crm.requisite.add");

    b24_command_int(w->batch, w->cmd, "fields[ENTITY_TYPE_ID]", 4);
    b24_write_id(w, "fields[ENTITY_ID]", B24_ENTITY_COMPANY,
                 w->known->company);
    b24_command_int(w->batch, w->cmd, "fields[PRESET_ID]",
                    w->set->requisite_preset ? w->set->requisite_preset : 1);
    b24_command_text(w->batch, w->cmd, "fields[NAME]", &w->facts->title);
    b24_command_text(w->batch, w->cmd, "fields[RQ_INN]", &w->facts->inn);

    if (w->facts->inn.len == 10) {
        b24_command_text(w->batch, w->cmd, "fields[RQ_COMPANY_NAME]",
                         &w->facts->title);
    }

    if (w->facts->kpp.len) {
        b24_command_text(w->batch, w->cmd, "fields[RQ_KPP]", &w->facts->kpp);
    }
}


/* a company made without an INN must not take in another firm of its name */

static void
b24_write_mark(b24_write_t *w)
{
    w->cmd = b24_batch_add(w->batch, b24_names[B24_DO_MARK],
                           w->api->update[B24_ENTITY_COMPANY]);

    if (w->api->universal) {
        b24_command_int(w->batch, w->cmd, "entityTypeId",
                        w->api->type[B24_ENTITY_COMPANY]);
    }

    b24_command_int(w->batch, w->cmd, "id", w->known->company);
    w->pairs = NULL;
    b24_write_field(w, "ORIGIN_ID", B24_TITLE_CHARS, &w->facts->firm);
}


static void
b24_write_link(b24_write_t *w)
{
    w->cmd = b24_batch_add(w->batch, b24_names[B24_DO_LINK],
                           "crm.contact.company.add");

    b24_write_id(w, "id", B24_ENTITY_CONTACT, w->known->contact);
    b24_write_id(w, "fields[COMPANY_ID]", B24_ENTITY_COMPANY,
                 w->known->company);

    /* whom a person has linked first stays first */

    if (w->plan->want[B24_DO_CONTACT] || w->known->contact_made) {
        b24_command_chars(w->batch, w->cmd, "fields[IS_PRIMARY]", "Y");
    }
}


static void
b24_write_begin(b24_write_t *w, b24_do_e step, b24_entity_e entity,
    const b24_pair_t *pairs)
{
    w->cmd = b24_batch_add(w->batch, b24_names[step], w->api->add[entity]);
    w->pairs = pairs;
    w->fm = 0;
    w->fm_new = "";
    memset(w->multi, 0, sizeof(w->multi));

    if (w->api->universal) {
        b24_command_int(w->batch, w->cmd, "entityTypeId",
                        w->api->type[entity]);
        b24_command_chars(w->batch, w->cmd, "useOriginalUfNames", "Y");
    }
}
