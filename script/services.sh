# Sourced by the scripts that start a private PostgreSQL. `work` names a folder of theirs that is thrown away.
# shellcheck shell=bash disable=SC2154

postgres_bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1 || true)

free_port() { .venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# PostgreSQL refuses to run as root.
as_postgres() {
  (cd "$work" && if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi)
}

# start_postgres [OPTION...]: sets private_postgres_url; fails where PostgreSQL is not installed.
start_postgres() {
  [ -n "$postgres_bin" ] || return 1
  local port
  port=$(free_port)
  if [ "$(id -u)" = 0 ]; then
    id postgres >/dev/null 2>&1 || return 1
    chown postgres "$work"
  fi
  as_postgres "$postgres_bin/initdb" -D "$work/postgres" -A trust -U tests -E UTF8 --locale=C.UTF-8 >"$work/initdb.log" 2>&1 || return 1
  as_postgres "$postgres_bin/pg_ctl" -D "$work/postgres" -w -l "$work/postgres.log" \
    -o "-p $port -k '' -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200 $*" start >/dev/null || return 1
  private_postgres_url="postgres://tests@127.0.0.1:$port/postgres"
}

stop_postgres() {
  if [ -f "$work/postgres/postmaster.pid" ]; then
    as_postgres "$postgres_bin/pg_ctl" -D "$work/postgres" -m immediate stop >/dev/null 2>&1
  fi
}
