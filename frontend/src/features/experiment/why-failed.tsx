import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { failuresQuery } from "@/api/experiments";
import type { FailureGroup, Sweep } from "@/api/types";
import { plural } from "@/lib/format";
import { card, link, Section } from "@/ui/page";

const whileRunning = 5000;

/** Why samples and runs of a sweep failed, by kind, with an example of each; nothing where none did. */
export function WhyFailed({ sweep }: { sweep: Sweep }) {
  const { id, experiment_id: experimentId, status } = sweep;
  const query = { ...failuresQuery(experimentId, id), refetchInterval: whileRunningOnly(status) };
  const groups = useQuery(query).data ?? [];
  if (groups.length === 0) return null;
  return (
    <Section
      title="Why samples failed"
      aside={
        <Link
          to="/experiments/$experimentId"
          params={{ experimentId }}
          search={{ tab: "runs", status: "failed" }}
          className={`${link} text-[13px]`}
        >
          Show failed runs
        </Link>
      }
    >
      <ul className={`${card} flex flex-col divide-y divide-line text-[13px]`}>
        {groups.map((group) => (
          <Group key={`${group.of} ${group.kind} ${group.stage}`} group={group} />
        ))}
      </ul>
    </Section>
  );
}

const whileRunningOnly = (status: Sweep["status"]): number | false =>
  status === "running" ? whileRunning : false;

function Group({ group: { kind, stage, of, count, example } }: { group: FailureGroup }) {
  return (
    <li className="flex flex-col gap-1 p-3">
      <span>
        <strong className="font-semibold">{plural(count, of === "runs" ? "run" : "sample")}</strong>
        {": "}
        <code className="font-mono text-xs">{kind}</code>
        {stage && ` in stage ${stage}`}
      </span>
      <span className="break-words text-muted">{example}</span>
    </li>
  );
}
