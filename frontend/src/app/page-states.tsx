import type { ErrorComponentProps } from "@tanstack/react-router";
import { ProblemNote } from "@/ui/problem-note";
import { Missing } from "@/ui/states";
import { useTitle } from "@/ui/use-title";

export function NotFound() {
  useTitle("Not found");
  return (
    <div className="mx-auto max-w-xl p-4 sm:p-10">
      <h1 className="sr-only">Not found</h1>
      <Missing title="There is no page at this address." />
    </div>
  );
}

export function PageFailed({ error, reset }: ErrorComponentProps) {
  return (
    <div className="mx-auto max-w-xl p-4 sm:p-10">
      <h1 className="mb-3 font-semibold text-lg">This page could not be shown</h1>
      <ProblemNote error={error} onRetry={reset} />
    </div>
  );
}
