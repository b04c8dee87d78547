<h1>Корзина</h1>
<?php if ($error !== ''): ?>
<p class="errors" role="alert"><?= h($error) ?></p>
<?php endif ?>
<?php if ($lines === []): ?>
<p>Корзина пуста. <a href="/">Выберите что-нибудь в каталоге.</a></p>
<?php else: ?>
<table>
<tr><th>Товар</th><th class="num">Цена</th><th>Количество</th>
  <th class="num">Сумма</th><th></th></tr>
<?php foreach ($lines as $line): ?>
<tr>
  <td><a href="/product?id=<?= h($line['id']) ?>"><?= h($line['name'])
    ?></a></td>
  <td class="num"><?= h(money_text($line['price'])) ?></td>
  <td>
    <form method="post" action="/cart">
      <input type="hidden" name="csrf" value="<?= h($csrf) ?>">
      <input type="hidden" name="action" value="set">
      <input type="hidden" name="product" value="<?= h($line['id']) ?>">
      <input type="number" name="qty" required
             value="<?= h(quantity($line['qty'])) ?>"
             min="<?= h(quantity($line['step'])) ?>"
             step="<?= h(quantity($line['step'])) ?>"
             aria-label="Количество, <?= h($line['unit']) ?>">
      <button>Изменить</button>
    </form>
  </td>
  <td class="num"><?= h(money_text($line['sum'])) ?></td>
  <td>
    <form method="post" action="/cart">
      <input type="hidden" name="csrf" value="<?= h($csrf) ?>">
      <input type="hidden" name="action" value="remove">
      <input type="hidden" name="product" value="<?= h($line['id']) ?>">
      <button>Убрать</button>
    </form>
  </td>
</tr>
<?php endforeach ?>
<tr><th colspan="3">Товары</th>
  <td class="num price"><?= h(money_text($goods)) ?></td><td></td></tr>
</table>
<form class="panel" method="get" action="/checkout">
  <h2>Доставка</h2>
<?php foreach (deliveries() as $code => $delivery): ?>
  <label class="radio">
    <input type="radio" name="delivery" value="<?= h($code) ?>"<?=
      $code === array_key_first(deliveries()) ? ' checked' : '' ?>>
    <?= h($delivery['title']) ?>,
    <?= $delivery['price'] ? h(money_text($delivery['price']))
                           : 'бесплатно' ?>
  </label>
<?php endforeach ?>
  <div class="actions"><button class="main">Оформить заказ</button></div>
</form>
<?php endif ?>
