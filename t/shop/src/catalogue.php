<?php

declare(strict_types=1);

/*
 * What the shop sells.  Prices in kopecks with VAT included; VAT in percent;
 * "step" is the smallest quantity in thousandths (1000 = whole pieces only);
 * "measure" is the OKEI code of the unit: 796 piece, 166 kilogram, 6 metre.
 */

function catalogue(): array
{
    static $products = null;

    if ($products !== null) {
        return $products;
    }

    $rows = [
        [1, 'TEA-IVAN-50', 'Иван-чай «Утро & вечер», 50 г', 14990, 22, 1000,
         796, 'шт', 'Ферментированный листовой чай с мятой и чабрецом.'],
        [2, 'CHEESE-KG', 'Сыр «Российский», весовой', 89000, 10, 100,
         166, 'кг', 'Режем от ста граммов. Цена за килограмм.'],
        [3, 'COFFEE-DART-250', "Кофе «Д'Артаньян», 250 г", 123450, 22, 1000,
         796, 'шт', 'Зерно средней обжарки, купаж трёх арабик.'],
        [4, 'BOOK-MM', 'Книга «Мастер и Маргарита»', 64000, 10, 1000,
         796, 'шт', 'Твёрдый переплёт, 512 страниц.'],
        [5, 'SHIRT-XL', 'Футболка "Лето" <XL>', 199000, 22, 1000,
         796, 'шт', 'Хлопок 100 %, печать за & против ветра.'],
        [6, 'RIBBON-25', 'Лента атласная 25 мм', 3333, 22, 250,
         6, 'м', 'Отрезаем кратно 25 сантиметрам. Цена за метр.'],
        [7, 'SAMOVAR-5', 'Самовар тульский, 5 л', 4890000, 22, 1000,
         796, 'шт', 'Латунь, на дровах. Труба и поднос в подарок.'],
        [8, 'CARD-GIFT', 'Открытка (подарок)', 0, 22, 1000,
         796, 'шт', 'Подпишем от руки. Бесплатно.'],
    ];

    $products = [];

    foreach ($rows as $row) {
        $product = array_combine(['id', 'sku', 'name', 'price', 'vat', 'step',
                                  'measure', 'unit', 'about'], $row);
        $products[$product['id']] = $product;
    }

    return $products;
}


function product(mixed $id): ?array
{
    if (is_int($id)) {
        return catalogue()[$id] ?? null;
    }

    if (!is_string($id) || !preg_match('/^[1-9]\d{0,8}$/D', $id)) {
        return null;
    }

    return catalogue()[(int) $id] ?? null;
}


/** Ways of delivery: code => [title, price in kopecks]. */
function deliveries(): array
{
    return [
        'courier' => ['title' => 'Курьером по городу', 'price' => 35000],
        'post'    => ['title' => 'Почтой России',      'price' => 24990],
        'pickup'  => ['title' => 'Самовывоз',          'price' => 0],
    ];
}


/** Order statuses, in their usual sequence. */
function statuses(): array
{
    return [
        'N' => 'Принят',
        'P' => 'Готовится',
        'A' => 'Собран',
        'D' => 'Доставляется',
        'F' => 'Выполнен',
        'C' => 'Отменён',
    ];
}


/** The largest quantity of one line, in thousandths. */
const QTY_MAX = 999000;


/** A quantity the product can be sold in, or null. */
function product_qty(array $product, mixed $value): ?int
{
    if (is_string($value)) {
        /* people type "0,5" */
        $value = str_replace(',', '.', trim($value));
    }

    $qty = decimal_parse($value, QTY_PLACES);

    if ($qty === null || $qty < 1 || $qty > QTY_MAX
        || $qty % $product['step'] !== 0)
    {
        return null;
    }

    return $qty;
}
