
/*
 * The schema, step by step, and every statement.  An index that a statement
 * relies on is named in it (INDEXED BY): SQLite then refuses to prepare it any
 * other way, so that no statement can become a walk over a million records
 * unseen.
 */

#include "b24_queue_int.h"


/*
 * records   one row per order, small and changed often
 * events    what is to be delivered of an order, in sequence, with the data;
 *           records.event is the one being worked on, the state is its state
 * steps     how far a delivery has come; a step without a row is open
 * timeline  what happened to a record
 * links     origin + order id -> what Bitrix24 calls it; outlives the record
 * counts    see b24_queue_count.c.  n: now for most states; delivered, rejected
 *           and duplicate since the queue was made; kept: records there are;
 *           changes: how often the row was touched
 *
 * Conditions say OR and not IN: for a list of three SQLite builds a temporary
 * table each time a row is checked or enters a partial index.
 *
 * Times are ms since the epoch.  reuse is 0 for the first record of an order
 * number and counts those that came later with other content.
 */

/*
 * Each text brings the schema one version further and is never changed: files
 * were made by it.  It may add, but what it finds must go on to serve the
 * statements of the version before: while nginx is upgraded on the fly, workers
 * of both versions have the file open.
 */

/* B24_QUEUE_BACK, as SQLite is to see it */
#define B24_SQL_BACK  "562949953421312"


static const char  b24_queue_schema_1[] =
    "CREATE TABLE records ("
        "id INTEGER PRIMARY KEY AUTOINCREMENT,"
        "origin TEXT NOT NULL,"
        "order_id TEXT,"
        "reuse INTEGER NOT NULL,"
        "rule TEXT NOT NULL,"
        "fingerprint TEXT NOT NULL,"
        "state TEXT NOT NULL CHECK (state = 'captured'"
            " OR state = 'accepted' OR state = 'sending'"
            " OR state = 'waiting' OR state = 'parked'"
            " OR state = 'unconfirmed' OR state = 'delivered'),"
        "event INTEGER NOT NULL,"
        "arrived INTEGER NOT NULL,"         /* the event */
        "accepted INTEGER NOT NULL,"        /* the order */
        "attempts INTEGER NOT NULL DEFAULT 0,"
        "next INTEGER,"
        "owner TEXT,"
        "lease INTEGER,"
        "deal_id INTEGER,"
        "contact_id INTEGER,"
        "company_id INTEGER,"
        "created INTEGER NOT NULL,"
        "updated INTEGER NOT NULL,"
        "delivered INTEGER,"                /* for the first time */
        "warned INTEGER,"                   /* of being deleted soon */
        "cause TEXT,"
        "advice TEXT"
    ");"

    "CREATE UNIQUE INDEX records_number ON records (order_id, origin, reuse)"
        " WHERE order_id IS NOT NULL;"
    "CREATE INDEX records_accepted ON records (origin, event)"
        " WHERE state = 'accepted';"
    "CREATE INDEX records_waiting ON records (origin, next)"
        " WHERE state = 'waiting';"
    "CREATE INDEX records_sending ON records (origin, lease)"
        " WHERE state = 'sending';"
    "CREATE INDEX records_open ON records (origin, arrived)"
        " WHERE (state = 'accepted' OR state = 'sending'"
        " OR state = 'waiting');"
    "CREATE INDEX records_list ON records (origin, state, updated);"
    "CREATE INDEX records_delivered ON records (delivered)"
        " WHERE state = 'delivered';"
    "CREATE INDEX records_aging ON records (updated)"
        " WHERE (state = 'parked' OR state = 'unconfirmed')"
        " AND warned IS NULL;"
    "CREATE INDEX records_warned ON records (warned)"
        " WHERE warned IS NOT NULL;"

    /* ids grow in the order of the commits, that is the line orders stand in */

    "CREATE TABLE events ("
        "id INTEGER PRIMARY KEY,"
        "record INTEGER NOT NULL REFERENCES records ON DELETE CASCADE,"
        "seq INTEGER NOT NULL,"
        "kind TEXT NOT NULL CHECK (kind = 'new' OR kind = 'status'"
            " OR kind = 'changed' OR kind = 'link'),"
        "arrived INTEGER NOT NULL,"
        "done INTEGER,"
        "data TEXT NOT NULL,"
        "UNIQUE (record, seq)"
    ");"

    "CREATE TABLE steps ("
        "record INTEGER NOT NULL REFERENCES records ON DELETE CASCADE,"
        "step TEXT NOT NULL,"
        "state TEXT NOT NULL,"
        "PRIMARY KEY (record, step)"
    ") WITHOUT ROWID;"

    "CREATE TABLE timeline ("
        "record INTEGER NOT NULL REFERENCES records ON DELETE CASCADE,"
        "n INTEGER NOT NULL,"
        "time INTEGER NOT NULL,"
        "last INTEGER NOT NULL,"
        "count INTEGER NOT NULL,"
        "state TEXT NOT NULL,"
        "cause TEXT,"
        "method TEXT,"
        "error TEXT,"
        "PRIMARY KEY (record, n)"
    ") WITHOUT ROWID;"

    "CREATE TABLE links ("
        "origin TEXT NOT NULL,"
        "order_id TEXT NOT NULL,"
        "deal_id INTEGER NOT NULL,"
        "contact_id INTEGER,"
        "company_id INTEGER,"
        "fingerprint TEXT,"                 /* goes with the record */
        "accepted INTEGER NOT NULL,"
        "PRIMARY KEY (origin, order_id)"
    ") WITHOUT ROWID;"

    "CREATE TABLE counts ("
        "origin TEXT NOT NULL,"
        "state TEXT NOT NULL,"
        "n INTEGER NOT NULL,"
        "kept INTEGER NOT NULL,"
        "changes INTEGER NOT NULL,"
        "PRIMARY KEY (origin, state)"
    ") WITHOUT ROWID;"

    "CREATE TRIGGER records_insert AFTER INSERT ON records BEGIN"
        " INSERT INTO counts VALUES (NEW.origin, NEW.state, 1, 1, 1)"
            " ON CONFLICT (origin, state) DO UPDATE SET n = n + 1,"
            " kept = kept + 1, changes = changes + 1;"
    "END;"

    "CREATE TRIGGER records_state AFTER UPDATE OF state ON records"
        " WHEN OLD.state <> NEW.state BEGIN"
        " UPDATE counts SET n = n - (state <> 'delivered'), kept = kept - 1,"
            " changes = changes + 1"
            " WHERE origin = OLD.origin AND state = OLD.state;"
        " INSERT INTO counts VALUES (NEW.origin, NEW.state,"
            " NEW.state <> 'delivered', 1, 1)"
            " ON CONFLICT (origin, state) DO UPDATE SET n = n + excluded.n,"
            " kept = kept + 1, changes = changes + 1;"
    "END;"

    /* an order is delivered once, however many events follow */

    "CREATE TRIGGER records_first AFTER UPDATE OF delivered ON records"
        " WHEN OLD.delivered IS NULL AND NEW.delivered IS NOT NULL BEGIN"
        " INSERT INTO counts VALUES (NEW.origin, 'delivered', 1, 0, 1)"
            " ON CONFLICT (origin, state) DO UPDATE SET n = n + 1,"
            " changes = changes + 1;"
    "END;"

    "CREATE TRIGGER records_delete AFTER DELETE ON records BEGIN"
        " UPDATE counts SET n = n - (state <> 'delivered'), kept = kept - 1,"
            " changes = changes + 1"
            " WHERE origin = OLD.origin AND state = OLD.state;"
        " UPDATE links SET fingerprint = NULL WHERE origin = OLD.origin"
            " AND order_id = OLD.order_id AND OLD.reuse = 0;"
    "END;";


/*
 * facts    what of a portal is known without asking it; id_hash is that of
 *          kind, portal and key, see b24_queue_facts.c
 * secrets  one row: the key of these hashes
 * sizes    rows of tables whose number is bounded, kept by triggers
 */

static const char  b24_queue_schema_2[] =
    "CREATE TABLE secrets ("
        "id INTEGER PRIMARY KEY CHECK (id = 1),"
        "salt BLOB NOT NULL CHECK (length(salt) = 16)"
    ");"

    "CREATE TABLE facts ("
        "id_hash INTEGER PRIMARY KEY,"
        "portal TEXT NOT NULL,"
        "kind TEXT NOT NULL,"
        "id INTEGER NOT NULL,"
        "time INTEGER NOT NULL"             /* when it was learned last */
    ");"

    "CREATE INDEX facts_id ON facts (portal, kind, id);"
    "CREATE INDEX facts_time ON facts (time);"

    "CREATE TABLE sizes ("
        "name TEXT PRIMARY KEY,"
        "n INTEGER NOT NULL"
    ") WITHOUT ROWID;"

    "INSERT INTO sizes VALUES ('facts', 0);"

    "CREATE TRIGGER facts_insert AFTER INSERT ON facts BEGIN"
        " UPDATE sizes SET n = n + 1 WHERE name = 'facts';"
    "END;"

    "CREATE TRIGGER facts_delete AFTER DELETE ON facts BEGIN"
        " UPDATE sizes SET n = n - 1 WHERE name = 'facts';"
    "END;"

    /* the journal's token while an exchange is under way */

    "ALTER TABLE records ADD COLUMN capture INTEGER;"
    "CREATE UNIQUE INDEX records_capture ON records (capture)"
        " WHERE capture IS NOT NULL;";


/*
 * numbers  records whose number was another order's already: what Bitrix24
 *          calls them.  It stays when the record goes, the number remains taken
 * dropped  what is left of a record that a person has dropped, nothing of the
 *          buyer; state is the one it was in, updated since when
 * paused   origins whose deliveries a person has stopped
 */

static const char  b24_queue_schema_3[] =
    "CREATE TABLE numbers ("
        "record INTEGER PRIMARY KEY,"
        "origin TEXT NOT NULL,"
        "number TEXT NOT NULL"
    ");"

    "CREATE UNIQUE INDEX numbers_number ON numbers (number, origin);"

    "CREATE TABLE dropped ("
        "record INTEGER PRIMARY KEY,"
        "origin TEXT NOT NULL,"
        "order_id TEXT,"
        "reuse INTEGER NOT NULL,"
        "rule TEXT NOT NULL,"
        "state TEXT NOT NULL,"
        "deal_id INTEGER,"
        "contact_id INTEGER,"
        "company_id INTEGER,"
        "attempts INTEGER NOT NULL,"
        "accepted INTEGER NOT NULL,"
        "created INTEGER NOT NULL,"
        "updated INTEGER NOT NULL,"
        "dropped INTEGER NOT NULL,"
        "cause TEXT"
    ");"

    "CREATE INDEX dropped_number ON dropped (order_id, origin)"
        " WHERE order_id IS NOT NULL;"
    "CREATE INDEX dropped_list ON dropped (origin, dropped);"
    "CREATE INDEX dropped_time ON dropped (dropped);"

    "CREATE TABLE paused ("
        "origin TEXT PRIMARY KEY,"
        "since INTEGER NOT NULL,"
        "cause TEXT"
    ") WITHOUT ROWID;";


/*
 * portals  how a host of the CRM was found last, by the courier; resume: not
 *          asked before, 0: at once; level: of its bucket at that time, 1/1000
 *          request
 */

static const char  b24_queue_schema_4[] =
    "CREATE TABLE portals ("
        "host TEXT PRIMARY KEY,"
        "state TEXT NOT NULL,"
        "failures INTEGER NOT NULL,"
        "resume INTEGER NOT NULL,"
        "level INTEGER NOT NULL,"
        "time INTEGER NOT NULL,"
        "reason TEXT,"
        "advice TEXT"
    ") WITHOUT ROWID;"

    "CREATE INDEX portals_time ON portals (time);";


/*
 * learned  values of the rules' learn lines, the newest of a name has the
 *          highest id
 */

static const char  b24_queue_schema_5[] =
    "CREATE TABLE learned ("
        "id INTEGER PRIMARY KEY,"
        "origin TEXT NOT NULL,"
        "name TEXT NOT NULL,"
        "value TEXT NOT NULL,"
        "time INTEGER NOT NULL"
    ");"

    "CREATE UNIQUE INDEX learned_value ON learned (origin, name, value);"
    "CREATE INDEX learned_name ON learned (origin, name);";


/*
 * marks    how far the changes of a shop's orders were read from its database;
 *          times are texts of that database, begun and row those of the first
 *          start: older orders are none of ours
 */

static const char  b24_queue_schema_6[] =
    "CREATE TABLE marks ("
        "origin TEXT NOT NULL,"
        "shop TEXT NOT NULL,"
        "changed TEXT NOT NULL,"
        "begun TEXT NOT NULL,"
        "number TEXT,"
        "PRIMARY KEY (origin, shop)"
    ") WITHOUT ROWID;";


/*
 * shop_number  of a record's order in its shop, where that is another than its
 *              order_id; "": it went out without having been found in the
 *              shop's database, and is looked for
 */

static const char  b24_queue_schema_7[] =
    "ALTER TABLE records ADD COLUMN shop_number TEXT;"
    "ALTER TABLE records ADD COLUMN shop_row TEXT;"
    "ALTER TABLE links ADD COLUMN shop_row TEXT;"
    "CREATE INDEX links_row ON links (shop_row, origin)"
        " WHERE shop_row IS NOT NULL;"

    "CREATE INDEX records_shop ON records (shop_number, origin)"
        " WHERE shop_number IS NOT NULL;"
    "CREATE INDEX records_row ON records (shop_row, origin)"
        " WHERE shop_row IS NOT NULL;";


/*
 * seen     what a shop says of an order, and where its deal stands; it stays
 *          with the link when the record goes, order_id is set then.  settled
 *          is what of status and flags has come to the deal
 */

static const char  b24_queue_schema_8[] =
    "CREATE TABLE seen ("
        "record INTEGER PRIMARY KEY,"
        "origin TEXT NOT NULL,"
        "order_id TEXT,"
        "status TEXT,"
        "canceled TEXT,"
        "paid TEXT,"
        "shipped TEXT,"
        "changed TEXT,"
        "time INTEGER,"
        "settled TEXT,"
        "sent TEXT,"
        "sent_time INTEGER,"
        "held TEXT,"
        "held_time INTEGER"
    ");"

    "CREATE INDEX seen_number ON seen (order_id, origin)"
        " WHERE order_id IS NOT NULL;"

    "CREATE TRIGGER records_unseen AFTER DELETE ON records BEGIN"
        " UPDATE seen SET order_id = (SELECT order_id FROM links"
            " WHERE origin = OLD.origin AND order_id = OLD.order_id"
            " AND OLD.reuse = 0 AND deal_id = OLD.deal_id)"
            " WHERE record = OLD.id;"
        " DELETE FROM seen WHERE record = OLD.id AND order_id IS NULL;"
    "END;";


/*
 * moved      deals that may have moved in the CRM, told of at time
 * histories  how far the stage history of a portal was read
 */

static const char  b24_queue_schema_9[] =
    "ALTER TABLE seen ADD COLUMN moved INTEGER;"
    "CREATE INDEX links_deal ON links (deal_id, origin);"

    "CREATE TABLE moved ("
        "portal TEXT NOT NULL,"
        "deal INTEGER NOT NULL,"
        "time INTEGER NOT NULL,"
        "PRIMARY KEY (portal, deal)"
    ") WITHOUT ROWID;"
    "CREATE INDEX moved_time ON moved (portal, time, deal);"

    "CREATE TABLE histories ("
        "portal TEXT PRIMARY KEY,"
        "id INTEGER NOT NULL"
    ") WITHOUT ROWID;";


/*
 * The waiting ones of the two lines, that to the CRM and that back to the shop,
 * whose events' ids begin at 2^49.  total, goods: of the order, what the shop's
 * database had last, "|", what the deal was given last.  stamp: since when the
 * deal is at "held", by the portal's clock
 */

static const char  b24_queue_schema_10[] =
    "CREATE INDEX records_waiting_to ON records (origin, next)"
        " WHERE state = 'waiting' AND event < " B24_SQL_BACK ";"
    "CREATE INDEX records_waiting_back ON records (origin, next)"
        " WHERE state = 'waiting' AND event >= " B24_SQL_BACK ";"

    "ALTER TABLE seen ADD COLUMN total TEXT;"
    "ALTER TABLE seen ADD COLUMN goods TEXT;"
    "ALTER TABLE seen ADD COLUMN stamp INTEGER;";


/*
 * paces  what methods of a host cost, and what is left of their time, as the
 *        courier prints it; with the row of portals
 */

static const char  b24_queue_schema_11[] =
    "CREATE TABLE paces ("
        "host TEXT PRIMARY KEY,"
        "text TEXT NOT NULL,"
        "time INTEGER NOT NULL"
    ") WITHOUT ROWID;"

    /* not of a row that is replaced: recursive triggers are off */

    "CREATE TRIGGER portals_gone AFTER DELETE ON portals BEGIN"
        " DELETE FROM paces WHERE host = OLD.host;"
    " END;";


/*
 * points  of each origin every ten minutes: orders since the point before,
 *         those delivered since the queue was made, those that wait; last: the
 *         records that were counted.  Origin '' is there each time: whoever is
 *         not, at a time that has it, had nothing yet
 */

static const char  b24_queue_schema_12[] =
    "CREATE TABLE points ("
        "time INTEGER NOT NULL,"
        "origin TEXT NOT NULL,"
        "last INTEGER NOT NULL,"
        "accepted INTEGER NOT NULL,"
        "delivered INTEGER NOT NULL,"
        "waiting INTEGER NOT NULL,"
        "PRIMARY KEY (time, origin)"
    ") WITHOUT ROWID;";


/*
 * alerts  what was told last of an event of an origin, and to whom; raised: not
 *         yet that it is over
 */

static const char  b24_queue_schema_13[] =
    "CREATE TABLE alerts ("
        "origin TEXT NOT NULL,"
        "event TEXT NOT NULL,"
        "target TEXT NOT NULL,"
        "raised INTEGER NOT NULL,"
        "since INTEGER NOT NULL,"
        "told INTEGER NOT NULL,"
        "n INTEGER NOT NULL,"
        "PRIMARY KEY (origin, event)"
    ") WITHOUT ROWID;";


/*
 * captures  the journal: what a request carried, until its exchange ends.  One
 *           page takes several of them, where a record takes one of each of its
 *           indexes.  id: of the record that may come of it
 *
 * Captures, and records that say they are "counted", are counted once in a
 * transaction, by b24_queue_count.c; a trigger for each took a quarter of what
 * an order costs.  It is there for an nginx of the version before.
 *
 * The other triggers are as they were, but for their upserts: these may end in
 * an ABORT, and for that SQLite keeps a copy of each page that the statement
 * which fires them touches.  With "OR FAIL" in that statement it doesn't, now.
 *
 * records_waiting has had no use since schema 10.
 */

#define B24_SQL_COUNTED(origin, state)                                        \
        " INSERT INTO counts SELECT " origin ", " state ", 0, 0, 0"           \
            " WHERE NOT EXISTS (SELECT 1 FROM counts"                         \
            " WHERE origin = " origin " AND state = " state ");"

static const char  b24_queue_schema_14[] =
    "CREATE TABLE captures ("
        "token INTEGER PRIMARY KEY,"
        "id INTEGER NOT NULL,"
        "time INTEGER NOT NULL,"
        "owner TEXT NOT NULL,"
        "origin TEXT NOT NULL,"
        "rule TEXT NOT NULL,"
        "fingerprint TEXT NOT NULL,"
        "data TEXT NOT NULL"
    ");"

    "INSERT INTO sqlite_sequence SELECT 'records', 0 WHERE NOT EXISTS"
        " (SELECT 1 FROM sqlite_sequence WHERE name = 'records');"

    "ALTER TABLE records ADD COLUMN counted INTEGER;"

    "DROP TRIGGER records_insert;"
    "CREATE TRIGGER records_insert AFTER INSERT ON records"
        " WHEN NEW.counted IS NULL BEGIN"
        B24_SQL_COUNTED("NEW.origin", "NEW.state")
        " UPDATE counts SET n = n + 1, kept = kept + 1, changes = changes + 1"
            " WHERE origin = NEW.origin AND state = NEW.state;"
    "END;"

    "DROP TRIGGER records_state;"
    "CREATE TRIGGER records_state AFTER UPDATE OF state ON records"
        " WHEN OLD.state <> NEW.state BEGIN"
        " UPDATE counts SET n = n - (state <> 'delivered'), kept = kept - 1,"
            " changes = changes + 1"
            " WHERE origin = OLD.origin AND state = OLD.state;"
        B24_SQL_COUNTED("NEW.origin", "NEW.state")
        " UPDATE counts SET n = n + (state <> 'delivered'), kept = kept + 1,"
            " changes = changes + 1"
            " WHERE origin = NEW.origin AND state = NEW.state;"
    "END;"

    "DROP TRIGGER records_first;"
    "CREATE TRIGGER records_first AFTER UPDATE OF delivered ON records"
        " WHEN OLD.delivered IS NULL AND NEW.delivered IS NOT NULL BEGIN"
        B24_SQL_COUNTED("NEW.origin", "'delivered'")
        " UPDATE counts SET n = n + 1, changes = changes + 1"
            " WHERE origin = NEW.origin AND state = 'delivered';"
    "END;"

    "DROP INDEX records_waiting;";


/*
 * begun  moments that every order has, and the timeline not: 1 for "accepted",
 *        2 for "captured" before; the record has their times.  A row each took
 *        a tenth of what an order costs
 */

static const char  b24_queue_schema_15[] =
    "ALTER TABLE records ADD COLUMN begun INTEGER;";


const char  *b24_queue_schema[B24_QUEUE_SCHEMA] = {
    b24_queue_schema_1,
    b24_queue_schema_2,
    b24_queue_schema_3,
    b24_queue_schema_4,
    b24_queue_schema_5,
    b24_queue_schema_6,
    b24_queue_schema_7,
    b24_queue_schema_8,
    b24_queue_schema_9,
    b24_queue_schema_10,
    b24_queue_schema_11,
    b24_queue_schema_12,
    b24_queue_schema_13,
    b24_queue_schema_14,
    b24_queue_schema_15
};


const char  *b24_queue_sql[B24_SQL_N] = {

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
        " shop_row = coalesce(excluded.shop_row, shop_row)",

    /* desk */

    [B24_SQL_LINK] =
        "SELECT deal_id, contact_id, company_id FROM links"
        " WHERE origin = ? AND order_id = ?",

    [B24_SQL_COUNTS] =
        "SELECT origin, state, n, changes FROM counts ORDER BY origin, state",

    [B24_SQL_OLDEST] =
        "SELECT (SELECT arrived FROM records INDEXED BY records_open"
            " WHERE (state = 'accepted' OR state = 'sending'"
            " OR state = 'waiting') AND origin = ?1"
            " ORDER BY arrived LIMIT 1),"
        " EXISTS (SELECT 1 FROM paused WHERE origin = ?1)",

    [B24_SQL_LONGEST] =
        "SELECT id, arrived FROM records INDEXED BY records_open"
        " WHERE (state = 'accepted' OR state = 'sending'"
        " OR state = 'waiting') AND origin = ?"
        " ORDER BY arrived LIMIT ?",

    [B24_SQL_ORIGINS] =
        "SELECT DISTINCT origin FROM counts ORDER BY origin",

    [B24_SQL_LATEST] =
        "SELECT id, updated FROM records INDEXED BY records_list"
        " WHERE origin = ? AND state = ? AND updated >= ?"
        " ORDER BY updated DESC, id DESC LIMIT ?",

    [B24_SQL_RECORD] =
        "SELECT id, origin, order_id, rule, state, deal_id, contact_id,"
        " company_id, attempts, created, updated, next, cause, advice, reuse,"
        " (SELECT number FROM numbers WHERE record = id)"
        " FROM records WHERE id = ?",

    [B24_SQL_CAPTURE_RECORD] =
        "SELECT id, origin, NULL, rule, 'captured', NULL, NULL, NULL, 0, time,"
        " time, NULL, NULL, NULL, 0, NULL FROM captures WHERE id = ?",

    [B24_SQL_CAPTURE_MOMENTS] =
        "SELECT time, time, 1, 'captured', NULL, NULL, NULL FROM captures"
        " WHERE id = ?",

    [B24_SQL_LATEST_CAPTURES] =
        "SELECT id, time FROM captures WHERE origin = ? AND time >= ?",

    [B24_SQL_FIRST_DATA] =
        "SELECT data FROM events WHERE record = ?1 AND seq = 1"
        " UNION ALL SELECT data FROM captures WHERE id = ?1",

    [B24_SQL_FIRST_ORDER] =
        "SELECT data FROM events WHERE record = ? AND seq = 1"
        " AND kind = 'new'",

    [B24_SQL_BY_NUMBER] =
        "SELECT id FROM records INDEXED BY records_number"
        " WHERE order_id = ?1 AND origin = coalesce(?2, origin)"
        " ORDER BY origin, reuse LIMIT ?3",

    [B24_SQL_BY_SHOP_NUMBER] =
        "SELECT id FROM records INDEXED BY records_shop"
        " WHERE shop_number = ?1 AND origin = coalesce(?2, origin)"
        " ORDER BY origin, id LIMIT ?3",

    [B24_SQL_FIRST_MOMENTS] =
        "SELECT created, created, 1, 'captured', NULL, NULL, NULL"
        " FROM records WHERE id = ?1 AND begun = 2"
        " UNION ALL SELECT accepted, accepted, 1, 'accepted', NULL, NULL, NULL"
        " FROM records WHERE id = ?1 AND begun IS NOT NULL",

    [B24_SQL_TIMELINE] =
        "SELECT time, last, count, state, cause, method, error FROM timeline"
        " WHERE record = ? ORDER BY n",

    /* a person's hand and housekeeping */

    [B24_SQL_RETRY] =
        "UPDATE records SET state = 'accepted', next = NULL, warned = NULL,"
        " updated = ?, cause = NULL, advice = NULL WHERE id = ?"
        " AND (state = 'parked' OR state = 'waiting') AND (reuse = 0"
        " OR EXISTS (SELECT 1 FROM numbers WHERE record = records.id))",

    [B24_SQL_OLD_DELIVERED] =
        "SELECT id, (SELECT sum(length(CAST(data AS BLOB))) FROM events"
        " WHERE events.record = records.id)"
        " FROM records INDEXED BY records_delivered"
        " WHERE state = 'delivered' AND delivered <= ?"
        " ORDER BY delivered LIMIT 1",

    [B24_SQL_OLD_WARNED] =
        "SELECT id, (SELECT sum(length(CAST(data AS BLOB))) FROM events"
        " WHERE events.record = records.id)"
        " FROM records INDEXED BY records_warned"
        " WHERE warned IS NOT NULL AND warned <= ? AND updated <= ?"
        " AND (state = 'parked' OR state = 'unconfirmed') LIMIT 1",

    [B24_SQL_DROP_RECORD] =
        "DELETE FROM records WHERE id = ?",

    [B24_SQL_UNWARN] =
        "UPDATE records SET warned = NULL WHERE id IN (SELECT id"
        " FROM records INDEXED BY records_warned"
        " WHERE warned IS NOT NULL AND warned > ? LIMIT ?)",

    [B24_SQL_AGING] =
        "SELECT id, state FROM records INDEXED BY records_aging"
        " WHERE (state = 'parked' OR state = 'unconfirmed')"
        " AND warned IS NULL AND updated <= ? ORDER BY updated LIMIT 1",

    [B24_SQL_WARN] =
        "UPDATE records SET warned = ? WHERE id = ?",

    /* facts; kind and portal are compared too: hashes may collide */

    [B24_SQL_SALT] =
        "SELECT salt FROM secrets WHERE id = 1",

    [B24_SQL_PUT_SALT] =
        "INSERT INTO secrets VALUES (1, ?)",

    [B24_SQL_FACT] =
        "SELECT id, time FROM facts"
        " WHERE id_hash = ? AND portal = ? AND kind = ?",

    [B24_SQL_PUT_FACT] =
        "INSERT INTO facts VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (id_hash) DO UPDATE SET portal = excluded.portal,"
        " kind = excluded.kind, id = excluded.id, time = excluded.time",

    [B24_SQL_DROP_FACT] =
        "DELETE FROM facts WHERE id_hash = ? AND portal = ? AND kind = ?",

    [B24_SQL_DROP_FACTS_OF] =
        "DELETE FROM facts INDEXED BY facts_id"
        " WHERE portal = ? AND kind = ? AND id = -?",

    [B24_SQL_FACTS] =
        "SELECT n FROM sizes WHERE name = 'facts'",

    [B24_SQL_CLEAN_FACTS] =
        "DELETE FROM facts WHERE id_hash IN (SELECT id_hash"
        " FROM facts INDEXED BY facts_time WHERE time <= ?"
        " ORDER BY time LIMIT ?)",

    [B24_SQL_CLEAN_FUTURE_FACTS] =
        "DELETE FROM facts WHERE id_hash IN (SELECT id_hash"
        " FROM facts INDEXED BY facts_time WHERE time > ?"
        " ORDER BY time LIMIT ?)",

    /*
     * A number is an order's also when it was given to it in the CRM, when the
     * order was dropped (one whose answer was never seen may come yet), or when
     * the shop calls an order by it that has another one in the CRM.
     */

    [B24_SQL_TWIN_OTHERS] =
        "SELECT 0, 0 FROM numbers INDEXED BY numbers_number"
        " WHERE number = ?1 AND origin = ?2"
        " UNION ALL SELECT 1, accepted"
        " FROM dropped INDEXED BY dropped_number"
        " WHERE order_id = ?1 AND origin = ?2 AND reuse = 0"
        " AND state <> 'unconfirmed'"
        " UNION ALL SELECT 1, accepted FROM records INDEXED BY records_shop"
        " WHERE shop_number = ?1 AND origin = ?2",

    /* dropped records, in the columns of those that are there */

    [B24_SQL_BY_ORIGIN_ID] =
        "SELECT r.id FROM numbers n INDEXED BY numbers_number"
        " JOIN records r ON r.id = n.record"
        " WHERE n.number = ?1 AND n.origin = coalesce(?2, n.origin)"
        " ORDER BY n.origin LIMIT ?3",

    [B24_SQL_DROPPED_BY_NUMBER] =
        "SELECT record FROM dropped INDEXED BY dropped_number"
        " WHERE order_id = ?1 AND origin = coalesce(?2, origin)"
        " ORDER BY origin, record LIMIT ?3",

    [B24_SQL_LATEST_DROPPED] =
        "SELECT record, dropped FROM dropped INDEXED BY dropped_list"
        " WHERE origin = ? AND dropped >= ?"
        " ORDER BY dropped DESC, record DESC LIMIT ?",

    [B24_SQL_DROPPED] =
        "SELECT record, origin, order_id, rule, 'rejected', deal_id,"
        " contact_id, company_id, attempts, created, dropped, NULL, cause,"
        " NULL, reuse, (SELECT number FROM numbers n"
        " WHERE n.record = dropped.record)"
        " FROM dropped WHERE record = ?",

    [B24_SQL_DROPPED_MOMENTS] =
        "SELECT updated, state, dropped, cause FROM dropped WHERE record = ?",

    [B24_SQL_CLEAN_DROPPED] =
        "DELETE FROM dropped WHERE record IN (SELECT record"
        " FROM dropped INDEXED BY dropped_time WHERE dropped <= ?"
        " ORDER BY dropped LIMIT ?)",

    /* a step that was sent may have been done */

    [B24_SQL_HASTEN] =
        "UPDATE records SET next = min(next, updated + ?1), warned = NULL"
        " WHERE id = ?2 AND state = 'waiting' AND updated + ?1 > ?3"
        " AND updated <= ?3 AND EXISTS (SELECT 1 FROM steps"
        " WHERE record = records.id AND steps.state = 'sent')",

    [B24_SQL_NEXT_PARKED] =
        "SELECT id, updated FROM records INDEXED BY records_list"
        " WHERE origin = ? AND state = 'parked'"
        " AND (updated, id) > (?, ?) AND attempts > 0 AND (reuse = 0"
        " OR EXISTS (SELECT 1 FROM numbers WHERE record = records.id))"
        " ORDER BY updated, id LIMIT 1",

    [B24_SQL_PARKED_LEFT] =
        "SELECT cause, advice, attempts > 0 AND (reuse = 0"
        " OR EXISTS (SELECT 1 FROM numbers WHERE record = records.id))"
        " FROM records INDEXED BY records_list"
        " WHERE origin = ? AND state = 'parked' LIMIT ?",

    [B24_SQL_HAND] =
        "SELECT state, reuse, origin, order_id,"
        " EXISTS (SELECT 1 FROM numbers WHERE record = id)"
        " FROM records WHERE id = ?",

    [B24_SQL_NUMBER_TAKEN] =
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

    [B24_SQL_ROW_TAKEN] =
        "SELECT 1 FROM records INDEXED BY records_row"
        " WHERE shop_row = ?1 AND origin = ?2"
        " UNION ALL SELECT 1 FROM links INDEXED BY links_row"
        " WHERE shop_row = ?1 AND origin = ?2 LIMIT 1",

    [B24_SQL_PUT_NUMBER] =
        "INSERT INTO numbers VALUES (?, ?, ?)",

    /* one whose answer was not seen is accepted by that person, now */

    [B24_SQL_SEND] =
        "UPDATE records SET arrived = CASE WHEN state = 'unconfirmed' THEN ?1"
        " ELSE arrived END, state = 'accepted', next = NULL, warned = NULL,"
        " updated = ?1, cause = NULL, advice = NULL WHERE id = ?2",

    [B24_SQL_SEND_EVENT] =
        "UPDATE events SET arrived = ? WHERE record = ? AND seq = 1",

    [B24_SQL_PUT_DROPPED] =
        "INSERT INTO dropped SELECT id, origin, order_id, reuse, rule, state,"
        " deal_id, contact_id, company_id, attempts, accepted, created,"
        " updated, ?, ? FROM records WHERE id = ?",

    [B24_SQL_KEEP_SHOP_NUMBER] =
        "INSERT OR IGNORE INTO numbers SELECT id, origin, shop_number"
        " FROM records WHERE id = ? AND shop_number <> ''",

    [B24_SQL_DROP] =
        "DELETE FROM records WHERE id = ?",

    [B24_SQL_PAUSE] =
        "INSERT INTO paused VALUES (?, ?, ?) ON CONFLICT (origin) DO NOTHING",

    [B24_SQL_RESUME] =
        "DELETE FROM paused WHERE origin = ?",

    [B24_SQL_PAUSED] =
        "SELECT since, cause FROM paused WHERE origin = ?",

    [B24_SQL_PORTAL] =
        "SELECT p.state, p.failures, p.resume, p.level, p.time, p.reason,"
        " p.advice, q.text FROM portals p LEFT JOIN paces q ON q.host = p.host"
        " WHERE p.host = ?",

    [B24_SQL_PUT_PORTAL] =
        "INSERT OR REPLACE INTO portals VALUES (?, ?, ?, ?, ?, ?, ?, ?)",

    [B24_SQL_CLEAN_PORTALS] =
        "DELETE FROM portals WHERE time < ? OR time > ?",

    [B24_SQL_PUT_PACE] =
        "INSERT OR REPLACE INTO paces VALUES (?, ?, ?)",

    [B24_SQL_ALERT] =
        "SELECT target, raised, since, told, n FROM alerts"
        " WHERE origin = ? AND event = ?",

    [B24_SQL_PUT_ALERT] =
        "INSERT OR REPLACE INTO alerts (origin, event, target, raised, since,"
        " told, n) VALUES (?, ?, ?, ?, ?, ?, ?)",

    [B24_SQL_DROP_ALERT] =
        "DELETE FROM alerts WHERE origin = ? AND event = ?",

    [B24_SQL_LEARNED] =
        "SELECT value FROM learned INDEXED BY learned_name"
        " WHERE origin = ? AND name = ? ORDER BY id DESC LIMIT ?",

    [B24_SQL_PUT_LEARNED] =
        "INSERT INTO learned VALUES (NULL, ?, ?, ?, ?)"
        " ON CONFLICT (origin, name, value) DO NOTHING",

    [B24_SQL_CLEAN_LEARNED] =
        "DELETE FROM learned WHERE id IN (SELECT id FROM learned"
        " INDEXED BY learned_name WHERE origin = ? AND name = ?"
        " ORDER BY id DESC LIMIT -1 OFFSET ?)",

    /* the shop's database; a record without steps was never sent */

    [B24_SQL_HOLDERS] =
        "SELECT id, state = 'unconfirmed', rule = 'import',"
        " deal_id IS NOT NULL OR EXISTS (SELECT 1 FROM steps"
        " WHERE record = records.id), reuse, shop_row, state, created"
        " FROM records INDEXED BY records_number"
        " WHERE order_id = ?1 AND origin = ?2"
        " UNION ALL SELECT id, 0, rule = 'import', deal_id IS NOT NULL"
        " OR EXISTS (SELECT 1 FROM steps WHERE record = records.id), 0,"
        " shop_row, NULL, created FROM records INDEXED BY records_shop"
        " WHERE shop_number = ?1 AND origin = ?2",

    [B24_SQL_CONTEST] =
        "UPDATE records SET reuse = 1 + (SELECT max(reuse)"
        " FROM records r INDEXED BY records_number"
        " WHERE r.order_id = records.order_id AND r.origin = records.origin)"
        " WHERE id = ?",

    [B24_SQL_AS_CAPTURED] =
        "UPDATE records SET rule = (SELECT rule FROM records WHERE id = ?1)"
        " WHERE id = ?2 AND rule = 'import'",

    [B24_SQL_WAS_UNCONFIRMED] =
        "SELECT 1 FROM timeline t WHERE record = ?1 AND cause = ?2"
        " AND NOT EXISTS (SELECT 1 FROM timeline"
        " WHERE record = ?1 AND state = 'duplicate')",

    [B24_SQL_NUMBER] =
        "UPDATE records SET order_id = ?, reuse = ? WHERE id = ?",

    [B24_SQL_ROW] =
        "UPDATE records SET shop_row = ?1 WHERE id = ?2"
        " AND shop_row IS NOT ?1",

    [B24_SQL_EVENT_DATA] =
        "UPDATE events SET data = ? WHERE id = ?",

    [B24_SQL_READ] =
        "UPDATE OR FAIL records SET state = ?1, next = ?2, updated = ?3,"
        " cause = CASE WHEN ?1 = 'delivered' OR (?1 = 'accepted' AND ?6 = 0)"
            " THEN coalesce(?4, CASE WHEN attempts < 2 THEN cause END)"
            " ELSE ?4 END,"
        " advice = CASE WHEN ?1 = 'delivered' OR (?1 = 'accepted' AND ?6 = 0)"
            " THEN coalesce(?5, CASE WHEN attempts < 2 THEN advice END)"
            " ELSE ?5 END,"
        " attempts = attempts - ?6, owner = NULL, lease = NULL"
        " WHERE id = ?7",

    [B24_SQL_UNSETTLED] =
        "SELECT r.id, r.created, r.order_id, (SELECT data FROM events"
        " WHERE record = r.id AND seq = 1), r.updated"
        " FROM records r INDEXED BY records_list"
        " WHERE r.origin = ? AND r.state = 'unconfirmed'"
        " AND (r.updated, r.id) > (?, ?)"
        " ORDER BY r.updated, r.id LIMIT ?",

    [B24_SQL_ALIKE_OF] =
        "SELECT r.origin, r.created, e.data FROM records r"
        " JOIN events e ON e.record = r.id AND e.seq = 1"
        " WHERE r.id = ? AND r.state = 'unconfirmed'",

#define B24_SQL_ALIKE                                                         \
        "SELECT r.id, r.created, r.rule = 'import' AND r.origin = ?2,"        \
        " CASE WHEN r.rule = 'import' AND r.origin = ?2 THEN"                 \
        " (SELECT data FROM events WHERE record = r.id AND seq = 1) END"      \
        " FROM records r WHERE r.id "

    [B24_SQL_ALIKE_AFTER] =
        B24_SQL_ALIKE "> ?1 ORDER BY r.id LIMIT ?3",

    [B24_SQL_ALIKE_BEFORE] =
        B24_SQL_ALIKE "< ?1 ORDER BY r.id DESC LIMIT ?3",

    [B24_SQL_UNCONFIRMED] =
        "SELECT origin, order_id, reuse > 0, created FROM records"
        " WHERE id = ? AND state = 'unconfirmed'",

    [B24_SQL_SHOP_NUMBER] =
        "UPDATE records SET shop_number = ? WHERE id = ?",

    [B24_SQL_PLACED_LAST] =
        "SELECT id, created FROM records"
        " WHERE id = (SELECT max(id) FROM records)",

    [B24_SQL_PLACED] =
        "SELECT id, created FROM records WHERE id >= ? ORDER BY id LIMIT 1",

    [B24_SQL_UNREAD] =
        "SELECT r.id, r.created, r.order_id, (SELECT data FROM events"
        " WHERE record = r.id AND seq = 1), r.updated"
        " FROM records r INDEXED BY records_shop"
        " WHERE r.shop_number = '' AND r.origin = ? AND r.id > ?"
        " AND r.created >= ? ORDER BY r.id LIMIT ?",

    [B24_SQL_UNREAD_ONE] =
        "SELECT origin, order_id, state, coalesce(deal_id, 0),"
        " deal_id IS NOT NULL OR EXISTS (SELECT 1 FROM steps"
        " WHERE record = records.id), created"
        " FROM records WHERE id = ? AND shop_number = ''",

    [B24_SQL_MARK] =
        "SELECT changed, begun, number FROM marks"
        " WHERE origin = ? AND shop = ?",

    [B24_SQL_PUT_MARK] =
        "INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?)",

    /* what is read with the counts has changed */

    [B24_SQL_TOUCH] =
        "INSERT INTO counts VALUES (?, 'parked', 0, 0, 1)"
        " ON CONFLICT (origin, state) DO UPDATE SET changes = changes + 1",

    /* deals that move */

    [B24_SQL_DEAL_ORIGINS] =
        "SELECT origin FROM links INDEXED BY links_deal WHERE deal_id = ?",

    /* a number has one record that is the deal's, whatever else it has */

    [B24_SQL_DEAL_RECORDS] =
        "SELECT l.origin, r.id, r.state, l.order_id, (SELECT max(record)"
        " FROM seen INDEXED BY seen_number"
        " WHERE order_id = l.order_id AND origin = l.origin)"
        " FROM links l INDEXED BY links_deal"
        " LEFT JOIN records r INDEXED BY records_number"
        " ON r.order_id = l.order_id AND r.origin = l.origin"
        " AND r.deal_id = l.deal_id WHERE l.deal_id = ?",

    [B24_SQL_PUT_MOVED] =
        "INSERT INTO moved VALUES (?, ?, ?)"
        " ON CONFLICT (portal, deal) DO UPDATE SET time = excluded.time",

    [B24_SQL_MOVED] =
        "SELECT deal, time FROM moved WHERE portal = ? ORDER BY time, deal"
        " LIMIT ?",

    [B24_SQL_DROP_MOVED] =
        "DELETE FROM moved WHERE portal = ? AND deal = ? AND time = ?",

    [B24_SQL_HISTORY] =
        "SELECT id FROM histories WHERE portal = ?",

    [B24_SQL_PUT_HISTORY] =
        "INSERT INTO histories VALUES (?, ?)"
        " ON CONFLICT (portal) DO UPDATE SET id = max(id, excluded.id)",

    /* points */

    [B24_SQL_POINT_AT] =
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

    [B24_SQL_PUT_POINT] =
        "INSERT OR IGNORE INTO points "
        B24_SQL_POINT("(SELECT last FROM had)"),

    [B24_SQL_DROP_POINTS] =
        "DELETE FROM points WHERE time < ? OR time > ?",

    [B24_SQL_POINTS] =
        "SELECT time, origin, last, accepted, delivered, waiting FROM points"
        " WHERE time >= ? ORDER BY time, origin",

    /* ?2: what was counted already */

    [B24_SQL_POINT_NOW] =
        B24_SQL_POINT("max(?2, (SELECT last FROM had))")

};
