import { useInfiniteQuery } from "@tanstack/react-query";
import { memo, useMemo } from "react";
import { leaderboardQuery } from "@/api/experiments";
import type { ExperimentDetail, LeaderboardRow } from "@/api/types";
import { useAttention } from "@/ui/attention";
import { boardCount, boardEntries, ranksInOrder } from "./board-order";
import { EmptyBoard } from "./empty-board";
import { Leaderboard } from "./leaderboard";
import { RunSection } from "./run-section";
import { useSteadyRows } from "./steady-rows";
import { readValue, ValueSelect } from "./value-filter";

type Props = {
  experiment: ExperimentDetail;
  sort: string | undefined;
  value: string | undefined;
  refetchEvery: number | false;
};

/** Ties and probabilities follow the runs that they are of within about a second. */
const standingsInterval = 1000;

/** Kept from rendering with every frame of the stream: only its own query changes it. */
export const LeaderboardPanel = memo(function LeaderboardPanel(props: Props) {
  const { experiment, sort, value } = props;
  const { pages, latest } = useBoard(props);
  const { attended, props: attention } = useAttention();
  const order = useSteadyRows(
    useMemo(() => latest && boardEntries(latest, sort), [latest, sort]),
    { view: `${sort} ${value}`, outdated: pages.isPlaceholderData, frozen: attended },
  );
  const rows = order.rows && ranksInOrder(order.rows, sort);
  return (
    <RunSection
      title="Leaderboard"
      pages={pages}
      order={order}
      attention={attention}
      count={boardCount(experiment, rows?.length ?? 0, { more: pages.hasNextPage, sort, value })}
      filters={<ValueSelect experiment={experiment} label="Show ranked runs with value" />}
    >
      {rows?.length === 0 && <EmptyBoard sweep={experiment.sweep} filtered={value !== undefined} />}
      {rows && rows.length > 0 && <Leaderboard experiment={experiment} rows={rows} sort={sort} />}
    </RunSection>
  );
});

function useBoard({ experiment, sort, value, refetchEvery }: Props) {
  const values = readValue(value);
  const view = { ...(sort && { sort }), ...(values && { values }) };
  const pages = useInfiniteQuery({
    ...leaderboardQuery(experiment.id, view),
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => !page.standings_current) ? standingsInterval : refetchEvery,
    placeholderData: (old) => old,
  });
  const latest = useMemo<LeaderboardRow[] | undefined>(
    () => pages.data?.pages.flatMap((page) => page.items),
    [pages.data],
  );
  return { pages, latest };
}
