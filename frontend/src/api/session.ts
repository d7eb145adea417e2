const key = "promptlooper.token";
const listeners = new Set<() => void>();

/** The bearer token of whoever is logged in here. */
export function token(): string | null {
  return localStorage.getItem(key);
}

export function keepToken(value: string): void {
  localStorage.setItem(key, value);
}

export function dropToken(): void {
  localStorage.removeItem(key);
}

/** Called when the server no longer knows the token. */
export function expire(): void {
  dropToken();
  for (const listener of listeners) listener();
}

export function onExpired(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
