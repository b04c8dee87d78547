
/* What the answer to a call means. */


#include "b24_call_int.h"
#include "b24_text.h"

#include <stdarg.h>
#include <stdio.h>


#define B24_CALL_SENTENCE 512
#define B24_CALL_LINE     120       /* bytes of a line in a sentence */
#define B24_CALL_PAGE     262144    /* bytes of a page that are looked at */


#define B24_CALL_LOGIN                                                        \
    "check user= and password= of b24_site: log in to the shop with them by " \
    "hand"
#define B24_CALL_RIGHT                                                        \
    "give the user of b24_site the right to change orders in the shop; a "    \
    "firewall in front of it may be the cause as well"
#define B24_CALL_SILENT                                                       \
    "the user of b24_site may not be allowed this change, or the order is "   \
    "locked in the shop: try it there by hand as that user"


static int b24_call_accepted(b24_call_run_t *run, b24_eval_t *ev,
    b24_call_verdict_t *v);
static int b24_call_auth(b24_call_run_t *run, const char *advice,
    b24_call_verdict_t *v, const char *reason, ...)
    __attribute__((format(printf, 4, 5)));
static int b24_call_refused(b24_call_run_t *run, b24_eval_t *ev,
    const b24_cond_t *cond, b24_call_verdict_t *v);
static int b24_call_unread(b24_call_run_t *run, b24_eval_t *ev,
    b24_call_verdict_t *v);
static int b24_call_page(b24_eval_t *ev);
static int b24_call_moved(const b24_input_t *in);
static int b24_call_has(const b24_str_t *text, const char *words);
static int b24_call_learned(b24_call_run_t *run, b24_eval_t *ev);
static int b24_call_verdict_args(b24_call_run_t *run, b24_call_verdict_t *v,
    b24_call_e result, const char *advice, const char *fmt, va_list args)
    __attribute__((format(printf, 5, 0)));


int
b24_call_answer(b24_call_run_t *run, const b24_input_t *in,
    b24_call_verdict_t *verdict)
{
    b24_is_e           is;
    b24_eval_t         ev;
    const b24_cond_t  *cond;
    const b24_call_t  *call;

    memset(verdict, 0, sizeof(b24_call_verdict_t));
    call = run->call;

    if (!run->sent) {
        return B24_ERROR;
    }

    run->sent = 0;

    b24_eval_init(&ev, run->pool, in, 0);
    ev.whole = 1;
    ev.fresh = run->values;

    if (in->status == 0 || in->status == 408 || in->status == 425
        || in->status == 429 || in->status >= 500)
    {
        return b24_call_lost(run, in->status, verdict);
    }

    run->login = (in->status == 401);

    if (run->login) {
        return b24_call_auth(run, B24_CALL_LOGIN, verdict,
                             "the shop refuses the login (401)");
    }

    if (in->status == 403) {
        return b24_call_auth(run, B24_CALL_RIGHT, verdict,
                             "the shop forbids it (403)");
    }

    for (cond = call->expired; cond; cond = cond->next) {
        is = b24_call_holds(run, &ev, cond);

        if (is == B24_IS_ERROR) {
            return B24_ERROR;
        }

        if (is != B24_IS_SET) {
            continue;
        }

        if (b24_call_said(run, &ev, &verdict->said) != B24_OK) {
            return B24_ERROR;
        }

        return b24_call_auth(run, B24_CALL_RIGHT, verdict,
                             run->renewed ? "the shop refuses a new session "
                                            "as well"
                                          : "the shop refuses the session");
    }

    ev.why = B24_WHY_NONE;

    for (cond = call->accept; cond; cond = cond->next) {
        is = b24_call_holds(run, &ev, cond);

        if (is == B24_IS_ERROR) {
            return B24_ERROR;
        }

        if (is != B24_IS_SET) {
            return b24_call_refused(run, &ev, is == B24_IS_EMPTY ? cond : NULL,
                                    verdict);
        }
    }

    return b24_call_accepted(run, &ev, verdict);
}


static int
b24_call_accepted(b24_call_run_t *run, b24_eval_t *ev, b24_call_verdict_t *v)
{
    int  rc;

    if (run->call->learn) {

        if (b24_call_learned(run, ev) != B24_OK) {
            return B24_ERROR;
        }

        run->session = 1;

    } else {
        run->done |= 1ULL << run->n;
    }

    rc = b24_call_verdict(run, v, B24_CALL_OK, "", "the shop accepts it (%u)",
                          ev->in->status);

    run->call = run->call->next;
    run->n++;

    return rc;
}


/* what can't be read is not learned, and missed where it is needed */
static int
b24_call_learned(b24_call_run_t *run, b24_eval_t *ev)
{
    b24_is_e            is;
    b24_pair_t         *learned, *pair;
    b24_result_t        res;
    const b24_named_t  *learn;

    learned = NULL;

    for (learn = run->call->learn; learn; learn = learn->next) {
        is = b24_eval_line(ev, &learn->value, NULL, &res);

        if (is == B24_IS_ERROR) {
            return B24_ERROR;
        }

        if (is != B24_IS_SET) {
            continue;
        }

        b24_str_trim(&res.text);

        if (b24_pair_set(run->pool, &learned, &learn->name, &res.text)
            != B24_OK)
        {
            return B24_ERROR;
        }
    }

    for (pair = learned; pair; pair = pair->next) {

        if (b24_pair_set(run->pool, &run->values, &pair->name, &pair->value)
            != B24_OK)
        {
            return B24_ERROR;
        }
    }

    return B24_OK;
}


int
b24_call_lost(b24_call_run_t *run, unsigned status, b24_call_verdict_t *v)
{
    if (status == 0) {
        return b24_call_verdict(run, v, B24_CALL_RETRY,
                                "see whether b24_site can be reached from "
                                "this server", "the shop did not answer");
    }

    return b24_call_verdict(run, v, B24_CALL_RETRY,
                            status == 429
                            ? "the shop takes fewer calls than there are: "
                              "raise its limit for this server"
                            : "see the shop's own error log",
                            "the shop answered %u", status);
}


/* once a run, if there was a session */
static int
b24_call_auth(b24_call_run_t *run, const char *advice, b24_call_verdict_t *v,
    const char *reason, ...)
{
    int      rc;
    va_list  args;

    rc = B24_OK;
    va_start(args, reason);

    if (run->session && !run->renewed) {
        rc = b24_call_verdict_args(run, v, B24_CALL_AUTH, "", reason, args);
        run->renewed = 1;

        if (rc == B24_OK) {
            b24_call_reset(run, &rc);
        }

    } else {
        run->refused = run->session;
        rc = b24_call_verdict_args(run, v, B24_CALL_REFUSED, advice, reason,
                                   args);
    }

    va_end(args);

    return rc;
}


/* cond: the line that doesn't hold; NULL: it can't be told */
static int
b24_call_refused(b24_call_run_t *run, b24_eval_t *ev, const b24_cond_t *cond,
    b24_call_verdict_t *v)
{
    int        page;
    unsigned   status;
    b24_str_t  line;

    status = ev->in->status;
    page = status < 400 ? b24_call_page(ev) : 0;

    if (page < 0) {
        return B24_ERROR;
    }

    if (page || (status / 100 == 3 && b24_call_moved(ev->in))) {
        return b24_call_auth(run, B24_CALL_LOGIN, v,
                             "the shop asks for a login in place of an answer "
                             "(%u)", status);
    }

    if (status / 100 == 3) {
        return b24_call_verdict(run, v, B24_CALL_REFUSED,
                                "give b24_site the address it ends at: https "
                                "or http, with or without www",
                                "the shop sends the call elsewhere (%u)",
                                status);
    }

    if (status < 400 && cond == NULL) {
        return b24_call_unread(run, ev, v);
    }

    if (b24_call_said(run, ev, &v->said) != B24_OK) {
        return B24_ERROR;
    }

    if (status == 404 || status == 410) {
        return b24_call_verdict(run, v, B24_CALL_REFUSED,
                                "check \"url\" of this block and the path of "
                                "b24_site; the order may have been deleted in "
                                "the shop",
                                "the shop does not know this order or this "
                                "address (%u)", status);
    }

    if (status >= 400) {
        return b24_call_verdict(run, v, B24_CALL_REFUSED,
                                "compare the block with what the shop's "
                                "interface takes, and see the shop's own log",
                                "the shop refuses the call (%u)", status);
    }

    line = cond->value.key;
    b24_text_cut(&line, B24_CALL_LINE);

    return b24_call_verdict(run, v, B24_CALL_REFUSED,
                            run->call->learn ? B24_CALL_LOGIN : B24_CALL_SILENT,
                            "the shop answered %u, but \"%.*s\" does not hold",
                            status, (int) line.len, (char *) line.data);
}


static int
b24_call_unread(b24_call_run_t *run, b24_eval_t *ev, b24_call_verdict_t *v)
{
    switch (ev->why) {

    case B24_WHY_CUT:
    case B24_WHY_LOST:
        return b24_call_verdict(run, v, B24_CALL_RETRY, "",
                                "the shop's answer ended early");

    case B24_WHY_LARGE:
    case B24_WHY_INFLATE:
    case B24_WHY_ENCODING:
        return b24_call_verdict(run, v, B24_CALL_REFUSED,
                                "see what the shop answers to this call",
                                "the shop's answer is too large, or compressed "
                                "in a way that can't be read");

    case B24_WHY_REGEX:
        return b24_call_verdict(run, v, B24_CALL_REFUSED,
                                "simplify the regexes of this block",
                                "a regex of \"accept\" took too long");

    default:
        return b24_call_verdict(run, v, B24_CALL_REFUSED,
                                "see what the shop answers to this call: a "
                                "message of PHP in it may be the cause",
                                "the shop's answer could not be read: broken "
                                "JSON");
    }
}


/* a page with a field for a password; -1: no memory */
static int
b24_call_page(b24_eval_t *ev)
{
    b24_is_e   is;
    b24_str_t  text;

    is = b24_eval_response(ev);

    if (is == B24_IS_SET && ev->response.root) {
        return 0;
    }

    if (is != B24_IS_ERROR) {
        is = b24_eval_answer_text(ev);
    }

    if (is != B24_IS_SET) {
        return is == B24_IS_ERROR ? -1 : 0;
    }

    text = ev->utf8;

    if (text.len > B24_CALL_PAGE) {
        text.len = B24_CALL_PAGE;
    }

    return b24_call_has(&text, "type=\"password\"")
           || b24_call_has(&text, "type='password'")
           || b24_call_has(&text, "type=password");
}


/* to an address whose path or arguments speak of a login; names of hosts may
 * be any words */
static int
b24_call_moved(const b24_input_t *in)
{
    ssize_t            at;
    b24_str_t          to, scheme;
    const b24_pair_t  *header;

    for (header = in->headers; header; header = header->next) {

        if (!b24_str_caseeqs(&header->name, "Location")) {
            continue;
        }

        to = header->value;
        at = b24_str_find(&to, 0, "//");

        scheme = to;
        scheme.len = at > 0 ? (size_t) at : 0;

        if (at >= 0 && b24_str_find(&scheme, 0, "/") == -1
            && b24_str_find(&scheme, 0, "?") == -1)
        {
            at = b24_str_find(&to, (size_t) at + 2, "/");
            at = at < 0 ? (ssize_t) to.len : at;

            to.data += at;
            to.len -= (size_t) at;
        }

        if (b24_call_has(&to, "login") || b24_call_has(&to, "auth")) {
            return 1;
        }
    }

    return 0;
}


/* words are in lower case */
static int
b24_call_has(const b24_str_t *text, const char *words)
{
    size_t  i, k, len;

    len = strlen(words);

    for (i = 0; i + len <= text->len; i++) {

        for (k = 0; k < len; k++) {

            if (b24_tolower(text->data[i + k]) != (u_char) words[k]) {
                break;
            }
        }

        if (k == len) {
            return 1;
        }
    }

    return 0;
}


/* ---- verdicts ---- */

int
b24_call_verdict(b24_call_run_t *run, b24_call_verdict_t *v,
    b24_call_e result, const char *advice, const char *fmt, ...)
{
    int      rc;
    va_list  args;

    va_start(args, fmt);
    rc = b24_call_verdict_args(run, v, result, advice, fmt, args);
    va_end(args);

    return rc;
}


/* what ends the run is told again whenever it is asked for */
static int
b24_call_verdict_args(b24_call_run_t *run, b24_call_verdict_t *v,
    b24_call_e result, const char *advice, const char *fmt, va_list args)
{
    char       sentence[B24_CALL_SENTENCE];
    b24_str_t  text;

    vsnprintf(sentence, sizeof(sentence), fmt, args);

    text.data = (u_char *) sentence;
    text.len = strlen(sentence);
    b24_text_cut(&text, text.len);

    v->result = result;
    memset(&v->block, 0, sizeof(b24_str_t));

    v->login = run->login;
    v->session = run->refused;

    if (run->call) {
        v->block = run->call->name;
        v->login |= (run->call->learn != NULL);
    }

    v->advice.data = (u_char *) advice;
    v->advice.len = strlen(advice);

    if (result != B24_CALL_OK && result != B24_CALL_AUTH) {
        run->over = 1;
        run->sent = 0;
    }

    if (b24_pstrdup(run->pool, &v->reason, text.data, text.len) != B24_OK) {
        return B24_ERROR;
    }

    if (run->over) {
        run->verdict = *v;
    }

    return B24_OK;
}
