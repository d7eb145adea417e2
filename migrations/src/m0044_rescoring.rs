//! Scores that change after a run has ended: ratings, and the rescoring of runs whose experiment is scored otherwise since.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        // Rises with each change of the run's scores.
        "ALTER TABLE run ADD COLUMN scores_version bigint NOT NULL DEFAULT 0",
        // The last answer that there was when what the run paid was counted last.
        "ALTER TABLE run ADD COLUMN counted_answer bigint NOT NULL DEFAULT 0",
        "UPDATE run SET counted_answer = (SELECT COALESCE(MAX(id), 0) FROM answer)",
        // Tokens of the calls that a cache answered.
        "ALTER TABLE run ADD COLUMN saved bigint NOT NULL DEFAULT 0",
        "UPDATE run SET saved = tokens_in + tokens_out - paid_in - paid_out",
        "CREATE INDEX run_outdated ON run (experiment_id, scoring_rev) WHERE completed_at IS NOT NULL AND rank_class IS NOT NULL",
        // Of a stage that makes many calls: what its output is made from again, and what the calls took.
        "ALTER TABLE stage_result ADD COLUMN recall jsonb",
        "CREATE TABLE rescoring ( \
         experiment_id uuid NOT NULL PRIMARY KEY REFERENCES experiment (id) ON DELETE CASCADE, \
         requests bigint NOT NULL DEFAULT 1, \
         epoch bigint NOT NULL DEFAULT 0, \
         lease_owner uuid, \
         lease_until timestamptz, \
         done bigint NOT NULL DEFAULT 0, \
         leader uuid, \
         by_whom text)",
        "CREATE TABLE rating ( \
         id uuid NOT NULL PRIMARY KEY, \
         run_id uuid NOT NULL REFERENCES run (id) ON DELETE CASCADE, \
         sample_index bigint, \
         by_whom text NOT NULL, \
         kind text NOT NULL, \
         scorer_name text, \
         value double precision NOT NULL, \
         metadata jsonb, \
         comment text, \
         at timestamptz NOT NULL DEFAULT {now})",
        "CREATE INDEX rating_run ON rating (run_id, sample_index)",
    ],
    down: &["rating", "rescoring"],
    and: &[
        "ALTER TABLE stage_result DROP COLUMN recall",
        "DROP INDEX run_outdated",
        "ALTER TABLE run DROP COLUMN saved",
        "ALTER TABLE run DROP COLUMN counted_answer",
        "ALTER TABLE run DROP COLUMN scores_version",
    ]
}
