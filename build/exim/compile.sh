#!/bin/bash
# compile.sh - compile Exim's daemon in an unpacked tree.
#
#   build/exim/compile.sh TREE ROOT plain|asan|all
#
# Installs ROOT/usr/sbin/exim4 and ROOT/usr/include/exim4, configured as Debian's
# exim4-daemon-heavy is; an upstream tree as Makefile.upstream says.
#   asan   with AddressSanitizer and UndefinedBehaviorSanitizer, see asan.c
#   all    with Exim's other programs (exiqgrep, exinext, ...) as well
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${JOBS:=$(nproc)}"

tree=$1 root=$2 kind=$3
export LC_ALL=C DEB_BUILD_MAINT_OPTIONS=hardening=+all
EXIM_ARCHTYPE=$(dpkg-architecture -qDEB_TARGET_GNU_CPU)
export EXIM_ARCHTYPE
# Else Exim takes the builder's for a default.
unset TZ

configure() {
	mkdir -p "$tree/Local"
	if [ -d "$tree/debian" ]; then
		make -C "$tree" -f debian/rules unpack-configs
		cp "$tree/EDITME.exim4-heavy" "$tree/Local/Makefile"
	else
		cp "$here/Makefile.upstream" "$tree/Local/Makefile"
	fi
}

# As debian/rules has them.
flags_plain() {
	CFLAGS="$(cd "$tree" && dpkg-buildflags --get CFLAGS) $(dpkg-buildflags --get CPPFLAGS)"
	LFLAGS=$(dpkg-buildflags --get LDFLAGS)
}

flags_all() {
	flags_plain
}

flags_asan() {
	local sanitize="-fsanitize=address,undefined -fsanitize-recover=all -fno-omit-frame-pointer"
	CFLAGS="-O1 -g $sanitize"
	LFLAGS=$sanitize
	gcc -O1 -g -fno-omit-frame-pointer -c -o "$tree/asan.o" "$here/asan.c"
	echo "EXTRALIBS_EXIM += $tree/asan.o" >>"$tree/Local/Makefile"
	# Exim tells valgrind which parts of its pools are in use.
	cp "$here/asan-memcheck.h" "$tree/src/memcheck.h"
	# Some releases' string_copyn() looks for a NUL beyond what it was told to
	# copy, in every TLS session: a harmless report that would hide others.
	sed -i 's/^unsigned slen = Ustrlen(s);$/unsigned slen = strnlen(CCS s, len);/' \
		"$tree/src/functions.h"
	# For the program that is built and run on the way.
	export ASAN_OPTIONS=detect_leaks=0
}

compile() {
	"flags_$kind"
	CFLAGS="$CFLAGS $(getconf LFS_CFLAGS) -D_LARGEFILE_SOURCE -fno-strict-aliasing -Wall"
	export CFLAGS LFLAGS
	make -C "$tree" -j"$JOBS" -k FULLECHO= exim
}

# Setuid, as in the packages: Exim starts itself anew as root. With a sanitizer
# that is a hole, so only root comes near that one.
install_daemon() {
	local built headers
	built=$(echo "$tree"/build-*)
	install -D -m 4755 "$built/exim" "$root/usr/sbin/exim4"
	[ "$kind" != asan ] || chmod 700 "$root"
	headers=$root/usr/include/exim4
	install -d "$headers"
	install -m 644 "$built/config.h" "$tree"/src/{local_scan,mytypes,store}.h "$headers"
}

install_all() {
	make -C "$tree" -j"$JOBS" FULLECHO= all
	make -C "$tree" FULLECHO= DESTDIR="$root" \
		INSTALL_ARG="-no_chown -no_symlink" install
	rm -f "$root"/usr/sbin/exim-[0-9]*
	ln -sf exim4 "$root/usr/sbin/exim"
}

mkdir -p "$root"
tree=$(cd "$tree" && pwd) root=$(cd "$root" && pwd)
configure
compile
install_daemon
[ "$kind" != all ] || install_all
