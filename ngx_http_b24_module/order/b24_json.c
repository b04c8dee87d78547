
/* JSON: the text of it among other output, and its tree by cJSON. */


#include "b24_json_int.h"

#include <stdlib.h>
#include <cjson/cJSON.h>


/* members of an object that are found without an index */
#define B24_JSON_FEW     16

/* what the lexer adds to a value at most: two quotes and the letter */
#define B24_JSON_EXTRA   3

/* a copy up to here is no matter for malloc() */
#define B24_JSON_SMALL   512


/* values among other output: where they begin, NULL if there is none */
typedef struct {
    const u_char  *first;           /* of the text */
    const u_char  *last;
    const u_char  *empty;
    const u_char  *object;
    const u_char  *array;
    size_t         objects;
    size_t         arrays;
    int            broken;          /* brackets came that were no JSON */
} b24_json_found_t;


typedef struct {
    b24_node_t    *nodes;
    size_t         nnodes;
    u_char        *text;
    b24_index_t    index;
    uint32_t       owners;
} b24_json_builder_t;


static int b24_json_search(b24_json_lexer_t *lx, u_char *copy);
static const u_char *b24_json_choose(const b24_json_found_t *found);
static void b24_json_found(b24_json_found_t *found, const u_char *start,
    int end, size_t nodes);
static int b24_json_find(b24_json_lexer_t *lx);
static void b24_json_at(b24_json_lexer_t *lx, const u_char *start,
    u_char *copy);
static int b24_json_last(b24_json_lexer_t *lx);
static int b24_json_build(b24_pool_t *pool, const b24_json_lexer_t *lx,
    const u_char *text, b24_node_t **root);
static int b24_json_fill(b24_json_builder_t *jb, const cJSON *item,
    b24_node_t *node);
static int b24_json_members(b24_json_builder_t *jb, const cJSON *item,
    b24_node_t *node);
static int b24_json_place(b24_json_builder_t *jb, b24_node_t *node,
    uint32_t owner, const b24_str_t *key, b24_node_t **child,
    b24_node_t ***slot);
static void b24_json_copy(b24_json_builder_t *jb, const char *text,
    b24_str_t *dst);


int
b24_json_parse(b24_pool_t *pool, const b24_str_t *text, int junk,
    b24_node_t **root)
{
    int                rc;
    u_char            *copy, small[B24_JSON_SMALL];
    size_t             size, extra;
    b24_json_lexer_t   lx;

    lx.p = text->data;
    lx.end = lx.p + text->len;

    if (text->len >= 3 && memcmp(lx.p, "\xef\xbb\xbf", 3) == 0) {
        lx.p += 3;
    }

    b24_json_blanks(&lx);

    if (lx.p == lx.end) {
        return B24_DECLINED;
    }

    /* there are no more values than bytes, nor more than we allow */

    extra = (size_t) (lx.end - lx.p);
    extra = (extra < B24_NODE_MAX) ? extra : B24_NODE_MAX;

    size = (size_t) (lx.end - lx.p) + extra * B24_JSON_EXTRA + 1;

    copy = (size <= B24_JSON_SMALL) ? small : malloc(size);
    if (copy == NULL) {
        return B24_ERROR;
    }

    if (junk) {
        rc = b24_json_search(&lx, copy);

    } else {
        b24_json_at(&lx, lx.p, copy);
        rc = b24_json_lex(&lx);

        if (rc == B24_OK) {
            rc = b24_json_last(&lx);
        }
    }

    if (rc == B24_OK) {
        *lx.out = '\0';
        rc = b24_json_build(pool, &lx, copy, root);
    }

    if (copy != small) {
        free(copy);
    }

    return rc;
}


/*
 * PHP writes its notices, and what somebody has print_r() write, around the
 * answer, with brackets of their own: "mail() [function.mail]", "[0] => 1",
 * "array(0) { }".  What the text begins or ends with is the answer.  When it
 * begins with one value and ends with another, neither is believed.
 */

static int
b24_json_search(b24_json_lexer_t *lx, u_char *copy)
{
    int                end;
    const u_char      *begin, *start;
    b24_json_found_t   found;

    memset(&found, 0, sizeof(b24_json_found_t));

    begin = lx->p;

    while (b24_json_find(lx)) {
        start = lx->p;

        b24_json_at(lx, start, copy);

        if (b24_json_lex(lx) != B24_OK) {

            if (lx->nodes > B24_NODE_MAX || lx->depth == B24_NODE_DEPTH) {

                /* it may be the answer, which is too large then */

                if (found.first == NULL) {
                    return B24_DECLINED;
                }

                break;
            }

            found.broken = 1;
            continue;
        }

        end = b24_json_last(lx) == B24_OK;

        if (end && start == begin) {
            return B24_OK;
        }

        if (start == begin && lx->nodes > 1) {
            found.first = start;

        } else {
            b24_json_found(&found, start, end, lx->nodes);
        }
    }

    start = b24_json_choose(&found);

    if (start == NULL) {
        return B24_DECLINED;
    }

    b24_json_at(lx, start, copy);

    return b24_json_lex(lx);
}


/* NULL: none, or it can't be told which */

static const u_char *
b24_json_choose(const b24_json_found_t *found)
{
    if (found->first && found->last) {
        return NULL;
    }

    if (found->first) {
        return found->first;
    }

    if (found->last) {
        return found->last;
    }

    if (found->objects) {
        return found->objects == 1 ? found->object : NULL;
    }

    if (found->arrays) {
        return found->arrays == 1 ? found->array : NULL;
    }

    return found->empty;
}


/* behind the place where a bracket proved to be no JSON only what the text ends
 * with is believed: the others may be parts of a broken value */

static void
b24_json_found(b24_json_found_t *found, const u_char *start, int end,
    size_t nodes)
{
    if (found->broken && !end) {
        return;
    }

    if (nodes == 1) {
        found->empty = found->empty ? found->empty : start;

    } else if (end) {
        found->last = start;

    } else if (*start == '{') {
        found->object = start;
        found->objects++;

    } else {
        found->array = start;
        found->arrays++;
    }
}


/* goes to the next "{" or "["; 0: there is none */

static int
b24_json_find(b24_json_lexer_t *lx)
{
    while (lx->p < lx->end && *lx->p != '{' && *lx->p != '[') {
        lx->p++;
    }

    return lx->p < lx->end;
}


/* forgets what was read */

static void
b24_json_at(b24_json_lexer_t *lx, const u_char *start, u_char *copy)
{
    lx->p = start;
    lx->out = copy;
    lx->nodes = 0;
    lx->bytes = 0;
    lx->depth = 0;
}


/* only blanks follow */

static int
b24_json_last(b24_json_lexer_t *lx)
{
    b24_json_blanks(lx);

    return lx->p == lx->end ? B24_OK : B24_DECLINED;
}


/*
 * The tree's memory is taken first: what doesn't fit into the pool never gets
 * to cJSON, whose items come from malloc().
 */

static int
b24_json_build(b24_pool_t *pool, const b24_json_lexer_t *lx,
    const u_char *text, b24_node_t **root)
{
    int                  rc;
    cJSON               *json;
    b24_node_t          *top;
    b24_json_builder_t   jb;

    jb.owners = 0;
    jb.nnodes = lx->nodes;

    jb.nodes = b24_pcalloc(pool, lx->nodes * sizeof(b24_node_t));
    if (jb.nodes == NULL) {
        return B24_ERROR;
    }

    jb.text = b24_pnalloc(pool, lx->bytes + 1);
    if (jb.text == NULL) {
        return B24_ERROR;
    }

    /*
     * cJSON writes the place of its error to a global that nobody reads here,
     * so that threads don't disturb each other.  The text is known to be good:
     * NULL can only mean that memory is out.
     */

    json = cJSON_ParseWithLengthOpts((const char *) text,
                                     (size_t) (lx->out - text) + 1, NULL, 1);
    if (json == NULL) {
        return B24_ERROR;
    }

    b24_index_init(&jb.index);

    top = jb.nodes++;
    jb.nnodes--;

    rc = b24_json_fill(&jb, json, top);

    if (rc == B24_OK) {
        *root = top;
    }

    b24_index_done(&jb.index);
    cJSON_Delete(json);

    return rc;
}


static int
b24_json_fill(b24_json_builder_t *jb, const cJSON *item, b24_node_t *node)
{
    b24_str_t  none = b24_null_string;

    /* the node may have had another value: an equal name came before */

    node->value = none;
    node->first = NULL;
    node->last = NULL;
    node->count = 0;

    if (cJSON_IsString(item)) {
        node->type = (item->valuestring[0] == B24_JSON_NUMBER)
                     ? B24_NUMBER : B24_STRING;
        b24_json_copy(jb, item->valuestring + 1, &node->value);
        return B24_OK;
    }

    if (cJSON_IsObject(item) || cJSON_IsArray(item)) {
        node->type = cJSON_IsObject(item) ? B24_OBJECT : B24_ARRAY;
        return b24_json_members(jb, item, node);
    }

    node->type = cJSON_IsTrue(item) ? B24_TRUE
                                    : cJSON_IsFalse(item) ? B24_FALSE
                                                          : B24_NULL;

    return B24_OK;
}


static int
b24_json_members(b24_json_builder_t *jb, const cJSON *item, b24_node_t *node)
{
    uint32_t       owner;
    b24_str_t      key;
    b24_node_t    *child, **slot;
    const cJSON   *next;

    owner = jb->owners++;

    for (next = item->child; next; next = next->next) {

        slot = NULL;
        child = NULL;

        if (node->type == B24_OBJECT) {
            key.data = (u_char *) next->string;
            key.len = strlen(next->string);

            if (b24_json_place(jb, node, owner, &key, &child, &slot)
                != B24_OK)
            {
                return B24_ERROR;
            }
        }

        if (child == NULL) {

            if (jb->nnodes == 0) {
                return B24_ERROR;
            }

            child = jb->nodes++;
            jb->nnodes--;

            if (node->type == B24_OBJECT) {
                b24_json_copy(jb, next->string, &child->key);
            }

            if (slot) {
                *slot = child;
            }

            b24_node_append(node, child);
        }

        if (b24_json_fill(jb, next, child) != B24_OK) {
            return B24_ERROR;
        }
    }

    return B24_OK;
}


/*
 * A member of that name, if there is one.  Most objects have a few members,
 * which are looked at one by one; those of the others are in the index, and
 * there is the new one's place.
 */

static int
b24_json_place(b24_json_builder_t *jb, b24_node_t *node, uint32_t owner,
    const b24_str_t *key, b24_node_t **child, b24_node_t ***slot)
{
    b24_node_t  *member;

    if (node->count <= B24_JSON_FEW) {
        *child = b24_node_get(node, key);

        if (*child || node->count < B24_JSON_FEW) {
            return B24_OK;
        }

        for (member = node->first; member; member = member->next) {
            *slot = b24_index_slot(&jb->index, owner, &member->key);
            if (*slot == NULL) {
                return B24_ERROR;
            }

            **slot = member;
        }
    }

    *slot = b24_index_slot(&jb->index, owner, key);
    if (*slot == NULL) {
        return B24_ERROR;
    }

    *child = **slot;

    return B24_OK;
}


static void
b24_json_copy(b24_json_builder_t *jb, const char *text, b24_str_t *dst)
{
    dst->len = strlen(text);
    dst->data = jb->text;

    memcpy(dst->data, text, dst->len);
    jb->text += dst->len;
}
