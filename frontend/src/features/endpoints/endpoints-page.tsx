import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNotAdmin } from "@/api/access";
import { endpointsQuery, testEndpoint } from "@/api/endpoints";
import type { Endpoint, EndpointTest } from "@/api/types";
import { count, milliseconds, plural } from "@/lib/format";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Icon } from "@/ui/icon";
import { card, Page } from "@/ui/page";
import { ProblemNote } from "@/ui/problem-note";
import { Empty, QueryView } from "@/ui/states";
import { EndpointForm } from "./endpoint-form";
import { EndpointMenu } from "./endpoint-menu";
import { kinds } from "./kinds";

/** The model servers that experiments can use. */
export function EndpointsPage() {
  const endpoints = useQuery(endpointsQuery);
  const [adding, setAdding] = useState(false);
  const close = () => setAdding(false);
  return (
    <Page
      title="Endpoints"
      actions={
        <Button variant="primary" reason={useNotAdmin()} onClick={() => setAdding(true)}>
          <Icon name="plus" />
          Add endpoint
        </Button>
      }
    >
      <QueryView query={endpoints}>
        {(items) =>
          items.length === 0 ? (
            <Empty title="No endpoints yet">
              Experiments send their calls to a model server. Add one to start.
            </Empty>
          ) : (
            <ul className="grid gap-3 lg:grid-cols-2">
              {items.map((endpoint) => (
                <EndpointCard key={endpoint.id} endpoint={endpoint} />
              ))}
            </ul>
          )
        }
      </QueryView>
      <Dialog title="Add endpoint" open={adding} onClose={close}>
        <EndpointForm onClose={close} />
      </Dialog>
    </Page>
  );
}

function factsOf({
  kind,
  url,
  has_key: hasKey,
  key_last4: last,
  headers,
  limits,
  prices,
  list_prices: list,
}: Endpoint): [string, string][] {
  const key = hasKey ? `ends in ${last ?? "…"}` : "none";
  const perMinute = [
    limits.requests_per_minute && plural(limits.requests_per_minute, "request"),
    limits.tokens_per_minute && plural(limits.tokens_per_minute, "token"),
  ].filter(Boolean);
  const own = Object.keys(prices);
  const listed = list && `${own.length > 0 ? "others by " : ""}${list.provider}'s list of ${list.date}`;
  return [
    ["Kind", kinds[kind]],
    ["URL", url],
    ["Key", key],
    ...(headers ? ([["Headers", Object.keys(headers).join(", ")]] as [string, string][]) : []),
    ["Max concurrent calls", count(limits.concurrency ?? 8)],
    ...(perMinute.length > 0 ? ([["Max per minute", perMinute.join(", ")]] as [string, string][]) : []),
    ["Prices", [...own, listed].filter(Boolean).join(", ") || "none"],
  ];
}

function EndpointCard({ endpoint }: { endpoint: Endpoint }) {
  const notAdmin = useNotAdmin();
  const testing = useMutation({ mutationFn: () => testEndpoint(endpoint.id) });
  return (
    <li className={`${card} flex min-w-0 flex-col gap-3 p-4`}>
      <div className="flex items-center justify-between gap-3">
        <h2 className="min-w-0 break-words font-semibold">{endpoint.label}</h2>
        <div className="flex gap-2">
          <Button reason={notAdmin} busy={testing.isPending} onClick={() => testing.mutate()}>
            {testing.isPending ? "Testing…" : "Test"}
          </Button>
          {!notAdmin && <EndpointMenu endpoint={endpoint} />}
        </div>
      </div>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-0.5 text-[13px]">
        {factsOf(endpoint).map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="break-words">{value}</dd>
          </div>
        ))}
      </dl>
      <ProblemNote error={testing.error} />
      {testing.data && <Outcome outcome={testing.data} />}
    </li>
  );
}

function Outcome({ outcome: { ok, latency_ms: latency, models, error } }: { outcome: EndpointTest }) {
  if (!ok) {
    return (
      <p role="alert" className="break-words rounded-md bg-bad-soft px-3 py-2 text-[13px]">
        {error ?? "The endpoint did not respond as expected."}
      </p>
    );
  }
  return (
    <p role="status" className="break-words text-[13px] text-good">
      OK, {milliseconds(latency)}.{models.length > 0 && ` Models: ${models.join(", ")}`}
    </p>
  );
}
