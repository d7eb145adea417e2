import type { Sweep, SweepAction, SweepStatus } from "@/api/types";

const stateTexts: Record<SweepStatus, string> = {
  running: "The sweep is running.",
  paused: "The sweep is paused.",
  stopped: "The sweep was stopped.",
  completed: "The sweep has ended.",
};

/** Why the sweep cannot take an action now; nothing when it can. The server decides, this only words it. */
export function refusal(sweep: Sweep | undefined, action: SweepAction): string | undefined {
  if (!sweep) return "No sweep has been started.";
  return sweep.allowed.includes(action) ? undefined : stateTexts[sweep.status];
}

const unfinished: Record<SweepStatus, boolean> = {
  running: true,
  paused: true,
  stopped: false,
  completed: false,
};

/** Why no sweep can be started now. */
export function startRefusal(sweep: Sweep | undefined): string | undefined {
  if (!sweep || !unfinished[sweep.status]) return undefined;
  return `${stateTexts[sweep.status]} Stop it first, or wait until it ends.`;
}
