
/*
 * Values of learn lines: which of a shop's properties is the phone, and the
 * like.  They lie in shared memory, and in the queue's file for a restart:
 * whatever is new is written there with the next tick.
 */


#include "ngx_http_b24_session.h"


/* one name of one origin */
typedef struct {
    ngx_http_b24_origin_t      *origin;
    b24_str_t                   name;
    ngx_http_b24_sh_learned_t  *l;
    ngx_atomic_uint_t           n;          /* being saved */
    b24_str_t                   loaded[B24_QUEUE_LEARNED];
    size_t                      nloaded;
} ngx_http_b24_learn_t;


typedef struct {
    ngx_http_b24_origin_t      *origin;
    ngx_array_t                *names;      /* NULL: they are counted */
    ngx_uint_t                  n;
} ngx_http_b24_learn_walk_t;


static ngx_int_t ngx_http_b24_learn_walk(ngx_http_core_main_conf_t *cmcf,
    b24_rules_t *rules, ngx_http_b24_learn_walk_t *walk);
static int ngx_http_b24_learn_name(void *data, const b24_str_t *name);
static void ngx_http_b24_learn_call(void (*run)(ngx_http_b24_call_t *call,
    b24_queue_t *q), void (*done)(ngx_http_b24_call_t *call));
static void ngx_http_b24_learn_load(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_learn_loaded(ngx_http_b24_call_t *call);
static ngx_uint_t ngx_http_b24_learn_gather(void);
static void ngx_http_b24_learn_save(ngx_http_b24_call_t *call,
    b24_queue_t *q);
static void ngx_http_b24_learn_saved(ngx_http_b24_call_t *call);
static ngx_uint_t ngx_http_b24_learn_fit(b24_str_t *value);
static ngx_int_t ngx_http_b24_learn_nth(ngx_http_b24_sh_learned_t *l,
    size_t n, b24_pool_t *pool, b24_str_t *value);


static ngx_array_t           ngx_http_b24_learns;   /* ngx_http_b24_learn_t */
static ngx_http_b24_call_t   ngx_http_b24_learning;
static ngx_uint_t            ngx_http_b24_learn_busy;
static b24_pool_t           *ngx_http_b24_learn_pool;
static b24_queue_learned_t  *ngx_http_b24_learn_rows;
static size_t                ngx_http_b24_learn_nrows;


ngx_uint_t
ngx_http_b24_learn_names(ngx_http_core_main_conf_t *cmcf, b24_rules_t *rules)
{
    ngx_http_b24_learn_walk_t  walk;

    walk.names = NULL;
    walk.n = 0;

    (void) ngx_http_b24_learn_walk(cmcf, rules, &walk);

    return walk.n;
}


/* the learn lines of all shops that a server's mirrors use */

static ngx_int_t
ngx_http_b24_learn_walk(ngx_http_core_main_conf_t *cmcf, b24_rules_t *rules,
    ngx_http_b24_learn_walk_t *walk)
{
    b24_str_t                  *shop;
    ngx_uint_t                  i, k;
    ngx_http_b24_srv_conf_t    *bscf;
    ngx_http_core_srv_conf_t  **cscfp;

    cscfp = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        bscf = cscfp[i]->ctx->srv_conf[ngx_http_b24_module.ctx_index];

        if (bscf->shops == NULL || bscf->o == NULL) {
            continue;
        }

        walk->origin = bscf->o;
        shop = bscf->shops->elts;

        for (k = 0; k < bscf->shops->nelts; k++) {

            if (b24_shop_learns(b24_rules_find(rules, &shop[k]),
                                ngx_http_b24_learn_name, walk)
                != 0)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static int
ngx_http_b24_learn_name(void *data, const b24_str_t *name)
{
    ngx_http_b24_learn_walk_t  *walk = data;

    ngx_uint_t             i;
    ngx_http_b24_learn_t  *learn;

    walk->n++;

    if (walk->names == NULL) {
        return 0;
    }

    learn = walk->names->elts;

    for (i = 0; i < walk->names->nelts; i++) {

        if (learn[i].origin == walk->origin
            && b24_str_eq(&learn[i].name, name))
        {
            return 0;
        }
    }

    learn = ngx_array_push(walk->names);
    if (learn == NULL) {
        return 1;
    }

    ngx_memzero(learn, sizeof(ngx_http_b24_learn_t));

    learn->origin = walk->origin;
    learn->name = *name;
    learn->l = ngx_http_b24_sh_learned(&walk->origin->name, name, 1);

    if (learn->l == NULL) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "b24: no room for what is learned of \"%V\" in the "
                      "shared memory: restart nginx", &walk->origin->name);
    }

    return 0;
}


ngx_int_t
ngx_http_b24_learn_init(ngx_cycle_t *cycle, ngx_http_b24_main_conf_t *bmcf)
{
    ngx_http_b24_learn_walk_t   walk;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_core_module);

    if (ngx_array_init(&ngx_http_b24_learns, cycle->pool, 4,
                       sizeof(ngx_http_b24_learn_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    walk.names = &ngx_http_b24_learns;
    walk.n = 0;

    ngx_http_b24_learning.silent = 1;

    return ngx_http_b24_learn_walk(cmcf, bmcf->rules, &walk);
}


void
ngx_http_b24_learn_tick(void)
{
    ngx_uint_t             i;
    ngx_http_b24_learn_t  *learn;

    if (ngx_http_b24_learn_busy) {
        return;
    }

    learn = ngx_http_b24_learns.elts;

    for (i = 0; i < ngx_http_b24_learns.nelts; i++) {

        if (learn[i].l && !learn[i].l->loaded) {
            ngx_http_b24_learn_call(ngx_http_b24_learn_load,
                                    ngx_http_b24_learn_loaded);
            return;
        }
    }

    if (ngx_http_b24_learn_gather()) {
        ngx_http_b24_learn_call(ngx_http_b24_learn_save,
                                ngx_http_b24_learn_saved);
    }
}


static void
ngx_http_b24_learn_call(void (*run)(ngx_http_b24_call_t *call,
    b24_queue_t *q), void (*done)(ngx_http_b24_call_t *call))
{
    if (ngx_http_b24_learn_pool == NULL) {
        ngx_http_b24_learn_pool = b24_pool_create(0);

        if (ngx_http_b24_learn_pool == NULL) {
            return;
        }
    }

    ngx_http_b24_learn_busy = 1;
    ngx_http_b24_learning.run = run;
    ngx_http_b24_learning.done = done;

    ngx_http_b24_store_call(&ngx_http_b24_learning);
}


/* in the thread */

static void
ngx_http_b24_learn_load(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    ngx_uint_t             i;
    ngx_http_b24_learn_t  *learn;

    learn = ngx_http_b24_learns.elts;

    for (i = 0; q && call->rc == B24_QUEUE_OK && i < ngx_http_b24_learns.nelts;
         i++)
    {
        call->rc = b24_queue_learned(q, ngx_http_b24_learn_pool,
                                     &learn[i].origin->name, &learn[i].name,
                                     learn[i].loaded, &learn[i].nloaded);
    }
}


static void
ngx_http_b24_learn_loaded(ngx_http_b24_call_t *call)
{
    size_t                 k;
    ngx_uint_t             i;
    ngx_http_b24_learn_t  *learn;

    learn = ngx_http_b24_learns.elts;

    for (i = 0; call->rc == B24_QUEUE_OK && i < ngx_http_b24_learns.nelts;
         i++)
    {
        if (learn[i].l == NULL || learn[i].l->loaded) {
            continue;
        }

        for (k = learn[i].nloaded; k > 0; k--) {

            if (ngx_http_b24_learn_fit(&learn[i].loaded[k - 1])) {
                (void) ngx_http_b24_sh_learn(learn[i].l,
                                             &learn[i].loaded[k - 1], 1);
            }
        }

        learn[i].l->loaded = 1;
    }

    b24_pool_destroy(ngx_http_b24_learn_pool);

    ngx_http_b24_learn_pool = NULL;
    ngx_http_b24_learn_busy = 0;
}


/* what the file may not have; several workers may write the same */

static ngx_uint_t
ngx_http_b24_learn_gather(void)
{
    size_t                 k;
    ngx_uint_t             i, n;
    ngx_http_b24_learn_t  *learn;
    b24_queue_learned_t   *row;

    learn = ngx_http_b24_learns.elts;
    n = 0;

    for (i = 0; i < ngx_http_b24_learns.nelts; i++) {
        learn[i].n = learn[i].l ? learn[i].l->n : 0;

        if (learn[i].l && learn[i].n != learn[i].l->saved) {
            n++;
        }
    }

    ngx_http_b24_learn_nrows = 0;

    if (n == 0) {
        return 0;
    }

    if (ngx_http_b24_learn_pool == NULL) {
        ngx_http_b24_learn_pool = b24_pool_create(0);

        if (ngx_http_b24_learn_pool == NULL) {
            return 0;
        }
    }

    row = b24_palloc(ngx_http_b24_learn_pool,
                     n * NGX_HTTP_B24_LEARNED * sizeof(b24_queue_learned_t));
    if (row == NULL) {
        return 0;
    }

    ngx_http_b24_learn_rows = row;

    for (i = 0; i < ngx_http_b24_learns.nelts; i++) {

        if (learn[i].l == NULL || learn[i].n == learn[i].l->saved) {
            continue;
        }

        for (k = NGX_HTTP_B24_LEARNED; k > 0; k--) {

            if (ngx_http_b24_learn_nth(learn[i].l, k - 1,
                                       ngx_http_b24_learn_pool, &row->value)
                != NGX_OK)
            {
                continue;
            }

            row->origin = learn[i].origin->name;
            row->name = learn[i].name;

            row++;
            ngx_http_b24_learn_nrows++;
        }
    }

    return ngx_http_b24_learn_nrows;
}


/* in the thread, or at the exit */

static void
ngx_http_b24_learn_save(ngx_http_b24_call_t *call, b24_queue_t *q)
{
    if (q) {
        call->rc = b24_queue_put_learned(q, ngx_http_b24_learn_rows,
                                         ngx_http_b24_learn_nrows,
                                         ngx_http_b24_now());
    }
}


static void
ngx_http_b24_learn_saved(ngx_http_b24_call_t *call)
{
    ngx_uint_t             i;
    ngx_http_b24_learn_t  *learn;

    learn = ngx_http_b24_learns.elts;

    for (i = 0; call->rc == B24_QUEUE_OK && i < ngx_http_b24_learns.nelts;
         i++)
    {
        if (learn[i].l) {
            learn[i].l->saved = learn[i].n;
        }
    }

    b24_pool_destroy(ngx_http_b24_learn_pool);

    ngx_http_b24_learn_pool = NULL;
    ngx_http_b24_learn_busy = 0;
}


/* the threads are gone; what was under way is written once more */

void
ngx_http_b24_learn_exit(void)
{
    if (ngx_http_b24_learn_gather()) {
        ngx_http_b24_learning.run = ngx_http_b24_learn_save;
        ngx_http_b24_store_last(&ngx_http_b24_learning);
    }
}


/*
 * Names of properties and numbers, as rules use them in pointers.  What a buyer
 * types is not to be learned, and mostly doesn't look like one.
 */

static ngx_uint_t
ngx_http_b24_learn_fit(b24_str_t *value)
{
    u_char  c;
    size_t  i;

    if (value->len == 0 || value->len > NGX_HTTP_B24_LEARNED_LEN) {
        return 0;
    }

    for (i = 0; i < value->len; i++) {
        c = b24_tolower(value->data[i]);

        if (!b24_isdigit(c) && c != '_' && c != '-' && c != '.'
            && (c < 'a' || c > 'z'))
        {
            return 0;
        }
    }

    return 1;
}


void
ngx_http_b24_learn_value(ngx_http_b24_origin_t *origin, b24_str_t *name,
    b24_str_t *value)
{
    ngx_uint_t                  i, n;
    ngx_http_b24_sh_learned_t  *l;

    if (!ngx_http_b24_learn_fit(value)) {
        return;
    }

    l = ngx_http_b24_sh_learned(&origin->name, name, 1);
    if (l == NULL) {
        return;
    }

    /* mostly it is known: no lock is taken */

    n = ngx_min(l->n, NGX_HTTP_B24_LEARNED);

    for (i = 0; i < n; i++) {

        if (l->lens[i] == value->len
            && ngx_memcmp(l->values[i], value->data, value->len) == 0)
        {
            return;
        }
    }

    if (ngx_http_b24_sh_learn(l, value, 0)) {
        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_LEARNED, 1);
    }
}


int
ngx_http_b24_learned(void *data, const b24_str_t *name, size_t n,
    b24_str_t *value)
{
    ngx_http_b24_job_t  *job = data;

    ngx_http_b24_sh_learned_t  *l;

    l = ngx_http_b24_sh_learned(&job->origin->name, name, 0);

    return l && ngx_http_b24_learn_nth(l, n, job->pool, value) == NGX_OK;
}


/* the n-th from the newest; without the lock, so it is looked whether the ring
 * has gone on meanwhile */

static ngx_int_t
ngx_http_b24_learn_nth(ngx_http_b24_sh_learned_t *l, size_t n,
    b24_pool_t *pool, b24_str_t *value)
{
    u_char             text[NGX_HTTP_B24_LEARNED_LEN];
    size_t             len;
    ngx_uint_t         k;
    ngx_atomic_uint_t  have;

    do {
        have = l->n;
        ngx_memory_barrier();

        if (n >= have || n >= NGX_HTTP_B24_LEARNED) {
            return NGX_DECLINED;
        }

        k = (have - 1 - n) % NGX_HTTP_B24_LEARNED;

        len = ngx_min(l->lens[k], NGX_HTTP_B24_LEARNED_LEN);
        ngx_memcpy(text, l->values[k], len);

        ngx_memory_barrier();

    } while (have != l->n);

    return b24_pstrdup(pool, value, text, len) == B24_OK ? NGX_OK : NGX_ERROR;
}
