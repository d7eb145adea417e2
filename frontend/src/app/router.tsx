import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  type RouterHistory,
  redirect,
} from "@tanstack/react-router";
import { onExpired } from "@/api/session";
import { Loading } from "@/ui/states";
import { guardApp, guardLogin, guardSetup } from "./guards";
import { NotFound, PageFailed } from "./page-states";
import { only, parseSearch, stringifySearch } from "./search";
import { Shell } from "./shell";

const root = createRootRouteWithContext<{ cache: QueryClient }>()({ component: Outlet });

const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  beforeLoad: ({ context }) => guardSetup(context.cache),
  component: lazyRouteComponent(() => import("@/features/auth/setup-page"), "SetupPage"),
});

const loginSearch = only("next", "once", "failed");

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: loginSearch,
  beforeLoad: ({ context, search }) => guardLogin(context.cache, search),
  component: lazyRouteComponent(() => import("@/features/auth/login-page"), "LoginPage"),
});

const app = createRoute({
  getParentRoute: () => root,
  id: "app",
  beforeLoad: ({ context, location }) => guardApp(context.cache, location.href),
  component: Shell,
});

const home = createRoute({
  getParentRoute: () => app,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/projects", replace: true });
  },
});

const projects = createRoute({
  getParentRoute: () => app,
  path: "/projects",
  component: lazyRouteComponent(() => import("@/features/projects/projects-page"), "ProjectsPage"),
});

const project = createRoute({
  getParentRoute: () => app,
  path: "/projects/$projectId",
  component: lazyRouteComponent(() => import("@/features/projects/project-page"), "ProjectPage"),
});

const experiment = createRoute({
  getParentRoute: () => app,
  path: "/experiments/$experimentId",
  validateSearch: only("tab", "sort", "type", "status", "value"),
  component: lazyRouteComponent(() => import("@/features/experiment/experiment-page"), "ExperimentPage"),
});

const run = createRoute({
  getParentRoute: () => app,
  path: "/runs/$runId",
  component: lazyRouteComponent(() => import("@/features/run/run-page"), "RunPage"),
});

const activity = createRoute({
  getParentRoute: () => app,
  path: "/activity",
  validateSearch: only("type"),
  component: lazyRouteComponent(() => import("@/features/activity/activity-page"), "ActivityPage"),
});

const endpoints = createRoute({
  getParentRoute: () => app,
  path: "/endpoints",
  component: lazyRouteComponent(() => import("@/features/endpoints/endpoints-page"), "EndpointsPage"),
});

const settings = createRoute({
  getParentRoute: () => app,
  path: "/settings",
  component: lazyRouteComponent(() => import("@/features/settings/settings-page"), "SettingsPage"),
});

const routeTree = root.addChildren([
  setup,
  login,
  app.addChildren([home, projects, project, experiment, run, activity, endpoints, settings]),
]);

const pending = () => <Loading />;

export function makeRouter(cache: QueryClient, history?: RouterHistory) {
  const router = createRouter({
    routeTree,
    context: { cache },
    parseSearch,
    stringifySearch,
    defaultPreload: "intent",
    defaultPendingComponent: pending,
    defaultErrorComponent: PageFailed,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: true,
    ...(history && { history }),
  });
  onExpired(() => {
    cache.clear();
    const { href, pathname } = router.state.location;
    if (pathname !== "/login") void router.navigate({ to: "/login", search: { next: href } });
  });
  return router;
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
