import { Link } from "@tanstack/react-router";
import { memo } from "react";
import type { LeaderboardRow } from "@/api/types";
import { cost, count, inline, milliseconds, percent, score } from "@/lib/format";
import type { Columns } from "./leaderboard-columns";
import { ScoreBar } from "./score-bar";

type Props = { row: LeaderboardRow; columns: Columns };

/** One run; the link in its first cell covers the whole row. */
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

function Rank({ row }: { row: LeaderboardRow }) {
  const { rank, run_id: runId } = row;
  const tie = row.ties_best && rank !== 1 ? tieText(row.p_best) : undefined;
  return (
    <Link
      to="/runs/$runId"
      params={{ runId }}
      aria-label={rank === undefined ? "Unranked run" : `Run ranked ${rank}${tie ? `. ${tie}` : ""}`}
      title={tie}
      className="num font-medium text-accent after:absolute after:inset-0"
    >
      {rank ?? "–"}
      {tie && <span aria-hidden="true"> =</span>}
    </Link>
  );
}

function tieText(chance: number | undefined): string {
  const likely = chance !== undefined && chance >= 0.0005 ? `; ${percent(chance)} likely to be the best` : "";
  return `Not significantly different from #1${likely}`;
}

const maxUncut = 36;

/** Long texts are cut; the title holds all of it, and lies above the row's link so that it shows. */
function ValueCell({ value }: { value: unknown }) {
  const text = inline(value);
  if (value === undefined) return <td className="text-muted">{text}</td>;
  if (text.length <= maxUncut) return <td className="num">{text}</td>;
  return (
    <td>
      <span title={text} className="relative z-10 block max-w-52 truncate">
        {text}
      </span>
    </td>
  );
}
