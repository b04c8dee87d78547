<h1><?= h($product['name']) ?></h1>
<div class="panel">
  <p><?= h($product['about']) ?></p>
  <p class="soft">Артикул <?= h($product['sku']) ?>,
    в цене НДС <?= h($product['vat']) ?> %</p>
  <?= template('buy', ['product' => $product, 'csrf' => $csrf]) ?>
</div>
