import type { RunDetail } from "@/api/types";
import { compact, cost, count, milliseconds, score } from "@/lib/format";
import { moment } from "@/lib/time";
import { Tile, Tiles } from "@/ui/tile";

type Figure = { label: string; value: string; note: string };

function figuresOf(run: RunDetail): Figure[] {
  const { samples, paid, ci_low: low, ci_high: high } = run;
  const interval = low === undefined || high === undefined ? "" : `95 % CI ${score(low)} to ${score(high)}`;
  const failures = samples.failed > 0 ? `${count(samples.failed)} failed` : "none failed";
  const mixed = run.mixed ? ["answers of more than one model or server version"] : [];
  const odd = Object.entries(run.flags).map(([flag, n]) => `${count(n)} ${flag.replaceAll("_", " ")}`);
  return [
    { label: "Score", value: score(run.score), note: interval },
    {
      label: "Samples",
      value: `${count(samples.done - samples.failed)} of ${count(samples.total)}`,
      note: failures,
    },
    {
      label: "Tokens",
      value: compact(run.tokens_in + run.tokens_out),
      note: [`${compact(paid.tokens_in + paid.tokens_out)} paid`, ...odd, ...mixed].join(", "),
    },
    {
      label: "Cost",
      value: cost(run.cost_estimate),
      note: run.cost_estimate === undefined ? "No price known" : `${cost(paid.cost)} paid`,
    },
    { label: "Total model latency", value: milliseconds(run.latency_ms), note: "Sum of all calls" },
    {
      label: "Duration",
      value: run.completed_at ? milliseconds(run.duration_ms) : "–",
      note: run.started_at ? moment(run.started_at) : "Not started",
    },
  ];
}

/** The figures of the run at a glance. */
export function RunFigures({ run }: { run: RunDetail }) {
  return (
    <Tiles label="Run">
      {figuresOf(run).map((figure) => (
        <Tile key={figure.label} {...figure} />
      ))}
    </Tiles>
  );
}
