
/*
 * What the configuration sets in the CRM, against what the portal has: names of
 * fields, and values of dictionaries, which the portal drops without a word
 * when it does not know them.  What can't be asked is taken as right.
 */


#include "b24_crm_int.h"


#define B24_FIELDS_SHOWN  400       /* bytes of values that a text names */
#define B24_FIELDS_VALUE  50        /* characters of a STATUS_ID */


static b24_fieldlist_t *b24_fieldlist_get(const b24_book_t *book,
    b24_entity_e entity, unsigned universal);
static b24_dictionary_t *b24_dictionary_get(const b24_book_t *book,
    const char *name);
static const char *b24_dictionary_of(b24_entity_e entity, const char *field);
static const char *b24_dictionary_command(const b24_dictionary_t *dict);
static int b24_fields_name(const b24_field_line_t *line, char *field);
static int b24_fields_always(b24_entity_e entity, const char *field);
static int b24_fields_has(const b24_str_t *list, size_t n,
    const b24_str_t *text);
static int b24_fieldlist_read(b24_pool_t *pool, b24_fieldlist_t *list,
    const b24_node_t *result);
static int b24_dictionary_read(b24_pool_t *pool, b24_dictionary_t *dict,
    const b24_node_t *result);
static int b24_fields_more(const b24_answer_t *answer, const char *name);
static int b24_fields_unknown(b24_pool_t *pool, const b24_field_line_t *line,
    const b24_dictionary_t *dict, b24_str_t *text);
static void b24_fields_show(b24_buf_t *out, b24_str_t text);


static const struct {
    const char    *ask;
    const char    *command[2];      /* of the classic and the universal one */
    const char    *plural;
} b24_fields_entities[] = {
    { "crm.contact.fields", { "fc", "uc" }, "contacts" },
    { "crm.company.fields", { "fk", "uk" }, "companies" },
    { "crm.deal.fields",    { "fd", "ud" }, "deals" }
};


static const struct {
    b24_entity_e   entity;
    const char    *field;
    const char    *dictionary;      /* ENTITY_ID of crm.status.list */
    const char    *command;
} b24_fields_dictionaries[] = {
    { B24_ENTITY_DEAL,    "SOURCE_ID",    "SOURCE",       "vs" },
    { B24_ENTITY_CONTACT, "SOURCE_ID",    "SOURCE",       "vs" },
    { B24_ENTITY_DEAL,    "TYPE_ID",      "DEAL_TYPE",    "vd" },
    { B24_ENTITY_CONTACT, "TYPE_ID",      "CONTACT_TYPE", "vc" },
    { B24_ENTITY_CONTACT, "HONORIFIC",    "HONORIFIC",    "vh" },
    { B24_ENTITY_COMPANY, "COMPANY_TYPE", "COMPANY_TYPE", "vk" },
    { B24_ENTITY_COMPANY, "INDUSTRY",     "INDUSTRY",     "vi" },
    { B24_ENTITY_DEAL,    NULL,           NULL,           NULL }
};


/* ---- what to ask for ---- */

int
b24_book_want(b24_pool_t *pool, b24_book_t *book, unsigned universal,
    const b24_field_line_t *line)
{
    char               field[B24_CRM_KEY];
    const char        *name;
    b24_fieldlist_t   *list;
    b24_dictionary_t  *dict;

    if (!b24_fields_name(line, field)) {
        return B24_OK;
    }

    if (!b24_fields_always(line->entity, field)
        && b24_fieldlist_get(book, line->entity, universal) == NULL)
    {
        list = b24_pcalloc(pool, sizeof(b24_fieldlist_t));
        if (list == NULL) {
            return B24_ERROR;
        }

        list->entity = line->entity;
        list->universal = universal ? 1 : 0;
        list->next = book->fields;
        book->fields = list;
    }

    name = line->value.len ? b24_dictionary_of(line->entity, field) : NULL;

    if (name && b24_dictionary_get(book, name) == NULL) {
        dict = b24_pcalloc(pool, sizeof(b24_dictionary_t));
        if (dict == NULL) {
            return B24_ERROR;
        }

        dict->name = name;
        dict->next = book->dictionaries;
        book->dictionaries = dict;
    }

    return B24_OK;
}


/* never worth the other questions: these take the room that is left */

void
b24_fields_ask(b24_batch_t *batch, const b24_book_t *book)
{
    b24_command_t           *cmd;
    b24_crm_settings_t       set;
    const b24_fieldlist_t   *list;
    const b24_dictionary_t  *dict;

    memset(&set, 0, sizeof(b24_crm_settings_t));
    set.universal = 1;

    for (list = book->fields; list; list = list->next) {

        if (list->asked || batch->count == B24_BATCH_MAX) {
            continue;
        }

        cmd = b24_batch_add(batch, b24_fields_entities[list->entity]
                                       .command[list->universal],
                            list->universal ? "crm.item.fields"
                                     : b24_fields_entities[list->entity].ask);

        if (list->universal) {
            b24_command_int(batch, cmd, "entityTypeId",
                            b24_crm_api(&set)->type[list->entity]);
            b24_command_chars(batch, cmd, "useOriginalUfNames", "Y");
        }
    }

    for (dict = book->dictionaries; dict; dict = dict->next) {

        if (dict->asked || batch->count == B24_BATCH_MAX) {
            continue;
        }

        cmd = b24_batch_add(batch, b24_dictionary_command(dict),
                            "crm.status.list");

        /* a bare name: "=ENTITY_ID" filters nothing */

        b24_command_chars(batch, cmd, "filter[ENTITY_ID]", dict->name);
    }
}


static b24_fieldlist_t *
b24_fieldlist_get(const b24_book_t *book, b24_entity_e entity,
    unsigned universal)
{
    b24_fieldlist_t  *list;

    for (list = book->fields; list; list = list->next) {

        if (list->entity == entity && !list->universal == !universal) {
            break;
        }
    }

    return list;
}


static b24_dictionary_t *
b24_dictionary_get(const b24_book_t *book, const char *name)
{
    b24_dictionary_t  *dict;

    for (dict = book->dictionaries; dict; dict = dict->next) {

        if (strcmp(dict->name, name) == 0) {
            break;
        }
    }

    return dict;
}


/* NULL: any value will do */

static const char *
b24_dictionary_of(b24_entity_e entity, const char *field)
{
    int  i;

    for (i = 0; b24_fields_dictionaries[i].field; i++) {

        if (b24_fields_dictionaries[i].entity == entity
            && strcmp(b24_fields_dictionaries[i].field, field) == 0)
        {
            break;
        }
    }

    return b24_fields_dictionaries[i].dictionary;
}


static const char *
b24_dictionary_command(const b24_dictionary_t *dict)
{
    int  i;

    for (i = 0; b24_fields_dictionaries[i].field; i++) {

        if (strcmp(b24_fields_dictionaries[i].dictionary, dict->name) == 0) {
            break;
        }
    }

    return b24_fields_dictionaries[i].command;
}


/* the field without its index, 0: nothing that could be told apart */

static int
b24_fields_name(const b24_field_line_t *line, char *field)
{
    size_t  n;

    for (n = 0; n < line->field.len && line->field.data[n] != '['; n++) {
        /* void */
    }

    /* longer ones would be cut by b24_crm_key() */

    if (n == 0 || n > B24_CRM_KEY / 2) {
        return 0;
    }

    memcpy(field, line->field.data, n);
    field[n] = '\0';

    return 1;
}


/* multifields are "fm" in the universal list; TRACE is taken but not listed */

static int
b24_fields_always(b24_entity_e entity, const char *field)
{
    if (strcmp(field, "COMMENTS") == 0 || strcmp(field, "TRACE") == 0) {
        return 1;
    }

    return entity != B24_ENTITY_DEAL
           && (strcmp(field, "PHONE") == 0 || strcmp(field, "EMAIL") == 0
               || strcmp(field, "WEB") == 0 || strcmp(field, "IM") == 0);
}


static int
b24_fields_has(const b24_str_t *list, size_t n, const b24_str_t *text)
{
    size_t  i;

    for (i = 0; i < n; i++) {

        if (b24_str_eq(&list[i], text)) {
            return 1;
        }
    }

    return 0;
}


/* ---- the answers ---- */

/* a question that failed is not asked again: the line stays unchecked */

int
b24_fields_read(b24_pool_t *pool, const b24_answer_t *answer, b24_book_t *book)
{
    const char        *name;
    b24_node_t        *node;
    b24_verdict_t      v;
    b24_fieldlist_t   *list;
    b24_dictionary_t  *dict;

    for (list = book->fields; list; list = list->next) {

        name = b24_fields_entities[list->entity].command[list->universal];

        if (!list->asked
            && b24_answer_command(pool, answer, name, &node, &v)
               == B24_CMD_DONE
            && b24_fieldlist_read(pool, list, node) != B24_OK)
        {
            return B24_ERROR;
        }

        list->asked = 1;
    }

    for (dict = book->dictionaries; dict; dict = dict->next) {

        name = b24_dictionary_command(dict);

        if (!dict->asked
            && b24_answer_command(pool, answer, name, &node, &v)
               == B24_CMD_DONE
            && !b24_fields_more(answer, name)
            && b24_dictionary_read(pool, dict, node) != B24_OK)
        {
            return B24_ERROR;
        }

        dict->asked = 1;
    }

    return B24_OK;
}


/* {"TITLE":{...},...}, or {"fields":{"title":{...},...}} of crm.item.fields */

static int
b24_fieldlist_read(b24_pool_t *pool, b24_fieldlist_t *list,
    const b24_node_t *result)
{
    b24_str_t         *names, key = b24_string("fields");
    const b24_node_t  *field;

    if (list->universal && result->type == B24_OBJECT) {
        result = b24_node_get(result, &key);
    }

    if (result == NULL || result->type != B24_OBJECT) {
        return B24_OK;
    }

    names = b24_pcalloc(pool, (result->count + 1) * sizeof(b24_str_t));
    if (names == NULL) {
        return B24_ERROR;
    }

    for (field = result->first; field; field = field->next) {

        if (b24_pstrdup(pool, &names[list->nnames++], field->key.data,
                        field->key.len)
            != B24_OK)
        {
            return B24_ERROR;
        }
    }

    list->names = names;

    return B24_OK;
}


/* [{"ENTITY_ID":"SOURCE","STATUS_ID":"CALL",...},...] */

static int
b24_dictionary_read(b24_pool_t *pool, b24_dictionary_t *dict,
    const b24_node_t *result)
{
    size_t             n;
    b24_str_t          id, *ids, key = b24_string("STATUS_ID");
    const b24_node_t  *row, *field;

    if (result->type != B24_ARRAY && result->type != B24_OBJECT) {
        return B24_OK;
    }

    ids = b24_pcalloc(pool, (result->count + 1) * sizeof(b24_str_t));
    if (ids == NULL) {
        return B24_ERROR;
    }

    n = 0;

    for (row = result->first; row; row = row->next) {

        field = (row->type == B24_OBJECT) ? b24_node_get(row, &key) : NULL;

        if (field == NULL || b24_node_text(field, &id) != B24_OK) {
            return B24_OK;
        }

        if (!b24_book_entity(row, dict->name)) {
            continue;
        }

        if (b24_pstrdup(pool, &ids[n++], id.data, id.len) != B24_OK) {
            return B24_ERROR;
        }
    }

    dict->values = ids;
    dict->nvalues = n;

    return B24_OK;
}


/* result_next has the command's name: it was only a first page */

static int
b24_fields_more(const b24_answer_t *answer, const char *name)
{
    b24_str_t          key;
    b24_str_t          result = b24_string("result");
    b24_str_t          next = b24_string("result_next");
    const b24_node_t  *node;

    node = answer->root ? b24_node_get(answer->root, &result) : NULL;

    if (node && node->type == B24_OBJECT) {
        node = b24_node_get(node, &next);
    }

    if (node == NULL || node->type != B24_OBJECT) {
        return 0;
    }

    key.data = (u_char *) name;
    key.len = strlen(name);

    return b24_node_get(node, &key) != NULL;
}


/* ---- what the portal does not know ---- */

int
b24_book_line_wrong(b24_pool_t *pool, const b24_book_t *book,
    unsigned universal, const b24_field_line_t *line, b24_str_t *text)
{
    char                     field[B24_CRM_KEY], key[B24_CRM_KEY];
    b24_buf_t                buf;
    b24_str_t                name;
    const char              *dictionary;
    b24_crm_settings_t       set;
    const b24_fieldlist_t   *list;
    const b24_dictionary_t  *dict;

    text->len = 0;
    text->data = NULL;

    if (!b24_fields_name(line, field)) {
        return B24_OK;
    }

    memset(&set, 0, sizeof(b24_crm_settings_t));
    set.universal = universal ? 1 : 0;

    b24_crm_key(b24_crm_api(&set), key, NULL, "", field);

    name.data = (u_char *) key;
    name.len = strlen(key);

    list = b24_fieldlist_get(book, line->entity, universal);

    if (list && list->nnames && !b24_fields_always(line->entity, field)
        && !b24_fields_has(list->names, list->nnames, &name))
    {
        b24_buf_init(&buf, pool);
        b24_buf_adds(&buf, "the portal's ");
        b24_buf_adds(&buf, b24_fields_entities[line->entity].plural);
        b24_buf_adds(&buf, " have no such field");

        return b24_buf_str(&buf, text);
    }

    dictionary = line->value.len ? b24_dictionary_of(line->entity, field)
                                 : NULL;
    dict = dictionary ? b24_dictionary_get(book, dictionary) : NULL;

    if (dict == NULL || dict->nvalues == 0
        || b24_fields_has(dict->values, dict->nvalues, &line->value))
    {
        return B24_OK;
    }

    return b24_fields_unknown(pool, line, dict, text);
}


static int
b24_fields_unknown(b24_pool_t *pool, const b24_field_line_t *line,
    const b24_dictionary_t *dict, b24_str_t *text)
{
    size_t     i;
    b24_buf_t  buf;

    b24_buf_init(&buf, pool);
    b24_buf_adds(&buf, "the portal has no value \"");
    b24_fields_show(&buf, line->value);
    b24_buf_adds(&buf, "\", only ");

    for (i = 0; i < dict->nvalues; i++) {

        if (i) {
            b24_buf_adds(&buf, ", ");
        }

        if (buf.len > B24_FIELDS_SHOWN) {
            b24_buf_adds(&buf, "...");
            break;
        }

        b24_fields_show(&buf, dict->values[i]);
    }

    return b24_buf_str(&buf, text);
}


/* one line, whatever it is */

static void
b24_fields_show(b24_buf_t *out, b24_str_t text)
{
    u_char  c;
    size_t  i;

    b24_crm_cut(&text, B24_FIELDS_VALUE);

    for (i = 0; i < text.len; i++) {
        c = text.data[i];
        b24_buf_addc(out, (c < 0x20 || c == 0x7F) ? '?' : c);
    }
}
