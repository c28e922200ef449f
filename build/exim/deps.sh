#!/bin/sh
# deps.sh - install what building Exim needs, from the machine's own sources.
#
#   build/exim/deps.sh daemon     to compile the daemon
#   build/exim/deps.sh TREE       to build the Debian packages of TREE as well
#
# As build/deps.sh does it: nothing is removed and no service is started.
# Exit status 75: apt could not get the packages now; 77: only root may install.
set -eu
: "${OUT:=build/out}"

# What exim4-daemon-heavy is linked with, and the tools of compile.sh.
DAEMON="gcc make patch xz-utils dpkg-dev fakeroot libc6-dev libgnutls28-dev
libpcre2-dev libdb5.3-dev libidn-dev libidn2-dev libsqlite3-dev libspf2-dev
libperl-dev libpam0g-dev libsasl2-dev libldap2-dev libpq-dev libnsl-dev
default-libmysqlclient-dev"

missing() {
	for package in $DAEMON; do
		state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" \
			2>/dev/null || true)
		case $state in
		ii*) ;;
		*) echo "$package" ;;
		esac
	done
}

apt_get() {
	DEBIAN_FRONTEND=noninteractive apt-get -y -q --no-remove \
		--no-install-recommends -o DPkg::Lock::Timeout=600 "$@" </dev/null
}

# Two builds at once must not take each other's policy-rc.d away.
guarded() {
	mkdir -p "$OUT/exim-src"
	exec 8>"$OUT/exim-src/deps.lock"
	flock 8
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		trap 'rm -f "$policy"' EXIT
		trap 'exit 1' HUP INT TERM
	fi
	if ! apt_get "$@"; then
		apt_get update || true
		apt_get "$@" || return 75
	fi
}

needs_root() {
	[ "$(id -u)" -ne 0 ] || return 0
	echo "building Exim needs packages that only root can install: $*" >&2
	exit 77
}

unavailable() {
	echo "build dependencies of Exim cannot be had now" >&2
	exit 75
}

wanted=$(missing)
if [ -n "$wanted" ]; then
	# shellcheck disable=SC2086
	needs_root $wanted
	# shellcheck disable=SC2086
	guarded install $wanted || unavailable
fi
[ "$1" != daemon ] || exit 0
if ! unmet=$(cd "$1" && dpkg-checkbuilddeps 2>&1); then
	needs_root "$unmet"
	guarded build-dep "$(cd "$1" && pwd)" || unavailable
fi
