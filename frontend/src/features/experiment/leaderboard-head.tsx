import { byRank } from "./board-order";
import type { Columns } from "./leaderboard-columns";
import { byCost, byLatency, byScore, byScorer, byValue, type Sort } from "./run-order";
import { SortHead } from "./sort-head";

export function LeaderboardHead({ columns, sort }: { columns: Columns; sort: Sort }) {
  const order = { sort, otherwise: byRank };
  return (
    <thead>
      <tr>
        <th scope="col">Rank</th>
        <SortHead label="Score" by={byScore} {...order} />
        {columns.scorers.map((name) => (
          <SortHead key={name} label={name} by={byScorer(name)} {...order} right />
        ))}
        {columns.dimensions.map((name) => (
          <SortHead key={name} label={name} by={byValue(name)} {...order} />
        ))}
        <th scope="col" className="text-right" title="Samples with a score">
          n
        </th>
        <SortHead label="Time / sample" by={byLatency} {...order} right />
        <SortHead label="Cost / sample" by={byCost} {...order} right />
      </tr>
    </thead>
  );
}
