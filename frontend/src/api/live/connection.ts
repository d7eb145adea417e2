import { expire, token } from "../session";
import { type LiveMessage, readFrame } from "./messages";
import { type Connection, initialState, type LiveState, reduce } from "./reduce";

const protocol = "promptlooper.v1";
const logInAgain = 4401;
const longestWait = 15_000;
const hiddenInterval = 1000;

type Listener = () => void;

export type Hooks = {
  /** Hears every batch, for what is kept elsewhere. */
  onMessages?: (messages: LiveMessage[]) => void;
  /** A browser does not say why a socket was not opened: somebody else has to find out. */
  onLost?: () => void;
};

/**
 * The state of one live stream: connected while somebody listens, told at most once per animation frame.
 */
export class LiveConnection {
  #state: LiveState = initialState;
  #listeners = new Set<Listener>();
  #socket: WebSocket | undefined;
  #queue: LiveMessage[] = [];
  #flushing = false;
  #attempt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  readonly #path: string;
  readonly #hooks: Hooks;

  constructor(path: string, hooks: Hooks = {}) {
    this.#path = path;
    this.#hooks = hooks;
  }

  state = (): LiveState => this.#state;

  subscribe = (listener: Listener): Listener => {
    if (this.#listeners.size === 0) this.#open();
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#close();
    };
  };

  #open(): void {
    const url = new URL(this.#path, window.location.href);
    url.protocol = url.protocol.replace("http", "ws");
    if (this.#state.seq > 0) url.searchParams.set("since", String(this.#state.seq));
    const bearer = token();
    const socket = new WebSocket(url, bearer ? [protocol, `bearer.${bearer}`] : [protocol]);
    socket.onopen = () => this.#opened(socket);
    socket.onmessage = (message) => this.#received(socket, message.data);
    socket.onclose = (event) => this.#closed(socket, event.code);
    this.#socket = socket;
  }

  #opened(socket: WebSocket): void {
    if (socket === this.#socket) this.#connection("open");
  }

  #received(socket: WebSocket, text: string): void {
    if (socket !== this.#socket) return;
    this.#attempt = 0;
    this.#queue.push(...readFrame(text));
    if (this.#flushing) return;
    this.#flushing = true;
    const flush = () => this.#flush();
    // A hidden tab paints no frames, and must not pile messages up.
    if (document.hidden) setTimeout(flush, hiddenInterval);
    else requestAnimationFrame(flush);
  }

  #flush(): void {
    this.#flushing = false;
    const messages = this.#queue;
    this.#queue = [];
    if (messages.length === 0) return;
    this.#set(reduce(this.#state, messages));
    this.#hooks.onMessages?.(messages);
  }

  #closed(socket: WebSocket, code: number): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    if (code === logInAgain) {
      this.#connection("refused");
      expire();
      return;
    }
    this.#connection("lost");
    this.#hooks.onLost?.();
    // Half of the wait is chance, so that many clients do not come back at once.
    const wait = Math.min(longestWait, 500 * 2 ** this.#attempt++) * (0.5 + Math.random() / 2);
    this.#retry = setTimeout(() => this.#open(), wait);
  }

  #close(): void {
    clearTimeout(this.#retry);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #connection(connection: Connection): void {
    this.#set({ ...this.#state, connection });
  }

  #set(state: LiveState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
