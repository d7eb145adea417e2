import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { endpointsQuery } from "@/api/endpoints";
import { createExperiment, previewExperiment } from "@/api/experiments";
import { fieldsOf } from "@/api/problem";
import type { ExperimentDraft } from "@/api/types";
import { parseJson } from "@/lib/json-pointer";
import { Button } from "@/ui/button";
import { CancelButton, DialogActions } from "@/ui/dialog";
import { DocumentEditor } from "@/ui/document-editor";
import { PreviewView } from "@/ui/preview-view";
import { ProblemNote } from "@/ui/problem-note";
import { starterDocument } from "./starter";

type Props = { projectId: string; onClose: () => void };

/** The server judges the document; here it only has to be a JSON object. */
function draftOf(text: string, projectId: string): ExperimentDraft | undefined {
  const parsed = parseJson(text);
  if (!parsed.ok || typeof parsed.value !== "object" || parsed.value === null) return undefined;
  return { ...(parsed.value as ExperimentDraft), project_id: projectId };
}

/** Writes an experiment's document, tries it on the first sample, and makes the experiment. */
export function ExperimentForm({ projectId, onClose }: Props) {
  const endpoints = useQuery(endpointsQuery);
  const [typed, setTyped] = useState<string>();
  const text = typed ?? starterDocument(endpoints.data ?? []);
  const draft = draftOf(text, projectId);
  const creating = useCreate(projectId, onClose);
  const preview = useMutation({ mutationFn: previewExperiment });
  const error = creating.error ?? preview.error;
  const change = (next: string) => {
    setTyped(next);
    creating.reset();
    preview.reset();
  };
  const reason = draft ? undefined : "The document must be a JSON object.";
  return (
    <div className="flex flex-col gap-3">
      <p className="text-muted">
        Define the experiment as a JSON document.{" "}
        {endpoints.data && endpoints.data.length > 0 && (
          <>Available endpoints: {endpoints.data.map(({ label }) => label).join(", ")}.</>
        )}
      </p>
      <DocumentEditor label="Experiment document" text={text} onChange={change} fields={fieldsOf(error)} />
      {fieldsOf(error).length === 0 && <ProblemNote error={error} />}
      {preview.data && <PreviewView preview={preview.data} />}
      <DialogActions>
        <CancelButton />
        <Button reason={reason} busy={preview.isPending} onClick={() => draft && preview.mutate(draft)}>
          Preview first sample
        </Button>
        <Button
          variant="primary"
          reason={reason}
          busy={creating.isPending}
          onClick={() => draft && creating.mutate(draft)}
        >
          Create experiment
        </Button>
      </DialogActions>
    </div>
  );
}

function useCreate(projectId: string, onClose: () => void) {
  const navigate = useNavigate();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: createExperiment,
    onSuccess: async ({ id }) => {
      onClose();
      void cache.invalidateQueries({ queryKey: ["projects", projectId] });
      await navigate({ to: "/experiments/$experimentId", params: { experimentId: id } });
    },
  });
}
