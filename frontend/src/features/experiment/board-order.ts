import type { ExperimentDetail, LeaderboardRow } from "@/api/types";
import { count, plural } from "@/lib/format";
import type { Entry } from "./row-order";
import { byScore, displayedFigure, readSort, type Sort } from "./run-order";

/** The order of the board itself: whole runs by score, partial ones behind them. */
export const byRank: Sort = { by: byScore, descending: true };

const isWhole = (row: LeaderboardRow) => row.n >= row.n_total;

/** The rows with what can be seen of their order. */
export function boardEntries(rows: LeaderboardRow[], sort: string | undefined): Entry<LeaderboardRow>[] {
  const { by } = readSort(sort, byRank);
  return rows.map((row) => {
    const figure = displayedFigure(by, row) ?? row.run_id;
    return { id: row.run_id, row, figure: isWhole(row) ? figure : `${figure} of some samples` };
  });
}

/** Rows of one displayed score may stand in another order than the server's: their ranks are dealt in theirs. */
export function ranksInOrder(rows: LeaderboardRow[], sort: string | undefined): LeaderboardRow[] {
  if (sort) return rows;
  const ranks = rows.map(({ rank }) => rank ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  return rows.map((row, index) => {
    const rank = ranks[index];
    return rank === row.rank || rank === undefined || !Number.isFinite(rank) ? row : { ...row, rank };
  });
}

type View = { more: boolean; sort: string | undefined; value: string | undefined };

/** How many runs are listed, and of how many where that is certain. */
export function boardCount(experiment: ExperimentDetail, shown: number, view: View): string {
  if (shown === 0) return "";
  if (!view.more) return plural(shown, "run");
  const first = view.sort || view.value ? "First" : "Top";
  const { completed, cached, pruned } = experiment.runs;
  const total = completed + cached + pruned;
  // The counts are those of the last change of the sweep's state, and they know no filter.
  const certain = experiment.sweep?.status !== "running" && !view.value && total > shown;
  return certain ? `${first} ${count(shown)} of ${plural(total, "run")}` : `${first} ${plural(shown, "run")}`;
}
