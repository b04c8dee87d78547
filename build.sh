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

export LC_ALL=C.UTF-8


usage() {
    cat << END
Usage: ./build.sh COMMAND

  run                        packages, build, a trial shop, portal and nginx on
                             loopback; places an order, shows the deal
  stop                       ends what "run" started
  test [FILES] [--all]       packages, build, every suite; FILES: t/NAME.t,
                             t/unit/NAME.c, t/fuzz/fuzz_NAME.c;
                             --all: the suite under sanitizers as well

  deps [build|test|lint|fuzz]
                             installs the Debian packages that are missing
  build [--nginx-source DIR] [--asan] [-- OPTIONS]
                             leaves $B/$MODULE.so, with --asan
                             $B/asan/$MODULE.so; for Debian's
                             nginx, or for the nginx unpacked in DIR with
                             OPTIONS for its configure
  unit [NAME ...]            tests of the parts that know no nginx
  asan [FILES]               the suite with the module under ASan and UBSan
  fuzz [SECONDS] [NAME ...]  libFuzzer, 30 seconds each
  lint                       clang-tidy, cppcheck, style
  bench [NAME ...]           benchmarks of the parts that know no nginx
  chaos [SECONDS] [SEED] [--journal sync|async|off] [--orders N] [--verbose]
                             orders while nginx is killed and the portal fails;
                             what came of them is compared.  120 seconds,
                             seed 1
  chaos --bugs [NAME ...]    the same with bugs put in: each must be found
  clean                      removes $B/
  help                       this text

Not there yet: soak, replay, package.
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
            echo perl openssl procps util-linux
            echo libmojolicious-perl libio-socket-ssl-perl
            echo libtest-base-perl libtest-longstring-perl
            echo libhttp-message-perl
            echo libnginx-mod-http-headers-more-filter libnginx-mod-http-echo
            echo php-fpm php-sqlite3 php-mysql php-mbstring
            echo mariadb-server-core mariadb-client-core
            ;;
        lint)
            echo clang-tidy cppcheck shellcheck perl
            ;;
        fuzz)
            echo clang llvm libclang-rt-dev
            ;;
        *)
            die "deps: no such set of packages: $1"
            ;;
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
    local group package missing=() as_root=()

    command -v dpkg-query > /dev/null \
        || die "packages are installed on Debian only; see docs/testing.md" \
               "for what else is needed"

    for group in "$@"; do
        for package in $(packages "$group"); do
            is_installed "$package" || missing+=("${package%%|*}")
        done
    done

    (( ${#missing[@]} )) || return 0

    if (( EUID != 0 )); then
        command -v sudo > /dev/null \
            || die "packages are missing, as root:" \
                   "apt-get install ${missing[*]}"
        as_root=(sudo)
    fi

    say "installing ${missing[*]}"

    as_root+=(env DEBIAN_FRONTEND=noninteractive)

    # old lists may still do
    "${as_root[@]}" apt-get -q update \
        || say "apt-get update failed, trying with the lists there are"

    "${as_root[@]}" apt-get -q -y --no-install-recommends \
        install "${missing[@]}" \
        || die "apt-get could not install ${missing[*]}"
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


# build_module SOURCE ASAN OPTIONS: SOURCE is a folder, '' for Debian's nginx
build_module() {
    local source=$1 asan=$2 name=nginx folder=$NGINX_DEV key
    local cc_opt="-Wall -Wextra -Werror" ld_opt="" out result
    local options=()
    shift 2

    if [[ -n $source ]]; then
        # from where the caller stands
        source=$(cd "$CALLER" && readlink -f "$source") || source=
        [[ -f $source/src/core/nginx.h ]] \
            || die "--nginx-source: that folder holds no nginx source"
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


cmd_build() {
    local source="" asan=""

    while (( $# )); do
        case $1 in
            --nginx-source)
                (( $# > 1 )) || die "--nginx-source needs a folder"
                source=$2
                shift
                ;;
            --nginx-source=*) source=${1#*=} ;;
            --asan) asan=1 ;;
            --) shift; break ;;
            *) die "build: no such option: $1" ;;
        esac
        shift
    done

    deps build
    lock
    build_module "$source" "$asan" "$@"
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


# Test files as programs that run them with the module under sanitizers
asan_files() {
    local file to=$B/asan/t

    rm -rf $to
    mkdir -p $to

    for file in "$@"; do
        # the others have no nginx or none with the module
        grep -q '^use B24::Test' "$file" 2> /dev/null || continue

        cat > "$to/$(basename "$file")" << END
use strict;
use warnings;

\$ENV{B24_ASAN} = 1;
\$ENV{B24_MODULE} = '$ROOT/$B/asan/$MODULE.so';

exec \$^X, map({ "-I\$_" } grep { !ref } @INC), '$file'
    or die "can't run $file: \$!\n";
END
        echo "$to/$(basename "$file")"
    done
}


# Ends with prove's own summary and status.
run_prove() {
    local include=(-It/lib)

    perl -MTest::Nginx::Socket -e 1 2> /dev/null \
        || include+=(-It/lib/runner)

    unlock
    say "prove"

    # nothing comes after prove's summary; t/testrules.yml: what runs alone
    exec prove --timer -j "${B24_JOBS:-1}" "${include[@]}" "$@"
}


cmd_test() {
    local all="" files=() list=()

    while (( $# )); do
        case $1 in
            --all) all=1 ;;
            -*) die "test: no such option: $1" ;;
            *) files+=("$1") ;;
        esac
        shift
    done

    (( ${#files[@]} )) || files=(t/unit/*.c t/*.t)
    test_files "${files[@]}"

    deps build test
    lock
    build_module "" ""

    say "building the C tests"
    c_programs unit

    if [[ -n $all ]]; then
        export B24_LONG=1
        build_module "" 1
        mapfile -t -O ${#list[@]} list < <(asan_files "${list[@]}")
    fi

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


cmd_asan() {
    local list=()

    (( $# )) || set -- t/*.t
    test_files "$@"

    deps build test
    lock
    build_module "" 1

    mapfile -t list < <(asan_files "${list[@]}")
    (( ${#list[@]} )) || die "asan: no file that uses B24::Test"
    run_prove "${list[@]}"
}


cmd_fuzz() {
    local name log seconds=30 names=() found=0

    for name in "$@"; do
        case $name in
            *[!0-9]*) names+=("$name") ;;
            *) seconds=$name ;;
        esac
    done

    deps build fuzz
    lock
    c_programs fuzz
    unlock

    if (( ! ${#names[@]} )); then
        for name in t/fuzz/fuzz_*.c; do
            name=${name##*/fuzz_}
            names+=("${name%.c}")
        done
    fi

    for name in "${names[@]}"; do
        [[ -x $B/fuzz/$name ]] || die "fuzz: there is no t/fuzz/fuzz_$name.c"

        say "fuzzing $name for $seconds seconds"
        mkdir -p "$B/fuzz-found/$name" "t/fuzz/corpus/$name"

        # what it finds new stays in build/, the corpus is only read
        log=$B/fuzz-found/$name.log

        if ! "$B/fuzz/$name" -max_total_time="$seconds" \
             -print_final_stats=1 -timeout=10 -rss_limit_mb=1024 \
             -artifact_prefix="$B/fuzz-found/$name-" \
             "$B/fuzz-found/$name" "t/fuzz/corpus/$name" > "$log" 2>&1
        then
            found=1
            grep -A 20 -E 'ERROR:|runtime error:' "$log" || tail "$log"
        fi

        # executions, code reached, size of the corpus
        grep -E ' (DONE|cov:)' "$log" | tail -n 1
    done

    (( ! found )) || die "fuzz: there are findings, see $B/fuzz-found/"
}


cmd_bench() {
    local name programs=()

    deps build
    lock
    c_programs bench
    unlock

    for name in "$@"; do
        [[ -x $B/bench/$name ]] || die "bench: there is no t/bench/$name.c"
        programs+=("$B/bench/$name")
    done

    (( ${#programs[@]} )) || programs=("$B"/bench/*)
    [[ -x ${programs[0]} ]] || die "bench: there are no benchmarks in t/bench"

    for name in "${programs[@]}"; do
        say "${name##*/}"
        "$name"
    done
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

    shellcheck build.sh .ci/run || status=1

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
        build|unit|test|asan|fuzz|lint|bench|chaos|run|stop|clean)
            "cmd_$command" "$@"
            ;;
        soak|replay|package)
            printf 'build.sh: "%s" is not available yet\n' "$command" >&2
            exit 2
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
