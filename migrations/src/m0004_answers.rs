//! What models answered, and who is asking them.

use sea_orm_migration::prelude::*;

use crate::ddl::tables;

tables! {
    up: &[
        "/* postgres */ CREATE SEQUENCE answer_id",
        "CREATE TABLE answer ( \
         id bigint NOT NULL PRIMARY KEY, \
         endpoint_id uuid NOT NULL, \
         request text NOT NULL, \
         response text NOT NULL, \
         model text NOT NULL, \
         model_returned text, \
         parameters jsonb NOT NULL, \
         tool_calls jsonb, \
         tokens_in bigint NOT NULL, \
         tokens_out bigint NOT NULL, \
         latency_us bigint NOT NULL, \
         finish_reason text, \
         flags bigint NOT NULL, \
         cost_nano bigint, \
         paid_run uuid NOT NULL, \
         paid_sample bigint NOT NULL, \
         paid_repeat bigint NOT NULL, \
         paid_stage bigint NOT NULL, \
         created_at timestamptz NOT NULL DEFAULT {now})",
        "CREATE TABLE response_cache ( \
         config_hash text NOT NULL PRIMARY KEY, \
         answer_id bigint, \
         claimed_by uuid, \
         claim_no bigint NOT NULL, \
         sweep_id uuid, \
         reserved_tokens bigint NOT NULL DEFAULT 0, \
         reserved_nano bigint NOT NULL DEFAULT 0, \
         failed_kind text, \
         failed_message text) /* clustered */",
        "CREATE INDEX response_cache_open ON response_cache (claimed_by) WHERE answer_id IS NULL",
    ],
    down: &["response_cache", "answer"],
    and: &["/* postgres */ DROP SEQUENCE answer_id"]
}
