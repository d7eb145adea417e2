import { Link } from "@tanstack/react-router";

const tabs = [
  { tab: undefined, label: "Live" },
  { tab: "runs", label: "Runs" },
  { tab: "configuration", label: "Configuration" },
];

/** The views of an experiment; which one is part of the address. */
export function Tabs({ experimentId }: { experimentId: string }) {
  return (
    <nav aria-label="Views" className="mb-4 flex gap-4 border-line border-b">
      {tabs.map((each) => (
        <Link
          key={each.label}
          to="/experiments/$experimentId"
          params={{ experimentId }}
          search={{ tab: each.tab }}
          activeOptions={{ includeSearch: true, explicitUndefined: true }}
          className="-mb-px border-transparent border-b-2 px-0.5 pb-2 font-medium text-[13px] text-muted hover:text-text aria-[current=page]:border-accent aria-[current=page]:text-text"
        >
          {each.label}
        </Link>
      ))}
    </nav>
  );
}
