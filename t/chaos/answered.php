<?php

declare(strict_types=1);

/*
 * Runs before the sample shop in a run of chaos and takes down when it is done
 * with a checkout: PHP-FPM sends the answer right after. The shop itself
 * is as it is.
 */

register_shutdown_function(static function (): void {
    $token = $_POST['token']
             ?? (json_decode(file_get_contents('php://input') ?: '', true)
                 ?? [])['token'] ?? null;

    if (is_string($token)) {
        file_put_contents(getenv('SHOP_FILES') . '/answered',
                          $token . ' ' . sprintf('%.6f', microtime(true))
                          . "\n", FILE_APPEND);
    }
});
