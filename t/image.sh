#!/bin/bash

# The Dockerfile's steps without an engine: FROM is a new Debian, COPY copies from
# the context, RUN runs in it, CMD is started with a configuration beside it; an
# order is captured, STOPSIGNAL ends it, and the queue is where VOLUME says.
#
#   t/image.sh build/package [FOLDER]
#
# Needs what t/fresh.sh needs.

set -euo pipefail

cd "$(dirname "$0")/.."

context=$(readlink -f "${1:?the folder with the package}")
root=${2:-}
keep=$root
root=${root:-$(mktemp -d "$PWD/build/image-XXXXXX")}
dockerfile=ngx_http_b24_module/debian/Dockerfile
volume='' signal='' command='' pid=''

# shellcheck source=t/root.sh
. t/root.sh


step() {
    local word=$1 rest=$2 from to

    printf '%s %s\n' "$word" "$rest"

    case $word in
        FROM)
            # the image holds no more than this
            [[ $rest == debian:*-slim ]] || return 1
            suite=${rest#debian:}
            [[ ${suite%-slim} == "$(sed -n 's/^VERSION_CODENAME=//p' \
                                    /etc/os-release)" ]] || return 1
            new_root apt
            ;;
        COPY)
            read -r from to <<< "$rest"
            # a pattern
            # shellcheck disable=SC2086
            (cd "$context" && cp $from "$root$to")
            ;;
        RUN)        quietly inside "$rest" ;;
        VOLUME)     volume=$rest ;;
        STOPSIGNAL) signal=$rest ;;
        CMD)        command=$(perl -MJSON::PP -e \
                        'print join "\0", @{decode_json($ARGV[0])}' "$rest" \
                        | xargs -0 printf '%q ') ;;
        EXPOSE)     ;;
        *)          return 1 ;;
    esac
}


while read -r word rest; do
    step "$word" "$rest" || {
        echo "$0: what is $word $rest?" >&2
        exit 1
    }
done < <(perl -0777 -pe 's/^#.*\n//mg; s/\\\n\s*//g; s/^\n//mg' "$dockerfile")

[[ -n $volume && -n $signal && -n $command ]]


# ---- as it is run -----------------------------------------------------------

cat > "$root/etc/nginx/conf.d/shop.conf" << 'END'
b24_queue  /var/lib/nginx/b24;
include    /etc/nginx/b24/generic.conf;

server {
    listen       127.0.0.1:8090;
    b24_origin   shop;
    b24_webhook  http://127.0.0.1:9/rest/1/none/ dry;
    b24_mirror   generic;

    location / {
        default_type  application/json;
        proxy_pass    http://127.0.0.1:8091;
    }

    location /b24 {
        b24_status;
    }
}

server {
    listen  127.0.0.1:8091;
    return  200 '{"order":{"id":"1001"}}';
}
END

# what the engine would be for its standard output
inside "exec $command" > "$root.out" 2>&1 &
pid=$!

# there is no engine, and no tool in the image, to ask with
for (( i = 0; i < 150; i++ )); do
    curl -sf -o /dev/null 'http://127.0.0.1:8090/b24?format=json' && break
    sleep 0.2
done

curl -sf -H 'Content-Type: application/json' \
    -d '{"name":"Anna","phone":"+79161234567","total":"300.00"}' \
    http://127.0.0.1:8090/checkout
echo

for (( i = 0; i < 150; i++ )); do
    state=$(curl -sf 'http://127.0.0.1:8090/b24/orders/1001?format=json' \
        | grep -o '"state":"accepted"' | head -n 1) && break
    sleep 0.2
done

printf '%s\n' "${state:?no order}"

# the process itself: an engine has it as its first one
kill -s "$signal" "$(cat "$root/run/nginx.pid")"
wait "$pid" || { cat "$root.out" >&2; exit 1; }

inside "test -s $volume/queue.db"
inside "stat -c '%U %a %n' $volume"

# nothing but nginx's own lines of access
grep -q 'POST /checkout' "$root.out"

if grep -E '\[(warn|error|crit|alert|emerg)\]' "$root.out" >&2; then
    exit 1
fi

rm -f "$root.out"

echo 'the image works'
