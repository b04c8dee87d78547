
#include "b24_tree.h"


typedef enum {
    B24_TYPE_JSON = 0,
    B24_TYPE_FORM,
    B24_TYPE_MULTIPART,
    B24_TYPE_OTHER
} b24_body_type_e;


static b24_body_type_e b24_body_type(const b24_str_t *content_type);


int
b24_body_parse(b24_pool_t *pool, const b24_str_t *content_type,
    const b24_str_t *body, b24_node_t **root)
{
    int        rc;
    unsigned   json;
    b24_str_t  text;

    if (body->len == 0) {
        *root = b24_node_new(pool, B24_OBJECT);
        return *root ? B24_OK : B24_ERROR;
    }

    text = *body;

    if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0) {
        text.data += 3;
        text.len -= 3;
    }

    b24_str_trim(&text);

    json = text.len && (text.data[0] == '{' || text.data[0] == '[');

    switch (b24_body_type(content_type)) {

    case B24_TYPE_JSON:
        return b24_json_parse(pool, body, 0, root);

    case B24_TYPE_MULTIPART:
        return b24_multipart_parse(pool, content_type, body, root);

    case B24_TYPE_FORM:

        /*
         * Scripts that send JSON without saying so get this type by default;
         * a form written by a browser never begins with a bare "{".
         */

        if (json && text.data[0] == '{') {
            rc = b24_json_parse(pool, body, 0, root);

            if (rc != B24_DECLINED) {
                return rc;
            }
        }

        return b24_form_parse(pool, body, root);

    default:
        return json ? b24_json_parse(pool, body, 0, root)
                    : b24_form_parse(pool, body, root);
    }
}


static b24_body_type_e
b24_body_type(const b24_str_t *content_type)
{
    b24_str_t  type;

    b24_header_value(content_type, &type);

    if (b24_str_caseeqs(&type, "application/json")
        || b24_str_caseeqs(&type, "text/json"))
    {
        return B24_TYPE_JSON;
    }

    if (b24_str_caseeqs(&type, "application/x-www-form-urlencoded")) {
        return B24_TYPE_FORM;
    }

    if (b24_str_caseeqs(&type, "multipart/form-data")) {
        return B24_TYPE_MULTIPART;
    }

    /* RFC 6839: application/vnd.shop.order+json */

    if (type.len > 5) {
        type.data += type.len - 5;
        type.len = 5;

        if (b24_str_caseeqs(&type, "+json")) {
            return B24_TYPE_JSON;
        }
    }

    return B24_TYPE_OTHER;
}
