
/*
 * What comes later to an order that has its deal: another status, another
 * total, other goods.  Look-up of the deal, attempt, write (the deal is moved,
 * and given what is new), outcome; without a write where nothing is to be done.
 */


#include "ngx_http_b24_lane.h"


static ngx_int_t ngx_http_b24_later_update(ngx_http_b24_lane_t *lane);
static ngx_int_t ngx_http_b24_later_stage(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_later_missing(ngx_http_b24_lane_t *lane,
    b24_str_t *text, b24_str_t *name);
static void ngx_http_b24_later_ask(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_later_read(ngx_http_b24_transfer_t *t);
static ngx_int_t ngx_http_b24_later_decide(ngx_http_b24_lane_t *lane,
    b24_answer_t *answer, b24_crm_deal_t *deal, b24_verdict_t *verdict);
static void ngx_http_b24_later_left(ngx_http_b24_lane_t *lane,
    b24_crm_deal_t *deal, b24_move_e move);
static void ngx_http_b24_later_write(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_later_written(ngx_http_b24_transfer_t *t);
static ngx_int_t ngx_http_b24_later_overtaken(ngx_http_b24_lane_t *lane);
static ngx_int_t ngx_http_b24_later_untaken(ngx_http_b24_lane_t *lane,
    b24_str_t *held);
static void ngx_http_b24_later_rows(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_later_rows_written(ngx_http_b24_transfer_t *t);
static void ngx_http_b24_later_done(ngx_http_b24_lane_t *lane);
static void ngx_http_b24_later_seen(ngx_http_b24_lane_t *lane);


static b24_str_t  ngx_http_b24_later_nothing =
    b24_string("nothing in it is new");
static b24_str_t  ngx_http_b24_later_stageless =
    b24_string("it means no stage of its own");
static b24_str_t  ngx_http_b24_later_dealless =
    b24_string("the order has no deal");


void
ngx_http_b24_lane_later(ngx_http_b24_lane_t *lane)
{
    lane->seen.status = lane->job.seen.status;
    lane->seen.canceled = lane->job.seen.canceled;
    lane->seen.paid = lane->job.seen.paid;
    lane->seen.shipped = lane->job.seen.shipped;

    lane->out.seen = &lane->seen;

    if (lane->known.deal == 0) {

        if (!lane->job.seen.settled) {
            lane->words = ngx_http_b24_later_dealless;
        }

        ngx_http_b24_later_done(lane);
        return;
    }

    if (ngx_http_b24_later_update(lane) != NGX_OK
        || ngx_http_b24_later_stage(lane) != NGX_OK)
    {
        ngx_http_b24_lane_broken(lane, "the change cannot be put into a "
                                       "command");
        return;
    }

    if (lane->move.len || lane->update.total || lane->update.rows) {
        ngx_http_b24_later_ask(lane);
        return;
    }

    if (lane->words.len == 0 && !lane->job.seen.settled) {
        lane->words = ngx_http_b24_later_stageless;
    }

    ngx_http_b24_later_done(lane);
}


/* what of total and goods is new */

static ngx_int_t
ngx_http_b24_later_update(ngx_http_b24_lane_t *lane)
{
    b24_order_t  *first;

    /* one that can't be read is as good as gone */

    if (lane->job.first.len == 0
        || b24_order_parse(lane->pool, &lane->job.first, &first) != B24_OK)
    {
        first = NULL;
    }

    return b24_crm_update_begin(lane->pool, &lane->set, lane->order, first,
                                &lane->job.seen, &lane->update)
           == B24_OK ? NGX_OK : NGX_ERROR;
}


/* where the deal is to be, if what was told of that is new */

static ngx_int_t
ngx_http_b24_later_stage(ngx_http_b24_lane_t *lane)
{
    b24_str_t  text, name;

    ngx_str_null(&lane->move);

    if (lane->job.seen.settled) {
        return NGX_OK;
    }

    if (b24_crm_move_to(lane->pool, &lane->set, lane->order, &lane->move,
                        &text, &name)
        != B24_OK)
    {
        return NGX_ERROR;
    }

    if (text.len) {
        ngx_http_b24_later_missing(lane, &text, &name);
    }

    /* the newer change has no stage, and the older one is not to undo it */

    if (lane->move.len == 0 && lane->job.seen.moved > lane->job.seen.sent_time
        && lane->job.seen.moved <= lane->job.seen.time)
    {
        lane->seen.sent = lane->job.seen.held;
        lane->seen.sent_time = lane->job.seen.time;
    }

    return NGX_OK;
}


/* said once on the page; with the name where it can be nothing but a status */

static void
ngx_http_b24_later_missing(ngx_http_b24_lane_t *lane, b24_str_t *text,
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

    lane->words = *text;
    lane->out.advice = cure;
}


static void
ngx_http_b24_later_ask(ngx_http_b24_lane_t *lane)
{
    b24_batch_t  *batch;

    batch = &lane->batch;

    b24_batch_init(batch, lane->pool, 0);

    if (b24_crm_deal_ask(batch, &lane->set, &lane->known) != B24_OK
        || b24_crm_update_ask(batch, &lane->set, lane->order, &lane->known,
                              &lane->job.seen, &lane->update)
           != B24_OK
        || b24_batch_print(batch, &lane->body) != B24_OK)
    {
        ngx_http_b24_lane_broken(lane, "the change cannot be put into a "
                                       "command");
        return;
    }

    lane->direct = 0;
    lane->stage = NGX_HTTP_B24_LANE_LOOKUP;
    lane->method = "batch";
    lane->transfer.done = ngx_http_b24_later_read;
    lane->transfer.fresh = 0;

    ngx_http_b24_lane_send(lane);
}


static void
ngx_http_b24_later_read(ngx_http_b24_transfer_t *t)
{
    ngx_http_b24_lane_t  *lane = t->data;

    b24_answer_t    answer;
    b24_verdict_t   verdict;
    b24_crm_deal_t  deal;

    if (ngx_http_b24_lane_answer(lane, &answer) != NGX_OK) {
        return;
    }

    ngx_memzero(&verdict, sizeof(b24_verdict_t));

    if (b24_crm_deal_read(lane->pool, &answer, &lane->set, &lane->known,
                          ngx_http_b24_now() / 1000, &deal, &verdict)
        != B24_OK
        || (lane->known.again == B24_AGAIN_NO
            && verdict.class == B24_CLASS_OK
            && ngx_http_b24_later_decide(lane, &answer, &deal, &verdict)
               != NGX_OK))
    {
        ngx_http_b24_lane_broken(lane, "the portal's answer cannot be read");
        return;
    }

    if (lane->known.again != B24_AGAIN_NO) {
        ngx_http_b24_lane_turn(lane);
        ngx_http_b24_later_ask(lane);
        return;
    }

    if (verdict.class != B24_CLASS_OK) {
        lane->command = 1;
        ngx_http_b24_lane_fail(lane, &verdict, "batch");
        return;
    }

    if (lane->moving || lane->update.set_total || lane->update.set_rows) {
        ngx_http_b24_later_write(lane);
        return;
    }

    ngx_http_b24_later_done(lane);
}


static ngx_int_t
ngx_http_b24_later_decide(ngx_http_b24_lane_t *lane, b24_answer_t *answer,
    b24_crm_deal_t *deal, b24_verdict_t *verdict)
{
    b24_move_e   move;
    const char  *advice;

    lane->moving = 0;
    lane->seen.moved = 0;
    lane->out.back = 0;

    /* where nothing is to be moved, it is for the watch to see that somebody
     * has done so */

    if (lane->move.len || deal->id == 0) {
        move = b24_crm_move(&lane->set, deal, &lane->move, &lane->job.seen,
                            lane->job.seen.time ? lane->job.seen.time
                                                : lane->job.accepted);

        lane->moving = (move == B24_MOVE_DO || move == B24_MOVE_OVER);

        if (b24_crm_move_words(lane->pool, move, deal, &lane->move,
                               &lane->words, &advice)
            != B24_OK)
        {
            return NGX_ERROR;
        }

        lane->out.advice = advice;

        if (lane->move.len && !lane->moving) {
            ngx_http_b24_later_left(lane, deal, move);
        }
    }

    if (deal->id == 0) {
        ngx_memzero(&lane->update, sizeof(b24_crm_update_t));
        return NGX_OK;
    }

    return b24_crm_update_read(lane->pool, answer, &lane->set, lane->order,
                               &lane->known, deal, lane->moving,
                               &lane->job.seen, &lane->update, verdict)
           == B24_OK ? NGX_OK : NGX_ERROR;
}


/* the deal stays where it is */

static void
ngx_http_b24_later_left(ngx_http_b24_lane_t *lane, b24_crm_deal_t *deal,
    b24_move_e move)
{
    lane->seen.held = deal->stage;
    lane->seen.held_time = ngx_http_b24_now();
    lane->seen.stamp = deal->stamp;

    /* somebody has moved it: so it is for what else the shop has changed
     * before, and the shop has to follow, whoever has noticed it first */

    if (move != B24_MOVE_THERE && deal->id) {
        lane->seen.moved = deal->moved ? deal->moved * 1000
                                       : lane->seen.held_time;

        lane->out.back = ngx_http_b24_back_writes(lane->origin);
    }
}


static void
ngx_http_b24_later_write(ngx_http_b24_lane_t *lane)
{
    b24_str_t     stage;
    b24_batch_t  *batch;

    batch = &lane->batch;

    if (lane->writes++ == NGX_HTTP_B24_WRITES) {
        ngx_http_b24_lane_broken(lane, "the portal does not take the change");
        return;
    }

    stage = lane->move;

    if (!lane->moving) {
        stage.len = 0;
    }

    b24_batch_init(batch, lane->pool, 1);

    if (b24_crm_deal_change(batch, &lane->set, &lane->known, &stage,
                            &lane->update)
        != B24_OK)
    {
        ngx_http_b24_lane_broken(lane, "the change cannot be put into a "
                                       "command");
        return;
    }

    if (batch->count == 0) {
        ngx_http_b24_later_rows(lane);
        return;
    }

    if (b24_batch_print(batch, &lane->body) != B24_OK) {
        ngx_http_b24_lane_broken(lane, "the change cannot be put into a "
                                       "command");
        return;
    }

    lane->method = "batch";
    lane->direct = 0;
    lane->mask = 0;

    if (lane->moving) {
        lane->mask |= 1 << B24_STEP_STAGE;
        lane->job.seen.sent = lane->move;
    }

    if (lane->update.set_total || lane->update.set_rows) {
        lane->mask |= 1 << B24_STEP_UPDATE;
    }

    ngx_http_b24_lane_attempt(lane, ngx_http_b24_later_written);
}


static void
ngx_http_b24_later_written(ngx_http_b24_transfer_t *t)
{
    ngx_http_b24_lane_t  *lane = t->data;

    b24_str_t       stage, held;
    const char     *method;
    b24_answer_t    answer;
    b24_verdict_t   verdict;

    if (ngx_http_b24_lane_answer(lane, &answer) != NGX_OK) {
        return;
    }

    ngx_memzero(&verdict, sizeof(b24_verdict_t));
    method = NULL;
    stage = lane->move;

    if (!lane->moving) {
        stage.len = 0;
    }

    if (b24_crm_deal_changed(lane->pool, &answer, &lane->set, lane->order,
                             &lane->known, &lane->update, &stage,
                             ngx_http_b24_now() / 1000, &held, &verdict,
                             &method)
        != B24_OK)
    {
        ngx_http_b24_lane_broken(lane, "the portal's answer cannot be read");
        return;
    }

    if (lane->known.again != B24_AGAIN_NO) {
        ngx_http_b24_lane_turn(lane);

        if (lane->known.again == B24_AGAIN_LOOKUP) {
            ngx_http_b24_later_ask(lane);

        } else {
            ngx_http_b24_later_write(lane);
        }

        return;
    }

    if (verdict.class != B24_CLASS_OK) {
        lane->command = 1;
        ngx_http_b24_lane_fail(lane, &verdict, method ? method : "batch");
        return;
    }

    if (lane->moving && lane->update.overtaken
        && ngx_http_b24_later_overtaken(lane) == NGX_OK)
    {
        return;
    }

    if (ngx_http_b24_later_untaken(lane, &held) != NGX_OK) {
        ngx_http_b24_lane_broken(lane, "the portal's answer cannot be read");
        return;
    }

    if (lane->update.set_rows && lane->update.direct) {
        ngx_http_b24_later_rows(lane);
        return;
    }

    ngx_http_b24_later_done(lane);
}


/*
 * Somebody has moved the deal between our look at it and the write.  NGX_OK:
 * that was the newer change, and the deal is put back there; what else was
 * written stays.
 */

static ngx_int_t
ngx_http_b24_later_overtaken(ngx_http_b24_lane_t *lane)
{
    b24_str_t        stage;
    b24_move_e       move;
    const char      *advice;
    b24_crm_deal_t  *deal;

    deal = &lane->update.deal;
    lane->update.overtaken = 0;

    move = b24_crm_move(&lane->set, deal, &lane->move, &lane->job.seen,
                        lane->job.seen.time ? lane->job.seen.time
                                            : lane->job.accepted);

    if (move != B24_MOVE_NEWER && move != B24_MOVE_CLOSED) {
        return NGX_DECLINED;
    }

    if (b24_crm_move_words(lane->pool, move, deal, &lane->move, &lane->words,
                           &advice)
        != B24_OK)
    {
        ngx_http_b24_lane_broken(lane, "the portal's answer cannot be read");
        return NGX_OK;
    }

    lane->out.advice = advice;

    ngx_http_b24_later_left(lane, deal, move);

    stage = lane->move;
    lane->move = deal->stage;

    deal->stage = stage;
    lane->update.set_total = 0;
    lane->update.set_rows &= lane->update.direct;

    ngx_http_b24_later_write(lane);

    return NGX_OK;
}


/* a wrong stage is dropped by the portal without a word */

static ngx_int_t
ngx_http_b24_later_untaken(ngx_http_b24_lane_t *lane, b24_str_t *held)
{
    b24_buf_t  buf;

    if (!lane->moving) {
        return NGX_OK;
    }

    lane->seen.held = held->len ? *held : lane->move;
    lane->seen.held_time = ngx_http_b24_now();
    lane->seen.stamp = lane->update.stamp;

    if (held->len == 0 || b24_str_eq(held, &lane->move)) {
        return NGX_OK;
    }

    b24_buf_init(&buf, lane->pool);
    b24_buf_adds(&buf, "the portal did not take the stage \"");
    b24_buf_addstr(&buf, &lane->move);
    b24_buf_adds(&buf, "\", the deal is at \"");
    b24_buf_addstr(&buf, held);
    b24_buf_addc(&buf, '"');

    lane->out.advice = "compare the stage lines and b24_stage with the portal";

    return b24_buf_str(&buf, &lane->words) == B24_OK ? NGX_OK : NGX_ERROR;
}


/* rows too many for a batch have a call of their own */

static void
ngx_http_b24_later_rows(ngx_http_b24_lane_t *lane)
{
    if (b24_crm_rows_direct(lane->pool, &lane->set, lane->order,
                            lane->known.deal, &lane->method, &lane->body)
        != B24_OK)
    {
        ngx_http_b24_lane_broken(lane, "the order's rows cannot be put into a "
                                       "command");
        return;
    }

    lane->direct = 1;
    lane->mask = 1 << B24_STEP_UPDATE;

    ngx_http_b24_lane_attempt(lane, ngx_http_b24_later_rows_written);
}


static void
ngx_http_b24_later_rows_written(ngx_http_b24_transfer_t *t)
{
    ngx_http_b24_lane_t  *lane = t->data;

    b24_answer_t   answer;
    b24_verdict_t  verdict;

    if (ngx_http_b24_lane_answer(lane, &answer) != NGX_OK) {
        return;
    }

    ngx_memzero(&verdict, sizeof(b24_verdict_t));

    if (b24_crm_rows_written(&answer, &lane->known, &verdict) != B24_OK) {
        ngx_http_b24_lane_broken(lane, "the portal's answer cannot be read");
        return;
    }

    if (verdict.class != B24_CLASS_OK) {
        lane->command = 1;
        ngx_http_b24_lane_fail(lane, &verdict, lane->method);
        return;
    }

    ngx_http_b24_later_done(lane);
}


static void
ngx_http_b24_later_done(ngx_http_b24_lane_t *lane)
{
    b24_buf_t   buf;
    b24_str_t   text;
    ngx_uint_t  changed;

    b24_buf_init(&buf, lane->pool);
    b24_buf_addstr(&buf, &lane->words);
    b24_crm_update_words(&buf, &lane->update, &lane->out.advice);

    changed = (buf.len > lane->words.len);

    if (b24_buf_str(&buf, &text) != B24_OK) {
        text = lane->words;
    }

    if (text.len == 0) {
        text = ngx_http_b24_later_nothing;
        lane->out.idle = 1;
    }

    lane->out.state = B24_STATE_DELIVERED;
    lane->out.cause = (char *) text.data;

    ngx_memcpy(lane->out.steps, lane->job.steps, sizeof(lane->out.steps));

    lane->out.steps[B24_STEP_STAGE] = B24_STEP_DONE;

    if (lane->job.steps[B24_STEP_UPDATE] != B24_STEP_OPEN) {
        lane->out.steps[B24_STEP_UPDATE] = B24_STEP_DONE;
    }

    ngx_http_b24_later_seen(lane);

    /* nothing was asked where nothing was to be done */

    if (lane->stage != NGX_HTTP_B24_LANE_CLAIM) {
        ngx_http_b24_lane_good(lane);
    }

    if (changed) {
        ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                      "b24: %s was changed in the shop: %V", lane->job.key,
                      &text);

    } else {
        ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                      "b24: %s has a new status: %V", lane->job.key, &text);
    }

    ngx_http_b24_lane_put(lane);
}


/* what the next change will be compared with */

static void
ngx_http_b24_later_seen(ngx_http_b24_lane_t *lane)
{
    b24_queue_seen_t  *seen, *had;
    b24_crm_update_t  *update;

    if (lane->set.update == B24_UPDATE_OFF || !lane->order->read) {
        return;
    }

    seen = &lane->seen;
    had = &lane->job.seen;
    update = &lane->update;

    seen->total = lane->order->had.total.len ? lane->order->had.total
                                             : had->total;
    seen->goods = lane->order->had.goods.len ? lane->order->had.goods
                                             : had->goods;

    seen->sent_total = had->sent_total;
    seen->sent_rows = had->sent_rows;

    if (update->left) {
        return;
    }

    if (update->total && update->taken.len == 0) {
        seen->sent_total = update->sent_total;
    }

    if (update->rows) {
        seen->sent_rows = update->sent_rows;
    }
}
