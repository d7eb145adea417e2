import { Link } from "@tanstack/react-router";
import type { Run } from "@/api/types";
import { cost, count, milliseconds, score, valuesLine } from "@/lib/format";
import { link } from "@/ui/page";
import { Badge, runLooks } from "@/ui/status";
import { Table } from "@/ui/table";
import type { Entry } from "./row-order";
import { byAge, byCost, byScore, displayedFigure, readSort, type Sort } from "./run-order";
import { SortHead } from "./sort-head";

export const newestFirst: Sort = { by: byAge, descending: true };

/** Runs, whatever their state. */
export function RunTable({ runs, sort }: { runs: Run[]; sort: Sort }) {
  const order = { sort, otherwise: newestFirst };
  return (
    <Table label="Runs">
      <thead>
        <tr>
          <SortHead label="Run" by={byAge} {...order} />
          <th scope="col">Status</th>
          <SortHead label="Score" by={byScore} {...order} right />
          <th scope="col">Values</th>
          <th scope="col" className="text-right">
            Samples
          </th>
          <SortHead label="Cost" by={byCost} {...order} right />
          <th scope="col" className="text-right">
            Duration
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <RunLine key={run.id} run={run} />
        ))}
      </tbody>
    </Table>
  );
}

function RunLine({ run }: { run: Run }) {
  const values = valuesLine(run.values) || "default values";
  const { done, failed, total } = run.samples;
  return (
    <tr>
      <td>
        <Link to="/runs/$runId" params={{ runId: run.id }} className={`font-mono text-xs ${link}`}>
          {run.id.slice(-8)}
        </Link>
      </td>
      <td>
        <Badge look={runLooks[run.status]} />
      </td>
      <td className="num text-right font-semibold">{score(run.score)}</td>
      <td className="min-w-64 max-w-2xl whitespace-normal break-words">
        <span title={values} className="line-clamp-3">
          {values}
        </span>
        {run.error && (
          <span title={run.error.message} className="line-clamp-2 text-bad text-xs">
            {run.error.message}
          </span>
        )}
      </td>
      <td className="num text-right">
        {count(done - failed)} of {count(total)}
        {failed > 0 && <span className="block text-bad text-xs">{count(failed)} failed</span>}
      </td>
      <td className="num text-right">{cost(run.cost_estimate)}</td>
      <td className="num text-right">{run.completed_at ? milliseconds(run.duration_ms) : "–"}</td>
    </tr>
  );
}

/** The runs with what can be seen of their order. */
export function runEntries(runs: Run[], sort: string | undefined): Entry<Run>[] {
  const { by } = readSort(sort, newestFirst);
  return runs.map((run) => {
    const scores = Object.fromEntries(Object.entries(run.scores).map(([name, { value }]) => [name, value]));
    return { id: run.id, row: run, figure: displayedFigure(by, { ...run, scores }) ?? run.id };
  });
}
