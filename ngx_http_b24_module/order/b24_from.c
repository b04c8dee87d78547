
/*
 * Which request, and which block's reading of it, gave each value of an order:
 * for people.  In the document it is a list of places with the names of what
 * they gave, so that an order of any size has a few nodes more for it.
 */


#include "b24_order.h"
#include "b24_text.h"


#define B24_FROM_PLACES   16        /* of an order; others are not told of */
#define B24_FROM_VALUES   96
#define B24_FROM_TEXT     512       /* bytes put into a document at once */
#define B24_FROM_PATH     160       /* bytes of a path */
#define B24_FROM_SEGMENT  64        /* and of a part of it, with its slash */
#define B24_FROM_DIGITS   5         /* more of them may be a phone */

#define B24_FROM_LISTS    3


/* a value that is there, and where from */
typedef struct {
    const char          *list;      /* what stands before its name */
    const b24_str_t     *name;
    b24_part_e           part;
    unsigned             place;     /* by number */
} b24_from_value_t;


typedef struct {
    const b24_place_t   *places[B24_FROM_PLACES];
    unsigned             parts[B24_FROM_PLACES];    /* a bit for each */
    unsigned             nplaces;
    b24_from_value_t     values[B24_FROM_VALUES];
    unsigned             nvalues;
} b24_from_list_t;


static u_char *b24_place_path(u_char *p, const b24_str_t *path);
static int b24_place_plain(const u_char *data, size_t len);
static u_char *b24_place_copy(u_char *p, const b24_str_t *text);
static void b24_from_gather(b24_from_list_t *from, const b24_order_t *order);
static void b24_from_add(b24_from_list_t *list, const char *prefix,
    const b24_str_t *name, const b24_from_t *from);
static void b24_from_names(b24_buf_t *out, const b24_from_list_t *from,
    unsigned place, unsigned part);
static int b24_from_read(b24_pool_t *pool, const b24_node_t *node,
    b24_order_t *order);
static int b24_from_text(b24_pool_t *pool, const b24_node_t *node,
    const b24_str_t *name, b24_str_t *text);
static void b24_from_given(b24_order_t *order, const b24_str_t *names,
    const b24_from_t *from);
static b24_from_t *b24_from_find(b24_order_t *order, const b24_str_t *name);


#define B24_X(id, name)  b24_string(name),

const b24_str_t  b24_part_names[B24_NPARTS] = {
    B24_PARTS(B24_X)
};

#undef B24_X

static const b24_str_t  b24_from_items = b24_string("items");
static const b24_str_t  b24_from_block = b24_string("block");
static const b24_str_t  b24_from_on = b24_string("on");
static const b24_str_t  b24_from_more = b24_string("...");

static const char  *const b24_from_lists[B24_FROM_LISTS] = {
    "deal.", "contact.", "company."
};


b24_place_t *
b24_place_create(b24_pool_t *pool, const b24_str_t *kind,
    const b24_str_t *name, const b24_str_t *method, const b24_str_t *path)
{
    size_t        len;
    u_char       *p;
    b24_place_t  *place;

    len = path->len < B24_FROM_PATH ? path->len : B24_FROM_PATH;

    place = b24_pcalloc(pool, sizeof(b24_place_t) + kind->len + 1 + name->len
                              + method->len + 1 + len + sizeof("..."));
    if (place == NULL) {
        return NULL;
    }

    p = (u_char *) (place + 1);

    place->block.data = p;
    p = b24_place_copy(p, kind);

    if (name->len) {
        *p++ = ' ';
        p = b24_place_copy(p, name);
    }

    place->block.len = (size_t) (p - place->block.data);

    if (method->len == 0) {
        return place;
    }

    place->request.data = p;
    p = b24_place_copy(p, method);
    *p++ = ' ';
    p = b24_place_path(p, path);
    place->request.len = (size_t) (p - place->request.data);

    return place;
}


static u_char *
b24_place_copy(u_char *p, const b24_str_t *text)
{
    memcpy(p, text->data, text->len);

    return p + text->len;
}


/* no longer than B24_FROM_PATH and three dots */

static u_char *
b24_place_path(u_char *p, const b24_str_t *path)
{
    size_t  i, start, len;

    for (i = 0; i < path->len; /* void */ ) {

        if (path->data[i] == '/') {
            start = i++;

        } else {
            start = i;
        }

        while (i < path->len && path->data[i] != '/') {
            i++;
        }

        len = i - start;

        if (i > B24_FROM_PATH) {
            return b24_place_copy(p, &b24_from_more);
        }

        if (b24_place_plain(path->data + start, len)) {
            memcpy(p, path->data + start, len);
            p += len;
            continue;
        }

        /* a part of which there is more than the slash */

        if (path->data[start] == '/') {
            *p++ = '/';
        }

        *p++ = '*';
    }

    return p;
}


/* nothing that could tell who it was: an address, a phone, a token */

static int
b24_place_plain(const u_char *data, size_t len)
{
    size_t  i, digits;

    if (len > B24_FROM_SEGMENT) {
        return 0;
    }

    digits = 0;

    for (i = 0; i < len; i++) {

        if (data[i] == '@' || data[i] <= ' ' || data[i] >= 0x7f) {
            return 0;
        }

        digits += (b24_isdigit(data[i]) != 0);
    }

    return digits <= B24_FROM_DIGITS;
}


int
b24_place_same(const b24_place_t *a, const b24_place_t *b)
{
    return a == b || (b24_str_eq(&a->block, &b->block)
                      && b24_str_eq(&a->request, &b->request));
}


void
b24_from_forget(b24_order_t *order)
{
    size_t       i;
    b24_pair_t  *pair, *lists[B24_FROM_LISTS];

    memset(order->from, 0, sizeof(order->from));

    lists[0] = order->deal;
    lists[1] = order->contact;
    lists[2] = order->company;

    for (i = 0; i < B24_FROM_LISTS; i++) {

        for (pair = lists[i]; pair; pair = pair->next) {
            memset(&pair->from, 0, sizeof(b24_from_t));
        }
    }
}


size_t
b24_order_places(const b24_order_t *order, const b24_place_t **places,
    size_t max)
{
    size_t           i;
    b24_from_list_t  from;

    b24_from_gather(&from, order);

    for (i = 0; i < from.nplaces && i < max; i++) {
        places[i] = from.places[i];
    }

    return i;
}


/* what there is of the order and is known to be from somewhere */

static void
b24_from_gather(b24_from_list_t *from, const b24_order_t *order)
{
    size_t             i;
    const b24_pair_t  *pair, *lists[B24_FROM_LISTS];

    from->nplaces = 0;
    from->nvalues = 0;

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {

        if (order->fields[i].len && order->from[i].place) {
            b24_from_add(from, "", &b24_order_names[i], &order->from[i]);
        }
    }

    if (order->items && order->from[B24_ORDER_NFIELDS].place) {
        b24_from_add(from, "", &b24_from_items,
                     &order->from[B24_ORDER_NFIELDS]);
    }

    lists[0] = order->deal;
    lists[1] = order->contact;
    lists[2] = order->company;

    for (i = 0; i < B24_FROM_LISTS; i++) {

        for (pair = lists[i]; pair; pair = pair->next) {

            if (pair->from.place) {
                b24_from_add(from, b24_from_lists[i], &pair->name,
                             &pair->from);
            }
        }
    }
}


static void
b24_from_add(b24_from_list_t *list, const char *prefix, const b24_str_t *name,
    const b24_from_t *from)
{
    unsigned           i;
    b24_from_value_t  *value;

    for (i = 0; i < list->nplaces; i++) {

        if (b24_place_same(list->places[i], from->place)) {
            break;
        }
    }

    if (i == B24_FROM_PLACES || list->nvalues == B24_FROM_VALUES) {
        return;
    }

    if (i == list->nplaces) {
        list->places[i] = from->place;
        list->parts[i] = 0;
        list->nplaces++;
    }

    list->parts[i] |= 1u << from->part;

    value = &list->values[list->nvalues++];

    value->list = prefix;
    value->name = name;
    value->part = from->part;
    value->place = i;
}


/*
 * ,"from":[{"block":"order save","on":"POST /checkout/","request":"name phone",
 *           "answer":"id total"},...]
 */
void
b24_from_print(b24_buf_t *out, const b24_order_t *order)
{
    unsigned         i, part;
    b24_from_list_t  from;

    b24_from_gather(&from, order);

    for (i = 0; i < from.nplaces; i++) {
        b24_buf_adds(out, i ? ",{\"block\":" : ",\"from\":[{\"block\":");
        b24_json_string(out, &from.places[i]->block);

        if (from.places[i]->request.len) {
            b24_buf_adds(out, ",\"on\":");
            b24_json_string(out, &from.places[i]->request);
        }

        for (part = B24_PART_RULE; part < B24_NPARTS; part++) {

            if (from.parts[i] & (1u << part)) {
                b24_from_names(out, &from, i, part);
            }
        }

        b24_buf_addc(out, '}');
    }

    if (from.nplaces) {
        b24_buf_addc(out, ']');
    }
}


/* names of fields have nothing in them that JSON would escape; gathered here,
 * as each call for the buffer costs as much as a name */

static void
b24_from_names(b24_buf_t *out, const b24_from_list_t *from, unsigned place,
    unsigned part)
{
    size_t                   len;
    u_char                  *p, text[B24_FROM_TEXT];
    unsigned                 i;
    const b24_from_value_t  *value;

    p = text;
    *p++ = ',';
    *p++ = '"';
    p = b24_place_copy(p, &b24_part_names[part]);
    *p++ = '"';
    *p++ = ':';
    *p++ = '"';

    for (i = 0; i < from->nvalues; i++) {
        value = &from->values[i];

        if (value->place != place || value->part != part) {
            continue;
        }

        len = *value->list ? strlen(value->list) : 0;

        if (len + value->name->len + 1 > (size_t) (text + sizeof(text) - p)) {
            b24_buf_add(out, text, (size_t) (p - text));
            p = text;
        }

        if (len + value->name->len + 1 > sizeof(text)) {
            continue;                   /* no field has such a name */
        }

        memcpy(p, value->list, len);
        p = b24_place_copy(p + len, value->name);
        *p++ = ' ';
    }

    /* the last blank's place is the closing quote's */

    if (p == text) {
        b24_buf_addc(out, '"');
        return;
    }

    p[-1] = '"';
    b24_buf_add(out, text, (size_t) (p - text));
}


/* what is broken there is of no matter for the order */

int
b24_from_parse(b24_pool_t *pool, const b24_node_t *node, b24_order_t *order)
{
    const b24_node_t  *child;

    if (node == NULL || node->type != B24_ARRAY) {
        return B24_OK;
    }

    for (child = node->first; child; child = child->next) {

        if (child->type == B24_OBJECT
            && b24_from_read(pool, child, order) != B24_OK)
        {
            return B24_ERROR;
        }
    }

    return B24_OK;
}


static int
b24_from_read(b24_pool_t *pool, const b24_node_t *node, b24_order_t *order)
{
    unsigned           part;
    b24_from_t         from;
    b24_place_t       *place;
    const b24_node_t  *member;

    place = b24_pcalloc(pool, sizeof(b24_place_t));

    if (place == NULL
        || b24_from_text(pool, node, &b24_from_block, &place->block) != B24_OK
        || b24_from_text(pool, node, &b24_from_on, &place->request) != B24_OK)
    {
        return B24_ERROR;
    }

    from.place = place;

    for (part = B24_PART_RULE; part < B24_NPARTS; part++) {
        member = b24_node_get(node, &b24_part_names[part]);

        if (member && member->type == B24_STRING) {
            from.part = (b24_part_e) part;
            b24_from_given(order, &member->value, &from);
        }
    }

    return B24_OK;
}


static int
b24_from_text(b24_pool_t *pool, const b24_node_t *node, const b24_str_t *name,
    b24_str_t *text)
{
    const b24_node_t  *member;

    member = b24_node_get(node, name);

    if (member == NULL || member->type != B24_STRING
        || member->value.len == 0)
    {
        return B24_OK;
    }

    return b24_pstrdup(pool, text, member->value.data, member->value.len);
}


static void
b24_from_given(b24_order_t *order, const b24_str_t *names,
    const b24_from_t *from)
{
    u_char      *p, *end;
    b24_str_t    name;
    b24_from_t  *of;

    end = names->data + names->len;

    for (p = names->data; p < end; p++) {
        name.data = p;

        while (p < end && *p != ' ') {
            p++;
        }

        name.len = (size_t) (p - name.data);
        of = b24_from_find(order, &name);

        if (of) {
            *of = *from;
        }
    }
}


/* NULL: the order has no such value */

static b24_from_t *
b24_from_find(b24_order_t *order, const b24_str_t *name)
{
    size_t       i, len;
    b24_str_t    field;
    b24_pair_t  *pair, *lists[B24_FROM_LISTS];

    for (i = 0; i < B24_ORDER_NFIELDS; i++) {

        if (b24_str_eq(name, &b24_order_names[i])) {
            return &order->from[i];
        }
    }

    if (b24_str_eq(name, &b24_from_items)) {
        return &order->from[B24_ORDER_NFIELDS];
    }

    lists[0] = order->deal;
    lists[1] = order->contact;
    lists[2] = order->company;

    for (i = 0; i < B24_FROM_LISTS; i++) {
        len = strlen(b24_from_lists[i]);

        if (name->len <= len || memcmp(name->data, b24_from_lists[i], len) != 0)
        {
            continue;
        }

        field.data = name->data + len;
        field.len = name->len - len;

        for (pair = lists[i]; pair; pair = pair->next) {

            if (b24_str_eq(&pair->name, &field)) {
                return &pair->from;
            }
        }
    }

    return NULL;
}
