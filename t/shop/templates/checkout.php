<?php
$field = function (string $name, string $label, string $attributes)
         use ($typed, $errors): void
{
    $bad = isset($errors[$name]);
?>
<div>
  <label for="<?= h($name) ?>"><?= h($label) ?></label>
  <input class="wide<?= $bad ? ' bad' : '' ?>" id="<?= h($name)
    ?>" name="<?= h($name) ?>" value="<?= h($typed[$name] ?? '') ?>" <?=
    $attributes ?>>
<?php if ($bad): ?>
  <span class="error"><?= h($errors[$name]) ?></span>
<?php endif ?>
</div>
<?php
};
?>
<h1>Оформление заказа</h1>
<div class="errors" role="alert" id="errors"<?= $errors ? '' : ' hidden' ?>>
<ul>
<?php foreach ($errors as $name => $error): ?>
  <li data-field="<?= h($name) ?>"><?= h($error) ?></li>
<?php endforeach ?>
</ul>
</div>
<?php if ($lines === []): ?>
<p>Корзина пуста. <a href="/">Выберите что-нибудь в каталоге.</a></p>
<?php else: ?>
<?= template('lines', ['lines' => $lines, 'delivery' => $delivery,
                       'total' => $total]) ?>
<p class="soft">Состав и доставку можно <a href="/cart">изменить в
  корзине</a>.</p>
<form method="post" action="/checkout" id="checkout"
      enctype="multipart/form-data">
  <input type="hidden" name="csrf" value="<?= h($csrf) ?>">
  <input type="hidden" name="token" value="<?= h($token) ?>">
<?php foreach ($lines as $i => $line): ?>
<?php foreach (posted_line($line) as $key => $value): ?>
  <input type="hidden" name="items[<?= $i ?>][<?= h($key) ?>]" value="<?=
    h($value) ?>">
<?php endforeach ?>
<?php endforeach ?>
  <input type="hidden" name="delivery" value="<?= h($delivery['code']) ?>">
  <input type="hidden" name="delivery_price" value="<?=
    h(money($delivery['price'])) ?>">
  <input type="hidden" name="total" value="<?= h(money($total)) ?>">
  <h2>Получатель</h2>
  <?php $field('name', 'Имя', 'autocomplete="name" required') ?>
  <div class="pair">
    <?php $field('phone', 'Телефон', 'type="tel" autocomplete="tel" required')
    ?>
    <?php $field('email', 'Электронная почта',
                 'type="email" autocomplete="email" required') ?>
  </div>
  <?php $field('address', 'Адрес доставки',
               'autocomplete="street-address"') ?>
  <h2>Для организаций</h2>
  <?php $field('company', 'Организация', 'autocomplete="organization"') ?>
  <div class="pair">
    <?php $field('inn', 'ИНН', 'inputmode="numeric"') ?>
    <?php $field('kpp', 'КПП', '') ?>
  </div>
  <h2>Дополнительно</h2>
  <label for="comment">Комментарий</label>
  <textarea class="wide" id="comment" name="comment" rows="3"><?=
    h($typed['comment'] ?? '') ?></textarea>
  <label for="file">Файл (реквизиты, открытка), до 2 МБ</label>
  <input type="file" id="file" name="file">
  <div class="actions">
    <button class="main">Заказать</button>
    <button type="button" id="json" hidden>Заказать без перезагрузки
      (JSON)</button>
  </div>
</form>
<script src="/checkout.js" defer></script>
<?php endif ?>
