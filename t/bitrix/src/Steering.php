<?php

declare(strict_types=1);

/*
 * What a test steers the stand-in by, and what it reads: tables in a database
 * of their own, which no request of a shop's visitor reaches (B24::BitrixAdmin
 * makes them).
 *
 *   setting    options of the modules (status_on_paid ...), of the stand-in:
 *              lost        page: who isn't logged in gets the login page, also
 *                          where 1c_exchange.php and sale_order_ajax.php would
 *                          say so themselves
 *              form_login  direct: a login by form goes on with the page that
 *                          was asked for, also in the administration
 *              basic       N: PHP is not told of Authorization
 *              need_confirm  strict or confirmed: paying and shipping have to
 *                          be confirmed by that parameter
 *              ajax_lock   Y: sale_order_ajax.php minds locks
 *              warning     goes with an answer that all is done
 *              gateway_paid  Y: asked for a payment, the gateway has it
 *   account    who may log in; ACCESS as the right to the module: D, P, U, W
 *   denied     operations on orders of a status that an account with U or P
 *              lacks
 *   fault      what goes wrong, TIMES times, see moment()
 *   call_log   what was called, and what came of it
 */
final class Steering
{
    private const HOLD_CAP = 60;       /* seconds */
    private const POLL = 5000;         /* microseconds */

    private array $settings;
    private array $faults;


    public function __construct(private Db $db, private string $base,
                                private string $page)
    {
        $this->settings = array_column(
            $db->rows("SELECT NAME, VALUE FROM $base.setting"), 'VALUE',
            'NAME');
        $this->faults = $db->rows("SELECT * FROM $base.fault WHERE TIMES > 0
                                   ORDER BY ID");
    }


    public function get(string $name): string
    {
        return $this->settings[$name] ?? '';
    }


    /* For what the shop sets by itself. */
    public function set(string $name, string $value): void
    {
        $this->db->change("REPLACE INTO {$this->base}.setting VALUES (?, ?)",
                          [$name, $value]);
        $this->settings[$name] = $value;
    }


    public function account(string $column, string $value): ?array
    {
        return $this->db->row("SELECT * FROM {$this->base}.account
                               WHERE $column = ?", [$value]);
    }


    /* Operations that a login lacks, "OPERATION STATUS" => true. */
    public function denied(string $login): array
    {
        $denied = [];

        foreach ($this->db->rows("SELECT * FROM {$this->base}.denied
                                  WHERE LOGIN = ?", [$login]) as $row)
        {
            $denied["$row[OPERATION] $row[STATUS_ID]"] = true;
        }

        return $denied;
    }


    /*
     * before: nothing was done yet.  after: all was done, and the answer is not
     * sent yet.  between: an order was begun to be saved.
     *
     *   hang    waits VALUE seconds
     *   hold    waits until the test lets go
     *   answer  answers VALUE, a status
     *   login   answers the login page
     *   expire  the session is over
     */
    public function moment(string $moment): void
    {
        foreach ($this->faults as $fault) {
            if ($fault['MOMENT'] === $moment && $this->isMeant($fault)
                && $this->db->change("UPDATE {$this->base}.fault
                       SET TIMES = TIMES - 1 WHERE ID = ? AND TIMES > 0",
                       [$fault['ID']]))
            {
                $this->strike($fault);
            }
        }
    }


    public function call(User $user, string $action, int $order,
                         string $before, string $after, string $outcome,
                         string $detail = ''): void
    {
        $this->db->insert("{$this->base}.call_log", [
            'LOGIN' => $user->login(), 'PAGE' => $this->page,
            'ACTION' => $action, 'ORDER_ID' => $order,
            'BEFORE_STATE' => $before, 'AFTER_STATE' => $after,
            'OUTCOME' => $outcome, 'DETAIL' => mb_substr($detail, 0, 250),
            'BEGAN' => $_SERVER['REQUEST_TIME_FLOAT'],
        ]);
    }


    private function isMeant(array $fault): bool
    {
        $order = $_REQUEST['orderId'] ?? $_REQUEST['order_id']
                 ?? $_REQUEST['ORDER_ID'] ?? $_REQUEST['ID'] ?? '';
        $action = $_REQUEST['mode'] ?? $_REQUEST['action'] ?? '';

        return in_array($fault['PAGE'], [null, $this->page], true)
               && in_array($fault['ACTION'], [null, $action], true)
               && in_array($fault['ORDER_ID'], [null, $order], true)
               && in_array($fault['ACCOUNT'],
                           [null, (string) ($_SESSION['USER_ID'] ?? '')], true);
    }


    private function strike(array $fault): void
    {
        switch ($fault['KIND']) {
            case 'hang':
                usleep((int) ((float) $fault['VALUE'] * 1e6));
                break;

            case 'hold':
                $this->hold((int) $fault['ID']);
                break;

            case 'answer':
                throw new Answer((int) $fault['VALUE'],
                                 "<h1>$fault[VALUE]</h1>\n");

            case 'login':
                throw login_page('');

            case 'expire':
                $_SESSION = [];
                break;

            default:
                throw new LogicException("no such fault: $fault[KIND]");
        }
    }


    private function hold(int $id): void
    {
        $until = microtime(true) + self::HOLD_CAP;

        $this->db->change("UPDATE {$this->base}.fault SET HELD = HELD + 1
                           WHERE ID = ?", [$id]);

        while ($this->db->row("SELECT ID FROM {$this->base}.fault
                               WHERE ID = ? AND NOT RELEASED", [$id])
               && microtime(true) < $until)
        {
            usleep(self::POLL);
        }

        $this->db->change("UPDATE {$this->base}.fault SET HELD = HELD - 1
                           WHERE ID = ?", [$id]);
    }
}
