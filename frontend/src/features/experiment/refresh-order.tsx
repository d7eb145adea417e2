import { plural } from "@/lib/format";

/** Offers the new order of a table whose rows are kept in place under the pointer. */
export function RefreshOrder({ pending, onRefresh }: { pending: number; onRefresh: () => void }) {
  if (pending === 0) return null;
  return (
    <button
      type="button"
      onClick={onRefresh}
      className="h-7 shrink-0 whitespace-nowrap rounded-full border border-accent bg-accent-soft px-2.5 font-medium text-accent text-xs"
    >
      {plural(pending, "new result")} · refresh
    </button>
  );
}
