import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { deleteProject } from "@/api/projects";
import type { ProjectDetail } from "@/api/types";
import { plural } from "@/lib/format";
import { Confirm } from "@/ui/confirm";
import { Dialog } from "@/ui/dialog";
import { Icon } from "@/ui/icon";
import { Menu } from "@/ui/menu";
import { ProjectForm } from "./project-form";

/** What can be done to the project itself. */
export function ProjectMenu({ project }: { project: ProjectDetail }) {
  const [open, setOpen] = useState<"edit" | "delete">();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const close = () => setOpen(undefined);
  const remove = async () => {
    await deleteProject(project.id);
    await navigate({ to: "/projects" });
    await cache.invalidateQueries({ queryKey: ["projects"], exact: true });
  };
  return (
    <>
      <Menu
        label="Project actions"
        trigger={<Icon name="more" />}
        entries={[
          { id: "edit", label: "Edit…", onAction: () => setOpen("edit") },
          { id: "delete", label: "Delete…", danger: true, onAction: () => setOpen("delete") },
        ]}
      />
      <Dialog title="Edit project" open={open === "edit"} onClose={close}>
        <ProjectForm project={project} onClose={close} />
      </Dialog>
      <Confirm
        title="Delete project"
        action="Delete project"
        open={open === "delete"}
        onClose={close}
        onConfirm={remove}
      >
        “{project.name}” will be permanently deleted ({plural(project.experiments.count, "experiment")} with
        all runs).
      </Confirm>
    </>
  );
}
