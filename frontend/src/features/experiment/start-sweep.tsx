import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { dryRunQuery, experimentKey, startSweep } from "@/api/experiments";
import type { Sweep, SweepRequest } from "@/api/types";
import { Button } from "@/ui/button";
import { CancelButton, DialogActions } from "@/ui/dialog";
import { Select, TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem-note";
import { DryRunFigures } from "./dry-run-figures";
import { emptyForm, fieldProblem, requestOf, type SweepForm } from "./sweep-request";

type Props = { experimentId: string; onStarted: (sweep: Sweep) => void; onClose: () => void };

/** Configures a sweep and shows its estimated cost before it starts. */
export function StartSweep({ experimentId, onStarted, onClose }: Props) {
  const [form, setForm] = useState(emptyForm);
  const request = requestOf(form);
  const dryRun = useQuery({
    ...dryRunQuery(experimentId, request ?? { kind: form.kind }),
    enabled: request !== undefined,
    placeholderData: keepPreviousData,
  });
  const cache = useQueryClient();
  const starting = useMutation({
    mutationFn: (body: SweepRequest) => startSweep(experimentId, body),
    onSuccess: (sweep) => {
      onStarted(sweep);
      onClose();
      return cache.invalidateQueries({ queryKey: experimentKey(experimentId), exact: true });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (request) starting.mutate(request);
  };
  const refusal = request ? dryRun.error : null;
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Fields form={form} onChange={(change) => setForm({ ...form, ...change })} />
      <DryRunFigures dryRun={refusal ? undefined : dryRun.data} waiting={dryRun.isFetching} />
      <ProblemNote error={starting.error ?? refusal} />
      <DialogActions>
        <CancelButton />
        <Button
          type="submit"
          variant="primary"
          busy={starting.isPending}
          reason={request ? refusal?.message : "Check the fields above."}
        >
          Start sweep
        </Button>
      </DialogActions>
    </form>
  );
}

function Fields({ form, onChange }: { form: SweepForm; onChange: (change: Partial<SweepForm>) => void }) {
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      <Select
        label="Kind"
        value={form.kind}
        onChange={(event) => onChange({ kind: event.currentTarget.value === "random" ? "random" : "grid" })}
      >
        <option value="grid">Grid (all combinations)</option>
        <option value="random">Random (sampled)</option>
      </Select>
      <TextField
        label="Seed"
        inputMode="numeric"
        placeholder="Random"
        value={form.seed}
        problem={fieldProblem(form, "seed")}
        onChange={(event) => onChange({ seed: event.currentTarget.value })}
      />
      <TextField
        label="Max runs"
        inputMode="numeric"
        placeholder="No limit"
        value={form.max_runs}
        problem={fieldProblem(form, "max_runs")}
        onChange={(event) => onChange({ max_runs: event.currentTarget.value })}
      />
      <TextField
        label="Token budget"
        inputMode="numeric"
        placeholder="No limit"
        value={form.max_tokens}
        problem={fieldProblem(form, "max_tokens")}
        onChange={(event) => onChange({ max_tokens: event.currentTarget.value })}
      />
      <TextField
        label="Cost budget in US dollars"
        inputMode="decimal"
        placeholder="No limit"
        value={form.max_cost}
        problem={fieldProblem(form, "max_cost")}
        onChange={(event) => onChange({ max_cost: event.currentTarget.value })}
      />
      {form.kind === "grid" && (
        <label className="flex items-center gap-2 self-end pb-1.5 text-[13px]">
          <input
            type="checkbox"
            checked={form.shuffle}
            onChange={(event) => onChange({ shuffle: event.currentTarget.checked })}
            className="size-4 accent-(--accent)"
          />
          Shuffle order
        </label>
      )}
    </div>
  );
}
