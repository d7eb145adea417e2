import { useInfiniteQuery } from "@tanstack/react-query";
import { runSamplesQuery } from "@/api/runs";
import type { RunDetail } from "@/api/types";
import { Button } from "@/ui/button";
import { Section } from "@/ui/page";
import { ProblemNote } from "@/ui/problem-note";
import { Empty, Loading } from "@/ui/states";
import { Rating } from "./rating";
import { SampleCard } from "./sample-card";

/** How often the samples of a running run are fetched. */
const pollInterval = 4000;

const repeatsHelp = "Counts for all repeats of this sample.";

type Props = { run: RunDetail; live: boolean; ratable: boolean };

/** The run sample by sample, some at a time. */
export function Samples({ run, live, ratable }: Props) {
  const pages = useInfiniteQuery({
    ...runSamplesQuery(run.id),
    refetchInterval: live ? pollInterval : false,
  });
  const samples = pages.data?.pages.flatMap((page) => page.items);
  const repeated = samples?.some(({ repeat }) => repeat > 1);
  return (
    <Section title="Samples">
      <div className="flex flex-col gap-3">
        {pages.isPending && <Loading />}
        <ProblemNote error={pages.error} onRetry={() => void pages.refetch()} />
        {samples?.length === 0 && <Empty title="No samples processed yet" />}
        {samples?.map((sample, index) => (
          <SampleCard
            key={`${sample.sample_index} ${sample.repeat}`}
            sample={sample}
            open={index < 3}
            rating={
              ratable && (
                <Rating run={run} sample={sample.sample_index} {...(repeated && { help: repeatsHelp })} />
              )
            }
          />
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
