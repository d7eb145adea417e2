import { Link } from "@tanstack/react-router";
import type { ExperimentSummary } from "@/api/types";
import { score } from "@/lib/format";
import { link } from "@/ui/page";
import { Empty } from "@/ui/states";
import { Badge, experimentLook } from "@/ui/status";
import { Table } from "@/ui/table";

export function ExperimentTable({ experiments }: { experiments: ExperimentSummary[] }) {
  if (experiments.length === 0) {
    return (
      <Empty title="No experiments yet">
        An experiment defines samples, a pipeline, scoring, and the parameters to vary.
      </Empty>
    );
  }
  return (
    <Table label="Experiments">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Status</th>
          <th scope="col" className="text-right">
            Best score
          </th>
        </tr>
      </thead>
      <tbody>
        {experiments.map(({ id, name, status, finish_reason, best }) => (
          <tr key={id}>
            <td className="w-full min-w-48">
              <Link
                to="/experiments/$experimentId"
                params={{ experimentId: id }}
                className={`font-medium ${link}`}
              >
                {name}
              </Link>
            </td>
            <td>
              <Badge look={experimentLook({ status, finish_reason })} />
            </td>
            <td className="num text-right">
              {best ? (
                <Link to="/runs/$runId" params={{ runId: best.run_id }} className={link}>
                  {score(best.score)}
                </Link>
              ) : (
                <span className="text-muted">–</span>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}
