import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import type { LiveState } from "@/api/live/reduce";
import type { ExperimentDetail } from "@/api/types";
import { card, Section } from "@/ui/page";
import { Timeline } from "@/ui/timeline";
import { pollWhile } from "./fallback";
import { LeaderboardPanel } from "./leaderboard-panel";
import { RunningNow } from "./running-now";
import { pausedBy } from "./sweep-figures";
import { SweepTiles } from "./tiles";
import { WhyFailed } from "./why-failed";

const BestChart = lazy(() => import("./best-chart"));
const route = getRouteApi("/app/experiments/$experimentId");

type Props = { experiment: ExperimentDetail; live: LiveState };

export function LiveView({ experiment, live }: Props) {
  const { sweep } = experiment;
  const { sort, type, value } = route.useSearch();
  const navigate = route.useNavigate();
  const filter = (next: string | undefined) =>
    void navigate({ search: (old) => ({ ...old, type: next }), replace: true, resetScroll: false });
  return (
    <div className="flex flex-col gap-5">
      <SweepTiles sweep={sweep} pausedBy={pausedBy(sweep, live.events)} />
      <div className="grid gap-5 xl:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="flex min-w-0 flex-col gap-5">
          <Section title="Best score so far">
            <div className={`${card} h-64 p-2`}>
              <Suspense fallback={null}>
                <BestChart
                  series={live.bestSeries}
                  until={sweep?.finished_at ?? live.at}
                  empty={sweep?.finish_reason === "all_failed" ? "No score: all runs failed" : "No score yet"}
                />
              </Suspense>
            </div>
          </Section>
          <LeaderboardPanel
            experiment={experiment}
            sort={sort}
            value={value}
            refetchEvery={pollWhile(live.connection)}
          />
          {sweep && <WhyFailed sweep={sweep} />}
        </div>
        <div className="flex min-w-0 flex-col gap-5">
          <RunningNow running={live.running} endpoints={live.endpoints} />
          <Timeline events={live.events} type={type} onType={filter} className="max-h-80 xl:max-h-[34rem]" />
        </div>
      </div>
    </div>
  );
}
