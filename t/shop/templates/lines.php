<table>
<tr><th>Товар</th><th class="num">Цена</th><th class="num">Количество</th>
  <th class="num">Сумма</th></tr>
<?php foreach ($lines as $line): ?>
<tr>
  <td><?= h($line['name']) ?></td>
  <td class="num"><?= h(money_text($line['price'])) ?></td>
  <td class="num"><?= h(quantity_text($line['qty'])) ?> <?=
    h($line['unit']) ?></td>
  <td class="num"><?= h(money_text($line['sum'])) ?></td>
</tr>
<?php endforeach ?>
<tr><td colspan="3"><?= h($delivery['title']) ?></td>
  <td class="num"><?= h(money_text($delivery['price'])) ?></td></tr>
<tr><th colspan="3">Итого</th>
  <td class="num price"><?= h(money_text($total)) ?></td></tr>
</table>
