<?php

declare(strict_types=1);

/*
 * Faults on request, for tests only: they exist when SHOP_TEST=1 is in the
 * environment and are asked for by the header X-Shop-Test or the query
 * argument "shop_test", a list like "sleep_before=0.5,answer=kill":
 *
 *   sleep_before=SECONDS   wait before the order is saved (at most 60)
 *   sleep_after=SECONDS    wait between saving and answering
 *   hold_before=NAME       wait before the order is saved until the test says
 *                          so: a file "held-NAME-PID" appears in SHOP_HOLD and
 *                          the request goes on when "go-NAME" is there (at
 *                          most 60 s); NAME is letters, digits, "-"
 *   hold_after=NAME        the same between saving and answering
 *   answer=500             saved, but the answer is an empty 500
 *   answer=empty           saved, but the answer is an empty 200
 *   answer=kill            saved, then the process kills itself
 */
final class TestFaults
{
    private const CAP = 60;                           /* seconds */

    private array $faults = [];


    public function __construct()
    {
        if (getenv('SHOP_TEST') !== '1') {
            return;
        }

        $text = $_SERVER['HTTP_X_SHOP_TEST'] ?? $_GET['shop_test'] ?? '';

        if (is_string($text)) {
            parse_str(strtr($text, ',', '&'), $this->faults);
        }
    }


    public function beforeSaving(): void
    {
        $this->sleep('sleep_before');
        $this->hold('hold_before');
    }


    public function afterSaving(): void
    {
        $this->sleep('sleep_after');
        $this->hold('hold_after');

        switch ($this->faults['answer'] ?? '') {
        case '500':
            http_response_code(500);
            exit;

        case 'empty':
            exit;

        case 'kill':
            /* 9 is KILL: the constants belong to pcntl, which FPM lacks */
            posix_kill(getmypid(), 9);
        }
    }


    private function sleep(string $name): void
    {
        $seconds = $this->faults[$name] ?? '';

        if (is_string($seconds) && is_numeric($seconds)) {
            usleep((int) (1e6 * max(0, min(self::CAP, (float) $seconds))));
        }
    }


    private function hold(string $fault): void
    {
        $name = $this->faults[$fault] ?? '';
        $folder = getenv('SHOP_HOLD');

        if (!$folder || !is_string($name)
            || !preg_match('/^[A-Za-z0-9-]{1,40}$/D', $name))
        {
            return;
        }

        $held = "$folder/held-$name-" . getmypid();
        $until = microtime(true) + self::CAP;
        touch($held);

        while (!file_exists("$folder/go-$name") && microtime(true) < $until) {
            usleep(5000);
            clearstatcache();
        }

        unlink($held);
    }
}
