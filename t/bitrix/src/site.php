<?php

declare(strict_types=1);

/*
 * What is not the administration: logging in, the buyer's orders, and the
 * callbacks of gateways.
 */
function page_site(Db $db, Steering $steering, User $user): void
{
    $path = explode('?', $_SERVER['REQUEST_URI'], 2)[0];
    $title = 'Магазин';

    if (preg_match('~^/personal/orders?/(?:cancel/)?([^/]*)/?$~', $path,
                   $tail))
    {
        /* that of the address counts, not the form's */
        $id = urldecode(urldecode((string) ($_GET['ID'] ?? $tail[1])));
        buyer_cancels($db, $steering, $user, $id);
        $title = 'Мои заказы';

    } elseif (!str_starts_with($path, '/auth/')) {
        throw new Answer(404, "<h1>404</h1>\n");
    }

    throw new Answer(200, "<!DOCTYPE html>\n<html><head><title>$title</title>"
        . "</head><body><p>" . htmlspecialchars($user->name()) . "</p>\n"
        . '<form method="post"><input type="hidden" name="sessid" value="'
        . $user->sessid() . "\"></form></body></html>\n");
}


/* bitrix:sale.personal.order.cancel.  Where orders have numbers of their own,
 * it goes on to the list whether it could cancel or not. */
function buyer_cancels(Db $db, Steering $steering, User $user, string $id): void
{
    if (!is_post() || ($_REQUEST['CANCEL'] ?? '') !== 'Y'
        || ($_REQUEST['action'] ?? '') === '' || $id === ''
        || !$user->hasSessid())
    {
        return;
    }

    $numbered = $steering->get('account_number_template') !== '';
    $order = $db->row('SELECT ID, ACCOUNT_NUMBER FROM {shop}.b_sale_order
        WHERE USER_ID = ? AND (ID = ? OR (? AND ACCOUNT_NUMBER = ?))
        ORDER BY ACCOUNT_NUMBER = ? DESC',
        [$user->id(), $id, $numbered ? 1 : 0, $id, $id]);

    if ($order === null) {
        return;
    }

    $message = change_order($db, $steering, $user, 'buyer cancels',
        (int) $order['ID'], function (Order $order): void {
            if ($order->get('CANCELED') === 'Y') {
                throw new Refused('Заказ уже отменен');
            }

            $order->setCanceled('Y', (string) ($_REQUEST['REASON_CANCELED']
                                               ?? ''));
        });

    if ($message === '' || ($numbered && $order['ACCOUNT_NUMBER'] === $id)) {
        throw Answer::redirect('/personal/orders/');
    }
}


/*
 * sale_ps_result.php, as a gateway might call it: BX_PAYMENT_NUMBER, AMOUNT,
 * and SIGN, md5 of "NUMBER;AMOUNT;secret".
 */
function page_gateway(Db $db, Steering $steering, User $user): void
{
    $id = (string) ($_REQUEST['BX_PAYMENT_NUMBER'] ?? '');
    $amount = (string) ($_REQUEST['AMOUNT'] ?? '');
    $payment = $db->row('SELECT ORDER_ID FROM {shop}.b_sale_order_payment
                         WHERE ID = ?', [$id]);

    if ($payment === null
        || ($_REQUEST['SIGN'] ?? '') !== md5("$id;$amount;secret"))
    {
        throw Answer::text("FAIL\n", 'text/plain');
    }

    $message = change_order($db, $steering, $user, 'gateway',
        (int) $payment['ORDER_ID'],
        fn (Order $order) => $order->setPaid((int) $id, 'Y'));

    throw Answer::text($message === '' ? "OK\n" : "FAIL\n", 'text/plain');
}
