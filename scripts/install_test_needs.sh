#!/bin/sh
# Installs what the tests need beside Python on Debian: PostgreSQL and Chromium. Does nothing where both are there.
set -eu

missing=""
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null 2>&1 || { echo "Install$missing: this machine has no apt-get" >&2; exit 1; }
as_root=""
if [ "$(id -u)" -ne 0 ]; then
	as_root="sudo"
	command -v sudo >/dev/null 2>&1 || { echo "Install$missing as root" >&2; exit 1; }
fi
# The tests start clusters of their own: none is made or started at installation.
$as_root mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] ||
	echo "create_main_cluster = false" | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
$as_root apt-get update -q
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -q --no-install-recommends $missing
