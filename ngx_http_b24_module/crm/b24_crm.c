
/* What a look-up (b24_lookup.c) has found of an order, and what of it fits. */


#include <stdio.h>

#include "b24_crm_int.h"


#define B24_IDS_MAX  50             /* a page of a list */


/* how well a requisite or a company fits the order's INN and KPP */
typedef enum {
    B24_FIT_NOT = 0,
    B24_FIT_OPEN,                   /* one of the two does not say */
    B24_FIT_SAME
} b24_fit_e;


typedef struct {
    int64_t  ids[B24_IDS_MAX];
    size_t   n;
} b24_ids_t;


/* what reading an answer needs at every step */
typedef struct {
    b24_pool_t             *pool;
    const b24_answer_t     *answer;
    const b24_crm_api_t    *api;
    const b24_crm_facts_t  *facts;
    b24_verdict_t          *verdict;
} b24_lookup_t;


static int b24_read_deal(b24_lookup_t *l, b24_crm_known_t *known, int *retry);
static int b24_read_contact(b24_lookup_t *l, b24_order_t *order, int retry,
    b24_crm_known_t *known);
static int b24_read_comm(b24_lookup_t *l, const char *name, b24_ids_t *ids);
static unsigned b24_among(const b24_ids_t *ids, int64_t id);
static int b24_pick_contact(b24_lookup_t *l, b24_order_t *order,
    const b24_ids_t *first, const b24_ids_t *second, int64_t *id);
static int b24_read_company(b24_lookup_t *l, b24_crm_known_t *known);
static int b24_read_inn(b24_lookup_t *l, int64_t *id);
static int b24_read_firm(b24_lookup_t *l, const char *name, int64_t *id);
static int b24_read_list(b24_lookup_t *l, const char *name, int items,
    b24_node_t **list);
static int b24_read_shape(b24_lookup_t *l);
static int64_t b24_lowest(const b24_ids_t *ids);
static b24_fit_e b24_fit_kpp(const b24_str_t *one, const b24_str_t *two);
static int b24_fit_origin(const b24_str_t *origin,
    const b24_crm_facts_t *facts);
static int b24_same_order(const b24_str_t *origin,
    const b24_crm_facts_t *facts);


int
b24_crm_looked_up(b24_pool_t *pool, const b24_answer_t *answer,
    const b24_crm_settings_t *set, b24_order_t *order,
    b24_crm_known_t *known, b24_verdict_t *verdict)
{
    int              rc, retry;
    b24_lookup_t     l;
    b24_crm_known_t  now;
    b24_crm_facts_t  facts;

    *verdict = answer->verdict;
    known->again = B24_AGAIN_NO;

    if (verdict->class != B24_CLASS_OK) {
        return B24_OK;
    }

    rc = b24_crm_facts(pool, set, order, known, &facts);
    if (rc != B24_OK) {
        return rc;
    }

    l.pool = pool;
    l.answer = answer;
    l.api = b24_crm_api(set);
    l.facts = &facts;
    l.verdict = verdict;

    /* half of an answer must not be believed: known changes at the end */

    now = *known;

    rc = b24_read_deal(&l, &now, &retry);

    if (rc == B24_OK && b24_lookup_wants_contact(known, &facts)) {
        rc = b24_read_contact(&l, order, retry, &now);
    }

    if (rc == B24_OK && b24_lookup_wants_company(known, &facts)) {
        rc = b24_read_company(&l, &now);
    }

    if (rc == B24_OK) {
        rc = b24_products_read(pool, answer, set, order, &now, verdict);
    }

    if (rc == B24_ERROR) {
        return B24_ERROR;
    }

    if (rc != B24_OK) {

        /* the verdict tells; a list the portal has no more has another name */

        if (!known->other_api
            && b24_str_caseeqs(&verdict->code, "ERROR_METHOD_NOT_FOUND"))
        {
            known->other_api = 1;
            known->again = B24_AGAIN_LOOKUP;
        }

        return B24_OK;
    }

    /* what isn't there although the deal is, a person has taken away */

    if (now.contact || !facts.buyer || (now.deal && !now.relink)) {
        now.contact_done = 1;
    }

    if (!facts.company || (now.deal && now.company == 0 && !now.relink)) {
        now.company_done = 1;
    }

    *known = now;

    return B24_OK;
}


static int
b24_read_deal(b24_lookup_t *l, b24_crm_known_t *known, int *retry)
{
    int              rc;
    int64_t          id;
    b24_node_t      *node;
    b24_verdict_t    v;

    *retry = b24_answer_command(l->pool, l->answer, "again", &node, &v)
             != B24_CMD_NOT_RUN;

    if (!*retry && known->deal) {
        return B24_OK;
    }

    rc = b24_read_firm(l, *retry ? "again" : "deal", &id);
    if (rc != B24_OK) {
        return rc;
    }

    if (known->deal == 0 && id) {
        known->deal = id;
        known->deal_found = 1;
    }

    return B24_OK;
}


static int
b24_read_contact(b24_lookup_t *l, b24_order_t *order, int retry,
    b24_crm_known_t *known)
{
    int        rc;
    int64_t    own;
    b24_ids_t  phone, email;

    own = 0;
    phone.n = 0;
    email.n = 0;

    rc = retry ? b24_read_firm(l, "contact", &own) : B24_OK;

    if (rc == B24_OK && l->facts->by_phone) {
        rc = b24_read_comm(l, "phone", &phone);
    }

    if (rc == B24_OK && l->facts->by_email) {
        rc = b24_read_comm(l, "email", &email);
    }

    if (rc != B24_OK) {
        return rc;
    }

    if (own) {
        /* made by an earlier try of this order */
        known->contact = own;
        return B24_OK;
    }

    if (phone.n == 0 && email.n == 0 && known->hint) {

        /* made by an earlier order, and not in the portal's index yet? */

        known->contact = known->hint;
        known->recalled_contact = 1;
        known->phone_fits = known->hint_phone;
        known->email_fits = known->hint_email;
        known->add_phone = l->facts->by_phone && !known->hint_phone;
        known->add_email = l->facts->by_email && !known->hint_email;
        return B24_OK;
    }

    rc = l->facts->phone_first
         ? b24_pick_contact(l, order, &phone, &email, &known->contact)
         : b24_pick_contact(l, order, &email, &phone, &known->contact);

    known->phone_fits = b24_among(&phone, known->contact);
    known->email_fits = b24_among(&email, known->contact);
    known->phone_alone = known->contact
                         && b24_lowest(&phone) == known->contact;
    known->email_alone = known->contact
                         && b24_lowest(&email) == known->contact;
    known->add_phone = known->contact && l->facts->by_phone && phone.n == 0;
    known->add_email = known->contact && l->facts->by_email && email.n == 0;

    return rc;
}


static unsigned
b24_among(const b24_ids_t *ids, int64_t id)
{
    size_t  i;

    for (i = 0; i < ids->n; i++) {

        if (ids->ids[i] == id) {
            return 1;
        }
    }

    return 0;
}


/* {"CONTACT":[275,2297]}, or [] for nobody */

static int
b24_read_comm(b24_lookup_t *l, const char *name, b24_ids_t *ids)
{
    int          rc;
    int64_t      id;
    b24_str_t    key = b24_string("CONTACT");
    b24_node_t  *node;

    rc = b24_read_list(l, name, 0, &node);
    if (rc != B24_OK) {
        return rc;
    }

    if (node->count == 0) {
        return B24_OK;
    }

    node = (node->type == B24_OBJECT) ? b24_node_get(node, &key) : NULL;

    if (node == NULL || (node->type != B24_ARRAY && node->type != B24_OBJECT))
    {
        return b24_read_shape(l);
    }

    for (node = node->first; node; node = node->next) {
        id = b24_node_id(node);

        if (id == 0) {
            return b24_read_shape(l);
        }

        if (ids->n < B24_IDS_MAX) {
            ids->ids[ids->n++] = id;
        }
    }

    return B24_OK;
}


/*
 * Who has both the phone and the e-mail, else the lowest id of the first
 * criterion, else of the second.
 */

static int
b24_pick_contact(b24_lookup_t *l, b24_order_t *order, const b24_ids_t *first,
    const b24_ids_t *second, int64_t *id)
{
    char       text[160];
    size_t     i;
    b24_ids_t  both;

    both.n = 0;

    for (i = 0; i < first->n; i++) {

        if (b24_among(second, first->ids[i])) {
            both.ids[both.n++] = first->ids[i];
        }
    }

    if (both.n) {
        *id = b24_lowest(&both);
        return B24_OK;
    }

    *id = first->n ? b24_lowest(first) : b24_lowest(second);

    if (first->n == 0 || second->n == 0) {
        return B24_OK;
    }

    (void) snprintf(text, sizeof(text), "the %s belongs to contact %lld, the"
                    " %s to contact %lld; the deal went to the former",
                    l->facts->phone_first ? "phone" : "e-mail",
                    (long long) *id,
                    l->facts->phone_first ? "e-mail" : "phone",
                    (long long) b24_lowest(second));

    return b24_order_remark(l->pool, order, "two_contacts", text);
}


static int
b24_read_company(b24_lookup_t *l, b24_crm_known_t *known)
{
    int      rc;
    int64_t  inn, firm, title;

    inn = 0;
    firm = 0;

    if (l->facts->inn.len) {
        rc = b24_read_inn(l, &inn);

        if (rc == B24_OK) {
            rc = b24_read_firm(l, "firm", &firm);
        }

        if (rc != B24_OK) {
            return rc;
        }
    }

    rc = b24_read_firm(l, "title", &title);
    if (rc != B24_OK) {
        return rc;
    }

    if (known->company) {

        /* ours already; was its requisite made before the answer got lost? */

        known->requisite_done = (inn == known->company);
        return B24_OK;
    }

    if (inn) {
        known->company = inn;
        known->requisite_done = 1;
        return B24_OK;
    }

    known->company = firm ? firm : title;

    return B24_OK;
}


/* a KPP tells the branches of one INN apart */

static int
b24_read_inn(b24_lookup_t *l, int64_t *id)
{
    int          rc;
    int64_t      entity;
    b24_fit_e    fit, best;
    b24_str_t    kpp, none = b24_null_string;
    b24_str_t    kpp_key = b24_string("RQ_KPP");
    b24_str_t    id_key = b24_string("ENTITY_ID");
    b24_node_t  *node;

    *id = 0;
    best = B24_FIT_NOT;

    rc = b24_read_list(l, "inn", 0, &node);
    if (rc != B24_OK) {
        return rc;
    }

    for (node = node->first; node; node = node->next) {

        entity = (node->type == B24_OBJECT)
                 ? b24_node_id(b24_node_get(node, &id_key)) : 0;

        if (entity == 0) {
            return b24_read_shape(l);
        }

        if (b24_node_empty(b24_node_get(node, &kpp_key))
            || b24_node_text(b24_node_get(node, &kpp_key), &kpp) != B24_OK)
        {
            kpp = none;
        }

        fit = b24_fit_kpp(&kpp, &l->facts->kpp);

        if (fit > best || (fit && fit == best && entity < *id)) {
            best = fit;
            *id = entity;
        }
    }

    return B24_OK;
}


/* the lowest id of a list of deals, contacts or companies that may be ours */

static int
b24_read_firm(b24_lookup_t *l, const char *name, int64_t *id)
{
    int          rc, company;
    int64_t      n;
    b24_str_t    origin;
    b24_node_t  *node, *field;

    *id = 0;
    company = (strcmp(name, "title") == 0 || strcmp(name, "firm") == 0);

    rc = b24_read_list(l, name, l->api->universal, &node);
    if (rc != B24_OK) {
        return rc;
    }

    for (node = node->first; node; node = node->next) {
        n = b24_node_id(b24_crm_field(l->api, node, "ID"));

        if (n == 0) {
            return b24_read_shape(l);
        }

        field = b24_crm_field(l->api, node, "ORIGIN_ID");

        if (field && b24_node_text(field, &origin) == B24_OK
            && !(company ? b24_fit_origin(&origin, l->facts)
                         : b24_same_order(&origin, l->facts)))
        {
            continue;
        }

        if (*id == 0 || n < *id) {
            *id = n;
        }
    }

    return B24_OK;
}


/*
 * The list a command answered; items: crm.item.list has it one level deeper.
 * B24_DECLINED and a verdict when it did not answer as documented.
 */

static int
b24_read_list(b24_lookup_t *l, const char *name, int items,
    b24_node_t **list)
{
    b24_str_t        key = b24_string("items");
    b24_node_t      *node;
    b24_verdict_t    v;
    b24_cmd_state_e  state;

    state = b24_answer_command(l->pool, l->answer, name, &node, &v);

    if (state == B24_CMD_FAILED) {
        *l->verdict = v;
        return B24_DECLINED;
    }

    if (state == B24_CMD_NOT_RUN) {
        b24_crm_failed(l->verdict, B24_CLASS_RETRY, "NOT_ANSWERED",
                       "the portal left a look-up out of its answer");
        return B24_DECLINED;
    }

    if (items) {
        node = (node->type == B24_OBJECT) ? b24_node_get(node, &key) : NULL;
    }

    if (node == NULL || (node->type != B24_ARRAY && node->type != B24_OBJECT))
    {
        return b24_read_shape(l);
    }

    *list = node;

    return B24_OK;
}


static int
b24_read_shape(b24_lookup_t *l)
{
    b24_crm_failed(l->verdict, B24_CLASS_RETRY, "UNEXPECTED",
                   "a look-up was answered in a form the module does not"
                   " know");

    return B24_DECLINED;
}


int64_t
b24_crm_added(const b24_crm_api_t *api, const b24_node_t *result)
{
    b24_str_t  item = b24_string("item");
    b24_str_t  id = b24_string("id");

    if (!api->universal) {
        return b24_node_id(result);
    }

    if (result == NULL || result->type != B24_OBJECT) {
        return 0;
    }

    result = b24_node_get(result, &item);

    if (result == NULL || result->type != B24_OBJECT) {
        return 0;
    }

    return b24_node_id(b24_node_get(result, &id));
}


static int64_t
b24_lowest(const b24_ids_t *ids)
{
    size_t   i;
    int64_t  id;

    id = 0;

    for (i = 0; i < ids->n; i++) {

        if (id == 0 || ids->ids[i] < id) {
            id = ids->ids[i];
        }
    }

    return id;
}


static b24_fit_e
b24_fit_kpp(const b24_str_t *one, const b24_str_t *two)
{
    if (one->len == 0 || two->len == 0) {
        return (one->len == two->len) ? B24_FIT_SAME : B24_FIT_OPEN;
    }

    return b24_str_eq(one, two) ? B24_FIT_SAME : B24_FIT_NOT;
}


/*
 * Companies we made for an INN carry it in ORIGIN_ID ("inn:7707083893/KPP"), so
 * that two firms of one name are not taken for one.
 */

static int
b24_fit_origin(const b24_str_t *origin, const b24_crm_facts_t *facts)
{
    size_t     len;
    b24_str_t  inn, kpp;

    if (facts->inn.len == 0 || b24_str_find(origin, 0, "inn:") != 0) {
        return 1;
    }

    inn.data = origin->data + 4;
    inn.len = origin->len - 4;

    for (len = 0; len < inn.len && inn.data[len] != '/'; len++) {
        /* void */
    }

    kpp.data = inn.data + len;
    kpp.len = inn.len - len;
    inn.len = len;

    if (kpp.len) {
        kpp.data++;
        kpp.len--;
    }

    return b24_str_eq(&inn, &facts->inn)
           && b24_fit_kpp(&kpp, &facts->kpp) != B24_FIT_NOT;
}


/* the portal's database takes "a1" and "A1", or a letter with and without its
 * accent, for equal; they are two orders */

static int
b24_same_order(const b24_str_t *origin, const b24_crm_facts_t *facts)
{
    return b24_str_eq(origin, &facts->id);
}


b24_node_t *
b24_crm_field(const b24_crm_api_t *api, const b24_node_t *node,
    const char *name)
{
    char       key[B24_CRM_KEY];
    b24_str_t  s;

    if (node->type != B24_OBJECT) {
        return NULL;
    }

    b24_crm_key(api, key, NULL, "", name);

    s.data = (u_char *) key;
    s.len = strlen(key);

    return b24_node_get(node, &s);
}
