<?php

declare(strict_types=1);

/* Output: escaping, templates, JSON, redirects. */

function h(mixed $text): string
{
    return htmlspecialchars((string) $text,
                            ENT_QUOTES | ENT_SUBSTITUTE | ENT_HTML5, 'UTF-8');
}


/** Prints a template inside the layout. */
function render(string $template, string $title, array $vars): void
{
    header('Content-Type: text/html; charset=utf-8');
    header("Content-Security-Policy: default-src 'none'; img-src data:;"
           . " style-src 'unsafe-inline'; script-src 'self';"
           . " connect-src 'self'; form-action 'self'; base-uri 'none'");

    $body = template($template, $vars);

    echo template('layout', ['title' => $title, 'body' => $body,
                             'count' => count(session()->cart())]);
}


function template(string $name, array $vars): string
{
    $file = dirname(__DIR__) . "/templates/$name.php";

    $print = static function (array $vars) use ($file): void {
        extract($vars, EXTR_SKIP);
        require $file;
    };

    ob_start();
    $print($vars);

    return ob_get_clean();
}


function page_message(int $status, string $text): void
{
    http_response_code($status);
    render('message', $text, ['text' => $text]);
}


function answer_json(int $status, array $data): void
{
    http_response_code($status);
    header('Content-Type: application/json');
    header('Cache-Control: no-store');
    echo json_encode($data, JSON_THROW_ON_ERROR);
}


/** See Other after a POST: the next request is a GET. */
function redirect(int $status, string $where): void
{
    header("Location: $where", true, $status);
}


function session(): Session
{
    static $session = null;

    return $session ??= new Session();
}


function store(): Store
{
    static $store = null;

    return $store ??= new Store(getenv('SHOP_DSN') ?: 'sqlite:/tmp/shop.sqlite',
                                getenv('SHOP_DB_USER') ?: null,
                                getenv('SHOP_DB_PASSWORD') ?: null);
}
