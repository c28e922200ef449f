#!/bin/bash
# deb.sh - build the Debian package exim4-requiretls and have lintian look at it.
#
#   build/deb.sh           build; needs no root when the build dependencies are there
#   build/deb.sh --path    print where the package is; 1: nowhere
#
# The tree is copied to $OUT/deb/exim4-requiretls-VERSION and built there: what git
# knows of a clone, all of an unpacked archive. Nothing else is changed.
#
# Exit status: 1 failed, 77 packages are missing and this is not root.
set -eu -o pipefail
cd "$(dirname "$0")/.."
: "${OUT:=build/out}"

version=$(sed -n '1s/.*(\(.*\)).*/\1/p' build/debian/changelog)
arch=$(dpkg --print-architecture)
tree=$OUT/deb/exim4-requiretls-$version
deb=$OUT/deb/exim4-requiretls_${version}_$arch.deb
log=$OUT/deb/build.log

die() {
	echo "deb.sh: ${*:2}" >&2
	exit "$1"
}

# An archive may have been unpacked inside somebody's clone of something else.
tracked() {
	if [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$PWD" ]; then
		comm -z -23 <(git ls-files -z | sort -zu) <(git ls-files -z --deleted | sort -zu)
	else
		find . \( -path './build/out*' -o -name .git -o -name __pycache__ \) -prune \
			-o \( -type f -o -type l \) -print0
	fi
}

stage() {
	rm -rf "$OUT/deb"
	mkdir -p "$tree"
	tracked | tar -c --null --no-recursion -T - | tar -x --no-same-owner -C "$tree"
	cp -a "$tree/build/debian" "$tree/debian"
}

# What a calling make was told is not for the make in there.
build() {
	(cd "$tree" && env -u OUT -u MAKEFLAGS -u MFLAGS -u MAKELEVEL dpkg-buildpackage -us -uc -b) >"$log" 2>&1 </dev/null || {
		tail -n 30 "$log" >&2
		die 1 "failed; all of it is in $log"
	}
}

check() {
	lintian --allow-root --fail-on error,warning "${deb%.deb}.changes" ||
		die 1 "lintian is not content"
}

case ${1:-} in
--path)
	[ -e "$deb" ] && realpath "$deb"
	exit
	;;
'') ;;
*) die 64 "usage: build/deb.sh [--path]" ;;
esac
build/deps.sh deb
stage
build
check
echo "The package is $deb. To install it:"
case $deb in
/*) echo "  apt install $deb" ;;
*) echo "  apt install ./$deb" ;;
esac
