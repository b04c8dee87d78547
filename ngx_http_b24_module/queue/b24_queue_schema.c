
/* The schema, step by step. */

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
 * Times are ms since the epoch.  reuse is 0 for the first record of an order
 * number and counts those that came later with other content.
 */

/*
 * Each text brings the schema one version further and is never changed: files
 * were made by it.  It may add, but what it finds must go on to serve the
 * statements of the version before: while nginx is upgraded on the fly, workers
 * of both versions have the file open.
 */

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
