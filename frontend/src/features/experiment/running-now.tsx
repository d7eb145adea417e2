import { Link } from "@tanstack/react-router";
import type { EndpointLoad, RunningRun } from "@/api/live/messages";
import { cx } from "@/lib/cx";
import { count, plural } from "@/lib/format";
import { clock } from "@/lib/time";
import { card, link, Section } from "@/ui/page";

type Props = { running: RunningRun[]; endpoints: EndpointLoad[] };

const maxRows = 8;

/** The running runs, and the load of the endpoints. */
export function RunningNow({ running, endpoints }: Props) {
  return (
    <Section title="Running now">
      <div className={`${card} flex flex-col gap-2 p-3 text-[13px]`}>
        {running.length === 0 && <p className="text-muted">Nothing is running.</p>}
        {running.length > 0 && (
          <ul className="flex flex-col gap-2">
            {running.slice(0, maxRows).map((run) => (
              <RunBar key={run.run_id} run={run} />
            ))}
          </ul>
        )}
        {running.length > maxRows && (
          <p className="text-muted text-xs">and {running.length - maxRows} more</p>
        )}
        {endpoints.map((endpoint) => (
          <Endpoint key={endpoint.label} endpoint={endpoint} />
        ))}
      </div>
    </Section>
  );
}

function RunBar({ run: { run_id: runId, samples } }: { run: RunningRun }) {
  const share = samples.total > 0 ? samples.done / samples.total : 0;
  return (
    <li>
      <div className="flex justify-between gap-3">
        <Link to="/runs/$runId" params={{ runId }} className={`font-mono text-xs ${link}`}>
          {runId.slice(-8)}
        </Link>
        <span className="num text-muted text-xs">
          {count(samples.done)} of {plural(samples.total, "sample")}
          {samples.failed > 0 && `, ${count(samples.failed)} failed`}
        </span>
      </div>
      <div aria-hidden="true" className="mt-1 h-1 overflow-hidden rounded-full bg-sunken">
        <div
          className="h-full rounded-full bg-info transition-[width] duration-300"
          style={{ width: `${share * 100}%` }}
        />
      </div>
    </li>
  );
}

function Endpoint({ endpoint }: { endpoint: EndpointLoad }) {
  const { label, breaker, backing_off_until: pause } = endpoint;
  return (
    <p className="flex justify-between gap-3 border-line border-t pt-2 text-xs">
      <span className="min-w-0 truncate" title={label}>
        {label}
      </span>
      <span className={cx("num shrink-0", breaker || pause ? "text-warn" : "text-muted")} title={breaker}>
        {loadText(endpoint)}
      </span>
    </p>
  );
}

function loadText(endpoint: EndpointLoad): string {
  const { in_use: inUse, concurrency, breaker, breaker_until: reopens, backing_off_until: pause } = endpoint;
  if (breaker) return reopens ? `Paused until ${clock(reopens)}` : "Paused: refuses every call";
  if (pause) return `Backing off until ${clock(pause)}`;
  return `${count(inUse)} of ${plural(concurrency, "call")} in use`;
}
