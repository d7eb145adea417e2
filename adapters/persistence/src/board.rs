//! Leaderboards and their standings.

use std::time::Duration;

use application::ports::{
    BoardRun, BoardState, BoardStore, RankedRun, RunFilter, RunListing, RunOrder, RunQuery, Standings,
    StandingsClaim, StandingsStore, StoreError,
};
use async_trait::async_trait;
use domain::id::ExperimentId;
use domain::leaderboard::Standing;
use domain::pricing::Tokens;
use domain::run::RunStatus;
use sea_orm::{DatabaseTransaction, DbErr};
use wire::board::StandingsDocument;
use wire::stored;

use crate::dialect::milliseconds;
use crate::dialect::{Dialect, Session, corrupt, failed, id, maybe_id, maybe_real, raw_json, whole};
use crate::open::Stores;
use crate::rank_class::{UNSCORED, WHOLE};
use crate::rows::{Row, read_all};
use crate::run_list::RunProjection;
use crate::run_rows::totals_of;

/// The columns of a row of the board: of the configuration only the values.
const SHOWN: RunProjection = RunProjection {
    columns: "r.id, r.config->'doc'->'values' AS point, r.status, r.done, r.score, r.ci_low, r.ci_high, r.n, \
        r.rank_class, r.scores, r.tokens_in, r.tokens_out, r.cost_nano, r.latency_ms",
    listed: true,
};

const STATE: &str = "SELECT s.doc, CAST(CASE WHEN b.standings_rev = b.rev THEN 1 ELSE 0 END AS bigint) AS is_current FROM board b \
     LEFT JOIN standings s ON s.experiment_id = b.experiment_id WHERE b.experiment_id = $1";

/// Claims a board whose standings are behind. `$2` is a board that is claimed regardless of its lease and its `not_before`.
const CLAIM: &str = "UPDATE board SET lease_until = {in:$1} WHERE experiment_id = (SELECT experiment_id FROM board r \
     WHERE rev > standings_rev AND (experiment_id = $2 OR ($2 IS NULL \
     AND (lease_until IS NULL OR lease_until < {now}) AND (not_before IS NULL OR not_before <= {now}))) ORDER BY experiment_id LIMIT 1 {lock r skip}) \
     RETURNING experiment_id, rev";

const RANKED: &str = "SELECT id, rank_class, rank_score FROM run WHERE experiment_id = $1 AND listed = 1 \
     ORDER BY rank_class DESC, rank_score DESC, id LIMIT $2";

const COMPUTED: &str = "UPDATE board SET standings_rev = $2, not_before = {in:$3}, lease_until = NULL \
     WHERE experiment_id = $1 AND standings_rev < $2";

const PUT: &str = "INSERT INTO standings (experiment_id, rev, doc) VALUES ($1, $2, $3) \
     ON CONFLICT (experiment_id) DO UPDATE SET rev = excluded.rev, doc = excluded.doc, at = {now}";

/// Moves a partial run to the place that its difference to the leader gives it.
const FOLLOW: &str = "UPDATE run SET rank_score = $2 WHERE id = $1 AND rank_class = 1 AND rank_score <> $2";

#[async_trait]
impl BoardStore for Stores {
    async fn board(&self, query: RunQuery) -> Result<RunListing<BoardRun>, StoreError> {
        self.run_page(&query, SHOWN, board_run).await
    }

    async fn leader(&self, experiment: ExperimentId) -> Result<Option<BoardRun>, StoreError> {
        let (filter, order) = (RunFilter::all(experiment), RunOrder::RANK);
        let query = RunQuery { filter, order, after: None, limit: 1 };
        Ok(self.board(query).await?.items.pop())
    }

    async fn board_state(&self, experiment: ExperimentId) -> Result<BoardState, StoreError> {
        let row = self.database.read().one(STATE, vec![id(experiment.bits())]).await.map_err(failed)?;
        // Where no run has ended, there are no standings to compute.
        let nothing = BoardState { standings: Standings::default(), is_current: true };
        row.map_or(Ok(nothing), |row| state(Row(&row)).map_err(failed))
    }
}

#[async_trait]
impl StandingsStore for Stores {
    async fn claim_standings(
        &self,
        lease: Duration,
        at_once: Option<ExperimentId>,
    ) -> Result<Option<StandingsClaim>, StoreError> {
        let values = vec![milliseconds(lease), maybe_id(at_once.map(ExperimentId::bits))];
        let row = self.database.write().one(CLAIM, values).await.map_err(failed)?;
        row.map(|row| claim(Row(&row))).transpose().map_err(failed)
    }

    async fn ranked(&self, experiment: ExperimentId, limit: usize) -> Result<Vec<RankedRun>, StoreError> {
        let values = vec![id(experiment.bits()), whole(limit)];
        let rows = self.database.read().all(RANKED, values).await.map_err(failed)?;
        read_all(&rows, ranked).map_err(failed)
    }

    async fn put_standings(
        &self,
        of: StandingsClaim,
        standings: Standings,
        rest: Duration,
    ) -> Result<(), StoreError> {
        let database = std::sync::Arc::clone(&self.database);
        let stored = self.database.detached(async move {
            let transaction = database.writer.begin().await?;
            let session = Session { connection: &transaction, dialect: database.dialect() };
            put(session, of, &standings, rest).await?;
            transaction.commit().await
        });
        stored.await.map_err(failed)
    }
}

async fn put(
    session: Session<'_, DatabaseTransaction>,
    of: StandingsClaim,
    standings: &Standings,
    rest: Duration,
) -> Result<(), DbErr> {
    let experiment = id(of.experiment.bits());
    let computed = vec![experiment.clone(), whole(of.rev), milliseconds(rest)];
    if session.execute(COMPUTED, computed).await?.rows_affected() == 0 {
        return Ok(());
    }
    let document = stored::write(&StandingsDocument::from(standings)).map_err(corrupt)?;
    session.execute(PUT, vec![experiment, whole(of.rev), raw_json(&document)?]).await?;
    for Standing { run, score, .. } in standings.compared.iter().filter(|standing| standing.partial) {
        if score.is_some() {
            session.execute(FOLLOW, vec![id(run.bits()), maybe_real(*score)]).await?;
        }
    }
    Ok(())
}

fn state(row: Row<'_>) -> Result<BoardState, DbErr> {
    let document = row.maybe_raw_json("doc")?.map(|text| stored::read::<StandingsDocument>(&text));
    let standings = document.transpose().map_err(corrupt)?.map(Standings::try_from);
    Ok(BoardState {
        standings: standings.transpose().map_err(corrupt)?.unwrap_or_default(),
        is_current: row.whole("is_current")? == 1,
    })
}

fn claim(row: Row<'_>) -> Result<StandingsClaim, DbErr> {
    Ok(StandingsClaim { experiment: ExperimentId::new(row.id("experiment_id")?), rev: row.whole("rev")? })
}

fn ranked(row: Row<'_>) -> Result<RankedRun, DbErr> {
    let class = row.whole("rank_class")?;
    let score = row.maybe_real("rank_score")?.filter(|_| class > UNSCORED);
    Ok(RankedRun { run: row.run_id("id")?, score, partial: class < WHOLE })
}

fn board_run(row: Row<'_>, _: Dialect) -> Result<BoardRun, DbErr> {
    let status = row.text("status")?;
    Ok(BoardRun {
        id: row.run_id("id")?,
        values: row.maybe_json("point")?.and_then(|value| value.as_map().cloned()).unwrap_or_default(),
        status: RunStatus::parse(&status).ok_or_else(|| corrupt(format!("run status {status}")))?,
        done: row.small("done")?,
        score: row.maybe_real("score")?,
        interval: row.maybe_real("ci_low")?.zip(row.maybe_real("ci_high")?),
        n: row.small("n")?,
        partial: row.whole("rank_class")? < WHOLE,
        scores: totals_of(row)?,
        tokens: Tokens { input: row.count("tokens_in")?, output: row.count("tokens_out")? },
        cost: row.maybe_money("cost_nano")?,
        latency_ms: row.count("latency_ms")?,
    })
}
