import { useMemo, useState } from "react";
import type { ExperimentDetail, LeaderboardRow } from "@/api/types";
import { Button } from "@/ui/button";
import { useFlip } from "@/ui/flip";
import { Table } from "@/ui/table";
import { columnsOf } from "./leaderboard-columns";
import { LeaderboardHead } from "./leaderboard-head";
import { LeaderboardLine } from "./leaderboard-line";
import { ordered, readSort } from "./leaderboard-order";

type Props = { experiment: ExperimentDetail; rows: LeaderboardRow[]; sort: string | undefined };

const atFirst = 100;

/** The runs in order; they glide when the order changes. */
export function Leaderboard({ experiment, rows, sort }: Props) {
  const [whole, setWhole] = useState(false);
  const order = readSort(sort);
  const columns = useColumns(experiment, rows);
  const sorted = ordered(rows, order);
  const shown = whole ? sorted : sorted.slice(0, atFirst);
  const body = useFlip<HTMLTableSectionElement>(shown.map((row) => row.run_id).join(" "));
  return (
    <>
      <Table label="Leaderboard">
        <LeaderboardHead columns={columns} sort={order} />
        <tbody ref={body}>
          {shown.map((row) => (
            <LeaderboardLine key={row.run_id} row={row} columns={columns} />
          ))}
        </tbody>
      </Table>
      <div className="mt-2 flex flex-wrap items-center justify-between gap-3">
        <p className="text-muted text-xs">
          <strong className="font-semibold">=</strong> cannot be told apart from the best with these samples.
          Bars show the 95 % interval.{advice(rows)}
        </p>
        {rows.length > shown.length && (
          <Button onClick={() => setWhole(true)}>Show all {rows.length} runs</Button>
        )}
      </div>
    </>
  );
}

/** Why a clear order may still be full of ties: each run is one more chance of a difference by luck. */
function advice(rows: LeaderboardRow[]): string {
  const ties = rows.filter((row) => row.ties_best).length;
  if (rows.length < 5 || ties * 2 < rows.length) return "";
  const samples = Math.max(...rows.map((row) => row.n));
  return ` With n = ${samples} and ${rows.length} runs only large differences are certain: more samples tell more apart.`;
}

/** The same object while the columns stay as they are, so that unchanged lines need no rendering. */
function useColumns(experiment: ExperimentDetail, rows: LeaderboardRow[]) {
  const text = JSON.stringify(columnsOf(experiment, rows));
  return useMemo(() => JSON.parse(text) as ReturnType<typeof columnsOf>, [text]);
}
