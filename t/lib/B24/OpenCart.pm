package B24::OpenCart;

# A checkout of OpenCart 3 as its buyer's browser does it, through a server with
# the preset "opencart" and the first upstream of a test.
#
#   B24::OpenCart::steps([[NAME, QUANTITY, PRICE, SUM, OPTIONS], ...],
#                        [[LINE, AMOUNT], ...]);       # up to the button
#   B24::OpenCart::button();
#
# Anna Kim buys; options: buyer => 'firstname=...' (the form; empty: somebody who
# is signed in, and sends none), cookie => the session's.

use strict;
use warnings;
use utf8;

use B24::Client ();
use B24::Scenario ();
use B24::Test ();

use constant BUYER => 'firstname=Anna&lastname=Kim&email=kim%40example.com'
    . '&telephone=%2B79160000001&city=Oslo&address_1=Gate+1';


sub session {
    my ($cookie) = @_;

    return (Cookie => 'OCSESSID=' . ($cookie // '0123456789abcdef012345678a')
                      . '; currency=USD');
}

sub says {
    my ($route, $body, %option) = @_;

    B24::Test::upstream()->script(target => 'route=' . quotemeta $route,
        times => 1, status => $option{status} // 200, body => $body,
        headers => [['Content-Type', $option{type} // 'application/json']]);
}

sub steps {
    my ($rows, $below, %option) = @_;

    my @buyer = session($option{cookie});
    my $lines = join '', map {
        qq{<tr>\n<td class="text-left"><a href="http://shop/$_->[0]">$_->[0]}
        . qq{</a>$_->[4]</td>\n<td>Model $_->[0]</td><td>$_->[1]</td>}
        . qq{<td>$_->[2]</td><td>$_->[3]</td></tr>\n} } @$rows;
    my $foot = join '', map { "<tr>\n<td colspan=\"4\"><strong>$_->[0]:"
        . "</strong></td>\n<td>$_->[1]</td>\n</tr>\n" } @$below;

    my $form = $option{buyer} // BUYER;

    if ($form ne '') {
        says('checkout/guest/save', '[]');
        B24::Scenario::post('/index.php?route=checkout/guest/save', $form,
                            @buyer);
    }

    says('checkout/confirm', "<table><tbody>$lines</tbody>\n<tfoot>\n"
         . "$foot</tfoot></table>", type => 'text/html; charset=utf-8');
    B24::Scenario::get('/index.php?route=checkout/confirm', @buyer);
}

sub button {
    my ($answer, %option) = @_;

    says('extension/payment/cod/confirm', $answer
        // '{"redirect":"http:\/\/shop\/index.php?route=checkout\/success"}');

    return B24::Scenario::get('/index.php?route=extension/payment/cod/confirm',
                              session($option{cookie}));
}

1;
