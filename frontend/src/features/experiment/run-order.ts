import { cost, inline, milliseconds, score } from "@/lib/format";

/** How a table of runs is sorted, as it stands in the address and as the server is asked: `-score`, `scores.NAME`, … */
export type Sort = { by: string; descending: boolean };

export const byScore = "score";
export const byScorer = (name: string) => `scores.${name}`;
export const byValue = (name: string) => `values.${name}`;
export const byCost = "cost_estimate";
export const byLatency = "latency_ms";
export const byAge = "created_at";

/** Of these little is better, or the first letter of the alphabet. */
const isLowFirst = (by: string) => by === byCost || by === byLatency || by.startsWith(byValue(""));

export function readSort(text: string | undefined, otherwise: Sort): Sort {
  if (!text) return otherwise;
  const descending = text.startsWith("-");
  return { by: descending ? text.slice(1) : text, descending };
}

/** What a click on a column's head asks for: the better end first, then the other one. */
export function nextSort(current: Sort, by: string, otherwise: Sort): string | undefined {
  const descending = current.by === by ? !current.descending : !isLowFirst(by);
  if (by === otherwise.by && descending === otherwise.descending) return undefined;
  return `${descending ? "-" : ""}${by}`;
}

type Figures = {
  score?: number;
  scores: Record<string, number | undefined>;
  values: Record<string, unknown>;
  cost_estimate?: number;
  latency_ms?: number;
};

/** What a table shows in the column that it is sorted by; nothing where the column is not a figure. */
export function displayedFigure(by: string, run: Figures): string | undefined {
  if (by === byScore) return score(run.score);
  if (by === byCost) return cost(run.cost_estimate);
  if (by === byLatency) return milliseconds(run.latency_ms);
  if (by.startsWith(byScorer(""))) return score(run.scores[by.slice(byScorer("").length)]);
  if (by.startsWith(byValue(""))) return inline(run.values[by.slice(byValue("").length)]);
  return undefined;
}
