import { useQuery } from "@tanstack/react-query";
import { sweepsQuery } from "@/api/experiments";
import type { Sweep } from "@/api/types";
import { compact, cost, count, score } from "@/lib/format";
import { moment } from "@/lib/time";
import { Section } from "@/ui/page";
import { Empty, QueryView } from "@/ui/states";
import { Table } from "@/ui/table";
import { SweepBadge } from "./sweep-badge";
import { ended } from "./sweep-figures";

/** All sweeps of the experiment. */
export function Sweeps({ experimentId }: { experimentId: string }) {
  const sweeps = useQuery(sweepsQuery(experimentId));
  return (
    <Section title="Sweeps">
      <QueryView query={sweeps}>
        {(items) => (items.length === 0 ? <Empty title="No sweeps yet" /> : <SweepTable sweeps={items} />)}
      </QueryView>
    </Section>
  );
}

function SweepTable({ sweeps }: { sweeps: Sweep[] }) {
  return (
    <Table label="Sweeps">
      <thead>
        <tr>
          <th scope="col">Started</th>
          <th scope="col">Kind</th>
          <th scope="col">Status</th>
          <th scope="col" className="text-right">
            Runs
          </th>
          <th scope="col" className="text-right">
            Best
          </th>
          <th scope="col" className="text-right">
            Tokens
          </th>
          <th scope="col" className="text-right">
            Cost
          </th>
          <th scope="col" className="text-right">
            Seed
          </th>
        </tr>
      </thead>
      <tbody>
        {sweeps.map((sweep) => (
          <tr key={sweep.id}>
            <td className="num">{moment(sweep.started_at)}</td>
            <td>{sweep.kind}</td>
            <td>
              <SweepBadge sweep={sweep} />
            </td>
            <td className="num text-right">{count(ended(sweep))}</td>
            <td className="num text-right">{score(sweep.best?.score)}</td>
            <td className="num text-right">{compact(sweep.tokens_in + sweep.tokens_out)}</td>
            <td className="num text-right">{cost(sweep.cost)}</td>
            <td className="num text-right">{sweep.seed}</td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}
