#!/bin/bash
# tree.sh - unpack the source of one Exim release and apply patches to it.
#
#   build/exim/tree.sh VERSION DIRECTORY [PATCH...]
#
# DIRECTORY must not exist. A Debian source becomes a tree as dpkg-source -x
# would make it, with our patches behind Debian's. No patch may need fuzz: one
# that does was made for another text. With FUZZ=2 it may, and a PATCH that does
# not apply even so is left out and named on stderr.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
: "${OUT:=build/out}" "${FUZZ:=0}"

version=$1 tree=$2
shift 2
src=$OUT/exim-src

# apply NAME FILE - the options are dpkg-source's, so that quilt and it see the
# patch as applied.
apply() {
	patch --directory="$tree" --strip=1 --force --forward --fuzz="$FUZZ" --unified \
		--version-control=never --remove-empty-files --reject-file=- \
		--backup --prefix=".pc/$1/" "${@:3}" <"$2"
}

record() {
	echo "$1" >>"$tree/.pc/applied-patches"
	echo "$1" >>"$tree/debian/patches/series"
	install -D -m 644 "$2" "$tree/debian/patches/$1"
}

unpack() {
	local orig debian
	orig=$(sed -n '2s/.*  //p' "$src/$version.source")
	debian=$(sed -n '3s/.*  //p' "$src/$version.source")
	mkdir -p "$tree/.pc"
	tar -xf "$src/$orig" -C "$tree" --strip-components=1 --no-same-owner
	[ -z "$debian" ] || tar -xf "$src/$debian" -C "$tree" --no-same-owner
}

apply_debian() {
	local name
	while read -r name _; do
		case $name in '' | '#'*) continue ;; esac
		FUZZ=0 apply "$name" "$tree/debian/patches/$name"
		echo "$name" >>"$tree/.pc/applied-patches"
	done <"$tree/debian/patches/series"
	echo 2 >"$tree/.pc/.version"
	echo debian/patches >"$tree/.pc/.quilt_patches"
	echo series >"$tree/.pc/.quilt_series"
}

apply_ours() {
	local file name
	for file; do
		name=requiretls/${file##*/}
		if [ "$FUZZ" -gt 0 ] && ! apply "$name" "$file" --dry-run; then
			echo "leaving out ${file##*/}: it does not apply without the others" >&2
			continue
		fi
		if ! apply "$name" "$file"; then
			echo "$file does not apply to Exim $version without fuzz" >&2
			return 1
		fi
		[ ! -d "$tree/debian" ] || record "$name" "$file"
	done
}

unpack
[ ! -d "$tree/debian" ] || apply_debian
apply_ours "$@"
