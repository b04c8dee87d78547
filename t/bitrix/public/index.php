<?php

declare(strict_types=1);

/*
 * A stand-in of 1C-Bitrix's administration, as far as it changes and exports
 * orders: for tests, under B24::BitrixAdmin.  It works on the tables that
 * B24::Tables makes.  What it does follows the sources of Bitrix's modules main
 * and sale (16.5 to 22), none of which is in here.
 *
 * Every request comes here (SCRIPT_FILENAME is this file).  Environment:
 *
 *   BITRIX_SOCKET   socket of the MariaDB, where root needs no password
 *   BITRIX_SHOP     database of the shop's tables
 *   BITRIX_STEER    database of what tests steer it by, see Steering.php
 */

mb_internal_encoding('UTF-8');

$src = dirname(__DIR__) . '/src';

foreach (['Db', 'Answer', 'Steering', 'User', 'Order', 'ajax', 'exchange',
          'admin', 'site'] as $file)
{
    require "$src/$file.php";
}

/* path => [function, whether it is of the administration, whether it logs in
 * whoever has a name and a password with him] */
$pages = [
    '/bitrix/admin/1c_exchange.php' => ['page_exchange', true, true],
    '/bitrix/admin/sale_order_ajax.php' => ['page_ajax', true, false],
    '/bitrix/admin/sale_order.php' => ['page_list', true, true],
    '/bitrix/admin/sale_order_edit.php' => ['page_edit', true, true],
    '/bitrix/admin/sale_order_view.php' => ['page_view', true, true],
    '/bitrix/admin/sale_order_create.php' => ['page_create', true, true],
    '/bitrix/admin/sale_order_payment_edit.php' => ['page_payment', true, true],
    '/bitrix/admin/sale_order_shipment_edit.php' =>
        ['page_shipment', true, true],
    '/bitrix/admin/sale_order_payment.php' => ['page_plain', true, true],
    '/bitrix/admin/sale_order_shipment.php' => ['page_plain', true, true],
    '/bitrix/tools/sale_ps_result.php' => ['page_gateway', false, false],
];

$path = explode('?', $_SERVER['REQUEST_URI'], 2)[0];
$name = basename($path);

[$page, $is_admin, $logs_in] = $pages[$path] ?? ['page_site', false, true];

try {
    $db = new Db(getenv('BITRIX_SOCKET'), getenv('BITRIX_SHOP'));
    $steering = new Steering($db, getenv('BITRIX_STEER'), $name);
    $user = new User($db, $steering);

    if ($logs_in) {
        $user->enter($is_admin);
    }

    $steering->moment('before');
    $page($db, $steering, $user);

} catch (Answer $answer) {
    /* what ends a request, as die() does in Bitrix */

} catch (Throwable $e) {
    error_log((string) $e);
    $answer = new Answer(500, "<p>" . htmlspecialchars($e->getMessage())
                              . "</p>\n");
}

try {
    isset($db) && $db->rollback();
    isset($steering) && $steering->moment('after');

} catch (Answer $other) {
    $answer = $other;

} catch (Throwable $e) {
    error_log((string) $e);
    $answer = new Answer(500, "<p>the database is gone</p>\n");
}

$answer->send();
