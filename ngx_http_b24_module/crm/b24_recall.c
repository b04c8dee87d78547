
/*
 * What deliveries have taught: which contact has a phone or an e-mail, which
 * company an INN.  With it a known buyer's order takes one request.  Nothing
 * remembered is relied upon unseen: the write batch asks for the contact first
 * (it stops there when the contact is gone), and whether the contact still has
 * the phone and the e-mail is seen in the answer.
 */


#include "b24_crm_int.h"


static void b24_recall_key(b24_queue_fact_t *facts, size_t *n,
    b24_fact_e kind, const b24_str_t *key, int64_t id);
static int64_t b24_recalled_id(const b24_queue_fact_t *facts, size_t n,
    b24_fact_e kind, const b24_str_t *key);
static void b24_learn_contact(const b24_crm_facts_t *f,
    const b24_crm_known_t *known, b24_queue_fact_t *facts, size_t *n);
static int b24_recall_products(const b24_crm_settings_t *set,
    b24_order_t *order, const b24_queue_fact_t *facts, size_t n);
static int b24_contact_has(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_node_t *contact, const char *type, const b24_str_t *wanted);
static int b24_multi_has(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_node_t *list, const char *type, const b24_str_t *wanted);
static int b24_multi_same(b24_pool_t *pool, const b24_crm_settings_t *set,
    const char *type, const b24_node_t *value, const b24_str_t *wanted);


int
b24_crm_keys(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known,
    b24_queue_fact_t *facts, size_t *n)
{
    int                rc;
    b24_str_t          key;
    const b24_item_t  *item;
    b24_crm_facts_t    f;

    *n = 0;

    rc = b24_crm_facts(pool, set, order, known, &f);
    if (rc != B24_OK) {
        return rc;
    }

    if (f.by_phone) {
        b24_recall_key(facts, n, B24_FACT_PHONE, &f.phone, 0);
    }

    if (f.by_email) {
        b24_recall_key(facts, n, B24_FACT_EMAIL, &f.email, 0);
    }

    if (f.pair.len) {
        b24_recall_key(facts, n, B24_FACT_PHONE, &f.pair, 0);
    }

    if (f.company) {
        b24_recall_key(facts, n, B24_FACT_COMPANY, &f.firm_key, 0);
    }

    for (item = order->items; item; item = item->next) {
        key = b24_products_key(set, item);

        if (key.len) {
            b24_recall_key(facts, n, B24_FACT_PRODUCT, &key, 0);
        }
    }

    return B24_OK;
}


static void
b24_recall_key(b24_queue_fact_t *facts, size_t *n, b24_fact_e kind,
    const b24_str_t *key, int64_t id)
{
    b24_queue_fact_t  *fact;

    fact = &facts[(*n)++];

    memset(fact, 0, sizeof(b24_queue_fact_t));

    fact->kind = kind;
    fact->key = *key;
    fact->id = id;
}


int
b24_crm_recalled(b24_pool_t *pool, const b24_crm_settings_t *set,
    b24_order_t *order, b24_crm_known_t *known, const b24_queue_fact_t *facts,
    size_t n, int retry)
{
    int              all;
    int64_t          phone, email, contact, company;
    b24_crm_facts_t  f;

    all = b24_recall_products(set, order, facts, n);

    if (b24_crm_facts(pool, set, order, known, &f) != B24_OK) {
        return 0;
    }

    /* somebody has got it since the look-up */

    if (b24_recalled_id(facts, n, B24_FACT_PHONE, &f.phone)) {
        known->add_phone = 0;
    }

    if (b24_recalled_id(facts, n, B24_FACT_EMAIL, &f.email)) {
        known->add_email = 0;
    }

    if (known->deal || known->contact || known->company) {
        return 0;
    }

    phone = b24_recalled_id(facts, n, B24_FACT_PHONE, &f.phone);
    email = b24_recalled_id(facts, n, B24_FACT_EMAIL, &f.email);
    company = b24_recalled_id(facts, n, B24_FACT_COMPANY, &f.firm_key);

    contact = f.phone_first ? phone : email;

    if (contact == 0) {
        contact = phone ? phone : email;
    }

    known->hint = contact;
    known->hint_phone = (contact && contact == phone);
    known->hint_email = (contact && contact == email);

    if (f.pair.len) {
        contact = b24_recalled_id(facts, n, B24_FACT_PHONE, &f.pair);
    }

    if (retry || contact == 0 || (f.company && company == 0) || !all) {
        return 0;
    }

    known->contact = contact;
    known->contact_done = 1;
    known->recalled_contact = 1;
    known->phone_fits = f.by_phone;
    known->email_fits = f.by_email;

    if (f.company) {
        known->company = company;
        known->recalled_company = 1;
        known->requisite_done = 1;
    }

    return 1;
}


static int64_t
b24_recalled_id(const b24_queue_fact_t *facts, size_t n, b24_fact_e kind,
    const b24_str_t *key)
{
    size_t  i;

    /* products, of which there may be many, stand behind these */

    for (i = 0; i < n && facts[i].kind != B24_FACT_PRODUCT; i++) {

        if (facts[i].kind == kind && b24_str_eq(&facts[i].key, key)) {
            return facts[i].id > 0 ? facts[i].id : 0;
        }
    }

    return 0;
}


/* 1: no article is left to be looked up; facts stand in the items' order */

static int
b24_recall_products(const b24_crm_settings_t *set, b24_order_t *order,
    const b24_queue_fact_t *facts, size_t n)
{
    int          all;
    size_t       i;
    b24_str_t    key;
    b24_item_t  *item;

    all = 1;
    i = 0;

    /* there is nothing to look them up in */

    if (set->book && set->book->catalog_known && set->book->niblocks == 0) {
        return 1;
    }

    for (item = order->items; item; item = item->next) {
        key = b24_products_key(set, item);

        if (key.len == 0) {
            continue;
        }

        while (i < n && facts[i].kind != B24_FACT_PRODUCT) {
            i++;
        }

        if (i < n && facts[i].id > 0) {
            item->product = facts[i].id;

        } else {
            all = 0;
        }

        i++;
    }

    return all;
}


int
b24_crm_learn(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known,
    b24_queue_fact_t *facts, size_t *n)
{
    int                rc;
    b24_str_t          key, none = b24_null_string;
    const b24_item_t  *item;
    b24_crm_facts_t    f;

    *n = 0;

    rc = b24_crm_facts(pool, set, order, known, &f);
    if (rc != B24_OK) {
        return rc;
    }

    if (known->gone_contact) {
        b24_recall_key(facts, n, B24_FACT_PHONE, &none, -known->gone_contact);
        b24_recall_key(facts, n, B24_FACT_EMAIL, &none, -known->gone_contact);
    }

    if (known->gone_company) {
        b24_recall_key(facts, n, B24_FACT_COMPANY, &none,
                       -known->gone_company);
    }

    if (known->contact && !known->unreadable) {
        b24_learn_contact(&f, known, facts, n);
    }

    if (f.company && known->company && known->company_done) {
        b24_recall_key(facts, n, B24_FACT_COMPANY, &f.firm_key,
                       known->company);
    }

    for (item = order->items; item; item = item->next) {
        key = b24_products_key(set, item);

        if (key.len && item->product) {
            b24_recall_key(facts, n, B24_FACT_PRODUCT, &key, item->product);
        }
    }

    return B24_OK;
}


static void
b24_learn_contact(const b24_crm_facts_t *f, const b24_crm_known_t *known,
    b24_queue_fact_t *facts, size_t *n)
{
    int64_t  id;

    id = known->contact;

    if (f->by_phone && known->phone_alone) {
        b24_recall_key(facts, n, B24_FACT_PHONE, &f->phone, id);
    }

    if (f->by_email && known->email_alone) {
        b24_recall_key(facts, n, B24_FACT_EMAIL, &f->email, id);
    }

    /* who has one of them only might not be found by the other tomorrow */

    if (f->pair.len && known->phone_fits && known->email_fits) {
        b24_recall_key(facts, n, B24_FACT_PHONE, &f->pair, id);
    }
}


/* ---- what is remembered, seen again ---- */

int
b24_crm_contact_fits(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_crm_facts_t *facts, const b24_crm_known_t *known,
    const b24_node_t *contact)
{
    b24_str_t  item = b24_string("item");

    if (set->universal) {
        contact = (contact->type == B24_OBJECT)
                  ? b24_node_get(contact, &item) : NULL;
    }

    if (contact == NULL || contact->type != B24_OBJECT) {
        return 0;
    }

    return (!known->phone_fits
            || b24_contact_has(pool, set, contact, "PHONE", &facts->phone))
           && (!known->email_fits
               || b24_contact_has(pool, set, contact, "EMAIL",
                                  &facts->email));
}


/* classic: "PHONE":[{"VALUE":...}]; universal: "fm":[{"typeId","value"}] */

static int
b24_contact_has(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_node_t *contact, const char *type, const b24_str_t *wanted)
{
    b24_str_t          key;
    const char        *name;
    const b24_node_t  *list;

    name = set->universal ? "fm" : type;

    key.data = (u_char *) name;
    key.len = strlen(name);

    list = b24_node_get(contact, &key);

    return list && (list->type == B24_ARRAY || list->type == B24_OBJECT)
           && b24_multi_has(pool, set, list, type, wanted);
}


static int
b24_multi_has(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_node_t *list, const char *type, const b24_str_t *wanted)
{
    b24_str_t          text, kind = b24_string("typeId");
    b24_str_t          value = b24_string("value");
    b24_str_t          classic = b24_string("VALUE");
    const b24_node_t  *row, *field;

    for (row = list->first; row; row = row->next) {

        if (row->type != B24_OBJECT) {
            continue;
        }

        if (set->universal) {
            field = b24_node_get(row, &kind);

            if (field == NULL || b24_node_text(field, &text) != B24_OK
                || !b24_str_eqs(&text, type))
            {
                continue;
            }
        }

        field = b24_node_get(row, set->universal ? &value : &classic);

        if (field && b24_multi_same(pool, set, type, field, wanted)) {
            return 1;
        }
    }

    return 0;
}


/* a manager may have typed the number in another notation */

static int
b24_multi_same(b24_pool_t *pool, const b24_crm_settings_t *set,
    const char *type, const b24_node_t *value, const b24_str_t *wanted)
{
    int        rc;
    b24_str_t  text, same;

    if (b24_node_text(value, &text) != B24_OK) {
        return 0;
    }

    rc = (type[0] == 'P')
         ? b24_crm_phone(pool, &text, &set->phone_code, &same)
         : b24_crm_email(pool, &text, &same);

    return rc == B24_OK && b24_str_eq(&same, wanted);
}
