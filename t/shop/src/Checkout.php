<?php

declare(strict_types=1);

/*
 * Checks what a buyer sends.  Nothing of it is believed: lines, prices and
 * totals are computed again from the catalogue, and an order whose posted
 * amounts differ is refused, so that nobody pays what the page didn't show.
 */
final class Checkout
{
    /** field => error, in the order of the form; empty when all is well. */
    public array $errors = [];

    /** No line at all was sent. */
    public bool $empty = false;

    /** The checked order for Store::place(); complete without errors only. */
    public array $order = [];

    private array $data;


    /**
     * @param array $data what was posted: strings (form) or JSON values
     */
    public function __construct(array $data)
    {
        $this->data = $data;

        $this->checkToken();
        $this->checkBuyer();
        $this->checkFirm();
        $this->checkDelivery();
        $this->checkItems();
        $this->checkTotal();
    }


    /** The lines as quantities in thousandths by product id. */
    public function cart(): array
    {
        return array_column($this->order['items'], 'qty', 'id');
    }


    public static function isToken(mixed $token): bool
    {
        return is_string($token)
               && preg_match('/^[A-Za-z0-9_-]{8,64}$/D', $token) === 1;
    }


    /** One line of text of at most $max characters; null when it isn't. */
    private function text(string $field, int $max): ?string
    {
        $value = $this->data[$field] ?? '';

        if (is_int($value)) {
            /* JSON clients send numbers for phone, inn and kpp */
            $value = (string) $value;
        }

        if (!is_string($value) || !mb_check_encoding($value, 'UTF-8')) {
            return null;
        }

        $value = str_replace(["\r\n", "\r"], "\n", trim($value));

        if (mb_strlen($value) > $max
            || preg_match('/[\x00-\x08\x0B-\x1F\x7F]/', $value))
        {
            return null;
        }

        return $value;
    }


    /** Takes a text field over; $what is said when it can't be read. */
    private function take(string $field, int $max, string $what): string
    {
        $value = $this->text($field, $max);

        if ($value === null) {
            $this->errors[$field] = "$what: проверьте текст,"
                                    . " не больше $max знаков";
            $value = '';
        }

        return $this->order[$field] = $value;
    }


    private function fail(string $field, string $text): void
    {
        $this->errors[$field] ??= $text;
    }


    private function checkToken(): void
    {
        $token = $this->data['token'] ?? null;

        if (!self::isToken($token)) {
            $this->fail('token', 'Нет ключа заказа: обновите страницу');
            $token = '';
        }

        $this->order['token'] = $token;
    }


    private function checkBuyer(): void
    {
        if ($this->take('name', 100, 'Имя') === '') {
            $this->fail('name', 'Укажите имя');
        }

        $digits = preg_replace('/\D/', '', $this->take('phone', 40,
                                                       'Телефон'));

        if ($digits === '') {
            $this->fail('phone', 'Укажите телефон');

        } elseif (strlen($digits) < 10 || strlen($digits) > 15) {
            $this->fail('phone', 'В номере телефона 10–15 цифр');
        }

        $email = $this->take('email', 254, 'Почта');

        if ($email === '') {
            $this->fail('email', 'Укажите электронную почту');

        } elseif (filter_var($email, FILTER_VALIDATE_EMAIL) === false) {
            $this->fail('email', 'Проверьте адрес электронной почты');
        }

        $this->take('address', 300, 'Адрес');
        $this->take('comment', 1000, 'Комментарий');
        $this->take('file_name', 200, 'Файл');
    }


    private function checkFirm(): void
    {
        $this->take('company', 150, 'Организация');
        $inn = $this->take('inn', 12, 'ИНН');
        $kpp = $this->take('kpp', 9, 'КПП');

        if ($inn !== '' && !preg_match('/^(\d{10}|\d{12})$/D', $inn)) {
            $this->fail('inn', 'ИНН: 10 или 12 цифр');
        }

        if ($kpp !== '' && !preg_match('/^\d{4}[\dA-Z]{2}\d{3}$/D', $kpp)) {
            $this->fail('kpp', 'КПП: 9 знаков');
        }
    }


    private function checkDelivery(): void
    {
        $code = $this->data['delivery'] ?? '';
        $known = is_string($code) ? (deliveries()[$code] ?? null) : null;

        if ($known === null) {
            $this->fail('delivery', 'Выберите способ доставки');
            $this->order['delivery'] = '';
            $this->order['delivery_price'] = 0;
            return;
        }

        $this->order['delivery'] = $code;
        $this->order['delivery_price'] = $known['price'];

        if ($this->amount($this->data['delivery_price'] ?? null)
            !== $known['price'])
        {
            $this->fail('delivery_price', 'Стоимость доставки изменилась');
        }
    }


    private function checkItems(): void
    {
        $items = $this->data['items'] ?? [];
        $this->order['items'] = [];

        if ($items === [] || $items === '') {
            $this->empty = true;
            $this->fail('items', 'Корзина пуста');
            return;
        }

        if (!is_array($items) || count($items) > count(catalogue())) {
            $this->fail('items', 'Состав заказа не прочитан');
            return;
        }

        foreach ($items as $item) {
            $line = is_array($item) ? $this->line($item) : null;

            if ($line === null) {
                $this->fail('items', 'Цены или товары изменились:'
                                     . ' проверьте заказ');
                return;
            }

            if (isset($this->order['items'][$line['id']])) {
                $this->fail('items', 'Товар указан дважды');
                return;
            }

            $this->order['items'][$line['id']] = $line;
        }
    }


    /** One posted line against the catalogue; null when they differ. */
    private function line(array $item): ?array
    {
        $product = product($item['id'] ?? null);

        if ($product === null) {
            return null;
        }

        $qty = product_qty($product, $item['qty'] ?? null);

        if ($qty === null
            || $this->amount($item['price'] ?? null) !== $product['price'])
        {
            return null;
        }

        foreach (['sku', 'name', 'vat', 'measure'] as $key) {
            $posted = $item[$key] ?? $product[$key];

            if (!is_scalar($posted)
                || (string) $posted !== (string) $product[$key])
            {
                return null;
            }
        }

        return ['qty' => $qty, 'sum' => line_sum($product['price'], $qty)]
               + $product;
    }


    private function checkTotal(): void
    {
        $total = array_sum(array_column($this->order['items'], 'sum'))
                 + $this->order['delivery_price'];
        $this->order['total'] = $total;

        if ($this->amount($this->data['total'] ?? null) !== $total) {
            $this->fail('total', 'Сумма заказа изменилась: проверьте заказ');
        }
    }


    private function amount(mixed $value): ?int
    {
        return decimal_parse($value, MONEY_PLACES);
    }
}
