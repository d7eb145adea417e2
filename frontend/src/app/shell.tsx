import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { meQuery, setupQuery } from "@/api/auth";
import { dropToken } from "@/api/session";
import { PasswordForm } from "@/features/auth/password-form";
import { buttonClass } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Icon } from "@/ui/icon";
import { Logo } from "@/ui/logo";
import { Menu } from "@/ui/menu";
import { ThemeToggle } from "@/ui/theme-toggle";

const navLink =
  "rounded-md px-2 py-1 text-[13px] font-medium text-muted hover:text-text aria-[current=page]:bg-sunken aria-[current=page]:text-text";

const pages = [
  { to: "/projects", label: "Projects" },
  { to: "/activity", label: "Activity" },
  { to: "/endpoints", label: "Endpoints" },
] as const;

/** What surrounds every page of somebody who was let in. */
export function Shell() {
  return (
    <>
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-surface focus:px-3 focus:py-2"
      >
        Skip to content
      </a>
      <header className="sticky top-0 z-30 border-line border-b bg-surface">
        <div className="mx-auto flex h-12 max-w-[1600px] items-center gap-2 px-3 sm:gap-4 sm:px-6">
          <Link to="/projects" className="flex items-center gap-2 font-semibold tracking-tight">
            <Logo />
            <span className="max-sm:sr-only">PromptLooper</span>
          </Link>
          <nav aria-label="Main" className="flex gap-0.5 sm:gap-1">
            {pages.map(({ to, label }) => (
              <Link key={to} to={to} className={navLink}>
                {label}
              </Link>
            ))}
          </nav>
          <div className="ml-auto flex items-center gap-1">
            <ThemeToggle />
            <Account />
          </div>
        </div>
      </header>
      <main id="main" tabIndex={-1} className="mx-auto max-w-[1600px] px-3 py-5 outline-none sm:px-6">
        <Outlet />
      </main>
    </>
  );
}

function Account() {
  const { data: me } = useQuery(meQuery());
  const { data: setup } = useQuery(setupQuery);
  const navigate = useNavigate();
  const leave = useLeave();
  const [changing, setChanging] = useState(false);
  if (!me) return null;
  if (me.kind === "guest") {
    return (
      <Link to="/login" className={buttonClass("plain")}>
        Log in
      </Link>
    );
  }
  const name = me.user?.username ?? "API key";
  const version = setup ? `PromptLooper ${setup.version}` : undefined;
  const password = { id: "password", label: "Change password…", onAction: () => setChanging(true) };
  const settings = { id: "settings", label: "Settings", onAction: () => void navigate({ to: "/settings" }) };
  return (
    <>
      <Menu
        label={`Account: ${name}`}
        variant="quiet"
        trigger={
          <>
            <Icon name="user" />
            <span className="max-w-32 truncate max-sm:sr-only">{name}</span>
          </>
        }
        entries={[
          ...(me.scope === "admin" ? [settings] : []),
          ...(me.kind === "user" ? [password] : []),
          { id: "log-out", label: "Log out", ...(version && { note: version }), onAction: leave },
        ]}
      />
      <Dialog title="Change password" open={changing} onClose={() => setChanging(false)}>
        <PasswordForm onClose={() => setChanging(false)} />
      </Dialog>
    </>
  );
}

function useLeave(): () => void {
  const navigate = useNavigate();
  const cache = useQueryClient();
  return () => {
    dropToken();
    void navigate({ to: "/login" }).then(() => cache.clear());
  };
}
