
/*
 * What "./build.sh replay" asks the rules themselves, so that nothing of their
 * language is written twice.
 *
 *   explain queue FILE     the records of a queue: a line of JSON for each
 *   explain learned FILE ORIGIN NAME ...   what its learn lines have given
 *   explain probe < ASKED  small shops made of single lines, see below
 *
 * ASKED is a row of netstrings ("5:hello,"), each of them a word:
 *
 *   exchange METHOD TARGET TYPE BODY STATUS ANSWER-TYPE ENCODING ANSWER
 *   header NAME VALUE      of the answer
 *   var NAME VALUE         a variable of nginx
 *   learned NAME VALUE
 *   line N WORD ...        of the shop "p"
 *   open N WORD ...        the same, with a block
 *   close
 *   probe                  the shop is complete: what does it make of it?
 *
 * To each probe a line of JSON: {"held":"accepted","cause":"...","order":{...}}
 * where "held" is wrong (with the compiler's words), no (it isn't for the
 * request), rejected, accepted or unconfirmed.
 */


#include <stdio.h>
#include <stdlib.h>

#include "b24_queue.h"
#include "b24_rules.h"
#include "b24_text.h"


#define WORDS    1024
#define ANSWER   (1 << 22)
#define RECORDS  1000


typedef struct {
    b24_pool_t    *pool;            /* of the exchange */
    b24_input_t    in;
    b24_pair_t    *headers;
    b24_pair_t    *vars;
    b24_pair_t    *learned;
    b24_pool_t    *shop_pool;       /* of the shop that is being made */
    b24_rules_t   *rules;
    int            rc;              /* of its lines */
} ask_t;


static b24_str_t  input;


static void
die(const char *why)
{
    (void) fprintf(stderr, "explain: %s\n", why);
    exit(1);
}


static void
put_json(b24_buf_t *out)
{
    b24_str_t  s;

    if (b24_buf_str(out, &s) != B24_OK) {
        die("out of memory");
    }

    (void) fwrite(s.data, 1, s.len, stdout);
    (void) fputc('\n', stdout);
}


static void
member(b24_buf_t *out, const char *name, const b24_str_t *value)
{
    b24_buf_adds(out, ",\"");
    b24_buf_adds(out, name);
    b24_buf_adds(out, "\":");
    b24_json_string(out, value);
}


/* ---- the queue ---- */

static void
records(const char *path)
{
    char                 err[256];
    size_t               i, n, m;
    b24_buf_t            out;
    b24_str_t            key;
    b24_pool_t          *pool;
    b24_queue_t         *q;
    b24_queue_record_t  *list, *r;

    pool = b24_pool_create(0);

    if (b24_queue_open(&q, path, err, sizeof(err)) != B24_QUEUE_OK
        || b24_queue_list(q, pool, NULL, 0, B24_NSTATES, RECORDS, &list, &n)
           != B24_QUEUE_OK)
    {
        die("the queue can't be read");
    }

    for (i = n; i-- > 0; /* void */ ) {
        key.data = (u_char *) list[i].key;
        key.len = strlen(list[i].key);

        if (b24_queue_get(q, pool, &key, NULL, NULL, &r, &m) != B24_QUEUE_OK) {
            continue;
        }

        b24_buf_init(&out, pool);
        b24_buf_adds(&out, "{\"state\":\"");
        b24_buf_adds(&out, b24_state_name(r->state));
        b24_buf_adds(&out, "\"");
        member(&out, "key", &key);
        member(&out, "rule", &r->rule);
        member(&out, "cause", &r->cause);
        member(&out, "advice", &r->advice);
        b24_buf_adds(&out, ",\"order\":");
        b24_buf_adds(&out, r->data.len ? "" : "null");
        b24_buf_addstr(&out, &r->data);
        b24_buf_addc(&out, '}');
        put_json(&out);
    }

    b24_queue_close(q);
    b24_pool_destroy(pool);
}


static void
learned(const char *path, const char *whose, char **names, int n)
{
    int           i;
    char          err[256];
    size_t        j, m;
    b24_buf_t     out;
    b24_str_t     name, origin, values[B24_QUEUE_LEARNED];
    b24_pool_t   *pool;
    b24_queue_t  *q;

    pool = b24_pool_create(0);

    if (b24_queue_open(&q, path, err, sizeof(err)) != B24_QUEUE_OK) {
        die("the queue can't be read");
    }

    origin.data = (u_char *) whose;
    origin.len = strlen(whose);

    for (i = 0; i < n; i++) {
        name.data = (u_char *) names[i];
        name.len = strlen(names[i]);

        if (b24_queue_learned(q, pool, &origin, &name, values, &m)
            != B24_QUEUE_OK)
        {
            die("the queue can't be read");
        }

        for (j = 0; j < m; j++) {
            b24_buf_init(&out, pool);
            b24_buf_adds(&out, "{\"name\":");
            b24_json_string(&out, &name);
            member(&out, "value", &values[j]);
            b24_buf_addc(&out, '}');
            put_json(&out);
        }
    }

    b24_queue_close(q);
    b24_pool_destroy(pool);
}


/* ---- words ---- */

static void
slurp(void)
{
    size_t  size = 0, got;

    do {
        if (size - input.len < 65536) {
            size = 2 * size + 131072;
            input.data = realloc(input.data, size);

            if (input.data == NULL) {
                die("out of memory");
            }
        }

        got = fread(input.data + input.len, 1, size - input.len, stdin);
        input.len += got;
    } while (got);
}


static int
word(b24_str_t *s)
{
    size_t  len = 0;

    if (input.len == 0) {
        return 0;
    }

    while (input.len && b24_isdigit(*input.data) && len < (1 << 28)) {
        len = len * 10 + (*input.data - '0');
        input.data++;
        input.len--;
    }

    if (input.len < len + 2 || *input.data != ':'
        || input.data[len + 1] != ',')
    {
        die("no netstring");
    }

    s->data = input.data + 1;
    s->len = len;
    input.data += len + 2;
    input.len -= len + 2;

    return 1;
}


static b24_str_t
next(void)
{
    b24_str_t  s;

    if (!word(&s)) {
        die("a word is missing");
    }

    return s;
}


static size_t
words(b24_str_t *args)
{
    size_t     i, n;
    b24_str_t  s;

    s = next();

    for (i = 0, n = 0; i < s.len && n < WORDS; i++) {
        n = n * 10 + (s.data[i] - '0');
    }

    if (n == 0 || n > WORDS) {
        die("too many words");
    }

    for (i = 0; i < n; i++) {
        args[i] = next();
    }

    return n;
}


/* ---- an exchange ---- */

static const b24_pair_t *
nth(const b24_pair_t *list, const b24_str_t *name, size_t n)
{
    for ( /* void */ ; list; list = list->next) {
        if (b24_str_eq(&list->name, name) && n-- == 0) {
            return list;
        }
    }

    return NULL;
}


static int
ask_learned(void *data, const b24_str_t *name, size_t n, b24_str_t *value)
{
    ask_t             *ask = data;
    const b24_pair_t  *pair;

    pair = nth(ask->learned, name, n);

    if (pair) {
        *value = pair->value;
    }

    return pair != NULL;
}


/* those that are not known are empty, as nginx has it for $cookie_NONE */
static int
ask_var(void *data, size_t n, b24_str_t *value)
{
    size_t             pos, from;
    ask_t             *ask = data;
    b24_buf_t          out;
    b24_str_t          name;
    const b24_str_t   *text;
    const b24_pair_t  *pair;

    text = b24_rules_var(ask->rules, n);

    b24_buf_init(&out, ask->shop_pool);

    for (pos = 0, from = 0; b24_template_next(text, &pos, &name); from = pos) {
        size_t  at = (size_t) (name.data - text->data);

        at -= (at >= 2 && text->data[at - 1] == '{') ? 2 : 1;

        b24_buf_add(&out, text->data + from, at - from);

        pair = nth(ask->vars, &name, 0);

        if (pair) {
            b24_buf_addstr(&out, &pair->value);
        }
    }

    b24_buf_add(&out, text->data + from, text->len - from);

    if (b24_buf_str(&out, value) != B24_OK) {
        return B24_ERROR;
    }

    return value->len ? B24_OK : B24_DECLINED;
}


static void
exchange(ask_t *ask)
{
    b24_str_t     target, status;
    b24_input_t  *in;

    if (ask->pool) {
        b24_pool_destroy(ask->pool);
    }

    memset(ask, 0, sizeof(ask_t));

    ask->pool = b24_pool_create(0);
    in = &ask->in;

    in->method = next();
    target = next();
    in->content_type = next();
    in->body = next();
    status = next();
    in->answer_type = next();
    in->answer_encoding = next();
    in->answer = next();

    in->body_state = in->body.len ? B24_BODY_FULL : B24_BODY_NONE;
    in->answer_state = in->answer.len ? B24_BODY_FULL : B24_BODY_NONE;
    in->answer_max = ANSWER;
    in->status = status.len == 3 ? (unsigned) atoi((char *) status.data) : 0;
    in->learned = ask_learned;
    in->learned_data = ask;
    in->var = ask_var;
    in->data = ask;

    if (b24_text_target(ask->pool, &target, &in->path, &in->args) != B24_OK) {
        die("no path");
    }
}


static void
pair(ask_t *ask, b24_pair_t **list)
{
    b24_pair_t  *p;

    p = b24_pcalloc(ask->pool, sizeof(b24_pair_t));

    if (p == NULL) {
        die("out of memory");
    }

    p->name = next();
    p->value = next();

    while (*list) {
        list = &(*list)->next;
    }

    *list = p;
}


/* ---- a probe ---- */

static void
begin(ask_t *ask)
{
    b24_str_t  name = b24_string("p");

    if (ask->rules) {
        return;
    }

    ask->shop_pool = b24_pool_create(0);
    ask->rules = b24_rules_create(ask->shop_pool);
    ask->rc = b24_rules_shop(ask->rules, &name, 1);
}


static void
line(ask_t *ask, int open)
{
    size_t            n;
    static b24_str_t  args[WORDS];

    n = words(args);

    begin(ask);

    if (ask->rc == B24_OK) {
        ask->rc = open ? b24_rules_open(ask->rules, args, n)
                       : b24_rules_line(ask->rules, args, n);
    }
}


static const char *
held(ask_t *ask, const b24_shop_t *shop, b24_event_t *event)
{
    uint64_t        set;
    b24_partial_t  *partial;

    static const char  *names[] = { "accepted", "rejected", "unconfirmed" };

    ask->in.headers = ask->headers;

    set = b24_shop_candidates(ask->shop_pool, shop, &ask->in);

    if (set == 0
        || b24_extract_request(ask->shop_pool, shop, set, &ask->in, &partial)
           != B24_OK
        || b24_extract_answer(ask->shop_pool, shop, partial, &ask->in, event)
           != B24_OK)
    {
        return "no";
    }

    return names[event->outcome];
}


static void
probe(ask_t *ask)
{
    b24_buf_t          out;
    b24_str_t          name = b24_string("p"), s;
    const char        *what;
    b24_event_t        event;

    begin(ask);

    if (ask->rc == B24_OK) {
        ask->rc = b24_rules_close(ask->rules);
    }

    memset(&event, 0, sizeof(b24_event_t));
    b24_buf_init(&out, ask->shop_pool);

    if (ask->rc == B24_OK) {
        what = held(ask, b24_rules_find(ask->rules, &name), &event);

    } else {
        what = "wrong";
        event.cause.data = (u_char *) b24_rules_error(ask->rules);
        event.cause.len = strlen((char *) event.cause.data);
    }

    b24_buf_adds(&out, "{\"held\":\"");
    b24_buf_adds(&out, what);
    b24_buf_adds(&out, "\"");
    member(&out, "cause", &event.cause);

    if (event.order
        && b24_order_print(ask->shop_pool, event.order, &s) == B24_OK)
    {
        b24_buf_adds(&out, ",\"order\":");
        b24_buf_addstr(&out, &s);
    }

    b24_buf_addc(&out, '}');
    put_json(&out);

    b24_pool_destroy(ask->shop_pool);
    ask->shop_pool = NULL;
    ask->rules = NULL;
}


static void
probes(void)
{
    ask_t      ask;
    b24_str_t  s;

    memset(&ask, 0, sizeof(ask_t));
    slurp();

    while (word(&s)) {

        if (b24_str_eqs(&s, "exchange")) {
            exchange(&ask);

        } else if (ask.pool == NULL) {
            die("no exchange");

        } else if (b24_str_eqs(&s, "header")) {
            pair(&ask, &ask.headers);

        } else if (b24_str_eqs(&s, "var")) {
            pair(&ask, &ask.vars);

        } else if (b24_str_eqs(&s, "learned")) {
            pair(&ask, &ask.learned);

        } else if (b24_str_eqs(&s, "line")) {
            line(&ask, 0);

        } else if (b24_str_eqs(&s, "open")) {
            line(&ask, 1);

        } else if (b24_str_eqs(&s, "close")) {

            if (ask.rc == B24_OK) {
                ask.rc = b24_rules_close(ask.rules);
            }

        } else if (b24_str_eqs(&s, "probe")) {
            probe(&ask);

        } else {
            die("no such word");
        }
    }

    if (ask.pool) {
        b24_pool_destroy(ask.pool);
    }
}


int
main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "queue") == 0) {
        records(argv[2]);

    } else if (argc == 2 && strcmp(argv[1], "probe") == 0) {
        probes();

    } else if (argc > 4 && strcmp(argv[1], "learned") == 0) {
        learned(argv[2], argv[3], argv + 4, argc - 4);

    } else {
        die("usage: explain queue FILE | learned FILE ORIGIN NAME ... | "
            "probe");
    }

    return 0;
}
