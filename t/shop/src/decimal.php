<?php

declare(strict_types=1);

/*
 * Decimal numbers of the shop as scaled integers: money in kopecks (two
 * places), quantities in thousandths (three places).  Floating point never
 * touches an amount.
 */

const MONEY_PLACES = 2;
const QTY_PLACES = 3;


/**
 * Reads "149.90", 149.9 or 149 as an integer scaled by 10^$places.
 * Null when it is not a plain non-negative decimal with at most $places
 * significant places, or is larger than 999 999 999.
 */
function decimal_parse(mixed $value, int $places): ?int
{
    if (is_int($value)) {
        $value = (string) $value;

    } elseif (is_float($value)) {
        /* JSON numbers: the shortest text that reads back as this float */
        $value = json_encode($value);
    }

    if (!is_string($value)
        || !preg_match('/^(\d{1,9})(?:\.(\d+))?$/D', trim($value), $m))
    {
        return null;
    }

    $fraction = rtrim($m[2] ?? '', '0');

    if (strlen($fraction) > $places) {
        return null;
    }

    return (int) ($m[1] . str_pad($fraction, $places, '0'));
}


/** Writes a scaled integer back: 14990 with two places is "149.90". */
function decimal_format(int $value, int $places): string
{
    $digits = str_pad((string) $value, $places + 1, '0', STR_PAD_LEFT);

    return substr($digits, 0, -$places) . '.' . substr($digits, -$places);
}


function money(int $kopecks): string
{
    return decimal_format($kopecks, MONEY_PLACES);
}


/** "2", "0.5": a quantity without trailing zeros. */
function quantity(int $thousandths): string
{
    return rtrim(rtrim(decimal_format($thousandths, QTY_PLACES), '0'), '.');
}


/** Price times quantity in kopecks, half a kopeck rounded up. */
function line_sum(int $price, int $qty): int
{
    return intdiv($price * $qty + 500, 1000);
}


/** For people: "1 234,50 ₽" with no-break spaces. */
function money_text(int $kopecks): string
{
    $nbsp = "\u{00A0}";
    $roubles = strrev(implode(strrev($nbsp),
                      str_split(strrev((string) intdiv($kopecks, 100)), 3)));

    return $roubles . ',' . sprintf('%02d', $kopecks % 100) . $nbsp . '₽';
}


function quantity_text(int $thousandths): string
{
    return str_replace('.', ',', quantity($thousandths));
}
