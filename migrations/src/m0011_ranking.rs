//! The order of the board as columns of its own, and the standings as documents that are written rather than computed by
//! whoever reads them.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        // 2: a whole run, 1: a partial one, 0: one without a score, whose rank_score is 0. Higher stands first.
        "ALTER TABLE run ADD COLUMN rank_class bigint",
        "UPDATE run SET rank_class = CASE WHEN score IS NULL THEN 0 WHEN n * 10 < done * 9 THEN 1 ELSE 2 END, \
         rank_score = COALESCE(score, 0.0) WHERE rank_score IS NOT NULL",
        "DROP INDEX run_score",
        "DROP INDEX run_board",
        "CREATE INDEX run_board ON run (experiment_id, rank_class DESC, rank_score DESC, id) WHERE listed = 1",
        "ALTER TABLE experiment DROP COLUMN best_score",
        "ALTER TABLE experiment DROP COLUMN standings",
        // `rev` goes up with each change of the experiment's ranked runs, `standings_rev` is the one that the standings
        // were computed from.
        "CREATE TABLE board ( \
         experiment_id uuid NOT NULL PRIMARY KEY REFERENCES experiment (id) ON DELETE CASCADE, \
         rev bigint NOT NULL, \
         standings_rev bigint NOT NULL DEFAULT 0, \
         not_before timestamptz, \
         lease_until timestamptz)",
        "CREATE INDEX board_due ON board (experiment_id) WHERE rev > standings_rev",
        "INSERT INTO board (experiment_id, rev) \
         SELECT id, 1 FROM experiment e WHERE EXISTS (SELECT 1 FROM run r WHERE r.experiment_id = e.id AND r.listed = 1)",
        "CREATE TABLE standings ( \
         experiment_id uuid NOT NULL PRIMARY KEY REFERENCES experiment (id) ON DELETE CASCADE, \
         rev bigint NOT NULL, \
         doc jsonb NOT NULL, \
         at timestamptz NOT NULL DEFAULT {now})",
    ],
    down: &["standings", "board"],
    and: &[
        "ALTER TABLE experiment ADD COLUMN standings jsonb",
        "ALTER TABLE experiment ADD COLUMN best_score double precision",
        "UPDATE experiment SET best_score = (SELECT MAX(r.score) FROM run r \
         WHERE r.experiment_id = experiment.id AND r.rank_class = 2)",
        "DROP INDEX run_board",
        "UPDATE run SET rank_score = CASE WHEN rank_class = 0 THEN -2.0 WHEN rank_class = 1 THEN rank_score - 1.0 \
         ELSE rank_score END WHERE rank_class IS NOT NULL",
        "CREATE INDEX run_board ON run (experiment_id, rank_score DESC, id) WHERE listed = 1",
        "CREATE INDEX run_score ON run (experiment_id, (COALESCE(score, -1.0)), id)",
        "ALTER TABLE run DROP COLUMN rank_class",
    ]
}
