
/* Text as shops send it: charsets, entities, tags, percent codes, paths. */


#ifndef _B24_TEXT_H_INCLUDED_
#define _B24_TEXT_H_INCLUDED_


#include "b24_base.h"


#define B24_UTF8_BAD          0xffffffff
#define B24_UTF8_REPLACEMENT  0xfffd


/*
 * Every *dst lives in the pool, ends with a zero byte that len does not count,
 * and may replace its source.  Functions return B24_OK, or B24_ERROR when
 * memory is out, and B24_DECLINED only where they say so.
 */


/* the first byte that is none of a JSON text as it is: a quote, a backslash, a
 * control character; or any of these and what is no ASCII; or only that; end
 * when there is none */
const u_char *b24_text_plain(const u_char *p, const u_char *end);
const u_char *b24_text_simple(const u_char *p, const u_char *end);
const u_char *b24_text_ascii(const u_char *p, const u_char *end);

/* strict: no overlong forms, no surrogates, nothing above U+10FFFF */
int b24_utf8_valid(const b24_str_t *s);

/*
 * The character at *p, which is below end, as strictly; *p moves behind it.
 * B24_UTF8_BAD when there is none: *p then moves over the bytes that one U+FFFD
 * stands for (Unicode 15, 3.9, "maximal subpart").
 */
uint32_t b24_utf8_next(const u_char **p, const u_char *end);

/* 1 .. 4 bytes at buf; what is no character is written as U+FFFD */
size_t b24_utf8_encode(u_char *buf, uint32_t c);

/*
 * *dst is valid UTF-8 without NUL and other control characters than \t and \n
 * (\r\n and \r become \n).  Valid UTF-8 is taken as it is whatever charset
 * says; otherwise charset (the usual names of single-byte and East Asian ones,
 * may be empty), else windows-1251; bytes that fit nowhere become U+FFFD.
 */
int b24_text_utf8(b24_pool_t *pool, const b24_str_t *src,
    const b24_str_t *charset, b24_str_t *dst);

/* the charset parameter of a Content-Type, empty when there is none */
void b24_text_charset(const b24_str_t *content_type, b24_str_t *charset);

/* HTML entities decoded once: the named ones of HTML 4 and &apos;, decimal,
 * hexadecimal; unknown ones and those without ";" stay as they are; control
 * characters are not decoded into being, but for \t and \n */
int b24_text_entities(b24_pool_t *pool, const b24_str_t *src, b24_str_t *dst);

/* src is UTF-8: tags, comments, script and style elements removed, entities
 * decoded, runs of blanks (U+00A0, U+2009, U+202F as well) become one space,
 * ends trimmed; br and both ends of blocks count as blanks */
int b24_text_strip(b24_pool_t *pool, const b24_str_t *src, b24_str_t *dst);

/* one pass of percent-decoding, "+" kept; broken codes stay; %00 gives a zero
 * byte */
int b24_text_unescape(b24_pool_t *pool, const b24_str_t *src, b24_str_t *dst);

/* percent-decoding until stable, at most twice (order numbers in URLs) */
int b24_text_unescape_id(b24_pool_t *pool, const b24_str_t *src,
    b24_str_t *dst);

/* RFC 3986: every byte but unreserved ones becomes %XX */
void b24_text_escape(b24_buf_t *out, const b24_str_t *src);

/*
 * The path of a request target as the client sent it ("/a%20b//../c?x=1" or
 * absolute form): query and fragment cut, decoded once, "//" merged, "." and
 * ".." resolved, as nginx does it.  *args is the raw query and points into
 * target.  B24_DECLINED when it leads above the root, has a broken or NUL code,
 * or is no path ("*").
 */
int b24_text_target(b24_pool_t *pool, const b24_str_t *target,
    b24_str_t *path, b24_str_t *args);

/* cuts s, in place of the length only, to at most max bytes without splitting
 * a UTF-8 character */
void b24_text_cut(b24_str_t *s, size_t max);


/*
 * gzip (several members too), zlib or raw deflate, told apart by what src
 * holds; dst gets at most max bytes.  B24_DECLINED: broken, cut short (an empty
 * src is), or larger than max.  Bytes behind a whole gzip or zlib stream are
 * ignored, as browsers do.
 */
int b24_inflate(b24_pool_t *pool, const b24_str_t *src, size_t max,
    b24_str_t *dst);


#endif /* _B24_TEXT_H_INCLUDED_ */
