
/*
 * Looking up what the portal has of an order: the deal by its origin, the
 * contact by phone and e-mail, the company by INN, origin or title.  b24_crm.c
 * reads the answer.
 */


#include "b24_crm_int.h"


static void b24_lookup_origin(b24_batch_t *batch, const b24_crm_api_t *api,
    const char *name, b24_entity_e entity, const b24_str_t *originator,
    const b24_str_t *id);
static void b24_lookup_title(b24_batch_t *batch, const b24_crm_api_t *api,
    const b24_crm_facts_t *facts);
static b24_command_t *b24_lookup_list(b24_batch_t *batch,
    const b24_crm_api_t *api, const char *name, b24_entity_e entity,
    const b24_str_t *originator);
static void b24_lookup_select(b24_batch_t *batch, const b24_crm_api_t *api,
    b24_command_t *cmd);
static void b24_lookup_comm(b24_batch_t *batch, const char *name,
    const char *type, const b24_str_t *value);
static void b24_lookup_inn(b24_batch_t *batch, const b24_crm_facts_t *facts);


/*
 * The commands of a look-up: "deal" ("again" on a retry, which tells
 * b24_crm_looked_up() that "contact" was asked too), "contact", "phone",
 * "email", "inn", "firm", "title".
 */

int
b24_crm_lookup(b24_batch_t *batch, const b24_crm_settings_t *set,
    const b24_order_t *order, const b24_crm_known_t *known, int retry)
{
    int                   rc;
    b24_crm_facts_t       facts;
    const b24_crm_api_t  *api;

    api = b24_crm_api(set);

    rc = b24_crm_facts(batch->pool, set, order, known, &facts);
    if (rc != B24_OK) {
        return rc;
    }

    if (known->deal == 0 || retry) {
        b24_lookup_origin(batch, api, retry ? "again" : "deal",
                          B24_ENTITY_DEAL, &facts.originator, &facts.id);
    }

    if (b24_lookup_wants_contact(known, &facts)) {

        if (retry) {
            b24_lookup_origin(batch, api, "contact", B24_ENTITY_CONTACT,
                              &facts.originator, &facts.id);
        }

        if (facts.by_phone) {
            b24_lookup_comm(batch, "phone", "PHONE", &facts.phone);
        }

        if (facts.by_email) {
            b24_lookup_comm(batch, "email", "EMAIL", &facts.email);
        }
    }

    if (b24_lookup_wants_company(known, &facts)) {

        if (facts.inn.len) {
            b24_lookup_inn(batch, &facts);

            /* one firm for all shops, also while its requisite is missing */

            b24_lookup_origin(batch, api, "firm", B24_ENTITY_COMPANY, NULL,
                              &facts.firm);
        }

        b24_lookup_title(batch, api, &facts);
    }

    b24_products_ask(batch, set, order, known);

    return batch->failed ? B24_ERROR : B24_OK;
}


int
b24_lookup_wants_contact(const b24_crm_known_t *known,
    const b24_crm_facts_t *facts)
{
    return facts->buyer && !known->contact_done && known->contact == 0;
}


int
b24_lookup_wants_company(const b24_crm_known_t *known,
    const b24_crm_facts_t *facts)
{
    return facts->company && !known->company_done
           && (known->company == 0 || (facts->inn.len
                                       && !known->requisite_done));
}


/* entries of an origin (NULL: of any) with that ORIGIN_ID */

static void
b24_lookup_origin(b24_batch_t *batch, const b24_crm_api_t *api,
    const char *name, b24_entity_e entity, const b24_str_t *originator,
    const b24_str_t *id)
{
    b24_command_t  *cmd;

    cmd = b24_lookup_list(batch, api, name, entity, originator);
    b24_command_value(batch, cmd, api->universal ? "originId" : "ORIGIN_ID",
                      api->items, id);
    b24_lookup_select(batch, api, cmd);
}


/* titles that differ by case are one firm's: rows of several can't be told
 * apart by it */

static void
b24_lookup_title(b24_batch_t *batch, const b24_crm_api_t *api,
    const b24_crm_facts_t *facts)
{
    char            key[B24_CRM_KEY];
    b24_command_t  *cmd;

    cmd = b24_lookup_list(batch, api, "title", B24_ENTITY_COMPANY,
                          &facts->originator);
    b24_crm_key(api, key, "filter", "=", "TITLE");
    b24_command_text(batch, cmd, key, &facts->title);
    b24_lookup_select(batch, api, cmd);
}


static b24_command_t *
b24_lookup_list(b24_batch_t *batch, const b24_crm_api_t *api,
    const char *name, b24_entity_e entity, const b24_str_t *originator)
{
    char            key[B24_CRM_KEY];
    b24_command_t  *cmd;

    cmd = b24_batch_add(batch, name, api->list[entity]);

    if (api->universal) {
        b24_command_int(batch, cmd, "entityTypeId", api->type[entity]);
    }

    if (originator) {
        b24_crm_key(api, key, "filter", "=", "ORIGINATOR_ID");
        b24_command_text(batch, cmd, key, originator);
    }

    return cmd;
}


/* the lowest id first */

static void
b24_lookup_select(b24_batch_t *batch, const b24_crm_api_t *api,
    b24_command_t *cmd)
{
    b24_command_chars(batch, cmd, "select[0]", api->universal ? "id" : "ID");
    b24_command_chars(batch, cmd, "select[1]",
                      api->universal ? "originId" : "ORIGIN_ID");
    b24_command_chars(batch, cmd, api->universal ? "order[id]" : "order[ID]",
                      "ASC");
    b24_command_int(batch, cmd, "start", -1);
}


static void
b24_lookup_comm(b24_batch_t *batch, const char *name, const char *type,
    const b24_str_t *value)
{
    b24_command_t  *cmd;

    /* without entity_type twenty hits of one kind hide the others */

    cmd = b24_batch_add(batch, name, "crm.duplicate.findbycomm");

    b24_command_chars(batch, cmd, "entity_type", "CONTACT");
    b24_command_chars(batch, cmd, "type", type);
    b24_command_text(batch, cmd, "values[0]", value);
}


static void
b24_lookup_inn(b24_batch_t *batch, const b24_crm_facts_t *facts)
{
    b24_command_t  *cmd;

    cmd = b24_batch_add(batch, "inn", "crm.requisite.list");

    b24_command_text(batch, cmd, "filter[=RQ_INN]", &facts->inn);
    b24_command_int(batch, cmd, "filter[=ENTITY_TYPE_ID]", 4);
    b24_command_chars(batch, cmd, "select[0]", "ID");
    b24_command_chars(batch, cmd, "select[1]", "ENTITY_ID");
    b24_command_chars(batch, cmd, "select[2]", "RQ_KPP");
    b24_command_chars(batch, cmd, "order[ID]", "ASC");
    b24_command_int(batch, cmd, "start", -1);
}
