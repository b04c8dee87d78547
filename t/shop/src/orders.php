<?php

declare(strict_types=1);

/*
 * Lists of orders and the change of a status.  There is no login, so they
 * answer on this machine only.
 */

function is_local(): bool
{
    $address = $_SERVER['REMOTE_ADDR'] ?? '';

    return str_starts_with($address, '127.') || $address === '::1'
           || $address === 'unix:';
}


function show_orders(string $title, bool $admin): void
{
    if (!is_local()) {
        page_message(403, 'Список заказов виден только на этой машине');
        return;
    }

    $limit = $_GET['limit'] ?? '';
    $orders = store()->latest(is_string($limit) && ctype_digit($limit)
                              ? (int) $limit : 100);

    if (($_GET['format'] ?? '') === 'json') {
        answer_json(200, ['orders' => $orders]);
        return;
    }

    render('orders', $title, ['title' => $title, 'orders' => $orders,
                              'admin' => $admin]);
}


function page_orders(): void
{
    show_orders('Заказы', false);
}


function page_admin_orders(): void
{
    show_orders('Управление заказами', true);
}


/**
 * POST order_id (the order's number) and status, as a form or JSON.
 * {"ok":true,"order":{"id":…,"status":…},"error":null}, or "ok":false.
 */
function post_admin_status(): void
{
    $site = $_SERVER['HTTP_SEC_FETCH_SITE'] ?? 'same-origin';

    if (!is_local() || !in_array($site, ['same-origin', 'none'], true)) {
        answer_status(403, null, 'Только с этой машины');
        return;
    }

    $data = $_POST;

    if (str_starts_with($_SERVER['CONTENT_TYPE'] ?? '', 'application/json')) {
        $data = json_decode(file_get_contents('php://input'), true, 8);
    }

    $number = $data['order_id'] ?? null;
    $status = $data['status'] ?? null;

    if (!is_string($status) || !isset(statuses()[$status])) {
        answer_status(422, null, 'Неизвестный статус');
        return;
    }

    $order = is_string($number) ? store()->setStatus($number, $status) : null;

    if ($order === null) {
        answer_status(404, null, 'Такого заказа нет');
        return;
    }

    answer_status(200, ['id' => $order['number'],
                        'status' => $order['status']], null);
}


function answer_status(int $code, ?array $order, ?string $error): void
{
    answer_json($code, ['ok' => $order !== null, 'order' => $order,
                        'error' => $error]);
}
