package B24::BitrixAdmin;

# A stand-in of 1C-Bitrix's administration (t/bitrix) under a PHP-FPM of its
# own, see B24::Fpm: 1c_exchange.php?type=crm, sale_order_ajax.php, the list and
# the forms of orders, the buyer's page, a gateway's callback.  It works on the
# tables of B24::Tables::bitrix() in a B24::MariaDB.
#
#   my $admin = B24::BitrixAdmin->start("$DIR/bitrix", db => $db);
#   $admin->location;                 # for nginx: administration, tools, buyer
#   $admin->account(login => 'crm', password => 'p', access => 'U');
#   $admin->set(status_on_paid => 'P');
#   $admin->deny('crm', to => 'F');   # saveStatus says OK and does nothing
#   my $fault = $admin->fault(kind => 'hold', page => 'sale_order_ajax.php');
#   $admin->wait_held($fault);  $admin->release($fault);
#   $admin->expire;                   # all sessions are over
#   my $in = $admin->session('crm');  # { cookie => ..., sessid => ... }
#   $admin->ajax($in, action => 'saveStatus', orderId => 57, statusId => 'P');
#   $admin->order(57)->{STATUS_ID};  $admin->payments(57);
#   my @calls = $admin->calls(57);    # what was called, and what came of it
#
# start(DIR, OPTIONS): those of B24::Fpm, and
#
#   db      the B24::MariaDB
#   cookie  the name of the session's cookie, PHPSESSID
#
# What tests say and read goes past HTTP, through a database "steer"; what there
# is to be said stands in t/bitrix/src/Steering.php.

use strict;
use warnings;
use utf8;

use parent 'B24::Fpm';

use B24::Bitrix ();
use B24::Scenario ();
use B24::Tables ();
use Digest::SHA qw(sha256_hex);
use JSON::PP ();
use Time::HiRes qw(sleep time);

use constant {
    STEER    => 'steer',
    HELD_CAP => 30,            # seconds until a request must be held

    # what it answers of a site; the checkout is somebody else's
    PATH => '~ "^/(bitrix/(admin|tools)/|auth/|personal/orders/'
            . '|personal/order/cancel/)"',
};

# whoever has nothing else to be
use constant MANAGER => (login => 'manager', password => 'manager-12345',
                         access => 'W', export => 1);


sub start {
    my ($class, $dir, %option) = @_;

    my $self = $class->SUPER::start($dir, %option);

    $self->{cookie} = $option{cookie} // 'PHPSESSID';
    $self->make_tables;
    $self->reset;

    return $self;
}


sub docroot { return $_[0]->root . '/t/bitrix/public' }


sub pool {
    my ($self, %option) = @_;

    $self->{db} = $option{db};

    return ({
        BITRIX_SOCKET => $option{db}->socket_path,
        BITRIX_SHOP   => 'shop',
        BITRIX_STEER  => STEER,
    }, {
        'php_admin_value[session.name]' => $option{cookie} // 'PHPSESSID',

        # an id that is not known (any more) is used as it is
        'php_admin_flag[session.use_strict_mode]' => 'off',
    });
}


# The location of what the stand-in answers; PATH is another.
sub location {
    my ($self, $extra, $path) = @_;

    return $self->SUPER::location($extra, $path // PATH);
}


sub make_tables {
    my ($self) = @_;

    $self->{db}->sql('DROP DATABASE IF EXISTS ' . STEER . ';'
        . 'CREATE DATABASE ' . STEER . ' CHARACTER SET utf8mb4; USE ' . STEER
        . ';' . <<'EOS');
CREATE TABLE setting (NAME varchar(64) PRIMARY KEY, VALUE varchar(255));
CREATE TABLE account (
    ID int AUTO_INCREMENT PRIMARY KEY, LOGIN varchar(64) NOT NULL UNIQUE,
    PASSWORD varchar(64) NOT NULL, NAME varchar(64) NOT NULL,
    ACCESS char(1) NOT NULL, EXPORT char(1) NOT NULL, COMPANY_ID int);
CREATE TABLE denied (
    LOGIN varchar(64), OPERATION varchar(16), STATUS_ID varchar(2),
    PRIMARY KEY (LOGIN, OPERATION, STATUS_ID));
CREATE TABLE fault (
    ID int AUTO_INCREMENT PRIMARY KEY, MOMENT varchar(8) NOT NULL,
    KIND varchar(8) NOT NULL, VALUE varchar(64), PAGE varchar(64),
    ACTION varchar(64), ORDER_ID varchar(16), ACCOUNT int, TIMES int NOT NULL,
    HELD int NOT NULL DEFAULT 0, RELEASED tinyint NOT NULL DEFAULT 0);
CREATE TABLE call_log (
    ID int AUTO_INCREMENT PRIMARY KEY,
    AT datetime(3) NOT NULL DEFAULT NOW(3), BEGAN double,
    LOGIN varchar(64), PAGE varchar(64),
    ACTION varchar(64), ORDER_ID int, BEFORE_STATE varchar(64),
    AFTER_STATE varchar(64), OUTCOME varchar(16), DETAIL varchar(255),
    KEY (ORDER_ID));
EOS
}


# As it was started: the account "manager" (MANAGER), no sessions, no settings.
sub reset {
    my ($self) = @_;

    $self->steer(join ';', map { "TRUNCATE $_" }
                               qw(setting account denied fault call_log));
    $self->account(MANAGER);
    $self->expire;
}


# ---- what tests say --------------------------------------------------------

sub steer {
    my ($self, $sql) = @_;

    return $self->{db}->sql($sql, STEER);
}


# One who may log in: login, password, name, access (D, a buyer, if none is
# given; P, U, W), export, company.  Returns his id.
sub account {
    my ($self, %who) = @_;

    my @values = map { B24::Tables::quoted($_) } $who{login},
        $who{password} // 'secret-12345', $who{name} // $who{login},
        $who{access} // 'D', $who{export} ? 'Y' : 'N', $who{company};

    my $id = $self->steer('INSERT INTO account (LOGIN, PASSWORD, NAME, ACCESS,'
        . ' EXPORT, COMPANY_ID) VALUES (' . join(', ', @values) . ');'
        . 'SELECT LAST_INSERT_ID()');

    return $id + 0;
}


sub set {
    my ($self, %setting) = @_;

    $self->steer(join ';', map { 'REPLACE INTO setting VALUES ('
        . join(', ', map { B24::Tables::quoted($_) } $_, $setting{$_}) . ')' }
        sort keys %setting);
}


sub setting {
    my ($self, $name) = @_;

    my $value = $self->steer('SELECT VALUE FROM setting WHERE NAME = '
                             . B24::Tables::quoted($name));
    chomp $value;

    return $value;
}


# An account with U or P lacks an operation in these statuses; "to" is for
# setting them.
sub deny {
    my ($self, $login, $operation, @statuses) = @_;

    $self->steer('INSERT INTO denied VALUES ' . join ', ', map {
        '(' . join(', ', map { B24::Tables::quoted($_) } $login, $operation, $_)
        . ')' } @statuses);
}


sub allow {
    my ($self) = @_;

    $self->steer('TRUNCATE denied');
}


# kind, value, moment ("before" the request is looked at, or "after" all is done
# and before it is answered), page, action (of the exchange: its mode), order,
# login (of whom the request is), times (1).  Returns its id.
sub fault {
    my ($self, %fault) = @_;

    my @values = map { B24::Tables::quoted($_) } $fault{moment} // 'before',
        @fault{qw(kind value page action order)}, $fault{times} // 1;
    my $account = 'SELECT ID FROM account WHERE LOGIN = '
        . B24::Tables::quoted($fault{login});

    my $id = $self->steer('INSERT INTO fault (MOMENT, KIND, VALUE, PAGE,'
        . ' ACTION, ORDER_ID, TIMES, ACCOUNT) VALUES ('
        . join(', ', @values) . ", ($account)); SELECT LAST_INSERT_ID()");

    return $id + 0;
}


# Requests that a fault holds now.
sub held {
    my ($self, $fault) = @_;

    return $self->steer("SELECT HELD FROM fault WHERE ID = $fault") + 0;
}


# Waits until COUNT requests (default 1) are held; false after 30 seconds.
sub wait_held {
    my ($self, $fault, $count) = @_;

    my $until = time + HELD_CAP;

    while ($self->held($fault) < ($count // 1)) {
        return 0 if time > $until;
        sleep 0.02;
    }

    return 1;
}


sub release {
    my ($self, $fault) = @_;

    $self->steer("UPDATE fault SET RELEASED = 1, TIMES = 0 WHERE ID = $fault");
}


# How often a fault is still to come.
sub left {
    my ($self, $fault) = @_;

    return $self->steer("SELECT TIMES FROM fault WHERE ID = $fault") + 0;
}


sub clear_faults {
    my ($self) = @_;

    $self->steer('UPDATE fault SET RELEASED = 1, TIMES = 0');
}


# All sessions are over.
sub expire {
    my ($self) = @_;

    unlink glob qq("$self->{dir}/sessions/sess_*");
}


# A session in which somebody has logged in, for a browser's Cookie and forms.
sub session {
    my ($self, $login) = @_;

    my ($id) = $self->steer('SELECT ID FROM account WHERE LOGIN = '
        . B24::Tables::quoted($login)) =~ /(\d+)/
        or die "nobody is called $login\n";
    my $session = substr sha256_hex(join '-', $$, time, rand), 0, 32;
    my $sessid = substr sha256_hex("sessid $session"), 0, 32;
    my $file = "$self->{dir}/sessions/sess_$session";

    open my $out, '>', $file or die "can't write $file: $!\n";
    printf $out 'USER_ID|s:%d:"%s";fixed_session_id|s:32:"%s";', length $id,
                $id, $sessid;
    close $out or die "can't write $file: $!\n";
    chmod 0600, $file;
    $self->give_away($file);

    return { cookie => "$self->{cookie}=$session", sessid => $sessid };
}


# ---- what a browser sends --------------------------------------------------

# sale_order_ajax.php, in a session of session(); its JSON, decoded.
sub ajax {
    my ($self, $in, @fields) = @_;

    my $answer = $self->page($in, 'sale_order_ajax.php', @fields);

    die "ajax: $answer->{status} $answer->{body}\n"
        if $answer->{status} != 200;

    return JSON::PP::decode_json($answer->{body});
}


# A form sent to a page of the administration.
sub page {
    my ($self, $in, $page, @fields) = @_;

    return $self->send_form($in, "/bitrix/admin/$page", @fields);
}


# The same anywhere.
sub send_form {
    my ($self, $in, $target, @fields) = @_;

    return B24::Scenario::post($target, B24::Bitrix::urlencoded('UTF-8',
        @fields, sessid => $in->{sessid}), Cookie => $in->{cookie});
}


# A link of a page, with the token in it.
sub follow {
    my ($self, $in, $target) = @_;

    return B24::Scenario::get("$target&sessid=$in->{sessid}",
                              Cookie => $in->{cookie});
}


# ---- what tests read -------------------------------------------------------

# Rows as hashes; `from` and `where` in the words of SQL.
sub rows {
    my ($self, $from, @columns) = @_;

    return map { my %row;
                 @row{@columns} = map { $_ eq 'NULL' ? undef : $_ } @$_;
                 \%row }
           $self->{db}->rows('SELECT '
               . join(', ', map { "`$_`" } @columns) . " FROM $from");
}


sub order {
    my ($self, $id) = @_;

    my ($row) = $self->rows("shop.b_sale_order WHERE ID = $id", qw(ID
        ACCOUNT_NUMBER STATUS_ID PAYED CANCELED ALLOW_DELIVERY DEDUCTED MARKED
        SUM_PAID PRICE VERSION DATE_UPDATE DATE_STATUS EMP_STATUS_ID
        EMP_CANCELED_ID EMP_PAYED_ID REASON_CANCELED COMMENTS LOCKED_BY));

    return $row;
}


sub payments {
    my ($self, $id) = @_;

    return $self->rows("shop.b_sale_order_payment WHERE ORDER_ID = $id"
        . ' ORDER BY ID', qw(ID PAID SUM EMP_PAID_ID PAY_VOUCHER_NUM
                             PAY_VOUCHER_DATE));
}


sub shipments {
    my ($self, $id) = @_;

    return $self->rows("shop.b_sale_order_delivery WHERE ORDER_ID = $id"
        . " AND `SYSTEM` = 'N' ORDER BY ID", qw(ID STATUS_ID ALLOW_DELIVERY
                                                DEDUCTED TRACKING_NUMBER));
}


# "P,paid,shipped", as the log of calls has it, from the rows; "none".
sub state {
    my ($self, $id) = @_;

    my $row = $self->order($id) // return 'none';

    return join ',', $row->{STATUS_ID}, $row->{PAYED} eq 'Y' ? 'paid' : (),
        $row->{DEDUCTED} eq 'Y' ? 'shipped' : (),
        $row->{CANCELED} eq 'Y' ? 'canceled' : ();
}


# Of one order, or all: { page, action, order_id, login, before_state,
# after_state, outcome, detail }.  Outcomes: done, nothing (said to be done),
# refused, confirm, denied (no right, no session), read.
sub calls {
    my ($self, $order) = @_;

    my @columns = qw(ID PAGE ACTION ORDER_ID LOGIN BEFORE_STATE AFTER_STATE
                     OUTCOME DETAIL);
    my $from = STEER . '.call_log'
        . (defined $order ? " WHERE ORDER_ID = $order" : '');

    return map { my $row = $_; +{ map { lc, $row->{$_} } @columns } }
           $self->rows("$from ORDER BY ID", @columns);
}


# "ACTION OUTCOME BEFORE>AFTER" of each, for comparing.
sub calls_shown {
    my ($self, $order) = @_;

    return map { join ' ', $_->{action}, $_->{outcome},
                 length $_->{before_state}
                 ? "$_->{before_state}>$_->{after_state}" : () }
           $self->calls($order);
}


1;
