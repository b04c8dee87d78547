package B24::Portal::Error;

# A refusal as the REST server words it: code (may be ""), text, HTTP status.

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(refuse);

# HTTP statuses as documented; anything else is a business error, 400
my %status = (
    QUERY_LIMIT_EXCEEDED => 503, OVERLOAD_LIMIT => 503,
    OPERATION_TIME_LIMIT => 429, INTERNAL_SERVER_ERROR => 500,
    ERROR_UNEXPECTED_ANSWER => 500, ERROR_METHOD_NOT_FOUND => 404,
    ERROR_BATCH_METHOD_NOT_ALLOWED => 405, NO_AUTH_FOUND => 401,
    INVALID_CREDENTIALS => 403, authorization_error => 401,
    insufficient_scope => 403, expired_token => 401, user_access_error => 403,
    ACCESS_DENIED => 403, PORTAL_DELETED => 500, METHOD_CONFIRM_WAITING => 401,
    METHOD_CONFIRM_DENIED => 403, verification_needed => 401,
    ERROR_OAUTH => 401, WRONG_ENCODING => 200,
);

my %text = (
    QUERY_LIMIT_EXCEEDED    => 'Too many requests',
    OVERLOAD_LIMIT          => 'REST API is blocked due to overload.',
    OPERATION_TIME_LIMIT    => 'Method is blocked due to operation time limit.',
    INTERNAL_SERVER_ERROR   => 'Internal server error',
    ERROR_UNEXPECTED_ANSWER => 'Server returned an unexpected response',
    ERROR_METHOD_NOT_FOUND  => 'Method not found!',
    NO_AUTH_FOUND           => 'Wrong authorization data',
    INVALID_CREDENTIALS     => 'Invalid request credentials',
    INVALID_REQUEST         => 'Https required.',
    authorization_error     => 'Unable to authorize user',
    insufficient_scope      =>
        'The request requires higher privileges than provided by the access '
        . 'token',
    expired_token           => 'The access token provided has expired',
    ACCESS_DENIED           =>
        'REST API is available only on commercial plans.',
    PORTAL_DELETED          => 'Portal was deleted',
    ERROR_OAUTH             => 'Disk quota exceeded.<br>',
    ERROR_BATCH_LENGTH_EXCEEDED    => 'Max batch length exceeded',
    ERROR_BATCH_METHOD_NOT_ALLOWED =>
        'Method is not allowed for batch usage',
);


sub new {
    my ($class, $code, $text, $status, $reset_in) = @_;

    return bless {
        code   => $code,
        text   => $text // $text{$code} // '',
        status => $status // $status{$code} // 400,
        reset_in => $reset_in,
    }, $class;
}


sub code   { return $_[0]{code} }
sub text   { return $_[0]{text} }
sub status { return $_[0]{status} }

# seconds until the time limit is over; undef: not told
sub reset_in { return $_[0]{reset_in} }


# dies with a refusal
sub refuse { die __PACKAGE__->new(@_) }


1;
