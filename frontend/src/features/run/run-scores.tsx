import type { ReactNode } from "react";
import type { ScoreSummary } from "@/api/types";
import { count, score } from "@/lib/format";
import { Section } from "@/ui/page";
import { Empty } from "@/ui/states";
import { Table } from "@/ui/table";

type Props = { scores: Record<string, ScoreSummary>; children?: ReactNode };

/** Each scorer's mean over the samples, and what else belongs to the scores. */
export function RunScores({ scores, children }: Props) {
  const entries = Object.entries(scores);
  return (
    <Section title="Scores">
      {entries.length === 0 ? (
        <Empty title="No scores yet" />
      ) : (
        <Table label="Scores">
          <thead>
            <tr>
              <th scope="col">Scorer</th>
              <th scope="col" className="text-right">
                Mean
              </th>
              <th scope="col">95 % CI</th>
              <th scope="col" className="text-right">
                Samples
              </th>
              <th scope="col" className="text-right">
                Failed
              </th>
            </tr>
          </thead>
          <tbody>
            {entries.map(([name, { value, ci_low: low, ci_high: high, n, failed }]) => (
              <tr key={name}>
                <td className="font-medium">{name}</td>
                <td className="num text-right font-semibold">{score(value)}</td>
                <td className="num text-muted">
                  {low === undefined || high === undefined ? "–" : `${score(low)} to ${score(high)}`}
                </td>
                <td className="num text-right">{count(n)}</td>
                <td className={failed > 0 ? "num text-right text-bad" : "num text-right"}>{count(failed)}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      {children && <div className="mt-3">{children}</div>}
    </Section>
  );
}
