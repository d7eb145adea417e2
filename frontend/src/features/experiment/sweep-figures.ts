import type { Sweep, SweepStatus } from "@/api/types";

/** Runs that are over, however they ended. */
export function ended({ progress }: Sweep): number {
  return progress.completed + progress.failed + progress.cached + progress.pruned + progress.cancelled;
}

type Reason<K extends "pause_reason" | "finish_reason"> = NonNullable<Sweep[K]>;

const pauses: Record<Reason<"pause_reason">, string> = {
  manual: "Paused by hand",
  budget: "Paused: the budget is used up",
  endpoint: "Paused: an endpoint does not answer",
  human: "Paused: a person is needed",
};

const finishes: Record<Reason<"finish_reason">, string> = {
  all_runs: "All runs are done",
  max_runs: "The limit of runs is reached",
  stopped: "Stopped by hand",
  exhausted_space: "Nothing is left to try",
  converged: "Nothing better is expected",
  all_failed: "All runs failed",
};

const states: Record<SweepStatus, string> = {
  running: "Running",
  paused: "Paused",
  stopped: "Stopped",
  completed: "Completed",
};

/** Why the sweep is where it is. */
export function remark(sweep: Sweep | undefined): string {
  if (!sweep) return "";
  if (sweep.status === "paused" && sweep.pause_reason) return pauses[sweep.pause_reason];
  if (sweep.finish_reason) return finishes[sweep.finish_reason];
  return states[sweep.status];
}
