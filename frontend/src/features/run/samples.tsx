import { useInfiniteQuery } from "@tanstack/react-query";
import { runSamplesQuery } from "@/api/runs";
import { Button } from "@/ui/button";
import { Section } from "@/ui/page";
import { ProblemNote } from "@/ui/problem-note";
import { Empty, Loading } from "@/ui/states";
import { SampleCard } from "./sample-card";

/** How often the samples of a running run are fetched. */
const pollInterval = 4000;

type Props = { runId: string; live: boolean };

/** The run sample by sample, some at a time. */
export function Samples({ runId, live }: Props) {
  const pages = useInfiniteQuery({
    ...runSamplesQuery(runId),
    refetchInterval: live ? pollInterval : false,
  });
  const samples = pages.data?.pages.flatMap((page) => page.items);
  return (
    <Section title="Samples">
      <div className="flex flex-col gap-3">
        {pages.isPending && <Loading />}
        <ProblemNote error={pages.error} onRetry={() => void pages.refetch()} />
        {samples?.length === 0 && <Empty title="No samples processed yet" />}
        {samples?.map((sample, index) => (
          <SampleCard key={`${sample.sample_index} ${sample.repeat}`} sample={sample} open={index < 3} />
        ))}
        {pages.hasNextPage && (
          <Button
            className="self-center"
            busy={pages.isFetchingNextPage}
            onClick={() => void pages.fetchNextPage()}
          >
            Load more samples
          </Button>
        )}
      </div>
    </Section>
  );
}
