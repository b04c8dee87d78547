<?php

declare(strict_types=1);

/*
 * The answer to a request.  Thrown, it ends it.
 */
final class Answer extends Exception
{
    public function __construct(private int $status, private string $body,
                                private array $headers = [])
    {
        parent::__construct("answer $status");
    }


    public static function json(array $data): self
    {
        return new self(200, json_encode($data, JSON_THROW_ON_ERROR),
                        ['Content-Type' => 'application/json']);
    }


    public static function text(string $body, string $type): self
    {
        return new self(200, $body, ['Content-Type' => $type]);
    }


    public static function redirect(string $to): self
    {
        return new self(302, '', ['Location' => $to]);
    }


    public function status(): int
    {
        return $this->status;
    }


    public function send(): void
    {
        http_response_code($this->status);

        foreach ($this->headers + ['Content-Type' => 'text/html; charset=UTF-8']
                 as $name => $value)
        {
            header("$name: $value");
        }

        echo $this->body;
    }
}


/*
 * What Bitrix tells the user in place of doing it (UserMessageException and the
 * errors of a Result).
 */
final class Refused extends Exception
{
}
