import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { experimentQuery } from "@/api/experiments";
import { runQuery } from "@/api/runs";
import type { RunDetail, RunStatus } from "@/api/types";
import { ExportMenu } from "@/ui/export-menu";
import { link, Page } from "@/ui/page";
import { QueryView } from "@/ui/states";
import { Badge, runLooks } from "@/ui/status";
import { useRatable } from "./ratable";
import { Rating } from "./rating";
import { RunConfiguration } from "./run-configuration";
import { RunFigures } from "./run-figures";
import { RunScores } from "./run-scores";
import { Samples } from "./samples";

const route = getRouteApi("/app/runs/$runId");

const unfinished: Record<RunStatus, boolean> = {
  pending: true,
  running: true,
  completed: false,
  failed: false,
  cached: false,
  pruned: false,
  cancelled: false,
};

const pollInterval = 2000;

const ratingHelp = "Counts for each sample that you do not rate by itself.";

export function RunPage() {
  const { runId } = route.useParams();
  const run = useQuery({
    ...runQuery(runId),
    refetchInterval: ({ state }) => (state.data && unfinished[state.data.status] ? pollInterval : false),
  });
  return <QueryView query={run}>{(data) => <RunView key={data.id} run={data} />}</QueryView>;
}

function RunView({ run }: { run: RunDetail }) {
  const { data: experiment } = useQuery(experimentQuery(run.experiment_id));
  const ratable = useRatable(run);
  return (
    <Page
      title={`Run ${run.id.slice(-8)}`}
      crumbs={
        <>
          <Link to="/projects" className={link}>
            Projects
          </Link>
          <span aria-hidden="true">/</span>
          <Link to="/experiments/$experimentId" params={{ experimentId: run.experiment_id }} className={link}>
            {experiment?.name ?? "Experiment"}
          </Link>
        </>
      }
      beside={<Badge look={runLooks[run.status]} />}
      actions={
        <ExportMenu experimentId={run.experiment_id} name={experiment?.name ?? "run"} runId={run.id} />
      }
    >
      <div className="flex flex-col gap-6">
        <RunError run={run} />
        <RunFigures run={run} />
        <div className="grid gap-6 xl:grid-cols-2">
          <RunConfiguration run={run} />
          <RunScores scores={run.scores}>{ratable && <Rating run={run} help={ratingHelp} />}</RunScores>
        </div>
        <Samples run={run} live={unfinished[run.status]} ratable={ratable} />
      </div>
    </Page>
  );
}

function RunError({ run: { error } }: { run: RunDetail }) {
  if (!error) return null;
  const where = [
    error.stage && `stage ${error.stage}`,
    error.sample_index !== undefined && `sample ${error.sample_index}`,
  ];
  const place = where.filter(Boolean).join(", ");
  return (
    <div role="alert" className="rounded-lg border border-line bg-bad-soft px-3 py-2.5 text-[13px]">
      <p className="break-words">
        <strong className="font-semibold">{error.kind}</strong>: {error.message}
      </p>
      {place && <p className="text-muted text-xs">At {place}</p>}
    </div>
  );
}
