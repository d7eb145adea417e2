import type { ReactNode } from "react";
import { useTitle } from "./use-title";

type Props = {
  title: string;
  crumbs?: ReactNode;
  beside?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
};

/** A page's head and body; the title is the document's too. */
export function Page({ title, crumbs, beside, actions, children }: Props) {
  useTitle(title);
  return (
    <>
      <div className="mb-4 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          {crumbs && (
            <nav aria-label="Breadcrumb" className="mb-0.5 flex flex-wrap gap-x-1.5 text-muted text-xs">
              {crumbs}
            </nav>
          )}
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <h1 className="min-w-0 break-words font-semibold text-xl tracking-tight">{title}</h1>
            {beside}
          </div>
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </div>
      {children}
    </>
  );
}

/** A titled part of a page. */
export function Section({
  title,
  aside,
  children,
}: {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section aria-label={title} className="min-w-0">
      <div className="mb-2 flex flex-wrap items-center justify-between gap-2">
        <h2 className="font-semibold text-[13px]">{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

export const card = "rounded-xl border border-line bg-surface";
export const link = "text-accent underline-offset-2 hover:underline";
