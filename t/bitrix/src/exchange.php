<?php

declare(strict_types=1);

/*
 * 1c_exchange.php?type=crm: logging in for programs, and the export of orders.
 */
function page_exchange(Db $db, Steering $steering, User $user): void
{
    if (($_REQUEST['type'] ?? '') !== 'crm') {
        throw failure('Unknown command type.');
    }

    if (!$user->isLoggedIn() && $steering->get('lost') === 'page') {
        throw login_page('');
    }

    $mode = $_GET['mode'] ?? '';

    /* who once sends a sessid has to do so from then on, and so have others */
    if (($_REQUEST['sessid'] ?? '') !== '') {
        $steering->set('secure_1c_exchange', 'Y');
    }

    if (!$user->isLoggedIn()) {
        $steering->call($user, $mode, 0, '', '', 'denied');
        throw failure('Ошибка авторизации. Неверное имя пользователя или'
                      . ' пароль.');
    }

    if ($mode === 'checkauth') {
        $steering->call($user, $mode, 0, '', '', 'done');
        throw Answer::text("success\n" . session_name() . "\n" . session_id()
                           . "\nsessid=" . $user->sessid() . "\n",
                           'text/html; charset=windows-1251');
    }

    if ($steering->get('secure_1c_exchange') === 'Y' && !$user->hasSessid()) {
        $steering->call($user, $mode, 0, '', '', 'denied');
        throw failure('Ошибка проверки источника. Обновите модуль обмена.');
    }

    if (!$user->mayExport()) {
        $steering->call($user, $mode, 0, '', '', 'denied');
        throw failure('У Вас нет прав для обмена. Проверьте настройки'
                      . ' компонента.');
    }

    $steering->call($user, $mode, (int) ($_GET['ORDER_ID'] ?? 0), '', '',
                    'read');

    switch ($mode) {
        case 'init':
            $_SESSION['version'] = $_GET['version'] ?? '';
            throw Answer::text("zip=no\nfile_limit=204800\n"
                . ($_SESSION['version'] === '' ? ''
                   : 'sessid=' . $user->sessid() . "\nversion=2.09"),
                'text/html; charset=windows-1251');

        case 'query':
            throw Answer::text(export_orders($db),
                               'application/xml; charset=windows-1251');

        default:
            throw failure('Неизвестная команда.');
    }
}


function failure(string $message): Answer
{
    $type = ($_GET['mode'] ?? '') === 'query' ? 'application/xml' : 'text/html';

    return Answer::text(mb_convert_encoding("failure\n$message", 'Windows-1251',
                                            'UTF-8'),
                        "$type; charset=windows-1251");
}


/* The header says windows-1251, the XML UTF-8; it is that. */
function export_orders(Db $db): string
{
    $where = ['1 = 1'];
    $values = [];
    $order = (int) ($_GET['ORDER_ID'] ?? 0);
    $label = (int) ($_GET['MODIFICATION_LABEL'] ?? 0);
    $size = (int) ($_GET['IMPORT_SIZE'] ?? 0);

    if ($order > 0) {
        $where[] = 'o.ID = ?';
        $values[] = $order;
    }

    if ($label > 0) {
        /* seconds of the time that the client's clock shows */
        $where[] = "o.DATE_UPDATE > '1970-01-01' + INTERVAL ? SECOND";
        $values[] = $label + (int) ($_GET['ZZZ'] ?? 0);
    }

    $orders = $db->rows("SELECT o.*, s.NAME AS STATUS_NAME
        FROM {shop}.b_sale_order o
        LEFT JOIN {shop}.b_sale_status_lang s ON s.STATUS_ID = o.STATUS_ID
            AND s.LID = 'ru'
        WHERE " . implode(' AND ', $where) . ' ORDER BY o.DATE_UPDATE, o.ID'
        . ($size > 0 ? " LIMIT $size" : ''), $values);

    return '<?xml version="1.0" encoding="UTF-8"?>' . "\n"
        . '<CommerceInformation SchemaVersion="2.05" CreationDate="'
        . date('Y-m-d\TH:i:s') . "\">\n"
        . implode('', array_map(fn ($row) => export_order($db, $row), $orders))
        . "</CommerceInformation>\n";
}


/* An element: with a text, or with elements that are texts already. */
function element(string $name, string|array $content): string
{
    return is_array($content)
           ? "<$name>\n" . implode('', $content) . "</$name>\n"
           : "<$name>" . htmlspecialchars($content, ENT_XML1) . "</$name>\n";
}


/* Elements of texts by their names. */
function elements(array $texts): array
{
    return array_map('element', array_keys($texts), $texts);
}


function export_order(Db $db, array $row): string
{
    $id = [$row['ID']];
    $value = array_column($db->rows('SELECT CODE, VALUE FROM
        {shop}.b_sale_order_props_value WHERE ORDER_ID = ?', $id),
        'VALUE', 'CODE');
    $payment = $db->row('SELECT PAY_SYSTEM_NAME FROM
        {shop}.b_sale_order_payment WHERE ORDER_ID = ? ORDER BY ID', $id);
    $shipment = $db->row("SELECT DELIVERY_NAME FROM
        {shop}.b_sale_order_delivery WHERE ORDER_ID = ? AND `SYSTEM` = 'N'
        ORDER BY ID", $id);
    [$date, $time] = explode(' ', $row['DATE_INSERT']);

    $requisites = [
        'PaymentSystem' => $payment['PAY_SYSTEM_NAME'] ?? '',
        'DeliveryService' => $shipment['DELIVERY_NAME'] ?? '',
        'OrderPaid' => said($row['PAYED']),
        'Canceled' => said($row['CANCELED']),
        'FinalStatus' => said($row['STATUS_ID'] === 'F' ? 'Y' : 'N'),
        'OrderStatus' => "[$row[STATUS_ID]] $row[STATUS_NAME]",
        'Статуса заказа ИД' => $row['STATUS_ID'],
        'StatusChangeDate' => $row['DATE_STATUS'] ?? $row['DATE_INSERT'],
        'Site' => "[$row[LID]] Магазин",
    ];

    return element('Document', [
        ...elements(['Id' => $row['ID'], 'Number' => $row['ACCOUNT_NUMBER'],
            'Date' => $date, 'Time' => $time,
            'BusinessTransaction' => 'ItemOrder', 'Role' => 'Seller',
            'Currency' => $row['CURRENCY'], 'CurrencyRate' => '1',
            'Amount' => $row['PRICE'], 'DateUpdate' => $row['DATE_UPDATE']]),
        element('Contractors', [export_contractor($row, $value)]),
        element('Comment', html_entity_decode($row['USER_DESCRIPTION'] ?? '',
                                              ENT_QUOTES)),
        element('Items', export_items($db, $row)),
        element('PropertiesValues', array_map(
            fn ($name, $text) => element('PropertyValue',
                elements(['ItemName' => $name, 'Value' => $text])),
            array_keys($requisites), $requisites)),
    ]);
}


function said(string $flag): string
{
    return $flag === 'Y' ? 'true' : 'false';
}


function export_contractor(array $row, array $value): string
{
    $is_firm = ($value['COMPANY'] ?? '') !== '';
    $name = $is_firm ? $value['COMPANY'] : $value['FIO'] ?? '';
    $address = implode(', ', array_filter([$value['ZIP'] ?? '',
                                           $value['CITY'] ?? '',
                                           $value['ADDRESS'] ?? '']));

    /* with a declared version the types are others */
    $is_new = ($_SESSION['version'] ?? '') !== '';
    $contacts = [$is_new ? 'E-Mail' : 'Mail' => $value['EMAIL'] ?? '',
                 $is_new ? 'Work phone' : 'WorkPhone' => $value['PHONE'] ?? ''];

    return element('Contractor', [
        ...elements(['Id' => "$row[USER_ID]#buyer#$name", 'ItemName' => $name,
                     $is_firm ? 'OfficialName' : 'FullTitle' => $name]),
        element($is_firm ? 'LegalAddress' : 'RegistrationAddress',
                elements(['View' => $address])),
        ...($is_firm ? elements(['INN' => $value['INN'] ?? '',
                                 'KPP' => $value['KPP'] ?? '']) : []),
        element('Contacts', array_map(
            fn ($type, $contact) => element('Contact',
                elements(['Type' => $type, 'Value' => $contact])),
            array_keys($contacts), $contacts)),
        element('Role', 'Buyer'),
    ]);
}


function export_items(Db $db, array $row): array
{
    $items = $db->rows('SELECT * FROM {shop}.b_sale_basket WHERE ORDER_ID = ?
        AND (SET_PARENT_ID IS NULL OR SET_PARENT_ID = 0 OR SET_PARENT_ID = ID)
        ORDER BY SORT, ID', [$row['ID']]);

    $elements = array_map(fn ($item) => element('Item', elements([
        'Id' => $item['PRODUCT_XML_ID'] ?? $item['PRODUCT_ID'],
        'CatalogID' => $item['CATALOG_XML_ID'] ?? '',
        'ItemName' => $item['NAME'], 'ItemPrice' => $item['PRICE'],
        'Quantity' => $item['QUANTITY'],
        'Amount' => (string) ($item['PRICE'] * $item['QUANTITY'])])), $items);

    if ((float) $row['PRICE_DELIVERY'] > 0) {
        $elements[] = element('Item', elements(['Id' => 'ORDER_DELIVERY',
            'ItemName' => 'OrderDelivery',
            'ItemPrice' => $row['PRICE_DELIVERY'], 'Quantity' => '1',
            'Amount' => $row['PRICE_DELIVERY']]));
    }

    return $elements;
}
