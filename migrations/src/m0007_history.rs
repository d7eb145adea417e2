//! Who did what, for timelines and export histories, and the ways to find it.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        "ALTER TABLE event ADD COLUMN by_whom text",
        "CREATE INDEX event_kind ON event (experiment_id, type, seq)",
        "CREATE INDEX run_status ON run (experiment_id, status, id)",
        "CREATE INDEX run_score ON run (experiment_id, (COALESCE(score, -1.0)), id)",
        "ALTER TABLE experiment DROP COLUMN best_run_id",
        "DROP INDEX run_board",
        "CREATE INDEX run_board ON run (experiment_id, rank_score DESC, id) WHERE listed = 1",
        "CREATE INDEX run_alone ON run (experiment_id, status) WHERE sweep_id IS NULL",
        "CREATE TABLE export_history ( \
         id uuid NOT NULL PRIMARY KEY, \
         project_id uuid NOT NULL REFERENCES project (id) ON DELETE CASCADE, \
         experiment_id uuid NOT NULL REFERENCES experiment (id) ON DELETE CASCADE, \
         run_id uuid, \
         format text NOT NULL, \
         by_whom text NOT NULL, \
         at timestamptz NOT NULL DEFAULT {now})",
        "CREATE INDEX export_project ON export_history (project_id, id)",
    ],
    down: &["export_history"],
    and: &[
        "ALTER TABLE experiment ADD COLUMN best_run_id uuid",
        "DROP INDEX run_alone",
        "DROP INDEX run_board",
        "CREATE INDEX run_board ON run (experiment_id, rank_score DESC, id DESC) WHERE listed = 1",
        "DROP INDEX run_score",
        "DROP INDEX run_status",
        "DROP INDEX event_kind",
        "ALTER TABLE event DROP COLUMN by_whom",
    ]
}
