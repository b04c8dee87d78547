<h1>Спасибо за заказ!</h1>
<p>Номер заказа: <span class="number" id="order-number"><?=
  h($order['number']) ?></span></p>
<p class="soft">Мы позвоним по номеру, который вы указали.</p>
<?= template('lines', order_lines($order, $items)) ?>
<div class="actions"><a href="/">Вернуться в каталог</a></div>
