
/*
 * What the portal's answer means.  The JSON key "error" decides, not the HTTP
 * status: a 200 may carry one, a batch is 200 even when all of it failed, and
 * most classic CRM errors have the code "".
 */


#include "b24_batch.h"
#include "b24_text.h"
#include "b24_decimal.h"


#define B24_ANSWER_TEXT       300   /* bytes of a description that are kept */
#define B24_ANSWER_CODE       64
#define B24_ANSWER_DESC       4096  /* bytes of a description looked at */
#define B24_ANSWER_DIGITS     7     /* so many in a row are masked */

/* of "Access denied" as portals in Russian say it: no code tells it apart */
#define B24_DENIED_RU                                                         \
    "\xD0\xBE\xD1\x81\xD1\x82\xD1\x83\xD0\xBF "                               \
    "\xD0\xB7\xD0\xB0\xD0\xBF\xD1\x80\xD0\xB5\xD1\x89"

#define B24_ADVICE_RIGHTS                                                     \
    "Give the webhook's owner the right to read and add contacts, companies"  \
    " and deals."

#define B24_ADVICE_LESS                                                       \
    "Nothing to do: the portal asked for fewer requests."

#define B24_ADVICE_VALUE                                                      \
    "The portal refuses a value of this order; see the text."

#define B24_ADVICE_REPORT                                                     \
    "This is an error of the module; please report it."


typedef struct {
    const char   *code;             /* NULL: whatever the code */
    const char   *words;            /* part of the description, lower case;
                                       NULL: whatever it says */
    b24_class_e   class;
    const char   *advice;
} b24_error_t;


static void b24_verdict_set(b24_verdict_t *v, b24_class_e class,
    const char *code, const char *text, const char *advice);
static void b24_judge_net(b24_verdict_t *v, b24_net_e net);
static void b24_judge_status(b24_verdict_t *v, unsigned http);
static int b24_judge_error(b24_pool_t *pool, const b24_node_t *node,
    unsigned http, b24_verdict_t *v);
static int b24_is_code(const b24_str_t *code);
static void b24_classify(b24_verdict_t *v, const b24_str_t *desc);
static int b24_contains(const b24_str_t *text, const char *words);
static void b24_answer_time(const b24_node_t *time, b24_answer_t *answer);
static void b24_answer_times(const b24_node_t *times, b24_answer_t *answer);
static int64_t b24_answer_ms(const b24_node_t *node);
static int b24_describe(b24_pool_t *pool, const b24_str_t *desc,
    b24_str_t *text);
static void b24_mask_links(b24_buf_t *out, const b24_str_t *text);
static int b24_is_link(const b24_str_t *word);
static void b24_mask_numbers(b24_buf_t *out, const b24_str_t *text);
static size_t b24_number_run(const b24_str_t *text, size_t from);


/*
 * bitrix24-rest.md §2.5: the documented codes, what to do, and what to tell a
 * person.  The first line that fits wins.  Codes compare without case.
 */
static const b24_error_t  b24_errors[] = {

    { "QUERY_LIMIT_EXCEEDED", "in a given amount of time", B24_CLASS_OPERATOR,
      "This webhook was made from a ready-made preset and is limited for ever;"
      " make a plain incoming webhook." },
    { "QUERY_LIMIT_EXCEEDED", NULL, B24_CLASS_RETRY, B24_ADVICE_LESS },
    { "OPERATION_TIME_LIMIT", NULL, B24_CLASS_WAIT,
      "Nothing to do: the portal's time budget for this method is spent." },
    { "OVERLOAD_LIMIT", NULL, B24_CLASS_OPERATOR,
      "Bitrix24 has blocked REST for this portal because of its load; contact"
      " Bitrix24's support." },

    { "INTERNAL_SERVER_ERROR", NULL, B24_CLASS_CHECK, B24_ADVICE_CHECK },
    { "ERROR_UNEXPECTED_ANSWER", NULL, B24_CLASS_CHECK, B24_ADVICE_CHECK },
    { "WRONG_ENCODING", NULL, B24_CLASS_CHECK, B24_ADVICE_CHECK },

    { NULL, "error connecting to authorization server", B24_CLASS_RETRY,
      B24_ADVICE_AGAIN },
    { "ERROR_OAUTH", "quota", B24_CLASS_OPERATOR,
      "The portal's disk is full; free space there." },
    { "ERROR_OAUTH", NULL, B24_CLASS_OPERATOR,
      "The portal does not accept the webhook; check it in the portal." },

    { "NO_AUTH_FOUND", NULL, B24_CLASS_OPERATOR,
      "The portal does not know this webhook; check user id and code in"
      " b24_webhook." },
    { "INVALID_CREDENTIALS", NULL, B24_CLASS_OPERATOR,
      "The webhook was deleted, blocked or has a new code; put a new one in"
      " b24_webhook." },
    { "authorization_error", NULL, B24_CLASS_OPERATOR,
      "The webhook's owner is dismissed or inactive; make a new incoming"
      " webhook of an active user, with the permission \"crm\", and put it in"
      " b24_webhook." },
    { "expired_token", NULL, B24_CLASS_OPERATOR,
      "The webhook's date has passed; make a new one and put it in"
      " b24_webhook." },
    { "insufficient_scope", NULL, B24_CLASS_OPERATOR,
      "Give the webhook the permission \"crm\"." },
    { "user_access_error", NULL, B24_CLASS_OPERATOR,
      "The webhook's owner may not use REST; make a webhook of another"
      " user." },
    { "allowed_only_intranet_user", NULL, B24_CLASS_OPERATOR,
      "The webhook's owner must be an employee of the portal." },
    { "ACCESS_DENIED", "plan", B24_CLASS_OPERATOR,
      "The portal's plan does not include REST." },
    { "ACCESS_DENIED", "subscription", B24_CLASS_OPERATOR,
      "The portal's plan does not include REST." },
    { "ACCESS_DENIED", NULL, B24_CLASS_OPERATOR, B24_ADVICE_RIGHTS },
    { "PORTAL_DELETED", NULL, B24_CLASS_OPERATOR,
      "The portal is gone or closed; check that it still opens." },
    { "METHOD_CONFIRM_WAITING", NULL, B24_CLASS_OPERATOR,
      "An administrator of the portal must confirm the method." },
    { "METHOD_CONFIRM_DENIED", NULL, B24_CLASS_OPERATOR,
      "An administrator of the portal has refused the method." },
    { "verification_needed", NULL, B24_CLASS_OPERATOR,
      "The portal's licence must be verified." },
    { "PORTAL_BLOCKED_BY_LICENSE_SCANNER", NULL, B24_CLASS_OPERATOR,
      "The portal's licence must be verified." },
    { "INVALID_REQUEST", NULL, B24_CLASS_OPERATOR,
      "The portal wants https; correct b24_webhook." },
    { "ERROR_METHOD_NOT_FOUND", NULL, B24_CLASS_OPERATOR,
      "This portal is too old for the method; try another b24_api." },
    { "CREATE_DYNAMIC_ITEM_RESTRICTED", NULL, B24_CLASS_OPERATOR,
      "The portal's plan forbids this; try b24_api classic." },
    { "UPDATE_DYNAMIC_ITEM_RESTRICTED", NULL, B24_CLASS_OPERATOR,
      "The portal's plan forbids this; try b24_api classic." },
    { "CRM_FIELD_ERROR_REQUIRED", NULL, B24_CLASS_OPERATOR,
      "The portal demands a field the order has not; make it optional there,"
      " set it by b24_deal or b24_contact, or use b24_api classic." },
    { "200040300010", NULL, B24_CLASS_OPERATOR,
      "Give the webhook's owner access to the catalogue." },

    { "CRM_FIELD_ERROR_VALUE_NOT_VALID", NULL, B24_CLASS_PERMANENT,
      B24_ADVICE_VALUE },
    { "ERROR_ARGUMENT", NULL, B24_CLASS_PERMANENT, B24_ADVICE_VALUE },
    { "INVALID_ARG_VALUE", NULL, B24_CLASS_PERMANENT, B24_ADVICE_VALUE },
    { "100", NULL, B24_CLASS_PERMANENT, B24_ADVICE_VALUE },
    { "0", NULL, B24_CLASS_PERMANENT, B24_ADVICE_VALUE },
    { "NOT_FOUND", NULL, B24_CLASS_PERMANENT,
      "What the order is linked to was deleted in the portal." },
    { "OWNER_NOT_FOUND", NULL, B24_CLASS_PERMANENT,
      "The deal was deleted in the portal." },
    { "ENTITY_TYPE_NOT_SUPPORTED", NULL, B24_CLASS_PERMANENT,
      B24_ADVICE_REPORT },
    { "ERROR_BATCH_LENGTH_EXCEEDED", NULL, B24_CLASS_PERMANENT,
      B24_ADVICE_REPORT },
    { "ERROR_BATCH_METHOD_NOT_ALLOWED", NULL, B24_CLASS_PERMANENT,
      B24_ADVICE_REPORT },
    { "ERROR_CORE", NULL, B24_CLASS_PERMANENT, B24_ADVICE_VALUE },

    { "", "access denied", B24_CLASS_OPERATOR, B24_ADVICE_RIGHTS },
    { "", B24_DENIED_RU, B24_CLASS_OPERATOR, B24_ADVICE_RIGHTS },
    { "", "disk resource exhausted", B24_CLASS_OPERATOR,
      "The portal's disk is full; free space there." },
    { "", "not found", B24_CLASS_PERMANENT,
      "What the order is linked to was deleted in the portal." },
    { "", NULL, B24_CLASS_PERMANENT, B24_ADVICE_VALUE },

    { NULL, NULL, B24_CLASS_OK, NULL }
};


int
b24_answer_parse(b24_pool_t *pool, b24_net_e net, unsigned http,
    const b24_str_t *body, b24_answer_t *answer)
{
    int             rc;
    b24_node_t     *node;
    b24_verdict_t  *v;

    memset(answer, 0, sizeof(b24_answer_t));
    answer->operating = -1;

    v = &answer->verdict;
    v->http = http;

    if (net != B24_NET_OK) {
        b24_judge_net(v, net);
        return B24_OK;
    }

    rc = b24_json_parse(pool, body, 0, &node);

    if (rc == B24_ERROR) {
        return B24_ERROR;
    }

    if (rc != B24_OK || node->type != B24_OBJECT) {
        b24_judge_status(v, http);
        return B24_OK;
    }

    answer->root = node;
    b24_answer_time(b24_member(node, "time"), answer);

    if (b24_member(node, "error")) {

        if (b24_judge_error(pool, node, http, v) != B24_OK) {
            return B24_ERROR;
        }

        if (v->class == B24_CLASS_WAIT) {
            v->reset_at = answer->operating_reset_at;
            v->now = b24_answer_now(answer);
        }

        return B24_OK;
    }

    node = b24_member(node, "result");

    if (http < 200 || http >= 300 || node == NULL) {
        b24_judge_status(v, http);
        return B24_OK;
    }

    answer->result = b24_member(node, "result");
    answer->errors = b24_member(node, "result_error");

    b24_answer_times(b24_member(node, "result_time"), answer);

    return B24_OK;
}


b24_cmd_state_e
b24_answer_command(b24_pool_t *pool, const b24_answer_t *answer,
    const char *name, b24_node_t **result, b24_verdict_t *verdict)
{
    b24_node_t  *node, *times;

    *result = NULL;
    memset(verdict, 0, sizeof(b24_verdict_t));

    node = b24_member(answer->errors, name);

    if (node) {

        if (b24_judge_error(pool, node, answer->verdict.http, verdict)
            != B24_OK)
        {
            b24_verdict_set(verdict, B24_CLASS_CHECK, "OUT_OF_MEMORY",
                            "the portal's answer is too large",
                            B24_ADVICE_CHECK);
        }

        if (verdict->class == B24_CLASS_WAIT) {
            times = b24_member(b24_member(answer->root, "result"),
                               "result_time");
            times = b24_member(b24_member(times, name), "operating_reset_at");

            verdict->reset_at = b24_node_id(times);

            if (verdict->reset_at == 0) {
                verdict->reset_at = answer->operating_reset_at;
            }

            verdict->now = b24_answer_now(answer);
        }

        return B24_CMD_FAILED;
    }

    node = b24_member(answer->result, name);

    if (node == NULL) {
        return B24_CMD_NOT_RUN;
    }

    *result = node;

    return B24_CMD_DONE;
}


int64_t
b24_node_id(const b24_node_t *node)
{
    size_t   i;
    int64_t  id;

    if (node == NULL
        || (node->type != B24_NUMBER && node->type != B24_STRING)
        || node->value.len == 0 || node->value.len > 18)
    {
        return 0;
    }

    id = 0;

    for (i = 0; i < node->value.len; i++) {

        if (!b24_isdigit(node->value.data[i])) {
            return 0;
        }

        id = id * 10 + (node->value.data[i] - '0');
    }

    return id;
}


static void
b24_verdict_set(b24_verdict_t *v, b24_class_e class, const char *code,
    const char *text, const char *advice)
{
    v->class = class;
    v->code.data = (u_char *) code;
    v->code.len = strlen(code);
    v->text.data = (u_char *) text;
    v->text.len = strlen(text);
    v->advice = advice;
}


static void
b24_judge_net(b24_verdict_t *v, b24_net_e net)
{
    if (net == B24_NET_UNSENT) {
        b24_verdict_set(v, B24_CLASS_RETRY, "UNREACHABLE",
                        "the portal could not be reached",
                        "Nothing to do unless it lasts: then see whether this"
                        " server can reach the portal.");
        return;
    }

    b24_verdict_set(v, B24_CLASS_CHECK, "NO_ANSWER",
                    "the portal's answer did not arrive", B24_ADVICE_CHECK);
}


/* no JSON object, or one that is neither a result nor an error */

static void
b24_judge_status(b24_verdict_t *v, unsigned http)
{
    switch (http) {

    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        b24_verdict_set(v, B24_CLASS_OPERATOR, "MOVED",
                        "the portal's address has changed",
                        "Put the portal's new address in b24_webhook.");
        return;

    case 401:
    case 403:
    case 404:
    case 405:
    case 410:
        b24_verdict_set(v, B24_CLASS_OPERATOR, "REFUSED",
                        "something in front of the portal refused the request",
                        "Check the address in b24_webhook and whether this"
                        " server's address is allowed there.");
        return;

    case 413:
    case 414:
        b24_verdict_set(v, B24_CLASS_PERMANENT, "TOO_LARGE",
                        "the order is too large for the portal",
                        "Enter the order by hand.");
        return;

    case 429:
        b24_verdict_set(v, B24_CLASS_WAIT, "TOO_MANY_REQUESTS",
                        "the portal asked for fewer requests",
                        B24_ADVICE_LESS);
        return;

    default:
        b24_verdict_set(v, B24_CLASS_CHECK, "UNREADABLE",
                        "the portal's answer is not what REST answers",
                        B24_ADVICE_CHECK);
    }
}


/*
 * node holds "error" and "error_description"; inside a batch it may be the
 * code alone.  The third version of REST has an object under "error".
 */

static int
b24_judge_error(b24_pool_t *pool, const b24_node_t *node, unsigned http,
    b24_verdict_t *v)
{
    b24_str_t    code, desc, empty = b24_null_string;
    b24_node_t  *error, *text;

    v->http = http;
    v->code = empty;
    desc = empty;

    error = (node->type == B24_OBJECT) ? b24_member(node, "error")
                                       : (b24_node_t *) node;
    text = b24_member(node, "error_description");

    if (error && error->type == B24_OBJECT) {
        text = b24_member(error, "message");
        error = b24_member(error, "code");
    }

    if (error == NULL || b24_node_text(error, &code) != B24_OK) {
        code = empty;
    }

    if (text == NULL || b24_node_text(text, &desc) != B24_OK) {
        desc = empty;
    }

    b24_text_cut(&desc, B24_ANSWER_DESC);

    /* what is not one word is shown like a description */

    if (b24_is_code(&code)) {
        v->code = code;

    } else if (b24_describe(pool, &code, &v->code) != B24_OK) {
        return B24_ERROR;
    }

    b24_text_cut(&v->code, B24_ANSWER_CODE);

    if (b24_describe(pool, &desc, &v->text) != B24_OK) {
        return B24_ERROR;
    }

    b24_classify(v, &desc);

    return B24_OK;
}


static int
b24_is_code(const b24_str_t *code)
{
    size_t  i;
    u_char  c;

    for (i = 0; i < code->len; i++) {
        c = b24_tolower(code->data[i]);

        if (!b24_isdigit(c) && c != '_' && (c < 'a' || c > 'z')) {
            return 0;
        }
    }

    return code->len <= B24_ANSWER_CODE;
}


static void
b24_classify(b24_verdict_t *v, const b24_str_t *desc)
{
    const b24_error_t  *e;

    v->class = B24_CLASS_PERMANENT;
    v->advice = "The portal gave an error the module does not know; see the"
                " text.";

    for (e = b24_errors; e->code || e->words; e++) {

        if (e->code && !b24_str_caseeqs(&v->code, e->code)) {
            continue;
        }

        if (e->words && !b24_contains(desc, e->words)) {
            continue;
        }

        v->class = e->class;
        v->advice = e->advice;
        break;
    }

    if (v->class != B24_CLASS_PERMANENT) {
        return;
    }

    /* a value may be refused, but that is not what these say */

    if (v->http >= 500) {
        v->class = B24_CLASS_CHECK;
        v->advice = B24_ADVICE_CHECK;
        return;
    }

    /* the code tells more, where there is one that is known */

    if (e->code && v->code.len) {
        return;
    }

    if (v->http == 429) {
        v->class = B24_CLASS_WAIT;
        v->advice = B24_ADVICE_LESS;

    } else if (v->http == 401 || v->http == 403) {

        /* all the documented ones are about the webhook, not about an order */

        v->class = B24_CLASS_OPERATOR;
        v->advice = "The portal does not accept the webhook; check it and its"
                    " owner's rights in the portal.";
    }
}


/* ASCII case of text is ignored, words are in lower case */

static int
b24_contains(const b24_str_t *text, const char *words)
{
    size_t  i, n, len;

    len = strlen(words);

    for (i = 0; i + len <= text->len; i++) {

        for (n = 0; n < len; n++) {

            if (b24_tolower(text->data[i + n]) != (u_char) words[n]) {
                break;
            }
        }

        if (n == len) {
            return 1;
        }
    }

    return 0;
}


/* the highest of all "operating" seen is what the limiter has to mind */

static void
b24_answer_time(const b24_node_t *time, b24_answer_t *answer)
{
    int64_t  ms, reset;

    ms = b24_answer_ms(b24_member(time, "operating"));
    reset = b24_node_id(b24_member(time, "operating_reset_at"));

    if (ms > answer->operating) {
        answer->operating = ms;
        answer->operating_reset_at = reset;

    } else if (answer->operating_reset_at == 0) {
        answer->operating_reset_at = reset;
    }
}


static void
b24_answer_times(const b24_node_t *times, b24_answer_t *answer)
{
    const b24_node_t  *node;

    if (times == NULL) {
        return;
    }

    for (node = times->first; node; node = node->next) {
        b24_answer_time(node, answer);
    }
}


/* seconds as milliseconds, -1: not told */

static int64_t
b24_answer_ms(const b24_node_t *node)
{
    b24_str_t      text;
    b24_decimal_t  d;

    if (node == NULL || b24_node_text(node, &text) != B24_OK
        || b24_decimal_parse(&text, &d) != B24_OK
        || b24_decimal_round(&d, 3) != B24_OK || d.units < 0)
    {
        return -1;
    }

    return d.units;
}


/* the portal's clock: it need not be ours */

int64_t
b24_answer_now(const b24_answer_t *answer)
{
    int64_t  ms;

    ms = b24_answer_ms(b24_member(b24_member(answer->root, "time"),
                                  "finish"));

    return ms > 0 ? ms / 1000 : 0;
}


b24_node_t *
b24_member(const b24_node_t *node, const char *name)
{
    b24_str_t  key;

    if (node == NULL || node->type != B24_OBJECT) {
        return NULL;
    }

    key.data = (u_char *) name;
    key.len = strlen(name);

    return b24_node_get(node, &key);
}


/*
 * Plain words for a person: no tags, no links (file links of the portal hold
 * the webhook's code), no e-mail addresses, no long numbers.
 */

static int
b24_describe(b24_pool_t *pool, const b24_str_t *desc, b24_str_t *text)
{
    b24_buf_t  buf;
    b24_str_t  s, clean, none = b24_null_string;

    if (desc->len == 0) {
        *text = none;
        return B24_OK;
    }

    if (b24_text_utf8(pool, desc, &none, &clean) != B24_OK
        || b24_text_strip(pool, &clean, &s) != B24_OK)
    {
        return B24_ERROR;
    }

    b24_buf_init(&buf, pool);
    b24_mask_links(&buf, &s);

    if (b24_buf_str(&buf, &s) != B24_OK) {
        return B24_ERROR;
    }

    b24_buf_init(&buf, pool);
    b24_mask_numbers(&buf, &s);

    if (b24_buf_str(&buf, &s) != B24_OK) {
        return B24_ERROR;
    }

    /* entities decoded by the stripping may have made control characters */

    if (b24_text_utf8(pool, &s, &none, text) != B24_OK) {
        return B24_ERROR;
    }

    b24_text_cut(text, B24_ANSWER_TEXT);

    return B24_OK;
}


/* words that are links or addresses, blank by blank */

static void
b24_mask_links(b24_buf_t *out, const b24_str_t *text)
{
    size_t     i;
    b24_str_t  word;

    i = 0;

    while (i < text->len) {

        if (b24_isspace(text->data[i])) {
            b24_buf_addc(out, ' ');
            i++;
            continue;
        }

        word.data = text->data + i;
        word.len = 0;

        while (i < text->len && !b24_isspace(text->data[i])) {
            word.len++;
            i++;
        }

        if (b24_is_link(&word)) {
            b24_buf_adds(out, "(link)");

        } else if (memchr(word.data, '@', word.len)) {
            b24_buf_adds(out, "(e-mail)");

        } else {
            b24_buf_addstr(out, &word);
        }
    }
}


static int
b24_is_link(const b24_str_t *word)
{
    return b24_contains(word, "://")
           || b24_contains(word, "www.")
           || b24_contains(word, "rest/")
           || b24_contains(word, "rest\\/")
           || b24_contains(word, "rest%2f")
           || b24_contains(word, "//");
}


static void
b24_mask_numbers(b24_buf_t *out, const b24_str_t *text)
{
    size_t  i, len;
    u_char  c, prev;

    prev = ' ';

    for (i = 0; i < text->len; i++) {
        c = text->data[i];

        /* the number of a field (UF_CRM_1723456789) is not a phone */

        if ((b24_isdigit(c) || c == '+' || c == '(')
            && prev != '_' && !b24_isdigit(prev)
            && (b24_tolower(prev) < 'a' || b24_tolower(prev) > 'z'))
        {
            len = b24_number_run(text, i);

            if (len) {
                b24_buf_adds(out, "(number)");
                i += len - 1;
                prev = ')';
                continue;
            }
        }

        b24_buf_addc(out, c);
        prev = c;
    }
}


/* length of a run of digits written like a phone, 0 when it is too short */

static size_t
b24_number_run(const b24_str_t *text, size_t from)
{
    size_t  i, end, digits;
    u_char  c;

    digits = 0;
    end = from;

    for (i = from; i < text->len; i++) {
        c = text->data[i];

        if (b24_isdigit(c)) {
            digits++;
            end = i + 1;
            continue;
        }

        if (c != '+' && c != '-' && c != '(' && c != ')' && c != ' '
            && c != '.')
        {
            break;
        }
    }

    return (digits >= B24_ANSWER_DIGITS) ? end - from : 0;
}
