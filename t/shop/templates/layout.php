<!DOCTYPE html>
<html lang="ru">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title><?= h($title) ?></title>
<style>
<?php require __DIR__ . '/style.css' ?>
</style>
</head>
<body>
<header>
  <a class="brand" href="/">Лавка «Пряник &amp; Самовар»</a>
  <nav>
    <a href="/">Каталог</a>
    <a href="/cart">Корзина<?= $count ? ' <b>' . h($count) . '</b>' : '' ?></a>
    <a href="/orders">Заказы</a>
  </nav>
</header>
<main>
<?= $body ?>
</main>
<footer>Учебный магазин: все товары и цены выдуманы.</footer>
</body>
</html>
