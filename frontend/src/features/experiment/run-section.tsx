import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { useAttention } from "@/ui/attention";
import { Button } from "@/ui/button";
import { Section } from "@/ui/page";
import { ProblemNote } from "@/ui/problem-note";
import { Loading } from "@/ui/states";
import { RefreshOrder } from "./refresh-order";
import type { SteadyRows } from "./steady-rows";

type Props = {
  title: string;
  pages: UseInfiniteQueryResult;
  order: SteadyRows<unknown>;
  attention: ReturnType<typeof useAttention>["props"];
  aside: ReactNode;
  children: ReactNode;
};

/** A table of runs with its head, loading and error states, and further pages. */
export function RunSection({ title, pages, order, attention, aside, children }: Props) {
  return (
    <div className="min-w-0">
      <div {...attention}>
        <Section
          title={title}
          aside={
            <span className="flex flex-wrap items-center justify-end gap-x-3 gap-y-1">
              <RefreshOrder pending={order.pending} onRefresh={order.refresh} />
              {aside}
            </span>
          }
        >
          {pages.isPending && <Loading />}
          <ProblemNote error={pages.error} onRetry={() => void pages.refetch()} className="mb-3" />
          {children}
        </Section>
      </div>
      {pages.hasNextPage && (
        <Button className="mt-3" busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          Load more runs
        </Button>
      )}
    </div>
  );
}
