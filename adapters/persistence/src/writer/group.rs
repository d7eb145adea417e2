//! One transaction of the group writer. Locks are taken in one order everywhere: calls, sweeps, runs, experiments, boards,
//! totals, clock; rows of one kind in the order of their keys. Finished runs come behind their board.

mod block;
mod end;
mod fill;
mod launch;
mod scores;
mod sweep;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicI64;

use application::ports::{AnswerId, CallClaim, Claim, Commit, CommitError, Receipt, Settlement};
use domain::call::Digest;
use domain::event::NewEvent;
use domain::id::SweepId;
use sea_orm::{ConnectionTrait, DbErr};

use self::block::LandedBlock;
use crate::claims::Claimant;
use crate::deltas::Deltas;
use crate::dialect::{Dialect, Session};
use crate::writer::Request;
use crate::{claims, event_log};

/// What a group's requests are answered, each kind in the order of the requests.
#[derive(Default)]
pub(crate) struct Answers {
    pub(crate) settled: Vec<Vec<AnswerId>>,
    pub(crate) receipts: Vec<Result<Receipt, CommitError>>,
    pub(crate) claims: Vec<Vec<Claim>>,
}

impl Answers {
    /// Whether all that was asked for was one commit, and some part of it was refused.
    pub(crate) fn is_refusal(&self) -> bool {
        let alone = self.settled.is_empty() && self.claims.is_empty();
        alone && matches!(self.receipts.as_slice(), [Err(_)])
    }
}

/// Writes everything that the requests ask for. A commit that is fenced is left out; the others are not harmed.
pub(crate) async fn apply<C: ConnectionTrait>(
    session: Session<'_, C>,
    requests: &[Request],
    next_answer: &AtomicI64,
) -> Result<Answers, DbErr> {
    let settlements: Vec<&Settlement> = requests.iter().filter_map(settlement).collect();
    let commits: Vec<&Commit> = requests.iter().filter_map(commit).collect();
    let mut receipts: Vec<Result<Receipt, CommitError>> = vec![Ok(Receipt::default()); commits.len()];
    let mut deltas = Deltas::new();
    lock_calls(session, requests).await?;
    let settled = fill::write(session, &settlements, &mut deltas, next_answer).await?;
    let mut ends = Vec::new();
    for (commit, receipt) in commits.iter().zip(&mut receipts) {
        *receipt = sweep::write(session, commit, &mut deltas, &mut ends).await?;
    }
    let landed = fence(session, &commits, &mut receipts, &mut deltas, &mut ends).await?;
    scores::write(session, &commits, &mut receipts, &mut ends).await?;
    let claims = claim(session, requests, &mut deltas).await?;
    let outcomes = totals(session, &deltas).await?;
    block::write(session, &landed, outcomes).await?;
    let accepted = commits.iter().zip(&receipts).filter(|(_, receipt)| receipt.is_ok());
    let told = accepted.flat_map(|(commit, _)| &commit.events).chain(&ends).collect();
    event_log::write(session, told).await?;
    Ok(Answers { settled, receipts, claims })
}

/// Locks the calls of a group that does different things to them: statement after statement, each in order, two groups
/// could stand in a circle. Claims of new calls come last, since there is nothing yet to lock. SQLite has one writer.
async fn lock_calls<C: ConnectionTrait>(session: Session<'_, C>, requests: &[Request]) -> Result<(), DbErr> {
    if session.dialect == Dialect::Sqlite {
        return Ok(());
    }
    let mut kinds = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
    let [fills, failures, claims] = &mut kinds;
    for request in requests {
        match request {
            Request::Settle(calls, _) => {
                fills.extend(calls.fills.iter().map(|fill| fill.hash));
                failures.extend(calls.failures.iter().map(|failed| failed.hash));
            }
            Request::Claim { calls, .. } => claims.extend(calls.iter().map(|call| call.hash)),
            Request::Commit(..) => {}
        }
    }
    if kinds.iter().filter(|hashes| !hashes.is_empty()).count() < 2 {
        return Ok(());
    }
    let hashes: BTreeSet<Digest> = kinds.into_iter().flatten().collect();
    claims::lock(session, &hashes.into_iter().collect::<Vec<_>>()).await
}

/// Advances the runs of blocks, in the order of their ids, and ends those that come to their end; what landed. Adds to what
/// listeners are told.
async fn fence<'a, C: ConnectionTrait>(
    session: Session<'_, C>,
    commits: &[&'a Commit],
    receipts: &mut [Result<Receipt, CommitError>],
    deltas: &mut Deltas,
    ends: &mut Vec<NewEvent>,
) -> Result<Vec<LandedBlock<'a>>, DbErr> {
    let accepted = commits.iter().zip(receipts).filter(|(_, receipt)| receipt.is_ok());
    let mut blocks: Vec<_> =
        accepted.filter_map(|(commit, receipt)| Some((commit.block.as_ref()?, receipt))).collect();
    blocks.sort_by_key(|(block, _)| block.lease.run);
    let mut landed = Vec::new();
    for (block, receipt) in blocks {
        match block::fence(session, block, deltas).await? {
            Some(block) => landed.push(block),
            None => *receipt = Err(CommitError::Conflict),
        }
    }
    let last: Vec<_> = landed.iter().filter_map(LandedBlock::ending).collect();
    ends.extend(end::write(session, &last, scores::scored(commits)).await?);
    Ok(landed)
}

fn commit(request: &Request) -> Option<&Commit> {
    if let Request::Commit(commit, _) = request { Some(commit) } else { None }
}

fn settlement(request: &Request) -> Option<&Settlement> {
    if let Request::Settle(calls, _) = request { Some(calls) } else { None }
}

/// All claims of the group in one go, then told apart again.
async fn claim<C: ConnectionTrait>(
    session: Session<'_, C>,
    requests: &[Request],
    deltas: &mut Deltas,
) -> Result<Vec<Vec<Claim>>, DbErr> {
    let mut by_worker: BTreeMap<Claimant, Vec<CallClaim>> = BTreeMap::new();
    for request in requests {
        if let Request::Claim { calls, by, .. } = request {
            by_worker.entry(*by).or_default().extend(calls);
        }
    }
    let mut claimed = BTreeMap::new();
    for (by, calls) in by_worker {
        claimed.insert(by, claims::claim(session, &calls, by, deltas).await?.into_iter());
    }
    let shares = requests.iter().filter_map(|request| {
        let Request::Claim { calls, by, .. } = request else { return None };
        Some(claimed.get_mut(by).map(|claims| claims.take(calls.len()).collect()).unwrap_or_default())
    });
    Ok(shares.collect())
}

/// Adds to the counters of sweeps; the number of outcomes that each then has.
async fn totals<C: ConnectionTrait>(
    session: Session<'_, C>,
    deltas: &Deltas,
) -> Result<BTreeMap<SweepId, i64>, DbErr> {
    let mut outcomes = BTreeMap::new();
    for (sweep, delta) in deltas {
        outcomes.insert(*sweep, sweep::add(session, *sweep, delta).await?);
    }
    Ok(outcomes)
}
