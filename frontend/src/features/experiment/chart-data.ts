import type { BestPoint } from "@/api/live/messages";

export type ChartData = [x: number[], y: number[]];

/** Points of the step line, in seconds since the epoch, drawn on to `until` at the last height. */
export function chartData(series: BestPoint[], until: string | undefined): ChartData {
  const points = series
    .map(([at, score]): [number, number] => [Date.parse(at) / 1000, score])
    .filter(([at]) => Number.isFinite(at))
    .sort(([a], [b]) => a - b);
  const last = points.at(-1);
  const end = until ? Date.parse(until) / 1000 : Number.NaN;
  if (last && end > last[0]) points.push([end, last[1]]);
  return [points.map(([at]) => at), points.map(([, score]) => score)];
}

/** A range that shows the line with air around it, never wider than scores can be. */
export function scoreRange(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const air = Math.max(0.02, (high - low) * 0.15);
  return [Math.max(0, low - air), Math.min(1, Math.max(high + air, low + 2 * air))];
}

/** A single moment still needs a width. */
export function timeRange(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 60];
  return high - low < 10 ? [low - 5, high + 5] : [low, high];
}

const pad = (value: number) => String(value).padStart(2, "0");

/** An axis label: the time of day, with seconds or the day where the ticks need them. */
export function tickLabel(at: number, step: number): string {
  const date = new Date(at * 1000);
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
  if (step >= 86_400) return `${pad(date.getDate())}.${pad(date.getMonth() + 1)}.`;
  return step < 60 ? `${time}:${pad(date.getSeconds())}` : time;
}
