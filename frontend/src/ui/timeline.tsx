import { Link } from "@tanstack/react-router";
import { memo } from "react";
import type { Event } from "@/api/types";
import { cx } from "@/lib/cx";
import { describeEvent, eventTypes } from "@/lib/event-text";
import { clock, moment } from "@/lib/time";
import { link, Section } from "./page";
import { toneText } from "./status";

type Props = {
  events: Event[];
  type: string | undefined;
  onType: (type: string | undefined) => void;
  /** The names of experiments, where events of several are listed. */
  names?: Map<string, string>;
  className?: string;
};

const maxShown = 200;
const allTypes = "all";

/** One per run and stage: hidden unless asked for, because they would crowd out the rest. */
const detailType = "stage.completed";

function matches(type: string | undefined): (event: Event) => boolean {
  if (type === allTypes) return () => true;
  return (event) => (type ? event.type === type : event.type !== detailType);
}

/** Without the progress events of a rescoring that a later event of the same experiment replaces. */
function currentEvents(newestFirst: Event[]): Event[] {
  const told = new Set<string | undefined>();
  return newestFirst.filter(({ type, data, experiment_id: experiment }) => {
    if (type !== "experiment.rescored") return true;
    const isCurrent = data.finished !== false || !told.has(experiment);
    told.add(experiment);
    return isCurrent;
  });
}

/** Recent events, newest first, of all types or of one. */
export function Timeline({ events, type, onType, names, className }: Props) {
  const matching = currentEvents(events).filter(matches(type));
  return (
    <Section title="Timeline" aside={<TypeFilter type={type} onType={onType} />}>
      {matching.length === 0 ? (
        <p className="rounded-xl border border-line border-dashed p-4 text-muted text-[13px]">
          {type && type !== allTypes ? "No recent events of this type." : "No events yet."}
        </p>
      ) : (
        <ol
          aria-label="Events"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable without a mouse
          tabIndex={0}
          className={cx("overflow-y-auto rounded-xl border border-line bg-surface py-1", className)}
        >
          {matching.slice(0, maxShown).map((event) => (
            <Entry key={event.seq} event={event} names={names} />
          ))}
        </ol>
      )}
    </Section>
  );
}

function TypeFilter({ type, onType }: Pick<Props, "type" | "onType">) {
  return (
    <select
      aria-label="Show events of type"
      value={type ?? ""}
      onChange={(event) => onType(event.currentTarget.value || undefined)}
      className="h-7 max-w-40 rounded-md border border-line-strong bg-surface px-1.5 text-xs"
    >
      <option value="">Main events</option>
      <option value={allTypes}>All events</option>
      {eventTypes.map((each) => (
        <option key={each.type} value={each.type}>
          {each.label}
        </option>
      ))}
    </select>
  );
}

const Entry = memo(function Entry({
  event,
  names,
}: {
  event: Event;
  names: Map<string, string> | undefined;
}) {
  const { label, tone, detail, runId } = describeEvent(event);
  return (
    <li className="grid grid-cols-[auto_1fr] gap-x-2.5 px-3 py-1 text-[13px]">
      <time dateTime={event.at} title={moment(event.at)} className="num text-muted text-xs leading-5">
        {clock(event.at)}
      </time>
      <div className="min-w-0">
        <span
          aria-hidden="true"
          className={cx("mr-1.5 inline-block size-1.5 rounded-full bg-current align-middle", toneText[tone])}
        />
        {runId ? (
          <Link to="/runs/$runId" params={{ runId }} className="font-medium hover:underline">
            {label}
          </Link>
        ) : (
          <span className="font-medium">{label}</span>
        )}
        {event.by && <span className="text-muted"> by {event.by}</span>}
        {names && event.experiment_id && (
          <Link
            to="/experiments/$experimentId"
            params={{ experimentId: event.experiment_id }}
            className={`ml-2 text-xs ${link}`}
          >
            {names.get(event.experiment_id) ?? "Experiment"}
          </Link>
        )}
        {detail && (
          <p className="line-clamp-2 break-words text-muted text-xs" title={detail}>
            {detail}
          </p>
        )}
      </div>
    </li>
  );
});
