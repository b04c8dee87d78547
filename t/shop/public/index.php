<?php

declare(strict_types=1);

/*
 * The sample shop: an ordinary small PHP shop, used to try and to test the
 * module in front of it.  It knows nothing of the module.
 *
 * Every request comes here (SCRIPT_FILENAME is this file).  Environment:
 *
 *   SHOP_DSN        PDO DSN, SQLite or MySQL; default sqlite:/tmp/shop.sqlite
 *   SHOP_DB_USER, SHOP_DB_PASSWORD   for MySQL
 *   SHOP_FILES      folder for files sent with an order; unset: not kept
 *   SHOP_GZIP=1     answers are compressed by PHP (so does ?gzip=1)
 *   SHOP_TEST=1     faults on request, see TestFaults; SHOP_HOLD is their
 *                   folder
 */

mb_internal_encoding('UTF-8');

$src = dirname(__DIR__) . '/src';

foreach (['decimal', 'catalogue', 'Store', 'Session', 'Checkout',
          'TestFaults', 'view', 'pages', 'orders'] as $file)
{
    require "$src/$file.php";
}

set_exception_handler(function (Throwable $e): void {
    error_log((string) $e);

    if (!headers_sent()) {
        http_response_code(500);
        header('Content-Type: text/plain; charset=utf-8');
    }

    echo "Магазин не может ответить, попробуйте позже.\n";
});

if (getenv('SHOP_GZIP') === '1' || ($_GET['gzip'] ?? '') === '1') {
    ob_start('ob_gzhandler');
}

header('X-Content-Type-Options: nosniff');

$routes = [
    'GET /'              => 'page_catalogue',
    'GET /product'       => 'page_product',
    'GET /cart'          => 'page_cart',
    'POST /cart'         => 'post_cart',
    'GET /checkout'      => 'page_checkout',
    'POST /checkout'     => 'post_checkout',
    'GET /thanks'        => 'page_thanks',
    'GET /orders'        => 'page_orders',
    'GET /api/cart'      => 'api_cart',
    'POST /api/checkout' => 'api_checkout',
    'GET /admin/orders'  => 'page_admin_orders',
    'POST /admin/status' => 'post_admin_status',
    'GET /checkout.js'   => 'send_script',
    'GET /admin.js'      => 'send_script',
];

$path = explode('?', $_SERVER['REQUEST_URI'], 2)[0];
$method = $_SERVER['REQUEST_METHOD'] === 'HEAD' ? 'GET'
                                                : $_SERVER['REQUEST_METHOD'];

if (isset($routes["$method $path"])) {
    $routes["$method $path"]();

} elseif (isset($routes["GET $path"]) || isset($routes["POST $path"])) {
    header('Allow: ' . implode(', ', array_filter(['GET', 'POST'],
           fn (string $known): bool => isset($routes["$known $path"]))));
    page_message(405, 'Так эту страницу не вызывают');

} else {
    page_message(404, 'Такой страницы нет');
}
