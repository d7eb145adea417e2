import type { ExperimentDetail, Sweep } from "@/api/types";
import { Notice } from "@/ui/notice";
import { budgetsOf, budgetText, isOutOfBudget } from "./budget";
import { FailedSweep } from "./failed-sweep";

/** What somebody should know or do about the sweep before anything else; nothing while all is well. */
export function SweepNotice({ experiment }: { experiment: ExperimentDetail }) {
  const { sweep } = experiment;
  if (sweep?.finish_reason === "all_failed") return <FailedSweep experiment={experiment} sweep={sweep} />;
  if (isOutOfBudget(sweep)) return <BudgetNotice sweep={sweep} />;
  return null;
}

/** A budget pauses a sweep before it is all spent: when the next call may not fit. */
function BudgetNotice({ sweep }: { sweep: Sweep }) {
  return (
    <Notice tone="warn" title="Paused: budget used up">
      {budgetsOf(sweep).map(budgetText).join(", ")} spent; the next call may exceed the limit. Raise the
      budget to resume, or stop the sweep.
    </Notice>
  );
}
