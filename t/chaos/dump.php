<?php

declare(strict_types=1);

/*
 * What SQLite files hold at the end of a run, as JSON; they are opened for
 * reading only.
 *
 *   php dump.php catalogue
 *   php dump.php shop FILE        orders of the sample shop with their lines
 *   php dump.php queue FILE       records of the queue with their data
 */

function rows(SQLite3 $db, string $sql): array
{
    $rows = [];
    $result = $db->query($sql);

    while (($row = $result->fetchArray(SQLITE3_ASSOC)) !== false) {
        $rows[] = $row;
    }

    return $rows;
}


function open(string $path): SQLite3
{
    $db = new SQLite3($path, SQLITE3_OPEN_READONLY);

    $db->enableExceptions(true);
    $db->busyTimeout(20000);

    return $db;
}


switch ($argv[1]) {
case 'catalogue':
    require dirname(__DIR__) . '/shop/src/catalogue.php';
    $data = array_values(catalogue());
    break;

case 'shop':
    $db = open($argv[2]);
    $items = [];

    foreach (rows($db, 'SELECT * FROM order_items ORDER BY id') as $row) {
        $items[$row['order_id']][] = $row;
    }

    $data = [];

    foreach (rows($db, 'SELECT * FROM orders ORDER BY id') as $row) {
        $data[] = ['items' => $items[$row['id']] ?? []] + $row;
    }
    break;

case 'queue':
    $db = open($argv[2]);
    $records = rows($db, 'SELECT r.*, e.data FROM records r'
                    . ' LEFT JOIN events e ON e.record = r.id'
                    . ' AND e.seq = 1 ORDER BY r.id');
    $captures = rows($db, "SELECT id, origin, rule, 'captured' AS state,"
                     . ' NULL AS order_id, NULL AS deal_id, NULL AS cause, data'
                     . ' FROM captures ORDER BY id');
    $data = ['records' => array_merge($records, $captures),
             'check' => $db->querySingle('PRAGMA integrity_check')];
    break;

default:
    fwrite(STDERR, "see the head of $argv[0]\n");
    exit(2);
}

echo json_encode($data, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE
                        | JSON_INVALID_UTF8_SUBSTITUTE);
