import { getRouteApi } from "@tanstack/react-router";
import { useDashboardLive } from "@/api/live/use-live";
import { ConnectionNote } from "@/ui/connection-note";
import { Page } from "@/ui/page";
import { Timeline } from "@/ui/timeline";

const route = getRouteApi("/app/activity");

export function ActivityPage() {
  const { type } = route.useSearch();
  const navigate = route.useNavigate();
  const live = useDashboardLive();
  return (
    <Page title="Activity" beside={<ConnectionNote connection={live.connection} />}>
      <Timeline
        events={live.events}
        type={type}
        onType={(next) => void navigate({ search: { type: next }, replace: true })}
        across
      />
    </Page>
  );
}
