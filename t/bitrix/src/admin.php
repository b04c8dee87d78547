<?php

declare(strict_types=1);

/*
 * Pages of the administration: the list of orders, the forms of an order, of a
 * payment and of a shipment, a new order.
 */

const SITE_ORDERS = '/bitrix/admin/sale_order.php?lang=ru';


/* One order's change in a transaction of its own: locks, does, saves, writes
 * the call down.  Gives the message of what was refused; '' is none. */
function change_order(Db $db, Steering $steering, User $user, string $action,
                      int $id, callable $do): string
{
    $before = '';

    try {
        $db->begin();
        $order = Order::load($db, $steering, $user, $id)
                 ?? throw new Refused("Заказ $id не найден");
        $before = $order->state();
        $do($order);
        $outcome = $order->save() ? 'done' : 'nothing';
        $steering->call($user, $action, $id, $before, $order->state(),
                        $outcome);
        $db->commit();

        return '';

    } catch (Refused $e) {
        $db->rollback();
        $steering->call($user, $action, $id, $before, $before, 'refused',
                        $e->getMessage());

        return $e->getMessage();
    }
}


function must_be_unlocked(Order $order): void
{
    if ($order->isLocked()) {
        throw new Refused('Заказ заблокирован пользователем '
                          . $order->get('LOCKED_BY'));
    }
}


function admin_page(User $user, string $title, string $body,
                    string $message = ''): Answer
{
    $error = $message === '' ? '' : '<div class="adm-info-message-red">'
                                    . htmlspecialchars($message) . '</div>';

    return new Answer(200, "<!DOCTYPE html>\n<html><head><title>$title</title>"
        . "<script>BX.message({'LANGUAGE_ID': 'ru', 'bitrix_sessid': '"
        . $user->sessid() . "'});</script></head>\n<body>$error\n$body\n"
        . "</body></html>\n");
}


function is_post(): bool
{
    return $_SERVER['REQUEST_METHOD'] === 'POST';
}


function is_saved(): bool
{
    return is_post() && (isset($_POST['save']) || isset($_POST['apply']));
}


/* ---- the list ------------------------------------------------------------ */

function page_list(Db $db, Steering $steering, User $user): void
{
    $user->mustBeAdmin();

    $errors = [];

    if ($user->hasSessid()) {
        $errors = [...list_edits($db, $steering, $user),
                   ...list_action($db, $steering, $user)];
    }

    $rows = '';

    foreach ($db->rows('SELECT ID, ACCOUNT_NUMBER, STATUS_ID, PRICE FROM
                        {shop}.b_sale_order ORDER BY ID DESC LIMIT 20') as $row)
    {
        $rows .= '<tr><td><input type="checkbox" name="ID[]" value="'
               . "$row[ID]\"></td><td>"
               . htmlspecialchars((string) $row['ACCOUNT_NUMBER'])
               . "</td><td>$row[STATUS_ID]</td><td>$row[PRICE]</td></tr>\n";
    }

    throw admin_page($user, 'Заказы', "<form id=\"form_tbl_sale_order\">\n"
                     . "<table>$rows</table></form>",
                     implode("\n", $errors));
}


/* Changes typed in the list: FIELDS[57][CANCELED]=Y, and save (or, in the newer
 * list, its button). */
function list_edits(Db $db, Steering $steering, User $user): array
{
    $is_edit = is_post() && (isset($_POST['save'])
                             || !empty($_POST['action_button_tbl_sale_order']));
    $errors = [];

    if (!$is_edit) {
        return [];
    }

    foreach ((array) ($_POST['FIELDS'] ?? []) as $id => $fields) {
        if ($fields === ($_POST['FIELDS_OLD'][$id] ?? null)) {
            continue;
        }

        $errors[] = change_order($db, $steering, $user, 'edit in the list',
            (int) $id, function (Order $order) use ($user, $fields): void {
                list_edit($user, $order, $fields);
            });
    }

    return array_filter($errors);
}


function list_edit(User $user, Order $order, array $fields): void
{
    $canceled = $fields['CANCELED'] ?? $order->get('CANCELED');
    $now = $order->get('STATUS_ID');
    $status = $fields['STATUS_ID'] ?? '';

    if ($canceled !== $order->get('CANCELED')) {
        if (!$user->can('cancel', $now)) {
            throw new Refused('Нет прав на отмену заказа');
        }

        $order->setCanceled($canceled, '');
    }

    if ($status !== '' && $status !== $now) {
        if (!$user->mayBecome($now, $status)) {
            throw new Refused('Нет прав на изменение статуса');
        }

        $order->setStatus($status);
    }
}


/* What is done to the orders that are ticked, to all of a filter, or by the
 * menu of a row. */
function list_action(Db $db, Steering $steering, User $user): array
{
    $action = $_REQUEST['action_button_tbl_sale_order'] ?? '';
    $action = $action ?: ($_REQUEST['action_button'] ?? '');
    $action = $action ?: ($_REQUEST['action'] ?? '');
    $errors = [];

    if ($action === '' || $action === 'edit') {
        return [];
    }

    $is_all = ($_REQUEST['action_target'] ?? '') === 'selected'
              || ($_REQUEST['action_all_rows_tbl_sale_order'] ?? '') === 'Y';

    $ids = $is_all
           ? array_column($db->rows('SELECT ID FROM {shop}.b_sale_order
                 WHERE STATUS_ID LIKE ? ORDER BY ID',
                 [$_REQUEST['filter_status'] ?? '%']), 'ID')
           : (array) ($_REQUEST['ID'] ?? []);

    foreach ($ids as $id) {
        $errors[] = change_order($db, $steering, $user, $action, (int) $id,
            function (Order $order) use ($steering, $user, $action): void {
                if ($action === 'unlock') {
                    $order->unlock();
                    return;
                }

                must_be_unlocked($order);
                group_action($steering, $user, $order, $action);
            });
    }

    return array_filter($errors);
}


function group_action(Steering $steering, User $user, Order $order,
                      string $action): void
{
    $now = $order->get('STATUS_ID');
    $value = str_ends_with($action, '_n') ? 'N' : 'Y';
    $must = function (string $operation) use ($user, $now): void {
        $user->can($operation, $now)
            || throw new Refused("Нет прав: $operation, статус $now");
    };

    switch ($action) {
        case 'cancel':
        case 'cancel_n':
            $must('cancel');

            if ($order->get('CANCELED') === $value) {
                throw new Refused($value === 'Y' ? 'Заказ уже отменен'
                                                 : 'Заказ не отменен');
            }

            $order->setCanceled($value, '');
            break;

        case 'paid':
        case 'paid_n':
            $must('payment');

            foreach (array_keys($order->payments()) as $id) {
                $order->setPaid($id, $value);
            }
            break;

        case 'allow_delivery':
        case 'allow_delivery_n':
        case 'deducted':
        case 'deducted_n':
            $field = str_starts_with($action, 'deducted') ? 'DEDUCTED'
                                                          : 'ALLOW_DELIVERY';
            foreach (array_keys($order->shipments()) as $id) {
                $order->setShipment($id, $field, $value);
            }
            break;

        case 'update_payment_status':
            /* the gateways are asked */
            if ($steering->get('gateway_paid') === 'Y') {
                foreach (array_keys($order->payments()) as $id) {
                    $order->setPaid($id, 'Y');
                }
            }
            break;

        case 'delete':
        case 'archive':
            $must('delete');
            $order->delete();
            break;

        default:
            if (!str_starts_with($action, 'status_')) {
                break;
            }

            $status = substr($action, strlen('status_'));

            if ($user->isStatus($status, 'O')) {
                if ($status === $now) {
                    throw new Refused('Заказ уже в этом статусе');
                }

                if (!$user->mayBecome($now, $status)) {
                    throw new Refused('Нет прав на изменение статуса');
                }

                $order->setStatus($status);
            }
    }
}


/* ---- forms --------------------------------------------------------------- */

function page_view(Db $db, Steering $steering, User $user): void
{
    $user->mustBeAdmin();
    throw admin_page($user, 'Заказ', '<div id="sale-adm-order-view"></div>');
}


function page_plain(Db $db, Steering $steering, User $user): void
{
    $user->mustBeAdmin();
    throw admin_page($user, 'Список', '<table></table>');
}


function page_edit(Db $db, Steering $steering, User $user): void
{
    $user->mustBeAdmin();

    $id = (int) ($_REQUEST['ID'] ?? 0);
    $page = "/bitrix/admin/sale_order_edit.php?lang=ru&ID=$id";
    $view = "/bitrix/admin/sale_order_view.php?lang=ru&ID=$id";
    $refresh = is_post() && ($_POST['refresh_data_and_save'] ?? '') === 'Y';

    $db->begin();
    $order = Order::load($db, $steering, $user, $id)
             ?? throw Answer::redirect(SITE_ORDERS);

    /* none of these is an error: one is led elsewhere */
    if ($order->isLocked() || !$user->can('update', $order->get('STATUS_ID'))) {
        $steering->call($user, 'form', $id, $order->state(), $order->state(),
                        'refused');
        $db->commit();
        throw Answer::redirect($view);
    }

    if (($_REQUEST['unlock'] ?? '') === 'Y') {
        $order->unlock();
        $db->commit();
        throw Answer::redirect(($_REQUEST['target'] ?? '') === 'list'
                               ? SITE_ORDERS : $page);
    }

    $order->lock();
    $db->commit();

    $message = '';

    if ((is_saved() || $refresh) && $user->hasSessid()) {
        $message = change_order($db, $steering, $user, 'form', $id,
            fn (Order $order) => apply_form($user, $order, $_POST));

        if ($message === '') {
            throw Answer::redirect(isset($_POST['save'])
                                   ? "$page&unlock=Y&target=list" : $page);
        }
    }

    throw admin_page($user, "Заказ $id", '<form method="post" name='
        . '"sale_order_edit"><input type="hidden" name="sessid" value="'
        . $user->sessid() . '"></form>', $message);
}


/* The form has everything, and what one may not set is passed over. */
function apply_form(User $user, Order $order, array $form): void
{
    $now = $order->get('STATUS_ID');
    $status = $form['STATUS_ID'] ?? '';

    if ($status !== '' && $user->mayBecome($now, $status)) {
        $order->setStatus($status);
    }

    foreach ((array) ($form['PROPERTIES'] ?? []) as $property => $value) {
        $order->setProperty((int) $property, (string) $value);
    }

    foreach ((array) ($form['PRODUCT'] ?? []) as $row => $product) {
        $order->setRow((int) $row, (string) ($product['QUANTITY'] ?? '1'),
                       (string) ($product['PRICE'] ?? '0'));
    }

    if (isset($form['COMMENTS'])) {
        $order->set('COMMENTS', $form['COMMENTS']);
    }

    apply_payments($order, (array) ($form['PAYMENT'] ?? []));
    apply_shipments($order, (array) ($form['SHIPMENT'] ?? []));
}


/* PAYMENT[1][PAYMENT_ID]: the blocks on the page are counted from 1. */
function apply_payments(Order $order, array $blocks): void
{
    $ids = array_keys($order->payments());

    foreach ($blocks as $index => $block) {
        $id = (int) ($block['PAYMENT_ID'] ?? $ids[$index - 1] ?? 0);

        $order->touchPayment($id, array_intersect_key($block,
            ['PAY_VOUCHER_NUM' => 1, 'PAY_RETURN_NUM' => 1]));

        if (isset($block['PAID'])) {
            $order->setPaid($id, $block['PAID']);
        }

        if (($block['ORDER_STATUS_ID'] ?? '') !== '') {
            $order->setStatus($block['ORDER_STATUS_ID']);
        }
    }
}


function apply_shipments(Order $order, array $blocks): void
{
    $ids = array_keys($order->shipments());

    foreach ($blocks as $index => $block) {
        $id = (int) ($block['SHIPMENT_ID'] ?? $ids[$index - 1] ?? 0);

        $order->touchShipment($id, array_intersect_key($block,
            ['TRACKING_NUMBER' => 1]));

        foreach (['STATUS_ID', 'ALLOW_DELIVERY', 'DEDUCTED'] as $field) {
            if (isset($block[$field])) {
                $order->setShipment($id, $field, $block[$field]);
            }
        }
    }
}


function page_payment(Db $db, Steering $steering, User $user): void
{
    part_form($db, $steering, $user, 'payment', isset($_REQUEST['update']),
              fn (Order $order, int $id) => $order->deletePayment($id),
              fn (Order $order) => apply_payments($order,
                  (array) ($_POST['PAYMENT'] ?? [])));
}


function page_shipment(Db $db, Steering $steering, User $user): void
{
    part_form($db, $steering, $user, 'shipment', is_saved(),
              fn (Order $order, int $id) => $order->deleteShipment($id),
              fn (Order $order) => apply_shipments($order,
                  (array) ($_POST['SHIPMENT'] ?? [])));
}


/* The form of a payment or of a shipment, which also deletes it by a link. */
function part_form(Db $db, Steering $steering, User $user, string $part,
                   bool $is_sent, callable $delete, callable $apply): void
{
    $user->mustBeAdmin();

    $order = (int) ($_REQUEST['order_id'] ?? 0);
    $id = (int) ($_REQUEST["{$part}_id"] ?? 0);
    $list = "/bitrix/admin/sale_order_$part.php?lang=ru";
    $message = '';

    $do = match (true) {
        ($_REQUEST['delete'] ?? '') === 'Y'
            => fn (Order $order) => $delete($order, $id),
        is_post() && $is_sent => $apply,
        default => null,
    };

    if ($do !== null && $user->hasSessid()) {
        $may = true;
        $message = change_order($db, $steering, $user, "form of a $part",
            $order,
            function (Order $order) use ($user, $do, &$may): void {
                $may = $user->can('update', $order->get('STATUS_ID'));

                if ($may) {
                    $do($order);
                }
            });

        if ($message === '') {
            throw Answer::redirect($may && isset($_POST['apply'])
                ? "/bitrix/admin/sale_order_{$part}_edit.php?lang=ru&order_id="
                  . "$order&{$part}_id=$id"
                : ($_REQUEST['backurl'] ?? '' ?: $list));
        }
    }

    throw admin_page($user, $part, '<form method="post"></form>', $message);
}


/* ---- a new order --------------------------------------------------------- */

/* Saved as Bitrix does: the order first, the rest after it. */
function page_create(Db $db, Steering $steering, User $user): void
{
    $user->mustBeAdmin();

    if (!is_saved() || !$user->hasSessid() || empty($_POST['PRODUCT'])) {
        throw admin_page($user, 'Новый заказ', '<form method="post"></form>');
    }

    $shipment = $_POST['SHIPMENT'][1] ?? [];
    $delivery = (float) ($shipment['PRICE_DELIVERY'] ?? 0);
    $sum = $delivery;

    foreach ($_POST['PRODUCT'] as $product) {
        $sum += (float) $product['PRICE'] * (float) $product['QUANTITY'];
    }

    $now = $db->now();
    $id = $db->insert('{shop}.b_sale_order', ['LID' => 's1',
        'PERSON_TYPE_ID' => (int) ($_POST['PERSON_TYPE_ID'] ?? 1),
        'STATUS_ID' => 'N', 'PRICE' => $sum, 'PRICE_DELIVERY' => $delivery,
        'CURRENCY' => 'RUB', 'USER_ID' => $user->id(), 'DATE_INSERT' => $now,
        'DATE_UPDATE' => $now,
        'USER_DESCRIPTION' => $_POST['USER_DESCRIPTION'] ?? '']);
    $db->update('{shop}.b_sale_order', $id, ['ACCOUNT_NUMBER' =>
        $steering->get('account_number_template') . $id]);

    $steering->moment('between');
    create_parts($db, $id, $sum, $delivery, $shipment);

    $db->insert('{shop}.b_sale_order_change', ['ORDER_ID' => $id,
        'TYPE' => 'ORDER_ADDED', 'DATA' => serialize([]), 'DATE_CREATE' => $now,
        'DATE_MODIFY' => $now, 'USER_ID' => $user->id(), 'ENTITY' => 'ORDER',
        'ENTITY_ID' => $id]);
    $steering->call($user, 'new', $id, '', 'N', 'done');

    throw Answer::redirect("/bitrix/admin/sale_order_"
                           . (isset($_POST['apply']) ? 'edit' : 'view')
                           . ".php?lang=ru&ID=$id");
}


function create_parts(Db $db, int $id, float $sum, float $delivery,
                      array $shipment): void
{
    foreach ((array) ($_POST['PROPERTIES'] ?? []) as $property => $value) {
        $known = $db->row('SELECT NAME, CODE FROM {shop}.b_sale_order_props
                           WHERE ID = ?', [(int) $property]);

        $db->insert('{shop}.b_sale_order_props_value', ['ORDER_ID' => $id,
            'ORDER_PROPS_ID' => (int) $property, 'NAME' => $known['NAME'],
            'VALUE' => $value, 'CODE' => $known['CODE'],
            'XML_ID' => uniqid('bx_'), 'ENTITY_ID' => $id,
            'ENTITY_TYPE' => 'ORDER']);
    }

    foreach ($_POST['PRODUCT'] as $product) {
        $db->insert('{shop}.b_sale_basket', ['FUSER_ID' => 17,
            'ORDER_ID' => $id, 'LID' => 's1',
            'PRODUCT_ID' => (int) $product['PRODUCT_ID'],
            'NAME' => $product['NAME'], 'QUANTITY' => $product['QUANTITY'],
            'PRICE' => $product['PRICE'], 'CURRENCY' => 'RUB']);
    }

    $db->insert('{shop}.b_sale_order_payment', ['ORDER_ID' => $id,
        'PAY_SYSTEM_ID' => 2, 'PAY_SYSTEM_NAME' => 'Наличные курьеру',
        'SUM' => $sum, 'CURRENCY' => 'RUB']);

    foreach (['Y', 'N'] as $system) {
        $db->insert('{shop}.b_sale_order_delivery', ['ORDER_ID' => $id,
            'STATUS_ID' => 'DN',
            'DELIVERY_ID' => (int) ($shipment['DELIVERY_ID'] ?? 3),
            'DELIVERY_NAME' => 'Курьер',
            'PRICE_DELIVERY' => $system === 'Y' ? 0 : $delivery,
            'SYSTEM' => $system]);
    }
}
