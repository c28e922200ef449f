#!/bin/bash
# lint.sh - all static checks; every finding is an error.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0

run() {
	local name=$1
	shift
	if "$@" >build/out/lint.log 2>&1; then
		echo "lint: $name: good"
	else
		echo "lint: $name: FAILED"
		cat build/out/lint.log
		status=1
	fi
}

mkdir -p build/out
mapfile -t sources < <(find module tests build/exim -name '*.c' | sort)
mapfile -t headers < <(find module tests build/exim -name '*.h' | sort)
mapfile -t scripts < <(grep -rlE '^#!/(bin/sh|bin/bash|usr/bin/env bash)' \
	build/*.sh build/exim build/debian tests .ci --include='*' --exclude-dir=out | sort)
mapfile -t manuals < <(find docs -name '*.[1-9]' | sort)

flags=(-std=c11 -D_GNU_SOURCE -Imodule -Itests/unit -isystem /usr/include/exim4
	"-DRTLS_EXIM_VERSION=\"4.96\"")

run "clang-format" clang-format --dry-run -Werror "${sources[@]}" "${headers[@]}"
# shellcheck disable=SC2317
tidy() {
	printf '%s\n' "${sources[@]}" | xargs -P 2 -I{} -- \
		clang-tidy --quiet {} -- "${flags[@]}"
}
run "clang-tidy" tidy
run "cppcheck" cppcheck --quiet --error-exitcode=1 --enable=warning,portability \
	--inline-suppr --suppress=missingIncludeSystem -Imodule module
run "clang warnings" make --no-print-directory -s OUT=build/out/lint-clang \
	CC=clang CI=1 all
run "shellcheck" shellcheck "${scripts[@]}" module/conf/completion/exim-requiretls
run "codespell" codespell -L nd,bu --skip='*/seeds/*' README.md docs module tests build/*.sh build/exim \
	build/debian Makefile
if [ "${#manuals[@]}" -gt 0 ]; then
	run "mandoc" mandoc -T lint -W warning "${manuals[@]}"
fi
exit $status
