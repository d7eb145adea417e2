import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { experimentKey, replaceExperiment } from "@/api/experiments";
import { fieldsOf } from "@/api/problem";
import type { ExperimentDetail, ExperimentDraft } from "@/api/types";
import { parseJson } from "@/lib/json-pointer";
import { Button } from "@/ui/button";
import { CancelButton, DialogActions } from "@/ui/dialog";
import { DocumentEditor } from "@/ui/document-editor";
import { ProblemNote } from "@/ui/problem-note";
import { documentOf } from "./document-of";

type Props = { experiment: ExperimentDetail; onClose: () => void };

/** Changes the document; what runs depend on is frozen once there are runs. */
export function EditDocument({ experiment, onClose }: Props) {
  const { id, project_id: projectId } = experiment;
  const [text, setText] = useState(() => JSON.stringify(documentOf(experiment), null, 2));
  const cache = useQueryClient();
  const saving = useMutation({
    mutationFn: (draft: ExperimentDraft) => replaceExperiment(id, draft),
    onSuccess: async () => {
      onClose();
      await cache.invalidateQueries({ queryKey: experimentKey(id) });
    },
  });
  const parsed = parseJson(text);
  const fields = fieldsOf(saving.error);
  const save = () => {
    if (parsed.ok) saving.mutate({ ...(parsed.value as ExperimentDraft), project_id: projectId });
  };
  const change = (next: string) => {
    setText(next);
    saving.reset();
  };
  const hasRuns = Object.values(experiment.runs).some((runs) => runs > 0);
  return (
    <div className="flex flex-col gap-3">
      {hasRuns && (
        <p className="text-[13px] text-muted">
          This experiment has runs. You can change its name and description and, while no sweep is active, its
          parameter space. Samples, stages and scoring are fixed.
        </p>
      )}
      <DocumentEditor label="Experiment document" text={text} onChange={change} fields={fields} />
      {fields.length === 0 && <ProblemNote error={saving.error} />}
      <DialogActions>
        <CancelButton />
        <Button
          variant="primary"
          reason={parsed.ok ? undefined : "The document is not valid JSON."}
          busy={saving.isPending}
          onClick={save}
        >
          Save
        </Button>
      </DialogActions>
    </div>
  );
}
