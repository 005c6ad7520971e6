#!/bin/sh
# Starts PostgreSQL in the same way as the public image `postgres`. This script reads only the
# variables that the project uses: POSTGRES_USER, POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE,
# POSTGRES_DB, PGDATA.
set -eu

: "${PGDATA:=/var/lib/postgresql/data}"
: "${POSTGRES_USER:=postgres}"
: "${POSTGRES_DB:=$POSTGRES_USER}"

[ "${1:-postgres}" = postgres ] || exec "$@"
[ $# -eq 0 ] || shift

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  # initdb writes into another directory, which gets its final name when it is complete. So if the pod
  # is killed during this step, the next start begins with an empty directory.
  new="$PGDATA.new"
  rm -rf "$new"
  mkdir -p "$new"
  chmod 700 "$new"
  password=$(mktemp)
  if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
    cat "$POSTGRES_PASSWORD_FILE" > "$password"
  else
    printf '%s\n' "${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE}" > "$password"
  fi
  initdb --pgdata="$new" --username="$POSTGRES_USER" --pwfile="$password" --encoding=UTF8 --locale=C.UTF-8 \
    --auth-local=trust --auth-host=scram-sha-256
  rm -f "$password"
  echo "host all all all scram-sha-256" >> "$new/pg_hba.conf"
  if [ "$POSTGRES_DB" != postgres ]; then
    echo "CREATE DATABASE \"$POSTGRES_DB\";" | postgres --single -D "$new" postgres > /dev/null
  fi
  rm -rf "$PGDATA"
  mv "$new" "$PGDATA"
fi

exec postgres -D "$PGDATA" -c listen_addresses='*' -c jit=off "$@"
