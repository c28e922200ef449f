#!/bin/sh
# deps.sh - install what building, testing and the lab need, from Debian.
#
#   build/deps.sh           install what is missing (needs root)
#   build/deps.sh deb       only what `make deb` needs
#   build/deps.sh --list    print the package names, one per line
#
# Nothing that is installed already is removed or upgraded, and no service is
# started: the lab runs its own servers in its own namespaces.
set -eu

BUILD="gcc make pkg-config libc6-dev exim4-dev libgnutls28-dev libgetdns-dev
libcurl4-gnutls-dev libjansson-dev zlib1g-dev libcmocka-dev"
DEB="debhelper dpkg-dev lintian"
LINT="clang clang-format clang-tidy cppcheck shellcheck codespell mandoc
libclang-rt-14-dev"
LAB="exim4-daemon-heavy exim4-config unbound knot knot-dnsutils nginx-light apache2-bin
dns-root-data ca-certificates iproute2 util-linux procps strace openssl
systemd python3 python3-pytest python3-dnspython python3-cryptography
python3-dkim python3-nacl python3-jsonschema faketime mmdebstrap gnutls-bin jq
prometheus"
BROWSER="chromium chromium-driver python3-selenium python3-html5lib python3-lxml"

all="$BUILD $DEB $LINT $LAB $BROWSER"
[ "${1:-}" != deb ] || all="$BUILD $DEB"

missing() {
	for package in $all; do
		state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" \
			2>/dev/null || true)
		case $state in
		ii*) ;;
		*) echo "$package" ;;
		esac
	done
}

if [ "${1:-}" = --list ]; then
	# shellcheck disable=SC2086
	printf '%s\n' $all
	exit 0
fi

wanted=$(missing)
[ -n "$wanted" ] || exit 0
if [ "$(id -u)" -ne 0 ]; then
	printf 'deps.sh: run me as root, or install:\n%s\n' "$wanted" >&2
	exit 77
fi

# Packages of servers start them unless policy-rc.d says no. Put one there for
# the time of the installation where the machine has none of its own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
	trap 'rm -f "$policy"' EXIT
	trap 'exit 1' HUP INT TERM
fi

# shellcheck disable=SC2086
echo "deps.sh: installing" $wanted
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
install_wanted() {
	# --no-remove: another mail server on this machine stays.
	# shellcheck disable=SC2086
	apt-get install -y -q --no-remove --no-install-recommends $wanted \
		>"$log" 2>&1 </dev/null
}
if ! install_wanted; then
	apt-get update -q >/dev/null 2>&1 </dev/null || true
	if ! install_wanted; then
		cat "$log" >&2
		rm -f "$log"
		echo "deps.sh: apt-get could not install the packages above" >&2
		exit 1
	fi
fi
rm -f "$log"
