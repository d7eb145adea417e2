export type PageQuery = { limit: number; cursor?: string };
type Page<T> = { items: T[]; next_cursor?: string };

const mostPages = 20;

/** All items of a list that stays small enough to be shown whole. */
export async function everyPage<T>(load: (query: PageQuery) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const answer = await load({ limit: 500, ...(cursor && { cursor }) });
    items.push(...answer.items);
    cursor = answer.next_cursor;
    if (!cursor) break;
  }
  return items;
}
