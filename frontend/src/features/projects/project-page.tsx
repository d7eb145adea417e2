import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { useReadOnly } from "@/api/access";
import { projectExperimentsQuery } from "@/api/experiments";
import { projectQuery } from "@/api/projects";
import type { ProjectDetail } from "@/api/types";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Icon } from "@/ui/icon";
import { link, Page } from "@/ui/page";
import { QueryView } from "@/ui/states";
import { ExperimentForm } from "./experiment-form";
import { ExperimentTable } from "./experiment-table";
import { ProjectMenu } from "./project-menu";

const route = getRouteApi("/app/projects/$projectId");

export function ProjectPage() {
  const { projectId } = route.useParams();
  const project = useQuery(projectQuery(projectId));
  return <QueryView query={project}>{(data) => <ProjectView key={data.id} project={data} />}</QueryView>;
}

function ProjectView({ project }: { project: ProjectDetail }) {
  const [creating, setCreating] = useState(false);
  const readOnly = useReadOnly();
  const close = () => setCreating(false);
  return (
    <Page
      title={project.name}
      crumbs={
        <Link to="/projects" className={link}>
          Projects
        </Link>
      }
      actions={
        <>
          <Button variant="primary" reason={readOnly} onClick={() => setCreating(true)}>
            <Icon name="plus" />
            New experiment
          </Button>
          {!readOnly && <ProjectMenu project={project} />}
        </>
      }
    >
      {project.description && (
        <p className="-mt-2 mb-4 max-w-3xl break-words text-muted">{project.description}</p>
      )}
      <Experiments project={project} />
      <Dialog title="New experiment" open={creating} onClose={close} wide>
        <ExperimentForm projectId={project.id} onClose={close} />
      </Dialog>
    </Page>
  );
}

/** The detail carries the first experiments; only a larger project needs another request. */
function Experiments({ project }: { project: ProjectDetail }) {
  const { count, items } = project.experiments;
  const whole = count <= items.length;
  const all = useQuery({ ...projectExperimentsQuery(project.id), enabled: !whole });
  return <ExperimentTable experiments={whole ? items : (all.data ?? items)} />;
}
