
/* The last 24 hours of one origin as a small picture, and in words. */


#include "ngx_http_b24_desk.h"


/* a point is so wide and the picture so high; the page stretches it */
#define NGX_HTTP_B24_CHART_STEP    5
#define NGX_HTTP_B24_CHART_WIDTH   (NGX_HTTP_B24_DAY / B24_QUEUE_POINT_MS     \
                                    * NGX_HTTP_B24_CHART_STEP)
#define NGX_HTTP_B24_CHART_HEIGHT  100


typedef struct {
    int64_t  accepted;          /* in all */
    int64_t  delivered;
    int64_t  bar;               /* the highest one */
    int64_t  waiting;           /* at most */
} ngx_http_b24_chart_t;


static void ngx_http_b24_chart_sums(ngx_http_b24_desk_t *desk,
    ngx_str_t *origin, ngx_http_b24_chart_t *c);
static void ngx_http_b24_chart_picture(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, ngx_str_t *origin, ngx_http_b24_chart_t *c);
static void ngx_http_b24_chart_axis(ngx_http_b24_desk_t *desk, b24_buf_t *out);
static int64_t ngx_http_b24_chart_x(ngx_http_b24_desk_t *desk, int64_t time);
static void ngx_http_b24_chart_bar(b24_buf_t *out, const char *name,
    int64_t x, int64_t n, int64_t max);
static void ngx_http_b24_chart_waiting(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, ngx_str_t *origin, ngx_http_b24_chart_t *c);
static void ngx_http_b24_chart_key(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, ngx_http_b24_word_e word, int64_t n, const char *mark);
static void ngx_http_b24_chart_words(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, ngx_http_b24_chart_t *c, ngx_uint_t marks);


void
ngx_http_b24_html_chart(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_str_t *origin)
{
    ngx_http_b24_chart_t  c;

    ngx_http_b24_chart_sums(desk, origin, &c);

    if (c.bar == 0 && c.waiting == 0) {
        return;
    }

    b24_buf_adds(out, "<figure>");
    ngx_http_b24_chart_picture(desk, out, origin, &c);
    ngx_http_b24_chart_axis(desk, out);
    b24_buf_adds(out, "<figcaption>");
    ngx_http_b24_chart_words(desk, out, &c, 1);
    b24_buf_adds(out, "</figcaption></figure>\n");
}


static void
ngx_http_b24_chart_sums(ngx_http_b24_desk_t *desk, ngx_str_t *origin,
    ngx_http_b24_chart_t *c)
{
    size_t              i;
    b24_queue_point_t  *p;

    ngx_memzero(c, sizeof(ngx_http_b24_chart_t));

    for (i = 0; i < desk->npoints; i++) {
        p = &desk->points[i];

        if (!b24_str_eq(&p->origin, origin)) {
            continue;
        }

        c->accepted += p->accepted;
        c->delivered += p->delivered;
        c->bar = ngx_max(c->bar, p->accepted);
        c->bar = ngx_max(c->bar, p->delivered);
        c->waiting = ngx_max(c->waiting, p->waiting);
    }
}


static void
ngx_http_b24_chart_picture(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_str_t *origin, ngx_http_b24_chart_t *c)
{
    size_t              i;
    int64_t             x;
    b24_queue_point_t  *p;

    b24_buf_adds(out, "<svg role=\"img\" preserveAspectRatio=\"none\" "
                 "viewBox=\"0 0 ");
    b24_buf_addi(out, NGX_HTTP_B24_CHART_WIDTH);
    b24_buf_addc(out, ' ');
    b24_buf_addi(out, NGX_HTTP_B24_CHART_HEIGHT);
    b24_buf_adds(out, "\" aria-label=\"");
    ngx_http_b24_chart_words(desk, out, c, 0);
    b24_buf_adds(out, "\">");

    /* a line every six hours, and the ground */

    for (x = 0; x <= NGX_HTTP_B24_CHART_WIDTH;
         x += NGX_HTTP_B24_CHART_WIDTH / 4)
    {
        b24_buf_adds(out, "<path class=\"x\" d=\"M");
        b24_buf_addi(out, x);
        b24_buf_adds(out, " 0V");
        b24_buf_addi(out, NGX_HTTP_B24_CHART_HEIGHT);
        b24_buf_adds(out, "\"/>");
    }

    b24_buf_adds(out, "<path class=\"x\" d=\"M0 ");
    b24_buf_addi(out, NGX_HTTP_B24_CHART_HEIGHT);
    b24_buf_addc(out, 'H');
    b24_buf_addi(out, NGX_HTTP_B24_CHART_WIDTH);
    b24_buf_adds(out, "\"/>");

    for (i = 0; i < desk->npoints; i++) {
        p = &desk->points[i];

        if (b24_str_eq(&p->origin, origin)) {
            x = ngx_http_b24_chart_x(desk, p->time);

            ngx_http_b24_chart_bar(out, "a", x - 4, p->accepted, c->bar);
            ngx_http_b24_chart_bar(out, "d", x - 2, p->delivered, c->bar);
        }
    }

    if (c->waiting) {
        ngx_http_b24_chart_waiting(desk, out, origin, c);
    }

    b24_buf_adds(out, "</svg>");
}


static void
ngx_http_b24_chart_axis(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    int64_t  hours;

    b24_buf_adds(out, "<div class=\"axis\" aria-hidden=\"true\">");

    for (hours = 24; hours > 0; hours -= 12) {
        b24_buf_adds(out, "<span>&minus;");
        b24_buf_addi(out, hours);
        b24_buf_addc(out, ' ');
        ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_HOURS);
        b24_buf_adds(out, "</span>");
    }

    b24_buf_adds(out, "<span>");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_CHART_NOW);
    b24_buf_adds(out, "</span></div>");
}


static int64_t
ngx_http_b24_chart_x(ngx_http_b24_desk_t *desk, int64_t time)
{
    int64_t  x;

    x = NGX_HTTP_B24_CHART_WIDTH - (desk->now - time)
        * NGX_HTTP_B24_CHART_STEP / B24_QUEUE_POINT_MS;

    x = ngx_max(x, 4);

    return ngx_min(x, NGX_HTTP_B24_CHART_WIDTH);
}


static void
ngx_http_b24_chart_bar(b24_buf_t *out, const char *name, int64_t x, int64_t n,
    int64_t max)
{
    int64_t  height;

    if (n == 0) {
        return;
    }

    height = n * (NGX_HTTP_B24_CHART_HEIGHT - 4) / max;
    height = ngx_max(height, 2);

    b24_buf_adds(out, "<path class=\"");
    b24_buf_adds(out, name);
    b24_buf_adds(out, "\" d=\"M");
    b24_buf_addi(out, x);
    b24_buf_addc(out, ' ');
    b24_buf_addi(out, NGX_HTTP_B24_CHART_HEIGHT);
    b24_buf_adds(out, "v-");
    b24_buf_addi(out, height);
    b24_buf_adds(out, "h2v");
    b24_buf_addi(out, height);
    b24_buf_adds(out, "z\"/>");
}


/* on a scale of its own: a backlog may be far more than what comes at once */

static void
ngx_http_b24_chart_waiting(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_str_t *origin, ngx_http_b24_chart_t *c)
{
    size_t              i;
    ngx_uint_t          n;
    b24_queue_point_t  *p;

    b24_buf_adds(out, "<polyline class=\"w\" points=\"");

    for (i = 0, n = 0; i < desk->npoints; i++) {
        p = &desk->points[i];

        if (!b24_str_eq(&p->origin, origin)) {
            continue;
        }

        b24_buf_adds(out, n++ ? " " : "");
        b24_buf_addi(out, ngx_http_b24_chart_x(desk, p->time));
        b24_buf_addc(out, ',');
        b24_buf_addi(out, NGX_HTTP_B24_CHART_HEIGHT - 2
                     - p->waiting * (NGX_HTTP_B24_CHART_HEIGHT - 6)
                       / c->waiting);
    }

    b24_buf_adds(out, "\"/>");
}


static void
ngx_http_b24_chart_words(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_chart_t *c, ngx_uint_t marks)
{
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_CHART);
    b24_buf_adds(out, ": ");
    ngx_http_b24_chart_key(desk, out, NGX_HTTP_B24_W_CHART_ACCEPTED,
                           c->accepted, marks ? "k1\" aria-hidden=\"true\">"
                                                "&#9632;" : NULL);
    b24_buf_adds(out, ", ");
    ngx_http_b24_chart_key(desk, out, NGX_HTTP_B24_W_CHART_DELIVERED,
                           c->delivered, marks ? "k2\" aria-hidden=\"true\">"
                                                 "&#9632;" : NULL);
    b24_buf_adds(out, ", ");
    ngx_http_b24_chart_key(desk, out, NGX_HTTP_B24_W_CHART_WAITING,
                           c->waiting, marks ? "k3\" aria-hidden=\"true\">"
                                               "&mdash;" : NULL);
}


/* one line is not broken between a mark and its number; mark NULL: no markup */

static void
ngx_http_b24_chart_key(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_word_e word, int64_t n, const char *mark)
{
    if (mark) {
        b24_buf_adds(out, "<span class=\"u\"><span class=\"");
        b24_buf_adds(out, mark);
        b24_buf_adds(out, "</span> ");
    }

    ngx_http_b24_html_word(desk, out, word);
    b24_buf_addc(out, ' ');
    b24_buf_addi(out, n);
    b24_buf_adds(out, mark ? "</span>" : "");
}
