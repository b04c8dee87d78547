
/*
 * multipart/form-data: the first line is the Content-Type, then the body.
 * After a byte 1 the input is a plan of both (fuzz.h).
 *
 * At most: 16384
 * Aims at: order/b24_multipart.c
 */


#include "fuzz.h"
#include "b24_node.h"



static const char *const  types[] = {
    "multipart/form-data; boundary=B", "multipart/form-data; boundary=\"B\"",
    "multipart/form-data; charset=windows-1251; boundary=B", "multipart/mixed",
    "multipart/form-data; boundary=", "Multipart/Form-Data;BOUNDARY=B ;x=y"
};

static const char *const  pieces[] = {
    "--B\r\n", "--B", "--B--", "\r\n", "\n", "\r", "--",
    "Content-Disposition: form-data; name=\"a\"\r\n\r\n",
    "Content-Disposition: form-data; name=\"a[b]\"\r\n\r\n",
    "Content-Disposition: form-data; name=\"a[]\"; filename=\"x.png\"\r\n",
    "content-disposition:form-data;name=a\r\n\r\n",
    "Content-Disposition: form-data; name=\"q\\\"q%22\"\r\n\r\n",
    "Content-Disposition: form-data; name*=UTF-8''a%20b\r\n\r\n",
    "Content-Type: text/plain; charset=windows-1251\r\n",
    "Content-Type: image/png\r\n", "Content-Transfer-Encoding: base64\r\n",
    "value", "\xd0\x98", "\xc8\xe2", "B", "\t", " ", ";", "\"", "x: y\r\n", "="
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char      *lf;
    b24_buf_t    buf;
    b24_str_t    type, body;
    b24_node_t  *root;
    b24_pool_t  *pool;

    lf = size ? memchr(data, '\n', size) : NULL;
    if (lf == NULL && (size == 0 || data[0] != 1)) {
        return 0;
    }

    pool = b24_pool_create(1 << 22);

    if (data[0] == 1) {
        fuzz_t  f;

        f.p = data + 1;
        f.end = data + size;
        f.pool = pool;

        type = fuzz_pick(&f, types, sizeof(types) / sizeof(types[0]));
        body = fuzz_pieces(&f, pieces, sizeof(pieces) / sizeof(pieces[0]),
                           255);

    } else {
        type.data = (u_char *) data;
        type.len = (size_t) (lf - data);

        body.data = lf + 1;
        body.len = size - type.len - 1;
    }

    if (b24_multipart_parse(pool, &type, &body, &root) == B24_OK) {

        if (root->type != B24_OBJECT) {
            abort();
        }

        b24_buf_init(&buf, pool);

        if (b24_node_print(root, &buf) == B24_DECLINED) {
            abort();
        }
    }

    (void) b24_body_parse(pool, &type, &body, &root);

    b24_pool_destroy(pool);

    return 0;
}
