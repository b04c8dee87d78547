
/* Text as shops send it: charsets, entities, tags, percent codes, paths. */


#ifndef _B24_TEXT_H_INCLUDED_
#define _B24_TEXT_H_INCLUDED_


#include "b24_base.h"


/* strict: no overlong forms, no surrogates, nothing above U+10FFFF */
int b24_utf8_valid(const b24_str_t *s);

/*
 * *dst is valid UTF-8 without NUL and other control characters than \t and \n
 * (\r\n and \r become \n).  Valid UTF-8 is taken as it is whatever charset
 * says; otherwise charset (a name for iconv, may be empty), else
 * windows-1251; bytes that fit nowhere become U+FFFD.
 */
int b24_text_utf8(b24_pool_t *pool, const b24_str_t *src,
    const b24_str_t *charset, b24_str_t *dst);

/* the charset parameter of a Content-Type, empty when there is none */
void b24_text_charset(const b24_str_t *content_type, b24_str_t *charset);

/* HTML entities decoded once: named ones shops use, decimal, hexadecimal;
 * unknown ones stay as they are */
int b24_text_entities(b24_pool_t *pool, const b24_str_t *src, b24_str_t *dst);

/* tags, comments, script and style elements removed, entities decoded, runs of
 * blanks become one space, ends trimmed; br and block ends count as blanks */
int b24_text_strip(b24_pool_t *pool, const b24_str_t *src, b24_str_t *dst);

/* one pass of percent-decoding, "+" kept; broken codes stay */
int b24_text_unescape(b24_pool_t *pool, const b24_str_t *src, b24_str_t *dst);

/* percent-decoding until stable, at most twice (order numbers in URLs) */
int b24_text_unescape_id(b24_pool_t *pool, const b24_str_t *src,
    b24_str_t *dst);

/* RFC 3986: every byte but unreserved ones becomes %XX */
void b24_text_escape(b24_buf_t *out, const b24_str_t *src);

/*
 * The path of a request target as the client sent it ("/a%20b//../c?x=1" or
 * absolute form): query and fragment cut, decoded once, "//" merged, "." and
 * ".." resolved.  *args is the raw query.  B24_DECLINED when it leads above
 * the root or has a broken or NUL code.
 */
int b24_text_target(b24_pool_t *pool, const b24_str_t *target,
    b24_str_t *path, b24_str_t *args);

/* cuts s to at most max bytes without splitting a UTF-8 character */
void b24_text_cut(b24_str_t *s, size_t max);


/*
 * gzip, zlib or raw deflate by zlib; dst gets at most max bytes.
 * B24_DECLINED: broken, cut short, or larger than max.
 */
int b24_inflate(b24_pool_t *pool, const b24_str_t *src, size_t max,
    b24_str_t *dst);


#endif /* _B24_TEXT_H_INCLUDED_ */
