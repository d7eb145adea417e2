import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { experimentRunsQuery } from "@/api/runs";
import type { ExperimentDetail, Run, RunStatus } from "@/api/types";
import { cost, count, milliseconds, score, valuesLine } from "@/lib/format";
import { Button } from "@/ui/button";
import { link, Section } from "@/ui/page";
import { ProblemNote } from "@/ui/problem-note";
import { Empty, Loading } from "@/ui/states";
import { Badge, runLooks } from "@/ui/status";
import { Table } from "@/ui/table";
import { byAge, byCost, byScore, readSort, type Sort } from "./run-order";
import { SortHead } from "./sort-head";
import { Sweeps } from "./sweeps";
import { readValue, ValueSelect } from "./value-filter";

const route = getRouteApi("/app/experiments/$experimentId");
const askAgainEvery = 5000;

const isStatus = (text: string | undefined): text is RunStatus => text !== undefined && text in runLooks;

/** Every run, whatever became of it, and the sweeps they belong to. */
export function RunsView({ experiment }: { experiment: ExperimentDetail }) {
  const { status: asked, sort, value } = route.useSearch();
  const status = isStatus(asked) ? asked : undefined;
  const values = readValue(value);
  const view = { ...(status && { status }), ...(sort && { sort }), ...(values && { values }) };
  const pages = useInfiniteQuery({
    ...experimentRunsQuery(experiment.id, view),
    refetchInterval: askAgainEvery,
    placeholderData: (old) => old,
  });
  const runs = pages.data?.pages.flatMap((page) => page.items);
  return (
    <div className="flex flex-col gap-6">
      <Sweeps experimentId={experiment.id} />
      <Section
        title="Runs"
        aside={
          <span className="flex items-center gap-2">
            <ValueSelect experiment={experiment} label="Show runs with value" />
            <StatusFilter status={status} />
          </span>
        }
      >
        {pages.isPending && <Loading />}
        <ProblemNote error={pages.error} onRetry={() => void pages.refetch()} className="mb-3" />
        {runs?.length === 0 && (
          <Empty title={status || values ? "No run passes this filter" : "No run has been made yet"} />
        )}
        {runs && runs.length > 0 && <RunTable runs={runs} sort={readSort(sort, newestFirst)} />}
        {pages.hasNextPage && (
          <Button className="mt-3" busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
            Load more runs
          </Button>
        )}
      </Section>
    </div>
  );
}

function StatusFilter({ status }: { status: RunStatus | undefined }) {
  const navigate = route.useNavigate();
  const choose = (next: string) =>
    void navigate({
      search: (old) => ({ ...old, status: next || undefined }),
      replace: true,
      resetScroll: false,
    });
  return (
    <select
      aria-label="Show runs with status"
      value={status ?? ""}
      onChange={(event) => choose(event.currentTarget.value)}
      className="h-7 rounded-md border border-line-strong bg-surface px-1.5 text-xs"
    >
      <option value="">All runs</option>
      {Object.entries(runLooks).map(([value, { label }]) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  );
}

const newestFirst: Sort = { by: byAge, descending: true };

function RunTable({ runs, sort }: { runs: Run[]; sort: Sort }) {
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
  const text = run.error?.message ?? (valuesLine(run.values) || "as in the experiment");
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
      <td className={run.error ? "text-bad" : undefined}>
        <span title={text} className="line-clamp-3 min-w-64 max-w-2xl whitespace-normal break-words">
          {text}
        </span>
      </td>
      <td className="num text-right">
        {count(run.samples.done)} of {count(run.samples.total)}
      </td>
      <td className="num text-right">{cost(run.cost_estimate)}</td>
      <td className="num text-right">{run.completed_at ? milliseconds(run.duration_ms) : "–"}</td>
    </tr>
  );
}
