//! Who may come in.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        "CREATE TABLE account ( \
         id uuid NOT NULL PRIMARY KEY, \
         username text NOT NULL UNIQUE, \
         password_hash text NOT NULL, \
         is_admin bigint NOT NULL, \
         disabled_at timestamptz, \
         token_version bigint NOT NULL DEFAULT 1, \
         created_at timestamptz NOT NULL DEFAULT {now})",
        // Its one row makes one winner of a race to be the first.
        "CREATE TABLE first_admin ( \
         one bigint NOT NULL PRIMARY KEY CHECK (one = 1), \
         account_id uuid NOT NULL REFERENCES account (id))",
        "CREATE TABLE idempotency ( \
         principal text NOT NULL, \
         key text NOT NULL, \
         route text NOT NULL, \
         body_digest text NOT NULL, \
         status bigint, \
         answer text, \
         at timestamptz NOT NULL DEFAULT {now}, \
         PRIMARY KEY (principal, key)) /* clustered */",
        "CREATE INDEX idempotency_age ON idempotency (at)",
        "ALTER TABLE project ADD COLUMN owner_id uuid",
    ],
    down: &["idempotency", "first_admin", "account"],
    and: &["ALTER TABLE project DROP COLUMN owner_id"]
}
