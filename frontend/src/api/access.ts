import { useQuery } from "@tanstack/react-query";
import { meQuery } from "./auth";

/** Why whoever looks may not change anything; nothing when they may. */
export function useReadOnly(): string | undefined {
  const { data: me } = useQuery(meQuery());
  if (me?.scope !== "read") return undefined;
  return me.kind === "guest"
    ? "Guests can look but not change anything. Log in first."
    : "Your access is read-only.";
}

/** Why whoever looks may not change what administrators decide; nothing when they may. */
export function useNotAdmin(): string | undefined {
  const readOnly = useReadOnly();
  const { data: me } = useQuery(meQuery());
  return readOnly ?? (me && me.scope !== "admin" ? "Only administrators can do this." : undefined);
}
