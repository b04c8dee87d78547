
/* Inside the files that know curl. */


#ifndef _NGX_HTTP_B24_CURL_H_INCLUDED_
#define _NGX_HTTP_B24_CURL_H_INCLUDED_


#include "ngx_http_b24_courier.h"

#include <curl/curl.h>


/* callbacks of curl for an answer; userp: the transfer */
size_t ngx_http_b24_curl_header(char *data, size_t size, size_t n,
    void *userp);
size_t ngx_http_b24_curl_write(char *data, size_t size, size_t n,
    void *userp);
/* what it has come to: net, error and advice of the transfer */
void ngx_http_b24_curl_judge(ngx_http_b24_transfer_t *t, CURLcode rc);
/* where it is sent to by a redirect */
void ngx_http_b24_curl_location(ngx_http_b24_transfer_t *t);


#endif /* _NGX_HTTP_B24_CURL_H_INCLUDED_ */
