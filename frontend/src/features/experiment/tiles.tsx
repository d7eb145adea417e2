import { Link } from "@tanstack/react-router";
import type { Sweep } from "@/api/types";
import { compact, cost, count, hitRate, plural, score, seconds } from "@/lib/format";
import { link } from "@/ui/page";
import { Tile, Tiles } from "@/ui/tile";
import { type BudgetField, budgetsOf, spentTokens } from "./budget";
import { ended, statusReason } from "./sweep-figures";

/** The figures of the sweep at a glance. */
export function SweepTiles({ sweep, pausedBy }: { sweep: Sweep | undefined; pausedBy: string | undefined }) {
  return (
    <Tiles label="Sweep">
      <RunsTile sweep={sweep} />
      <Tile
        label="Best score"
        value={score(sweep?.best?.score)}
        note={
          sweep?.best && (
            <Link to="/runs/$runId" params={{ runId: sweep.best.run_id }} className={link}>
              Open run
            </Link>
          )
        }
      />
      <Tile
        label="Tokens"
        value={ofLimit(compact(sweep && spentTokens(sweep)), sweep?.limits.max_tokens, compact)}
        note={sweep && `${compact(sweep.tokens_in)} in, ${compact(sweep.tokens_out)} out`}
      >
        <BudgetBar sweep={sweep} field="max_tokens" />
      </Tile>
      <Tile
        label="Cost"
        value={ofLimit(cost(sweep?.cost), sweep?.limits.max_cost, cost)}
        note={sweep && (sweep.cost === undefined ? "No price known" : `${plural(sweep.calls, "paid call")}`)}
      >
        <BudgetBar sweep={sweep} field="max_cost" />
      </Tile>
      <Tile
        label="Cache hit rate"
        value={sweep ? hitRate(sweep.cache_hits, sweep.calls) : "–"}
        note={sweep && `${count(sweep.cache_hits)} of ${plural(sweep.cache_hits + sweep.calls, "call")}`}
      />
      <Tile
        label="Time left"
        value={sweep?.status === "running" ? seconds(sweep.eta_seconds) : "–"}
        note={statusReason(sweep, pausedBy)}
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
    (running > 0 || sweep.status === "running") && `${count(running)} running`,
    failed > 0 && `${count(failed)} failed`,
    cached > 0 && `${count(cached)} cached`,
  ];
  return (
    <Tile label="Runs" value={value} note={note.filter(Boolean).join(", ")}>
      {total !== undefined && total > 0 && <Bar share={(done - failed) / total} failed={failed / total} />}
    </Tile>
  );
}

/** "138 of 250" where there is a limit. */
function ofLimit(spent: string, limit: number | undefined, text: (value: number) => string): string {
  return limit === undefined ? spent : `${spent} of ${text(limit)}`;
}

function BudgetBar({ sweep, field }: { sweep: Sweep | undefined; field: BudgetField }) {
  const budget = sweep && budgetsOf(sweep).find((each) => each.field === field);
  return budget && <Bar share={budget.spent / budget.limit} />;
}

function Bar({ share, failed = 0 }: { share: number; failed?: number }) {
  const width = (part: number) => ({ width: `${Math.min(1, part) * 100}%` });
  return (
    <div aria-hidden="true" className="mt-2 flex h-1 overflow-hidden rounded-full bg-sunken">
      <div className="h-full bg-accent transition-[width] duration-300" style={width(share)} />
      <div className="h-full bg-bad transition-[width] duration-300" style={width(failed)} />
    </div>
  );
}
