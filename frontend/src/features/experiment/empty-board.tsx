import type { Sweep } from "@/api/types";
import { Empty } from "@/ui/states";

/** Why there is no ranked run, and what brings one. */
export function EmptyBoard({ sweep, filtered }: { sweep: Sweep | undefined; filtered: boolean }) {
  if (filtered) return <Empty title="No finished run has this value" />;
  if (sweep?.finish_reason === "all_failed") return <Empty title="No results: all runs failed" />;
  if (sweep?.status === "running") {
    return <Empty title="No finished runs yet">Runs appear here as they finish, best first.</Empty>;
  }
  return <Empty title="No finished runs yet">Start a sweep to rank its configurations here.</Empty>;
}
