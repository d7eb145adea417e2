import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { resumeSweep } from "@/api/experiments";
import type { ResumeRequest, Sweep } from "@/api/types";
import { Button } from "@/ui/button";
import { CancelButton, DialogActions } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem-note";
import { type BudgetField, budgetsOf, budgetText, raisedLimits, suggestedLimits } from "./budget";
import { limitProblem } from "./sweep-request";

type Props = { sweep: Sweep; onSweep: (sweep: Sweep) => void; onClose: () => void };

const labels: Record<BudgetField, string> = {
  max_tokens: "Token budget",
  max_cost: "Cost budget in US dollars",
};

/** Resumes a sweep whose budget is used up, with a larger one. */
export function RaiseBudget({ sweep, onSweep, onClose }: Props) {
  const budgets = budgetsOf(sweep);
  const [typed, setTyped] = useState(() => suggestedLimits(budgets));
  const resuming = useMutation({
    mutationFn: (limits: ResumeRequest) => resumeSweep(sweep.experiment_id, limits),
    onSuccess: (resumed) => {
      onSweep(resumed);
      onClose();
    },
  });
  const value = (field: BudgetField) => typed[field] ?? "";
  const problem = (field: BudgetField) => limitProblem(field, value(field));
  const raised = budgets.some(({ field, limit }) => Number(value(field)) > limit);
  const reason = budgets.some(({ field }) => problem(field))
    ? "Check the fields above."
    : raised
      ? undefined
      : "Enter a higher limit.";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (reason === undefined) resuming.mutate(raisedLimits(budgets, typed));
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3">
      {budgets.map((budget) => (
        <TextField
          key={budget.field}
          label={labels[budget.field]}
          inputMode="decimal"
          help={`${budgetText(budget)} spent`}
          value={value(budget.field)}
          problem={problem(budget.field)}
          onChange={(event) => setTyped({ ...typed, [budget.field]: event.currentTarget.value })}
        />
      ))}
      <ProblemNote error={resuming.error} />
      <DialogActions>
        <CancelButton />
        <Button type="submit" variant="primary" reason={reason} busy={resuming.isPending}>
          Raise and resume
        </Button>
      </DialogActions>
    </form>
  );
}
