export type PageQuery = { limit: number; cursor?: string };
export type Page<T> = { items: T[]; next_cursor?: string };

const maxPages = 20;

/** All items of a list that stays small enough to be shown whole. */
export async function everyPage<T>(load: (query: PageQuery) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const answer = await load({ limit: 500, ...(cursor && { cursor }) });
    items.push(...answer.items);
    cursor = answer.next_cursor;
    if (!cursor) break;
  }
  return items;
}

/** A page that is as long as asked for where there is that much: behind a filter the server's own may be short. */
export async function fullPage<T, P extends Page<T>>(
  query: PageQuery,
  load: (query: PageQuery) => Promise<P>,
): Promise<P> {
  let page = await load(query);
  for (let more = 0; page.next_cursor && page.items.length < query.limit && more < maxPages; more++) {
    const rest = await load({ limit: query.limit - page.items.length, cursor: page.next_cursor });
    const { next_cursor: _, ...shown } = page;
    page = { ...shown, ...rest, items: [...page.items, ...rest.items] };
  }
  return page;
}
