
/*
 * What comes later to an order that has its deal: look-up of the deal, attempt,
 * write (the deal is moved), outcome; without a write where nothing is to be
 * moved.
 */


#include "ngx_http_b24_lane.h"


static void ngx_http_b24_status_missing(ngx_http_b24_lane_t *lane, b24_str_t
    *text, b24_str_t *name);
static void ngx_http_b24_status_ask(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_status_read(ngx_http_b24_transfer_t *t);
static void ngx_http_b24_status_move(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_status_moved(ngx_http_b24_transfer_t *t);
static void ngx_http_b24_status_done(ngx_http_b24_lane_t *lane, b24_str_t
    *text, const char *advice);


void
ngx_http_b24_lane_later(ngx_http_b24_lane_t *lane)
{
    b24_str_t  text, name;

    static b24_str_t  nothing = b24_string("nothing in it is new");
    static b24_str_t  stageless = b24_string("it means no stage of its own");
    static b24_str_t  dealless = b24_string("the order has no deal");

    lane->seen.status = lane->job.seen.status;
    lane->seen.canceled = lane->job.seen.canceled;
    lane->seen.paid = lane->job.seen.paid;
    lane->seen.shipped = lane->job.seen.shipped;

    lane->out.seen = &lane->seen;

    if (lane->job.seen.settled) {
        lane->out.idle = 1;
        ngx_http_b24_status_done(lane, &nothing, NULL);
        return;
    }

    if (lane->known.deal == 0) {
        ngx_http_b24_status_done(lane, &dealless, NULL);
        return;
    }

    if (b24_crm_move_to(lane->pool, &lane->set, lane->order, &lane->move,
                        &text, &name)
        != B24_OK)
    {
        ngx_http_b24_lane_broken(lane, "the status cannot be put into a "
                                       "command");
        return;
    }

    if (text.len) {
        ngx_http_b24_status_missing(lane, &text, &name);
        return;
    }

    if (lane->move.len == 0) {
        ngx_http_b24_status_done(lane, &stageless, NULL);
        return;
    }

    ngx_http_b24_status_ask(lane);
}


/* said once on the page; with the name where it can be nothing but a status */

static void
ngx_http_b24_status_missing(ngx_http_b24_lane_t *lane, b24_str_t *text,
    b24_str_t *name)
{
    u_char  *p, note[256];

    static const char  cure[] =
        "add a line such as \"b24_stage STATUS STAGE;\", or \"stage\" in the "
        "shop's rules";

    p = name->len
        ? ngx_snprintf(note, sizeof(note) - 1, "the status \"%V\" has no line "
                       "in the table of stages: its orders' deals are not "
                       "moved; add \"b24_stage %V STAGE;\"", name, name)
        : ngx_snprintf(note, sizeof(note) - 1, "%V; compare the \"stage\" and "
                       "\"b24_stage\" lines with the shop and the portal",
                       text);
    *p = '\0';

    if (ngx_http_b24_sh_note(lane->origin->sh, note)) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "b24: origin \"%V\": %s", &lane->origin->name, note);
    }

    ngx_http_b24_status_done(lane, text, cure);
}


static void
ngx_http_b24_status_ask(ngx_http_b24_lane_t *lane)
{
    b24_batch_t  batch;

    b24_batch_init(&batch, lane->pool, 0);

    if (b24_crm_deal_ask(&batch, &lane->set, &lane->known) != B24_OK
        || b24_batch_print(&batch, &lane->body) != B24_OK)
    {
        ngx_http_b24_lane_broken(lane, "the status cannot be put into a "
                                       "command");
        return;
    }

    lane->stage = NGX_HTTP_B24_LANE_LOOKUP;
    lane->method = "batch";
    lane->transfer.done = ngx_http_b24_status_read;
    lane->transfer.fresh = 0;

    ngx_http_b24_lane_send(lane);
}


static void
ngx_http_b24_status_read(ngx_http_b24_transfer_t *t)
{
    ngx_http_b24_lane_t  *lane = t->data;

    b24_move_e      move;
    const char     *advice;
    b24_answer_t    answer;
    b24_verdict_t   verdict;
    b24_crm_deal_t  deal;

    if (ngx_http_b24_lane_answer(lane, &answer) != NGX_OK) {
        return;
    }

    ngx_memzero(&verdict, sizeof(b24_verdict_t));

    if (b24_crm_deal_read(lane->pool, &answer, &lane->set, &lane->known,
                          ngx_http_b24_now() / 1000, &deal, &verdict)
        != B24_OK)
    {
        ngx_http_b24_lane_broken(lane, "the portal's answer cannot be read");
        return;
    }

    if (lane->known.again != B24_AGAIN_NO) {
        ngx_http_b24_lane_turn(lane);
        ngx_http_b24_status_ask(lane);
        return;
    }

    if (verdict.class != B24_CLASS_OK) {
        lane->command = 1;
        ngx_http_b24_lane_fail(lane, &verdict, "batch");
        return;
    }

    move = b24_crm_move(&lane->set, &deal, &lane->move, &lane->job.seen,
                        lane->job.seen.time ? lane->job.seen.time
                                            : lane->job.accepted);

    if (b24_crm_move_words(lane->pool, move, &deal, &lane->move, &lane->words,
                           &advice)
        != B24_OK)
    {
        ngx_http_b24_lane_broken(lane, "the portal's answer cannot be read");
        return;
    }

    lane->out.advice = advice;

    if (move == B24_MOVE_DO || move == B24_MOVE_OVER) {
        ngx_http_b24_status_move(lane);
        return;
    }

    lane->seen.held = deal.stage;
    lane->seen.held_time = ngx_http_b24_now();

    /* somebody has: so it is for what else the shop has changed before */

    if (move != B24_MOVE_THERE && deal.id) {
        lane->seen.moved = deal.moved ? deal.moved * 1000
                                      : lane->seen.held_time;

        /* and the shop has to follow, whoever has noticed it first */

        lane->out.back = ngx_http_b24_back_writes(lane->origin);
    }

    ngx_http_b24_status_done(lane, &lane->words, advice);
}


static void
ngx_http_b24_status_move(ngx_http_b24_lane_t *lane)
{
    b24_batch_t  batch;

    if (lane->writes++ == NGX_HTTP_B24_WRITES) {
        ngx_http_b24_lane_broken(lane, "the portal does not move the deal");
        return;
    }

    b24_batch_init(&batch, lane->pool, 1);

    if (b24_crm_deal_move(&batch, &lane->set, &lane->known, &lane->move)
        != B24_OK
        || b24_batch_print(&batch, &lane->body) != B24_OK)
    {
        ngx_http_b24_lane_broken(lane, "the status cannot be put into a "
                                       "command");
        return;
    }

    lane->method = "batch";
    lane->mask = 1 << B24_STEP_STAGE;
    lane->job.seen.sent = lane->move;

    ngx_http_b24_lane_attempt(lane, ngx_http_b24_status_moved);
}


static void
ngx_http_b24_status_moved(ngx_http_b24_transfer_t *t)
{
    ngx_http_b24_lane_t  *lane = t->data;

    b24_str_t       held, text;
    b24_buf_t       buf;
    const char     *method;
    b24_answer_t    answer;
    b24_verdict_t   verdict;

    if (ngx_http_b24_lane_answer(lane, &answer) != NGX_OK) {
        return;
    }

    ngx_memzero(&verdict, sizeof(b24_verdict_t));
    method = NULL;

    if (b24_crm_deal_moved(lane->pool, &answer, &lane->set, &lane->known,
                           &held, &verdict, &method)
        != B24_OK)
    {
        ngx_http_b24_lane_broken(lane, "the portal's answer cannot be read");
        return;
    }

    if (lane->known.again != B24_AGAIN_NO) {
        ngx_http_b24_lane_turn(lane);
        ngx_http_b24_status_move(lane);
        return;
    }

    if (verdict.class != B24_CLASS_OK) {
        lane->command = 1;
        ngx_http_b24_lane_fail(lane, &verdict, method ? method : "batch");
        return;
    }

    lane->seen.held = held.len ? held : lane->move;
    lane->seen.held_time = ngx_http_b24_now();

    if (held.len == 0 || b24_str_eq(&held, &lane->move)) {
        ngx_http_b24_status_done(lane, &lane->words, lane->out.advice);
        return;
    }

    /* a wrong stage is dropped by the portal without a word */

    b24_buf_init(&buf, lane->pool);
    b24_buf_adds(&buf, "the portal did not take the stage \"");
    b24_buf_addstr(&buf, &lane->move);
    b24_buf_adds(&buf, "\", the deal is at \"");
    b24_buf_addstr(&buf, &held);
    b24_buf_addc(&buf, '"');

    if (b24_buf_str(&buf, &text) != B24_OK) {
        ngx_http_b24_lane_broken(lane, "the portal's answer cannot be read");
        return;
    }

    ngx_http_b24_status_done(lane, &text, "compare the stage lines and "
                             "b24_stage with the portal");
}


static void
ngx_http_b24_status_done(ngx_http_b24_lane_t *lane, b24_str_t *text,
    const char *advice)
{
    lane->out.state = B24_STATE_DELIVERED;
    lane->out.cause = (char *) text->data;
    lane->out.advice = advice;

    ngx_memcpy(lane->out.steps, lane->job.steps, sizeof(lane->out.steps));

    lane->out.steps[B24_STEP_STAGE] = B24_STEP_DONE;

    /* nothing was asked where nothing was to be moved */

    if (lane->stage != NGX_HTTP_B24_LANE_CLAIM) {
        ngx_http_b24_lane_good(lane);
    }

    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                  "b24: %s has a new status: %V", lane->job.key, text);

    ngx_http_b24_lane_put(lane);
}
