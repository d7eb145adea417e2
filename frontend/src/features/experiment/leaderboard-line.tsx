import { Link } from "@tanstack/react-router";
import { memo } from "react";
import type { LeaderboardRow } from "@/api/types";
import { cost, count, inline, milliseconds, percent, score } from "@/lib/format";
import type { Columns } from "./leaderboard-columns";
import { ScoreBar } from "./score-bar";

type Props = { row: LeaderboardRow; columns: Columns };

/** One run; the link in its first cell covers the whole line. */
export const LeaderboardLine = memo(function LeaderboardLine({ row, columns }: Props) {
  const { score: value, ci_low: low, ci_high: high } = row;
  return (
    <tr data-key={row.run_id} className="relative">
      <td>
        <Rank row={row} />
      </td>
      <td>
        <ScoreBar value={value} low={low} high={high} scale={columns.scale} />
      </td>
      {columns.scorers.map((name) => (
        <td key={name} className="num text-right">
          {score(row.scores[name])}
        </td>
      ))}
      {columns.dimensions.map((name) => (
        <ValueCell key={name} value={row.values[name]} />
      ))}
      <td className="num text-right">
        {row.n < row.n_total ? `${count(row.n)} of ${count(row.n_total)}` : count(row.n)}
      </td>
      <td className="num text-right">{milliseconds(row.latency_ms)}</td>
      <td className="num text-right">{cost(row.cost_estimate)}</td>
    </tr>
  );
});

function Rank({ row: { rank, run_id: runId, ties_best: ties, p_best: chance } }: { row: LeaderboardRow }) {
  const tie = `Cannot be told apart from the best; ${percent(chance)} likely to be it`;
  return (
    <Link
      to="/runs/$runId"
      params={{ runId }}
      aria-label={
        rank === undefined ? "Run far down the board" : `Run ranked ${rank}${ties ? `. ${tie}` : ""}`
      }
      title={ties ? tie : undefined}
      className="num font-medium text-accent after:absolute after:inset-0"
    >
      {rank ?? "–"}
      {ties && <span aria-hidden="true"> =</span>}
    </Link>
  );
}

const short = 36;

/** Long texts are cut and stay whole in the title, above the line's link so that it can be read. */
function ValueCell({ value }: { value: unknown }) {
  const text = inline(value);
  if (value === undefined) return <td className="text-muted">{text}</td>;
  if (text.length <= short) return <td className="num">{text}</td>;
  return (
    <td>
      <span title={text} className="relative z-10 block max-w-52 truncate">
        {text}
      </span>
    </td>
  );
}
