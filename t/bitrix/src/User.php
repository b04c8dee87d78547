<?php

declare(strict_types=1);

/*
 * Who sends the request: PHP's session, logging in, and what he may do.
 */
final class User
{
    private const SECRET = 'server-uniq-id';

    private ?array $account = null;
    private ?array $denied = null;
    private ?array $statuses = null;
    private string $message = '';


    public function __construct(private Db $db, private Steering $steering)
    {
        session_start();

        if (isset($_SESSION['USER_ID'])) {
            $this->account = $steering->account('ID', $_SESSION['USER_ID']);
        }
    }


    /*
     * HTTP's Basic login, or the form's, wherever it is sent to.  In the
     * administration a form is answered by a script for the page it is in.
     */
    public function enter(bool $is_admin): void
    {
        $name = $_SERVER['PHP_AUTH_USER'] ?? '';

        if ($name !== '' && $this->steering->get('basic') !== 'N'
            && $this->login() !== $name)
        {
            $this->authorize($name, $_SERVER['PHP_AUTH_PW'] ?? '');
        }

        if (($_REQUEST['AUTH_FORM'] ?? '') === ''
            || ($_REQUEST['TYPE'] ?? '') !== 'AUTH')
        {
            return;
        }

        if ($this->authorize((string) ($_REQUEST['USER_LOGIN'] ?? ''),
                             (string) ($_REQUEST['USER_PASSWORD'] ?? ''))
            && $is_admin && $this->steering->get('form_login') !== 'direct')
        {
            throw new Answer(200, '<script type="text/javascript">'
                . 'window.onload=function(){'
                . 'top.BX.AUTHAGENT.setAuthResult(false);};</script>');
        }
    }


    public function id(): int
    {
        return (int) ($this->account['ID'] ?? 0);
    }


    public function login(): string
    {
        return $this->account['LOGIN'] ?? '';
    }


    public function name(): string
    {
        return $this->account['NAME'] ?? '';
    }


    public function isLoggedIn(): bool
    {
        return $this->account !== null;
    }


    public function mayExport(): bool
    {
        return ($this->account['EXPORT'] ?? 'N') === 'Y';
    }


    /* The right to the module: D (none), P, U, W. */
    public function access(): string
    {
        return $this->account['ACCESS'] ?? 'D';
    }


    /* A page of the administration. */
    public function mustBeAdmin(): void
    {
        if ($this->access() === 'D') {
            throw login_page($this->message);
        }
    }


    public function sessid(): string
    {
        return $_SESSION['fixed_session_id']
               ??= md5(self::SECRET . session_id());
    }


    public function hasSessid(): bool
    {
        return ($_REQUEST['sessid'] ?? $_SERVER['HTTP_X_BITRIX_CSRF_TOKEN']
                ?? '') === $this->sessid();
    }


    /* An operation on what has this status: update, cancel, delete, payment,
     * delivery, deduction, view; from and to for the status itself. */
    public function can(string $operation, string $status): bool
    {
        $this->denied ??= $this->steering->denied($this->login());

        return match ($this->access()) {
            'W' => true,
            'U', 'P' => !isset($this->denied["$operation $status"]),
            default => false,
        };
    }


    /* Whether an order may go from one status to another; nobody, that is the
     * shop itself, may do anything. */
    public function mayBecome(string $from, string $to): bool
    {
        if (!$this->isStatus($to, 'O')) {
            return false;
        }

        return !$this->isLoggedIn()
               || ($this->can('from', $from) && $this->can('to', $to));
    }


    public function isStatus(string $status, string $type): bool
    {
        $this->statuses ??= array_column($this->db->rows(
            'SELECT ID, TYPE FROM {shop}.b_sale_status'), 'TYPE', 'ID');

        return ($this->statuses[$status] ?? '') === $type;
    }


    /* With P only what is his own, or his company's. */
    public function mayTouch(Order $order, string $operation,
                             string $status): bool
    {
        return $this->access() !== 'P'
               || (((int) $order->get('RESPONSIBLE_ID') === $this->id()
                    || ($this->account['COMPANY_ID'] !== null
                        && $order->get('COMPANY_ID')
                           === $this->account['COMPANY_ID']))
                   && $this->can($operation, $status));
    }


    private function authorize(string $login, string $password): bool
    {
        $account = $this->steering->account('LOGIN', $login);

        if ($account === null || $account['PASSWORD'] !== $password) {
            $this->message = 'Неверный логин или пароль.';
            return false;
        }

        $this->account = $account;
        $_SESSION['USER_ID'] = $account['ID'];

        return true;
    }
}


function login_page(string $message): Answer
{
    $message = htmlspecialchars($message);

    return new Answer(200, <<<HTML
        <!DOCTYPE html>
        <html><head><title>Авторизация</title></head><body>
        <p class="errortext">$message</p>
        <form name="form_auth" method="post" target="auth_frame" action="">
        <input type="hidden" name="AUTH_FORM" value="Y">
        <input type="hidden" name="TYPE" value="AUTH">
        <input type="text" name="USER_LOGIN" value="">
        <input type="password" name="USER_PASSWORD" value="">
        <input type="submit" name="Login" value="Войти">
        </form></body></html>

        HTML, ['X-Bitrix-Ajax-Status' => 'Authorize']);
}
