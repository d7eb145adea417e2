import { getRouteApi } from "@tanstack/react-router";
import { nextSort, type Sort } from "./run-order";

const route = getRouteApi("/app/experiments/$experimentId");

type Props = { label: string; by: string; sort: Sort; otherwise: Sort; right?: boolean };

/** The head of a column that the server sorts by; the order is part of the address. */
export function SortHead({ label, by, sort, otherwise, right }: Props) {
  const navigate = route.useNavigate();
  const here = sort.by === by;
  const direction = sort.descending ? "descending" : "ascending";
  const sortBy = () =>
    void navigate({
      search: (old) => ({ ...old, sort: nextSort(sort, by, otherwise) }),
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
