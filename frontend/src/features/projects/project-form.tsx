import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { FormEvent } from "react";
import { problemAt } from "@/api/problem";
import { createProject, replaceProject } from "@/api/projects";
import type { Project, ProjectDraft } from "@/api/types";
import { formText } from "@/lib/form-text";
import { Button } from "@/ui/button";
import { CancelButton, DialogActions } from "@/ui/dialog";
import { TextArea, TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem-note";

type Props = { project?: Project; onClose: () => void };

function draftOf(form: FormData): ProjectDraft {
  const description = formText(form, "description").trim();
  return { name: formText(form, "name").trim(), ...(description && { description }) };
}

/** Makes a project and goes there, or changes one. */
export function ProjectForm({ project, onClose }: Props) {
  const navigate = useNavigate();
  const cache = useQueryClient();
  const saving = useMutation({
    mutationFn: (draft: ProjectDraft) => (project ? replaceProject(project.id, draft) : createProject(draft)),
    onSuccess: async (saved) => {
      onClose();
      await cache.invalidateQueries({ queryKey: ["projects"] });
      if (!project) await navigate({ to: "/projects/$projectId", params: { projectId: saved.id } });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    saving.mutate(draftOf(new FormData(event.currentTarget)));
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3">
      <TextField
        label="Name"
        name="name"
        problem={problemAt(saving.error, "/name")}
        defaultValue={project?.name}
        required
      />
      <TextArea label="Description" name="description" defaultValue={project?.description} rows={3} />
      <ProblemNote error={saving.error} elsewhere={["/name"]} />
      <DialogActions>
        <CancelButton />
        <Button type="submit" variant="primary" busy={saving.isPending}>
          {project ? "Save" : "Create project"}
        </Button>
      </DialogActions>
    </form>
  );
}
