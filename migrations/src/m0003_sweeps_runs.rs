//! Sweeps, their runs, and what the runs came to.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        "CREATE TABLE sweep ( \
         id uuid NOT NULL PRIMARY KEY, \
         experiment_id uuid NOT NULL REFERENCES experiment (id) ON DELETE CASCADE, \
         kind text NOT NULL, \
         strategy jsonb NOT NULL, \
         seed bigint NOT NULL, \
         max_runs bigint, \
         max_tokens bigint, \
         max_cost_nano bigint, \
         status text NOT NULL, \
         pause_reason text, \
         finish_reason text, \
         version bigint NOT NULL, \
         asked bigint NOT NULL, \
         duplicates bigint NOT NULL, \
         epoch bigint NOT NULL, \
         lease_owner uuid, \
         lease_until timestamptz, \
         created_at timestamptz NOT NULL DEFAULT {now}, \
         finished_at timestamptz)",
        "CREATE UNIQUE INDEX sweep_active ON sweep (experiment_id) WHERE status IN ('running', 'paused')",
        "CREATE INDEX sweep_experiment ON sweep (experiment_id, id)",
        "CREATE INDEX sweep_running ON sweep (id) WHERE status = 'running'",
        "CREATE TABLE sweep_total ( \
         sweep_id uuid NOT NULL PRIMARY KEY REFERENCES sweep (id) ON DELETE CASCADE, \
         outcomes bigint NOT NULL DEFAULT 0, \
         completed bigint NOT NULL DEFAULT 0, \
         failed bigint NOT NULL DEFAULT 0, \
         cached bigint NOT NULL DEFAULT 0, \
         pruned bigint NOT NULL DEFAULT 0, \
         cancelled bigint NOT NULL DEFAULT 0, \
         running bigint NOT NULL DEFAULT 0, \
         samples bigint NOT NULL DEFAULT 0, \
         tokens_in bigint NOT NULL DEFAULT 0, \
         tokens_out bigint NOT NULL DEFAULT 0, \
         cost_nano bigint NOT NULL DEFAULT 0, \
         unpriced bigint NOT NULL DEFAULT 0, \
         calls bigint NOT NULL DEFAULT 0, \
         hits bigint NOT NULL DEFAULT 0, \
         unknown_calls bigint NOT NULL DEFAULT 0)",
        "CREATE TABLE run ( \
         id uuid NOT NULL PRIMARY KEY, \
         experiment_id uuid NOT NULL REFERENCES experiment (id) ON DELETE CASCADE, \
         sweep_id uuid REFERENCES sweep (id) ON DELETE CASCADE, \
         config_hash text NOT NULL, \
         config jsonb NOT NULL, \
         status text NOT NULL, \
         asked bigint NOT NULL, \
         done bigint NOT NULL DEFAULT 0, \
         blocks bigint NOT NULL DEFAULT 0, \
         failures bigint NOT NULL DEFAULT 0, \
         lease_epoch bigint NOT NULL DEFAULT 0, \
         lease_owner uuid, \
         lease_until timestamptz, \
         not_before timestamptz, \
         created_at timestamptz NOT NULL DEFAULT {now}, \
         started_at timestamptz, \
         completed_at timestamptz, \
         tokens_in bigint NOT NULL DEFAULT 0, \
         tokens_out bigint NOT NULL DEFAULT 0, \
         paid_in bigint NOT NULL DEFAULT 0, \
         paid_out bigint NOT NULL DEFAULT 0, \
         cost_nano bigint DEFAULT 0, \
         paid_nano bigint DEFAULT 0, \
         latency_ms bigint NOT NULL DEFAULT 0, \
         calls bigint NOT NULL DEFAULT 0, \
         hits bigint NOT NULL DEFAULT 0, \
         score double precision, \
         ci_low double precision, \
         ci_high double precision, \
         n bigint NOT NULL DEFAULT 0, \
         rank_score double precision, \
         listed bigint NOT NULL DEFAULT 0, \
         scores jsonb, \
         error jsonb)",
        "CREATE UNIQUE INDEX run_config ON run (sweep_id, config_hash)",
        "CREATE INDEX run_open ON run (id) WHERE asked > done",
        "CREATE INDEX run_mine ON run (lease_owner) WHERE lease_owner IS NOT NULL",
        "CREATE INDEX run_unfinished ON run (sweep_id) WHERE completed_at IS NULL",
        "CREATE INDEX run_board ON run (experiment_id, rank_score DESC, id DESC) WHERE listed = 1",
        "CREATE INDEX run_twins ON run (experiment_id, config_hash) WHERE listed = 1",
        "CREATE INDEX run_experiment ON run (experiment_id, id)",
        "CREATE TABLE trial ( \
         sweep_id uuid NOT NULL REFERENCES sweep (id) ON DELETE CASCADE, \
         no bigint NOT NULL, \
         run_id uuid NOT NULL, \
         PRIMARY KEY (sweep_id, no)) /* clustered */",
        "CREATE TABLE block ( \
         run_id uuid NOT NULL REFERENCES run (id) ON DELETE CASCADE, \
         no bigint NOT NULL, \
         sweep_id uuid, \
         outcome_seq bigint NOT NULL, \
         upto bigint NOT NULL, \
         scores bytea NOT NULL, \
         PRIMARY KEY (run_id, no))",
        "CREATE INDEX block_outcome ON block (sweep_id, outcome_seq)",
        "CREATE TABLE stage_result ( \
         run_id uuid NOT NULL REFERENCES run (id) ON DELETE CASCADE, \
         sample_index bigint NOT NULL, \
         repeat bigint NOT NULL, \
         stage_index bigint NOT NULL, \
         answer_id bigint, \
         paid bigint NOT NULL, \
         error jsonb, \
         PRIMARY KEY (run_id, sample_index, repeat, stage_index)) /* clustered */",
        "CREATE TABLE score ( \
         run_id uuid NOT NULL REFERENCES run (id) ON DELETE CASCADE, \
         sample_index bigint NOT NULL, \
         repeat bigint NOT NULL, \
         scorer_no bigint NOT NULL, \
         value double precision, \
         metadata jsonb, \
         error text, \
         PRIMARY KEY (run_id, sample_index, repeat, scorer_no)) /* clustered */",
    ],
    down: &["score", "stage_result", "block", "trial", "run", "sweep_total", "sweep"]
}
