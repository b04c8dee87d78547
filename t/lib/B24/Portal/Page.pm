package B24::Portal::Page;

# Pages: what the portal holds, for a person, and the pages of a proxy that
# lost its server.

use Mojo::Base -strict, -signatures;

use B24::Portal::Report;

use Mojo::Util qw(xml_escape encode);

my %reasons = (500 => 'Internal Server Error', 502 => 'Bad Gateway',
               503 => 'Service Temporarily Unavailable',
               504 => 'Gateway Time-out');

my $style = <<'CSS';
body { font: 16px/1.45 system-ui, sans-serif; margin: 2rem auto;
       padding: 0 1rem; max-width: 62rem; color: #1d2733; background: #f6f8fa }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100%; background: #fff;
        box-shadow: 0 1px 2px #0002 }
th, td { text-align: left; padding: .5rem .7rem;
         border-bottom: 1px solid #e3e8ee; vertical-align: top;
         overflow-wrap: anywhere }
th { font-weight: 600; background: #eef2f6; font-size: .9rem }
td.n, th.n { text-align: right; white-space: nowrap }
.stage { background: #d9f1fd; border-radius: 1rem; padding: .1rem .6rem;
         font-size: .85rem; white-space: nowrap }
.quiet { color: #66758a; font-size: .9rem } a { color: #0b66c3 }
CSS


# the page nginx shows for STATUS
sub gateway ($status) {
    my $text = "$status " . ($reasons{$status} // 'Error');

    return "<html>\r\n<head><title>$text</title></head>\r\n<body>\r\n"
         . "<center><h1>$text</h1></center>\r\n<hr><center>nginx</center>\r\n"
         . "</body>\r\n</html>\r\n";
}


sub index ($app, $c) {
    my $report = B24::Portal::Report::report($app, 0);
    my $counts = $report->{counts};
    my %contacts = map { $_->{id} => $_ } @{$report->{contacts}};
    my @deals = reverse @{$report->{deals}};
    my $rows = '';

    for my $deal (@deals) {
        my @names = map { _person($contacts{$_}) } @{$deal->{contact_ids}};
        my $lines = join '<br>', map {
            _e("$_->{product_name} \x{d7} $_->{quantity}")
        } @{$deal->{rows}};

        $rows .= qq{<tr><td><a href="/deal/$deal->{id}">$deal->{id}</a></td>}
               . '<td>' . _e($deal->{title}) . '<br><span class="quiet">'
               . _e(join ' / ', grep { defined } @$deal{qw(originator_id
                                                          origin_id)})
               . '</span></td><td>' . (join('<br>', @names) || '&ndash;')
               . "</td><td>$lines</td>"
               . '<td class="n">' . _money($deal, 'opportunity') . '</td>'
               . '<td><span class="stage">' . _e(_stage($app, $deal))
               . '</span></td></tr>';
    }

    my $table = @deals
        ? '<table><tr><th>Deal</th><th>Title</th><th>Contact</th><th>Rows</th>'
          . "<th class=\"n\">Amount</th><th>Stage</th></tr>$rows</table>"
        : '<p>No deals yet.</p>';

    return _page($c, 'Portal emulator', "<h1>Deals</h1>$table"
        . '<p class="quiet">'
        . "$counts->{deals} deals, $counts->{contacts} contacts, "
        . "$counts->{companies} companies, $counts->{requests} requests. "
        . 'Everything as JSON: <a href="/_/report">/_/report</a>.</p>');
}


sub deal ($app, $c) {
    my $record = $app->store->find('deal', $c->stash('id'));

    if (!$record) {
        return _page($c, 'Not found', '<h1>No such deal</h1>'
                   . '<p><a href="/">All deals</a></p>', 404);
    }

    my $report = B24::Portal::Report::report($app, 0);
    my $deal = B24::Portal::Report::texts(
        B24::Portal::Report::deal($app->store, $record));
    my %contacts = map { $_->{id} => $_ } @{$report->{contacts}};
    my %companies = map { $_->{id} => $_ } @{$report->{companies}};
    my $company = $companies{$deal->{company_id}};

    my @facts = (
        [Stage => '<span class="stage">' . _e(_stage($app, $deal)) . '</span>'],
        [Amount => _money($deal, 'opportunity')],
        [Contact => join('<br>', map { _person($contacts{$_}, 1) }
                                 @{$deal->{contact_ids}}) || '&ndash;'],
        [Company => $company ? _e($company->{title}) : '&ndash;'],
        [Origin => _e(join ' / ', grep { defined }
                                  @$deal{qw(originator_id origin_id)})],
        [Comment => _e($deal->{comments} // '') =~ s/\n/<br>/gr],
    );
    my $facts = join '', map { "<tr><th>$_->[0]</th><td>$_->[1]</td></tr>" }
                         @facts;
    my $rows = join '', map {
        '<tr><td>' . _e($_->{product_name}) . '</td><td class="n">'
        . _e($_->{price}) . '</td><td class="n">' . _e($_->{quantity})
        . '</td><td class="n">' . _e(defined $_->{tax_rate} ? "$_->{tax_rate} %"
                                                            : '')
        . '</td><td class="n">' . _e($_->{sum}) . '</td></tr>'
    } @{$deal->{rows}};
    my $title = _e($deal->{title});

    return _page($c, "Deal $deal->{id}", "<h1>$title</h1>"
        . "<table>$facts</table><h2>Rows</h2><table><tr><th>Product</th>"
        . '<th class="n">Price</th><th class="n">Quantity</th>'
        . '<th class="n">Tax</th><th class="n">Sum</th></tr>' . $rows
        . '<tr><th colspan="4">Total</th><th class="n">' . _e($deal->{rows_sum})
        . '</th></tr></table><p><a href="/">All deals</a></p>');
}


sub _e ($text) { return xml_escape($text // '') }


sub _money ($deal, $name) {
    return _e("$deal->{$name} " . ($deal->{currency_id} // ''));
}


sub _person ($contact, $long = 0) {
    return 'unknown' if !$contact;

    my $name = join ' ', grep { defined && length }
                         @$contact{qw(name second_name last_name)};
    my @ways = (@{$contact->{phones}}, @{$contact->{emails}});
    my $ways = $long && @ways ? '<br><span class="quiet">'
                              . _e(join ', ', @ways) . '</span>' : '';

    return _e($name eq '' ? "Contact $contact->{id}" : $name) . $ways;
}


sub _stage ($app, $deal) {
    my $stage = $app->store->stage($deal->{category_id},
                                   $deal->{stage_id} // '');
    my $name = B24::Portal::Report::texts($stage ? $stage->{NAME} : undef);

    return defined $name ? "$name ($deal->{stage_id})" : $deal->{stage_id};
}


sub _page ($c, $title, $body, $status = 200) {
    my $html = '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        . '<meta name="viewport" content="width=device-width">'
        . '<title>' . _e($title) . "</title><style>$style</style></head>"
        . "<body>$body</body></html>\n";

    return $c->render(data => encode('UTF-8', $html), format => 'html',
                      status => $status);
}


1;
