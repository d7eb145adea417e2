import type { ExperimentStatus, ExperimentSummary, RunStatus, Sweep, SweepStatus } from "@/api/types";
import { cx } from "@/lib/cx";

export type Tone = "good" | "warn" | "bad" | "info" | "violet" | "quiet";

export const toneText: Record<Tone, string> = {
  good: "text-good",
  warn: "text-warn",
  bad: "text-bad",
  info: "text-info",
  violet: "text-violet",
  quiet: "text-muted",
};

type Look = { label: string; tone: Tone };

/** A state that is not listed here does not compile. */
const experimentLooks: Record<ExperimentStatus, Look> = {
  draft: { label: "Draft", tone: "quiet" },
  running: { label: "Running", tone: "info" },
  paused: { label: "Paused", tone: "warn" },
  completed: { label: "Completed", tone: "good" },
  stopped: { label: "Stopped", tone: "quiet" },
};

/** Like its newest sweep, see `sweepLook`. */
export function experimentLook({
  status,
  finish_reason,
}: Pick<ExperimentSummary, "status" | "finish_reason">): Look {
  const failed = status === "completed" && finish_reason === "all_failed";
  return failed ? { label: "Failed", tone: "bad" } : experimentLooks[status];
}

const sweepLooks: Record<SweepStatus, Look> = {
  running: { label: "Running", tone: "info" },
  paused: { label: "Paused", tone: "warn" },
  completed: { label: "Completed", tone: "good" },
  stopped: { label: "Stopped", tone: "quiet" },
};

/** A sweep ends as completed even where every run failed: for people that is a failure. */
export function sweepLook({ status, finish_reason }: Pick<Sweep, "status" | "finish_reason">): Look {
  return finish_reason === "all_failed" ? { label: "Failed", tone: "bad" } : sweepLooks[status];
}

export const runLooks: Record<RunStatus, Look> = {
  pending: { label: "Pending", tone: "quiet" },
  running: { label: "Running", tone: "info" },
  completed: { label: "Completed", tone: "good" },
  failed: { label: "Failed", tone: "bad" },
  cached: { label: "Cached", tone: "violet" },
  pruned: { label: "Pruned", tone: "warn" },
  cancelled: { label: "Cancelled", tone: "quiet" },
};

/** A state, as a coloured dot and its word. */
export function Badge({ look }: { look: Look }) {
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap rounded-full border border-line bg-surface px-2 py-px font-medium text-muted text-xs">
      <span
        aria-hidden="true"
        className={cx(
          "size-1.5 rounded-full bg-current",
          toneText[look.tone],
          look.tone === "info" && "animate-pulse",
        )}
      />
      {look.label}
    </span>
  );
}
