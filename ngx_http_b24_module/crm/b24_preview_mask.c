
/*
 * What of a command is shown.  A value is the buyer's unless its name says
 * otherwise: fields of one's own (UF_CRM_*) may hold anything.
 */


#include "b24_preview.h"
#include "b24_preview_int.h"


#define B24_MASK_HEAD  4                /* digits of a phone that are left */
#define B24_MASK_TAIL  2
#define B24_MASK_LONG  10               /* digits of a whole one */


typedef enum {
    B24_SHOW_SHAPE = 0,
    B24_SHOW_TEXT,                      /* without the buyer's words */
    B24_SHOW_TITLE,                     /* the same, but a firm's is its name */
    B24_SHOW_NUMBER,                    /* if it is the order's */
    B24_SHOW_ALL
} b24_show_e;


/* classic names without "_", in lower case: so universal ones are the same */
static const struct {
    const char  *name;
    b24_show_e   show;
} b24_shown[] = {
    { "id", B24_SHOW_ALL },
    { "entitytypeid", B24_SHOW_ALL },
    { "entitytype", B24_SHOW_ALL },
    { "entityid", B24_SHOW_ALL },
    { "type", B24_SHOW_ALL },
    { "ownertype", B24_SHOW_ALL },
    { "ownerid", B24_SHOW_ALL },
    { "start", B24_SHOW_ALL },
    { "select", B24_SHOW_ALL },
    { "order", B24_SHOW_ALL },
    { "params", B24_SHOW_ALL },
    { "useoriginalufnames", B24_SHOW_ALL },
    { "categoryid", B24_SHOW_ALL },
    { "stageid", B24_SHOW_ALL },
    { "opportunity", B24_SHOW_ALL },
    { "ismanualopportunity", B24_SHOW_ALL },
    { "currencyid", B24_SHOW_ALL },
    { "originatorid", B24_SHOW_ALL },
    { "contactid", B24_SHOW_ALL },
    { "contactids", B24_SHOW_ALL },
    { "companyid", B24_SHOW_ALL },
    { "companytype", B24_SHOW_ALL },
    { "typeid", B24_SHOW_ALL },
    { "valuetype", B24_SHOW_ALL },
    { "sourceid", B24_SHOW_ALL },
    { "assignedbyid", B24_SHOW_ALL },
    { "presetid", B24_SHOW_ALL },
    { "isprimary", B24_SHOW_ALL },
    { "opened", B24_SHOW_ALL },
    { "price", B24_SHOW_ALL },
    { "quantity", B24_SHOW_ALL },
    { "productid", B24_SHOW_ALL },
    { "discounttypeid", B24_SHOW_ALL },
    { "discountsum", B24_SHOW_ALL },
    { "discountrate", B24_SHOW_ALL },
    { "taxrate", B24_SHOW_ALL },
    { "taxincluded", B24_SHOW_ALL },
    { "customized", B24_SHOW_ALL },
    { "measurecode", B24_SHOW_ALL },
    { "iblockid", B24_SHOW_ALL },
    { "xmlid", B24_SHOW_ALL },
    { "productname", B24_SHOW_TEXT },
    { "utmsource", B24_SHOW_TEXT },
    { "utmmedium", B24_SHOW_TEXT },
    { "utmcampaign", B24_SHOW_TEXT },
    { "utmcontent", B24_SHOW_TEXT },
    { "utmterm", B24_SHOW_TEXT },
    { "title", B24_SHOW_TITLE },
    { "originid", B24_SHOW_NUMBER }
};


static void b24_view_node(b24_view_t *view, const b24_node_t *node,
    b24_show_e show);
static int b24_view_list(const b24_node_t *node);
static b24_show_e b24_view_show(const b24_str_t *name, b24_show_e show);
static int b24_view_named(const b24_str_t *name, const char *shown);
static void b24_view_scalar(b24_view_t *view, const b24_node_t *node,
    b24_show_e show);
static int b24_view_firm(const char *method, const b24_node_t *params);
static int b24_mask_phone(b24_buf_t *out, const b24_str_t *text);
static int b24_mask_email(b24_buf_t *out, const b24_str_t *text);
static void b24_mask_words(b24_buf_t *out, const b24_str_t *text);
static size_t b24_mask_char(const b24_str_t *text, size_t at);
static int b24_mask_letter(u_char c);


void
b24_view_params(b24_view_t *view, const char *method, const b24_node_t *params)
{
    view->firm = b24_view_firm(method, params);

    /* without any parameters it is an object, too */

    if (params->count == 0) {
        b24_buf_adds(view->out, "{}");
        return;
    }

    b24_view_node(view, params, B24_SHOW_SHAPE);
}


static int
b24_view_firm(const char *method, const b24_node_t *params)
{
    b24_str_t          name = b24_string("entityTypeId");
    const b24_node_t  *type;

    if (strstr(method, "company")) {
        return 1;
    }

    type = b24_node_get(params, &name);

    return type && b24_str_eqs(&type->value, "4");
}


static void
b24_view_node(b24_view_t *view, const b24_node_t *node, b24_show_e show)
{
    int                list;
    u_char             close;
    b24_show_e         below;
    const b24_node_t  *child;

    if (node->type != B24_ARRAY && node->type != B24_OBJECT) {
        b24_view_scalar(view, node, show);
        return;
    }

    list = b24_view_list(node);
    close = list ? ']' : '}';

    b24_buf_addc(view->out, list ? '[' : '{');

    for (child = node->first; child; child = child->next) {
        below = show;

        if (!list) {
            below = b24_view_show(&child->key, show);
            b24_json_string(view->out, &child->key);
            b24_buf_addc(view->out, ':');
        }

        b24_view_node(view, child, below);

        if (child->next) {
            b24_buf_addc(view->out, ',');
        }
    }

    b24_buf_addc(view->out, close);
}


/* members 0, 1, ... of what brackets made: PHP's list */

static int
b24_view_list(const b24_node_t *node)
{
    size_t             n, i, at;
    const b24_node_t  *child;

    if (node->type == B24_ARRAY) {
        return 1;
    }

    for (child = node->first, n = 0; child; child = child->next, n++) {

        for (i = 0, at = 0; i < child->key.len; i++) {

            if (!b24_isdigit(child->key.data[i]) || i > 8) {
                return 0;
            }

            at = at * 10 + (child->key.data[i] - '0');
        }

        if (i == 0 || at != n) {
            return 0;
        }
    }

    return n != 0;
}


/* what a name does not tell is as what it belongs to: "select[0]" */

static b24_show_e
b24_view_show(const b24_str_t *name, b24_show_e show)
{
    size_t     i;
    b24_str_t  s;

    if (show == B24_SHOW_ALL) {
        return show;
    }

    s = *name;

    /* operators of a filter */

    while (s.len && !b24_mask_letter(s.data[0])) {
        s.data++;
        s.len--;
    }

    for (i = 0; i < sizeof(b24_shown) / sizeof(b24_shown[0]); i++) {

        if (b24_view_named(&s, b24_shown[i].name)) {
            return b24_shown[i].show;
        }
    }

    return B24_SHOW_SHAPE;
}


static int
b24_view_named(const b24_str_t *name, const char *shown)
{
    size_t  i;

    for (i = 0; i < name->len; i++) {

        if (name->data[i] == '_') {
            continue;
        }

        if (b24_tolower(name->data[i]) != (u_char) *shown) {
            return 0;
        }

        shown++;
    }

    return *shown == '\0';
}


static void
b24_view_scalar(b24_view_t *view, const b24_node_t *node, b24_show_e show)
{
    b24_buf_t             buf;
    b24_str_t             text;
    const b24_preview_t  *p;

    p = view->preview;

    if (node->type != B24_STRING && node->type != B24_NUMBER) {
        (void) b24_node_print(node, view->out);
        return;
    }

    if (show == B24_SHOW_TITLE) {
        show = view->firm ? B24_SHOW_SHAPE : B24_SHOW_TEXT;
    }

    if (show == B24_SHOW_NUMBER) {
        show = b24_str_eq(&node->value, &view->number) ? B24_SHOW_ALL
                                                       : B24_SHOW_SHAPE;
    }

    if (p->reveal || show == B24_SHOW_ALL) {
        (void) b24_node_print(node, view->out);
        return;
    }

    text = node->value;

    if (show == B24_SHOW_TEXT) {
        b24_crm_conceal(view->pool, p->order, &text);
        b24_json_string(view->out, &text);
        return;
    }

    b24_buf_init(&buf, view->pool);
    b24_preview_mask(&buf, &text);

    if (b24_buf_str(&buf, &text) != B24_OK) {
        view->out->failed = 1;
        return;
    }

    b24_json_string(view->out, &text);
}


void
b24_preview_mask(b24_buf_t *out, const b24_str_t *text)
{
    if (!b24_mask_phone(out, text) && !b24_mask_email(out, text)) {
        b24_mask_words(out, text);
    }
}


/* E.164: "+7916*****67" */

static int
b24_mask_phone(b24_buf_t *out, const b24_str_t *text)
{
    size_t  i, head;

    if (text->len < 2 || text->data[0] != '+') {
        return 0;
    }

    for (i = 1; i < text->len; i++) {
        if (!b24_isdigit(text->data[i])) {
            return 0;
        }
    }

    head = text->len > B24_MASK_LONG ? B24_MASK_HEAD : 1;

    for (i = 0; i < text->len; i++) {
        b24_buf_addc(out, (i > head && i + B24_MASK_TAIL < text->len)
                          ? '*' : text->data[i]);
    }

    return 1;
}


/* "i***@m***.example" */

static int
b24_mask_email(b24_buf_t *out, const b24_str_t *text)
{
    ssize_t    at;
    size_t     i, last;
    b24_str_t  part;

    at = b24_str_find(text, 0, "@");

    if (at <= 0 || (size_t) at + 1 == text->len) {
        return 0;
    }

    last = text->len;

    for (i = 0; i < text->len; i++) {

        if (b24_isspace(text->data[i])) {
            return 0;
        }

        if (text->data[i] == '.' && i > (size_t) at) {
            last = i;
        }
    }

    part.data = text->data;
    part.len = last;
    b24_mask_words(out, &part);

    b24_buf_add(out, text->data + last, text->len - last);

    return 1;
}


/* the first letter of a longer word; what stands between words */

static void
b24_mask_words(b24_buf_t *out, const b24_str_t *text)
{
    size_t  i, j, len, chars;

    for (i = 0; i < text->len; /* void */ ) {

        if (!b24_mask_letter(text->data[i])) {
            b24_buf_addc(out, text->data[i++]);
            continue;
        }

        for (j = i, chars = 0;
             j < text->len && b24_mask_letter(text->data[j]);
             j += b24_mask_char(text, j))
        {
            chars++;
        }

        if (chars > 2 && !b24_isdigit(text->data[i])) {
            len = b24_mask_char(text, i);
            b24_buf_add(out, text->data + i, len);
            chars--;
        }

        while (chars--) {
            b24_buf_addc(out, '*');
        }

        i = j;
    }
}


/* bytes of the character that begins there */

static size_t
b24_mask_char(const b24_str_t *text, size_t at)
{
    size_t  len;

    len = 1;

    if (text->data[at] >= 0xc0) {
        while (at + len < text->len
               && (text->data[at + len] & 0xc0) == 0x80)
        {
            len++;
        }
    }

    return len;
}


static int
b24_mask_letter(u_char c)
{
    return b24_isdigit(c) || c >= 0x80
           || (b24_tolower(c) >= 'a' && b24_tolower(c) <= 'z');
}
