#!/bin/bash

# The one entry point: packages, build, tests, trial run.  ./build.sh help
#
# Everything it makes lies under build/.  It works from any folder, as root and
# as an ordinary user, and needs no service to be running.

set -euo pipefail

CALLER=$PWD

cd "$(dirname "$(readlink -f "$0")")"

ROOT=$PWD
B=build
MODULE=ngx_http_b24_module
NGINX_DEV=/usr/share/nginx/src
JOBS=$(nproc 2>/dev/null || echo 2)

# test files beside each other: most of them wait most of the time
TEST_JOBS=${B24_JOBS:-$(( JOBS < 2 ? 1 : 3 ))}

# the longest ones, which begin first, so that none goes on alone at the end
LONGEST=(52-alert 60-database 35-injection 66-shops-database 82-convoy
         78-update 34-crm 71-status-shops 40-untouched
         40-life 38-discretion 94-replay 75-back)

# the main path, for an nginx of another version
SMOKE=(t/12-start.t t/20-capture.t t/30-deliver.t t/40-untouched.t
       t/46-ordinary.t t/47-protocols.t t/50-desk.t t/72-events.t)

export LC_ALL=C.UTF-8


usage() {
    cat << END
Usage: ./build.sh COMMAND

  run                        packages, build, a trial shop, portal and nginx on
                             loopback; places an order, shows the deal
  stop                       ends what "run" started
  test [FILES] [--all]       packages, build, every suite; FILES: t/NAME.t,
                             t/unit/NAME.c, t/fuzz/fuzz_NAME.c;
                             --all: the suite under sanitizers as well, the
                             main path under valgrind, the long forms

  replay RECORDING ... [--conf NGINX_CONF] [--shop NAME] [--all]
                             recorded exchanges (a browser's HAR, a folder,
                             single files) through the rules of a shop: the
                             order, the commands to Bitrix24, and why not

  deps [build|test|lint|fuzz|bench|package]
                             installs the Debian packages that are missing
  build [--nginx-source DIR] [--asan] [-- OPTIONS]
                             leaves $B/$MODULE.so, with --asan
                             $B/asan/$MODULE.so; for Debian's
                             nginx, or for the nginx unpacked in DIR with
                             OPTIONS for its configure
  smoke --nginx-source DIR [FILES] [-- OPTIONS]
                             that nginx built, with the module, in $B/smoke/,
                             and the tests of the main path with it
  unit [NAME ...]            tests of the parts that know no nginx
  asan [--nginx-source DIR] [FILES]
                             the suite with the module under ASan and UBSan,
                             and the locks of shared memory watched; with the
                             sources of Debian's version nginx as well, and
                             each block of its pools by itself
  valgrind [FILES]           the main path under valgrind
  tsan                       what threads share, under ThreadSanitizer
  fuzz [SECONDS] [NAME ...]  libFuzzer: SECONDS (600) in all, shared by the
                             targets, at least 20 for each; a table at the end
  fuzz --minimise [NAME ...] what was found new becomes part of the corpus
  lint                       clang-tidy, cppcheck, style
  bench [NAME ...]           one table of ratios, see docs/performance.md: pass,
                             orders, shop, backlog, queue, session
  chaos [SECONDS] [SEED] [--journal sync|async|off] [--orders N] [--verbose]
                             orders while nginx is killed and the portal fails;
                             what came of them is compared.  120 seconds,
                             seed 1
  chaos --bugs [NAME ...]    the same with bugs put in: each must be found
  soak [SECONDS] [--reloads N] [--seed N] [--verbose]
                             reloads, killed workers, reopened logs, another
                             binary, while orders come: what is left over
  package [--try]            a Debian package for Debian's nginx, the source as a
                             tarball, a list of what is in it (SPDX), in
                             $B/package/; --try: installed, used, removed in a
                             new Debian of its own (t/fresh.sh)
  clean                      removes $B/
  help                       this text
END
}


say() {
    printf '== %s\n' "$*"
}


die() {
    printf 'build.sh: %s\n' "$*" >&2
    exit 1
}


# ---- packages --------------------------------------------------------------

# "a|b": either will do, a is installed.
packages() {
    case $1 in
        build)
            echo gcc libc6-dev make dpkg-dev nginx nginx-dev
            echo "libcurl4-openssl-dev|libcurl4-gnutls-dev|libcurl4-nss-dev"
            echo libsqlite3-dev libcjson-dev libpcre2-dev zlib1g-dev
            echo libmariadb-dev libpsl-dev
            ;;
        test)
            echo perl openssl procps util-linux curl
            echo libmojolicious-perl libio-socket-ssl-perl
            echo libtest-base-perl libtest-longstring-perl
            echo libhttp-message-perl libjson-validator-perl
            echo libnginx-mod-http-headers-more-filter libnginx-mod-http-echo
            echo libnginx-mod-http-js libnginx-mod-http-lua
            echo libnginx-mod-http-subs-filter libnginx-mod-http-brotli-filter
            echo php-fpm php-sqlite3 php-mysql php-mbstring
            echo chromium
            echo mariadb-server-core mariadb-client-core
            packages package
            ;;
        replay)
            echo perl
            ;;
        lint)
            echo clang-tidy cppcheck shellcheck perl
            ;;
        fuzz)
            echo clang llvm libclang-rt-dev
            ;;
        bench)
            echo valgrind
            ;;
        package)
            echo debhelper lintian
            ;;
        try)
            echo debootstrap
            ;;
        *)
            die "deps: no such set of packages: $1"
            ;;
    esac
}


# Debian's packages whose installation would start a service, and which are only
# unpacked therefore, each with a program that makes it needless.
unpacked() {
    case $1 in
        test) echo prometheus:promtool ;;
    esac
}


is_installed() {
    local name alternatives
    IFS='|' read -ra alternatives <<< "$1"

    for name in "${alternatives[@]}"; do
        if [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) \
              == installed ]]
        then
            return 0
        fi
    done

    return 1
}


deps() {
    local group package missing=()

    command -v dpkg-query > /dev/null \
        || die "packages are installed on Debian only; see docs/testing.md" \
               "for what else is needed"

    for group in "$@"; do
        for package in $(packages "$group"); do
            is_installed "$package" || missing+=("${package%%|*}")
        done
    done

    (( ! ${#missing[@]} )) || install_packages "${missing[@]}"

    for group in "$@"; do
        for package in $(unpacked "$group"); do
            unpack "${package%%:*}" "${package##*:}"
        done
    done
}


# As root, by sudo for an ordinary user.
as_root() {
    if (( EUID == 0 )); then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}


install_packages() {
    (( EUID == 0 )) || command -v sudo > /dev/null \
        || die "packages are missing, as root: apt-get install $*"

    say "installing $*"

    # old lists may still do
    as_root apt-get -q update \
        || say "apt-get update failed, trying with the lists there are"

    as_root apt-get -q -y --no-install-recommends install "$@" \
        || die "apt-get could not install $*"
}


# unpack PACKAGE PROGRAM: into build/PACKAGE, unless PROGRAM is there
unpack() {
    local package=$1 program=$2 to=$B/$1 new

    [[ ! -x $to/usr/bin/$program ]] || return 0
    ! command -v "$program" > /dev/null || return 0

    say "unpacking $package into $to"

    mkdir -p $B
    new=$(mktemp -d "$ROOT/$B/$package.XXXXXX")

    # there may be no lists yet, or old ones
    if ! download "$package" "$new" 2> /dev/null; then
        as_root apt-get -q update || true

        download "$package" "$new" || {
            rm -rf "$new"
            die "apt-get could not download $package"
        }
    fi

    dpkg-deb -x "$new"/*.deb "$new"
    rm -f "$new"/*.deb
    chmod 755 "$new"

    rm -rf "$to"
    mv "$new" "$to"
}


# download PACKAGE FOLDER
download() {
    (cd "$2" && apt-get -q -o APT::Sandbox::User=root download "$1")
}


# ---- build -----------------------------------------------------------------

# One build at a time: concurrent ones wait.  Whoever goes on to start programs
# of its own unlocks before.
lock() {
    case $ROOT in
        *[[:space:]]*)
            die "nginx can't be built in a folder with blanks in its path"
            ;;
    esac

    mkdir -p $B 2> /dev/null || die "can't make $B/"
    [[ -w $B ]] || die "can't write to $B/: it is another user's, remove it"

    exec 9> $B/lock
    flock 9
}


unlock() {
    exec 9>&-
}


# What a build was configured from; a new source file makes another.
fingerprint() {
    {
        printf '%s\n' "$@"
        cat config
        find $MODULE -name '*.[ch]' | sort
    } | sha256sum
}


# Copies what is needed to build modules: nothing is written into DIR.
copy_nginx() {
    local dir=$1 to=$2 item

    rm -rf "$to"
    mkdir -p "$to"

    for item in auto configure src conf docs; do
        [[ -e $dir/$item ]] && cp -R "$dir/$item" "$to/"
    done

    # a checkout of nginx's repository has it among the others
    [[ -f $to/configure ]] || cp "$to/auto/configure" "$to/"
}


# configure FOLDER OUT OPTIONS: the Makefile of the module in OUT
configure() {
    local folder=$1 out=$2 log=$2/configure.log
    shift 2

    rm -rf "$out"
    mkdir -p "$out"

    say "configuring nginx's build, see $log"

    (
        cd "$folder"
        # configure runs small programs that don't care to free memory
        ASAN_OPTIONS=detect_leaks=0 sh ./configure \
            --add-dynamic-module="$ROOT" --builddir="$ROOT/$out" "$@"
    ) > "$log" 2>&1 || {
        grep -A 3 'error:' "$log" >&2 || tail -n 20 "$log" >&2
        die "nginx's configure failed, see $log and $out/autoconf.err"
    }
}


# The folder of an nginx, from where the caller stands
nginx_source() {
    local source

    source=$(cd "$CALLER" && readlink -f "$1") || source=
    [[ -f $source/src/core/nginx.h ]] \
        || die "--nginx-source: that folder holds no nginx source"

    printf '%s\n' "$source"
}


# build_module SOURCE ASAN OPTIONS: SOURCE is a folder, '' for Debian's nginx
build_module() {
    local source=$1 asan=$2 name=nginx folder=$NGINX_DEV key
    local cc_opt="-Wall -Wextra -Werror" ld_opt="" out result
    local options=()
    shift 2

    if [[ -n $source ]]; then
        source=$(nginx_source "$source")
        name=upstream
        folder=$B/upstream-source
        options=(--with-compat --with-threads)

    else
        [[ -f $NGINX_DEV/conf_flags ]] \
            || die "Debian's package nginx-dev is missing: ./build.sh deps"
        # an array in bash's syntax
        # shellcheck disable=SC1091
        . $NGINX_DEV/conf_flags
        options=("${NGX_CONF_FLAGS[@]}")
    fi

    if [[ -n $asan ]]; then
        name+=-asan
        cc_opt+=" -O1 -g -fPIC -fno-omit-frame-pointer"
        cc_opt+=" -fsanitize=address,undefined"
        cc_opt+=" -include $ROOT/t/lib/B24/lock_check.h"
        ld_opt="-fsanitize=address,undefined"
        result=$B/asan/$MODULE.so

    else
        cc_opt="$(hardening CFLAGS) $(hardening CPPFLAGS) -fPIC $cc_opt"
        ld_opt="$(hardening LDFLAGS) -fPIC"
        result=$B/$MODULE.so
    fi

    out=$B/obj/$name
    options+=("--with-cc-opt=$cc_opt" "--with-ld-opt=$ld_opt" "$@")
    key=$(fingerprint "${options[@]}" "$source" "$(nginx_version "$source")")

    if [[ ! -f $out/key || $(< "$out/key") != "$key" ]]; then
        [[ -z $source ]] || copy_nginx "$source" "$folder"
        configure "$folder" "$out" "${options[@]}"
        printf '%s\n' "$key" > "$out/key"
    fi

    say "building $result for nginx $(nginx_version "$source")"

    make -s -j "$JOBS" -C "$folder" -f "$ROOT/$out/Makefile" modules \
        || die "the build failed"

    # nginx would refuse to load it
    ! nm -D --undefined-only "$out/$MODULE.so" \
        | grep -E ' U (ngx_http_)?b24_' >&2 || die "nothing defines these"

    mkdir -p "$(dirname "$result")"

    # what the locks of shared memory are watched with, see t/03-locks.t
    if [[ -n $asan ]]; then
        gcc -shared -fPIC -O1 -g -Wall -Wextra -Werror -o $B/asan/lock_check.new \
            t/lib/B24/lock_check.c -ldl || die "the build failed"
        mv $B/asan/lock_check.new $B/asan/lock_check.so
    fi

    # renamed into place: a running nginx keeps the file it has mapped
    if ! cmp -s "$out/$MODULE.so" "$result"; then
        cp "$out/$MODULE.so" "$result.new"
        mv "$result.new" "$result"
    fi
}


hardening() {
    dpkg-buildflags --get "$1" 2> /dev/null || echo "-g -O2"
}


nginx_version() {
    sed -n 's/^#define NGINX_VERSION *"\(.*\)"/\1/p' \
        "${1:-$NGINX_DEV}/src/core/nginx.h"
}


# arguments COMMAND ARGUMENTS: sets "source", "asan", "files", and "options",
# which is what follows --
arguments() {
    local command=$1
    shift

    source="" asan="" files=() options=()

    while (( $# )); do
        case $1 in
            --nginx-source)
                (( $# > 1 )) || die "--nginx-source needs a folder"
                source=$2
                shift
                ;;
            --nginx-source=*) source=${1#*=} ;;
            --) shift; options=("$@"); break ;;
            --asan) asan=$1 ;;
            -*) die "$command: no such option: $1" ;;
            *) files+=("$1") ;;
        esac
        shift
    done
}


cmd_build() {
    local source asan files options

    arguments build "$@"
    (( ! ${#files[@]} )) || die "build: no such option: ${files[0]}"

    deps build
    lock
    build_module "$source" "$asan" "${options[@]}"
}


# ---- tests -----------------------------------------------------------------

c_programs() {
    make -s -f t/Makefile -j "$JOBS" "$1" || die "the build of $1 failed"
}


# test_files FILES: sets "list", the same as prove takes them
test_files() {
    local file seen=" "

    list=()

    for file in "$@"; do
        # from here, or from where the caller stands
        [[ -e $file ]] || file=$CALLER/$file
        [[ -e $file ]] || die "there is no ${file#"$CALLER/"}"
        file=$(realpath --relative-to=. "$file")

        case $file in
            */unit/*.c)      file=$B/unit/$(basename "$file" .c) ;;
            */fuzz/fuzz_*.c) file=t/00-corpus.t ;;
        esac

        [[ $seen == *" $file "* ]] || list+=("$file")
        seen+="$file "
    done
}


# from the buyer's request to the rows of the deal
MAIN_PATH=(t/20-capture.t t/22-journal.t t/30-deliver.t t/33-rows.t)

# takes thirty times as long
VALGRIND=(t/30-deliver.t)


# Test files as programs that run them with the module under sanitizers
asan_files() {
    variant "$B/asan/t" \
        "\$ENV{B24_ASAN} = 1; \
         \$ENV{B24_MODULE} = '$ROOT/$B/asan/$MODULE.so';" "$@"
}


valgrind_files() {
    variant "$B/valgrind/t" "\$ENV{B24_VALGRIND} = 1;" "$@"
}


# variant FOLDER PERL FILES: programs in FOLDER that run PERL, then the file
variant() {
    local file to=$1 perl=$2
    shift 2

    rm -rf "$to"
    mkdir -p "$to"

    for file in "$@"; do
        # the others have no nginx or none with the module
        grep -q '^use B24::Test' "$file" 2> /dev/null || continue

        cat > "$to/$(basename "$file")" << END
use strict;
use warnings;

$perl

exec \$^X, map({ "-I\$_" } grep { !ref } @INC), '$file'
    or die "can't run $file: \$!\n";
END
        echo "$to/$(basename "$file")"
    done
}


# What tests keep for a moment lies in memory where there is room for it: whoever
# is killed leaves the same there as on a disk, and nothing waits for that.
quick_tmpdir() {
    local dir free

    for dir in /dev/shm/b24-test-*; do
        [[ ! -d $dir || -d /proc/${dir##*-} ]] || rm -rf "$dir"
    done

    free=$(df -k --output=avail /dev/shm 2> /dev/null | tail -n 1) || return 0

    dir=/dev/shm/b24-test-$$

    if [[ -z ${TMPDIR:-} ]] && (( ${free:-0} >= 2 * 1024 * 1024 )) \
       && mkdir -m 1777 $dir 2> /dev/null
    then
        export TMPDIR=$dir
        trap 'rm -rf "$TMPDIR"' EXIT
    fi
}


# Ends with prove's own summary and status.
run_prove() {
    local include=(-It/lib)

    perl -MTest::Nginx::Socket -e 1 2> /dev/null \
        || include+=(-It/lib/runner)

    unlock
    say "prove"

    quick_tmpdir

    # nothing comes after prove's summary; t/testrules.yml: what runs alone
    prove --timer -j "$TEST_JOBS" "${include[@]}" "$@" || exit $?
}


cmd_test() {
    local all="" files=() list=() again=() whole=""

    while (( $# )); do
        case $1 in
            --all) all=1 ;;
            -*) die "test: no such option: $1" ;;
            *) files+=("$1") ;;
        esac
        shift
    done

    if (( ! ${#files[@]} )); then
        whole=1
        files=("${LONGEST[@]/#/t\/}")
        files=("${files[@]/%/.t}" t/unit/*.c t/*.t)
    fi

    test_files "${files[@]}"

    deps build test
    [[ -z $all ]] || deps bench try
    lock
    build_module "" ""

    say "building the C tests"
    c_programs unit
    c_programs tools

    # the main path under sanitizers, with --all whatever there is
    if [[ -n $all ]]; then
        export B24_LONG=1
        again=("${list[@]}")

    elif [[ -n $whole ]]; then
        again=("${MAIN_PATH[@]}")
    fi

    if (( ${#again[@]} )); then
        build_module "" 1
        mapfile -t -O ${#list[@]} list < <(asan_files "${again[@]}")
    fi

    if [[ -n $whole ]]; then
        c_programs tsan
        mapfile -t -O ${#list[@]} list < <(ls -d $B/tsan/*)

        [[ -z $all ]] || mapfile -t -O ${#list[@]} list \
            < <(valgrind_files "${VALGRIND[@]}")
    fi

    run_prove "${list[@]}"
}


cmd_tsan() {
    deps build
    lock
    c_programs tsan
    run_prove $B/tsan/*
}


cmd_valgrind() {
    local list=()

    (( $# )) || set -- "${VALGRIND[@]}"
    test_files "$@"

    deps build test bench
    lock
    build_module "" ""

    mapfile -t list < <(valgrind_files "${list[@]}")
    (( ${#list[@]} )) || die "valgrind: no file that uses B24::Test"
    run_prove "${list[@]}"
}


# What a smoke set needs of an nginx, beside the module
smoke_options() {
    local source=$1 name
    local options=(--with-compat --with-threads --with-debug)

    for name in ssl v2 realip auth_request sub addition slice gunzip \
                gzip_static dav; do
        options+=("--with-http_${name}_module")
    done

    # 1.25 and newer
    [[ ! -d $source/src/http/v3 ]] || options+=(--with-http_v3_module)

    printf '%s\n' "${options[@]}"
}


# build_nginx SOURCE OPTIONS: sets "smoke" to a folder with that nginx and the
# module, of one configure
build_nginx() {
    local source version key options=()
    local cc_opt="-fPIC -Wall -Wextra -Werror"

    source=$(nginx_source "$1")
    shift

    version=$(nginx_version "$source")
    smoke=$B/smoke/$version
    mapfile -t options < <(smoke_options "$source")
    cc_opt="$(hardening CFLAGS) $(hardening CPPFLAGS) $cc_opt"
    options+=("--with-cc-opt=$cc_opt" "--with-ld-opt=$(hardening LDFLAGS)" "$@")
    key=$(fingerprint "${options[@]}" "$source" "$version")

    if [[ ! -f $smoke/objs/key || $(< "$smoke/objs/key") != "$key" ]]; then
        copy_nginx "$source" "$smoke/source"
        configure "$smoke/source" "$smoke/objs" "${options[@]}"
        printf '%s\n' "$key" > "$smoke/objs/key"
    fi

    say "building nginx $version and the module in $smoke"

    make -s -j "$JOBS" -C "$smoke/source" -f "$ROOT/$smoke/objs/Makefile" \
        binary modules || die "the build failed"
}


cmd_smoke() {
    local source asan files options list=() smoke

    arguments smoke "$@"
    [[ -z $asan ]] || die "smoke: no such option: $asan"
    [[ -n $source ]] || die "smoke: which nginx?  --nginx-source DIR"

    (( ${#files[@]} )) || files=("${SMOKE[@]}")
    test_files "${files[@]}"

    deps build test
    lock
    c_programs tools
    build_nginx "$source" "${options[@]}"

    export TEST_NGINX_BINARY=$ROOT/$smoke/objs/nginx
    export B24_MODULE=$ROOT/$smoke/objs/$MODULE.so
    run_prove "${list[@]}"
}


cmd_unit() {
    local name files=() list=()

    for name in "$@"; do
        files+=("t/unit/$(basename "$name" .c).c")
    done

    (( ${#files[@]} )) || files=(t/unit/*.c t/00-corpus.t)
    test_files "${files[@]}"

    deps build
    lock
    c_programs unit
    run_prove "${list[@]}"
}


# build_pools_nginx DIR: build/asan/nginx with the sanitizers and
# NGX_DEBUG_PALLOC, which makes a malloc() of each allocation from a pool.  As
# Debian's otherwise, whose modules it loads.
build_pools_nginx() {
    local source out=$B/obj/nginx-pools folder=$B/pools-source options=() option

    source=$(nginx_source "$1")
    [[ $(nginx_version "$source") == $(nginx_version "") ]] \
        || die "asan: Debian's modules need nginx $(nginx_version "")"

    # shellcheck disable=SC1091
    . $NGINX_DEV/conf_flags

    # Debian's static modules; dynamic ones have libraries of theirs
    for option in "${NGX_CONF_FLAGS[@]}"; do
        [[ $option == *=dynamic ]] || options+=("$option")
    done

    for option in $(nginx -V 2>&1); do
        [[ ! $option =~ ^--with-http_[a-z0-9_]+_module$ ]] \
            || options+=("$option")
    done

    [[ ! -f $out/key || $(< "$out/key") != "$source" ]] || return 0

    rm -rf "$folder" "$out"
    copy_nginx "$source" "$folder"
    mkdir -p "$out" "$B/asan"

    # Debian's patches have members of their own in nginx's structures
    (cd $NGINX_DEV/src && find . -name '*.h' -print0 \
        | xargs -0 cp --parents -t "$ROOT/$folder/src")

    say "building $B/asan/nginx, see $out/build.log"

    # the core copies nothing from NULL, and reads words where they lie
    (
        cd "$folder"
        export ASAN_OPTIONS=detect_leaks=0
        sh ./configure "${options[@]}" --builddir="$ROOT/$out" --with-debug \
            --with-cc-opt="-O1 -g -fno-omit-frame-pointer \
                -fsanitize=address,undefined \
                -fno-sanitize=nonnull-attribute -DNGX_DEBUG_PALLOC=1 \
                -DNGX_HAVE_NONALIGNED=0" \
            --with-ld-opt="-fsanitize=address,undefined -Wl,-E"
        make -s -j "$JOBS" -f "$ROOT/$out/Makefile"
    ) > "$out/build.log" 2>&1 || {
        tail -n 20 "$out/build.log" >&2
        die "the build of nginx failed, see $out/build.log"
    }

    cp "$out/nginx" "$B/asan/nginx"
    printf '%s\n' "$source" > "$out/key"
}


cmd_asan() {
    local source asan files options list=()

    arguments asan "$@"
    [[ -z $asan && ${#options[@]} == 0 ]] \
        || die "asan: no such option: ${asan:---}"
    (( ${#files[@]} )) || files=(t/*.t)
    test_files "${files[@]}"

    deps build test
    lock
    build_module "" 1

    if [[ -n $source ]]; then
        build_pools_nginx "$source"
        export TEST_NGINX_BINARY=$ROOT/$B/asan/nginx
    fi

    mapfile -t list < <(asan_files "${list[@]}")
    (( ${#list[@]} )) || die "asan: no file that uses B24::Test"
    run_prove "${list[@]}"
}


# What a target says of itself in its first comment: " * WORD: ...".
fuzz_says() {
    sed -n "s|^ \* $2: *||p; /\*\//q" "t/fuzz/fuzz_$1.c"
}


# What a target begins with, as files in build/fuzz-seed/NAME: inputs that have a
# name of their own, large ones packed, the minimised finds, and what is made of
# the recordings.
fuzz_seed() {
    local name=$1 file to=$B/fuzz-seed/$1

    rm -rf "$to"
    mkdir -p "$to" "$B/fuzz-found/$name"

    for file in "t/fuzz/corpus/$name"/*; do
        case $file in
            *.packed.gz)
                gzip -dc "$file" > "$to/$(basename "$file" .packed.gz)"
                ;;
            *) [[ ! -f $file ]] || cp "$file" "$to/" ;;
        esac
    done

    if [[ -f t/fuzz/corpus/$name.tar.gz ]]; then
        tar -xzf "t/fuzz/corpus/$name.tar.gz" -C "$to"
    fi

    perl -It/lib t/fuzz/seeds.pl "$name" "$to"
}


# fuzz_one NAME SECONDS: leaves NAME.log; what it finds new stays in build/
fuzz_one() {
    local name=$1 seconds=$2 log=$B/fuzz-found/$1.log options=()

    [[ -z $(fuzz_says "$name" "At most") ]] \
        || options+=("-max_len=$(fuzz_says "$name" "At most")")
    [[ ! -f t/fuzz/$name.dict ]] || options+=("-dict=t/fuzz/$name.dict")

    fuzz_seed "$name"

    "$B/fuzz/$name" -max_total_time="$seconds" -print_final_stats=1 \
        -timeout=25 -rss_limit_mb=2048 "${options[@]}" \
        -artifact_prefix="$B/fuzz-found/$name-" \
        "$B/fuzz-found/$name" "$B/fuzz-seed/$name" > "$log" 2>&1 || true
}


# fuzz_cover NAME: lines in percent of the files it aims at that its corpus and
# its finds reach
fuzz_cover() {
    local name=$1 file files=() profile=$B/fuzz-found/$1.profile

    # words of several lines
    # shellcheck disable=SC2046
    for file in $(fuzz_says "$name" "Aims at"); do
        files+=("$MODULE/$file")
    done

    LLVM_PROFILE_FILE=$profile.raw "$B/cover/$name" "$B/fuzz-seed/$name" \
        "$B/fuzz-found/$name" > /dev/null 2>&1 || true

    llvm-profdata merge -sparse "$profile.raw" -o "$profile" 2> /dev/null \
        || return 0

    llvm-cov report "$B/cover/$name" -instr-profile="$profile" "${files[@]}" \
        2> /dev/null | awk '$1 == "TOTAL" { print $10 }'
}


fuzz_number() {
    sed -n "s/^stat::$2: *//p" "$B/fuzz-found/$1.log" | tail -n 1
}


# A line of the table; returns 1 for findings.
fuzz_line() {
    local name=$1 since=$2 findings corpus

    findings=$(find $B/fuzz-found -maxdepth 1 -newer "$since" \
               -name "$name-*" ! -name '*.log' | wc -l)

    # killed, or it did not even start
    grep -q '^stat::number_of' "$B/fuzz-found/$name.log" \
        || findings=$(( findings + 1 ))

    corpus=$(find "$B/fuzz-seed/$name" "$B/fuzz-found/$name" -type f \
             -printf '%s\n' | awk '{ n++; s += $1 }
                 END { printf "%d files, %d KiB", n, s / 1024 }')

    printf '%-12s %12s %8s %9s  %-20s %8s\n' "$name" \
        "$(fuzz_number "$name" number_of_executed_units)" \
        "$(fuzz_number "$name" average_exec_per_sec)" \
        "$(fuzz_cover "$name")" "$corpus" "$findings"

    (( findings == 0 ))
}


# fuzz_minimise NAME: of the finds and of what is made of the recordings the
# fewest inputs that reach what the named ones don't, in one archive
fuzz_minimise() {
    local name=$1 to=$B/fuzz-minimised/$1 file

    fuzz_seed "$name"
    rm -rf "$to"
    mkdir -p "$to"

    for file in "t/fuzz/corpus/$name"/*; do
        file=$(basename "$file" .packed.gz)
        [[ ! -f $B/fuzz-seed/$name/$file ]] \
            || cp "$B/fuzz-seed/$name/$file" "$to/named-$file"
    done

    "$B/fuzz/$name" -merge=1 -use_counters=0 -timeout=25 -rss_limit_mb=2048 \
        -max_len=1048576 "$to" "$B/fuzz-seed/$name" "$B/fuzz-found/$name" \
        > "$B/fuzz-found/$name.merge" 2>&1 \
        || die "fuzz: $name can't be minimised, see" \
               "$B/fuzz-found/$name.merge"

    rm -f "$to"/named-*

    tar -c --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
        -C "$to" . | gzip -9n > "t/fuzz/corpus/$name.tar.gz"

    printf '%-12s %5d files, %6d bytes\n' "$name" \
        "$(find "$to" -type f | wc -l)" \
        "$(stat -c %s "t/fuzz/corpus/$name.tar.gz")"
}


cmd_fuzz() {
    local name seconds=600 each names=() found=0 minimise="" since

    for name in "$@"; do
        case $name in
            --minimise) minimise=1 ;;
            *[!0-9]*) names+=("$name") ;;
            *) seconds=$name ;;
        esac
    done

    deps build fuzz
    lock

    say "building the fuzzers"
    c_programs fuzz
    [[ -n $minimise ]] || c_programs cover
    unlock

    if (( ! ${#names[@]} )); then
        for name in t/fuzz/fuzz_*.c; do
            name=${name##*/fuzz_}
            names+=("${name%.c}")
        done
    fi

    for name in "${names[@]}"; do
        [[ -x $B/fuzz/$name ]] || die "fuzz: there is no t/fuzz/fuzz_$name.c"
    done

    mkdir -p $B/fuzz-found $B/fuzz-seed

    if [[ -n $minimise ]]; then
        for name in "${names[@]}"; do
            fuzz_minimise "$name"
        done
        return
    fi

    each=$(( seconds * JOBS / ${#names[@]} ))
    (( each >= 20 )) || each=20
    (( ${#names[@]} >= JOBS )) || each=$seconds

    say "fuzzing ${#names[@]} targets, $each seconds each, $JOBS at a time"

    since=$B/fuzz-found/since
    touch "$since"

    for name in "${names[@]}"; do
        while (( $(jobs -rp | wc -l) >= JOBS )); do
            wait -n || true
        done
        fuzz_one "$name" "$each" &
    done
    wait

    printf '%-12s %12s %8s %9s  %-20s %8s\n' \
        target executions exec/s lines corpus findings

    for name in "${names[@]}"; do
        fuzz_line "$name" "$since" || found=1
    done

    (( ! found )) || die "fuzz: there are findings, see $B/fuzz-found/"
}


cmd_bench() {
    local name

    for name in "$@"; do
        [[ -f t/bench/$name.pl || -f t/bench/$name.c ]] \
            || die "bench: there is no t/bench/$name.pl or $name.c"
    done

    deps build test bench
    lock
    build_module "" ""
    c_programs bench
    unlock

    exec perl -It/lib t/bench/bench.pl "$@"
}


# ---- replay ----------------------------------------------------------------

# Files are meant from where the caller stands.
from_caller() {
    local path=$1

    [[ $path == /* || ! -e $CALLER/$path ]] || path=$CALLER/$path
    printf '%s\n' "$path"
}


cmd_replay() {
    local options=() files=()

    while (( $# )); do
        case $1 in
            --conf)
                (( $# > 1 )) || die "replay: --conf needs a file"
                options+=(--conf "$(from_caller "$2")")
                shift
                ;;
            --conf=*) options+=(--conf "$(from_caller "${1#*=}")") ;;
            --shop)
                (( $# > 1 )) || die "replay: --shop needs a name"
                options+=(--shop "$2")
                shift
                ;;
            --shop=*) options+=(--shop "${1#*=}") ;;
            --all) options+=(--all) ;;
            -*) die "replay: no such option: $1" ;;
            *) files+=("$(from_caller "$1")") ;;
        esac
        shift
    done

    (( ${#files[@]} )) || die "replay: which recording?  A HAR that a" \
        "browser has saved, a folder, or single files; see docs/rules.md"

    deps build replay
    lock
    build_module "" "" >&2
    c_programs tools >&2
    unlock

    exec perl -It/lib t/rules.pl "${options[@]}" "${files[@]}"
}


# ---- chaos -----------------------------------------------------------------

cmd_chaos() {
    local options=() numbers=() bugs="" name names=()

    while (( $# )); do
        case $1 in
            --bugs) bugs=1 ;;
            --journal|--orders)
                (( $# > 1 )) || die "chaos: $1 needs a value"
                options+=("$1" "$2")
                shift
                ;;
            --keep|--verbose|--plan) options+=("$1") ;;
            -*) die "chaos: no such option: $1" ;;
            *[!0-9]*) names+=("$1") ;;
            *) numbers+=("$1") ;;
        esac
        shift
    done

    (( ${#numbers[@]} <= 2 && (${#names[@]} == 0 || ${#bugs}) )) \
        || die "chaos: [SECONDS] [SEED], names only after --bugs"

    [[ -z ${numbers[0]:-} ]] || options+=(--seconds "${numbers[0]}")
    [[ -z ${numbers[1]:-} ]] || options+=(--seed "${numbers[1]}")

    deps build test
    lock
    build_module "" ""

    if [[ -z $bugs ]]; then
        unlock
        exec perl -It/lib t/chaos/chaos.pl "${options[@]}"
    fi

    (( ${#names[@]} )) \
        || mapfile -t names < <(basename -s .patch t/chaos/bugs/*.patch)

    for name in "${names[@]}"; do
        [[ -f t/chaos/bugs/$name.patch ]] \
            || die "chaos: there is no t/chaos/bugs/$name.patch"
        build_bug "$name"
    done

    unlock
    exec perl -It/lib t/chaos/bugs.pl "${options[@]}" "${names[@]}"
}


# build_bug NAME: build/chaos/NAME.so, from a copy of the sources with the
# patch; what it doesn't touch has been compiled for the module itself
build_bug() {
    local name=$1 to=$B/chaos/bug out=$B/chaos/bug/obj

    rm -rf $to
    mkdir -p $out
    cp -a config $MODULE $to/
    cp -a $B/obj/nginx/. $out/

    patch -s -p1 -d $to < "t/chaos/bugs/$name.patch" \
        || die "chaos: the patch $name applies no more: bring it up to date"

    # the same Makefile, with the copies in place of the sources
    sed -e "s|$ROOT/$B/obj/nginx|$ROOT/$out|g" \
        -e "s|$ROOT/$MODULE|$ROOT/$to/$MODULE|g" \
        -e "s|$ROOT/config|$ROOT/$to/config|g" \
        $B/obj/nginx/Makefile > $out/Makefile

    say "building the module with the bug $name"

    make -s -j "$JOBS" -C $NGINX_DEV -f "$ROOT/$out/Makefile" modules \
        || die "chaos: the module with the bug $name does not build"

    ! cmp -s $out/$MODULE.so $B/$MODULE.so \
        || die "chaos: the bug $name is not in the module that was built"

    cp $out/$MODULE.so "$B/chaos/$name.so"
}


# ---- lint ------------------------------------------------------------------

# The compiler's commands, as clang-tidy and editors read them.
compile_commands() {
    make -nB -s -C $NGINX_DEV -f "$ROOT/$B/obj/nginx/Makefile" modules \
        | perl -MJSON::PP -0777 -e '
            my ($folder) = @ARGV;
            my @list;

            (my $text = <STDIN>) =~ s/\\\n\s*/ /g;

            for (split /\n/, $text) {
                next if !m{ -c .* (\S*/ngx_http_b24_module/\S+\.c)\s*$};
                my $file = $1;

                # gcc only, or against nginx and Debian rather than us
                s{\s-(?:Werror\S*|ffile-prefix-map=\S+)}{}g;
                push @list, { directory => $folder, file => $file,
                              command => $_ };
            }

            print JSON::PP->new->pretty->canonical->encode(\@list);
        ' $NGINX_DEV > $B/compile_commands.json
}


# The tests are left to the sanitizers.
tidy() {
    local room status=0
    local pure=(-std=gnu11 -Wall -Wextra "-I$MODULE")

    # nginx's types are signed and unsigned as it pleases, its constants are
    # written 24 * 60 * 60
    local idioms=-bugprone-narrowing-conversions
    idioms+=,-bugprone-implicit-widening-of-multiplication-result

    for room in base order session queue crm database intake courier desk; do
        pure+=("-I$MODULE/$room")
    done

    say "clang-tidy"

    find $MODULE -name 'ngx_*.c' | sort \
        | xargs -r -P "$JOBS" -n 1 \
          clang-tidy --quiet -p $B "--checks=$idioms" \
        2> $B/tidy.log || status=1

    find $MODULE -name '*.c' ! -name 'ngx_*' | sort \
        | xargs -r -P "$JOBS" -I '{}' \
          clang-tidy --quiet '{}' -- "${pure[@]}" \
        2>> $B/tidy.log || status=1

    return $status
}


check_cpp() {
    local room include=(-I "$MODULE")

    for room in base order session queue crm database intake courier desk; do
        include+=(-I "$MODULE/$room")
    done

    say "cppcheck"

    cppcheck --quiet --std=c11 --enable=warning,portability \
        --inline-suppr --error-exitcode=1 -j "$JOBS" \
        --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
        "${include[@]}" $MODULE
}


# 80 columns (tests may carry long texts), no tabs, no blanks at the end of a
# line, no //, two empty lines between functions.
check_style() {
    say "style"

    # shellcheck disable=SC2016
    find $MODULE t/unit t/fuzz t/bench -name '*.[ch]' 2> /dev/null | sort \
        | xargs -r perl -CSD -e '
        my $bad = 0;

        sub complain {
            my ($text, $line) = @_;
            print "$ARGV:", $line // $., ": $text\n";
            $bad = 1;
        }

        my ($blank, $open, $comment) = (0, 0, 0);

        while (<>) {
            chomp;

            complain("a tab") if /\t/;
            complain("blanks at the end of the line") if /\s$/;
            complain("more than 80 columns")
                if length > 80 && $ARGV !~ m{^t/};

            # strings and comments may hold anything
            (my $code = $_) =~ s{"(?:[^"\\]|\\.)*"}{""}g;
            $code =~ s{/\*.*?\*/}{}g;

            if ($comment) {
                $comment = 0 if $code =~ s{^.*?\*/}{};
                $code = "" if $comment;
            }

            $comment = 1 if $code =~ s{/\*.*}{};
            complain("a // comment") if $code =~ m{//};

            if (/^$/) {
                $blank++;

            } else {
                complain("$blank empty lines between functions, not 2")
                    if $open && $blank != 2 && !/^#/;
                $open = 0;
                $blank = 0;
            }

            $open = 1 if /^}$/;

            if (eof) {
                complain("empty lines at the end of the file") if $blank;
                ($blank, $open, $comment) = (0, 0, 0);
                close ARGV;
            }
        }

        exit $bad;
    '
}


check_scripts() {
    local file status=0

    say "scripts"

    shellcheck -x build.sh .ci/run t/*.sh || status=1

    while read -r file; do
        perl -It/lib -It/lib/runner -It/chaos -c "$file" 2> $B/perl.log \
            || { cat $B/perl.log; status=1; }
    done < <(find t -name '*.pl' -o -name '*.pm' -path '*/B24/*' | sort)

    while read -r file; do
        php -l "$file" > $B/php.log 2>&1 || { cat $B/php.log; status=1; }
    done < <(find t/shop t/bitrix -name '*.php' | sort)

    return $status
}


cmd_lint() {
    local failed=()

    deps build test lint
    lock
    build_module "" ""
    compile_commands

    check_style || failed+=(style)
    check_scripts || failed+=(scripts)
    check_cpp || failed+=(cppcheck)
    tidy || failed+=(clang-tidy)

    (( ! ${#failed[@]} )) || die "lint: complaints by ${failed[*]}"
    say "lint: clean"
}


# ---- the trial run ---------------------------------------------------------

cmd_run() {
    deps build test
    lock
    build_module "" ""
    unlock

    exec perl -It/lib t/run.pl start $B/run
}


# ---- soak ------------------------------------------------------------------

cmd_soak() {
    local seconds=()

    if [[ ${1:-} =~ ^[0-9]+$ ]]; then
        seconds=(--seconds "$1")
        shift
    fi

    deps build test
    lock
    build_module "" ""
    unlock

    exec perl -It/lib t/soak.pl "${seconds[@]}" "$@"
}


# ---- packages --------------------------------------------------------------

# Same sources, same bytes: names are sorted, times are the changelog's, and
# what compilers and archivers write of folders is left out.
cmd_package() {
    local to=$B/package name=libnginx-mod-http-b24 version epoch source

    case "$*" in
        "") deps build package ;;
        --try) deps build test package try ;;
        *) die "package: no such option: $*" ;;
    esac

    version=$(dpkg-parsechangelog -l $MODULE/debian/changelog -S Version)
    epoch=$(dpkg-parsechangelog -l $MODULE/debian/changelog -S Timestamp)
    source=${version%-*}

    grep -q "define NGX_HTTP_B24_VERSION  *\"$source\"" $MODULE/$MODULE.h \
        || die "package: $MODULE.h and $MODULE/debian/changelog differ in the" \
               "version"

    lock
    rm -rf $to
    mkdir -p "$to/$name-$source"

    say "packing $to/$MODULE-$source.tar.gz"

    tar -c --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner \
        --mode=go=rX,u+rw --transform="s|^[.]|$MODULE-$source|" \
        --exclude-vcs --exclude="./$B" . \
        | gzip -9n > "$to/$MODULE-$source.tar.gz"

    cp -R config $MODULE docs README.md LICENSE CHANGELOG.md \
        "$to/$name-$source/"
    mv "$to/$name-$source/$MODULE/debian" "$to/$name-$source/"

    say "building the package, see $to/build.log"

    (
        cd "$to/$name-$source"
        SOURCE_DATE_EPOCH=$epoch DEB_BUILD_OPTIONS="parallel=$JOBS" \
            dpkg-buildpackage -b -uc -us
    ) > $to/build.log 2>&1 || {
        tail -n 30 $to/build.log >&2
        die "package: the build failed, see $to/build.log"
    }

    rm -rf "${to:?}/$name-$source"
    unlock

    perl t/tools/spdx.pl "$to/${name}_${version}"_*.deb "$epoch" \
        > "$to/${name}_${version}.spdx.json"

    say "lintian"
    lintian --fail-on error,warning $to/*.changes \
        || die "package: lintian has found something"

    say "made $(cd $to && echo *.deb *.tar.gz *.json)"

    [[ -z $* ]] || exec t/fresh.sh "$to/${name}_${version}"_*.deb
}


cmd_stop() {
    exec perl -It/lib t/run.pl stop $B/run
}


cmd_clean() {
    [[ ! -d $B/run ]] || perl -It/lib t/run.pl stop $B/run
    rm -rf $B
}


main() {
    local command=${1:-help}

    if (( $# )); then
        shift
    fi

    case $command in
        deps)
            (( $# )) || set -- build test
            deps "$@"
            ;;
        build|smoke|unit|test|asan|valgrind|tsan|fuzz|lint|bench|replay|chaos|soak|package)
            "cmd_$command" "$@"
            ;;
        run|stop|clean)
            "cmd_$command" "$@"
            ;;
        help|-h|--help)
            usage
            ;;
        *)
            printf 'build.sh: no such command: %s\n\n' "$command" >&2
            usage >&2
            exit 2
            ;;
    esac
}


main "$@"
