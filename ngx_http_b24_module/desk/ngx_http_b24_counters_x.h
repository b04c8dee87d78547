
/*
 * Counters of the whole nginx: id, name, help.  The enum, the JSON and the
 * Prometheus text are made from this list.
 */

NGX_HTTP_B24_X(CANDIDATES, "candidates", "Requests the rules looked at.")
NGX_HTTP_B24_X(OVERSIZE, "oversize", "Bodies or answers above b24_capture.")
NGX_HTTP_B24_X(UNREADABLE, "unreadable", "Exchanges that could not be read.")
NGX_HTTP_B24_X(STORED, "stored", "Records committed.")
NGX_HTTP_B24_X(STORE_ERRORS, "store_errors", "Failed commits.")
NGX_HTTP_B24_X(HELD, "held", "Orders held in memory now.")
NGX_HTTP_B24_X(LOST, "lost", "Orders given up: memory and disk were full.")
