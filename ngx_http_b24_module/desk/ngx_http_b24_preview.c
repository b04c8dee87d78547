
/*
 * The dry run of one order: what was sent of it, or would be now.  Nothing of
 * the portal is asked, so a contact that it has is not known here.
 */


#include "ngx_http_b24_courier.h"
#include "ngx_http_b24_desk.h"

#include "b24_preview.h"


static void ngx_http_b24_preview_job(b24_queue_record_t *record,
    b24_queue_job_t *job);
static void ngx_http_b24_html_params(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_node_t *node, b24_str_t *path);


/* a page without commands is still a page: what fails leaves none */

void
ngx_http_b24_desk_preview(ngx_http_b24_desk_t *desk, b24_queue_t *q)
{
    b24_buf_t               out;
    b24_order_t            *order;
    b24_preview_t           preview;
    b24_queue_job_t         job;
    b24_queue_record_t     *record;
    b24_crm_settings_t      set;
    ngx_http_b24_origin_t  *o;

    record = &desk->records[0];
    o = ngx_http_b24_origin_find(&ngx_http_b24_main->origins,
                                 &record->origin);

    if (o == NULL || record->data.len == 0
        || b24_queue_peek(q, desk->pool, record->key, &job) != B24_QUEUE_OK
        || b24_order_parse(desk->pool, &record->data, &order) != B24_OK
        || ngx_http_b24_crm_settings(desk->pool, o, &order->shop, &set)
           != NGX_OK)
    {
        return;
    }

    ngx_http_b24_preview_job(record, &job);

    ngx_memzero(&preview, sizeof(b24_preview_t));

    preview.set = &set;
    preview.job = &job;
    preview.order = order;
    preview.retry = (job.kind == B24_EV_NEW && job.attempts > 0);
    preview.reveal = desk->reveal;

    b24_buf_init(&out, desk->pool);

    if (b24_preview(desk->pool, &preview, &out) != B24_OK
        || b24_buf_str(&out, &desk->commands) != B24_OK)
    {
        ngx_str_null(&desk->commands);
    }
}


/*
 * Of an order that is through all of its commands are shown, as of one that
 * nothing is known of; of one that has come halfway those that are left.
 */

static void
ngx_http_b24_preview_job(b24_queue_record_t *record, b24_queue_job_t *job)
{
    switch (record->state) {

    case B24_STATE_ACCEPTED:
    case B24_STATE_SENDING:
    case B24_STATE_WAITING:
    case B24_STATE_PARKED:

        if (job->kind == B24_EV_NEW || job->kind == B24_EV_STATUS) {
            return;
        }

        break;

    default:
        break;
    }

    job->kind = B24_EV_NEW;
    job->attempts = 0;
    job->deal_id = 0;
    job->contact_id = 0;
    job->company_id = 0;
    ngx_memzero(job->steps, sizeof(job->steps));
}


/* each with its parameters, a line for each; open while nothing was sent */

void
ngx_http_b24_html_commands(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    b24_str_t    none = b24_null_string;
    b24_node_t  *root, *command, *method, *params;

    static const b24_str_t  method_key = b24_string("method");
    static const b24_str_t  params_key = b24_string("params");

    if (desk->commands.len == 0
        || b24_json_parse(desk->pool, &desk->commands, 0, &root) != B24_OK)
    {
        return;
    }

    b24_buf_adds(out, "<section><h2>");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_COMMANDS);
    b24_buf_adds(out, "</h2><details");
    b24_buf_adds(out, desk->records[0].attempts ? "" : " open");
    b24_buf_adds(out, "><summary>");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_SHOW);
    b24_buf_adds(out, "</summary><ol class=\"list\">");

    for (command = root->first; command; command = command->next) {
        method = b24_node_get(command, &method_key);
        params = b24_node_get(command, &params_key);

        if (method == NULL || params == NULL) {
            continue;
        }

        b24_buf_adds(out, "<li><code>");
        ngx_http_b24_html_text(out, &method->value);
        b24_buf_adds(out, "</code>");

        if (params->first) {
            b24_buf_adds(out, "<dl class=\"params\" lang=\"en\">");
            ngx_http_b24_html_params(desk, out, params, &none);
            b24_buf_adds(out, "</dl>");
        }

        b24_buf_adds(out, "</li>\n");
    }

    b24_buf_adds(out, "</ol></details></section>\n");
}


/* "fields.PHONE.0.VALUE" and what it is; path: of the node, empty: the first */

static void
ngx_http_b24_html_params(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    b24_node_t *node, b24_str_t *path)
{
    int64_t      n;
    b24_buf_t    buf;
    b24_str_t    text;
    b24_node_t  *child;

    if (node->first == NULL) {
        b24_buf_adds(out, "<dt>");
        ngx_http_b24_html_text(out, path);
        b24_buf_adds(out, "</dt><dd>");

        if (b24_node_text(node, &text) == B24_OK) {
            ngx_http_b24_html_text(out, &text);
        }

        b24_buf_adds(out, "</dd>");
        return;
    }

    for (child = node->first, n = 0; child; child = child->next, n++) {
        b24_buf_init(&buf, desk->pool);

        if (path->len) {
            b24_buf_addstr(&buf, path);
            b24_buf_addc(&buf, '.');
        }

        if (node->type == B24_ARRAY) {
            b24_buf_addi(&buf, n);

        } else {
            b24_buf_addstr(&buf, &child->key);
        }

        if (b24_buf_str(&buf, &text) != B24_OK) {
            out->failed = 1;
            return;
        }

        ngx_http_b24_html_params(desk, out, child, &text);
    }
}
