<h1>Каталог</h1>
<div class="cards">
<?php foreach ($products as $product): ?>
<article class="card">
  <h2><a href="/product?id=<?= h($product['id']) ?>"><?= h($product['name'])
    ?></a></h2>
  <p><?= h($product['about']) ?></p>
  <?= template('buy', ['product' => $product, 'csrf' => $csrf]) ?>
</article>
<?php endforeach ?>
</div>
