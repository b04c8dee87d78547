
/* How a field of an order is put into a command: its name in either API, how
 * long it may be, and what goes before what. */


#include <stdio.h>

#include "b24_write_int.h"


#define B24_FIELD_NAME    64        /* of a pair: FIELD */
#define B24_UTM_CHARS     200
#define B24_VALUE_CHARS   8192      /* of any other field */


static int b24_pair_key(const b24_str_t *name, char *field);
static int b24_pair_owned(const char *field);
static size_t b24_pair_chars(const char *field);
static int b24_multi_type(const char *field);


/* nothing is sent for an empty value, nor where a pair sets the field */

void
b24_write_field(b24_write_t *w, const char *field, size_t max,
    const b24_str_t *value)
{
    char               key[B24_CRM_KEY];
    b24_str_t          name, text;
    const b24_pair_t  *pair;

    name.data = (u_char *) field;
    name.len = strlen(field);

    pair = b24_pair_get(w->pairs, &name);

    if (value->len == 0
        || (pair && pair->value.len && !b24_pair_owned(field)))
    {
        return;
    }

    text = *value;
    b24_crm_cut(&text, max);

    b24_crm_key(w->api, key, "fields", "", field);
    b24_command_text(w->batch, w->cmd, key, &text);
}


void
b24_write_chars(b24_write_t *w, const char *field, const char *value)
{
    b24_str_t  s;

    s.data = (u_char *) value;
    s.len = strlen(value);

    b24_write_field(w, field, B24_TITLE_CHARS, &s);
}


void
b24_write_origin(b24_write_t *w, const b24_str_t *id)
{
    b24_write_field(w, "ORIGINATOR_ID", B24_TITLE_CHARS,
                    &w->facts->originator);
    b24_write_field(w, "ORIGIN_ID", B24_TITLE_CHARS, id);
}


void
b24_write_multi(b24_write_t *w, const char *type, const b24_str_t *value)
{
    char     key[B24_CRM_KEY];
    size_t  *n;

    if (w->api->universal) {
        (void) snprintf(key, sizeof(key), "fields[fm][%s%zu][typeId]",
                        w->fm_new, w->fm);
        b24_command_chars(w->batch, w->cmd, key, type);
        (void) snprintf(key, sizeof(key), "fields[fm][%s%zu][valueType]",
                        w->fm_new, w->fm);
        b24_command_chars(w->batch, w->cmd, key, "WORK");
        (void) snprintf(key, sizeof(key), "fields[fm][%s%zu][value]",
                        w->fm_new, w->fm);
        b24_command_text(w->batch, w->cmd, key, value);
        w->fm++;
        return;
    }

    n = &w->multi[b24_multi_type(type)];

    (void) snprintf(key, sizeof(key), "fields[%s][%zu][VALUE]", type, *n);
    b24_command_text(w->batch, w->cmd, key, value);
    (void) snprintf(key, sizeof(key), "fields[%s][%zu][VALUE_TYPE]", type,
                    *n);
    b24_command_chars(w->batch, w->cmd, key, "WORK");
    (*n)++;
}


/* multi: the entity has PHONE, EMAIL, WEB and IM */

void
b24_write_pairs(b24_write_t *w, int multi)
{
    char               field[B24_FIELD_NAME + 1], key[B24_CRM_KEY];
    b24_buf_t          buf;
    b24_str_t          value;
    const b24_pair_t  *pair;

    for (pair = w->pairs; pair; pair = pair->next) {
        value = pair->value;

        if (value.len == 0 || !b24_pair_key(&pair->name, field)
            || b24_pair_owned(field))
        {
            continue;
        }

        b24_crm_cut(&value, b24_pair_chars(field));

        if (multi && b24_multi_type(field) >= 0) {
            b24_write_multi(w, field, &value);
            continue;
        }

        if (strcmp(field, "COMMENTS") == 0) {

            if (!multi) {
                continue;           /* part of the deal's own text */
            }

            b24_buf_init(&buf, w->batch->pool);
            b24_crm_plain(&buf, &value);

            if (b24_buf_str(&buf, &value) != B24_OK) {
                w->batch->failed = 1;
                return;
            }
        }

        b24_crm_key(w->api, key, "fields", "", field);
        b24_command_text(w->batch, w->cmd, key, &value);
    }
}


/* A-Z0-9_, then perhaps an index: "UF_CRM_TAGS[0]"; 1 when it is such a name */

static int
b24_pair_key(const b24_str_t *name, char *field)
{
    size_t  i, digits;
    u_char  c;

    if (name->len == 0 || name->len > B24_FIELD_NAME) {
        return 0;
    }

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (!b24_isdigit(c) && c != '_' && (c < 'A' || c > 'Z')) {
            break;
        }
    }

    if (i == 0) {
        return 0;
    }

    memcpy(field, name->data, name->len);
    field[name->len] = '\0';

    if (i == name->len) {
        return 1;
    }

    for (digits = 0; b24_isdigit((u_char) field[i + 1 + digits]); digits++) {
        /* void */
    }

    return field[i] == '[' && digits >= 1 && digits <= 4
           && field[i + 1 + digits] == ']' && i + digits + 2 == name->len;
}


/* what keeps an order from arriving twice can't be set from outside */

static int
b24_pair_owned(const char *field)
{
    int                 i;
    size_t              len;
    static const char  *owned[] = {
        "ID", "ORIGINATOR_ID", "ORIGIN_ID", "CONTACT_ID", "CONTACT_IDS",
        "COMPANY_ID", "COMPANY_IDS", NULL
    };

    len = strcspn(field, "[");

    for (i = 0; owned[i]; i++) {

        if (strlen(owned[i]) == len && memcmp(owned[i], field, len) == 0) {
            return 1;
        }
    }

    return 0;
}


/* column sizes in characters; a text that is too long would be refused */

static size_t
b24_pair_chars(const char *field)
{
    int  i;
    static const struct {
        const char  *prefix;
        size_t       chars;
    } sizes[] = {
        { "TITLE", 255 },
        { "NAME", 50 },
        { "SECOND_NAME", 50 },
        { "LAST_NAME", 50 },
        { "STAGE_ID", 50 },
        { "TYPE_ID", 50 },
        { "SOURCE_ID", 50 },
        { "CURRENCY_ID", 50 },
        { "COMPANY_TYPE", 50 },
        { "POST", 255 },
        { "UTM_", B24_UTM_CHARS },
        { "PHONE", 250 },
        { "EMAIL", 250 },
        { "WEB", 250 },
        { "IM", 250 },
        { NULL, 0 }
    };

    for (i = 0; sizes[i].prefix; i++) {

        if (strcmp(field, sizes[i].prefix) == 0
            || (sizes[i].chars == B24_UTM_CHARS
                && strncmp(field, sizes[i].prefix, 4) == 0))
        {
            return sizes[i].chars;
        }
    }

    return B24_VALUE_CHARS;
}


static int
b24_multi_type(const char *field)
{
    int                 i;
    static const char  *types[] = { "PHONE", "EMAIL", "WEB", "IM", NULL };

    for (i = 0; types[i]; i++) {

        if (strcmp(field, types[i]) == 0) {
            return i;
        }
    }

    return -1;
}


/* an id that is known, or a reference to what this batch adds */

void
b24_write_id(b24_write_t *w, const char *key, b24_entity_e entity, int64_t id)
{
    if (id) {
        b24_command_int(w->batch, w->cmd, key, id);

    } else {
        b24_command_ref(w->batch, w->cmd, key, w->api->ref[entity]);
    }
}
