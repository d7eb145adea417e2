const key = "promptlooper.token";
const listeners = new Set<() => void>();

/** The bearer token of whoever is signed in here. */
export function token(): string | null {
  return localStorage.getItem(key);
}

export function signIn(value: string): void {
  localStorage.setItem(key, value);
}

export function signOut(): void {
  localStorage.removeItem(key);
}

/** Called when the server no longer knows the token. */
export function expire(): void {
  signOut();
  for (const listener of listeners) listener();
}

export function onExpired(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
