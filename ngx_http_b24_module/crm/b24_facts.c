
/*
 * What an order says, in the portal's terms: which methods and names are used,
 * who the buyer is, which firm, which stage.
 */


#include <stdio.h>

#include "b24_crm_int.h"


#define B24_TITLE_CHARS  255
#define B24_KPP_LEN      9


static int b24_crm_origin(b24_pool_t *pool, const b24_str_t *id,
    b24_str_t *origin);
static int b24_facts_buyer(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, b24_crm_facts_t *facts);
static int b24_facts_pair(b24_pool_t *pool, b24_crm_facts_t *facts);
static int b24_facts_company(b24_pool_t *pool, const b24_order_t *order,
    b24_crm_facts_t *facts);
static int b24_phone_placeholder(const b24_str_t *phone,
    const b24_str_t *code);
static int b24_kpp_valid(const b24_str_t *kpp);


static const b24_crm_api_t  b24_crm_apis[] = {

    { 0,
      { "crm.contact.add", "crm.company.add", "crm.deal.add" },
      { "crm.contact.get", "crm.company.get", "crm.deal.get" },
      { "crm.contact.list", "crm.company.list", "crm.deal.list" },
      { "crm.contact.update", "crm.company.update", "crm.deal.update" },
      "crm.deal.productrows.set",
      "crm.deal.productrows.get",
      { "$result[c]", "$result[k]", "$result[d]" },
      { 3, 4, 2 },
      "rows",
      NULL },

    { 1,
      { "crm.item.add", "crm.item.add", "crm.item.add" },
      { "crm.item.get", "crm.item.get", "crm.item.get" },
      { "crm.item.list", "crm.item.list", "crm.item.list" },
      { "crm.item.update", "crm.item.update", "crm.item.update" },
      "crm.item.productrow.set",
      "crm.item.productrow.list",
      { "$result[c][item][id]", "$result[k][item][id]",
        "$result[d][item][id]" },
      { 3, 4, 2 },
      "productRows",
      "items" }
};


const b24_crm_api_t *
b24_crm_api(const b24_crm_settings_t *set)
{
    return &b24_crm_apis[set->universal];
}


void
b24_crm_key(const b24_crm_api_t *api, char *key, const char *prefix,
    const char *op, const char *field)
{
    size_t       n;
    const char  *p;

    n = 0;

    if (prefix) {
        n = (size_t) snprintf(key, B24_CRM_KEY, "%s[%s", prefix, op);
    }

    if (api->universal && strcmp(field, "COMPANY_TYPE") == 0) {
        field = "TYPE_ID";
    }

    for (p = field; *p && *p != '[' && n < B24_CRM_KEY - 16; p++) {

        /* user fields keep their names (useOriginalUfNames) */

        if (!api->universal || strncmp(field, "UF_", 3) == 0) {
            key[n++] = *p;

        } else if (*p == '_' && p[1] && p > field
                   && !(b24_isdigit((u_char) p[-1])
                        && b24_isdigit((u_char) p[1])))
        {
            key[n++] = *++p;

        } else {
            key[n++] = (char) b24_tolower((u_char) *p);
        }
    }

    /* "UF_CRM_TAGS[0]": the index goes behind the bracket */

    (void) snprintf(key + n, B24_CRM_KEY - n, "%s%.8s", prefix ? "]" : "",
                    *p == '[' ? p : "");
}


void
b24_crm_cut(b24_str_t *s, size_t max)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < s->len; i++) {

        if ((s->data[i] & 0xC0) == 0x80) {
            continue;
        }

        if (n++ == max) {
            s->len = i;
            return;
        }
    }
}


void
b24_crm_failed(b24_verdict_t *verdict, b24_class_e class, const char *code,
    const char *text)
{
    memset(verdict, 0, sizeof(b24_verdict_t));

    verdict->class = class;
    verdict->code.data = (u_char *) code;
    verdict->code.len = strlen(code);
    verdict->text.data = (u_char *) text;
    verdict->text.len = strlen(text);
    verdict->advice = (class == B24_CLASS_CHECK) ? B24_ADVICE_CHECK
                                                 : B24_ADVICE_AGAIN;
}


int
b24_crm_facts(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known,
    b24_crm_facts_t *facts)
{
    const b24_str_t  *id;

    memset(facts, 0, sizeof(b24_crm_facts_t));

    id = known->origin_id.len ? &known->origin_id
                              : &order->fields[B24_ORDER_ID];

    if (id->len == 0) {
        return B24_DECLINED;
    }

    facts->originator = order->origin.len ? order->origin : set->origin;
    b24_crm_cut(&facts->originator, B24_ORIGIN_CHARS);

    if (b24_crm_origin(pool, id, &facts->id) != B24_OK
        || b24_facts_buyer(pool, set, order, facts) != B24_OK
        || b24_facts_company(pool, order, facts) != B24_OK)
    {
        return B24_ERROR;
    }

    if (known->drop_email) {
        facts->email.len = 0;
        facts->by_email = 0;
    }

    return b24_facts_pair(pool, facts);
}


static int
b24_facts_pair(b24_pool_t *pool, b24_crm_facts_t *facts)
{
    b24_buf_t  buf;

    if (!facts->by_phone || !facts->by_email) {
        return B24_OK;
    }

    b24_buf_init(&buf, pool);
    b24_buf_addstr(&buf, &facts->phone);
    b24_buf_addc(&buf, '\n');
    b24_buf_addstr(&buf, &facts->email);

    return b24_buf_str(&buf, &facts->pair);
}


/*
 * As it is held by the portal: neutralised (see b24_neutralise()), at most 255
 * characters.  A longer number keeps its beginning and gets a checksum of the
 * whole, since two that were merely cut could be equal.
 */

static int
b24_crm_origin(b24_pool_t *pool, const b24_str_t *id, b24_str_t *origin)
{
    char       sum[24];
    b24_str_t  head;
    b24_buf_t  buf;

    b24_buf_init(&buf, pool);
    b24_neutralise(&buf, id);

    if (b24_buf_str(&buf, origin) != B24_OK) {
        return B24_ERROR;
    }

    head = *origin;
    b24_crm_cut(&head, B24_ORIGIN_CHARS);

    if (head.len == origin->len) {
        return B24_OK;
    }

    (void) snprintf(sum, sizeof(sum), "~%016llx",
                    (unsigned long long) b24_hash(B24_HASH_START, id->data,
                                                  id->len));
    b24_crm_cut(&head, B24_ORIGIN_CHARS - strlen(sum));

    b24_buf_init(&buf, pool);
    b24_buf_addstr(&buf, &head);
    b24_buf_adds(&buf, sum);

    return b24_buf_str(&buf, origin);
}


static int
b24_facts_buyer(b24_pool_t *pool, const b24_crm_settings_t *set,
    const b24_order_t *order, b24_crm_facts_t *facts)
{
    int               rc;
    const b24_str_t  *f;

    f = order->fields;

    facts->buyer = f[B24_ORDER_NAME].len || f[B24_ORDER_FIRST_NAME].len
                   || f[B24_ORDER_SECOND_NAME].len
                   || f[B24_ORDER_LAST_NAME].len || f[B24_ORDER_PHONE].len
                   || f[B24_ORDER_EMAIL].len;

    rc = b24_crm_phone(pool, &f[B24_ORDER_PHONE], &set->phone_code,
                       &facts->phone);
    if (rc == B24_ERROR) {
        return B24_ERROR;
    }

    if (rc != B24_OK) {
        facts->phone.len = 0;
    }

    rc = b24_crm_email(pool, &f[B24_ORDER_EMAIL], &facts->email);
    if (rc == B24_ERROR) {
        return B24_ERROR;
    }

    if (rc != B24_OK) {
        facts->email.len = 0;
    }

    facts->by_phone = facts->phone.len && set->match != B24_MATCH_EMAIL
                      && set->match != B24_MATCH_NONE
                      && !b24_phone_placeholder(&facts->phone,
                                                &set->phone_code);
    facts->by_email = facts->email.len && set->match != B24_MATCH_PHONE
                      && set->match != B24_MATCH_NONE;
    facts->phone_first = set->match != B24_MATCH_EMAIL_PHONE;

    return B24_OK;
}


/*
 * "+7 000 000-00-00", typed by people who don't want to give a number: it goes
 * to the contact but tells nobody from another.
 */

static int
b24_phone_placeholder(const b24_str_t *phone, const b24_str_t *code)
{
    size_t  i, from;

    from = 1 + (code->len ? code->len : 1);

    for (i = from + 1; i < phone->len; i++) {

        if (phone->data[i] != phone->data[from]) {
            return 0;
        }
    }

    return 1;
}


static int
b24_facts_company(b24_pool_t *pool, const b24_order_t *order,
    b24_crm_facts_t *facts)
{
    b24_buf_t          buf;
    b24_str_t          name = b24_string("TITLE");
    const b24_pair_t  *pair;

    facts->title = order->fields[B24_ORDER_COMPANY];
    b24_str_trim(&facts->title);

    facts->inn = order->fields[B24_ORDER_INN];
    b24_str_trim(&facts->inn);

    if (!b24_crm_inn_valid(&facts->inn)) {
        facts->inn.len = 0;
    }

    facts->kpp = order->fields[B24_ORDER_KPP];
    b24_str_trim(&facts->kpp);

    if (facts->inn.len != 10 || !b24_kpp_valid(&facts->kpp)) {
        facts->kpp.len = 0;         /* sole proprietors have none */
    }

    facts->company = facts->title.len || facts->inn.len;
    facts->firm = facts->id;

    if (facts->inn.len) {
        b24_buf_init(&buf, pool);
        b24_buf_adds(&buf, "inn:");
        b24_buf_addstr(&buf, &facts->inn);

        if (facts->kpp.len) {
            b24_buf_addc(&buf, '/');
            b24_buf_addstr(&buf, &facts->kpp);
        }

        if (b24_buf_str(&buf, &facts->firm) != B24_OK) {
            return B24_ERROR;
        }
    }

    pair = b24_pair_get(order->company, &name);

    if (pair && pair->value.len) {
        facts->title = pair->value;
    }

    if (facts->title.len == 0 && facts->inn.len) {
        b24_buf_init(&buf, pool);
        b24_buf_adds(&buf, "INN ");
        b24_buf_addstr(&buf, &facts->inn);

        if (b24_buf_str(&buf, &facts->title) != B24_OK) {
            return B24_ERROR;
        }
    }

    b24_crm_cut(&facts->title, B24_TITLE_CHARS);

    /* a title means a firm of our own only, an INN means the same anywhere */

    facts->firm_key = facts->firm;

    if (facts->company && facts->inn.len == 0) {
        b24_buf_init(&buf, pool);
        b24_buf_adds(&buf, "title:");
        b24_buf_addstr(&buf, &facts->originator);
        b24_buf_addc(&buf, '\n');
        b24_buf_addstr(&buf, &facts->title);

        if (b24_buf_str(&buf, &facts->firm_key) != B24_OK) {
            return B24_ERROR;
        }
    }

    return B24_OK;
}


/* four digits, two digits or letters, three digits */

static int
b24_kpp_valid(const b24_str_t *kpp)
{
    size_t  i;

    if (kpp->len != B24_KPP_LEN) {
        return 0;
    }

    for (i = 0; i < kpp->len; i++) {

        if (b24_isdigit(kpp->data[i])) {
            continue;
        }

        if ((i != 4 && i != 5) || kpp->data[i] < 'A' || kpp->data[i] > 'Z') {
            return 0;
        }
    }

    return 1;
}
