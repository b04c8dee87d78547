<?php

declare(strict_types=1);

/*
 * Orders in the database.  SQLite by default; a MySQL or MariaDB DSN works
 * the same.  Money is DECIMAL in MySQL and decimal text in SQLite, which has
 * no decimal type and would keep binary floats.
 */
final class Store
{
    private const SCHEMA_VERSION = 1;
    private const BUSY_MS = 10000;

    private PDO $db;
    private bool $sqlite;


    public function __construct(string $dsn, ?string $user, ?string $password)
    {
        $this->sqlite = str_starts_with($dsn, 'sqlite:');

        $this->db = new PDO($dsn, $user, $password, [
            PDO::ATTR_ERRMODE            => PDO::ERRMODE_EXCEPTION,
            PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
            PDO::ATTR_STRINGIFY_FETCHES  => true,
        ]);

        if ($this->sqlite) {
            $this->db->exec('PRAGMA busy_timeout = ' . self::BUSY_MS);
            $this->db->exec('PRAGMA foreign_keys = ON');

        } else {
            $this->db->exec('SET NAMES utf8mb4');
        }

        $this->createSchema();
    }


    /**
     * Saves a checked order (see Checkout) and gives its row.  When an order
     * with this token exists already, also one that another process is
     * saving this very moment, nothing is saved and that order is given.
     */
    public function place(array $order): array
    {
        $year = gmdate('Y');

        $this->ensureCounter($year);
        $this->begin();

        try {
            /*
             * Takes the write lock (SQLite has it since BEGIN, MySQL locks
             * the counter's row), so a second process with the same token
             * gets to the unique key only after the first one has committed.
             */
            $number = $this->nextNumber($year);
            $now = self::now();

            $fields = [
                'number' => $number, 'token' => $order['token'],
                'created' => $now, 'updated' => $now, 'status' => 'N',
                'name' => $order['name'], 'phone' => $order['phone'],
                'email' => $order['email'], 'company' => $order['company'],
                'inn' => $order['inn'], 'kpp' => $order['kpp'],
                'address' => $order['address'],
                'comment' => $order['comment'],
                'file_name' => $order['file_name'],
                'delivery' => $order['delivery'],
                'delivery_price' => money($order['delivery_price']),
                'total' => money($order['total']), 'currency' => 'RUB',
            ];

            $id = $this->insert('orders', $fields);

            foreach ($order['items'] as $item) {
                $this->insert('order_items', [
                    'order_id' => $id, 'product_id' => $item['id'],
                    'sku' => $item['sku'], 'name' => $item['name'],
                    'price' => money($item['price']),
                    'qty' => decimal_format($item['qty'], QTY_PLACES),
                    'vat' => $item['vat'],
                    'measure' => $item['measure'],
                    'sum' => money($item['sum']),
                ]);
            }

            $this->insert('order_history', ['order_id' => $id,
                                            'status' => 'N',
                                            'created' => $now]);
            $this->db->exec('COMMIT');

        } catch (PDOException $e) {
            $this->rollback();

            $first = self::isDuplicate($e) ? $this->byToken($order['token'])
                                           : null;
            if ($first === null) {
                throw $e;
            }

            return $first;
        }

        return $this->byNumber($number);
    }


    public function byToken(string $token): ?array
    {
        return $this->one('SELECT * FROM orders WHERE token = ?', [$token]);
    }


    public function byNumber(string $number): ?array
    {
        return $this->one('SELECT * FROM orders WHERE number = ?', [$number]);
    }


    /** The newest orders first, each with its lines and its history. */
    public function latest(int $limit): array
    {
        $orders = $this->all('SELECT * FROM orders ORDER BY id DESC LIMIT '
                             . max(1, min($limit, 10000)), []);

        foreach ($orders as &$order) {
            $order['items'] = $this->items((int) $order['id']);
            $order['history'] = $this->all(
                'SELECT status, created FROM order_history'
                . ' WHERE order_id = ? ORDER BY id', [$order['id']]);
        }

        return $orders;
    }


    public function items(int $order): array
    {
        return $this->all('SELECT * FROM order_items WHERE order_id = ?'
                          . ' ORDER BY id', [$order]);
    }


    /**
     * Sets the status of an order and adds a row to its history; setting
     * what it has already changes nothing.  Null when there is no such order.
     */
    public function setStatus(string $number, string $status): ?array
    {
        $this->begin();

        try {
            $lock = $this->sqlite ? '' : ' FOR UPDATE';
            $order = $this->one('SELECT * FROM orders WHERE number = ?'
                                . $lock, [$number]);

            if ($order !== null && $order['status'] !== $status) {
                $now = self::now();

                $this->run('UPDATE orders SET status = ?, updated = ?'
                           . ' WHERE id = ?', [$status, $now, $order['id']]);
                $this->insert('order_history', ['order_id' => $order['id'],
                                                'status' => $status,
                                                'created' => $now]);
            }

            $this->db->exec('COMMIT');

        } catch (PDOException $e) {
            $this->rollback();
            throw $e;
        }

        return $order === null ? null : $this->byNumber($number);
    }


    /**
     * YYYY-NNNNNN from the year's counter.  Part of the order's transaction:
     * the row stays locked until the order is saved, and a failing order
     * gives its number back, so there are neither doubles nor gaps.
     */
    private function nextNumber(string $year): string
    {
        $this->run('UPDATE counters SET last = last + 1 WHERE year = ?',
                   [$year]);
        $row = $this->one('SELECT last FROM counters WHERE year = ?', [$year]);

        return sprintf('%s-%06d', $year, $row['last']);
    }


    /**
     * Makes the counter of a new year, outside of any transaction: two MySQL
     * transactions that miss the same row would lock each other out.
     */
    private function ensureCounter(string $year): void
    {
        if ($this->one('SELECT last FROM counters WHERE year = ?', [$year])
            === null)
        {
            $ignore = $this->sqlite ? 'OR IGNORE' : 'IGNORE';

            $this->run("INSERT $ignore INTO counters (year, last)"
                       . ' VALUES (?, 0)', [$year]);
        }
    }


    private function begin(): void
    {
        /* IMMEDIATE: waiting for the writer before us, not failing later */
        $this->db->exec($this->sqlite ? 'BEGIN IMMEDIATE'
                                      : 'START TRANSACTION');
    }


    private function rollback(): void
    {
        try {
            $this->db->exec('ROLLBACK');

        } catch (PDOException) {
            /* some errors (disk full) have ended the transaction already */
        }
    }


    private function insert(string $table, array $fields): int
    {
        $names = implode(', ', array_keys($fields));
        $marks = implode(', ', array_fill(0, count($fields), '?'));

        $this->run("INSERT INTO $table ($names) VALUES ($marks)",
                   array_values($fields));

        return (int) $this->db->lastInsertId();
    }


    private function run(string $sql, array $values): int
    {
        $statement = $this->db->prepare($sql);
        $statement->execute($values);

        return $statement->rowCount();
    }


    private function all(string $sql, array $values): array
    {
        $statement = $this->db->prepare($sql);
        $statement->execute($values);

        return $statement->fetchAll();
    }


    private function one(string $sql, array $values): ?array
    {
        return $this->all($sql, $values)[0] ?? null;
    }


    private static function now(): string
    {
        return gmdate('Y-m-d H:i:s');
    }


    private static function isDuplicate(PDOException $e): bool
    {
        /* the SQLSTATE of a broken key, the same in both databases */
        return str_starts_with((string) $e->getCode(), '23');
    }


    /**
     * Makes the tables on first use.  Several processes may come here at
     * once: in SQLite one of them wins the write lock and the others see its
     * version mark; MySQL's IF NOT EXISTS needs no more.
     */
    private function createSchema(): void
    {
        if (!$this->sqlite) {
            if ($this->all("SHOW TABLES LIKE 'order_history'", []) === []) {
                foreach ($this->schema() as $sql) {
                    $this->db->exec($sql);
                }
            }

            return;
        }

        if ($this->schemaVersion() === self::SCHEMA_VERSION) {
            return;
        }

        $this->enterWal();
        $this->begin();

        try {
            if ($this->schemaVersion() !== self::SCHEMA_VERSION) {
                foreach ($this->schema() as $sql) {
                    $this->db->exec($sql);
                }

                $this->db->exec('PRAGMA user_version = '
                                . self::SCHEMA_VERSION);
            }

            $this->db->exec('COMMIT');

        } catch (PDOException $e) {
            $this->rollback();
            throw $e;
        }
    }


    private function schemaVersion(): int
    {
        return (int) $this->db->query('PRAGMA user_version')->fetchColumn();
    }


    /*
     * Changing the journal mode needs the file alone, and SQLite doesn't
     * call the busy handler for it: ask until it works.
     */
    private function enterWal(): void
    {
        $until = microtime(true) + self::BUSY_MS / 1000;

        for ( ;; ) {
            try {
                $this->db->exec('PRAGMA journal_mode = WAL');
                return;

            } catch (PDOException $e) {
                if (microtime(true) > $until) {
                    throw $e;
                }

                usleep(10000);
            }
        }
    }


    private function schema(): array
    {
        if ($this->sqlite) {
            $id = 'id INTEGER PRIMARY KEY AUTOINCREMENT';
            $decimal = 'TEXT';
            $time = 'TEXT';
            $end = '';

        } else {
            $id = 'id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY';
            $decimal = 'DECIMAL(14,%d)';
            $time = 'DATETIME';
            $end = ' ENGINE=InnoDB DEFAULT CHARSET=utf8mb4'
                   . ' COLLATE=utf8mb4_bin';
        }

        $money = sprintf($decimal, MONEY_PLACES);
        $qty = sprintf($decimal, QTY_PLACES);
        $reference = $this->sqlite ? 'INTEGER' : 'INT UNSIGNED';

        return [
            'CREATE TABLE IF NOT EXISTS counters (year CHAR(4) NOT NULL'
            . " PRIMARY KEY, last INTEGER NOT NULL)$end",

            "CREATE TABLE IF NOT EXISTS orders ($id,"
            . ' number VARCHAR(20) NOT NULL UNIQUE,'
            . ' token VARCHAR(64) NOT NULL UNIQUE,'
            . " created $time NOT NULL, updated $time NOT NULL,"
            . ' status CHAR(1) NOT NULL, name VARCHAR(100) NOT NULL,'
            . ' phone VARCHAR(40) NOT NULL, email VARCHAR(254) NOT NULL,'
            . ' company VARCHAR(150) NOT NULL, inn VARCHAR(12) NOT NULL,'
            . ' kpp VARCHAR(9) NOT NULL, address VARCHAR(300) NOT NULL,'
            . ' comment TEXT NOT NULL, file_name VARCHAR(200) NOT NULL,'
            . ' delivery VARCHAR(20) NOT NULL,'
            . " delivery_price $money NOT NULL, total $money NOT NULL,"
            . " currency CHAR(3) NOT NULL)$end",

            "CREATE TABLE IF NOT EXISTS order_items ($id,"
            . " order_id $reference NOT NULL, product_id INTEGER NOT NULL,"
            . ' sku VARCHAR(40) NOT NULL, name VARCHAR(200) NOT NULL,'
            . " price $money NOT NULL, qty $qty NOT NULL,"
            . ' vat INTEGER NOT NULL, measure INTEGER NOT NULL,'
            . " sum $money NOT NULL,"
            . " FOREIGN KEY (order_id) REFERENCES orders (id))$end",

            "CREATE TABLE IF NOT EXISTS order_history ($id,"
            . " order_id $reference NOT NULL, status CHAR(1) NOT NULL,"
            . " created $time NOT NULL,"
            . " FOREIGN KEY (order_id) REFERENCES orders (id))$end",
        ];
    }
}
