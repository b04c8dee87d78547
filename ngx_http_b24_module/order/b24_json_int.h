
/* What the files of JSON share. */


#ifndef _B24_JSON_INT_H_INCLUDED_
#define _B24_JSON_INT_H_INCLUDED_


#include "b24_tree.h"


/*
 * cJSON 1.7.15 keeps numbers as doubles, takes much that is no JSON, cuts a
 * text at \u0000 and fails on lone surrogates.  So a lexer goes first: it
 * checks the text strictly and copies it for cJSON with each number as a
 * string.  A letter in front of every value that is a string now tells which
 * it was; buyers can't forge it.
 */

#define B24_JSON_NUMBER  'n'
#define B24_JSON_STRING  's'


typedef struct {
    const u_char  *p;
    const u_char  *end;
    u_char        *out;
    size_t         nodes;
    size_t         bytes;           /* of keys and values, at most */
    size_t         depth;
    u_char         closer[B24_NODE_DEPTH];
} b24_json_lexer_t;


int b24_json_lex(b24_json_lexer_t *lx);
void b24_json_blanks(b24_json_lexer_t *lx);


#endif /* _B24_JSON_INT_H_INCLUDED_ */
