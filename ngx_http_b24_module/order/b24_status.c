
/*
 * Blocks "status": what an exchange says of orders that are there already, and
 * which stage of the deal that means.
 */


#include "b24_rules_int.h"
#include "b24_text.h"


#define B24_STATUS_TARGETS  1000    /* orders of one exchange */


/* places of one thing in an exchange */
typedef struct {
    b24_str_t  *texts;          /* an empty one is a gap in its list */
    size_t      n;
    size_t      over;           /* too many */
} b24_places_t;


static b24_is_e b24_status_places(b24_eval_t *ev, const b24_rule_t *rule,
    int field, b24_clean_t *clean, b24_places_t *places);
static int b24_status_place(b24_clean_t *clean, int field,
    const b24_str_t *text, b24_places_t *places);
static int b24_status_targets(b24_pool_t *pool, const b24_places_t *ids,
    const b24_places_t *rows, b24_event_t *event);
static size_t b24_stage_line(const b24_pair_t *stages, const b24_str_t *name,
    const b24_pair_t **line);


/*
 * Both sides of the exchange at once: nothing of it has to be written down
 * before the shop has answered, since a change that is lost comes again with
 * the next look into the database, and without one nothing was promised.
 */

int
b24_judge_status(b24_pool_t *pool, const b24_rule_t *rule,
    const b24_input_t *in, b24_event_t *event)
{
    int           field, rc;
    b24_is_e      is, all;
    b24_why_e     why;
    b24_eval_t    ev;
    b24_clean_t   clean;
    b24_result_t  res;
    b24_places_t  ids, rows;

    memset(&clean, 0, sizeof(b24_clean_t));

    b24_eval_init(&ev, pool, in, 0);
    ev.whole = 1;

    clean.pool = pool;
    clean.order = event->order;
    clean.charset = ev.charset;

    all = b24_judge_accept(&ev, rule, &why);

    if (all == B24_IS_ERROR) {
        return B24_ERROR;
    }

    if (all == B24_IS_EMPTY) {
        event->outcome = B24_OUTCOME_REJECTED;
        return B24_OK;
    }

    for (field = B24_ORDER_STATUS;
         all == B24_IS_SET && field < B24_ORDER_NFIELDS;
         field++)
    {
        is = b24_eval_line(&ev, &rule->fields[field], NULL, &res);

        if (is == B24_IS_SET) {
            rc = b24_clean_field(&clean, field, &res.text);
            if (rc != B24_OK) {
                return rc;
            }

            event->order->fields[field] = res.text;

        } else if (is != B24_IS_EMPTY) {
            all = is;
        }
    }

    if (all == B24_IS_SET) {
        all = b24_status_places(&ev, rule, B24_ORDER_ID, &clean, &ids);
    }

    if (all == B24_IS_SET) {
        all = b24_status_places(&ev, rule, B24_ORDER_ROW, &clean, &rows);
    }

    if (all == B24_IS_ERROR) {
        return B24_ERROR;
    }

    if (all != B24_IS_SET) {
        event->outcome = B24_OUTCOME_UNCONFIRMED;
        b24_why_words(why != B24_WHY_NONE ? why : ev.why, &event->cause,
                      &event->advice);
        return B24_OK;
    }

    return b24_status_targets(pool, &ids, &rows, event);
}


/*
 * One text, the elements of an array, or the names of an object's members that
 * are objects themselves ("FIELDS[57][CANCELED]=Y").  SET also when there is
 * none.
 */

static b24_is_e
b24_status_places(b24_eval_t *ev, const b24_rule_t *rule, int field,
    b24_clean_t *clean, b24_places_t *places)
{
    b24_is_e           is;
    b24_str_t          text;
    b24_result_t       res;
    const b24_node_t  *node, *child;

    static const b24_str_t  gap = b24_null_string;

    memset(places, 0, sizeof(b24_places_t));

    is = b24_eval_line(ev, &rule->fields[field], NULL, &res);

    if (is != B24_IS_SET) {
        return is == B24_IS_EMPTY ? B24_IS_SET : is;
    }

    node = res.node;

    if (node == NULL
        || (node->type != B24_ARRAY && node->type != B24_OBJECT))
    {
        return b24_status_place(clean, field, &res.text, places) == B24_OK
               ? B24_IS_SET : B24_IS_ERROR;
    }

    for (child = node->first; child; child = child->next) {

        if (child->type == B24_ARRAY || child->type == B24_OBJECT) {
            text = child->key;

        } else if (b24_node_empty(child)
                   || b24_node_text(child, &text) != B24_OK)
        {
            text = gap;
        }

        if (b24_status_place(clean, field, &text, places) != B24_OK) {
            return B24_IS_ERROR;
        }
    }

    return B24_IS_SET;
}


static int
b24_status_place(b24_clean_t *clean, int field, const b24_str_t *text,
    b24_places_t *places)
{
    b24_str_t  s;

    if (places->texts == NULL) {
        places->texts = b24_palloc(clean->pool,
                                   B24_STATUS_TARGETS * sizeof(b24_str_t));
        if (places->texts == NULL) {
            return B24_ERROR;
        }
    }

    /* what is in a list has its bytes as they came */

    if (b24_text_utf8(clean->pool, text, &clean->charset, &s) != B24_OK
        || b24_clean_field(clean, field, &s) != B24_OK)
    {
        return B24_ERROR;
    }

    if (s.len > B24_RULES_ID) {
        s.len = 0;
    }

    if (places->n < B24_STATUS_TARGETS) {
        places->texts[places->n++] = s;

    } else if (s.len) {
        places->over++;
    }

    return B24_OK;
}


/* numbers and rows at the same places of their lists belong together */

static int
b24_status_targets(b24_pool_t *pool, const b24_places_t *ids,
    const b24_places_t *rows, b24_event_t *event)
{
    size_t       i;
    b24_str_t    id, row;
    b24_pair_t  *pair, **last;

    static const b24_str_t  none = b24_null_string;

    last = &event->targets;
    event->over = ids->over > rows->over ? ids->over : rows->over;

    for (i = 0; i < ids->n || i < rows->n; i++) {
        id = i < ids->n ? ids->texts[i] : none;
        row = i < rows->n ? rows->texts[i] : none;

        if (id.len == 0 && row.len == 0) {
            continue;
        }

        pair = b24_pcalloc(pool, sizeof(b24_pair_t));
        if (pair == NULL) {
            return B24_ERROR;
        }

        pair->name = id;
        pair->value = row;

        *last = pair;
        last = &pair->next;
    }

    if (event->targets) {
        event->order->fields[B24_ORDER_ID] = event->targets->name;
        event->order->fields[B24_ORDER_ROW] = event->targets->value;
    }

    return B24_OK;
}


/* ---- stages ---- */

const b24_pair_t *
b24_order_stage(const b24_order_t *order, const b24_pair_t *stages,
    const b24_str_t *usual)
{
    int                i;
    size_t             n, furthest;
    b24_str_t          names[3];
    const b24_str_t   *f;
    const b24_pair_t  *line, *found;

    f = order->fields;
    furthest = 0;
    found = NULL;

    if (b24_str_eqs(&f[B24_ORDER_CANCELED], "Y")) {
        names[0] = (b24_str_t) b24_string("CANCELED");

        if (b24_stage_line(stages, &names[0], &line)) {
            return line;
        }
    }

    memset(names, 0, sizeof(names));

    names[0] = f[B24_ORDER_STATUS].len ? f[B24_ORDER_STATUS] : *usual;

    if (b24_str_eqs(&f[B24_ORDER_PAID], "Y")) {
        names[1] = (b24_str_t) b24_string("PAID");
    }

    if (b24_str_eqs(&f[B24_ORDER_SHIPPED], "Y")) {
        names[2] = (b24_str_t) b24_string("SHIPPED");
    }

    for (i = 0; i < 3; i++) {
        n = names[i].len ? b24_stage_line(stages, &names[i], &line) : 0;

        if (n > furthest) {
            furthest = n;
            found = line;
        }
    }

    return found;
}


const b24_str_t *
b24_order_status_of(const b24_pair_t *back, const b24_pair_t *stages,
    const b24_str_t *stage)
{
    const b24_pair_t  *line;

    line = b24_pair_get(back, stage);

    if (line) {
        return &line->value;
    }

    for (line = stages; line; line = line->next) {

        if (b24_str_eq(&line->value, stage)) {
            return &line->name;
        }
    }

    return NULL;
}


/* its number in the table, from 1; 0: there is no such line */

static size_t
b24_stage_line(const b24_pair_t *stages, const b24_str_t *name,
    const b24_pair_t **line)
{
    size_t  n;

    for (n = 1; stages; stages = stages->next, n++) {

        if (b24_str_eq(&stages->name, name)) {
            *line = stages;
            return n;
        }
    }

    return 0;
}
