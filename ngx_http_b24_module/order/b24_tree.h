
/*
 * What the parsers share; nobody outside of order/ includes this file.
 */


#ifndef _B24_TREE_H_INCLUDED_
#define _B24_TREE_H_INCLUDED_


#include "b24_node.h"


/*
 * Members of all objects of one tree by name, so that the last of equal names
 * is found at once.  The hash is keyed with random bytes: names come from
 * buyers.  The table is malloc()ed and lives only while a tree is built.
 */
typedef struct {
    b24_node_t  *node;
    uint32_t     hash;
    uint32_t     owner;
} b24_slot_t;


typedef struct {
    b24_slot_t  *slots;
    size_t       size;              /* a power of two, or 0 */
    size_t       used;
    uint64_t     seed[2];
} b24_index_t;


void b24_index_init(b24_index_t *index);
void b24_index_done(b24_index_t *index);
/* NULL when the object number owner has no such member */
b24_node_t *b24_index_find(const b24_index_t *index, uint32_t owner,
    const b24_str_t *key);
/*
 * Where the member is kept; when there was none it is NULL and the caller must
 * put a node with this key there at once.  NULL: memory is out.
 */
b24_node_t **b24_index_slot(b24_index_t *index, uint32_t owner,
    const b24_str_t *key);


/* length of the RFC 8259 number at p, 0 when there is none */
size_t b24_json_number(const u_char *p, const u_char *end);


/* fields of a form become a tree: main/php_variables.c of PHP is the model */
typedef struct b24_form_node_s  b24_form_node_t;

typedef struct {
    b24_pool_t       *pool;
    b24_form_node_t  *root;
    b24_index_t       index;
    size_t            fields;
    size_t            nodes;
    uint32_t          objects;
    unsigned          dead:1;
} b24_form_t;


/* b24_form_done() frees the index; it must be called after b24_form_init()
 * whatever that and b24_form_add() returned */
int b24_form_init(b24_form_t *form, b24_pool_t *pool);
/* name is changed and kept, value is kept: both must live as the pool does */
int b24_form_add(b24_form_t *form, b24_str_t *name, const b24_str_t *value);
void b24_form_done(b24_form_t *form, b24_node_t **root);


/*
 * A parameter of a header such as Content-Type, the last of equal names;
 * B24_DECLINED when there is none, B24_ERROR.  Quotes are taken off, "\\" and
 * "\"" inside of them are unescaped.
 */
int b24_header_param(b24_pool_t *pool, const b24_str_t *header,
    const char *name, b24_str_t *value);
/* the part before the first ";", trimmed */
void b24_header_value(const b24_str_t *header, b24_str_t *value);


#endif /* _B24_TREE_H_INCLUDED_ */
