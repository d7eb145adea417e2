import { useMemo } from "react";
import type { ExperimentDetail, LeaderboardRow } from "@/api/types";
import { useFlip } from "@/ui/flip";
import { Table } from "@/ui/table";
import { byRank } from "./board-order";
import { columnsOf } from "./leaderboard-columns";
import { LeaderboardHead } from "./leaderboard-head";
import { LeaderboardLine } from "./leaderboard-line";
import { readSort } from "./run-order";

type Props = { experiment: ExperimentDetail; rows: LeaderboardRow[]; sort: string | undefined };

/** The runs in the server's order; they glide when it changes. */
export function Leaderboard({ experiment, rows, sort }: Props) {
  const columns = useColumns(experiment, rows);
  const body = useFlip<HTMLTableSectionElement>(rows.map((row) => row.run_id).join(" "));
  return (
    <>
      <Table label="Leaderboard">
        <LeaderboardHead columns={columns} sort={readSort(sort, byRank)} />
        <tbody ref={body}>
          {rows.map((row) => (
            <LeaderboardLine key={row.run_id} row={row} columns={columns} />
          ))}
        </tbody>
      </Table>
      <p className="mt-2 text-muted text-xs">
        <strong className="font-semibold">=</strong> not significantly different from #1 (5 % level). Bars: 95
        % confidence interval.{advice(rows)}
      </p>
    </>
  );
}

/** Each further run is one more chance of a difference by luck, so a clear order may still be full of ties. */
function advice(rows: LeaderboardRow[]): string {
  const ties = rows.filter((row) => row.ties_best).length;
  if (rows.length < 5 || ties * 2 < rows.length) return "";
  const samples = Math.max(...rows.map((row) => row.n));
  return ` With n = ${samples} and ${rows.length} runs only large differences are significant. Add samples to separate more.`;
}

/** The same object while the columns stay as they are, so that unchanged lines need no rendering. */
function useColumns(experiment: ExperimentDetail, rows: LeaderboardRow[]) {
  const text = JSON.stringify(columnsOf(experiment, rows));
  return useMemo(() => JSON.parse(text) as ReturnType<typeof columnsOf>, [text]);
}
