
/*
 * Counters of the whole nginx: id, name, help.  The enum, the JSON and the
 * Prometheus text are made from this list.
 */

NGX_HTTP_B24_X(CANDIDATES, "candidates", "Requests the rules looked at.")
NGX_HTTP_B24_X(OVERSIZE, "oversize", "Bodies or answers above b24_capture.")
NGX_HTTP_B24_X(COLLECTS, "collects", "Exchanges taken into sessions.")
NGX_HTTP_B24_X(COLLECTS_IGNORED, "collects_ignored", "Collects not taken: \
unreadable, too large, or without a session.")
NGX_HTTP_B24_X(SESSIONS, "sessions", "Sessions in shared memory now.")
NGX_HTTP_B24_X(SESSIONS_EVICTED, "sessions_evicted", "Sessions that made room.")
NGX_HTTP_B24_X(SESSIONS_EMPTIED, "sessions_emptied", "Times all sessions were \
given up after a crash.")
NGX_HTTP_B24_X(LEARNED, "learned", "Values learned.")
NGX_HTTP_B24_X(UNREADABLE, "unreadable", "Exchanges that could not be read.")
NGX_HTTP_B24_X(STATUSES, "statuses", "Changes of orders taken down.")
NGX_HTTP_B24_X(STATUSES_IGNORED, "statuses_ignored", "Changes not taken: the \
shop refused them, or nobody could read what it said.")
NGX_HTTP_B24_X(STATUSES_UNKNOWN, "statuses_unknown", "Changes of orders the \
queue does not know.")
NGX_HTTP_B24_X(EVENTS, "events", "Webhooks of the portals taken.")
NGX_HTTP_B24_X(EVENTS_REFUSED, "events_refused", "Webhooks with a wrong token, \
or that no portal sends.")
NGX_HTTP_B24_X(SHOP_TOLD, "shop_told", "Statuses of the CRM that were brought \
to their shop.")
NGX_HTTP_B24_X(SHOP_FAILED, "shop_failed", "Attempts at that which the shop \
did not take.")
NGX_HTTP_B24_X(STORED, "stored", "Records committed.")
NGX_HTTP_B24_X(STORE_ERRORS, "store_errors", "Failed commits.")
NGX_HTTP_B24_X(HELD, "held", "Orders held in memory now.")
NGX_HTTP_B24_X(LOST, "lost", "Orders given up: memory and disk were full.")
NGX_HTTP_B24_X(SET_ASIDE, "set_aside", "Queue files that could not be used: \
a new one was begun.")
