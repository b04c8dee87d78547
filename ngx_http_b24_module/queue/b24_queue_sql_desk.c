
/* The statements of desk, hand, housekeeping and the shop's database. */

#include "b24_queue_int.h"


const char *const  b24_queue_sql_desk[B24_SQL_N - B24_SQL_LINK] = {

    [B24_SQL_LINK - B24_SQL_LINK] =
        "SELECT deal_id, contact_id, company_id FROM links"
        " WHERE origin = ? AND order_id = ?",

    [B24_SQL_COUNTS - B24_SQL_LINK] =
        "SELECT origin, state, n, changes FROM counts ORDER BY origin, state",

    [B24_SQL_OLDEST - B24_SQL_LINK] =
        "SELECT (SELECT arrived FROM records INDEXED BY records_open"
            " WHERE (state = 'accepted' OR state = 'sending'"
            " OR state = 'waiting') AND origin = ?1"
            " ORDER BY arrived LIMIT 1),"
        " EXISTS (SELECT 1 FROM paused WHERE origin = ?1)",

    [B24_SQL_LONGEST - B24_SQL_LINK] =
        "SELECT id, arrived FROM records INDEXED BY records_open"
        " WHERE (state = 'accepted' OR state = 'sending'"
        " OR state = 'waiting') AND origin = ?"
        " ORDER BY arrived LIMIT ?",

    [B24_SQL_ORIGINS - B24_SQL_LINK] =
        "SELECT DISTINCT origin FROM counts ORDER BY origin",

    [B24_SQL_LATEST - B24_SQL_LINK] =
        "SELECT id, updated FROM records INDEXED BY records_list"
        " WHERE origin = ? AND state = ? AND updated >= ?"
        " ORDER BY updated DESC, id DESC LIMIT ?",

    [B24_SQL_RECORD - B24_SQL_LINK] =
        "SELECT id, origin, order_id, rule, state, deal_id, contact_id,"
        " company_id, attempts, created, updated, next, cause, advice, reuse,"
        " (SELECT number FROM numbers WHERE record = id)"
        " FROM records WHERE id = ?",

    [B24_SQL_CAPTURE_RECORD - B24_SQL_LINK] =
        "SELECT id, origin, NULL, rule, 'captured', NULL, NULL, NULL, 0, time,"
        " time, NULL, NULL, NULL, 0, NULL FROM captures WHERE id = ?",

    [B24_SQL_CAPTURE_MOMENTS - B24_SQL_LINK] =
        "SELECT time, time, 1, 'captured', NULL, NULL, NULL FROM captures"
        " WHERE id = ?",

    [B24_SQL_LATEST_CAPTURES - B24_SQL_LINK] =
        "SELECT id, time FROM captures WHERE origin = ? AND time >= ?",

    [B24_SQL_FIRST_DATA - B24_SQL_LINK] =
        "SELECT data FROM events WHERE record = ?1 AND seq = 1"
        " UNION ALL SELECT data FROM captures WHERE id = ?1",

    [B24_SQL_FIRST_ORDER - B24_SQL_LINK] =
        "SELECT data FROM events WHERE record = ? AND seq = 1"
        " AND kind = 'new'",

    [B24_SQL_BY_NUMBER - B24_SQL_LINK] =
        "SELECT id FROM records INDEXED BY records_number"
        " WHERE order_id = ?1 AND origin = coalesce(?2, origin)"
        " ORDER BY origin, reuse LIMIT ?3",

    [B24_SQL_BY_SHOP_NUMBER - B24_SQL_LINK] =
        "SELECT id FROM records INDEXED BY records_shop"
        " WHERE shop_number = ?1 AND origin = coalesce(?2, origin)"
        " ORDER BY origin, id LIMIT ?3",

    [B24_SQL_FIRST_MOMENTS - B24_SQL_LINK] =
        "SELECT created, created, 1, 'captured', NULL, NULL, NULL"
        " FROM records WHERE id = ?1 AND begun = 2"
        " UNION ALL SELECT accepted, accepted, 1, 'accepted', NULL, NULL, NULL"
        " FROM records WHERE id = ?1 AND begun IS NOT NULL",

    [B24_SQL_TIMELINE - B24_SQL_LINK] =
        "SELECT time, last, count, state, cause, method, error FROM timeline"
        " WHERE record = ? ORDER BY n",

    /* a person's hand and housekeeping */

    [B24_SQL_RETRY - B24_SQL_LINK] =
        "UPDATE records SET state = 'accepted', next = NULL, warned = NULL,"
        " updated = ?, cause = NULL, advice = NULL WHERE id = ?"
        " AND (state = 'parked' OR state = 'waiting') AND (reuse = 0"
        " OR EXISTS (SELECT 1 FROM numbers WHERE record = records.id))",

    [B24_SQL_OLD_DELIVERED - B24_SQL_LINK] =
        "SELECT id, (SELECT sum(length(CAST(data AS BLOB))) FROM events"
        " WHERE events.record = records.id)"
        " FROM records INDEXED BY records_delivered"
        " WHERE state = 'delivered' AND delivered <= ?"
        " ORDER BY delivered LIMIT 1",

    [B24_SQL_OLD_WARNED - B24_SQL_LINK] =
        "SELECT id, (SELECT sum(length(CAST(data AS BLOB))) FROM events"
        " WHERE events.record = records.id)"
        " FROM records INDEXED BY records_warned"
        " WHERE warned IS NOT NULL AND warned <= ? AND updated <= ?"
        " AND (state = 'parked' OR state = 'unconfirmed') LIMIT 1",

    [B24_SQL_DROP_RECORD - B24_SQL_LINK] =
        "DELETE FROM records WHERE id = ?",

    [B24_SQL_UNWARN - B24_SQL_LINK] =
        "UPDATE records SET warned = NULL WHERE id IN (SELECT id"
        " FROM records INDEXED BY records_warned"
        " WHERE warned IS NOT NULL AND warned > ? LIMIT ?)",

    [B24_SQL_AGING - B24_SQL_LINK] =
        "SELECT id, state FROM records INDEXED BY records_aging"
        " WHERE (state = 'parked' OR state = 'unconfirmed')"
        " AND warned IS NULL AND updated <= ? ORDER BY updated LIMIT 1",

    [B24_SQL_WARN - B24_SQL_LINK] =
        "UPDATE records SET warned = ? WHERE id = ?",

    /* facts; kind and portal are compared too: hashes may collide */

    [B24_SQL_SALT - B24_SQL_LINK] =
        "SELECT salt FROM secrets WHERE id = 1",

    [B24_SQL_PUT_SALT - B24_SQL_LINK] =
        "INSERT INTO secrets VALUES (1, ?)",

    [B24_SQL_FACT - B24_SQL_LINK] =
        "SELECT id, time FROM facts"
        " WHERE id_hash = ? AND portal = ? AND kind = ?",

    [B24_SQL_PUT_FACT - B24_SQL_LINK] =
        "INSERT INTO facts VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (id_hash) DO UPDATE SET portal = excluded.portal,"
        " kind = excluded.kind, id = excluded.id, time = excluded.time",

    [B24_SQL_DROP_FACT - B24_SQL_LINK] =
        "DELETE FROM facts WHERE id_hash = ? AND portal = ? AND kind = ?",

    [B24_SQL_DROP_FACTS_OF - B24_SQL_LINK] =
        "DELETE FROM facts INDEXED BY facts_id"
        " WHERE portal = ? AND kind = ? AND id = -?",

    [B24_SQL_FACTS - B24_SQL_LINK] =
        "SELECT n FROM sizes WHERE name = 'facts'",

    [B24_SQL_CLEAN_FACTS - B24_SQL_LINK] =
        "DELETE FROM facts WHERE id_hash IN (SELECT id_hash"
        " FROM facts INDEXED BY facts_time WHERE time <= ?"
        " ORDER BY time LIMIT ?)",

    [B24_SQL_CLEAN_FUTURE_FACTS - B24_SQL_LINK] =
        "DELETE FROM facts WHERE id_hash IN (SELECT id_hash"
        " FROM facts INDEXED BY facts_time WHERE time > ?"
        " ORDER BY time LIMIT ?)",

    /*
     * A number is an order's also when it was given to it in the CRM, when the
     * order was dropped (one whose answer was never seen may come yet), or when
     * the shop calls an order by it that has another one in the CRM.
     */

    [B24_SQL_TWIN_OTHERS - B24_SQL_LINK] =
        "SELECT 0, 0 FROM numbers INDEXED BY numbers_number"
        " WHERE number = ?1 AND origin = ?2"
        " UNION ALL SELECT 1, accepted"
        " FROM dropped INDEXED BY dropped_number"
        " WHERE order_id = ?1 AND origin = ?2 AND reuse = 0"
        " AND state <> 'unconfirmed'"
        " UNION ALL SELECT 1, accepted FROM records INDEXED BY records_shop"
        " WHERE shop_number = ?1 AND origin = ?2",

    /* dropped records, in the columns of those that are there */

    [B24_SQL_BY_ORIGIN_ID - B24_SQL_LINK] =
        "SELECT r.id FROM numbers n INDEXED BY numbers_number"
        " JOIN records r ON r.id = n.record"
        " WHERE n.number = ?1 AND n.origin = coalesce(?2, n.origin)"
        " ORDER BY n.origin LIMIT ?3",

    [B24_SQL_DROPPED_BY_NUMBER - B24_SQL_LINK] =
        "SELECT record FROM dropped INDEXED BY dropped_number"
        " WHERE order_id = ?1 AND origin = coalesce(?2, origin)"
        " ORDER BY origin, record LIMIT ?3",

    [B24_SQL_LATEST_DROPPED - B24_SQL_LINK] =
        "SELECT record, dropped FROM dropped INDEXED BY dropped_list"
        " WHERE origin = ? AND dropped >= ?"
        " ORDER BY dropped DESC, record DESC LIMIT ?",

    [B24_SQL_DROPPED - B24_SQL_LINK] =
        "SELECT record, origin, order_id, rule, 'rejected', deal_id,"
        " contact_id, company_id, attempts, created, dropped, NULL, cause,"
        " NULL, reuse, (SELECT number FROM numbers n"
        " WHERE n.record = dropped.record)"
        " FROM dropped WHERE record = ?",

    [B24_SQL_DROPPED_MOMENTS - B24_SQL_LINK] =
        "SELECT updated, state, dropped, cause FROM dropped WHERE record = ?",

    [B24_SQL_CLEAN_DROPPED - B24_SQL_LINK] =
        "DELETE FROM dropped WHERE record IN (SELECT record"
        " FROM dropped INDEXED BY dropped_time WHERE dropped <= ?"
        " ORDER BY dropped LIMIT ?)",

    /* a step that was sent may have been done */

    [B24_SQL_HASTEN - B24_SQL_LINK] =
        "UPDATE records SET next = min(next, updated + ?1), warned = NULL"
        " WHERE id = ?2 AND state = 'waiting' AND updated + ?1 > ?3"
        " AND updated <= ?3 AND EXISTS (SELECT 1 FROM steps"
        " WHERE record = records.id AND steps.state = 'sent')",

    [B24_SQL_NEXT_PARKED - B24_SQL_LINK] =
        "SELECT id, updated FROM records INDEXED BY records_list"
        " WHERE origin = ? AND state = 'parked'"
        " AND (updated, id) > (?, ?) AND attempts > 0 AND (reuse = 0"
        " OR EXISTS (SELECT 1 FROM numbers WHERE record = records.id))"
        " ORDER BY updated, id LIMIT 1",

    [B24_SQL_PARKED_LEFT - B24_SQL_LINK] =
        "SELECT cause, advice, attempts > 0 AND (reuse = 0"
        " OR EXISTS (SELECT 1 FROM numbers WHERE record = records.id))"
        " FROM records INDEXED BY records_list"
        " WHERE origin = ? AND state = 'parked' LIMIT ?",

    [B24_SQL_HAND - B24_SQL_LINK] =
        "SELECT state, reuse, origin, order_id,"
        " EXISTS (SELECT 1 FROM numbers WHERE record = id)"
        " FROM records WHERE id = ?",

    [B24_SQL_NUMBER_TAKEN - B24_SQL_LINK] =
        "SELECT 1 FROM records INDEXED BY records_number"
        " WHERE order_id = ?1 AND origin = ?2"
        " AND coalesce(shop_row = ?3, 1) AND id IS NOT ?4"
        " UNION ALL SELECT 1 FROM links"
        " WHERE order_id = ?1 AND origin = ?2"
        " AND coalesce(shop_row = ?3, 1)"
        " UNION ALL SELECT 1 FROM numbers INDEXED BY numbers_number"
        " WHERE number = ?1 AND origin = ?2"
        " UNION ALL SELECT 1 FROM dropped INDEXED BY dropped_number"
        " WHERE order_id = ?1 AND origin = ?2"
        " UNION ALL SELECT 1 FROM records INDEXED BY records_shop"
        " WHERE shop_number = ?1 AND origin = ?2"
        " AND coalesce(shop_row = ?3, 1)"
        " LIMIT 1",

    [B24_SQL_ROW_TAKEN - B24_SQL_LINK] =
        "SELECT 1 FROM records INDEXED BY records_row"
        " WHERE shop_row = ?1 AND origin = ?2"
        " UNION ALL SELECT 1 FROM links INDEXED BY links_row"
        " WHERE shop_row = ?1 AND origin = ?2 LIMIT 1",

    [B24_SQL_PUT_NUMBER - B24_SQL_LINK] =
        "INSERT INTO numbers VALUES (?, ?, ?)",

    /* one whose answer was not seen is accepted by that person, now */

    [B24_SQL_SEND - B24_SQL_LINK] =
        "UPDATE records SET arrived = CASE WHEN state = 'unconfirmed' THEN ?1"
        " ELSE arrived END, state = 'accepted', next = NULL, warned = NULL,"
        " updated = ?1, cause = NULL, advice = NULL WHERE id = ?2",

    [B24_SQL_SEND_EVENT - B24_SQL_LINK] =
        "UPDATE events SET arrived = ? WHERE record = ? AND seq = 1",

    [B24_SQL_PUT_DROPPED - B24_SQL_LINK] =
        "INSERT INTO dropped SELECT id, origin, order_id, reuse, rule, state,"
        " deal_id, contact_id, company_id, attempts, accepted, created,"
        " updated, ?, ? FROM records WHERE id = ?",

    [B24_SQL_KEEP_SHOP_NUMBER - B24_SQL_LINK] =
        "INSERT OR IGNORE INTO numbers SELECT id, origin, shop_number"
        " FROM records WHERE id = ? AND shop_number <> ''",

    [B24_SQL_DROP - B24_SQL_LINK] =
        "DELETE FROM records WHERE id = ?",

    [B24_SQL_PAUSE - B24_SQL_LINK] =
        "INSERT INTO paused VALUES (?, ?, ?) ON CONFLICT (origin) DO NOTHING",

    [B24_SQL_RESUME - B24_SQL_LINK] =
        "DELETE FROM paused WHERE origin = ?",

    [B24_SQL_PAUSED - B24_SQL_LINK] =
        "SELECT since, cause FROM paused WHERE origin = ?",

    [B24_SQL_PORTAL - B24_SQL_LINK] =
        "SELECT p.state, p.failures, p.resume, p.level, p.time, p.reason,"
        " p.advice, q.text FROM portals p LEFT JOIN paces q ON q.host = p.host"
        " WHERE p.host = ?",

    [B24_SQL_PUT_PORTAL - B24_SQL_LINK] =
        "INSERT OR REPLACE INTO portals VALUES (?, ?, ?, ?, ?, ?, ?, ?)",

    [B24_SQL_CLEAN_PORTALS - B24_SQL_LINK] =
        "DELETE FROM portals WHERE time < ? OR time > ?",

    [B24_SQL_PUT_PACE - B24_SQL_LINK] =
        "INSERT OR REPLACE INTO paces VALUES (?, ?, ?)",

    [B24_SQL_ALERT - B24_SQL_LINK] =
        "SELECT target, raised, since, told, n FROM alerts"
        " WHERE origin = ? AND event = ?",

    [B24_SQL_PUT_ALERT - B24_SQL_LINK] =
        "INSERT OR REPLACE INTO alerts (origin, event, target, raised, since,"
        " told, n) VALUES (?, ?, ?, ?, ?, ?, ?)",

    [B24_SQL_DROP_ALERT - B24_SQL_LINK] =
        "DELETE FROM alerts WHERE origin = ? AND event = ?",

    [B24_SQL_LEARNED - B24_SQL_LINK] =
        "SELECT value FROM learned INDEXED BY learned_name"
        " WHERE origin = ? AND name = ? ORDER BY id DESC LIMIT ?",

    [B24_SQL_PUT_LEARNED - B24_SQL_LINK] =
        "INSERT INTO learned VALUES (NULL, ?, ?, ?, ?)"
        " ON CONFLICT (origin, name, value) DO NOTHING",

    [B24_SQL_CLEAN_LEARNED - B24_SQL_LINK] =
        "DELETE FROM learned WHERE id IN (SELECT id FROM learned"
        " INDEXED BY learned_name WHERE origin = ? AND name = ?"
        " ORDER BY id DESC LIMIT -1 OFFSET ?)",

    /* the shop's database; a record without steps was never sent */

    [B24_SQL_HOLDERS - B24_SQL_LINK] =
        "SELECT id, state = 'unconfirmed', rule = 'import',"
        " deal_id IS NOT NULL OR EXISTS (SELECT 1 FROM steps"
        " WHERE record = records.id), reuse, shop_row, state, created"
        " FROM records INDEXED BY records_number"
        " WHERE order_id = ?1 AND origin = ?2"
        " UNION ALL SELECT id, 0, rule = 'import', deal_id IS NOT NULL"
        " OR EXISTS (SELECT 1 FROM steps WHERE record = records.id), 0,"
        " shop_row, NULL, created FROM records INDEXED BY records_shop"
        " WHERE shop_number = ?1 AND origin = ?2",

    [B24_SQL_CONTEST - B24_SQL_LINK] =
        "UPDATE records SET reuse = 1 + (SELECT max(reuse)"
        " FROM records r INDEXED BY records_number"
        " WHERE r.order_id = records.order_id AND r.origin = records.origin)"
        " WHERE id = ?",

    [B24_SQL_AS_CAPTURED - B24_SQL_LINK] =
        "UPDATE records SET rule = (SELECT rule FROM records WHERE id = ?1)"
        " WHERE id = ?2 AND rule = 'import'",

    [B24_SQL_WAS_UNCONFIRMED - B24_SQL_LINK] =
        "SELECT 1 FROM timeline t WHERE record = ?1 AND cause = ?2"
        " AND NOT EXISTS (SELECT 1 FROM timeline"
        " WHERE record = ?1 AND state = 'duplicate')",

    [B24_SQL_NUMBER - B24_SQL_LINK] =
        "UPDATE records SET order_id = ?, reuse = ? WHERE id = ?",

    [B24_SQL_ROW - B24_SQL_LINK] =
        "UPDATE records SET shop_row = ?1 WHERE id = ?2"
        " AND shop_row IS NOT ?1",

    [B24_SQL_EVENT_DATA - B24_SQL_LINK] =
        "UPDATE events SET data = ? WHERE id = ?",

    [B24_SQL_READ - B24_SQL_LINK] =
        "UPDATE OR FAIL records SET state = ?1, next = ?2, updated = ?3,"
        " cause = CASE WHEN ?1 = 'delivered' OR (?1 = 'accepted' AND ?6 = 0)"
            " THEN coalesce(?4, CASE WHEN attempts < 2 THEN cause END)"
            " ELSE ?4 END,"
        " advice = CASE WHEN ?1 = 'delivered' OR (?1 = 'accepted' AND ?6 = 0)"
            " THEN coalesce(?5, CASE WHEN attempts < 2 THEN advice END)"
            " ELSE ?5 END,"
        " attempts = attempts - ?6, owner = NULL, lease = NULL"
        " WHERE id = ?7",

    [B24_SQL_UNSETTLED - B24_SQL_LINK] =
        "SELECT r.id, r.created, r.order_id, (SELECT data FROM events"
        " WHERE record = r.id AND seq = 1), r.updated"
        " FROM records r INDEXED BY records_list"
        " WHERE r.origin = ? AND r.state = 'unconfirmed'"
        " AND (r.updated, r.id) > (?, ?)"
        " ORDER BY r.updated, r.id LIMIT ?",

    [B24_SQL_ALIKE_OF - B24_SQL_LINK] =
        "SELECT r.origin, r.created, e.data FROM records r"
        " JOIN events e ON e.record = r.id AND e.seq = 1"
        " WHERE r.id = ? AND r.state = 'unconfirmed'",

#define B24_SQL_ALIKE                                                         \
        "SELECT r.id, r.created, r.rule = 'import' AND r.origin = ?2,"        \
        " CASE WHEN r.rule = 'import' AND r.origin = ?2 THEN"                 \
        " (SELECT data FROM events WHERE record = r.id AND seq = 1) END"      \
        " FROM records r WHERE r.id "

    [B24_SQL_ALIKE_AFTER - B24_SQL_LINK] =
        B24_SQL_ALIKE "> ?1 ORDER BY r.id LIMIT ?3",

    [B24_SQL_ALIKE_BEFORE - B24_SQL_LINK] =
        B24_SQL_ALIKE "< ?1 ORDER BY r.id DESC LIMIT ?3",

    [B24_SQL_UNCONFIRMED - B24_SQL_LINK] =
        "SELECT origin, order_id, reuse > 0, created FROM records"
        " WHERE id = ? AND state = 'unconfirmed'",

    [B24_SQL_SHOP_NUMBER - B24_SQL_LINK] =
        "UPDATE records SET shop_number = ? WHERE id = ?",

    [B24_SQL_PLACED_LAST - B24_SQL_LINK] =
        "SELECT id, created FROM records"
        " WHERE id = (SELECT max(id) FROM records)",

    [B24_SQL_PLACED - B24_SQL_LINK] =
        "SELECT id, created FROM records WHERE id >= ? ORDER BY id LIMIT 1",

    [B24_SQL_UNREAD - B24_SQL_LINK] =
        "SELECT r.id, r.created, r.order_id, (SELECT data FROM events"
        " WHERE record = r.id AND seq = 1), r.updated"
        " FROM records r INDEXED BY records_shop"
        " WHERE r.shop_number = '' AND r.origin = ? AND r.id > ?"
        " AND r.created >= ? ORDER BY r.id LIMIT ?",

    [B24_SQL_UNREAD_ONE - B24_SQL_LINK] =
        "SELECT origin, order_id, state, coalesce(deal_id, 0),"
        " deal_id IS NOT NULL OR EXISTS (SELECT 1 FROM steps"
        " WHERE record = records.id), created"
        " FROM records WHERE id = ? AND shop_number = ''",

    [B24_SQL_MARK - B24_SQL_LINK] =
        "SELECT changed, begun, number FROM marks"
        " WHERE origin = ? AND shop = ?",

    [B24_SQL_PUT_MARK - B24_SQL_LINK] =
        "INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?)",

    /* what is read with the counts has changed */

    [B24_SQL_TOUCH - B24_SQL_LINK] =
        "INSERT INTO counts VALUES (?, 'parked', 0, 0, 1)"
        " ON CONFLICT (origin, state) DO UPDATE SET changes = changes + 1",

    /* deals that move */

    [B24_SQL_DEAL_ORIGINS - B24_SQL_LINK] =
        "SELECT origin FROM links INDEXED BY links_deal WHERE deal_id = ?",

    /* a number has one record that is the deal's, whatever else it has */

    [B24_SQL_DEAL_RECORDS - B24_SQL_LINK] =
        "SELECT l.origin, r.id, r.state, l.order_id, (SELECT max(record)"
        " FROM seen INDEXED BY seen_number"
        " WHERE order_id = l.order_id AND origin = l.origin)"
        " FROM links l INDEXED BY links_deal"
        " LEFT JOIN records r INDEXED BY records_number"
        " ON r.order_id = l.order_id AND r.origin = l.origin"
        " AND r.deal_id = l.deal_id WHERE l.deal_id = ?",

    [B24_SQL_PUT_MOVED - B24_SQL_LINK] =
        "INSERT INTO moved VALUES (?, ?, ?)"
        " ON CONFLICT (portal, deal) DO UPDATE SET time = excluded.time",

    [B24_SQL_MOVED - B24_SQL_LINK] =
        "SELECT deal, time FROM moved WHERE portal = ? ORDER BY time, deal"
        " LIMIT ?",

    [B24_SQL_DROP_MOVED - B24_SQL_LINK] =
        "DELETE FROM moved WHERE portal = ? AND deal = ? AND time = ?",

    [B24_SQL_HISTORY - B24_SQL_LINK] =
        "SELECT id FROM histories WHERE portal = ?",

    [B24_SQL_PUT_HISTORY - B24_SQL_LINK] =
        "INSERT INTO histories VALUES (?, ?)"
        " ON CONFLICT (portal) DO UPDATE SET id = max(id, excluded.id)",

    /* points */

    [B24_SQL_POINT_AT - B24_SQL_LINK] =
        "SELECT 1 FROM points WHERE time >= ? LIMIT 1",

    /*
     * What is captured may still go: it is counted once its answer is there,
     * and so is what came behind it.
     */

#define B24_SQL_POINT(behind)                                                 \
        "WITH had (last) AS (SELECT coalesce((SELECT last FROM points"        \
            " ORDER BY time DESC LIMIT 1),"                                   \
            " (SELECT max(id) FROM records), 0)),"                            \
        " upto (last) AS (SELECT max((SELECT last FROM had),"                 \
            " coalesce((SELECT min(id) - 1 FROM (SELECT id FROM captures"     \
                " UNION ALL SELECT id FROM records"                           \
                " INDEXED BY records_capture WHERE capture IS NOT NULL)),"    \
            " (SELECT max(id) FROM records), 0)))"                            \
        " SELECT ?1, origin, (SELECT last FROM upto),"                        \
        " (SELECT count(*) FROM records NOT INDEXED"                          \
            " WHERE id > " behind                                             \
            " AND id <= (SELECT last FROM upto)"                              \
            " AND records.origin = counts.origin),"                           \
        " sum(CASE WHEN state = 'delivered' THEN n ELSE 0 END),"              \
        " sum(CASE WHEN state = 'accepted' OR state = 'sending'"              \
            " OR state = 'waiting' THEN n ELSE 0 END)"                        \
        " FROM counts GROUP BY origin"                                        \
        " UNION ALL SELECT ?1, '', (SELECT last FROM upto), 0, 0, 0"

    [B24_SQL_PUT_POINT - B24_SQL_LINK] =
        "INSERT OR IGNORE INTO points "
        B24_SQL_POINT("(SELECT last FROM had)"),

    [B24_SQL_DROP_POINTS - B24_SQL_LINK] =
        "DELETE FROM points WHERE time < ? OR time > ?",

    [B24_SQL_POINTS - B24_SQL_LINK] =
        "SELECT time, origin, last, accepted, delivered, waiting FROM points"
        " WHERE time >= ? ORDER BY time, origin",

    /* ?2: what was counted already */

    [B24_SQL_POINT_NOW - B24_SQL_LINK] =
        B24_SQL_POINT("max(?2, (SELECT last FROM had))")

};
