import { score } from "@/lib/format";
import { place, type Scale } from "./leaderboard-columns";

type Props = {
  value: number | undefined;
  low: number | undefined;
  high: number | undefined;
  scale: Scale;
};

/** A score and its 95 % interval on a scale that all rows share. */
export function ScoreBar({ value, low, high, scale }: Props) {
  const known = value !== undefined && low !== undefined && high !== undefined;
  const interval = known ? `95 % confidence interval ${score(low)} to ${score(high)}` : undefined;
  return (
    <span className="flex items-center gap-2.5" title={interval}>
      <span className="num w-11 font-semibold">{score(value)}</span>
      <span aria-hidden="true" className="relative h-3 w-20 rounded-sm bg-sunken">
        {known && (
          <>
            <span
              className="absolute top-1 h-1 rounded-full bg-accent opacity-40"
              style={{ left: `${place(low, scale)}%`, right: `${100 - place(high, scale)}%` }}
            />
            <span
              className="absolute top-0 -ml-px h-3 w-0.5 rounded-full bg-accent"
              style={{ left: `${place(value, scale)}%` }}
            />
          </>
        )}
      </span>
      {interval && <span className="sr-only">{interval}</span>}
    </span>
  );
}
