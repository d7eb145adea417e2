import type { Event, Sweep, SweepStatus } from "@/api/types";

/** Runs that are over, however they ended. */
export function ended({ progress }: Sweep): number {
  return progress.completed + progress.failed + progress.cached + progress.pruned + progress.cancelled;
}

type Reason<K extends "pause_reason" | "finish_reason"> = NonNullable<Sweep[K]>;

const pauses: Record<Reason<"pause_reason">, string> = {
  manual: "Paused",
  budget: "Paused: budget used up",
  endpoint: "Paused: endpoint not responding",
  human: "Paused: waiting for your input",
};

const finishes: Record<Reason<"finish_reason">, string> = {
  all_runs: "All runs finished",
  max_runs: "Run limit reached",
  stopped: "Stopped",
  exhausted_space: "All configurations tried",
  converged: "Converged",
  all_failed: "All runs failed",
};

const states: Record<SweepStatus, string> = {
  running: "Running",
  paused: "Paused",
  stopped: "Stopped",
  completed: "Completed",
};

/** Why a sweep is paused; `by` is who paused it. */
export function pauseText({ pause_reason: reason }: Sweep, by?: string): string {
  if (!reason) return states.paused;
  return reason === "manual" && by ? `Paused by ${by}` : pauses[reason];
}

/** Who paused the sweep, as far as the recent events tell; newest first. */
export function pausedBy(sweep: Sweep | undefined, events: Event[]): string | undefined {
  const paused = events.find(({ type, data }) => type === "experiment.paused" && data.sweep_id === sweep?.id);
  return paused?.by;
}

/** Why the sweep is in its state. */
export function statusReason(sweep: Sweep | undefined, by?: string): string {
  if (!sweep) return "";
  if (sweep.status === "paused") return pauseText(sweep, by);
  if (sweep.finish_reason) return finishes[sweep.finish_reason];
  return states[sweep.status];
}
