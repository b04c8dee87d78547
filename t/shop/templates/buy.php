<span><span class="price"><?= h(money_text($product['price'])) ?></span>
  <span class="soft">за <?= h($product['unit']) ?></span></span>
<form class="buy" method="post" action="/cart">
  <input type="hidden" name="csrf" value="<?= h($csrf) ?>">
  <input type="hidden" name="action" value="add">
  <input type="hidden" name="product" value="<?= h($product['id']) ?>">
  <input type="number" name="qty" required
         value="<?= $product['step'] === 1000
                    ? '1' : h(quantity(500)) ?>"
         min="<?= h(quantity($product['step'])) ?>"
         step="<?= h(quantity($product['step'])) ?>"
         aria-label="Количество, <?= h($product['unit']) ?>">
  <button>В корзину</button>
</form>
