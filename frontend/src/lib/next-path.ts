/** Where to go after signing in: only paths of this site, never another host. */
export function nextPath(next: string | undefined): string {
  const inside = next?.startsWith("/") && !next.startsWith("//") && !next.includes("\\");
  return next && inside && !next.startsWith("/login") ? next : "/projects";
}
