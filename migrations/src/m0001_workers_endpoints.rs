//! Who executes, and the model servers that are called.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        "CREATE TABLE worker ( \
         id uuid NOT NULL PRIMARY KEY, \
         started_at timestamptz NOT NULL DEFAULT {now}, \
         lease_until timestamptz NOT NULL)",
        "CREATE TABLE endpoint ( \
         id uuid NOT NULL PRIMARY KEY, \
         label text NOT NULL UNIQUE, \
         kind text NOT NULL, \
         url text NOT NULL, \
         api_key_cipher bytea, \
         prices jsonb NOT NULL, \
         limits jsonb NOT NULL, \
         max_tokens_field text NOT NULL, \
         max_output_tokens bigint, \
         timeout_ms bigint NOT NULL, \
         breaker_reason text, \
         created_at timestamptz NOT NULL DEFAULT {now})",
        "CREATE TABLE endpoint_slot ( \
         endpoint_id uuid NOT NULL REFERENCES endpoint (id) ON DELETE CASCADE, \
         worker_id uuid NOT NULL REFERENCES worker (id) ON DELETE CASCADE, \
         held bigint NOT NULL, \
         PRIMARY KEY (endpoint_id, worker_id))",
        "CREATE TABLE setting ( \
         key text NOT NULL PRIMARY KEY, \
         value text NOT NULL)",
    ],
    down: &["setting", "endpoint_slot", "endpoint", "worker"]
}
