//! What recovery needs: calls whose outcome is unknown, runs that worker processes were lost on, revisions of experiments.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        // What the claim before the last one had reserved, where its worker was lost with the call unanswered.
        "ALTER TABLE response_cache ADD COLUMN lost_sweep_id uuid",
        "ALTER TABLE response_cache ADD COLUMN lost_tokens bigint NOT NULL DEFAULT 0",
        "ALTER TABLE response_cache ADD COLUMN lost_nano bigint NOT NULL DEFAULT 0",
        "ALTER TABLE sweep_total ADD COLUMN unknown_tokens bigint NOT NULL DEFAULT 0",
        "ALTER TABLE sweep_total ADD COLUMN unknown_nano bigint NOT NULL DEFAULT 0",
        "ALTER TABLE run ADD COLUMN losses bigint NOT NULL DEFAULT 0",
        "ALTER TABLE run ADD COLUMN losses_alone bigint NOT NULL DEFAULT 0",
        "ALTER TABLE run ADD COLUMN claimed_alone bigint NOT NULL DEFAULT 0",
        "ALTER TABLE run ADD COLUMN claimed_at_block bigint NOT NULL DEFAULT 0",
        "ALTER TABLE run ADD COLUMN claimed_at_answer bigint NOT NULL DEFAULT 0",
        "CREATE INDEX run_suspect ON run (id) WHERE losses >= 2 AND completed_at IS NULL",
        "ALTER TABLE endpoint ADD COLUMN breaker_kind text",
        // The last transaction of each group writer that has landed.
        "/* postgres */ CREATE TABLE commit_mark ( \
         writer uuid NOT NULL PRIMARY KEY, \
         number bigint NOT NULL, \
         at timestamptz NOT NULL DEFAULT {now})",
        "ALTER TABLE experiment ADD COLUMN revision bigint NOT NULL DEFAULT 1",
        "UPDATE run SET listed = 0 WHERE listed = 1 AND EXISTS (SELECT 1 FROM run newer \
         WHERE newer.experiment_id = run.experiment_id AND newer.config_hash = run.config_hash \
         AND newer.listed = 1 AND newer.id > run.id)",
        "DROP INDEX run_twins",
        "CREATE UNIQUE INDEX run_twins ON run (experiment_id, config_hash) WHERE listed = 1",
    ],
    down: &[],
    and: &[
        "DROP INDEX run_twins",
        "CREATE INDEX run_twins ON run (experiment_id, config_hash) WHERE listed = 1",
        "ALTER TABLE experiment DROP COLUMN revision",
        "/* postgres */ DROP TABLE commit_mark",
        "ALTER TABLE endpoint DROP COLUMN breaker_kind",
        "DROP INDEX run_suspect",
        "ALTER TABLE run DROP COLUMN claimed_at_answer",
        "ALTER TABLE run DROP COLUMN claimed_at_block",
        "ALTER TABLE run DROP COLUMN claimed_alone",
        "ALTER TABLE run DROP COLUMN losses_alone",
        "ALTER TABLE run DROP COLUMN losses",
        "ALTER TABLE sweep_total DROP COLUMN unknown_nano",
        "ALTER TABLE sweep_total DROP COLUMN unknown_tokens",
        "ALTER TABLE response_cache DROP COLUMN lost_nano",
        "ALTER TABLE response_cache DROP COLUMN lost_tokens",
        "ALTER TABLE response_cache DROP COLUMN lost_sweep_id",
    ]
}
