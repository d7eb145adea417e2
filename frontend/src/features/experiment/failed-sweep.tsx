import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { failedRunsQuery } from "@/api/runs";
import type { ExperimentDetail, Sweep } from "@/api/types";
import { plural } from "@/lib/format";
import { buttonClass } from "@/ui/button";
import { Notice } from "@/ui/notice";
import { type Cause, commonCause, endpointOf } from "./common-cause";

type Props = { experiment: ExperimentDetail; sweep: Sweep };

/** Says that a sweep brought no result, and the most frequent reason. */
export function FailedSweep({ experiment, sweep }: Props) {
  const { experiment_id: experimentId, progress } = sweep;
  const runs = useQuery(failedRunsQuery(experimentId, sweep.id)).data ?? [];
  const cause = commonCause(runs);
  return (
    <Notice
      tone="bad"
      title={progress.failed === 1 ? "The only run failed" : `All ${plural(progress.failed, "run")} failed`}
      actions={
        <>
          <Link
            to="/experiments/$experimentId"
            params={{ experimentId }}
            search={{ tab: "runs", status: "failed" }}
            className={buttonClass()}
          >
            Show failed runs
          </Link>
          <Link to="/endpoints" className={buttonClass()}>
            Check endpoints
          </Link>
        </>
      }
    >
      {cause && (
        <CauseText cause={cause} of={runs.length} endpoint={endpointOf(experiment, cause.error.stage)} />
      )}
    </Notice>
  );
}

type CauseProps = { cause: Cause; of: number; endpoint: string | undefined };

function CauseText({ cause: { error, count }, of, endpoint }: CauseProps) {
  const share = count === of ? "" : `Most frequent cause, ${count} of ${plural(of, "run")}: `;
  return (
    <>
      {share}
      <strong className="font-semibold">{error.kind}</strong>
      {error.stage && ` in stage ${error.stage}`}
      {endpoint && `, endpoint ${endpoint}`}: {error.message}
    </>
  );
}
