import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { toProblem } from "@/api/problem";
import { link } from "./page";
import { ProblemNote } from "./problem-note";

/** Grey bars where content will be. */
export function Loading({ rows = 4, label = "Loading" }: { rows?: number; label?: string }) {
  const widths = ["w-2/5", "w-4/5", "w-3/5", "w-3/4", "w-1/2", "w-2/3"];
  return (
    <div role="status" aria-label={label} className="space-y-3 py-4">
      {widths.slice(0, rows).map((width) => (
        <div key={width} className={`h-4 animate-pulse rounded bg-sunken ${width}`} />
      ))}
    </div>
  );
}

/** What an empty list says, and what can be done about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-2 rounded-xl border border-line border-dashed px-6 py-10 text-center">
      <p className="font-medium">{title}</p>
      {children && <div className="max-w-md text-muted">{children}</div>}
    </div>
  );
}

/** What stands where something is no longer, or never was. */
export function Missing({ title }: { title: string }) {
  return (
    <Empty title={title}>
      <Link to="/projects" className={link}>
        Go to projects
      </Link>
    </Empty>
  );
}

type ViewProps<T> = { query: UseQueryResult<T>; rows?: number; children: (data: T) => ReactNode };

/** A query's data once it is there; until then its loading or error state. */
export function QueryView<T>({ query, rows, children }: ViewProps<T>) {
  if (query.data !== undefined) return children(query.data);
  if (query.error && toProblem(query.error).status === 404)
    return <Missing title="Not found. It may have been deleted." />;
  if (query.error) return <ProblemNote error={query.error} onRetry={() => void query.refetch()} />;
  return <Loading rows={rows ?? 4} />;
}
