import { useEffect, useMemo, useState } from "react";
import { countNew, type Entry, isSame, keepsPlaces, settle } from "./row-order";

/** Rows that move more often than this cannot be read. */
const minReorderInterval = 1000;

type Shown<R> = { view: string; entries: Entry<R>[]; at: number };

type Options = {
  /** Sort order and filters: rows of another view are shown at once. */
  view: string;
  /** Whether the rows still belong to the view before. */
  outdated: boolean;
  frozen: boolean;
};

export type SteadyRows<R> = {
  rows: R[] | undefined;
  /** New results that are held back while the order is frozen. */
  pending: number;
  refresh: () => void;
};

/** Rows in an order that can be read: unchanged while it is frozen, else changed once a second at most. */
export function useSteadyRows<R>(latest: Entry<R>[] | undefined, options: Options): SteadyRows<R> {
  const { view, outdated, frozen } = options;
  const [shown, setShown] = useState<Shown<R>>();
  const current = outdated || shown?.view === view ? shown : undefined;
  const next = useMemo(
    () => (outdated ? current?.entries : latest && settle(current?.entries ?? [], latest)),
    [outdated, current, latest],
  );
  const moves = current !== undefined && next !== undefined && !keepsPlaces(current.entries, next);
  useEffect(() => {
    if (!next || outdated || (moves && frozen) || (current && isSame(current.entries, next))) return;
    const wait = moves ? current.at + minReorderInterval - Date.now() : 0;
    const show = () => setShown({ view, entries: next, at: moves || !current ? Date.now() : current.at });
    if (wait <= 0) return show();
    const timer = setTimeout(show, wait);
    return () => clearTimeout(timer);
  }, [next, current, moves, outdated, frozen, view]);
  return {
    rows: (moves ? current.entries : next)?.map(({ row }) => row),
    pending: moves && frozen ? Math.max(1, countNew(current.entries, next)) : 0,
    refresh: () => next && setShown({ view, entries: next, at: Date.now() }),
  };
}
