import type { LeaderboardRow } from "@/api/types";

/** How the leaderboard is sorted, as it stands in the address: `-score`, `scores.NAME`, … */
export type Sort = { by: string; descending: boolean };

const scorePrefix = "scores.";
export const byScore = "score";
export const byScorer = (name: string) => `${scorePrefix}${name}`;

const byRank: Sort = { by: byScore, descending: true };

export function readSort(text: string | undefined): Sort {
  if (!text) return byRank;
  const descending = text.startsWith("-");
  const by = descending ? text.slice(1) : text;
  return by === byScore || by.startsWith(scorePrefix) ? { by, descending } : byRank;
}

/** What a click on a column's head asks for: best first, then the other way round, and back. */
export function nextSort(current: Sort, by: string): string | undefined {
  const descending = current.by !== by || !current.descending;
  if (by === byScore && descending) return undefined;
  return `${descending ? "-" : ""}${by}`;
}

function figureOf(row: LeaderboardRow, by: string): number | undefined {
  return by === byScore ? row.score : row.scores[by.slice(scorePrefix.length)];
}

/** The rows in order; those without a value come last either way, and rank settles what is equal. */
export function ordered(rows: LeaderboardRow[], { by, descending }: Sort): LeaderboardRow[] {
  if (by === byScore) {
    const ranked = rows.toSorted((a, b) => a.rank - b.rank);
    return descending ? ranked : ranked.reverse();
  }
  const sign = descending ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [left, right] = [figureOf(a, by), figureOf(b, by)];
    if (left === undefined || right === undefined) {
      return Number(left === undefined) - Number(right === undefined) || a.rank - b.rank;
    }
    return sign * (left - right) || a.rank - b.rank;
  });
}
