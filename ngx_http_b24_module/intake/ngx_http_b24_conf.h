
/* The configuration, and who reads it.  Part of ngx_http_b24_module.h. */


#ifndef _NGX_HTTP_B24_CONF_H_INCLUDED_
#define _NGX_HTTP_B24_CONF_H_INCLUDED_


#define NGX_HTTP_B24_JOURNAL_OFF    0
#define NGX_HTTP_B24_JOURNAL_ASYNC  1
#define NGX_HTTP_B24_JOURNAL_SYNC   2


typedef struct {
    ngx_str_t                   name;       /* CRM field */
    ngx_str_t                   text;       /* "" removes */
    ngx_http_complex_value_t   *value;
    unsigned                    late:1;     /* needs the answer */
} ngx_http_b24_field_t;


/* a field of the CRM as the configuration sets it, to be checked */
typedef struct {
    b24_field_line_t            line;
    const char                 *directive;  /* static */
    const b24_str_t            *shop;       /* NULL: no line of rules */
} ngx_http_b24_line_t;


/* what a portal stands, b24_rate */
typedef struct {
    ngx_uint_t                  rate;       /* 1/1000 request a second */
    ngx_uint_t                  burst;      /* requests */
    ngx_msec_t                  operating;  /* server time a method may take
                                               in a window, 0: nobody counts */
    ngx_msec_t                  window;
    ngx_msec_t                  batch;      /* server time of one request of
                                               many orders, at most */
} ngx_http_b24_limits_t;


typedef struct {
    ngx_str_t                   url;        /* secret: never logged */
    ngx_str_t                   host;       /* host or host:port */
    unsigned                    dry:1;
    ngx_http_b24_place_t        place;
} ngx_http_b24_webhook_t;


typedef struct {
    ngx_str_t                   text;       /* secret: never logged */
    b24_database_url_t          url;
    ngx_msec_t                  connect;
    ngx_msec_t                  read;
    ngx_msec_t                  wait;       /* for one that fails */
    ngx_msec_t                  absent;     /* until what isn't there is no
                                               order */
    ngx_msec_t                  poll;
    ngx_msec_t                  traffic;    /* left to it before an import */
    ngx_http_b24_place_t        place;
} ngx_http_b24_database_t;


/* where and as whom the shop itself is called */
typedef struct {
    ngx_str_t                   url;        /* no slash at its end */
    ngx_str_t                   host;       /* host or host:port */
    ngx_str_t                   user;       /* may be empty, as the next */
    ngx_str_t                   password;   /* secret: never logged */
    ngx_http_b24_place_t        place;
} ngx_http_b24_site_t;


/* who is told when something needs a person */
typedef struct {
    ngx_str_t                   url;        /* secret: never logged; of a
                                               socket the path; terminated */
    ngx_str_t                   name;       /* of it, without what is secret */
    time_t                      age;        /* of the oldest order */
    time_t                      again;      /* 0: never */
    time_t                      gap;
    unsigned                    local:1;    /* a socket */
} ngx_http_b24_alert_t;


/* an origin that a b24_status line names */
typedef struct {
    ngx_str_t                   origin;
    ngx_http_b24_place_t        place;
} ngx_http_b24_shown_t;


/* a string with variables, and the line it is of */
typedef struct {
    ngx_str_t                   text;
    ngx_str_t                   directive;
    ngx_http_b24_place_t        place;
} ngx_http_b24_use_t;


struct ngx_http_b24_main_conf_s {
    ngx_str_t                   queue;      /* the folder; "" until set */
    ngx_str_t                   db;         /* paths below it, terminated */
    ngx_str_t                   lock;
    ngx_str_t                   sock;
    time_t                      keep;
    ngx_uint_t                  max;
    ngx_flag_t                  queue_set;
    ngx_http_b24_place_t        queue_place;    /* none: the usual folder */

    b24_pool_t                 *rules_pool;
    b24_rules_t                *rules;
    ngx_array_t                 vars;       /* ngx_http_complex_value_t */
    ngx_array_t                 uses;       /* ngx_http_b24_use_t */

    ngx_array_t                 origins;    /* ngx_http_b24_origin_t * */
    ngx_array_t                 portals;    /* ngx_http_b24_portal_t * */
    ngx_uint_t                  mirrors;    /* b24_mirror lines that are on */
    ngx_uint_t                  desks;      /* b24_status locations */
    ngx_array_t                 events;     /* ngx_http_b24_events_t * */
    ngx_array_t                 shown;      /* ngx_http_b24_shown_t */

    ngx_shm_zone_t             *zone;
    ngx_shm_zone_t             *sessions_zone;  /* NULL: none is needed */
    size_t                      sessions_size;
    time_t                      sessions_time;
    ngx_thread_pool_t          *threads;
    ngx_thread_pool_t          *db_threads; /* NULL: no database */
};


typedef struct {
    ngx_str_t                   origin;     /* b24_origin */
    ngx_http_b24_place_t        origin_place;
    ngx_http_b24_webhook_t     *webhook;
    ngx_http_b24_limits_t       limits;     /* b24_rate */
    ngx_http_b24_place_t        rate_place;
    ngx_str_t                   certificate;
    ngx_http_b24_place_t        certificate_place;
    ngx_int_t                   category;
    ngx_uint_t                  api;        /* 0 classic, 1 universal */
    ngx_uint_t                  match;      /* b24_match_e */
    ngx_uint_t                  product;    /* b24_product_e */
    ngx_str_t                   phone_code;
    ngx_int_t                   requisite_preset;
    ngx_array_t                *stages;     /* b24_pair_t; overrides */
    ngx_flag_t                  stages_none;
    ngx_array_t                *stage_back; /* b24_pair_t, STAGE and STATUS:
                                               its elements are a list as well;
                                               NULL: none */
    ngx_msec_t                  retry_first;
    ngx_msec_t                  retry_max;
    ngx_msec_t                  retry_unknown;
    ngx_http_b24_place_t        retry_place;
    ngx_http_b24_database_t    *database;   /* NULL: none */
    ngx_flag_t                  imports;    /* b24_import */
    ngx_http_b24_site_t        *site;       /* NULL: none */
    ngx_uint_t                  update;     /* b24_update; b24_update_e */
    ngx_http_b24_alert_t       *alert;      /* NULL: none */

    ngx_http_b24_place_t        place;      /* of the server's settings */
    ngx_uint_t                  mirrors;    /* in this server */
    ngx_array_t                *shops;      /* b24_str_t: of its mirrors */
    ngx_array_t                *lines;      /* ngx_http_b24_line_t: of them */
    ngx_http_b24_place_t        mirror_place;
    ngx_http_b24_origin_t      *o;          /* set by postconfiguration */
} ngx_http_b24_srv_conf_t;


typedef struct {
    ngx_flag_t                  mirror;
    const b24_shop_t           *shop;

    ngx_uint_t                  journal;    /* NGX_HTTP_B24_JOURNAL_... */

    size_t                      body_max;
    size_t                      answer_max;
    size_t                      total_max;

    ngx_array_t                *deal;       /* ngx_http_b24_field_t */
    ngx_array_t                *contact;
    ngx_array_t                *company;

    ngx_http_b24_events_t      *events;     /* NULL: it takes no webhooks */
    ngx_array_t                *desk;       /* ngx_str_t: origins shown; NULL:
                                               the location is no desk */
    ngx_flag_t                  reveal;
    unsigned                    abort_noted:1;  /* by this worker */

    ngx_http_b24_ctx_t         *none;       /* of all requests that no rule
                                               wants */
} ngx_http_b24_loc_conf_t;


/* one ORIGINATOR_ID; servers that share it agree on all of this */
struct ngx_http_b24_origin_s {
    ngx_str_t                   name;
    ngx_http_b24_srv_conf_t    *conf;       /* of the first such server */
    ngx_http_b24_portal_t      *portal;     /* NULL: no webhook */
    ngx_http_b24_place_t        place;
    ngx_array_t                *lines;      /* ngx_http_b24_line_t: of all its
                                               servers */
    ngx_http_b24_sh_origin_t   *sh;         /* after init_process */
    ngx_uint_t                  rejected;   /* not yet in the queue's counts */
    time_t                      other_api;  /* courier: until then the other
                                               family of methods is used */
    void                       *reader;     /* courier: ngx_http_b24_reader_t,
                                               NULL: no database */
    const b24_shop_t           *writes;     /* its first that is written back
                                               to, NULL: none, or nowhere */
};


/* one host of the CRM; the courier's side of it is in courier/ */
struct ngx_http_b24_portal_s {
    ngx_str_t                   host;
    ngx_array_t                 origins;    /* ngx_http_b24_origin_t * */
    ngx_http_b24_limits_t       limits;
    ngx_http_b24_place_t        place;
    unsigned                    dry:1;
    time_t                      watch;      /* s between looks at what its deals
                                               do, 0: nobody looks */
    ngx_http_b24_sh_portal_t   *sh;         /* after init_process */
    ngx_str_t                   moved;      /* courier: host[:port] it answers
                                               at now; malloc()ed */
    void                       *book;       /* courier: ngx_http_b24_book_t */
};


/* ngx_http_b24_merge.c */
void *ngx_http_b24_create_main_conf(ngx_conf_t *cf);
char *ngx_http_b24_init_main_conf(ngx_conf_t *cf, void *conf);
void *ngx_http_b24_create_srv_conf(ngx_conf_t *cf);
char *ngx_http_b24_merge_srv_conf(ngx_conf_t *cf, void *parent,
    void *child);
void *ngx_http_b24_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_b24_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
/* adds a line unless there is one like it; *lines may be NULL */
ngx_int_t ngx_http_b24_line_add(ngx_pool_t *pool, ngx_array_t **lines,
    const ngx_http_b24_line_t *line);

/* intake/ngx_http_b24_conf.c */
char *ngx_http_b24_conf_queue(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_b24_conf_origin(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* why a name can't be an origin, NULL: it can */
char *ngx_http_b24_origin_wrong(ngx_str_t *name);
char *ngx_http_b24_conf_mirror(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_capture(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_journal(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* intake/ngx_http_b24_rate_conf.c */
char *ngx_http_b24_conf_rate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
void ngx_http_b24_limits_default(ngx_http_b24_limits_t *limits);
ngx_uint_t ngx_http_b24_limits_same(const ngx_http_b24_limits_t *a,
    const ngx_http_b24_limits_t *b);

/* intake/ngx_http_b24_deal_conf.c */
char *ngx_http_b24_conf_retry(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_b24_conf_match(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_b24_conf_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_b24_conf_product(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_category(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_requisite_preset(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_phone_code(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_stage(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* one more b24_pair_t; NGX_DECLINED: there is one of this name */
ngx_int_t ngx_http_b24_conf_pair(ngx_conf_t *cf, ngx_array_t **pairs,
    ngx_str_t *name, ngx_str_t *value);
char *ngx_http_b24_conf_field(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* text is a string with variables of the line at hand: whether all of them
 * exist is told after the whole configuration */
ngx_int_t ngx_http_b24_conf_uses(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf, ngx_str_t *text);

/* intake/ngx_http_b24_check_conf.c */
ngx_int_t ngx_http_b24_conf_check(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);

/* intake/ngx_http_b24_portal_conf.c */
char *ngx_http_b24_conf_webhook(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_certificate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* the address of b24_alert and b24_database; text->data NULL: "off" */
char *ngx_http_b24_conf_address(ngx_conf_t *cf, ngx_str_t *text, char *what);
/* what arg says: itself, or of file:PATH what is in that file */
char *ngx_http_b24_conf_secret(ngx_conf_t *cf, ngx_str_t *arg, ngx_str_t *text,
    char *what);
/* the one line of a file of the directive at hand; blanks: those at its ends
 * are a part of it */
char *ngx_http_b24_secret_file(ngx_conf_t *cf, ngx_str_t *path,
    ngx_str_t *text, char *what, ngx_uint_t blanks);
/* of addresses: what follows the scheme; host or host:port as everything else
 * names it; "." or ".." in a path */
u_char *ngx_http_b24_conf_scheme(ngx_str_t *url, ngx_uint_t *tls);
char *ngx_http_b24_conf_host(ngx_conf_t *cf, ngx_str_t *text, ngx_uint_t tls,
    ngx_str_t *host);
ngx_uint_t ngx_http_b24_conf_dots(u_char *p, u_char *last);

/* intake/ngx_http_b24_site_conf.c */
char *ngx_http_b24_conf_site(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_b24_conf_stage_back(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* links the elements of an array of b24_pair_t; NULL is none */
void ngx_http_b24_conf_list(ngx_array_t *pairs);
/* after merging: whether each site can be called, and would be */
ngx_int_t ngx_http_b24_site_check(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);

/* intake/ngx_http_b24_alert_conf.c */
char *ngx_http_b24_conf_alert(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* intake/ngx_http_b24_database_conf.c */
char *ngx_http_b24_conf_database(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_b24_conf_update(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_uint_t ngx_http_b24_databases(ngx_http_b24_main_conf_t *bmcf);
/* rules of the first shop whose orders can be looked up; NULL: of none */
const b24_shop_t *ngx_http_b24_database_shop(ngx_http_b24_main_conf_t *bmcf,
    ngx_http_b24_origin_t *o);
void ngx_http_b24_database_check(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);

/* intake/ngx_http_b24_events.c */
char *ngx_http_b24_conf_events(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* after merging: whose deals each location is told of */
ngx_int_t ngx_http_b24_events_check(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);

/* intake/ngx_http_b24_folder.c */
ngx_int_t ngx_http_b24_queue_check(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);
void ngx_http_b24_queue_folder(ngx_cycle_t *cycle,
    ngx_http_b24_main_conf_t *bmcf);

/* intake/ngx_http_b24_shop.c */
char *ngx_http_b24_shop(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_b24_shop_line(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* _NGX_HTTP_B24_CONF_H_INCLUDED_ */
