#!/bin/bash
# The owner of both databases, who is no superuser, and a login for each process; the migrations grant them their rights.
set -euo pipefail
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv owner SOUK_OWNER_PASSWORD
\getenv write SOUK_WRITE_PASSWORD
\getenv projector SOUK_PROJECTOR_PASSWORD
\getenv query SOUK_QUERY_PASSWORD
\getenv reindex SOUK_REINDEX_PASSWORD
CREATE ROLE souk LOGIN CREATEDB PASSWORD :'owner';
CREATE ROLE souk_write LOGIN PASSWORD :'write';
CREATE ROLE souk_projector LOGIN PASSWORD :'projector';
CREATE ROLE souk_query LOGIN PASSWORD :'query';
CREATE ROLE souk_reindex LOGIN PASSWORD :'reindex';
CREATE DATABASE souk_write OWNER souk;
CREATE DATABASE souk_read OWNER souk;
\connect souk_read
CREATE EXTENSION vector;
-- So that a restore, which makes a database anew, finds it.
\connect template1
CREATE EXTENSION vector;
SQL
