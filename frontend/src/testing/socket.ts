import { vi } from "vitest";
import type { LiveMessage } from "@/api/live/messages";

/** A socket whose other end is the test. */
export class FakeSocket {
  static all: FakeSocket[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  closed = false;
  readonly url: URL;
  readonly protocols: string[];

  constructor(url: URL | string, protocols: string[] = []) {
    this.url = new URL(url);
    this.protocols = protocols;
    FakeSocket.all.push(this);
  }

  static get last(): FakeSocket {
    const socket = FakeSocket.all.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }

  close() {
    this.closed = true;
  }

  send(...messages: LiveMessage[]) {
    this.onmessage?.({ data: JSON.stringify(messages) });
  }

  drop(code = 1006) {
    this.onclose?.({ code });
  }
}

export function fakeSockets(): typeof FakeSocket {
  FakeSocket.all = [];
  vi.stubGlobal("WebSocket", FakeSocket);
  return FakeSocket;
}
