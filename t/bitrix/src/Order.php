<?php

declare(strict_types=1);

/*
 * An order with its payments and shipments.  Changes are made in memory, and
 * save() writes what there is; who loads it has begun a transaction, and has
 * its row locked until the end of that.
 */
final class Order
{
    private const FINAL_STATUS = 'F';
    private const LOCK_SECONDS = 3600;

    private array $changed = [];
    private array $payments;
    private array $shipments;
    private array $journal = [];
    private bool $is_deleted = false;
    private array $touched = ['payment' => [], 'delivery' => []];


    public static function load(Db $db, Steering $steering, User $user,
                                int $id): ?self
    {
        $row = $db->row('SELECT o.*, o.LOCKED_BY IS NOT NULL
                             AND o.DATE_LOCK > NOW() - INTERVAL '
                        . self::LOCK_SECONDS . ' SECOND AS IS_LOCKED
                         FROM {shop}.b_sale_order o WHERE o.ID = ? FOR UPDATE',
                        [$id]);

        return $row === null ? null : new self($db, $steering, $user, $row);
    }


    private function __construct(private Db $db, private Steering $steering,
                                 private User $user, private array $row)
    {
        $this->payments = array_column($db->rows('SELECT * FROM
            {shop}.b_sale_order_payment WHERE ORDER_ID = ? ORDER BY ID',
            [$row['ID']]), null, 'ID');
        $this->shipments = array_column($db->rows("SELECT * FROM
            {shop}.b_sale_order_delivery WHERE ORDER_ID = ? AND `SYSTEM` = 'N'
            ORDER BY ID", [$row['ID']]), null, 'ID');
    }


    public function id(): int
    {
        return (int) $this->row['ID'];
    }


    public function get(string $name): ?string
    {
        return $this->row[$name];
    }


    public function payments(): array
    {
        return $this->payments;
    }


    public function shipments(): array
    {
        return $this->shipments;
    }


    public function payment(int $id): array
    {
        return $this->payments[$id] ?? throw new LogicException('no payment');
    }


    public function shipment(int $id): array
    {
        return $this->shipments[$id] ?? throw new LogicException('no shipment');
    }


    /* "P,paid,shipped", as the log of calls tells it. */
    public function state(): string
    {
        return implode(',', array_filter([$this->row['STATUS_ID'],
            $this->row['PAYED'] === 'Y' ? 'paid' : '',
            $this->row['DEDUCTED'] === 'Y' ? 'shipped' : '',
            $this->row['CANCELED'] === 'Y' ? 'canceled' : '']));
    }


    /* By somebody else, whose form stands open. */
    public function isLocked(): bool
    {
        return $this->row['IS_LOCKED'] === '1'
               && (int) $this->row['LOCKED_BY'] !== $this->user->id();
    }


    public function lock(): void
    {
        $this->db->change('UPDATE {shop}.b_sale_order SET LOCKED_BY = ?,
                           DATE_LOCK = NOW() WHERE ID = ?',
                          [$this->user->id(), $this->id()]);
    }


    public function unlock(): void
    {
        $this->db->change('UPDATE {shop}.b_sale_order SET LOCKED_BY = NULL,
                           DATE_LOCK = NULL WHERE ID = ?', [$this->id()]);
    }


    /* ---- changes --------------------------------------------------------- */

    public function set(string $name, ?string $value): void
    {
        if ($this->row[$name] !== $value) {
            $this->row[$name] = $value;
            $this->changed[$name] = $value;
        }
    }


    public function setStatus(string $status): void
    {
        if ($this->row['STATUS_ID'] !== $status) {
            $this->set('STATUS_ID', $status);
            $this->note('ORDER_STATUS_CHANGED', ['STATUS_ID' => $status]);
        }
    }


    public function setCanceled(string $value, string $reason): void
    {
        if ($value === 'Y') {
            if (in_array('Y', array_column($this->payments, 'PAID'), true)) {
                throw new Refused('Невозможно отменить заказ, в котором есть'
                                  . ' оплаченные платежи');
            }

            if (in_array('Y', array_column($this->shipments, 'DEDUCTED'),
                         true))
            {
                throw new Refused('Невозможно отменить заказ, в котором есть'
                                  . ' отгруженные отгрузки');
            }
        }

        $this->set('CANCELED', $value);
        $this->set('REASON_CANCELED', $value === 'Y' ? $reason : '');
        $this->note('ORDER_CANCELED', ['CANCELED' => $value,
                                       'REASON_CANCELED' => $reason]);
    }


    public function setPaid(int $id, string $value): void
    {
        if ($this->payment($id)['PAID'] === $value) {
            return;
        }

        if ($this->row['CANCELED'] === 'Y') {
            throw new Refused('Невозможно изменить оплату отмененного заказа');
        }

        $this->touchPayment($id, ['PAID' => $value]
            + ($value === 'Y' ? ['DATE_PAID' => $this->db->now(),
                                 'EMP_PAID_ID' => $this->user->id() ?: null]
                              : []));
        $this->note('PAYMENT_PAID', ['PAID' => $value, 'ID' => $id],
                    'PAYMENT', $id);
        $this->syncPaid();
    }


    /* Other fields of a payment. */
    public function touchPayment(int $id, array $fields): void
    {
        $this->touch('payment', $this->payments, $id, $fields);
    }


    public function deletePayment(int $id): void
    {
        if ($this->payment($id)['PAID'] === 'Y') {
            throw new Refused('Оплаченный платеж удалить нельзя');
        }

        $this->db->change('DELETE FROM {shop}.b_sale_order_payment
                           WHERE ID = ?', [$id]);
        unset($this->payments[$id], $this->touched['payment'][$id]);
        $this->note('PAYMENT_REMOVED', ['ID' => $id], 'PAYMENT', $id);
        $this->syncPaid();
    }


    /* ALLOW_DELIVERY, DEDUCTED or STATUS_ID of a shipment. */
    public function setShipment(int $id, string $name, string $value): void
    {
        $old = $this->shipment($id)[$name]
               ?? throw new LogicException("no field $name");

        if ($old === $value) {
            return;
        }

        if ($name === 'STATUS_ID') {
            if (!$this->user->isStatus($value, 'D')) {
                throw new Refused('Нет такого статуса отгрузки');
            }

            $this->touchShipment($id, [$name => $value]);
            return;
        }

        if ($this->row['CANCELED'] === 'Y') {
            throw new Refused('Невозможно изменить отгрузку отмененного'
                              . ' заказа');
        }

        $this->touchShipment($id, [$name => $value,
            "DATE_$name" => $this->db->now(),
            "EMP_{$name}_ID" => $this->user->id() ?: null]);
        $this->note("SHIPMENT_$name", [$name => $value], 'SHIPMENT', $id);

        $event = $name === 'DEDUCTED' ? 'shipped' : 'allow_delivery';

        if ($value === 'Y') {
            $this->shipmentFollows($id, "shipment_status_on_$event");
            $this->syncShipments();
            $this->follow($this->row[$name] === 'Y'
                ? ($name === 'DEDUCTED' ? 'status_on_shipped_shipment'
                                        : 'status_on_allow_delivery')
                : ($name === 'DEDUCTED' ? 'status_on_shipped_shipment_one_of'
                                        : 'status_on_allow_delivery_one_of'));
        }

        $this->syncShipments();
    }


    public function touchShipment(int $id, array $fields): void
    {
        $this->touch('delivery', $this->shipments, $id, $fields);
    }


    public function deleteShipment(int $id): void
    {
        if ($this->shipment($id)['DEDUCTED'] === 'Y') {
            throw new Refused('Отгруженную отгрузку удалить нельзя');
        }

        $this->db->change('DELETE FROM {shop}.b_sale_order_delivery
                           WHERE ID = ?', [$id]);
        unset($this->shipments[$id], $this->touched['delivery'][$id]);
        $this->note('SHIPMENT_REMOVED', ['ID' => $id], 'SHIPMENT', $id);
        $this->syncShipments();
    }


    /* Quantity and price of a row of the cart; the total follows. */
    public function setRow(int $id, string $quantity, string $price): void
    {
        if ($this->db->change('UPDATE {shop}.b_sale_basket SET QUANTITY = ?,
                PRICE = ? WHERE ID = ? AND ORDER_ID = ?',
                [$quantity, $price, $id, $this->id()]))
        {
            $sum = $this->db->row('SELECT SUM(PRICE * QUANTITY) AS sum FROM
                {shop}.b_sale_basket WHERE ORDER_ID = ?', [$this->id()])['sum'];

            $this->set('PRICE', number_format((float) $sum
                + (float) $this->row['PRICE_DELIVERY'], 4, '.', ''));
            $this->note('BASKET_QUANTITY_CHANGED', ['ID' => $id], 'BASKET',
                        $id);
        }
    }


    /* A property's value, as the form of the order sends all of them. */
    public function setProperty(int $property, string $value): void
    {
        if ($this->db->change('UPDATE {shop}.b_sale_order_props_value
                SET VALUE = ? WHERE ORDER_ID = ? AND ORDER_PROPS_ID = ?
                AND NOT (VALUE <=> ?)',
                [$value, $this->id(), $property, $value]))
        {
            $this->note('PROPERTY_UPDATE', ['ID' => $property], 'PROPERTY',
                        $property);
        }
    }


    /* Whether there was anything to be saved. */
    public function save(): bool
    {
        if ($this->is_deleted) {
            return true;
        }

        if (!$this->changed && !$this->journal
            && !array_filter($this->touched))
        {
            return false;
        }

        $now = $this->db->now();
        $who = $this->user->id() ?: null;

        foreach (['STATUS_ID' => 'STATUS', 'PAYED' => 'PAYED',
                  'CANCELED' => 'CANCELED'] as $field => $name)
        {
            if (isset($this->changed[$field])) {
                $this->changed["DATE_$name"] = $now;
                $this->changed["EMP_{$name}_ID"] = $who;
                $this->row["DATE_$name"] = $now;
                $this->row["EMP_{$name}_ID"] = (string) $who;
            }
        }

        $this->db->update('{shop}.b_sale_order', $this->id(), $this->changed
            + ['UPDATED_1C' => 'N', 'DATE_UPDATE' => $now,
               'VERSION' => $this->row['VERSION'] + 1]);

        foreach ($this->touched as $table => $rows) {
            foreach ($rows as $id => $fields) {
                $this->db->update("{shop}.b_sale_order_$table", $id, $fields);
            }
        }

        foreach ($this->journal as $entry) {
            $this->db->insert('{shop}.b_sale_order_change', $entry
                + ['ORDER_ID' => $this->id(), 'DATE_CREATE' => $now,
                   'DATE_MODIFY' => $now, 'USER_ID' => (int) $who]);
        }

        return true;
    }


    public function delete(): void
    {
        $this->is_deleted = true;
        $this->db->change('DELETE FROM {shop}.b_sale_order WHERE ID = ?',
                          [$this->id()]);

        foreach (['basket', 'order_props_value', 'order_payment',
                  'order_delivery'] as $table)
        {
            $this->db->change("DELETE FROM {shop}.b_sale_$table
                               WHERE ORDER_ID = ?", [$this->id()]);
        }
    }


    /* ---- what follows from it -------------------------------------------- */

    private function touch(string $table, array &$rows, int $id,
                           array $fields): void
    {
        foreach ($fields as $name => $value) {
            if ($rows[$id][$name] !== $value) {
                $rows[$id][$name] = $value;
                $this->touched[$table][$id][$name] = $value;
            }
        }
    }


    private function note(string $type, array $data, string $entity = 'ORDER',
                          ?int $id = null): void
    {
        $this->journal[] = ['TYPE' => $type, 'DATA' => serialize($data),
                            'ENTITY' => $entity,
                            'ENTITY_ID' => $id ?? $this->id()];
    }


    private function syncPaid(): void
    {
        $paid = array_filter($this->payments,
                             fn ($one) => $one['PAID'] === 'Y');
        $sum = array_sum(array_map('floatval', array_column($paid, 'SUM')));
        $was = $this->row['PAYED'];
        $is = $paid && $sum + 0.005 > (float) $this->row['PRICE'] ? 'Y' : 'N';

        $this->set('SUM_PAID', number_format($sum, 2, '.', ''));
        $this->set('PAYED', $is);

        if ($was !== $is) {
            $this->note('ORDER_PAYED', ['PAYED' => $is]);
        }

        if ($was === 'N' && $paid) {
            $this->follow($is === 'Y' ? 'status_on_paid'
                                      : 'status_on_half_paid');
        }
    }


    private function syncShipments(): void
    {
        foreach (['ALLOW_DELIVERY', 'DEDUCTED'] as $name) {
            $values = array_column($this->shipments, $name);
            $is = $values && !in_array('N', $values, true) ? 'Y' : 'N';

            if ($this->row[$name] !== $is) {
                $this->set($name, $is);
                $this->note("ORDER_$name", [$name => $is]);
            }
        }
    }


    /* An option that sets the order's status; not past the final one, and for a
     * user only where he may. */
    private function follow(string $option): void
    {
        $status = $this->steering->get($option);

        if ($status !== '' && $this->row['STATUS_ID'] !== self::FINAL_STATUS
            && $this->user->mayBecome($this->row['STATUS_ID'], $status))
        {
            $this->setStatus($status);
        }
    }


    private function shipmentFollows(int $id, string $option): void
    {
        $status = $this->steering->get($option);

        if ($status !== '' && $this->shipment($id)['STATUS_ID'] !== 'DF') {
            $this->touchShipment($id, ['STATUS_ID' => $status]);
        }
    }
}
