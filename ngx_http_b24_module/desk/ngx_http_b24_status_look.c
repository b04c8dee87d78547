
/*
 * The frame of every page: its head with style and script, and its end.  Both
 * are named to the browser by their hashes, so that nothing else is run or
 * applied, whatever a text may hold (t/51-page.t says what they are).
 */


#include "ngx_http_b24_desk.h"


static const char  ngx_http_b24_style[] =
    ":root{color-scheme:light dark;--bg:#f4f6f9;--card:#fff;--ink:#1a2330;"
    "--mute:#526071;--line:#d8dee7;--link:#14529f;--okb:#e0f3e7;--ok:#0b5f34;"
    "--badb:#fde5e5;--bad:#9c1418;--warnb:#fcefd2;--warn:#6d4300;"
    "--infob:#e4ecfa;--info:#1b4a94;--c1:#1f5fbf;--c2:#117a43;--c3:#9a5f00}"
    "@media(prefers-color-scheme:dark){:root{--bg:#10141a;--card:#19202a;"
    "--ink:#e7ecf3;--mute:#a6b3c3;--line:#303b48;--link:#8bb9ff;"
    "--okb:#123524;--ok:#7fe0a8;--badb:#451a1d;--bad:#ffa3a3;--warnb:#3b2d0d;"
    "--warn:#f4c86c;--infob:#1b2d4d;--info:#abcaff;--c1:#6aa6ff;--c2:#4fcf8b;"
    "--c3:#f0b64a}}"
    "*{box-sizing:border-box}"
    "body{font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif;"
    "margin:0 auto;padding:0 1rem 2rem;max-width:66rem;background:var(--bg);"
    "color:var(--ink);overflow-wrap:anywhere}"
    "a{color:var(--link)}p{margin:.3rem 0}"
    "header{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;align-items:center;"
    "justify-content:space-between;padding:1rem 0}"
    "h1{font-size:1.3rem;margin:0}h1 a{color:inherit;text-decoration:none}"
    "h2{font-size:1.1rem;margin:0 0 .5rem}"
    "h3{font-size:1rem;margin:1rem 0 .3rem}bdi{display:inline-block}"
    "section,.now{background:var(--card);border:1px solid var(--line);"
    "border-radius:.75rem;padding:1rem 1.15rem;margin:0 0 1rem}"
    ".now{font-size:1.2rem;font-weight:600;border-left:.5rem solid;"
    "text-wrap:balance}.u,dd small{white-space:nowrap}"
    ".list+.mute{margin-top:.8rem}"
    ".now.ok{background:var(--okb);color:var(--ok)}"
    ".now.bad{background:var(--badb);color:var(--bad)}"
    ".now.warn{background:var(--warnb);color:var(--warn)}"
    ".lead{font-size:1.05rem}.mute,small,footer{color:var(--mute)}"
    "small,footer{font-size:.85rem}"
    "b.s{font-weight:600;font-size:.85rem;padding:.1rem .55rem;"
    "border-radius:1rem;white-space:nowrap;background:var(--infob);"
    "color:var(--info)}"
    "b.ok,b.delivered{background:var(--okb);color:var(--ok)}"
    "b.parked,b.blocked,b.unconfirmed,b.failing{background:var(--badb);"
    "color:var(--bad)}"
    "b.waiting,b.retrying,b.throttled,b.paused{background:var(--warnb);"
    "color:var(--warn)}"
    "ul,ol{list-style:none;margin:0;padding:0}"
    ".n{display:flex;flex-wrap:wrap;gap:.4rem;margin:.7rem 0}"
    ".n li{border:1px solid var(--line);border-radius:.5rem;"
    "padding:.15rem .6rem;color:var(--mute);font-size:.9rem}"
    ".n b{color:var(--ink);font-size:1.05rem}.n a{text-decoration:none;"
    "color:inherit}.n .z b{color:inherit;font-weight:400}"
    ".n li:has(a):hover{border-color:var(--link)}"
    ".list>li{border-top:1px solid var(--line);padding:.65rem 0}"
    ".list>li:first-child{border-top:0;padding-top:.2rem}"
    ".list>li:last-child{padding-bottom:0}.acts small{align-self:center}"
    ".row{display:flex;flex-wrap:wrap;gap:.25rem .9rem;align-items:center}"
    ".row .no{font-weight:600}.row time,.row .at{margin-left:auto;"
    "color:var(--mute);font-size:.85rem}"
    ".acts{display:flex;flex-wrap:wrap;gap:.5rem;margin-top:.5rem;"
    "align-items:flex-start}.acts form{margin:0}"
    "button,summary,input{font:inherit;border-radius:.5rem;"
    "border:1px solid var(--line);padding:.3rem .8rem;min-height:2.4rem;"
    "background:var(--bg);color:var(--ink)}"
    "button,summary{cursor:pointer;font-size:.95rem}"
    "button:hover,summary:hover{border-color:var(--link)}"
    "summary{list-style:none;display:inline-flex;align-items:center}"
    "summary::-webkit-details-marker{display:none}"
    "details[open]{flex-basis:100%;border:1px solid var(--line);"
    "border-radius:.6rem;padding:.6rem .8rem}"
    "details[open] button{background:var(--link);color:var(--card);"
    "border-color:var(--link);font-weight:600}"
    "details p{margin:.5rem 0}"
    "a:focus-visible,button:focus-visible,summary:focus-visible,"
    "input:focus-visible{outline:3px solid var(--link);outline-offset:2px}"
    "[role=search]{display:flex;flex-wrap:wrap;gap:.4rem;align-items:center}"
    "[role=search] input{width:11rem;background:var(--card)}"
    "dl{display:grid;grid-template-columns:fit-content(40%) 1fr;gap:.2rem 1rem;"
    "margin:.3rem 0}dt{color:var(--mute)}dd{margin:0;min-width:0}"
    "svg{width:100%;height:5rem;display:block}figure{margin:.8rem 0 0}"
    ".params{font-size:.85rem;margin:.3rem 0 0 .8rem}"
    ".back{margin:0 0 .6rem}"
    ".axis{display:flex;justify-content:space-between;font-size:.8rem;"
    "color:var(--mute)}"
    "figcaption{font-size:.85rem;color:var(--mute)}"
    ".k1{color:var(--c1)}.k2{color:var(--c2)}.k3{color:var(--c3)}"
    ".a{fill:var(--c1)}.d{fill:var(--c2)}.w{fill:none;stroke:var(--c3);"
    "stroke-width:2;vector-effect:non-scaling-stroke}.x{stroke:var(--line)}"
    "#off{background:var(--warnb);color:var(--warn);border-radius:.5rem;"
    "padding:.5rem .8rem}"
    "@media(max-width:34rem){[role=search]{width:100%}"
    "[role=search] input{flex:1;width:6rem}[role=search] label{flex-basis:100%}"
    ".row time,.row .at{margin-left:0;flex-basis:100%}"
    ".params{grid-template-columns:1fr;gap:0}.params dd{margin-bottom:.4rem}}";


/*
 * Every few seconds, when somebody looks and confirms nothing: the same page
 * again, of which only what has changed takes its place.
 */

static const char  ngx_http_b24_script[] =
    "(function(){'use strict';"
    "var d=document,m=d.querySelector('main'),off=d.getElementById('off'),"
    "f=new Intl.DateTimeFormat(d.documentElement.lang,{day:'numeric',"
    "month:'short',hour:'2-digit',minute:'2-digit',second:'2-digit'}),had;"
    "function times(e){e.querySelectorAll('time').forEach(function(t){"
    "t.textContent=f.format(new Date(t.dateTime))})}"
    "function texts(e){return Array.from(e.children,function(c){"
    "return c.outerHTML})}"
    "function busy(){return d.hidden||d.querySelector('details[open] form')||"
    "String(getSelection())}"
    "function swap(a,b){var h=a.contains(d.activeElement)&&"
    "d.activeElement.outerHTML;a.replaceWith(b);times(b);"
    "if(h){Array.from(b.querySelectorAll('a,button,summary')).some(function(e){"
    "if(e.outerHTML===h){e.focus({preventScroll:true});return true}})}}"
    "function take(text){"
    "var p=new DOMParser().parseFromString(text,'text/html'),"
    "n=p.querySelector('main'),t,c;if(!n){return}t=texts(n);"
    "if(t.length!==had.length){"
    "m.replaceChildren.apply(m,Array.from(n.children));"
    "times(m)}else{c=Array.from(n.children);Array.from(m.children).forEach("
    "function(e,i){if(t[i]===had[i]){return}if(e.id==='now'){"
    "e.className=c[i].className;e.textContent=c[i].textContent;return}"
    "swap(e,c[i])})}had=t}"
    "function look(){if(busy()){return}fetch(location.href,{cache:'no-store',"
    "headers:{Accept:'text/html'}}).then(function(r){if(!r.ok){throw r}"
    "return r.text()}).then(function(t){off.hidden=true;if(!busy()){take(t)}},"
    "function(){off.hidden=false})}"
    "if(m.dataset.live){had=texts(m);setInterval(look,m.dataset.live*1000);"
    "d.addEventListener('visibilitychange',look)}times(d)})()";


ngx_str_t  ngx_http_b24_policy = ngx_string(
    "default-src 'none'; "
    "style-src 'sha256-vMLbYQSk/AmAFsOU9rMDLzHwl9QYjLqRgcO+CMGyEmQ='; "
    "script-src 'sha256-Xj4+rJPWo8sJMYcbdAoOL95drRbM2umFveUcfa4IjZI='; "
    "connect-src 'self'; img-src data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'");


void
ngx_http_b24_html_begin(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_uint_t live)
{
    b24_buf_adds(out, "<!DOCTYPE html>\n<html lang=\"");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_LANG);
    b24_buf_adds(out, "\"><head><meta charset=\"utf-8\">"
                 "<meta name=\"viewport\" content=\"width=device-width,"
                 "initial-scale=1\"><meta name=\"robots\" content=\"noindex\">"
                 "<link rel=\"icon\" href=\"data:,\"><title>");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_TITLE);
    b24_buf_adds(out, "</title><style>");
    b24_buf_adds(out, ngx_http_b24_style);
    b24_buf_adds(out, "</style></head>\n<body><header><h1><a href=\"");
    ngx_http_b24_html_home(desk, out);
    b24_buf_adds(out, "\">");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_TITLE);
    b24_buf_adds(out, "</a></h1>\n<form role=\"search\" method=\"get\" "
                 "action=\"");
    ngx_http_b24_html_home(desk, out);
    b24_buf_adds(out, "\"><label for=\"q\">");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_SEARCH);
    b24_buf_adds(out, "</label><input id=\"q\" type=\"search\" name=\"order\" "
                 "required value=\"");

    if (desk->searched) {
        ngx_http_b24_html_text(out, &desk->key);
    }

    b24_buf_adds(out, "\">");

    if (desk->norigins == 1 && desk->origins == &desk->order_origin) {
        b24_buf_adds(out, "<input type=\"hidden\" name=\"origin\" value=\"");
        ngx_http_b24_html_text(out, &desk->order_origin);
        b24_buf_adds(out, "\">");
    }

    b24_buf_adds(out, "<button>");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_FIND);
    b24_buf_adds(out, "</button></form></header>\n"
                 "<p id=\"off\" role=\"status\" hidden>");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_STALE);
    b24_buf_adds(out, live ? "</p>\n<main data-live=\"5\">\n"
                           : "</p>\n<main>\n");
}


void
ngx_http_b24_html_end(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    b24_buf_adds(out, "<p class=\"mute\"><small>");
    ngx_http_b24_html_word(desk, out, NGX_HTTP_B24_W_AS_OF);
    b24_buf_addc(out, ' ');
    ngx_http_b24_html_time(out, desk->now);
    b24_buf_adds(out, "</small></p>\n</main>\n<footer>ngx_http_b24_module "
                 NGX_HTTP_B24_VERSION "</footer>\n<script>");
    b24_buf_adds(out, ngx_http_b24_script);
    b24_buf_adds(out, "</script></body></html>\n");
}


/* the address of the front page */

void
ngx_http_b24_html_home(ngx_http_b24_desk_t *desk, b24_buf_t *out)
{
    ngx_http_b24_html_text(out, &desk->prefix);
    b24_buf_adds(out, desk->prefix.len ? "" : "/");
}


/* of a record's page; a location without addresses below it finds it, too */

void
ngx_http_b24_html_order_home(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    const char *key)
{
    ngx_http_b24_html_text(out, &desk->prefix);
    b24_buf_adds(out, desk->exact ? "?order=" : "/orders/");
    b24_buf_adds(out, key);
}


void
ngx_http_b24_html_word(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    ngx_http_b24_word_e word)
{
    b24_buf_adds(out, ngx_http_b24_word(desk, word));
}


/* a script turns it into the reader's own time */

void
ngx_http_b24_html_time(b24_buf_t *out, int64_t ms)
{
    ngx_tm_t  tm;
    u_char    text[sizeof("2026-11-23 12:00:00 UTC")];

    b24_buf_adds(out, "<time datetime=\"");
    ngx_http_b24_desk_time(out, ms);
    b24_buf_adds(out, "\">");

    ngx_gmtime((time_t) (ms / 1000), &tm);

    (void) ngx_sprintf(text, "%4d-%02d-%02d %02d:%02d:%02d UTC%Z",
                       tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                       tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec);

    b24_buf_adds(out, (char *) text);
    b24_buf_adds(out, "</time>");
}


/* what no text of a document may hold shows as U+FFFD */

void
ngx_http_b24_html_text(b24_buf_t *out, const b24_str_t *text)
{
    uint32_t       c;
    const u_char  *p, *from, *last;

    p = text->data;
    last = text->len ? p + text->len : p;

    while (p < last) {
        from = p;
        c = b24_utf8_next(&p, last);

        switch (c) {

        case '<':
            b24_buf_adds(out, "&lt;");
            break;

        case '>':
            b24_buf_adds(out, "&gt;");
            break;

        case '&':
            b24_buf_adds(out, "&amp;");
            break;

        case '"':
            b24_buf_adds(out, "&quot;");
            break;

        case '\'':
            b24_buf_adds(out, "&#39;");
            break;

        case '\t':
        case '\n':
            b24_buf_addc(out, (u_char) c);
            break;

        default:

            if (c < ' ' || (c >= 0x7f && c < 0xa0) || c == B24_UTF8_BAD) {
                b24_buf_adds(out, "\xef\xbf\xbd");
                break;
            }

            b24_buf_add(out, from, p - from);
        }
    }
}
