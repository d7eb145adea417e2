import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useReadOnly } from "@/api/access";
import { projectsQuery } from "@/api/projects";
import type { Project } from "@/api/types";
import { day, moment } from "@/lib/time";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Icon } from "@/ui/icon";
import { card, Page } from "@/ui/page";
import { Empty, QueryView } from "@/ui/states";
import { ProjectForm } from "./project-form";

export function ProjectsPage() {
  const projects = useQuery(projectsQuery);
  const [creating, setCreating] = useState(false);
  const close = () => setCreating(false);
  return (
    <Page
      title="Projects"
      actions={
        <Button variant="primary" reason={useReadOnly()} onClick={() => setCreating(true)}>
          <Icon name="plus" />
          New project
        </Button>
      }
    >
      <QueryView query={projects}>{(items) => <ProjectList projects={items} />}</QueryView>
      <Dialog title="New project" open={creating} onClose={close}>
        <ProjectForm onClose={close} />
      </Dialog>
    </Page>
  );
}

function ProjectList({ projects }: { projects: Project[] }) {
  if (projects.length === 0) {
    return <Empty title="No projects yet">A project groups related experiments.</Empty>;
  }
  return (
    <ul className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
      {projects.map((project) => (
        <li key={project.id} className={`${card} relative p-4 hover:border-line-strong`}>
          <h2 className="break-words font-semibold">
            <Link
              to="/projects/$projectId"
              params={{ projectId: project.id }}
              className="after:absolute after:inset-0 after:rounded-xl"
            >
              {project.name}
            </Link>
          </h2>
          {project.description && (
            <p className="mt-1 line-clamp-2 break-words text-muted">{project.description}</p>
          )}
          <p className="mt-3 text-muted text-xs" title={moment(project.updated_at)}>
            Updated {day(project.updated_at)}
          </p>
        </li>
      ))}
    </ul>
  );
}
