import { getRouteApi } from "@tanstack/react-router";
import type { Columns } from "./leaderboard-columns";
import { byScore, byScorer, nextSort, type Sort } from "./leaderboard-order";

const route = getRouteApi("/app/experiments/$experimentId");

export function LeaderboardHead({ columns, sort }: { columns: Columns; sort: Sort }) {
  return (
    <thead>
      <tr>
        <th scope="col">Rank</th>
        <SortHead label="Score" by={byScore} sort={sort} />
        {columns.scorers.map((name) => (
          <SortHead key={name} label={name} by={byScorer(name)} sort={sort} right />
        ))}
        {columns.dimensions.map((name) => (
          <th key={name} scope="col">
            {name}
          </th>
        ))}
        <th scope="col" className="text-right" title="Samples with a score">
          n
        </th>
        <th scope="col" className="text-right">
          Time / sample
        </th>
        <th scope="col" className="text-right">
          Cost / sample
        </th>
      </tr>
    </thead>
  );
}

type SortHeadProps = { label: string; by: string; sort: Sort; right?: boolean };

function SortHead({ label, by, sort, right }: SortHeadProps) {
  const navigate = route.useNavigate();
  const here = sort.by === by;
  const direction = sort.descending ? "descending" : "ascending";
  const sortBy = () =>
    void navigate({
      search: (old) => ({ ...old, sort: nextSort(sort, by) }),
      replace: true,
      resetScroll: false,
    });
  return (
    <th scope="col" aria-sort={here ? direction : undefined} className={right ? "text-right" : undefined}>
      <button type="button" onClick={sortBy} className="font-medium hover:text-text">
        {label}
        <span aria-hidden="true" className="inline-block w-3 text-center">
          {here ? (sort.descending ? "↓" : "↑") : ""}
        </span>
      </button>
    </th>
  );
}
