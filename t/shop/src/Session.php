<?php

declare(strict_types=1);

/*
 * The buyer's session.  PHP locks a session while it is open; it is opened
 * only for the moment of reading or writing, so that a slow request of a
 * buyer never holds up the next one.
 */
final class Session
{
    /** What was in the session when this request came. */
    private array $data = [];


    public function __construct()
    {
        /* visitors get a session when there is something to keep in it */
        if (isset($_COOKIE[session_name()])) {
            session_start(['read_and_close' => true]);
            $this->data = $_SESSION;
        }
    }


    /** Product id => quantity in thousandths. */
    public function cart(): array
    {
        return $this->data['cart'] ?? [];
    }


    /** The secret that every form of this session carries. */
    public function csrf(): string
    {
        if (!isset($this->data['csrf'])) {
            $this->change(function (array &$data): void {
                $data['csrf'] ??= bin2hex(random_bytes(16));
            });
        }

        return $this->data['csrf'];
    }


    public function isCsrf(mixed $value): bool
    {
        return is_string($value) && isset($this->data['csrf'])
               && hash_equals($this->data['csrf'], $value);
    }


    public function setQty(int $product, int $qty): void
    {
        $this->change(function (array &$data) use ($product, $qty): void {
            if ($qty > 0) {
                $data['cart'][$product] = $qty;

            } else {
                unset($data['cart'][$product]);
            }
        });
    }


    /** Adds to what is there; gives up silently above the largest one. */
    public function addQty(int $product, int $qty): void
    {
        $this->change(function (array &$data) use ($product, $qty): void {
            $data['cart'][$product] =
                min(QTY_MAX, ($data['cart'][$product] ?? 0) + $qty);
        });
    }


    /**
     * Remembers the order for the thank-you page and empties the cart,
     * unless it has been filled with something else meanwhile.  An order
     * by JSON may come without a session: none is made for it.
     */
    public function ordered(string $number, array $cart): void
    {
        if (!isset($_COOKIE[session_name()])) {
            return;
        }

        $this->change(function (array &$data) use ($number, $cart): void {
            if (($data['cart'] ?? []) == $cart) {
                $data['cart'] = [];
            }

            if (!in_array($number, $data['orders'] ?? [], true)) {
                $data['orders'][] = $number;
            }
        });
    }


    public function hasOrder(string $number): bool
    {
        return in_array($number, $this->data['orders'] ?? [], true);
    }


    private function change(callable $change): void
    {
        session_start();
        $change($_SESSION);
        $this->data = $_SESSION;
        session_write_close();
    }
}
