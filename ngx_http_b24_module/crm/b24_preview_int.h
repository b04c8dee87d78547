
/* What the files of the dry run share. */


#ifndef _B24_PREVIEW_INT_H_INCLUDED_
#define _B24_PREVIEW_INT_H_INCLUDED_


#include "b24_preview.h"


typedef struct {
    b24_pool_t           *pool;
    const b24_preview_t  *preview;
    b24_buf_t            *out;
    b24_str_t             number;       /* ORIGIN_ID of the deal */
    unsigned              count;        /* commands so far */
    unsigned              firm:1;       /* the command is about a company */
} b24_view_t;


/* as JSON, what is personal masked */
void b24_view_params(b24_view_t *view, const char *method,
    const b24_node_t *params);


#endif /* _B24_PREVIEW_INT_H_INCLUDED_ */
