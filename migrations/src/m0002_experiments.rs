//! Projects, experiments and the samples they share.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        "CREATE TABLE project ( \
         id uuid NOT NULL PRIMARY KEY, \
         name text NOT NULL, \
         description text, \
         created_at timestamptz NOT NULL DEFAULT {now}, \
         updated_at timestamptz NOT NULL DEFAULT {now})",
        "CREATE TABLE sample_set ( \
         id uuid NOT NULL PRIMARY KEY, \
         digest text NOT NULL UNIQUE, \
         count bigint NOT NULL, \
         created_at timestamptz NOT NULL DEFAULT {now})",
        "CREATE TABLE sample ( \
         set_id uuid NOT NULL REFERENCES sample_set (id) ON DELETE CASCADE, \
         idx bigint NOT NULL, \
         doc jsonb NOT NULL, \
         PRIMARY KEY (set_id, idx))",
        "CREATE TABLE experiment ( \
         id uuid NOT NULL PRIMARY KEY, \
         project_id uuid NOT NULL REFERENCES project (id) ON DELETE CASCADE, \
         sample_set_id uuid NOT NULL REFERENCES sample_set (id), \
         name text NOT NULL, \
         description text, \
         documents jsonb NOT NULL, \
         pipeline_stages jsonb NOT NULL, \
         scoring_config jsonb NOT NULL, \
         parameter_space jsonb NOT NULL, \
         repeats bigint NOT NULL, \
         holdout double precision NOT NULL, \
         status text NOT NULL, \
         document_digest text, \
         best_run_id uuid, \
         best_score double precision, \
         standings jsonb, \
         created_at timestamptz NOT NULL DEFAULT {now}, \
         updated_at timestamptz NOT NULL DEFAULT {now})",
        "CREATE INDEX experiment_project ON experiment (project_id, id)",
        "CREATE UNIQUE INDEX experiment_document ON experiment (project_id, document_digest)",
        "CREATE INDEX experiment_name ON experiment (name, id)",
    ],
    down: &["experiment", "sample", "sample_set", "project"]
}
