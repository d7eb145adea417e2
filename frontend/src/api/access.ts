import { useQuery } from "@tanstack/react-query";
import { meQuery } from "./auth";

/** Why the user cannot change anything; nothing when they can. */
export function useReadOnly(): string | undefined {
  const { data: me } = useQuery(meQuery());
  if (me?.scope !== "read") return undefined;
  return me.kind === "guest"
    ? "Guests have read-only access. Log in to make changes."
    : "Your access is read-only.";
}

/** Why the user cannot change what is reserved to administrators; nothing when they can. */
export function useNotAdmin(): string | undefined {
  const readOnly = useReadOnly();
  const { data: me } = useQuery(meQuery());
  return readOnly ?? (me && me.scope !== "admin" ? "Only administrators can do this." : undefined);
}
