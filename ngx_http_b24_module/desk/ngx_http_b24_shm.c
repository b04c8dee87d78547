
/*
 * The zone all workers share: counts of the queue, limiter and state of each
 * portal, counters, bytes held for captures.  Nodes are found by name and never
 * freed, so that a reload with other names finds its own and an old generation
 * keeps what it points to; counters are atomics, no lock is held for more than
 * making a node.
 */


#include "ngx_http_b24_module.h"

#include <signal.h>


#define NGX_HTTP_B24_ZONE         (1024 * 1024)

/* at most, in slots of the slab allocator */
#define NGX_HTTP_B24_ZONE_ORIGIN  4096
#define NGX_HTTP_B24_ZONE_PORTAL  16384
#define NGX_HTTP_B24_ZONE_LEARNED 2048

/* what a rate gets back after refusals, in thousandths, and how often (ms) */
#define NGX_HTTP_B24_EASE_BACK    50
#define NGX_HTTP_B24_EASE_STEP    10000


static ngx_int_t ngx_http_b24_shm_init(ngx_shm_zone_t *zone, void *data);
static ngx_http_b24_sh_origin_t *ngx_http_b24_sh_origin(ngx_str_t *name);
static ngx_http_b24_sh_portal_t *ngx_http_b24_sh_portal(ngx_str_t *host);
static void *ngx_http_b24_sh_own(ngx_cycle_t *cycle, ngx_str_t *name,
    size_t size);
static ngx_http_b24_sh_process_t *ngx_http_b24_sh_process(void);
static ngx_uint_t ngx_http_b24_sh_dead(ngx_atomic_uint_t pid);
static void ngx_http_b24_sh_reclaim(ngx_http_b24_sh_process_t *p);


static ngx_http_b24_sh_t          *ngx_http_b24_shm;
static ngx_slab_pool_t            *ngx_http_b24_shpool;
static ngx_http_b24_sh_process_t  *ngx_http_b24_process;


ngx_int_t
ngx_http_b24_shm_add(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf)
{
    size_t                      size, need;
    ngx_http_core_main_conf_t  *cmcf;

    static ngx_str_t  name = ngx_string("b24");

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    /*
     * Twice what the nodes need, for names that change.  A reload keeps a zone
     * whose size stays the same, hence the steps.
     */

    need = bmcf->origins.nelts * NGX_HTTP_B24_ZONE_ORIGIN
           + bmcf->portals.nelts * NGX_HTTP_B24_ZONE_PORTAL
           + ngx_http_b24_learn_names(cmcf, bmcf->rules)
             * NGX_HTTP_B24_ZONE_LEARNED;

    for (size = NGX_HTTP_B24_ZONE; size / 2 < need; size *= 2) { /* void */ }

    bmcf->zone = ngx_shared_memory_add(cf, &name, size, &ngx_http_b24_module);
    if (bmcf->zone == NULL) {
        return NGX_ERROR;
    }

    bmcf->zone->init = ngx_http_b24_shm_init;
    bmcf->zone->data = bmcf;

    return NGX_OK;
}


/* in the master, while old workers may use the zone: what is there stays */

static ngx_int_t
ngx_http_b24_shm_init(ngx_shm_zone_t *zone, void *data)
{
    size_t              len;
    ngx_slab_pool_t    *shpool;
    ngx_http_b24_sh_t  *sh;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (data || zone->shm.exists) {
        return NGX_OK;
    }

    sh = ngx_slab_calloc(shpool, sizeof(ngx_http_b24_sh_t));
    if (sh == NULL) {
        return NGX_ERROR;
    }

    shpool->data = sh;

    /* told in our own words */
    shpool->log_nomem = 0;

    len = sizeof(" in b24 zone \"\"") + zone->shm.name.len;

    shpool->log_ctx = ngx_slab_alloc(shpool, len);
    if (shpool->log_ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(shpool->log_ctx, " in b24 zone \"%V\"%Z", &zone->shm.name);

    return NGX_OK;
}


/* in each worker: finds or makes the nodes of the configuration's names */

ngx_int_t
ngx_http_b24_shm_attach(ngx_cycle_t *cycle, ngx_http_b24_main_conf_t *bmcf)
{
    ngx_uint_t               i;
    ngx_http_b24_origin_t  **op;
    ngx_http_b24_portal_t  **pp;

    ngx_http_b24_shpool = (ngx_slab_pool_t *) bmcf->zone->shm.addr;
    ngx_http_b24_shm = ngx_http_b24_shpool->data;

    op = bmcf->origins.elts;

    for (i = 0; i < bmcf->origins.nelts; i++) {
        op[i]->sh = ngx_http_b24_sh_origin(&op[i]->name);

        if (op[i]->sh == NULL) {
            op[i]->sh = ngx_http_b24_sh_own(cycle, &op[i]->name,
                                            sizeof(ngx_http_b24_sh_origin_t));
            if (op[i]->sh == NULL) {
                return NGX_ERROR;
            }
        }
    }

    pp = bmcf->portals.elts;

    for (i = 0; i < bmcf->portals.nelts; i++) {
        pp[i]->sh = ngx_http_b24_sh_portal(&pp[i]->host);

        if (pp[i]->sh == NULL) {
            pp[i]->sh = ngx_http_b24_sh_own(cycle, &pp[i]->host,
                                            sizeof(ngx_http_b24_sh_portal_t));
            if (pp[i]->sh == NULL) {
                return NGX_ERROR;
            }

            pp[i]->sh->last = ngx_current_msec;
        }
    }

    ngx_http_b24_process = ngx_http_b24_sh_process();

    return NGX_OK;
}


void
ngx_http_b24_shm_detach(void)
{
    if (ngx_http_b24_process) {

        /* what was not released goes with the process */

        ngx_http_b24_release(ngx_http_b24_process->captured);
        ngx_http_b24_process->pid = 0;
        ngx_http_b24_process = NULL;
    }
}


ngx_http_b24_sh_t *
ngx_http_b24_sh(void)
{
    return ngx_http_b24_shm;
}


/* many names have come and gone: the worker goes on with a node of its own */

static void *
ngx_http_b24_sh_own(ngx_cycle_t *cycle, ngx_str_t *name, size_t size)
{
    ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                  "b24: no room for \"%V\" in the shared memory: orders go on, "
                  "but what is shown of it is wrong until nginx is restarted",
                  name);

    return ngx_pcalloc(cycle->pool, size);
}


static ngx_http_b24_sh_origin_t *
ngx_http_b24_sh_origin(ngx_str_t *name)
{
    ngx_http_b24_sh_origin_t  *o;

    ngx_shmtx_lock(&ngx_http_b24_shpool->mutex);

    for (o = ngx_http_b24_shm->origins; o; o = o->next) {
        if (o->len == name->len
            && ngx_memcmp(o->name, name->data, name->len) == 0)
        {
            goto done;
        }
    }

    o = ngx_slab_calloc_locked(ngx_http_b24_shpool,
                               offsetof(ngx_http_b24_sh_origin_t, name)
                               + name->len);
    if (o) {
        o->len = name->len;
        ngx_memcpy(o->name, name->data, name->len);
        o->next = ngx_http_b24_shm->origins;
        ngx_http_b24_shm->origins = o;
    }

done:

    ngx_shmtx_unlock(&ngx_http_b24_shpool->mutex);

    return o;
}


static ngx_http_b24_sh_portal_t *
ngx_http_b24_sh_portal(ngx_str_t *host)
{
    ngx_http_b24_sh_portal_t  *p;

    ngx_shmtx_lock(&ngx_http_b24_shpool->mutex);

    for (p = ngx_http_b24_shm->portals; p; p = p->next) {
        if (p->len == host->len
            && ngx_memcmp(p->host, host->data, host->len) == 0)
        {
            goto done;
        }
    }

    p = ngx_slab_calloc_locked(ngx_http_b24_shpool,
                               offsetof(ngx_http_b24_sh_portal_t, host)
                               + host->len);
    if (p) {
        p->len = host->len;
        ngx_memcpy(p->host, host->data, host->len);
        p->last = ngx_current_msec;
        p->next = ngx_http_b24_shm->portals;
        ngx_http_b24_shm->portals = p;
    }

done:

    ngx_shmtx_unlock(&ngx_http_b24_shpool->mutex);

    return p;
}


ngx_http_b24_sh_learned_t *
ngx_http_b24_sh_learned(ngx_str_t *origin, const b24_str_t *name,
    ngx_uint_t make)
{
    ngx_http_b24_sh_learned_t  *l;

    /* nodes are put in front when they are whole, and stay */

    for (l = ngx_http_b24_shm->learned; l; l = l->next) {

        if (l->origin_len == origin->len && l->name_len == name->len
            && ngx_memcmp(l->name, origin->data, origin->len) == 0
            && ngx_memcmp(l->name + origin->len, name->data, name->len) == 0)
        {
            return l;
        }
    }

    if (!make) {
        return NULL;
    }

    l = ngx_slab_calloc(ngx_http_b24_shpool,
                        offsetof(ngx_http_b24_sh_learned_t, name)
                        + origin->len + name->len);
    if (l == NULL) {
        return NULL;
    }

    l->origin_len = origin->len;
    l->name_len = name->len;

    ngx_memcpy(l->name, origin->data, origin->len);
    ngx_memcpy(l->name + origin->len, name->data, name->len);

    ngx_shmtx_lock(&ngx_http_b24_shpool->mutex);

    /* two processes at once: the one in front is found, the other one rests */

    l->next = ngx_http_b24_shm->learned;
    ngx_memory_barrier();
    ngx_http_b24_shm->learned = l;

    ngx_shmtx_unlock(&ngx_http_b24_shpool->mutex);

    return l;
}


ngx_uint_t
ngx_http_b24_sh_learn(ngx_http_b24_sh_learned_t *l, const b24_str_t *value,
    ngx_uint_t load)
{
    ngx_uint_t  i, k, n;

    ngx_shmtx_lock(&ngx_http_b24_shpool->mutex);

    n = ngx_min(l->n, NGX_HTTP_B24_LEARNED);

    for (i = 0; i < n; i++) {

        if (l->lens[i] == value->len
            && ngx_memcmp(l->values[i], value->data, value->len) == 0)
        {
            ngx_shmtx_unlock(&ngx_http_b24_shpool->mutex);
            return 0;
        }
    }

    k = l->n % NGX_HTTP_B24_LEARNED;

    l->lens[k] = (u_char) value->len;
    ngx_memcpy(l->values[k], value->data, value->len);

    ngx_memory_barrier();
    if (load && l->saved == l->n) {
        l->saved++;
    }

    l->n++;

    ngx_shmtx_unlock(&ngx_http_b24_shpool->mutex);

    return 1;
}


/*
 * A slot of this process: what a worker that was killed had is given back by
 * whoever starts next.
 */

static ngx_http_b24_sh_process_t *
ngx_http_b24_sh_process(void)
{
    ngx_uint_t                  i;
    ngx_http_b24_sh_process_t  *p, *free;

    for (i = 0; i < NGX_HTTP_B24_PROCESSES; i++) {
        p = &ngx_http_b24_shm->processes[i];

        if (ngx_http_b24_sh_dead(p->pid)) {
            ngx_http_b24_sh_reclaim(p);
        }
    }

    free = NULL;

    ngx_shmtx_lock(&ngx_http_b24_shpool->mutex);

    for (i = 0; i < NGX_HTTP_B24_PROCESSES; i++) {
        p = &ngx_http_b24_shm->processes[i];

        if (p->pid == 0) {
            free = p;
            break;
        }
    }

    if (free) {
        free->captured = 0;
        free->held = 0;
        free->refused = 0;
        free->pid = ngx_pid;
    }

    ngx_shmtx_unlock(&ngx_http_b24_shpool->mutex);

    return free;
}


/* one that nobody has waited for yet isn't */

static ngx_uint_t
ngx_http_b24_sh_dead(ngx_atomic_uint_t pid)
{
    return pid && kill((pid_t) pid, 0) == -1 && ngx_errno == ESRCH;
}


/* who was killed with orders that the disk had refused: they are to be told */

void
ngx_http_b24_sh_tick(void)
{
    ngx_uint_t                  i;
    ngx_http_b24_sh_process_t  *p;

    for (i = 0; i < NGX_HTTP_B24_PROCESSES; i++) {
        p = &ngx_http_b24_shm->processes[i];

        if (p->refused && ngx_http_b24_sh_dead(p->pid)) {
            ngx_http_b24_sh_reclaim(p);
        }
    }
}


static void
ngx_http_b24_sh_reclaim(ngx_http_b24_sh_process_t *p)
{
    ngx_uint_t         lost;
    ngx_atomic_uint_t  pid;

    lost = 0;

    ngx_shmtx_lock(&ngx_http_b24_shpool->mutex);

    pid = p->pid;

    /* by nobody else meanwhile */

    if (ngx_http_b24_sh_dead(pid)) {
        (void) ngx_atomic_fetch_add(&ngx_http_b24_shm->captured,
                                    - (ngx_atomic_int_t) p->captured);
        ngx_http_b24_count(NGX_HTTP_B24_COUNTER_HELD, - (ngx_uint_t) p->held);

        if (p->refused) {
            lost = p->held;
            ngx_http_b24_count(NGX_HTTP_B24_COUNTER_LOST, lost);
        }

        p->captured = 0;
        p->held = 0;
        p->refused = 0;
        p->pid = 0;
    }

    ngx_shmtx_unlock(&ngx_http_b24_shpool->mutex);

    /* the log is a file: nobody waits for it under a lock */

    if (lost) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "b24: worker %P was killed with %ui order events in "
                      "memory that the disk had refused", (ngx_pid_t) pid,
                      lost);
    }
}


void
ngx_http_b24_count(ngx_http_b24_counter_e counter, ngx_uint_t n)
{
    (void) ngx_atomic_fetch_add(&ngx_http_b24_shm->counters[counter],
                                (ngx_atomic_int_t) n);
}


void
ngx_http_b24_hold(ngx_int_t n)
{
    ngx_http_b24_count(NGX_HTTP_B24_COUNTER_HELD, (ngx_uint_t) n);

    if (ngx_http_b24_process) {
        (void) ngx_atomic_fetch_add(&ngx_http_b24_process->held, n);
    }
}


void
ngx_http_b24_sh_refused(ngx_uint_t refused)
{
    if (ngx_http_b24_process) {
        ngx_http_b24_process->refused = refused;
    }
}


ngx_uint_t
ngx_http_b24_sh_refusing(ngx_uint_t *held)
{
    ngx_uint_t                  i, n;
    ngx_http_b24_sh_process_t  *p;

    *held = 0;

    for (i = 0, n = 0; i < NGX_HTTP_B24_PROCESSES; i++) {
        p = &ngx_http_b24_shm->processes[i];

        if (p->pid && p->refused) {
            *held += p->held;
            n++;
        }
    }

    return n;
}


ngx_int_t
ngx_http_b24_reserve(size_t size, size_t max)
{
    ngx_atomic_int_t  n;

    n = (ngx_atomic_int_t) size;

    if ((size_t) ngx_atomic_fetch_add(&ngx_http_b24_shm->captured, n) + size
        > max)
    {
        (void) ngx_atomic_fetch_add(&ngx_http_b24_shm->captured, -n);
        return NGX_DECLINED;
    }

    if (ngx_http_b24_process) {
        (void) ngx_atomic_fetch_add(&ngx_http_b24_process->captured, n);
    }

    return NGX_OK;
}


/* any thread */

void
ngx_http_b24_release(size_t size)
{
    ngx_atomic_int_t  n;

    n = (ngx_atomic_int_t) size;

    (void) ngx_atomic_fetch_add(&ngx_http_b24_shm->captured, -n);

    if (ngx_http_b24_process) {
        (void) ngx_atomic_fetch_add(&ngx_http_b24_process->captured, -n);
    }
}


/* counts read later win over those read earlier, whichever worker read them */

void
ngx_http_b24_sh_publish(b24_queue_counts_t *counts, size_t n, int64_t change,
    ngx_uint_t opened)
{
    size_t                     i;
    ngx_str_t                  name;
    ngx_uint_t                 s;
    ngx_atomic_uint_t          known;
    ngx_http_b24_sh_origin_t  *o;

    known = ngx_http_b24_shm->change;

    if ((ngx_atomic_uint_t) change < known) {

        if (!opened) {
            return;
        }

        /* another file took the place of the one counted so far */

        for (o = ngx_http_b24_shm->origins; o; o = o->next) {

            for (s = 0; s < B24_NSTATES; s++) {
                o->counts[s] = 0;
            }

            o->oldest = 0;
            o->paused = 0;
        }
    }

    ngx_http_b24_shm->change = (ngx_atomic_uint_t) change;
    ngx_http_b24_shm->counted = 1;

    for (i = 0; i < n; i++) {
        name = counts[i].origin;

        o = ngx_http_b24_sh_origin(&name);
        if (o == NULL) {
            continue;
        }

        for (s = 0; s < B24_NSTATES; s++) {
            o->counts[s] = (ngx_atomic_uint_t) counts[i].counts[s];
        }

        o->oldest = (ngx_atomic_uint_t) (counts[i].oldest / 1000);
        o->paused = (counts[i].paused != 0);
    }
}


void
ngx_http_b24_sh_delivered(ngx_http_b24_sh_origin_t *sh, int64_t ms)
{
    ngx_uint_t  i;

    static const int64_t  bounds[] = { NGX_HTTP_B24_BOUNDS };

    /* the clock may have been set back */

    ms = ngx_max(ms, 0);

    for (i = 0; i < NGX_HTTP_B24_BUCKETS - 1 && ms > bounds[i]; i++) {
        /* void */
    }

    (void) ngx_atomic_fetch_add(&sh->times[i], 1);
    (void) ngx_atomic_fetch_add(&sh->times_ms, (ngx_atomic_int_t) ms);
}


/* the courier only: one writer */

static void
ngx_http_b24_sh_write(ngx_atomic_t *gen, u_char *to, const char *text,
    size_t size)
{
    (void) ngx_atomic_fetch_add(gen, 1);
    ngx_memory_barrier();

    ngx_cpystrn(to, (u_char *) (text ? text : ""), size);

    ngx_memory_barrier();
    (void) ngx_atomic_fetch_add(gen, 1);
}


void
ngx_http_b24_sh_reason(ngx_http_b24_sh_words_t *words, const char *reason,
    const char *advice)
{
    ngx_http_b24_sh_write(&words->gen, words->reason, reason,
                          NGX_HTTP_B24_REASON);
    ngx_http_b24_sh_write(&words->gen, words->advice, advice,
                          NGX_HTTP_B24_REASON);
}


void
ngx_http_b24_sh_warnings(ngx_http_b24_sh_portal_t *sh, u_char *text)
{
    ngx_http_b24_sh_write(&sh->words.gen, sh->warnings, (char *) text,
                          NGX_HTTP_B24_WARNINGS);
}


static void
ngx_http_b24_sh_copy(ngx_atomic_t *gen, u_char *from, u_char *text,
    size_t size)
{
    ngx_uint_t         i;
    ngx_atomic_uint_t  before;

    /* a writer that died in the middle must not hold a reader */

    for (i = 0; i < 1000; i++) {
        before = *gen;
        ngx_memory_barrier();

        ngx_memcpy(text, from, size);

        ngx_memory_barrier();

        if (!(before & 1) && before == *gen) {
            break;
        }
    }

    text[size - 1] = '\0';
}


void
ngx_http_b24_sh_read(ngx_http_b24_sh_words_t *words,
    u_char reason[NGX_HTTP_B24_REASON], u_char advice[NGX_HTTP_B24_REASON])
{
    ngx_http_b24_sh_copy(&words->gen, words->reason, reason,
                         NGX_HTTP_B24_REASON);
    ngx_http_b24_sh_copy(&words->gen, words->advice, advice,
                         NGX_HTTP_B24_REASON);
}


void
ngx_http_b24_sh_read_warnings(ngx_http_b24_sh_portal_t *sh,
    u_char text[NGX_HTTP_B24_WARNINGS])
{
    ngx_http_b24_sh_copy(&sh->words.gen, sh->warnings, text,
                         NGX_HTTP_B24_WARNINGS);
}


/* what is left in the bucket now; an hour empties any */

ngx_uint_t
ngx_http_b24_sh_level(ngx_http_b24_sh_portal_t *sh, ngx_uint_t rate)
{
    ngx_msec_int_t     ms;
    ngx_atomic_uint_t  level, drain;

    ms = (ngx_msec_int_t) (ngx_current_msec - (ngx_msec_t) sh->last);
    ms = ngx_max(ms, 0);

    /* rate is in thousandths a second, the level in thousandths */

    rate = ngx_http_b24_sh_rate(sh, rate);
    drain = (ngx_atomic_uint_t) ngx_min(ms, 3600 * 1000) * rate / 1000;
    level = sh->level;

    return (level > drain) ? level - drain : 0;
}


ngx_uint_t
ngx_http_b24_sh_rate(ngx_http_b24_sh_portal_t *sh, ngx_uint_t rate)
{
    ngx_uint_t      ease, back;
    ngx_msec_int_t  ms;

    ease = sh->ease;

    if (ease == 0) {
        return rate;
    }

    ms = (ngx_msec_int_t) (ngx_current_msec - (ngx_msec_t) sh->eased);
    ms = ngx_max(ms, 0);

    back = (ngx_uint_t) ms / NGX_HTTP_B24_EASE_STEP * NGX_HTTP_B24_EASE_BACK;
    ease -= ngx_min(ease, back);

    rate = rate * (1000 - ease) / 1000;

    return ngx_max(rate, 1);
}


ngx_uint_t
ngx_http_b24_sh_note(ngx_http_b24_sh_origin_t *o, const u_char *text)
{
    size_t      len, used;
    ngx_uint_t  added;

    added = 0;
    len = ngx_strlen(text);

    ngx_shmtx_lock(&ngx_http_b24_shpool->mutex);

    used = ngx_strlen(o->notes);

    if (ngx_strstr(o->notes, text) == NULL
        && used + len + 2 <= NGX_HTTP_B24_NOTES)
    {
        /* a reader without the mutex sees the zero byte last */

        ngx_memcpy(o->notes + used, text, len);
        o->notes[used + len + 1] = '\0';
        ngx_memory_barrier();
        o->notes[used + len] = '\n';

        added = 1;
    }

    ngx_shmtx_unlock(&ngx_http_b24_shpool->mutex);

    return added;
}
