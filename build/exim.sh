#!/bin/bash
# exim.sh - fetch, patch and build one Exim release.
#
#   build/exim.sh [VERSION]                  Debian packages, or for an upstream
#                                            release an installed tree
#   build/exim.sh --variant NAME [VERSION]   only the daemon, in seconds:
#       plain          with our patches
#       stock          without, but for the one that loads local_scan() from a
#                      file where the release has none (4.100.1)
#       asan           with our patches, AddressSanitizer and UBSan
#       without-NNNN   with all but the patch of that number, and those that
#                      cannot be without it
#   build/exim.sh --path [--variant NAME] [VERSION]
#                                            print where the daemon is; 1: nowhere
#   build/exim.sh --list                     the known releases
#
# VERSION is an upstream version; by default that of the installed Exim.
#
# Results are in $OUT/exim-VERSION or $OUT/exim-VERSION-NAME:
#   root/        usr/sbin/exim4 and usr/include/exim4, as installed
#   root-light/  usr/sbin/exim4 of exim4-daemon-light     (Debian packages only)
#   debs/        the packages                             (Debian packages only)
#   version      the source's exact version
#   build.log
# What is up to date is not built again. $OUT/exim-src has the downloads; remove
# it to look for newer revisions.
#
# Exit status: 1 failed, 64 wrong usage, 75 source or build dependencies cannot be
# had now (the reason is the last line), 77 packages are missing and this is not
# root.
set -eu -o pipefail
cd "$(dirname "$0")/.."
: "${OUT:=build/out}" "${PATCHES:=patches}"
export OUT

usage() {
	sed -n '/^#   build\/exim.sh \[/,/^#$/s/^# \{0,1\}//p' build/exim.sh >&2
	exit 64
}

die() {
	echo "exim.sh: ${*:2}" >&2
	exit "$1"
}

releases() {
	grep -v '^#' build/exim/releases
}

installed_version() {
	local version
	version=$(dpkg-query -W -f '${Version}\n' exim4-base exim4-dev 2>/dev/null | head -n 1) || true
	echo "${version%%[-~+]*}"
}

parse() {
	mode=build variant='' version=''
	while [ $# -gt 0 ]; do
		case $1 in
		--path) mode=path ;;
		--list) mode=list ;;
		--variant)
			[ $# -ge 2 ] || usage
			variant=$2
			shift
			;;
		-*) usage ;;
		*)
			[ -z "$version" ] || usage
			version=$1
			;;
		esac
		shift
	done
	[ "$mode" != list ] || return 0
	[ -n "$version" ] || version=$(installed_version)
	case $variant in
	'' | plain | stock | asan | without-[0-9][0-9][0-9][0-9]) ;;
	*) die 64 "no variant $variant" ;;
	esac
	kind=$(releases | awk -v v="$version" '$1 == v { print $2 }')
	[ -n "$kind" ] || die 64 "Exim ${version:-(none installed)} is not one of:" \
		"$(releases | awk '{ printf " %s", $1 }')"
	target=$OUT/exim-$version${variant:+-$variant}
	log=$target/build.log
}

# Both builds without a variant's name have the same daemon.
print_path() {
	local dir
	for dir in "$target" "$OUT/exim-$version${variant:--plain}"; do
		if [ -e "$dir/stamp" ] && [ -x "$dir/root/usr/sbin/exim4" ]; then
			echo "$(cd "$dir" && pwd)/root/usr/sbin/exim4"
			return 0
		fi
	done
	return 1
}

# chosen NAME - is this patch part of the variant?
chosen() {
	case $variant in
	stock) [ "$kind" = upstream ] && [[ $1 = *local?scan* ]] ;;
	without-*) [[ $1 != ${variant#without-}-* ]] ;;
	esac
}

# Sets `patches` to the files of the wanted part of the series.
read_series() {
	local series=$PATCHES/exim-$version/series name left_out=
	patches=()
	if [ ! -e "$series" ]; then
		echo "exim.sh: no patches for Exim $version"
		return 0
	fi
	while read -r name _; do
		case $name in '' | '#'*) continue ;; esac
		[ -f "${series%/*}/$name" ] || die 1 "$series names $name, which is not there"
		if chosen "$name"; then
			patches+=("${series%/*}/$name")
		else
			left_out+=" $name"
		fi
	done <"$series"
	case $variant in
	without-*) [ -n "$left_out" ] || die 64 "no patch ${variant#without-} in $series" ;;
	esac
}

# Where the downloads were removed, what was built last is still good.
source_record() {
	cat "$OUT/exim-src/$version.source" 2>/dev/null || cat "$target/source" 2>/dev/null
}

stamp() {
	{
		source_record || true
		echo "$version $variant" "${patches[@]##*/}"
		cat build/exim.sh build/exim/* "${patches[@]}"
	} | sha256sum
}

up_to_date() {
	[ "$(stamp)" = "$(cat "$target/stamp" 2>/dev/null)" ]
}

logged() {
	"$@" >>"$log" 2>&1 </dev/null
}

# step COMMAND... - its output goes to the log, and on failure the end of that
# to the reader.
step() {
	local status=0
	logged "$@" || status=$?
	case $status in
	0) return 0 ;;
	75 | 77) tail -n 1 "$log" ;;
	*)
		tail -n 30 "$log"
		echo "exim.sh: failed; all of it is in $log"
		status=1
		;;
	esac >&2
	# What is there was made of something else.
	rm -f "$target/stamp"
	exit "$status"
}

unpack() {
	local fuzz=0
	[[ $variant != without-* ]] || fuzz=2
	step env FUZZ="$fuzz" build/exim/tree.sh "$version" "$1" "${patches[@]}"
	grep '^leaving out ' "$log" || true
}

build_daemon() {
	local tree=$target/work/tree root=$target/new/root
	step build/exim/deps.sh daemon
	unpack "$tree"
	case $variant in
	without-*) compile_what_compiles "$tree" "$root" ;;
	asan) step build/exim/compile.sh "$tree" "$root" asan ;;
	'') step build/exim/compile.sh "$tree" "$root" all ;;
	*) step build/exim/compile.sh "$tree" "$root" plain ;;
	esac
}

# What a patch needs of the one left out may be a name, not the text around it.
compile_what_compiles() {
	local before
	until logged build/exim/compile.sh "$1" "$2" plain; do
		before=${#patches[@]}
		leave_out_users_of "$(missing_names)"
		# Else it is not that; this fails again and says why.
		[ "${#patches[@]}" -lt "$before" ] ||
			step build/exim/compile.sh "$1" "$2" plain
		rm -rf "$1"
		: >"$log"
		unpack "$1"
	done
}

leave_out_users_of() {
	local file rest=()
	for file in "${patches[@]}"; do
		if [ -n "$1" ] && grep -qE "^\+.*\<($1)\>" "$file"; then
			echo "leaving out ${file##*/}: it does not compile without the others"
		else
			rest+=("$file")
		fi
	done
	patches=("${rest[@]}")
}

# What the compiler and the linker did not find, as a regular expression.
missing_names() {
	grep -E ': error: |undefined reference to ' "$log" |
		sed -nE "s/; did you mean.*//; s/.*[\`']([A-Za-z_][A-Za-z_0-9]*)'.*/\1/p" |
		sort -u | paste -sd '|'
}

build_packages() {
	local tree=$target/work/exim4-$version debs=$target/new/debs name
	step build/exim/deps.sh daemon
	unpack "$tree"
	step build/exim/deps.sh "$tree"
	step build/exim/packages.sh "$tree" "$debs" "${patches[@]}"
	for name in base daemon-heavy dev; do
		step dpkg-deb -x "$debs"/exim4-"$name"_*.deb "$target/new/root"
	done
	step dpkg-deb -x "$debs"/exim4-daemon-light_*.deb "$target/new/root-light"
}

# Whoever has the old result in use keeps it to the end of the build.
# replace STAMP
replace() {
	local name
	for name in root root-light debs; do
		rm -rf "${target:?}/$name"
		[ ! -e "$target/new/$name" ] || mv "$target/new/$name" "$target/$name"
	done
	cp "$OUT/exim-src/$version.source" "$target/source"
	head -n 1 "$target/source" >"$target/version"
	rm -rf "$target/new" "$target/work"
	echo "$1" >"$target/stamp"
}

build() {
	local start=$SECONDS made_of
	rm -rf "$target/new" "$target/work"
	: >"$log"
	step build/exim/fetch.sh "$version"
	echo "exim.sh: Exim $(head -n 1 "$OUT/exim-src/$version.source")${variant:+, $variant}:" \
		"patches: ${#patches[@]}; log: $log"
	# Of the patches as they are now; somebody may be at work on them.
	made_of=$(stamp)
	if [ -z "$variant" ] && [ "$kind" = debian ]; then
		build_packages
	else
		build_daemon
	fi
	step "$target/new/root/usr/sbin/exim4" -C /dev/null -bV
	replace "$made_of"
	echo "exim.sh: built in $((SECONDS - start)) s"
}

# The packages that are to be replaced; where there are none, a choice.
packages_to_install() {
	local name found=
	for name in exim4 exim4-base exim4-config exim4-daemon-heavy \
		exim4-daemon-light exim4-dev eximon4; do
		case $(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null) in
		ii*) found+=" $name" ;;
		esac
	done
	echo "${found:-exim4-base exim4-config exim4-daemon-heavy}"
}

# apt takes a file for a file only when it begins with a dot or a slash.
shown() {
	case $1 in
	/*) echo "$1" ;;
	*) echo "./$1" ;;
	esac
}

show_result() {
	local name
	if [ -d "$target/debs" ]; then
		echo "Packages of Exim are in $target/debs. To install them:"
		printf '  apt install'
		for name in $(packages_to_install); do
			printf ' %s' "$(shown "$target/debs/${name}_"*.deb)"
		done
		echo
	else
		echo "Exim is in $target/root"
	fi
}

parse "$@"
case $mode in
list) releases ;;
path) print_path ;;
build)
	read_series
	mkdir -p "$target"
	# Two people may ask for the same at once.
	exec 9>"$target/lock"
	flock 9
	if up_to_date; then
		echo "exim.sh: Exim $(cat "$target/version")${variant:+, $variant}: up to date"
	else
		build
	fi
	show_result
	;;
esac
