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
  /** How many runs are listed. */
  count?: string;
  filters: ReactNode;
  children: ReactNode;
};

/** The head stays one line high, so that an offer to refresh does not push the table down. */
const oneLine = "[&>select]:min-w-0 [&>select]:shrink";

/** A table of runs with its head, loading and error states, and further pages. */
export function RunSection({ title, pages, order, attention, count, filters, children }: Props) {
  return (
    <div className="min-w-0">
      <div {...attention}>
        <Section
          title={title}
          aside={
            <span className={`flex min-w-0 flex-1 basis-0 items-center justify-end gap-3 ${oneLine}`}>
              <RefreshOrder pending={order.pending} onRefresh={order.refresh} />
              {order.pending === 0 && count && (
                <span className="num whitespace-nowrap text-muted text-xs">{count}</span>
              )}
              {filters}
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
