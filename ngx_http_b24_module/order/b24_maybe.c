
/*
 * A glance at a request, in steps, each of which looks at what the ones before
 * have left: what the method and a missing body rule out; the path, in a sieve
 * of the uri lines; whether the target has the fields at all that when lines
 * want of the query; what these fields hold.
 */


#include "b24_rules_int.h"
#include "b24_sieve.h"


/* nearly all requests are of the first two kinds, whose sieves are the smaller
 * for it */
enum {
    B24_MAYBE_GET = 0,              /* that have no body */
    B24_MAYBE_POST,
    B24_MAYBE_REST,                 /* blocks for none of those */
    B24_MAYBE_KINDS
};


/* the uri lines of the blocks for a kind of requests */
typedef struct {
    uint64_t      blocks;
    b24_sieve_t  *sieve;            /* a bit for a block */
    uint64_t      open;             /* of the blocks those without a uri line */
    uint64_t      barred;           /* bits, from the highest on, for what
                                       blocks must not match */
    uint64_t      bars[B24_SHOP_BLOCKS];
} b24_paths_t;


struct b24_maybe_s {
    b24_paths_t   paths[B24_MAYBE_KINDS];

    b24_sieve_t  *keys;             /* a bit for a when line: the target has
                                       the field */
    b24_sieve_t  *targets;          /* the same: it holds what is wanted */
    unsigned      nlines;
    uint64_t      queries;          /* lines of the query alone */
    uint64_t      deep;             /* lines of which targets tells more */
    uint64_t      all;              /* blocks that have lines */
    uint64_t      lines[B24_SHOP_BLOCKS];
    uint64_t      bodyless[B24_SHOP_BLOCKS];    /* that a body can make true */
};


static int b24_maybe_paths(b24_rules_t *rules, const b24_shop_t *shop,
    b24_paths_t *paths);
static int b24_maybe_bodily(const b24_rule_t *rule);
static int b24_maybe_request(const b24_alt_t *alt);
static int b24_maybe_uris(b24_rules_t *rules, b24_paths_t *paths,
    const b24_shop_t *shop, unsigned n);
static int b24_maybe_bar(b24_rules_t *rules, b24_paths_t *paths,
    const b24_shop_t *shop, unsigned n, const b24_str_t *text, int icase);
static int b24_maybe_part(const b24_str_t *text, size_t *open,
    size_t *close);
static size_t b24_maybe_group(const b24_str_t *text, size_t from, int *or,
    size_t *open);
static int b24_maybe_line(b24_rules_t *rules, b24_maybe_t *maybe,
    unsigned n, const b24_cond_t *cond);
static const b24_source_t *b24_maybe_query(const b24_alt_t *alt);
static int b24_maybe_target(const b24_rules_t *rules, const b24_cond_t *cond,
    const b24_alt_t *alt);
static int b24_maybe_alt(b24_maybe_t *maybe, unsigned bit,
    const b24_cond_t *cond, const b24_alt_t *alt);
static b24_str_t b24_maybe_begin(const b24_str_t *pattern);
static uint64_t b24_maybe_path(const b24_paths_t *paths,
    const b24_str_t *path, uint64_t want, uint64_t *sure);
static uint64_t b24_maybe_others(const b24_shop_t *shop,
    const b24_input_t *in, uint64_t *sure);
static uint64_t b24_maybe_want(const b24_maybe_t *maybe, int bodyless,
    uint64_t set);
static uint64_t b24_maybe_left(const b24_maybe_t *maybe, int bodyless,
    uint64_t set, uint64_t lines);


int
b24_maybe_make(b24_rules_t *rules, b24_shop_t *shop)
{
    int                rc;
    unsigned           n;
    uint64_t           get, post, bit;
    b24_str_t          gets = b24_string("GET"), posts = b24_string("POST");
    b24_paths_t       *paths;
    b24_maybe_t       *maybe;
    const b24_rule_t  *rule;
    const b24_cond_t  *cond;

    maybe = b24_pcalloc(rules->pool, sizeof(b24_maybe_t));
    if (maybe == NULL) {
        return B24_ERROR;
    }

    maybe->keys = b24_sieve_create(rules->pool);
    maybe->targets = b24_sieve_create(rules->pool);

    if (maybe->keys == NULL || maybe->targets == NULL) {
        return B24_ERROR;
    }

    rc = B24_OK;
    paths = maybe->paths;

    for (n = 0; rc == B24_OK && n < shop->nrules; n++) {
        rule = shop->rules[n];
        bit = 1ULL << n;

        get = b24_rule_method(rule, &gets) && !b24_maybe_bodily(rule)
              ? bit : 0;
        post = b24_rule_method(rule, &posts) ? bit : 0;

        paths[B24_MAYBE_GET].blocks |= get;
        paths[B24_MAYBE_POST].blocks |= post;
        paths[B24_MAYBE_REST].blocks |= bit & ~(get | post);

        for (cond = rule->when; rc == B24_OK && cond; cond = cond->next) {
            rc = b24_maybe_line(rules, maybe, n, cond);
        }
    }

    for (n = 0; rc == B24_OK && n < B24_MAYBE_KINDS; n++) {
        rc = b24_maybe_paths(rules, shop, &paths[n]);
    }

    if (rc == B24_OK) {
        rc = b24_sieve_close(maybe->keys);
    }

    if (rc == B24_OK) {
        rc = b24_sieve_close(maybe->targets);
    }

    shop->maybe = maybe;

    return rc;
}


static int
b24_maybe_paths(b24_rules_t *rules, const b24_shop_t *shop,
    b24_paths_t *paths)
{
    int       rc;
    unsigned  n;
    uint64_t  bit;

    paths->sieve = b24_sieve_create(rules->pool);
    if (paths->sieve == NULL) {
        return B24_ERROR;
    }

    rc = B24_OK;

    for (n = 0; rc == B24_OK && n < shop->nrules; n++) {
        bit = 1ULL << n;

        if (paths->blocks & bit) {
            paths->open |= shop->rules[n]->uri == NULL ? bit : 0;
            rc = b24_maybe_uris(rules, paths, shop, n);
        }
    }

    return rc == B24_OK ? b24_sieve_close(paths->sieve) : rc;
}


/* a line of it can't hold without a body */
static int
b24_maybe_bodily(const b24_rule_t *rule)
{
    const b24_alt_t   *alt;
    const b24_cond_t  *cond;

    for (cond = rule->when; cond; cond = cond->next) {

        if (cond->type != B24_COND_SET && cond->type != B24_COND_EQUAL) {
            continue;
        }

        for (alt = cond->value.alts; alt; alt = alt->next) {

            if (!b24_maybe_request(alt)) {
                break;
            }
        }

        if (alt == NULL) {
            return 1;
        }
    }

    return 0;
}


/* without a body the alternative is empty */
static int
b24_maybe_request(const b24_alt_t *alt)
{
    return alt->sources->type == B24_SOURCE_REQUEST
           && alt->sources->next == NULL;
}


static int
b24_maybe_uris(b24_rules_t *rules, b24_paths_t *paths, const b24_shop_t *shop,
    unsigned n)
{
    int               rc, icase;
    const b24_str_t  *text;
    const b24_uri_t  *uri;

    rc = B24_OK;

    for (uri = shop->rules[n]->uri; rc == B24_OK && uri; uri = uri->next) {

        if (uri->type != B24_URI_REGEX) {
            rc = b24_sieve_text(paths->sieve, n, &uri->text,
                                uri->type == B24_URI_PREFIX);
            continue;
        }

        text = b24_regex_text(uri->regex, &icase);

        rc = (uri == shop->rules[n]->uri && uri->next == NULL)
             ? b24_maybe_bar(rules, paths, shop, n, text, icase)
             : B24_DECLINED;

        if (rc == B24_DECLINED) {
            rc = b24_sieve_regex(paths->sieve, n, text, icase);
        }
    }

    return rc;
}


/*
 * "^TEXT(?!NOT)REST" holds where "^TEXTREST" does and "^TEXT(?:NOT)" doesn't: a
 * sieve can tell both.  B24_DECLINED: it is no such regex.
 */
static int
b24_maybe_bar(b24_rules_t *rules, b24_paths_t *paths, const b24_shop_t *shop,
    unsigned n, const b24_str_t *text, int icase)
{
    int        rc;
    size_t     open, close;
    unsigned   bit;
    b24_buf_t  buf;
    b24_str_t  part;

    bit = B24_SIEVE_BITS - 1
          - (unsigned) __builtin_popcountll(paths->barred);

    if (bit < shop->nrules || !b24_maybe_part(text, &open, &close)) {
        return B24_DECLINED;
    }

    b24_buf_init(&buf, rules->pool);
    b24_buf_add(&buf, text->data, open);
    b24_buf_add(&buf, text->data + close + 1, text->len - close - 1);

    rc = b24_buf_str(&buf, &part);

    if (rc == B24_OK) {
        rc = b24_sieve_regex(paths->sieve, n, &part, icase);
    }

    b24_buf_init(&buf, rules->pool);
    b24_buf_add(&buf, text->data, open);
    b24_buf_adds(&buf, "(?:");
    b24_buf_add(&buf, text->data + open + 3, close - open - 2);

    if (rc == B24_OK) {
        rc = b24_buf_str(&buf, &part);
    }

    if (rc == B24_OK) {
        rc = b24_sieve_regex(paths->sieve, bit, &part, icase);
    }

    paths->bars[n] = 1ULL << bit;
    paths->barred |= 1ULL << bit;

    return rc;
}


/* open: where "(?!" is, close: where its ")" */
static int
b24_maybe_part(const b24_str_t *text, size_t *open, size_t *close)
{
    int     or;
    u_char  c;
    size_t  i, first;

    if (text->len == 0 || text->data[0] != '^') {
        return 0;
    }

    for (i = 1; i < text->len; i++) {
        c = text->data[i];

        if (c != '/' && c != '-' && c != '_' && !b24_isdigit(c)
            && (b24_tolower(c) < 'a' || b24_tolower(c) > 'z'))
        {
            break;
        }
    }

    if (text->len - i < 4 || memcmp(text->data + i, "(?!", 3) != 0) {
        return 0;
    }

    *open = i;
    *close = b24_maybe_group(text, i + 3, &or, &first);

    if (*close == text->len) {
        return 0;
    }

    i = *close + 1;

    if (i < text->len && strchr("*+?{", text->data[i])) {
        return 0;
    }

    return b24_maybe_group(text, i, &or, &first) == text->len && !or;
}


/* the ")" that closes what begins there, or the end; or: has it a "|"?  open:
 * its first "(", or the end */
static size_t
b24_maybe_group(const b24_str_t *text, size_t from, int *or, size_t *open)
{
    size_t    i;
    unsigned  depth;

    *or = 0;
    *open = text->len;
    depth = 0;

    for (i = from; i < text->len; i++) {

        switch (text->data[i]) {

        case '\\':
            i++;
            break;

        case '[':

            /* "]" is a character where it comes first */

            i++;
            i += (i < text->len && text->data[i] == '^');
            i++;

            while (i < text->len && text->data[i] != ']') {
                i += 1 + (text->data[i] == '\\');
            }

            break;

        case '(':
            *open = *open < i ? *open : i;
            depth++;
            break;

        case ')':
            if (depth == 0) {
                return i;
            }

            depth--;
            break;

        case '|':
            *or |= (depth == 0);
            break;
        }
    }

    return text->len;
}


/* a line that can't hold without something of the target, or of a body */
static int
b24_maybe_line(b24_rules_t *rules, b24_maybe_t *maybe, unsigned n,
    const b24_cond_t *cond)
{
    int               rc, query;
    uint64_t          bit;
    const b24_alt_t  *alt;

    if ((cond->type != B24_COND_SET && cond->type != B24_COND_EQUAL)
        || maybe->nlines == B24_SIEVE_BITS)
    {
        return B24_OK;
    }

    query = 1;

    for (alt = cond->value.alts; alt; alt = alt->next) {

        query &= !b24_maybe_target(rules, cond, alt);

        if (b24_maybe_query(alt) == NULL
            && !b24_maybe_target(rules, cond, alt)
            && !b24_maybe_request(alt))
        {
            return B24_OK;
        }
    }

    rc = B24_OK;
    bit = 1ULL << maybe->nlines;

    for (alt = cond->value.alts; rc == B24_OK && alt; alt = alt->next) {

        if (!b24_maybe_request(alt)) {
            rc = b24_maybe_alt(maybe, maybe->nlines, cond, alt);
        }
    }

    if (cond->value.body) {
        maybe->bodyless[n] |= bit;

    } else {
        maybe->lines[n] |= bit;
    }

    maybe->all |= 1ULL << n;
    maybe->queries |= query ? bit : 0;
    maybe->nlines++;

    return rc;
}


/* without that field of the query the alternative is empty */
static const b24_source_t *
b24_maybe_query(const b24_alt_t *alt)
{
    const b24_step_t    *step;
    const b24_source_t  *source;

    for (source = alt->sources; source; source = source->next) {
        step = source->ptr.steps;

        if (source->type == B24_SOURCE_QUERY && step
            && step->type == B24_STEP_KEY && step->key.len
            && (alt->template || alt->sources->next == NULL))
        {
            return source;
        }
    }

    return NULL;
}


/* it is the target itself, and a regex looks for something there */
static int
b24_maybe_target(const b24_rules_t *rules, const b24_cond_t *cond,
    const b24_alt_t *alt)
{
    const b24_str_t  *text;

    if (alt->sources->type != B24_SOURCE_VAR || alt->sources->next
        || alt->filters == NULL || alt->filters->each
        || cond->type != B24_COND_SET)
    {
        return 0;
    }

    text = &rules->vars[alt->sources->var].text;

    return b24_str_eqs(text, "$request_uri")
           || b24_str_eqs(text, "${request_uri}");
}


static int
b24_maybe_alt(b24_maybe_t *maybe, unsigned bit, const b24_cond_t *cond,
    const b24_alt_t *alt)
{
    int                  rc, icase;
    b24_str_t            begin;
    const b24_str_t     *key, *pattern;
    const b24_source_t  *source;

    icase = 0;
    pattern = NULL;
    source = b24_maybe_query(alt);

    if (source == NULL) {
        pattern = b24_regex_text(alt->filters->regex, &icase);
        begin = b24_maybe_begin(pattern);

        if (begin.len < pattern->len) {
            maybe->deep |= 1ULL << bit;
        }

        rc = b24_sieve_regex(maybe->keys, bit, &begin, icase);

        return rc == B24_OK
               ? b24_sieve_regex(maybe->targets, bit, pattern, icase) : rc;
    }

    key = &source->ptr.steps->key;

    /* the value itself, and nothing that lies deeper in it or is around it */

    if (alt->filters && !alt->filters->each && source->ptr.steps->next == NULL
        && alt->sources->next == NULL && cond->type == B24_COND_SET)
    {
        pattern = b24_regex_text(alt->filters->regex, &icase);
        maybe->deep |= 1ULL << bit;
    }

    rc = b24_sieve_query(maybe->keys, bit, key, NULL, 0);

    return rc == B24_OK
           ? b24_sieve_query(maybe->targets, bit, key, pattern, icase) : rc;
}


/* what comes before the first group of a regex has to be there as well, unless
 * there are alternatives to all of it */
static b24_str_t
b24_maybe_begin(const b24_str_t *pattern)
{
    int        or;
    size_t     i, open;
    b24_str_t  begin;

    begin = *pattern;

    /* what changes how the rest is read */

    for (i = 0; i + 2 < begin.len; i++) {

        if (memcmp(begin.data + i, "\\Q", 2) == 0
            || (memcmp(begin.data + i, "(?", 2) == 0
                && b24_tolower(begin.data[i + 2]) >= 'a'
                && b24_tolower(begin.data[i + 2]) <= 'z'))
        {
            return begin;
        }
    }

    if (b24_maybe_group(pattern, 0, &or, &open) == pattern->len && !or
        && open > 0)
    {
        begin.len = open;
    }

    return begin;
}


uint64_t
b24_maybe_look(const b24_shop_t *shop, const b24_input_t *in, uint64_t *sure)
{
    uint64_t            set, lines, want, some;
    b24_str_t           target;
    const b24_maybe_t  *maybe;
    const b24_paths_t  *paths;

    maybe = shop->maybe;
    paths = maybe->paths;

    if (in->bodyless && in->method.len == 3
        && memcmp(in->method.data, "GET", 3) == 0)
    {
        paths += B24_MAYBE_GET;
        set = b24_maybe_path(paths, &in->path, paths->blocks, sure);

    } else if (in->method.len == 4
               && memcmp(in->method.data, "POST", 4) == 0)
    {
        paths += B24_MAYBE_POST;
        set = b24_maybe_path(paths, &in->path, paths->blocks, sure);

    } else {
        set = b24_maybe_others(shop, in, sure);
    }

    if ((set & maybe->all) == 0 || in->target.len == 0
        || memchr(in->target.data, '#', in->target.len))
    {
        return set;
    }

    want = b24_maybe_want(maybe, in->bodyless, set);
    target = in->target;

    if ((want & ~maybe->queries) == 0) {

        /* fields of the query begin with its "?", and without one are none */

        target.len = in->args.len + (in->args.len != 0);
        target.data = in->target.data + (in->target.len - target.len);
    }

    lines = target.len ? b24_sieve_look(maybe->keys, &target, want, &some)
                       : 0;

    set = b24_maybe_left(maybe, in->bodyless, set, lines);
    want = b24_maybe_want(maybe, in->bodyless, set) & maybe->deep;

    if (want) {
        lines &= ~want;
        lines |= b24_sieve_look(maybe->targets, &target, want, &some);

        set = b24_maybe_left(maybe, in->bodyless, set, lines);
    }

    return set;
}


/* of the wanted blocks those whose uri lines may hold */
static uint64_t
b24_maybe_path(const b24_paths_t *paths, const b24_str_t *path, uint64_t want,
    uint64_t *sure)
{
    uint64_t  some, bars, bar;
    unsigned  n;

    some = b24_sieve_look(paths->sieve, path, want | paths->barred, sure);

    for (bars = some & paths->barred; bars; bars &= bars - 1) {
        bar = bars & -bars;

        for (n = 0; paths->bars[n] != bar; n++) {
            /* void */
        }

        if (*sure & bar) {
            some &= ~(1ULL << n);
        }

        *sure &= ~(1ULL << n);
    }

    *sure |= paths->open;

    return want & (some | paths->open);
}


/* seldom asked for: no matter that blocks are looked at one by one */
static uint64_t
b24_maybe_others(const b24_shop_t *shop, const b24_input_t *in,
    uint64_t *sure)
{
    uint64_t            set, want, some, held;
    unsigned            n;
    const b24_paths_t  *paths;

    want = 0;

    for (n = 0; n < shop->nrules; n++) {
        want |= (uint64_t) b24_rule_method(shop->rules[n], &in->method) << n;
    }

    set = 0;
    *sure = 0;

    for (n = 0; n < B24_MAYBE_KINDS; n++) {
        paths = &shop->maybe->paths[n];
        some = want & paths->blocks;
        want &= ~some;

        if (some) {
            set |= b24_maybe_path(paths, &in->path, some, &held);
            *sure |= held & some;
        }
    }

    return set;
}


/* lines of theirs that the target has to make true */
static uint64_t
b24_maybe_want(const b24_maybe_t *maybe, int bodyless, uint64_t set)
{
    uint64_t  want;
    unsigned  n;

    want = 0;

    for (set &= maybe->all; set; set &= set - 1) {
        n = (unsigned) __builtin_ctzll(set);
        want |= maybe->lines[n] | (bodyless ? maybe->bodyless[n] : 0);
    }

    return want;
}


/* blocks of the set that have all the lines they want */
static uint64_t
b24_maybe_left(const b24_maybe_t *maybe, int bodyless, uint64_t set,
    uint64_t lines)
{
    uint64_t  some, want;
    unsigned  n;

    for (some = set & maybe->all; some; some &= some - 1) {
        n = (unsigned) __builtin_ctzll(some);
        want = maybe->lines[n] | (bodyless ? maybe->bodyless[n] : 0);

        if ((lines & want) != want) {
            set &= ~(1ULL << n);
        }
    }

    return set;
}


int
b24_shop_maybe(const b24_shop_t *shop, b24_input_t *in)
{
    in->maybe = b24_maybe_look(shop, in, &in->sure);
    in->looked = 1;

    return in->maybe != 0;
}


int
b24_rule_method(const b24_rule_t *rule, const b24_str_t *method)
{
    const b24_pair_t  *pair;

    if (rule->methods == NULL) {
        return rule->kind != B24_RULE_ORDER || b24_str_eqs(method, "POST");
    }

    for (pair = rule->methods; pair; pair = pair->next) {

        if (b24_str_eq(&pair->name, method)) {
            return 1;
        }
    }

    return 0;
}
