#!/bin/bash
# query-api's login. The migration grants it reading; its password comes from the installation.
set -euo pipefail
psql -v ON_ERROR_STOP=1 -v password="$SOUK_QUERY_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE souk_query LOGIN PASSWORD :'password';
SQL
