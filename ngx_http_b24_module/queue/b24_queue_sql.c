
/*
 * Every statement.  An index that a statement relies on is named in it (INDEXED
 * BY): SQLite then refuses to prepare it any other way, so that no statement
 * can become a walk over a million records unseen.
 *
 * Conditions say OR and not IN: for a list of three SQLite builds a temporary
 * table each time a row is checked or enters a partial index.
 */

#include "b24_queue_int.h"


static const char *const  b24_queue_sql_orders[B24_SQL_LINK] = {

    [B24_SQL_BEGIN] =
        "BEGIN IMMEDIATE",

    [B24_SQL_BEGIN_READ] =
        "BEGIN",

    [B24_SQL_SAVEPOINT] =
        "SAVEPOINT inner",

    [B24_SQL_RELEASE] =
        "RELEASE inner",

    [B24_SQL_BACK_TO] =
        "ROLLBACK TO inner",

    [B24_SQL_COMMIT] =
        "COMMIT",

    [B24_SQL_ROLLBACK] =
        "ROLLBACK",

    /* intake */

    /* of the indexes alone */

    [B24_SQL_KNOWN] =
        "SELECT 1 FROM records INDEXED BY records_number"
        " WHERE order_id = ?1 AND origin = ?2"
        " UNION ALL SELECT 1 FROM links WHERE order_id = ?1 AND origin = ?2"
        " UNION ALL SELECT 1 FROM numbers INDEXED BY numbers_number"
        " WHERE number = ?1 AND origin = ?2"
        " UNION ALL SELECT 1 FROM dropped INDEXED BY dropped_number"
        " WHERE order_id = ?1 AND origin = ?2"
        " UNION ALL SELECT 1 FROM records INDEXED BY records_shop"
        " WHERE shop_number = ?1 AND origin = ?2",

    [B24_SQL_TWINS] =
        "SELECT id, reuse, state, fingerprint, accepted, shop_row"
        " FROM records INDEXED BY records_number"
        " WHERE order_id = ? AND origin = ? ORDER BY reuse",

    [B24_SQL_TWIN_LINK] =
        "SELECT fingerprint, accepted, shop_row FROM links"
        " WHERE order_id = ? AND origin = ?",

    [B24_SQL_STORED] =
        "SELECT sum(kept) FROM counts",

    [B24_SQL_DROP_DELIVERED] =
        "DELETE FROM records WHERE id IN (SELECT id"
        " FROM records INDEXED BY records_delivered"
        " WHERE state = 'delivered' AND delivered IS NOT NULL"
        " ORDER BY delivered LIMIT 8)",

#define B24_SQL_1_ROW                                                         \
        "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)"
#define B24_SQL_4_ROWS                                                        \
        B24_SQL_1_ROW ", " B24_SQL_1_ROW ", "                                 \
        B24_SQL_1_ROW ", " B24_SQL_1_ROW

#define B24_SQL_PUT_RECORDS                                                   \
        "INSERT OR FAIL INTO records (id, origin, order_id, reuse, rule,"     \
        " fingerprint, state, event, cause, advice, arrived, accepted,"       \
        " updated, shop_row, created, begun, counted) VALUES "

    [B24_SQL_PUT_RECORD] =
        B24_SQL_PUT_RECORDS B24_SQL_1_ROW,

    [B24_SQL_PUT_4_RECORDS] =
        B24_SQL_PUT_RECORDS B24_SQL_4_ROWS,

    [B24_SQL_PUT_16_RECORDS] =
        B24_SQL_PUT_RECORDS
        B24_SQL_4_ROWS ", " B24_SQL_4_ROWS ", "
        B24_SQL_4_ROWS ", " B24_SQL_4_ROWS,

    [B24_SQL_CAPTURED] =
        "SELECT id, time FROM captures WHERE token = ?",

    [B24_SQL_LAST_RECORD] =
        "SELECT seq FROM sqlite_sequence WHERE name = 'records'",

    [B24_SQL_NEXT_RECORD] =
        "UPDATE sqlite_sequence SET seq = ? WHERE name = 'records'",

    [B24_SQL_PUT_CAPTURE] =
        "INSERT OR FAIL INTO captures VALUES (?, ?, ?, ?, ?, ?, ?, ?)",

    [B24_SQL_UNCAPTURE] =
        "DELETE FROM captures WHERE token = ?",

    /* an nginx of the version before keeps its own in records */

    [B24_SQL_CAPTURES] =
        "SELECT token, owner, 0 FROM captures"
        " UNION ALL SELECT capture, owner, 1"
        " FROM records INDEXED BY records_capture WHERE capture IS NOT NULL",

    [B24_SQL_ADOPT] =
        "INSERT INTO captures SELECT r.capture, r.id, r.created, r.owner,"
        " r.origin, r.rule, r.fingerprint, e.data"
        " FROM records r INDEXED BY records_capture"
        " JOIN events e ON e.record = r.id AND e.seq = 1"
        " WHERE r.capture = ? AND r.capture IS NOT NULL",

    [B24_SQL_ADOPTED] =
        "DELETE FROM records INDEXED BY records_capture"
        " WHERE capture = ? AND capture IS NOT NULL",

    [B24_SQL_ORPHAN] =
        "SELECT origin, rule, fingerprint, data FROM captures WHERE token = ?",

    [B24_SQL_LAST_EVENT] =
        "SELECT coalesce(max(id), ?1) FROM events WHERE id > ?1 AND id < ?2",

    [B24_SQL_PUT_EVENT] =
        "INSERT INTO events (id, record, seq, kind, arrived, data)"
        " VALUES (?, ?, ?, ?, ?, ?)",

    [B24_SQL_CONFIRM] =
        "UPDATE OR FAIL records SET rule = ?, fingerprint = ?, cause = ?,"
        " advice = ?, event = ?, arrived = ?6, accepted = ?6, updated = ?6,"
        " state = ?8, shop_row = coalesce(?9, shop_row), warned = NULL"
        " WHERE id = ?7",

    [B24_SQL_FIRST_EVENT] =
        "UPDATE events SET id = ?, kind = 'new', arrived = ?, done = NULL,"
        " data = ? WHERE record = ? AND seq = 1",

    [B24_SQL_COUNT] =
        "INSERT INTO counts VALUES (?, ?, ?, ?, 1)"
        " ON CONFLICT (origin, state) DO UPDATE SET n = n + excluded.n,"
        " kept = kept + excluded.kept, changes = changes + 1",

    [B24_SQL_LAST_SEQ] =
        "SELECT e.seq, r.state FROM events e JOIN records r ON r.id = e.record"
        " WHERE e.record = ? ORDER BY e.seq DESC LIMIT 1",

    /* what was said when it was delivered stays, but not why it wasn't */

    [B24_SQL_REOPEN] =
        "UPDATE OR FAIL records SET state = 'accepted', event = ?, arrived = ?,"
        " updated = ?, attempts = 0,"
        " cause = CASE WHEN state = 'delivered' AND ?4 <> 'changed'"
            " THEN cause END,"
        " advice = CASE WHEN state = 'delivered' AND ?4 <> 'changed'"
            " THEN advice END"
        " WHERE id = ?5",

    [B24_SQL_BY_ROW] =
        "SELECT id, CASE WHEN reuse = 0 THEN 1 ELSE state <> 'parked' END,"
        " shop_row FROM records INDEXED BY records_row"
        " WHERE shop_row = ?1 AND origin = ?2",

    /* one that the shop alone calls so has neither */

    [B24_SQL_LINK_BY_ROW] =
        "SELECT order_id, fingerprint IS NOT NULL OR EXISTS (SELECT 1"
        " FROM seen INDEXED BY seen_number WHERE order_id = links.order_id"
        " AND origin = links.origin) FROM links INDEXED BY links_row"
        " WHERE shop_row = ?1 AND origin = ?2",

    [B24_SQL_BY_NUMBERS] =
        "SELECT id, CASE WHEN reuse = 0 THEN 1 ELSE state <> 'parked' END,"
        " shop_row FROM records INDEXED BY records_number"
        " WHERE order_id = ?1 AND origin = ?2"
        " UNION ALL SELECT id, 1, shop_row"
        " FROM records INDEXED BY records_shop"
        " WHERE shop_number = ?1 AND origin = ?2"
        " UNION ALL SELECT n.record, 0, r.shop_row"
        " FROM numbers n INDEXED BY numbers_number"
        " JOIN records r ON r.id = n.record"
        " WHERE n.number = ?1 AND n.origin = ?2",

    /* a change of the shop's is one, also when it leads back to what the deal
     * was told last: somebody may have moved the deal in between */

    /* of sent and held the later one is so by any clock, and what has moved a
     * deal since it was sent, or read elsewhere, has done so later */

    [B24_SQL_PUT_SEEN] =
        "INSERT INTO seen (record, origin, status, canceled, paid, shipped,"
        " changed, time, settled, sent, sent_time, held, held_time, moved,"
        " total, goods, stamp)"
        " SELECT id, origin, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
        " ?13, ?14, ?15, ?16"
        " FROM records WHERE id = ?1"
        " ON CONFLICT (record) DO UPDATE SET"
        " status = CASE WHEN excluded.time IS NULL"
            " THEN coalesce(status, excluded.status)"
            " ELSE coalesce(excluded.status, status) END,"
        " canceled = CASE WHEN excluded.time IS NULL"
            " THEN coalesce(canceled, excluded.canceled)"
            " ELSE coalesce(excluded.canceled, canceled) END,"
        " paid = CASE WHEN excluded.time IS NULL"
            " THEN coalesce(paid, excluded.paid)"
            " ELSE coalesce(excluded.paid, paid) END,"
        " shipped = CASE WHEN excluded.time IS NULL"
            " THEN coalesce(shipped, excluded.shipped)"
            " ELSE coalesce(excluded.shipped, shipped) END,"
        " changed = coalesce(excluded.changed, changed),"
        " time = coalesce(excluded.time, time),"
        " settled = CASE WHEN excluded.settled IS NOT NULL"
            " THEN excluded.settled"
            " WHEN excluded.time IS NOT NULL"
            " AND (coalesce(excluded.status, status) IS NOT status"
            " OR coalesce(excluded.canceled, canceled) IS NOT canceled"
            " OR coalesce(excluded.paid, paid) IS NOT paid"
            " OR coalesce(excluded.shipped, shipped) IS NOT shipped)"
            " THEN NULL ELSE settled END,"
        " sent = coalesce(excluded.sent, sent),"
        " sent_time = ifnull(max(excluded.sent_time,"
            " ifnull(held_time + 1, 0)), sent_time),"
        " held = coalesce(excluded.held, held),"
        " held_time = ifnull(max(excluded.held_time,"
            " ifnull(sent_time, 0)), held_time),"
        " moved = ifnull(max(excluded.moved, ifnull(sent_time + 1, 0),"
            " ifnull(held_time + 1, 0)), moved),"
        " total = coalesce(excluded.total, total),"
        " goods = coalesce(excluded.goods, goods),"
        " stamp = CASE WHEN excluded.held IS NULL"
            " THEN coalesce(excluded.stamp, stamp) ELSE excluded.stamp END",

    [B24_SQL_SEEN] =
        "SELECT status, canceled, paid, shipped, changed, time,"
        " sent, sent_time, held, held_time, settled, moved, total, goods,"
        " stamp FROM seen WHERE record = ?",

    [B24_SQL_SEEN_GONE] =
        "SELECT (SELECT max(record) FROM seen INDEXED BY seen_number"
        " WHERE order_id = ?1 AND origin = ?2), shop_row FROM links"
        " WHERE order_id = ?1 AND origin = ?2",

    [B24_SQL_LAST_STATUS] =
        "SELECT e.id, r.event, r.state FROM records r LEFT JOIN events e"
        " ON e.id = (SELECT id FROM events WHERE record = r.id"
        " AND kind = 'status' AND done IS NULL"
        " AND (id >= " B24_SQL_BACK ") = ?2 ORDER BY seq DESC LIMIT 1)"
        " WHERE r.id = ?1",

    [B24_SQL_MERGE_STATUS] =
        "UPDATE events SET data = ?, arrived = max(arrived, ?) WHERE id = ?",

    /* what goes to the CRM and stands behind what goes to the shop */

    [B24_SQL_FOLLOWS] =
        "SELECT n.id, n.kind, n.arrived FROM records r JOIN events n"
        " ON n.record = r.id WHERE r.id = ? AND r.state <> 'sending'"
        " AND r.event >= " B24_SQL_BACK " AND n.id < " B24_SQL_BACK
        " AND n.done IS NULL ORDER BY n.seq LIMIT 1",

    [B24_SQL_LAST] =
        "UPDATE events SET seq = 1 + (SELECT max(seq) FROM events e"
        " WHERE e.record = events.record)"
        " WHERE id = (SELECT event FROM records WHERE id = ?)",

    [B24_SQL_DROP_STEP] =
        "DELETE FROM steps WHERE record = ? AND step = ?"
        " AND state = 'skipped'",

    /* it was delivered long ago, and is counted as that already; what the shop
     * calls it is another link of its deal, with its key */

    [B24_SQL_REVIVE] =
        "INSERT OR FAIL INTO records (origin, order_id, reuse, rule,"
        " fingerprint, state, event, arrived, accepted, created, updated,"
        " delivered, deal_id, contact_id, company_id, shop_row, shop_number)"
        " SELECT origin, order_id, 0, 'status', coalesce(fingerprint, ''),"
        " 'accepted', ?1, ?2, accepted, ?2, ?2, ?2, deal_id, contact_id,"
        " company_id, shop_row, (SELECT s.order_id"
        " FROM links s INDEXED BY links_deal WHERE s.deal_id = links.deal_id"
        " AND s.origin = ?4 AND s.order_id <> ?3"
        " AND s.shop_row = links.shop_row LIMIT 1)"
        " FROM links WHERE order_id = ?3 AND origin = ?4"
        " AND NOT EXISTS (SELECT 1 FROM records r INDEXED BY records_number"
        " WHERE r.order_id = ?3 AND r.origin = ?4 AND r.reuse = 0)",

    [B24_SQL_REVIVE_SEEN] =
        "UPDATE seen SET record = ?, order_id = NULL WHERE record = (SELECT"
        " record FROM seen INDEXED BY seen_number WHERE order_id = ?"
        " AND origin = ? ORDER BY record DESC LIMIT 1)",

    [B24_SQL_LATER] =
        "SELECT event FROM records WHERE id = ? AND delivered IS NOT NULL"
        " AND event >= ?",

    [B24_SQL_DROP_LATER] =
        "UPDATE records SET state = 'delivered', next = NULL, updated = ?,"
        " warned = NULL, cause = NULL, advice = NULL WHERE id = ?",

    /* timeline */

    [B24_SQL_LAST_MOMENTS] =
        "SELECT n, state, cause, method FROM timeline"
        " WHERE record = ? ORDER BY n DESC LIMIT 2",

    [B24_SQL_BEGUN] =
        "SELECT begun FROM records WHERE id = ?",

    [B24_SQL_PUT_BEGUN] =
        "INSERT INTO timeline SELECT id, 1, created, created, 1, 'captured',"
        " NULL, NULL, NULL FROM records WHERE id = ?1 AND begun = 2"
        " UNION ALL SELECT id, begun, accepted, accepted, 1, 'accepted',"
        " NULL, NULL, NULL FROM records WHERE id = ?1 AND begun IS NOT NULL",

    [B24_SQL_DROP_BEGUN] =
        "UPDATE records SET begun = NULL WHERE id = ?",

    [B24_SQL_MOMENT] =
        "INSERT INTO timeline VALUES (?1, ?2, ?3, ?3, 1, ?4, ?5, ?6, ?7)",

    [B24_SQL_MOMENT_SAID] =
        "SELECT 1 FROM timeline WHERE record = ? AND cause = ? LIMIT 1",

    [B24_SQL_MOMENT_AGAIN] =
        "UPDATE timeline SET count = count + 1, last = ?, method = ?,"
        " error = ? WHERE record = ? AND n = ?",

    [B24_SQL_MOMENT_REPLACE] =
        "UPDATE timeline SET count = count + 1, last = ?, method = ?,"
        " error = ?, state = ?, cause = ? WHERE record = ? AND n = ?",

    /* courier */

    [B24_SQL_DUE_ACCEPTED] =
        "SELECT id, arrived, event, delivered IS NULL"
        " FROM records INDEXED BY records_accepted"
        " WHERE state = 'accepted' AND origin = ? AND event >= ? AND event < ?"
        " ORDER BY event LIMIT ?",

    [B24_SQL_DUE_NEWEST] =
        "SELECT id, arrived, event, delivered IS NULL"
        " FROM records INDEXED BY records_accepted"
        " WHERE state = 'accepted' AND origin = ? AND event >= ? AND event < ?"
        " ORDER BY event DESC LIMIT ?",

    [B24_SQL_DUE_WAITING] =
        "SELECT id, next, event, delivered IS NULL"
        " FROM records INDEXED BY records_waiting_to"
        " WHERE state = 'waiting' AND event < " B24_SQL_BACK " AND origin = ?"
        " ORDER BY next LIMIT ?",

    [B24_SQL_DUE_WAITING_BACK] =
        "SELECT id, next, event, delivered IS NULL"
        " FROM records INDEXED BY records_waiting_back"
        " WHERE state = 'waiting' AND event >= " B24_SQL_BACK " AND origin = ?"
        " ORDER BY next LIMIT ?",

    [B24_SQL_DUE_STEPPED] =
        "SELECT id, updated, event, delivered IS NULL"
        " FROM records INDEXED BY records_list"
        " WHERE state = 'waiting' AND origin = ?"
        " ORDER BY updated DESC LIMIT ?",

    [B24_SQL_DUE_SENDING] =
        "SELECT id, lease, event, delivered IS NULL"
        " FROM records INDEXED BY records_sending"
        " WHERE state = 'sending' AND origin = ? AND event >= ? AND event < ?"
        " ORDER BY lease LIMIT ?",

    [B24_SQL_DUE_FUTURE] =
        "SELECT id, lease, event, delivered IS NULL"
        " FROM records INDEXED BY records_sending"
        " WHERE state = 'sending' AND origin = ? AND event >= ? AND event < ?"
        " AND lease > ? AND owner <> ? ORDER BY lease DESC LIMIT ?",

    [B24_SQL_RECOVER] =
        "UPDATE records SET lease = min(lease, CASE WHEN EXISTS"
        " (SELECT 1 FROM steps WHERE steps.record = records.id"
        " AND steps.state = 'sent')"
        " THEN max(?1, updated + ?2) ELSE ?1 END)"
        " WHERE id IN (SELECT id FROM records INDEXED BY records_sending"
        " WHERE state = 'sending' AND origin = ?3 AND owner <> ?4)",

    [B24_SQL_CLAIM] =
        "UPDATE OR FAIL records SET state = 'sending', owner = ?, lease = ?,"
        " updated = ?, next = NULL, attempts = attempts + 1 WHERE id = ?",

    [B24_SQL_RENEW] =
        "UPDATE records SET lease = ? WHERE id = ? AND state = 'sending'"
        " AND owner = ?",

    [B24_SQL_JOB] =
        "SELECT r.origin, r.order_id, r.attempts, r.deal_id, r.contact_id,"
        " r.company_id, e.id, e.kind, e.arrived, e.data,"
        " (SELECT number FROM numbers WHERE record = r.id), r.created,"
        " r.shop_row, CASE WHEN e.id >= " B24_SQL_BACK
        " THEN r.shop_row IS NULL AND EXISTS (SELECT 1"
            " FROM records o INDEXED BY records_number"
            " WHERE o.order_id = r.order_id AND o.origin = r.origin"
            " AND o.id > r.id AND o.state <> 'unconfirmed'"
            " AND o.state <> 'captured')"
        " ELSE e.kind = 'new' AND r.reuse > 0 AND r.deal_id IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM numbers WHERE record = r.id)"
            " AND NOT EXISTS (SELECT 1 FROM steps WHERE record = r.id) END,"
        " r.shop_number"
        " FROM records r JOIN events e ON e.id = r.event WHERE r.id = ?",

    [B24_SQL_STEPS] =
        "SELECT step, state FROM steps WHERE record = ?",

    [B24_SQL_HELD] =
        "SELECT 1 FROM records WHERE id = ? AND state = 'sending'"
        " AND owner = ? AND event = ? AND attempts = ?",

    [B24_SQL_ATTEMPT] =
        "UPDATE records SET lease = ?, updated = ?,"
        " deal_id = coalesce(?, deal_id),"
        " contact_id = coalesce(?, contact_id),"
        " company_id = coalesce(?, company_id) WHERE id = ?",

    [B24_SQL_STEP] =
        "INSERT INTO steps VALUES (?, ?, ?)"
        " ON CONFLICT (record, step) DO UPDATE SET state = excluded.state"
        " WHERE state <> excluded.state",

    /* given back without a cause: the one of the last attempt stays, and that
     * of the event before when there was nothing to be done */

    [B24_SQL_OUTCOME] =
        "UPDATE OR FAIL records SET state = ?1, next = ?2, updated = ?3,"
        " deal_id = coalesce(?4, deal_id),"
        " contact_id = coalesce(?5, contact_id),"
        " company_id = coalesce(?6, company_id),"
        " cause = CASE WHEN ?10 THEN cause"
            " WHEN ?1 = 'accepted' THEN coalesce(?7, cause) ELSE ?7 END,"
        " advice = CASE WHEN ?10 THEN advice"
            " WHEN ?1 = 'accepted' THEN coalesce(?8, advice) ELSE ?8 END,"
        " attempts = attempts - (?1 = 'accepted'),"
        " delivered = CASE WHEN ?1 = 'delivered' THEN coalesce(delivered, ?3)"
            " ELSE delivered END,"
        " owner = NULL, lease = NULL WHERE id = ?9",

    [B24_SQL_EVENT_DONE] =
        "UPDATE events SET done = ? WHERE id = ?",

    /* of later events that are done the last is enough: anybody may cause
     * them */

    [B24_SQL_DROP_DONE] =
        "DELETE FROM events WHERE record = ? AND seq > 1 AND seq <"
        " (SELECT seq FROM events WHERE id = ?) AND done IS NOT NULL",

    [B24_SQL_NEXT_EVENT] =
        "SELECT n.id, n.kind, n.arrived FROM events n JOIN events h"
        " ON n.record = h.record AND n.seq > h.seq"
        " WHERE h.id = ? ORDER BY n.seq LIMIT 1",

    [B24_SQL_PUT_LINK] =
        "INSERT INTO links SELECT origin, order_id, deal_id, contact_id,"
        " company_id, fingerprint, accepted, shop_row FROM records"
        " WHERE id = ?1 AND order_id IS NOT NULL AND reuse = 0"
        " AND deal_id IS NOT NULL"
        " UNION ALL SELECT origin, shop_number, deal_id, contact_id,"
        " company_id, NULL, accepted, shop_row FROM records"
        " WHERE id = ?1 AND shop_number <> '' AND deal_id IS NOT NULL"
        " ON CONFLICT (origin, order_id) DO UPDATE SET"
        " deal_id = excluded.deal_id,"
        " contact_id = coalesce(excluded.contact_id, contact_id),"
        " company_id = coalesce(excluded.company_id, company_id),"
        " shop_row = coalesce(excluded.shop_row, shop_row)"
};


const char *
b24_queue_sql(b24_sql_e sql)
{
    return sql < B24_SQL_LINK ? b24_queue_sql_orders[sql]
                              : b24_queue_sql_desk[sql - B24_SQL_LINK];
}
