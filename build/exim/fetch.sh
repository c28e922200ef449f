#!/bin/bash
# fetch.sh - get the source of one Exim release into $OUT/exim-src.
#
#   build/exim/fetch.sh VERSION
#
# Writes $OUT/exim-src/VERSION.source: the exact source version, then one line
# "SHA256  FILE" per tarball, the upstream one first. Where that file exists and
# its tarballs are whole, nothing is asked of the network.
#
# The machine's own package sources are read for the address of its Debian
# mirror and are not changed; sources and lists of ours are in $OUT/exim-src.
#
# Exit status 75: not to be had now; the last line on stderr says why.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
: "${OUT:=build/out}" "${EXIM_FETCH_TRIES:=3}" "${EXIM_FETCH_PAUSE:=10}"

version=$1
read -r _ kind place sum < <(awk -v v="$version" '$1 == v' build/exim/releases)
mkdir -p "$OUT/exim-src/lists/partial"
src=$(cd "$OUT/exim-src" && pwd)
record=$src/$version.source
conf=$src/apt.conf
reason="no server was asked"

complete() {
	[ -s "$record" ] &&
		(cd "$src" && tail -n +2 "$record" | sha256sum --check --status)
}

# mirrors LABEL - base addresses of the Debian mirror this machine uses. apt
# knows a repository's label only where it has lists; without them the suite's
# name has to do.
mirrors() {
	local known
	known=$(apt-get indextargets --format \
		"\$(ORIGIN)|\$(LABEL)|\$(COMPONENT)|\$(REPO_URI)" 'Created-By: Packages' |
		sed -n "s/^Debian|$1|main|//p" | sort -u)
	if [ -n "$known" ]; then
		echo "$known"
	else
		mirrors_by_suite "$1"
	fi
}

mirrors_by_suite() {
	local suites='bookworm|trixie|forky|sid|oldstable|stable|testing|unstable' tail=
	[ "$1" = Debian ] || tail=-security
	apt-get indextargets --no-release-info --format \
		"\$(RELEASE)|\$(COMPONENT)|\$(REPO_URI)" 'Created-By: Packages' |
		sed -nE "s/^($suites)$tail\|main\|//p" | sort -u
}

# Read after the machine's own configuration, whose proxy and keys we want.
write_configuration() {
	cat >"$conf" <<-CONF
		Dir::Etc::sourcelist "$src/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::State::lists "$src/lists";
		Dir::Cache::pkgcache "";
		Dir::Cache::srcpkgcache "";
		// The sandbox user need not be able to read a checkout.
		APT::Sandbox::User "";
		// Hooks of the machine are about its own lists.
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
	CONF
}

write_sources() {
	local key=/usr/share/keyrings/debian-archive-keyring.gpg signed='' uri
	[ ! -e "$key" ] || signed="[signed-by=$key] "
	for uri in $(mirrors Debian); do
		echo "deb-src $signed$uri $place main"
		echo "deb-src $signed$uri $place-updates main"
	done >"$src/sources.list"
	for uri in $(mirrors Debian-Security); do
		echo "deb-src $signed$uri $place-security main"
	done >>"$src/sources.list"
	[ -s "$src/sources.list" ]
}

last_error() {
	grep '^E: ' "$src/apt.log" | head -n 1 | cut -c 4- || true
}

# download URI FILE SHA256
download() {
	if echo "$3  $src/$2" | sha256sum --check --status 2>/dev/null; then
		return 0
	fi
	rm -f "$src/$2"
	if /usr/lib/apt/apt-helper -c "$conf" download-file "$1" "$src/$2" "SHA256:$3" \
		>"$src/apt.log" 2>&1 </dev/null &&
		echo "$3  $src/$2" | sha256sum --check --status; then
		return 0
	fi
	reason=$(last_error)
	rm -f "$src/$2"
	return 1
}

# The revisions of the wanted upstream version, newest first.
revisions() {
	apt-cache -c "$conf" showsrc --only-source exim4 2>/dev/null |
		sed -n "s/^Version: \(.*\)/\1/p" | sort -uVr |
		awk -v v="$version" '{ u = $0; sub(/-[^-]*$/, "", u) } u == v'
}

# revision REVISION - both tarballs of it. The .dsc is not needed: apt has
# addresses and sums from the signed index.
revision() {
	local files uri name sha orig='' debian=''
	files=$(apt-get -c "$conf" --print-uris --download-only --only-source \
		source "exim4=$1" 2>/dev/null |
		sed -nE "s/^'([^']+)' ([^ ]+\.(orig|debian)\.tar\.[a-z0-9]+) .* SHA256:([0-9a-f]+)$/\1 \2 \4/p")
	while read -r uri name sha; do
		case $name in *.orig.tar.*) orig="$sha  $name" ;; *) debian="$sha  $name" ;; esac
		download "$uri" "$name" "$sha" || return 1
	done <<<"$files"
	[ -n "$orig" ] && [ -n "$debian" ] || return 1
	printf '%s\n' "$1" "$orig" "$debian" >"$record"
}

fetch_debian() {
	local all one
	if ! write_sources; then
		reason="apt on this machine knows no Debian mirror"
		return 1
	fi
	apt-get -c "$conf" -q update >"$src/apt.log" 2>&1 </dev/null || true
	all=$(revisions)
	if [ -z "$all" ]; then
		reason="no such source in $place; $(last_error)"
		return 1
	fi
	for one in $all; do
		! revision "$one" || return 0
		echo "fetch.sh: $one is refused: $reason" >&2
	done
	return 1
}

fetch_upstream() {
	local uri name=${place##*/}
	reason="apt on this machine knows no Debian mirror"
	for uri in $(mirrors Debian); do
		if download "${uri%/}/$place" "$name" "$sum"; then
			printf '%s\n' "$version" "$sum  $name" >"$record"
			return 0
		fi
	done
	return 1
}

# One at a time: they share apt's files.
exec 7>"$src/lock"
flock 7
! complete || exit 0
rm -f "$record"
write_configuration
for try in $(seq "$EXIM_FETCH_TRIES"); do
	[ "$try" -eq 1 ] || sleep "$EXIM_FETCH_PAUSE"
	case $kind in
	debian) ! fetch_debian || exit 0 ;;
	upstream) ! fetch_upstream || exit 0 ;;
	esac
done
echo "source of Exim $version cannot be had now: $reason" >&2
exit 75
