import { QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, RouterProvider } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import { makeQueryClient } from "@/app/query-client";
import { makeRouter } from "@/app/router";

/** The whole dashboard at an address; `location()` says where it is now. */
export function renderApp(address: string) {
  const cache = makeQueryClient();
  const router = makeRouter(cache, createMemoryHistory({ initialEntries: [address] }));
  render(
    <QueryClientProvider client={cache}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
  return { location: () => router.state.location.href };
}

export function loggedIn(): void {
  localStorage.setItem("promptlooper.token", "good-token");
}
