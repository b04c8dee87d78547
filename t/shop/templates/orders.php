<h1><?= h($title) ?></h1>
<?php if ($orders === []): ?>
<p>Заказов ещё нет.</p>
<?php endif ?>
<?php foreach ($orders as $order): ?>
<section class="order">
  <h2>№ <?= h($order['number']) ?>
    <span class="status"><?= h(statuses()[$order['status']]
                               ?? $order['status']) ?></span></h2>
  <p class="soft"><?= h($order['created']) ?> UTC ·
    <?= h(implode(' · ', array_filter([
        $order['name'], $order['phone'], $order['email'], $order['company'],
        $order['inn'] === '' ? '' : 'ИНН ' . $order['inn'],
        $order['kpp'] === '' ? '' : 'КПП ' . $order['kpp'],
        $order['address'], $order['file_name'],
    ], 'strlen'))) ?></p>
<?php if ($order['comment'] !== ''): ?>
  <p><?= nl2br(h($order['comment'])) ?></p>
<?php endif ?>
  <?= template('lines', order_lines($order, $order['items'])) ?>
<?php if ($admin): ?>
  <form class="buy" method="post" action="/admin/status">
    <input type="hidden" name="order_id" value="<?= h($order['number']) ?>">
    <select name="status" aria-label="Статус">
<?php foreach (statuses() as $code => $title): ?>
      <option value="<?= h($code) ?>"<?=
        $code === $order['status'] ? ' selected' : '' ?>><?= h($code)
        ?> — <?= h($title) ?></option>
<?php endforeach ?>
    </select>
    <button>Сохранить</button>
  </form>
  <p class="soft">История:
    <?= h(implode(' → ', array_map(
        fn (array $row): string => $row['status'] . ' ' . $row['created'],
        $order['history']))) ?></p>
<?php endif ?>
</section>
<?php endforeach ?>
<?php if ($admin): ?>
<script src="/admin.js" defer></script>
<?php endif ?>
