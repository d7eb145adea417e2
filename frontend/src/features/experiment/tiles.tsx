import { Link } from "@tanstack/react-router";
import type { Sweep } from "@/api/types";
import { compact, cost, count, hitRate, score, seconds } from "@/lib/format";
import { link } from "@/ui/page";
import { Tile, Tiles } from "@/ui/tile";
import { ended, remark } from "./sweep-figures";

/** The figures of the sweep at a glance. */
export function SweepTiles({ sweep }: { sweep: Sweep | undefined }) {
  return (
    <Tiles label="Sweep">
      <RunsTile sweep={sweep} />
      <Tile
        label="Best score"
        value={score(sweep?.best?.score)}
        note={
          sweep?.best && (
            <Link to="/runs/$runId" params={{ runId: sweep.best.run_id }} className={link}>
              Open the run
            </Link>
          )
        }
      />
      <Tile
        label="Tokens"
        value={compact(sweep && sweep.tokens_in + sweep.tokens_out)}
        note={sweep && `${compact(sweep.tokens_in)} in, ${compact(sweep.tokens_out)} out`}
      />
      <Tile
        label="Cost"
        value={cost(sweep?.cost)}
        note={sweep && (sweep.cost === undefined ? "No price known" : `${count(sweep.calls)} calls paid`)}
      />
      <Tile
        label="Cache hit rate"
        value={sweep ? hitRate(sweep.cache_hits, sweep.calls) : "–"}
        note={sweep && `${count(sweep.cache_hits)} of ${count(sweep.cache_hits + sweep.calls)} answers`}
      />
      <Tile
        label="Time left"
        value={sweep?.status === "running" ? seconds(sweep.eta_seconds) : "–"}
        note={remark(sweep)}
      />
    </Tiles>
  );
}

function RunsTile({ sweep }: { sweep: Sweep | undefined }) {
  if (!sweep) return <Tile label="Runs" value="–" note="No sweep yet" />;
  const { total, failed, cached, running } = sweep.progress;
  const done = ended(sweep);
  const value = total === undefined ? count(done) : `${count(done)} of ${count(total)}`;
  const note = [
    `${count(running)} running`,
    failed > 0 && `${count(failed)} failed`,
    cached > 0 && `${count(cached)} cached`,
  ];
  return (
    <Tile label="Runs" value={value} note={note.filter(Boolean).join(", ")}>
      {total !== undefined && total > 0 && (
        <div aria-hidden="true" className="mt-2 h-1 overflow-hidden rounded-full bg-sunken">
          <div
            className="h-full rounded-full bg-accent transition-[width] duration-300"
            style={{ width: `${Math.min(100, (done / total) * 100)}%` }}
          />
        </div>
      )}
    </Tile>
  );
}
