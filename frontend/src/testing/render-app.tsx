import { QueryClientProvider } from "@tanstack/react-query";
import { createBrowserHistory, createMemoryHistory, RouterProvider } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import { onTestFinished } from "vitest";
import { makeQueryClient } from "@/app/query-client";
import { makeRouter } from "@/app/router";

/** The whole dashboard at an address; `location()` says where it is now. */
export function renderApp(address: string, history = createMemoryHistory({ initialEntries: [address] })) {
  const cache = makeQueryClient();
  const router = makeRouter(cache, history);
  render(
    <QueryClientProvider client={cache}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
  return { location: () => router.state.location.href };
}

/** As `renderApp`, but in the history of the test's window, where the browser's own Back and Reload work. */
export function renderInWindow(address: string) {
  window.history.pushState(null, "", address);
  const history = createBrowserHistory();
  onTestFinished(() => history.destroy());
  return renderApp(address, history);
}

export function loggedIn(): void {
  localStorage.setItem("promptlooper.token", "good-token");
}
