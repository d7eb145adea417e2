import { useQuery } from "@tanstack/react-query";
import { useReadOnly } from "@/api/access";
import { experimentQuery } from "@/api/experiments";
import type { ExperimentDetail, RunDetail, RunStatus } from "@/api/types";

const scorer = "human_rating";

/** Whether runs of this status have ended with outputs. */
const hasOutputs: Record<RunStatus, boolean> = {
  pending: false,
  running: false,
  completed: true,
  failed: false,
  cached: true,
  pruned: true,
  cancelled: false,
};

/** Ratings count where the experiment, or a check of its samples, asks for them. */
export function isRatable(run: RunDetail, experiment: ExperimentDetail | undefined): boolean {
  const isAsked = experiment?.scoring_config.some((entry) => entry.scorer === scorer) || scorer in run.scores;
  return hasOutputs[run.status] && isAsked;
}

/** Whether the user may rate the outputs of a run. */
export function useRatable(run: RunDetail): boolean {
  const readOnly = useReadOnly();
  const { data: experiment } = useQuery(experimentQuery(run.experiment_id));
  return readOnly === undefined && isRatable(run, experiment);
}
