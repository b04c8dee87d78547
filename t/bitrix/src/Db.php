<?php

declare(strict_types=1);

/*
 * The database.  Statements name the shop's tables as {shop}.b_sale_order; root
 * on the socket is used, whose statements B24::MariaDB leaves out of its log.
 */
final class Db
{
    private PDO $pdo;


    public function __construct(string $socket, private string $shop)
    {
        $this->pdo = new PDO("mysql:unix_socket=$socket;charset=utf8mb4",
                             'root', '', [
            PDO::ATTR_ERRMODE            => PDO::ERRMODE_EXCEPTION,
            PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
            PDO::ATTR_STRINGIFY_FETCHES  => true,
        ]);
    }


    public function rows(string $sql, array $values = []): array
    {
        return $this->run($sql, $values)->fetchAll();
    }


    public function row(string $sql, array $values = []): ?array
    {
        return $this->rows($sql, $values)[0] ?? null;
    }


    /* Gives how many rows were changed. */
    public function change(string $sql, array $values = []): int
    {
        return $this->run($sql, $values)->rowCount();
    }


    /* Gives the key of the new row. */
    public function insert(string $table, array $row): int
    {
        $columns = implode(', ', array_map(fn ($name) => "`$name`",
                                           array_keys($row)));
        $places = implode(', ', array_fill(0, count($row), '?'));

        $this->run("INSERT INTO $table ($columns) VALUES ($places)",
                   array_values($row));

        return (int) $this->pdo->lastInsertId();
    }


    public function update(string $table, int $id, array $row): void
    {
        $set = implode(', ', array_map(fn ($name) => "`$name` = ?",
                                       array_keys($row)));

        $this->run("UPDATE $table SET $set WHERE ID = ?",
                   [...array_values($row), $id]);
    }


    public function now(): string
    {
        return $this->row('SELECT NOW() AS now')['now'];
    }


    public function begin(): void
    {
        $this->pdo->beginTransaction();
    }


    public function commit(): void
    {
        $this->pdo->commit();
    }


    /* Nothing, when there is nothing to be taken back. */
    public function rollback(): void
    {
        if ($this->pdo->inTransaction()) {
            $this->pdo->rollBack();
        }
    }


    private function run(string $sql, array $values): PDOStatement
    {
        $statement = $this->pdo->prepare(str_replace('{shop}',
                                                     "`$this->shop`", $sql));
        $statement->execute($values);

        return $statement;
    }
}
