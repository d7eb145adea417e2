import { useQuery } from "@tanstack/react-query";
import { memo } from "react";
import { leaderboardQuery } from "@/api/experiments";
import type { ExperimentDetail } from "@/api/types";
import { count } from "@/lib/format";
import { Section } from "@/ui/page";
import { Empty, QueryView } from "@/ui/states";
import { Leaderboard } from "./leaderboard";

type Props = { experiment: ExperimentDetail; sort: string | undefined; refetchEvery: number | false };

/** Kept from rendering with every frame of the stream: only its own query changes it. */
export const LeaderboardPanel = memo(function LeaderboardPanel({ experiment, sort, refetchEvery }: Props) {
  const rows = useQuery({ ...leaderboardQuery(experiment.id), refetchInterval: refetchEvery });
  const shown = rows.data?.items.length ?? 0;
  const total = shown > 0 ? `${rows.data?.next_cursor ? "the best " : ""}${count(shown)} runs` : "";
  return (
    <Section title="Leaderboard" aside={<span className="num text-muted text-xs">{total}</span>}>
      <QueryView query={rows}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No run has finished yet">
              Start a sweep and the runs line up here, best first.
            </Empty>
          ) : (
            <Leaderboard experiment={experiment} rows={items} sort={sort} />
          )
        }
      </QueryView>
    </Section>
  );
});
