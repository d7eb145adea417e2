/** A row with its place in the list's order, as far as a reader can tell it from its neighbours'. */
export type Entry<R> = { id: string; row: R; figure: string };

/** The new rows; those with the same displayed figure keep their order, because nobody could see why they moved. */
export function settle<R>(shown: Entry<R>[], latest: Entry<R>[]): Entry<R>[] {
  const places = new Map(shown.map(({ id }, index) => [id, index]));
  const place = ({ id }: Entry<R>) => places.get(id) ?? shown.length;
  return groups(latest).flatMap((group) =>
    group.length === 1 ? group : group.sort((a, b) => place(a) - place(b)),
  );
}

function groups<R>(entries: Entry<R>[]): Entry<R>[][] {
  const result: Entry<R>[][] = [];
  for (const entry of entries) {
    const group = result.at(-1);
    if (group?.[0]?.figure === entry.figure) group.push(entry);
    else result.push([entry]);
  }
  return result;
}

/** Whether no row that is shown would change its place: rows may only be added at the end. */
export function keepsPlaces<R>(shown: Entry<R>[], next: Entry<R>[]): boolean {
  return shown.every(({ id }, index) => next[index]?.id === id);
}

/** Whether two lists show the same rows in the same order. */
export function isSame<R>(a: Entry<R>[], b: Entry<R>[]): boolean {
  return a.length === b.length && a.every(({ row }, index) => b[index]?.row === row);
}

/** How many rows are new or have another figure than shown. */
export function countNew<R>(shown: Entry<R>[], next: Entry<R>[]): number {
  const figures = new Map(shown.map(({ id, figure }) => [id, figure]));
  return next.filter(({ id, figure }) => figures.get(id) !== figure).length;
}
