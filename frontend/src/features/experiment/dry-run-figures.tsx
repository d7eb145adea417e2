import { Fragment, type ReactNode } from "react";
import type { DryRun } from "@/api/types";
import { compact, cost, count, seconds } from "@/lib/format";

/** What a sweep would do, before it does it. */
export function DryRunFigures({ dryRun, waiting }: { dryRun: DryRun | undefined; waiting: boolean }) {
  const figures: [string, string][] = [
    ["Configurations", dryRun?.configurations_text ?? "–"],
    ["Model calls", count(dryRun?.calls)],
    ["Already cached", count(dryRun?.cached_calls)],
    ["Estimated tokens", compact(dryRun?.estimated_tokens)],
    [
      "Estimated cost",
      dryRun && dryRun.estimated_cost === undefined ? "no price known" : cost(dryRun?.estimated_cost),
    ],
    ["Estimated time", seconds(dryRun?.estimated_seconds)],
  ];
  return (
    <>
      <dl
        aria-label="Estimate"
        aria-busy={waiting}
        className="grid grid-cols-2 gap-x-4 gap-y-2 rounded-lg bg-sunken p-3 sm:grid-cols-3"
      >
        {figures.map(([label, value]) => (
          <div key={label} className="min-w-0">
            <dt className="text-muted text-xs">{label}</dt>
            <dd className="num break-words font-medium">{value}</dd>
          </div>
        ))}
      </dl>
      {dryRun && dryRun.warnings.length > 0 && (
        <ul aria-label="Warnings" className="flex flex-col gap-1 rounded-lg bg-warn-soft p-3 text-[13px]">
          {dryRun.warnings.map((warning) => (
            <li key={warning} className="break-words">
              {inCode(warning)}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** A text with what stands between backticks as code. */
function inCode(text: string): ReactNode[] {
  return text.split("`").map((part, place) => {
    const key = `${place} ${part}`;
    return place % 2 === 1 ? <code key={key}>{part}</code> : <Fragment key={key}>{part}</Fragment>;
  });
}
