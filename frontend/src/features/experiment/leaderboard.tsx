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
          Bars show the 95 % interval.
        </p>
        {rows.length > shown.length && (
          <Button onClick={() => setWhole(true)}>Show all {rows.length} runs</Button>
        )}
      </div>
    </>
  );
}

/** The same object while the columns stay as they are, so that unchanged lines need no rendering. */
function useColumns(experiment: ExperimentDetail, rows: LeaderboardRow[]) {
  const text = JSON.stringify(columnsOf(experiment, rows));
  return useMemo(() => JSON.parse(text) as ReturnType<typeof columnsOf>, [text]);
}
