import type { ReactNode } from "react";
import { card } from "./page";

type Props = { label: string; value: string; note?: ReactNode; children?: ReactNode };

/** A row of figures, each in a tile. */
export function Tiles({ label, children }: { label: string; children: ReactNode }) {
  return (
    <dl aria-label={label} className="grid grid-cols-2 gap-3 sm:grid-cols-3 xl:grid-cols-6">
      {children}
    </dl>
  );
}

export function Tile({ label, value, note, children }: Props) {
  return (
    <div className={`${card} min-w-0 px-3.5 py-3`}>
      <dt className="text-muted text-xs">{label}</dt>
      <dd>
        <span className="num block truncate font-semibold text-lg leading-7 tracking-tight" title={value}>
          {value}
        </span>
        <span className="num block min-h-4 break-words text-muted text-xs">{note}</span>
        {children}
      </dd>
    </div>
  );
}
