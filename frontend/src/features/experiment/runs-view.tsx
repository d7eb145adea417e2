import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { experimentRunsQuery } from "@/api/runs";
import type { ExperimentDetail, RunStatus } from "@/api/types";
import { useAttention } from "@/ui/attention";
import { Empty } from "@/ui/states";
import { runLooks } from "@/ui/status";
import { readSort } from "./run-order";
import { RunSection } from "./run-section";
import { newestFirst, RunTable, runEntries } from "./run-table";
import { useSteadyRows } from "./steady-rows";
import { Sweeps } from "./sweeps";
import { readValue, ValueSelect } from "./value-filter";

const route = getRouteApi("/app/experiments/$experimentId");
const pollInterval = 5000;

const isStatus = (text: string | undefined): text is RunStatus => text !== undefined && text in runLooks;

/** Every run, whatever its state, and the sweeps they belong to. */
export function RunsView({ experiment }: { experiment: ExperimentDetail }) {
  const { status: asked, sort, value } = route.useSearch();
  const status = isStatus(asked) ? asked : undefined;
  const values = readValue(value);
  const view = { ...(status && { status }), ...(sort && { sort }), ...(values && { values }) };
  const pages = useInfiniteQuery({
    ...experimentRunsQuery(experiment.id, view),
    refetchInterval: pollInterval,
    placeholderData: (old) => old,
  });
  const latest = useMemo(
    () =>
      pages.data &&
      runEntries(
        pages.data.pages.flatMap((page) => page.items),
        sort,
      ),
    [pages.data, sort],
  );
  const { attended, props: attention } = useAttention();
  const order = useSteadyRows(latest, {
    view: `${status} ${sort} ${value}`,
    outdated: pages.isPlaceholderData,
    frozen: attended,
  });
  const runs = order.rows;
  return (
    <div className="flex flex-col gap-6">
      <Sweeps experimentId={experiment.id} />
      <RunSection
        title="Runs"
        pages={pages}
        order={order}
        attention={attention}
        filters={
          <>
            <ValueSelect experiment={experiment} label="Show runs with value" />
            <StatusFilter status={status} />
          </>
        }
      >
        {runs?.length === 0 && (
          <Empty title={status || values ? "No runs match this filter" : "No runs yet"} />
        )}
        {runs && runs.length > 0 && <RunTable runs={runs} sort={readSort(sort, newestFirst)} />}
      </RunSection>
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
