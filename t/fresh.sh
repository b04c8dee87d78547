#!/bin/bash

# The package on a Debian that has nothing else: a new root folder, the package
# installed, configured, a first order delivered to an emulated portal, a newer
# package installed while another order waits, which is delivered then, the
# package removed and purged.  What was typed and said is the transcript of
# docs/start.md, on the standard output.
#
#   t/fresh.sh build/package/libnginx-mod-http-b24_VERSION_ARCH.deb [FOLDER]
#
# Needs root, debootstrap, and what the emulator needs.  FOLDER (a new one under
# build/) is kept when it was given.  Packages come from where this machine has
# its own from.

set -euo pipefail

cd "$(dirname "$0")/.."

deb=$(readlink -f "${1:?the package}")
root=${2:-}
keep=$root
root=${root:-$(mktemp -d "$PWD/build/fresh-XXXXXX")}
readonly ORDER='{"name":"Anna","phone":"+79161234567","total":"300.00","items":[{"title":"Cup","price":"150.00","qty":2}]}'


# shellcheck source=t/root.sh
. t/root.sh


# ---- a Debian with nothing ------------------------------------------------

new_root ca-certificates,curl
quietly inside 'apt-get -q update && apt-get -q -y --no-install-recommends install nginx'

# nginx has made its own folders
quietly inside 'nginx -t'
inside 'find / -xdev | sort' > "$root.before"


start_portal


# ---- the shop, as it was -------------------------------------------------

rm -f "$root/etc/nginx/sites-enabled/default"

cat > "$root/etc/nginx/conf.d/shop.conf" << 'END'
server {
    listen        127.0.0.1:8089;
    default_type  application/json;
    return        200 '{"order":{"id":"$arg_n"}}';
}
END


# ---- what is typed ---------------------------------------------------------

cp "$deb" "$root/root/"
name=$(basename "$deb")

printf '# apt install ./%s\n' "$name"
quietly inside "cd /root && apt-get -q update && apt-get -q -y --no-install-recommends install ./$name"

cat > "$root/etc/nginx/conf.d/b24.conf" << 'END'
b24_queue  /var/lib/nginx/b24;
include    /etc/nginx/b24/generic.conf;

server {
    listen       127.0.0.1:8088;
    b24_origin   shop;
    b24_webhook  file:/etc/nginx/b24-webhook;
    b24_mirror   generic;

    location / {                                  # the shop's, as it was
        proxy_pass  http://127.0.0.1:8089;
    }

    location /b24 {
        b24_status;
        allow  127.0.0.1;
        deny   all;
    }
}
END

printf '# cat > /etc/nginx/conf.d/b24.conf\n'
cat "$root/etc/nginx/conf.d/b24.conf"

printf '# echo %s > /etc/nginx/b24-webhook; chmod 600 /etc/nginx/b24-webhook\n' \
    https://example.bitrix24.com/rest/1/CODE/
(umask 077; echo "$address/rest/1/code1234567890ab/" > "$root/etc/nginx/b24-webhook")

typed 'nginx -t'
printf '# systemctl restart nginx\n'
inside nginx
comes 'curl -sf http://127.0.0.1:8088/b24?format=json' '"portals"'

typed "curl -s -H 'Content-Type: application/json' -d '$ORDER' http://127.0.0.1:8088/checkout?n=1001; echo"
comes 'curl -sf http://127.0.0.1:8088/b24/orders/1001?format=json' \
    '"state":"delivered"'
typed "curl -s 'http://127.0.0.1:8088/b24/orders/1001?format=json' | grep -o '\"\\(state\\|deal_id\\|attempts\\)\":[^,]*' | head -n 3"

typed 'ls -ld /var/lib/nginx/b24'


# ---- a newer one, while an order waits ------------------------------------

# the same under another version
newer=${name/-1_/-2_}
dpkg-deb -R "$deb" "$root/root/newer"
sed -i 's/^\(Version: .*\)-1$/\1-2/' "$root/root/newer/DEBIAN/control"
quietly dpkg-deb --root-owner-group -b "$root/root/newer" "$root/root/$newer"
rm -rf "$root/root/newer"

typed 'curl -s -X POST http://127.0.0.1:8088/b24/pause'
typed "curl -s -H 'Content-Type: application/json' -d '$ORDER' http://127.0.0.1:8088/checkout?n=1002; echo"
comes 'curl -sf http://127.0.0.1:8088/b24/orders/1002?format=json' '"key"'

printf '# apt install ./%s\n' "$newer"
quietly inside "cd /root && apt-get -q -y --no-install-recommends install ./$newer"
printf '# systemctl restart nginx\n'
ends
inside nginx
comes 'curl -sf http://127.0.0.1:8088/b24?format=json' '"portals"'

typed 'curl -s -X POST http://127.0.0.1:8088/b24/resume'
comes 'curl -sf http://127.0.0.1:8088/b24/orders/1002?format=json' \
    '"state":"delivered"'
typed "for n in 1001 1002; do curl -s \"http://127.0.0.1:8088/b24/orders/\$n?format=json\" | grep -o '\"state\":[^,]*' | head -n 1; done"


# ---- removed, purged -------------------------------------------------------

ends

rm "$root/etc/nginx/conf.d/b24.conf" "$root/etc/nginx/b24-webhook"
printf '# rm /etc/nginx/conf.d/b24.conf /etc/nginx/b24-webhook\n'
printf '# apt remove libnginx-mod-http-b24\n'
quietly inside 'apt-get -q -y remove libnginx-mod-http-b24'
typed 'nginx -t'
typed 'ls /var/lib/nginx/b24/queue.db'

printf '# apt purge libnginx-mod-http-b24\n'
quietly inside 'apt-get -q -y purge libnginx-mod-http-b24 && apt-get -q -y autoremove --purge'


# ---- and nothing is left ---------------------------------------------------

inside 'find / -xdev | sort' > "$root.after"

rest=$(comm -13 "$root.before" "$root.after" \
    | grep -v -e '^/var/lib/apt/' -e '^/var/lib/dpkg/' -e '^/var/cache/' \
              -e '^/var/log/' -e '^/root/' -e '^/etc/nginx/conf.d/shop.conf$' \
    || true)

if [[ -n $rest ]]; then
    printf 't/fresh.sh: left behind:\n%s\n' "$rest" >&2
    exit 1
fi
