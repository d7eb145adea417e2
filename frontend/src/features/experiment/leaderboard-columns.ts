import type { ExperimentDetail, LeaderboardRow } from "@/api/types";

export type Columns = { scorers: string[]; dimensions: string[]; scale: Scale };

/** What the interval bars are drawn against, the same for all rows. */
export type Scale = { low: number; high: number };

/** Configured names first and in their order, then whatever else the rows carry. */
export function columnsOf(experiment: ExperimentDetail, rows: LeaderboardRow[]): Columns {
  const scorers = new Set((experiment.scoring_config ?? []).map((entry) => entry.name ?? entry.scorer));
  const dimensions = new Set(Object.keys(experiment.parameter_space ?? {}));
  for (const row of rows) {
    for (const name of Object.keys(row.scores)) scorers.add(name);
    for (const name of Object.keys(row.values)) dimensions.add(name);
  }
  return { scorers: [...scorers], dimensions: [...dimensions], scale: scaleOf(rows) };
}

function scaleOf(rows: LeaderboardRow[]): Scale {
  let low = 1;
  let high = 0;
  for (const { score, ci_low = score, ci_high = score } of rows) {
    if (ci_low !== undefined) low = Math.min(low, ci_low);
    if (ci_high !== undefined) high = Math.max(high, ci_high);
  }
  return high > low ? { low, high } : { low: 0, high: 1 };
}

/** Where a value stands on the scale, in percent. */
export function place(value: number, { low, high }: Scale): number {
  return Math.min(100, Math.max(0, ((value - low) / (high - low)) * 100));
}
