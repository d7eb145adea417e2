import { useInfiniteQuery } from "@tanstack/react-query";
import { memo } from "react";
import { leaderboardQuery } from "@/api/experiments";
import type { ExperimentDetail } from "@/api/types";
import { count } from "@/lib/format";
import { Button } from "@/ui/button";
import { Section } from "@/ui/page";
import { ProblemNote } from "@/ui/problem-note";
import { Empty, Loading } from "@/ui/states";
import { Leaderboard } from "./leaderboard";
import { readValue, ValueSelect } from "./value-filter";

type Props = {
  experiment: ExperimentDetail;
  sort: string | undefined;
  value: string | undefined;
  refetchEvery: number | false;
};

/** Ties and probabilities follow the runs that they are of within about a second. */
const standingsEvery = 1000;

/** Kept from rendering with every frame of the stream: only its own query changes it. */
export const LeaderboardPanel = memo(function LeaderboardPanel(props: Props) {
  const { experiment, sort, value, refetchEvery } = props;
  const values = readValue(value);
  const view = { ...(sort && { sort }), ...(values && { values }) };
  const pages = useInfiniteQuery({
    ...leaderboardQuery(experiment.id, view),
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => !page.standings_current) ? standingsEvery : refetchEvery,
    placeholderData: (old) => old,
  });
  const rows = pages.data?.pages.flatMap((page) => page.items);
  return (
    <Section
      title="Leaderboard"
      aside={<Aside {...props} shown={rows?.length ?? 0} more={pages.hasNextPage} />}
    >
      {pages.isPending && <Loading />}
      <ProblemNote error={pages.error} onRetry={() => void pages.refetch()} className="mb-3" />
      {rows?.length === 0 &&
        (values ? (
          <Empty title="No finished run has this value" />
        ) : (
          <Empty title="No run has finished yet">Start a sweep and the runs line up here, best first.</Empty>
        ))}
      {rows && rows.length > 0 && <Leaderboard experiment={experiment} rows={rows} sort={sort} />}
      {pages.hasNextPage && (
        <Button className="mt-3" busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          Load more runs
        </Button>
      )}
    </Section>
  );
});

type AsideProps = Props & { shown: number; more: boolean };

function Aside({ experiment, sort, value, shown, more }: AsideProps) {
  const first = sort || value ? "the first " : "the best ";
  return (
    <span className="flex items-center gap-3">
      <span className="num text-muted text-xs">
        {shown > 0 && `${more ? first : ""}${count(shown)} runs`}
      </span>
      <ValueSelect experiment={experiment} label="Show ranked runs with value" />
    </span>
  );
}
