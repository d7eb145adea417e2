import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useReadOnly } from "@/api/access";
import { deleteExperiment } from "@/api/experiments";
import type { ExperimentDetail } from "@/api/types";
import { plural } from "@/lib/format";
import { Confirm } from "@/ui/confirm";
import { Dialog } from "@/ui/dialog";
import { Icon } from "@/ui/icon";
import { Menu } from "@/ui/menu";
import { EditDocument } from "./edit-document";

/** What can be done to the experiment itself. */
export function ExperimentMenu({ experiment }: { experiment: ExperimentDetail }) {
  const [open, setOpen] = useState<"edit" | "delete">();
  const navigate = useNavigate();
  const cache = useQueryClient();
  if (useReadOnly()) return null;
  const close = () => setOpen(undefined);
  const { id, name, project_id: projectId } = experiment;
  const runs = Object.values(experiment.runs).reduce((sum, each) => sum + each, 0);
  const remove = async () => {
    await deleteExperiment(id);
    void cache.invalidateQueries({ queryKey: ["projects", projectId] });
    await navigate({ to: "/projects/$projectId", params: { projectId } });
  };
  return (
    <>
      <Menu
        label="Experiment actions"
        trigger={<Icon name="more" />}
        entries={[
          { id: "edit", label: "Edit document…", onAction: () => setOpen("edit") },
          { id: "delete", label: "Delete…", danger: true, onAction: () => setOpen("delete") },
        ]}
      />
      <Dialog title="Edit experiment" open={open === "edit"} onClose={close} wide>
        <EditDocument experiment={experiment} onClose={close} />
      </Dialog>
      <Confirm
        title="Delete experiment"
        action="Delete experiment"
        open={open === "delete"}
        onClose={close}
        onConfirm={remove}
      >
        “{name}” will be permanently deleted ({plural(runs, "run")}).
      </Confirm>
    </>
  );
}
