//! What has happened, in commit order.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        "CREATE TABLE event_clock ( \
         id bigint NOT NULL PRIMARY KEY CHECK (id = 1), \
         last bigint NOT NULL)",
        "INSERT INTO event_clock (id, last) VALUES (1, 0)",
        "CREATE TABLE event ( \
         seq bigint NOT NULL PRIMARY KEY, \
         experiment_id uuid, \
         type text NOT NULL, \
         payload jsonb NOT NULL, \
         at timestamptz NOT NULL DEFAULT {now})",
        "CREATE INDEX event_experiment ON event (experiment_id, seq)",
    ],
    down: &["event", "event_clock"]
}
