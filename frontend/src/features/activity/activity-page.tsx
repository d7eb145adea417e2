import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { newestExperimentsQuery } from "@/api/experiments";
import { useDashboardLive } from "@/api/live/use-live";
import { ConnectionNote } from "@/ui/connection-note";
import { Page } from "@/ui/page";
import { Timeline } from "@/ui/timeline";

const route = getRouteApi("/app/activity");

export function ActivityPage() {
  const { type } = route.useSearch();
  const navigate = route.useNavigate();
  const live = useDashboardLive();
  const experiments = useQuery(newestExperimentsQuery).data;
  const names = useMemo(() => new Map(experiments?.map(({ id, name }) => [id, name])), [experiments]);
  return (
    <Page title="Activity" beside={<ConnectionNote connection={live.connection} />}>
      <Timeline
        events={live.events}
        type={type}
        onType={(next) => void navigate({ search: { type: next }, replace: true })}
        names={names}
      />
    </Page>
  );
}
