<?php

declare(strict_types=1);

/* Catalogue, cart and checkout. */

function page_catalogue(): void
{
    render('catalogue', 'Лавка «Пряник & Самовар»',
           ['products' => catalogue(), 'csrf' => session()->csrf()]);
}


function page_product(): void
{
    $product = product($_GET['id'] ?? null);

    if ($product === null) {
        page_message(404, 'Такого товара нет');
        return;
    }

    render('product', $product['name'],
           ['product' => $product, 'csrf' => session()->csrf()]);
}


/** The cart as lines with names, prices and sums. */
function cart_lines(array $cart): array
{
    $lines = [];

    foreach ($cart as $id => $qty) {
        $product = product($id);

        if ($product !== null) {
            $lines[] = ['qty' => $qty,
                        'sum' => line_sum($product['price'], $qty)]
                       + $product;
        }
    }

    return $lines;
}


/** A line the way the checkout sends it: strings, also in JSON. */
function posted_line(array $line): array
{
    return ['id' => (string) $line['id'], 'sku' => $line['sku'],
            'name' => $line['name'], 'price' => money($line['price']),
            'qty' => quantity($line['qty']), 'vat' => (string) $line['vat'],
            'measure' => (string) $line['measure']];
}


function page_cart(string $error = ''): void
{
    $lines = cart_lines(session()->cart());

    render('cart', 'Корзина',
           ['lines' => $lines, 'error' => $error,
            'csrf' => session()->csrf(),
            'goods' => array_sum(array_column($lines, 'sum'))]);
}


function post_cart(): void
{
    if (!session()->isCsrf($_POST['csrf'] ?? null)) {
        page_message(403, 'Страница устарела: откройте её ещё раз');
        return;
    }

    $product = product($_POST['product'] ?? null);

    if ($product === null) {
        page_cart('Такого товара нет');
        return;
    }

    $action = $_POST['action'] ?? '';
    $qty = product_qty($product, $_POST['qty'] ?? null);

    if ($action === 'remove') {
        session()->setQty($product['id'], 0);

    } elseif ($qty === null) {
        page_cart('«' . $product['name'] . '»: количество кратно '
                  . quantity_text($product['step']) . ' '
                  . $product['unit']);
        return;

    } elseif ($action === 'add') {
        session()->addQty($product['id'], $qty);

    } elseif ($action === 'set') {
        session()->setQty($product['id'], $qty);

    } else {
        page_cart('Неизвестное действие');
        return;
    }

    redirect(303, '/cart');
}


/** The form, empty or with what the buyer typed and what is wrong with it. */
function show_checkout(array $typed, array $errors): void
{
    $lines = cart_lines(session()->cart());
    $code = $typed['delivery'] ?? '';

    if (!is_string($code) || !isset(deliveries()[$code])) {
        $code = array_key_first(deliveries());
    }

    $token = $typed['token'] ?? null;
    $delivery = deliveries()[$code] + ['code' => $code];

    render('checkout', 'Оформление заказа', [
        'lines' => $lines, 'delivery' => $delivery,
        'total' => array_sum(array_column($lines, 'sum'))
                   + $delivery['price'],
        'typed' => array_filter($typed, 'is_string'), 'errors' => $errors,
        'csrf' => session()->csrf(),
        'token' => Checkout::isToken($token) ? $token
                                             : bin2hex(random_bytes(16)),
    ]);
}


function page_checkout(): void
{
    show_checkout(['delivery' => $_GET['delivery'] ?? ''], []);
}


function post_checkout(): void
{
    if (!session()->isCsrf($_POST['csrf'] ?? null)) {
        page_message(403, 'Страница устарела: откройте её ещё раз');
        return;
    }

    $file = $_FILES['file'] ?? null;
    $error = $file['error'] ?? UPLOAD_ERR_NO_FILE;
    $data = $_POST;
    unset($data['file_name']);

    if ($error === UPLOAD_ERR_OK) {
        $data['file_name'] = $file['name'];
    }

    /* the session was read before: an empty cart there means that an order
       of this buyer is in the database already */
    $order = find_order($data);

    if ($order === null) {
        $checkout = new Checkout($data);

        if ($error !== UPLOAD_ERR_OK && $error !== UPLOAD_ERR_NO_FILE) {
            $checkout->errors['file'] = 'Файл не принят: он слишком велик'
                                        . ' или дошёл не весь';
        }

        if (session()->cart() == []) {
            $checkout->errors = ['items' => 'Корзина пуста'];

        } elseif ($checkout->errors === []
                  && $checkout->cart() != session()->cart())
        {
            $checkout->errors['items'] = 'Корзина изменилась:'
                                         . ' проверьте заказ';
        }

        if ($checkout->errors !== []) {
            show_checkout($_POST, $checkout->errors);
            return;
        }

        $order = place_order($checkout);

        if ($error === UPLOAD_ERR_OK) {
            keep_file($file['tmp_name'], $order['number']);
        }
    }

    remember_order($order);
    redirect(302, '/thanks?order=' . rawurlencode($order['number']));
}


/** The order that was made with this token before, if any. */
function find_order(array $data): ?array
{
    $token = $data['token'] ?? null;

    return Checkout::isToken($token) ? store()->byToken($token) : null;
}


function place_order(Checkout $checkout): array
{
    $faults = new TestFaults();

    $faults->beforeSaving();
    $order = store()->place($checkout->order);
    $faults->afterSaving();

    return $order;
}


/** Also after a repeated request: the first one may have died half-way. */
function remember_order(array $order): void
{
    if (session()->hasOrder($order['number'])) {
        return;
    }

    $cart = [];

    foreach (store()->items((int) $order['id']) as $item) {
        $cart[(int) $item['product_id']] =
            decimal_parse($item['qty'], QTY_PLACES);
    }

    session()->ordered($order['number'], $cart);
}


/** Keeps the buyer's file under the order's number, never under its name. */
function keep_file(string $path, string $number): void
{
    $folder = getenv('SHOP_FILES');

    if ($folder) {
        move_uploaded_file($path, "$folder/$number");
    }
}


function page_thanks(): void
{
    $number = $_GET['order'] ?? '';

    if (!is_string($number) || !session()->hasOrder($number)
        || ($order = store()->byNumber($number)) === null)
    {
        page_message(404, 'Такого заказа у вас нет');
        return;
    }

    render('thanks', 'Спасибо за заказ',
           ['order' => $order, 'items' => store()->items((int) $order['id'])]);
}


/** A stored order as the table of its lines wants it. */
function order_lines(array $order, array $items): array
{
    $lines = [];

    foreach ($items as $item) {
        $lines[] = [
            'name' => $item['name'],
            'unit' => product($item['product_id'])['unit'] ?? '',
            'price' => decimal_parse($item['price'], MONEY_PLACES),
            'qty' => decimal_parse($item['qty'], QTY_PLACES),
            'sum' => decimal_parse($item['sum'], MONEY_PLACES),
        ];
    }

    return [
        'lines' => $lines,
        'delivery' => [
            'title' => deliveries()[$order['delivery']]['title']
                       ?? $order['delivery'],
            'price' => decimal_parse($order['delivery_price'], MONEY_PLACES),
        ],
        'total' => decimal_parse($order['total'], MONEY_PLACES),
    ];
}


/** What a page written in JavaScript needs to check out. */
function api_cart(): void
{
    $deliveries = [];

    foreach (deliveries() as $code => $delivery) {
        $deliveries[] = ['code' => $code, 'title' => $delivery['title'],
                         'price' => money($delivery['price'])];
    }

    $lines = cart_lines(session()->cart());

    answer_json(200, [
        'items' => array_map('posted_line', $lines),
        'goods' => money(array_sum(array_column($lines, 'sum'))),
        'deliveries' => $deliveries,
        'token' => bin2hex(random_bytes(16)),
    ]);
}


/**
 * Checkout by JSON.  The order is wholly in the request, so it works without
 * a session too; the media type keeps other sites' forms out.
 */
function api_checkout(): void
{
    $type = explode(';', $_SERVER['CONTENT_TYPE'] ?? '', 2)[0];

    if (strtolower(trim($type)) !== 'application/json') {
        answer_json(415, ['order' => null,
                          'error' => ['body' => 'Нужен application/json']]);
        return;
    }

    $data = json_decode(file_get_contents('php://input'), true, 32);

    if (!is_array($data)) {
        answer_json(400, ['order' => null,
                          'error' => ['body' => 'JSON не прочитан']]);
        return;
    }

    unset($data['file_name']);
    $order = find_order($data);

    if ($order === null) {
        $checkout = new Checkout($data);

        if ($checkout->errors !== []) {
            answer_json($checkout->empty ? 409 : 422,
                        ['order' => null, 'error' => $checkout->errors]);
            return;
        }

        $order = place_order($checkout);
    }

    remember_order($order);

    answer_json(201, [
        'order' => ['id' => $order['number'], 'total' => $order['total'],
                    'status' => $order['status']],
        'error' => null,
    ]);
}


function send_script(): void
{
    /* only the routes' own names come here */
    $name = basename(explode('?', $_SERVER['REQUEST_URI'], 2)[0]);

    header('Content-Type: text/javascript; charset=utf-8');
    readfile(dirname(__DIR__) . "/templates/$name");
}
