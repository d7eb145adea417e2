import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ComponentProps } from "react";
import { experimentQuery } from "@/api/experiments";
import { useExperimentLive } from "@/api/live/use-live";
import { projectQuery } from "@/api/projects";
import type { ExperimentDetail } from "@/api/types";
import { ConnectionNote } from "@/ui/connection-note";
import { ExportMenu } from "@/ui/export-menu";
import { link, Page } from "@/ui/page";
import { QueryView } from "@/ui/states";
import { Badge, experimentLook } from "@/ui/status";
import { ConfigurationView } from "./configuration-view";
import { ExperimentMenu } from "./experiment-menu";
import { pollWhile } from "./fallback";
import { LiveView } from "./live-view";
import { RunsView } from "./runs-view";
import { Steering } from "./steering";
import { SweepBadge } from "./sweep-badge";
import { pausedBy } from "./sweep-figures";
import { SweepNotice } from "./sweep-notice";
import { Tabs } from "./tabs";

const route = getRouteApi("/app/experiments/$experimentId");

export function ExperimentPage() {
  const { experimentId } = route.useParams();
  const experiment = useQuery(experimentQuery(experimentId));
  return (
    <QueryView query={experiment}>{(data) => <ExperimentView key={data.id} experiment={data} />}</QueryView>
  );
}

function ExperimentView({ experiment }: { experiment: ExperimentDetail }) {
  const { tab } = route.useSearch();
  const live = useExperimentLive(experiment.id);
  useQuery({ ...experimentQuery(experiment.id), refetchInterval: pollWhile(live.connection) });
  const { sweep } = experiment;
  return (
    <Page
      title={experiment.name}
      crumbs={<Crumbs experiment={experiment} />}
      beside={
        <>
          {sweep ? (
            <SweepBadge sweep={sweep} pausedBy={pausedBy(sweep, live.events)} />
          ) : (
            <Badge look={experimentLook(experiment)} />
          )}
          <ConnectionNote connection={live.connection} />
        </>
      }
      actions={
        <>
          <Steering experiment={experiment} onSweep={live.adopt} />
          <ExportMenu experimentId={experiment.id} name={experiment.name} />
          <ExperimentMenu experiment={experiment} />
        </>
      }
    >
      <SweepNotice experiment={experiment} />
      <Tabs experimentId={experiment.id} />
      <View tab={tab} experiment={experiment} live={live} />
    </Page>
  );
}

type ViewProps = ComponentProps<typeof LiveView> & { tab: string | undefined };

function View({ tab, experiment, live }: ViewProps) {
  if (tab === "configuration") return <ConfigurationView experiment={experiment} />;
  if (tab === "runs") return <RunsView experiment={experiment} />;
  return <LiveView experiment={experiment} live={live} />;
}

function Crumbs({ experiment }: { experiment: ExperimentDetail }) {
  const { project_id: projectId } = experiment;
  const project = useQuery(projectQuery(projectId));
  return (
    <>
      <Link to="/projects" className={link}>
        Projects
      </Link>
      <span aria-hidden="true">/</span>
      <Link to="/projects/$projectId" params={{ projectId }} className={link}>
        {project.data?.name ?? "Project"}
      </Link>
    </>
  );
}
