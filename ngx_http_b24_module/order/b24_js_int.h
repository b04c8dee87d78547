
/* What the files of JavaScript's literals share. */


#ifndef _B24_JS_INT_H_INCLUDED_
#define _B24_JS_INT_H_INCLUDED_


#include "b24_tree.h"


/*
 * The same code goes over a literal twice: dry, to check and to count, and
 * once more to build, with the memory taken in two pieces.
 */
typedef struct {
    const u_char  *p;
    const u_char  *end;
    size_t         depth;
    size_t         nodes;           /* dry: counted */
    size_t         bytes;
    b24_node_t    *node;            /* building: the next free one */
    u_char        *text;            /* NULL in a dry run */
    b24_index_t    index;
    uint32_t       owners;
} b24_js_t;


int b24_js_string(b24_js_t *js, b24_str_t *value);
int b24_js_number(b24_js_t *js, b24_node_t *node);
int b24_js_word(b24_js_t *js, b24_type_e *type);
void b24_js_name(b24_js_t *js, b24_str_t *name);
int b24_js_blanks(b24_js_t *js);
int b24_js_isname(u_char c);


#endif /* _B24_JS_INT_H_INCLUDED_ */
