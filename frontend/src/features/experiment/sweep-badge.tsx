import type { Sweep } from "@/api/types";
import { Badge, sweepLook } from "@/ui/status";
import { pauseText } from "./sweep-figures";

/** A sweep's state; of a paused one also the reason, with the name of who paused it where that is known. */
export function SweepBadge({ sweep, pausedBy }: { sweep: Sweep; pausedBy?: string | undefined }) {
  const look = sweepLook(sweep);
  if (sweep.status !== "paused") return <Badge look={look} />;
  return <Badge look={{ ...look, label: pauseText(sweep, pausedBy) }} />;
}
