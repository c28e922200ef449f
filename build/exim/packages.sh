#!/bin/bash
# packages.sh - build the Debian packages of an unpacked, patched tree.
#
#   build/exim/packages.sh TREE DEBS [PATCH...]
#
# The packages' version is the source's with +requiretls1 behind it: newer than
# the Debian packages of that source, older than Debian's next update of them.
set -eu -o pipefail
: "${JOBS:=$(nproc)}" "${SUFFIX:=+requiretls1}"

tree=$1 debs=$2
shift 2

# The date is that of Debian's own entry: the same source, the same packages.
add_changelog_entry() {
	local file=$tree/debian/changelog version date
	version=$(dpkg-parsechangelog -l "$file" -S Version)
	date=$(dpkg-parsechangelog -l "$file" -S Date)
	{
		printf 'exim4 (%s%s) UNRELEASED; urgency=medium\n\n' "$version" "$SUFFIX"
		printf '  * Built with the patches of exim-requiretls:\n'
		[ $# -eq 0 ] || printf '    - %s\n' "${@##*/}"
		printf '\n -- exim-requiretls <root@localhost>  %s\n\n' "$date"
		cat "$file"
	} >"$file.new"
	mv "$file.new" "$file"
}

# --jobs-force, not parallel= alone: debian/rules calls Exim's make, which takes part in
# the parallel make of dpkg-buildpackage and does not know DEB_BUILD_OPTIONS.
build() {
	cd "$tree"
	DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=$JOBS" \
		dpkg-buildpackage -b -uc -us --jobs-force="$JOBS"
}

add_changelog_entry "$@"
(build)
mkdir -p "$debs"
mv "$tree"/../*.deb "$debs"
