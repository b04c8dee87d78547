# shellcheck shell=bash disable=SC2034,SC2154

# Sourced by t/fresh.sh and t/image.sh: a Debian of its own in the folder $root,
# removed at the end unless $keep is set, and what is done inside.  Needs root
# and debootstrap.  Packages come from where this machine has its own from.

portal=


tidy() {
    [[ -z $portal ]] || kill "$portal" 2> /dev/null || true
    [[ ! -s $root/run/nginx.pid ]] \
        || kill "$(cat "$root/run/nginx.pid")" 2> /dev/null || true

    for place in dev proc; do
        umount -R -l "$root/$place" 2> /dev/null || true
    done

    [[ -n $keep ]] || rm -rf --one-file-system "$root"
    rm -f "$root.before" "$root.after" "$root.log"
}

quietly() {
    "$@" > "$root.log" 2>&1 || {
        tail -n 20 "$root.log" >&2
        echo "$0: $* failed" >&2
        exit 1
    }
}


inside() {
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive sh -c "$1"
}


# a command as it is typed, and what it says
typed() {
    printf '# %s\n' "$1"
    inside "$1" 2>&1
}


# whether the command comes to say that, within half a minute
comes() {
    local i

    for (( i = 0; i < 150; i++ )); do
        if inside "$1" 2> /dev/null | grep -q -- "$2"; then
            return 0
        fi

        sleep 0.2
    done

    echo "$0: \"$2\" does not come of: $1" >&2
    inside 'tail -n 20 /var/log/nginx/error.log' >&2 || true
    exit 1
}


# nginx is asked to quit, and has
ends() {
    local i

    quietly inside 'nginx -s quit'

    for (( i = 0; i < 150; i++ )); do
        [[ -s $root/run/nginx.pid ]] || return 0
        sleep 0.2
    done

    echo "$0: nginx does not end" >&2
    exit 1
}


# a Debian with nothing but these packages, "a,b"
new_root() {
    trap tidy EXIT

    # nginx's workers go through it as well
    mkdir -p "$root"
    chmod 755 "$root"

    local mirror from

    mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
                 /etc/apt/sources.list.d/*.sources 2> /dev/null \
        | awk '$1 == "URIs:" || $1 == "deb" { print $2; exit }' || true)

    quietly debootstrap --variant=minbase --include="$1" \
        "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" "$root" "$mirror"

    for from in sources.list sources.list.d apt.conf.d; do
        [[ ! -e /etc/apt/$from ]] || cp -a "/etc/apt/$from" "$root/etc/apt/"
    done

    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --make-rslave "$root/dev"

    # there is no init in it: services are started by hand
    printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
}


# the emulated portal, on this machine's loopback; sets "address"
start_portal() {
    local line

    coproc EMULATOR { exec perl -It/lib t/portal.pl --listen http://127.0.0.1:0 --with-parent; }
    portal=$EMULATOR_PID

    while read -r line <&"${EMULATOR[0]}"; do
        case $line in
            listening*) address=${line#listening } ;;
            ready) break ;;
        esac
    done
}
