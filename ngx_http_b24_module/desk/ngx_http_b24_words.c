
/*
 * The languages of the page: its own words, and a table for sentences that
 * other rooms write in English.
 */


#include "ngx_http_b24_desk.h"
#include "b24_order.h"


#define NGX_HTTP_B24_PARTS  4       /* of a sentence that differ */


static ngx_uint_t ngx_http_b24_said_piece(ngx_http_b24_desk_t *desk,
    b24_buf_t *out, const b24_str_t *text);
static ngx_uint_t ngx_http_b24_said_shorter(b24_str_t *text);
static ngx_uint_t ngx_http_b24_said_like(const char *pattern,
    const b24_str_t *text, b24_str_t *parts);
static ngx_uint_t ngx_http_b24_language_quality(u_char *p, u_char *last);


#define NGX_HTTP_B24_X(id, en, ru)  { en, ru },
static const char  *ngx_http_b24_words[][NGX_HTTP_B24_NLANGS] = {
#include "ngx_http_b24_words_x.h"
};
#undef NGX_HTTP_B24_X


#define NGX_HTTP_B24_X(en, ru)  { en, ru },
static const char  *ngx_http_b24_said[][NGX_HTTP_B24_NLANGS] = {
#include "ngx_http_b24_said_x.h"
#include "ngx_http_b24_said_shop_x.h"
};
#undef NGX_HTTP_B24_X


/* in English they are the names that everything else has */

static const char  *ngx_http_b24_states_ru[B24_NSTATES] = {
    [B24_STATE_CAPTURED] = "ждёт магазин",
    [B24_STATE_ACCEPTED] = "принят",
    [B24_STATE_SENDING] = "отправляется",
    [B24_STATE_WAITING] = "ждёт",
    [B24_STATE_PARKED] = "отложен",
    [B24_STATE_UNCONFIRMED] = "не подтверждён",
    [B24_STATE_DELIVERED] = "доставлен",
    [B24_STATE_REJECTED] = "отклонён",
    [B24_STATE_DUPLICATE] = "повтор"
};


static const char  *ngx_http_b24_fields_ru[B24_ORDER_NFIELDS] = {
    [B24_ORDER_ID] = "номер",
    [B24_ORDER_ROW] = "ключ в базе",
    [B24_ORDER_NAME] = "имя",
    [B24_ORDER_FIRST_NAME] = "имя",
    [B24_ORDER_SECOND_NAME] = "отчество",
    [B24_ORDER_LAST_NAME] = "фамилия",
    [B24_ORDER_PHONE] = "телефон",
    [B24_ORDER_EMAIL] = "почта",
    [B24_ORDER_COMPANY] = "компания",
    [B24_ORDER_INN] = "ИНН",
    [B24_ORDER_KPP] = "КПП",
    [B24_ORDER_ADDRESS] = "адрес",
    [B24_ORDER_COMMENT] = "комментарий",
    [B24_ORDER_CURRENCY] = "валюта",
    [B24_ORDER_TOTAL] = "сумма",
    [B24_ORDER_DELIVERY] = "доставка",
    [B24_ORDER_DISCOUNT] = "скидка",
    [B24_ORDER_TAX] = "налог",
    [B24_ORDER_MINOR_UNITS] = "знаков после запятой",
    [B24_ORDER_STATUS] = "статус",
    [B24_ORDER_CANCELED] = "отменён",
    [B24_ORDER_PAID] = "оплачен",
    [B24_ORDER_SHIPPED] = "отгружен"
};


/*
 * The first of our languages among those that are wanted most; English when
 * none is.
 */

ngx_http_b24_lang_e
ngx_http_b24_language(ngx_http_request_t *r)
{
    u_char               *p, *last, *end;
    ngx_uint_t            q, best;
    ngx_table_elt_t      *h;
    ngx_http_b24_lang_e   lang, found;

    found = NGX_HTTP_B24_EN;
    best = 0;

    h = ngx_http_b24_desk_header(r, "accept-language");
    if (h == NULL) {
        return found;
    }

    last = h->value.data + h->value.len;

    for (p = h->value.data; p < last; p = end + 1) {

        while (p < last && *p == ' ') {
            p++;
        }

        end = ngx_strlchr(p, last, ',');
        if (end == NULL) {
            end = last;
        }

        if (end - p < 2 || (end - p > 2 && ngx_strchr("-; ", p[2]) == NULL)) {
            continue;
        }

        if (ngx_strncasecmp(p, (u_char *) "ru", 2) == 0) {
            lang = NGX_HTTP_B24_RU;

        } else if (ngx_strncasecmp(p, (u_char *) "en", 2) == 0) {
            lang = NGX_HTTP_B24_EN;

        } else {
            continue;
        }

        q = ngx_http_b24_language_quality(p, end);

        if (q > best) {
            best = q;
            found = lang;
        }
    }

    return found;
}


/* of "ru;q=0.8", in thousandths */

static ngx_uint_t
ngx_http_b24_language_quality(u_char *p, u_char *last)
{
    ngx_int_t  q;

    p = ngx_strlchr(p, last, ';');

    while (p && p < last && *p != '=') {
        p++;
    }

    if (p == NULL || p == last) {
        return 1000;
    }

    q = ngx_atofp(p + 1, last - p - 1, 3);

    return (q == NGX_ERROR || q > 1000) ? 0 : (ngx_uint_t) q;
}


const char *
ngx_http_b24_word(ngx_http_b24_desk_t *desk, ngx_http_b24_word_e word)
{
    return ngx_http_b24_words[word][desk->lang];
}


const char *
ngx_http_b24_state_word(ngx_http_b24_desk_t *desk, b24_state_e state)
{
    return (desk->lang == NGX_HTTP_B24_RU) ? ngx_http_b24_states_ru[state]
                                           : b24_state_name(state);
}


const char *
ngx_http_b24_part_word(ngx_http_b24_desk_t *desk, b24_part_e part)
{
    return ngx_http_b24_word(desk, NGX_HTTP_B24_W_PART_NONE + part);
}


const char *
ngx_http_b24_field_word(ngx_http_b24_desk_t *desk, ngx_uint_t field)
{
    return (desk->lang == NGX_HTTP_B24_RU) ? ngx_http_b24_fields_ru[field]
                                   : (char *) b24_order_names[field].data;
}


const char *
ngx_http_b24_portal_word(ngx_http_b24_desk_t *desk, const char *state)
{
    ngx_uint_t  word;

    for (word = NGX_HTTP_B24_W_PORTAL_OK; word < NGX_HTTP_B24_W_PORTAL_DRY;
         word++)
    {
        if (ngx_strcmp(ngx_http_b24_words[word][NGX_HTTP_B24_EN], state) == 0)
        {
            break;
        }
    }

    return ngx_http_b24_words[word][desk->lang];
}


/* one sentence, or several with "; " between them */

void
ngx_http_b24_html_said(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    const b24_str_t *text)
{
    b24_str_t  rest, piece;

    if (desk->lang == NGX_HTTP_B24_EN) {
        ngx_http_b24_html_text(out, text);
        return;
    }

    rest = *text;

    while (rest.len) {
        piece = rest;

        while (!ngx_http_b24_said_piece(desk, out, &piece)) {

            if (!ngx_http_b24_said_shorter(&piece)) {
                b24_buf_adds(out, "<span lang=\"en\">");
                ngx_http_b24_html_text(out, &piece);
                b24_buf_adds(out, "</span>");
                break;
            }
        }

        rest.data += piece.len;
        rest.len -= piece.len;

        if (rest.len) {
            b24_buf_adds(out, "; ");
            rest.data += 2;
            rest.len -= 2;
        }
    }
}


/* 0: there is nothing like it */

static ngx_uint_t
ngx_http_b24_said_piece(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    const b24_str_t *text)
{
    const char  *p;
    b24_str_t    parts[NGX_HTTP_B24_PARTS], s;
    ngx_uint_t   i, n;

    for (i = 0; i < sizeof(ngx_http_b24_said) / sizeof(ngx_http_b24_said[0]);
         i++)
    {
        if (!ngx_http_b24_said_like(ngx_http_b24_said[i][NGX_HTTP_B24_EN],
                                    text, parts))
        {
            continue;
        }

        n = 0;

        p = ngx_http_b24_said[i][desk->lang];

        while (*p) {

            if (*p == '*') {
                ngx_http_b24_html_text(out, &parts[n++]);
                p++;
                continue;
            }

            s.data = (u_char *) p;
            s.len = strcspn(p, "*");
            ngx_http_b24_html_text(out, &s);

            p += s.len;
        }

        return 1;
    }

    return 0;
}


/* without what stands behind the last "; "; 0: it is one sentence */

static ngx_uint_t
ngx_http_b24_said_shorter(b24_str_t *text)
{
    size_t  i;

    for (i = text->len; i > 2; i--) {

        if (text->data[i - 2] == ';' && text->data[i - 1] == ' ') {
            text->len = i - 2;
            return 1;
        }
    }

    return 0;
}


/* parts: what each "*" stands for, as short as it can be */

static ngx_uint_t
ngx_http_b24_said_like(const char *pattern, const b24_str_t *text,
    b24_str_t *parts)
{
    size_t      len;
    u_char     *p, *last, *found;
    ngx_uint_t  n;

    n = 0;
    p = text->data;
    last = p + text->len;

    for ( ;; ) {
        len = strcspn(pattern, "*");

        if ((size_t) (last - p) < len || ngx_memcmp(p, pattern, len) != 0) {
            return 0;
        }

        p += len;
        pattern += len;

        if (*pattern == '\0') {
            return p == last;
        }

        pattern++;
        len = strcspn(pattern, "*");

        if (len == 0) {
            found = last;

        } else {
            found = ngx_strlcasestrn(p, last, (u_char *) pattern, len - 1);

            if (found == NULL) {
                return 0;
            }
        }

        parts[n].data = p;
        parts[n].len = found - p;
        n++;

        p = found;
    }
}


void
ngx_http_b24_html_said_chars(ngx_http_b24_desk_t *desk, b24_buf_t *out,
    const u_char *text)
{
    b24_str_t  s;

    s.data = (u_char *) text;
    s.len = ngx_strlen(text);

    ngx_http_b24_html_said(desk, out, &s);
}
