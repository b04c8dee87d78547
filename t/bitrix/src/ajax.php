<?php

declare(strict_types=1);

/*
 * sale_order_ajax.php: what the page of an order asks for.  No HTTP login and
 * no login page here: who isn't logged in has no right to the module.
 */
function page_ajax(Db $db, Steering $steering, User $user): void
{
    $action = $_REQUEST['action'] ?? null;

    if ($action === null) {
        throw refusal('Произошла ошибка',
                      ['SYSTEM_ERROR' => 'REQUEST[action] not defined!']);
    }

    if (!$user->isLoggedIn() && $steering->get('lost') === 'page') {
        throw login_page('');
    }

    if ($user->access() === 'D' || !$user->hasSessid()) {
        $steering->call($user, $action, (int) ($_REQUEST['orderId'] ?? 0), '',
                        '', 'denied');
        throw refusal('Произошла ошибка. Доступ запрещен',
                      ['SYSTEM_ERROR' => 'Access denied!']);
    }

    throw (new Ajax($db, $steering, $user, $action))->run();
}


function refusal(string $message, array $data = []): Answer
{
    return Answer::json(['RESULT' => 'ERROR', 'ERROR' => $message,
                         'ERRORS' => [$message], ...$data]);
}


final class Ajax
{
    /* these look, or calculate what the form will save */
    private const READS = ['refreshOrderData', 'getOrderFields',
        'getOrderTails', 'getProductIdByBarcode', 'getProductIdBySkuProps',
        'addProductToBasket',
        'changeDeliveryService', 'changeResponsibleUser', 'createNewPayment',
        'getDefaultDeliveryPrice', 'checkProductBarcode', 'deleteCoupon',
        'addCoupons', 'updatePriceCod', 'getProductEditDialogHtml'];

    private const CHANGES = ['saveStatus', 'cancelOrder', 'updatePaymentStatus',
        'updateShipmentStatus', 'saveComments', 'saveTrackingNumber',
        'unmarkOrder', 'deletePayment', 'deleteShipment'];

    private array $data = [];
    private ?Order $order = null;
    private string $outcome = '';


    public function __construct(private Db $db, private Steering $steering,
                                private User $user, private string $action)
    {
    }


    public function run(): Answer
    {
        if (in_array($this->action, self::READS, true)) {
            return $this->read();
        }

        if (!in_array($this->action, self::CHANGES, true)) {
            throw new LogicException('no such action');
        }

        $before = '';
        $id = (int) ($_REQUEST['orderId'] ?? $_REQUEST['order_id'] ?? 0);

        try {
            $this->db->begin();
            $this->load($id);
            $before = $this->order->state();
            $this->mustBeUnlocked();

            [$this, $this->action]();

            $saved = $this->outcome === '' && $this->order->save();
            $this->outcome = $this->outcome ?: ($saved ? 'done' : 'nothing');
            $this->steering->call($this->user, $this->action, $id, $before,
                                  $this->order->state(), $this->outcome);
            $this->db->commit();
            $this->tell();

            return Answer::json(['RESULT' => 'OK', ...$this->data,
                                 ...$this->refreshed()]);

        } catch (Refused $e) {
            $this->db->rollback();
            $this->steering->call($this->user, $this->action, $id, $before,
                                  $before, 'refused', $e->getMessage());

            return refusal($e->getMessage(), $this->data);
        }
    }


    private function load(int $id): void
    {
        if ($id <= 0) {
            throw new LogicException('Wrong order id!');
        }

        $this->order = Order::load($this->db, $this->steering, $this->user,
                                   $id);

        if ($this->order === null) {
            /* the other actions go on with nothing, and fall */
            throw str_starts_with($this->action, 'update')
                  ? new LogicException('a function of null')
                  : new Refused("Ошибка загрузки заказа: $id");
        }
    }


    private function mustBeUnlocked(): void
    {
        if ($this->steering->get('ajax_lock') === 'Y'
            && $this->order->isLocked())
        {
            throw new Refused('Заказ заблокирован пользователем '
                              . $this->order->get('LOCKED_BY'));
        }
    }


    /* Whether it is to be confirmed first: NEED_CONFIRM. */
    private function needsConfirmation(): bool
    {
        $how = $this->steering->get('need_confirm');

        if ($how === 'strict' && !($_REQUEST['strict'] ?? false)) {
            $message = 'Недостаточно товара на складе';
            $this->data = ['WARNING' => $message, 'WARNINGS' => [$message],
                'NEED_CONFIRM' => true, 'CONFIRM_TITLE' => 'Подтверждение',
                'CONFIRM_MESSAGE' => 'Выполнить действие?'] + $this->data;

        } elseif ($how === 'confirmed'
                  && ($_REQUEST['confirmed'] ?? 'N') !== 'Y')
        {
            $this->data = ['NEED_CONFIRM' => 'Y', 'CONFIRM' => [
                'TEXT' => 'Заявка уже отправлена. Продолжить?',
                'TITLE' => 'Подтверждение']] + $this->data;

        } else {
            return false;
        }

        $this->outcome = 'confirm';

        return true;
    }


    /* ---- actions --------------------------------------------------------- */

    private function saveStatus(): void
    {
        $status = (string) ($_REQUEST['statusId'] ?? '');

        if ($status === '') {
            throw new LogicException('Wrong status id!');
        }

        $now = $this->order->get('STATUS_ID');

        if (!$this->user->mayTouch($this->order, 'update', $now)) {
            throw new Refused('Нет прав на изменение статуса заказа');
        }

        /* one that he may not set: OK, and nothing was done */
        if ($this->user->mayBecome($now, $status)) {
            $this->order->setStatus($status);
        }
    }


    private function cancelOrder(): void
    {
        $now = $this->order->get('STATUS_ID');

        if (!$this->user->can('cancel', $now)
            || !$this->user->mayTouch($this->order, 'update', $now))
        {
            throw new Refused('Нет прав на отмену заказа');
        }

        /* what the page showed, and what it was pressed on for */
        $shown = $_REQUEST['canceled'] ?? 'N';

        if ($this->order->get('CANCELED') !== $shown) {
            throw new Refused($shown === 'N' ? 'Заказ уже отменен'
                                             : 'Заказ еще не отменен');
        }

        $this->order->setCanceled($shown === 'Y' ? 'N' : 'Y',
                                  trim((string) ($_REQUEST['comment'] ?? '')));
    }


    private function updatePaymentStatus(): void
    {
        $id = (int) ($_REQUEST['paymentId'] ?? 0);
        $pays = ($_REQUEST['method'] ?? '') === 'save';
        $now = $this->order->get('STATUS_ID');

        $this->order->payment($id);

        if (!$this->user->mayTouch($this->order, 'update', $now)) {
            throw new Refused('Нет прав на изменение статуса оплаты');
        }

        if ($pays && $this->needsConfirmation()) {
            return;
        }

        [$fields, $status] = $this->voucher($pays ? 'PAY_VOUCHER'
                                                  : 'PAY_RETURN');
        $this->order->setPaid($id, $pays ? 'Y' : 'N');
        $this->order->touchPayment($id, $fields);

        if ($pays && $status !== '' && $this->user->mayBecome(
                $this->order->get('STATUS_ID'), $status))
        {
            $this->order->setStatus($status);
        }
    }


    /* data[PAY_VOUCHER_NUM_1], data[ORDER_STATUS_ID_1]: the number at the end
     * is that of the block on the page. */
    private function voucher(string $prefix): array
    {
        $fields = [];
        $status = '';

        foreach ((array) ($_REQUEST['data'] ?? []) as $name => $value) {
            $name = substr($name, 0, (int) strrpos($name, '_'));

            if ($name === 'ORDER_STATUS_ID') {
                $status = $value;

            } elseif (in_array($name, ["{$prefix}_NUM", "{$prefix}_COMMENT"],
                               true))
            {
                $fields[$name] = $value;

            } elseif ($name === "{$prefix}_DATE" && $value !== '') {
                $date = DateTimeImmutable::createFromFormat('d.m.Y', $value)
                        ?: throw new Refused('Неверный формат даты');
                $fields[$name] = $date->format('Y-m-d');
            }
        }

        return [$fields, $status];
    }


    private function updateShipmentStatus(): void
    {
        $id = (int) ($_REQUEST['shipmentId'] ?? 0);
        $field = (string) ($_REQUEST['field'] ?? '');
        $value = (string) ($_REQUEST['status'] ?? '');

        if (!in_array($field, ['ALLOW_DELIVERY', 'DEDUCTED', 'STATUS_ID'],
                      true))
        {
            throw new LogicException("no field $field");
        }

        $operation = ['DEDUCTED' => 'deduction',
                      'ALLOW_DELIVERY' => 'delivery'];

        if (!$this->user->mayTouch($this->order, $operation[$field] ?? 'update',
                                   $this->order->shipment($id)['STATUS_ID']))
        {
            throw new Refused('Нет прав на изменение статуса отгрузки');
        }

        /* told as it is, whatever comes of it */
        $this->data['RESULT'] = $this->shipment($id);

        if ($field === 'STATUS_ID' || $value !== 'Y'
            || !$this->needsConfirmation())
        {
            $this->order->setShipment($id, $field, $value);
        }
    }


    private function saveComments(): void
    {
        $this->order->set('COMMENTS', (string) ($_REQUEST['comments']
            ?? throw new LogicException("Can't find the comments content!")));
        $this->data['COMMENTS'] = $this->order->get('COMMENTS');
    }


    private function saveTrackingNumber(): void
    {
        $this->order->touchShipment((int) ($_REQUEST['shipmentId']
            ?? throw new Refused('Не указана отгрузка')),
            ['TRACKING_NUMBER' =>
                (string) ($_REQUEST['trackingNumber'] ?? '')]);
    }


    private function unmarkOrder(): void
    {
        $this->order->set('MARKED', 'N');
    }


    private function deletePayment(): void
    {
        $this->order->deletePayment((int) ($_REQUEST['paymentId'] ?? 0));
    }


    private function deleteShipment(): void
    {
        $this->order->deleteShipment((int) ($_REQUEST['shipment_id'] ?? 0));
        $this->data['RESULT'] = ['PRICE' => (float) $this->order->get('PRICE')];
    }


    /* ---- answers --------------------------------------------------------- */

    /* What the page is told of an order that was saved. */
    private function tell(): void
    {
        if ($this->outcome === 'confirm') {
            return;
        }

        if ($this->action === 'cancelOrder') {
            $this->data['CANCELED'] = $this->order->get('CANCELED');

            if ($this->data['CANCELED'] === 'Y') {
                $this->data += [
                    'DATE_CANCELED' => date('d.m.Y H:i:s',
                        strtotime($this->order->get('DATE_CANCELED'))),
                    'EMP_CANCELED_ID' => $this->user->id(),
                    'EMP_CANCELED_NAME' => $this->user->name() . ' ('
                                           . $this->user->login() . ')'];
            }

        } elseif ($this->action === 'updatePaymentStatus') {
            $this->data['RESULT'] = $this->payment(
                (int) $_REQUEST['paymentId']);

        } elseif ($this->action === 'updateShipmentStatus') {
            $this->data['RESULT'] = $this->shipment(
                (int) $_REQUEST['shipmentId']);
        }

        /* done, but there is something to be said about it */
        $warning = $this->steering->get('warning');

        if ($warning !== '') {
            $this->data += ['WARNING' => $warning, 'WARNINGS' => [$warning]];
        }
    }


    private function payment(int $id): array
    {
        $result = ['PRICE' => (float) $this->order->get('PRICE'),
                   'SUM_PAID' => (float) $this->order->get('SUM_PAID'),
                   'PAYABLE' => max(0, (float) $this->order->get('PRICE')
                                       - (float) $this->order->get('SUM_PAID')),
                   'CURRENCY' => $this->order->get('CURRENCY'),
                   'BUYER_BUDGET' => 0,
                   'STATUS_ID' => $this->order->get('STATUS_ID'),
                   "PAYMENT_PAID_$id" => $this->order->payment($id)['PAID']];

        foreach (array_keys($this->order->shipments()) as $shipment) {
            $result += array_diff_key($this->shipment($shipment),
                                      ['STATUS_ID' => 0]);
        }

        return $result;
    }


    private function shipment(int $id): array
    {
        $shipment = $this->order->shipment($id);

        return ['STATUS_ID' => $this->order->get('STATUS_ID'),
                "DEDUCTED_$id" => $shipment['DEDUCTED'],
                "ALLOW_DELIVERY_$id" => $shipment['ALLOW_DELIVERY'],
                "SHIPMENT_STATUS_LIST_$id" => [],
                "SHIPMENT_STATUS_$id" => ['id' => $shipment['STATUS_ID'],
                                          'name' => $shipment['STATUS_ID']]];
    }


    /* With refreshOrderData=Y the form rides along, and is calculated. */
    private function refreshed(): array
    {
        return ($_REQUEST['refreshOrderData'] ?? '') === 'Y'
               ? ['ORDER_DATA' => $this->calculated()] : [];
    }


    private function read(): Answer
    {
        $id = (int) ($_REQUEST['orderId'] ?? $_REQUEST['formData']['ID']
                     ?? $_REQUEST['formData']['order_id'] ?? 0);

        $this->steering->call($this->user, $this->action, $id, '', '', 'read');

        if ($this->action === 'changeDeliveryService'
            && $this->needsConfirmation())
        {
            return Answer::json(['RESULT' => 'OK', ...$this->data]);
        }

        return Answer::json(['RESULT' => 'OK',
                             'ORDER_DATA' => $this->calculated()]);
    }


    /* The order as the form would have it: nothing of it is saved. */
    private function calculated(): array
    {
        $form = (array) ($_REQUEST['formData'] ?? []);

        return ['STATUS_ID' => $form['STATUS_ID'] ?? 'N', 'CANCELED' => 'N',
                'PAYABLE' => 0, 'PRICE' => 0, 'BASKET' => ['ITEMS' => []],
                'TOTAL_PRICES' => []];
    }
}
